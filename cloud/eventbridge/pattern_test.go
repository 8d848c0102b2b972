package eventbridge_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/eventbridge"
)

// matching says of patterns over an event's detail whether they match it.
var matching = []struct {
	name, pattern, detail string
	want                  bool
}{
	{"string", `{"a": ["x", "y"]}`, `{"a": "y"}`, true},
	{"other string", `{"a": ["x"]}`, `{"a": "y"}`, false},
	{"case", `{"a": ["X"]}`, `{"a": "x"}`, false},
	{"missing", `{"a": ["x"]}`, `{}`, false},
	{"number", `{"a": [300]}`, `{"a": 300}`, true},
	{"number written otherwise", `{"a": [300]}`, `{"a": 300.0}`, false},
	{"number and string", `{"a": [5]}`, `{"a": "5"}`, false},
	{"null", `{"a": [null]}`, `{"a": null}`, true},
	{"null and nothing", `{"a": [null]}`, `{}`, false},
	{"empty string", `{"a": [""]}`, `{"a": ""}`, true},
	{"true", `{"a": [true]}`, `{"a": true}`, true},
	{"true and string", `{"a": [true]}`, `{"a": "true"}`, false},
	{"all fields", `{"a": ["x"], "b": ["y"]}`, `{"a": "x", "b": "z"}`, false},
	{"nested", `{"a": {"b": {"c": ["x"]}}}`, `{"a": {"b": {"c": "x"}}}`, true},
	{"a dot is no nesting", `{"a": {"b": ["x"]}}`, `{"a.b": "x"}`, false},

	{"array meets array", `{"a": ["x", "y"]}`, `{"a": ["z", "y"]}`, true},
	{"array misses array", `{"a": ["x"]}`, `{"a": ["z", "y"]}`, false},
	{"arrays in arrays", `{"a": ["x"]}`, `{"a": [["w"], ["x"]]}`, true},
	{"within one object", `{"a": {"b": ["x"], "c": ["y"]}}`, `{"a": [{"b": "x", "c": "y"}, {"b": "w"}]}`, true},
	{"across objects", `{"a": {"b": ["x"], "c": ["y"]}}`, `{"a": [{"b": "x", "c": "w"}, {"b": "w", "c": "y"}]}`, false},
	{"within one object, deeper", `{"a": {"b": ["x"], "d": {"c": ["y"]}}}`, `{"a": [{"b": "x", "d": [{"c": "w"}]}, {"b": "x", "d": [{"c": "w"}, {"c": "y"}]}]}`, true},
	{"two arrays", `{"a": {"b": ["x"]}, "c": {"d": ["y"]}}`, `{"a": [{"b": "w"}, {"b": "x"}], "c": [{"d": "y"}]}`, true},

	{"prefix", `{"a": [{"prefix": "us-"}]}`, `{"a": "us-east-1"}`, true},
	{"prefix of a number", `{"a": [{"prefix": "1"}]}`, `{"a": 12}`, false},
	{"empty prefix", `{"a": [{"prefix": ""}]}`, `{"a": "x"}`, true},
	{"prefix without case", `{"a": [{"prefix": {"equals-ignore-case": "US-"}}]}`, `{"a": "us-east-1"}`, true},
	{"suffix", `{"a": [{"suffix": ".png"}]}`, `{"a": "x.png"}`, true},
	{"not suffix", `{"a": [{"suffix": ".png"}]}`, `{"a": "x.jpg"}`, false},
	{"suffix without case", `{"a": [{"suffix": {"equals-ignore-case": ".PNG"}}]}`, `{"a": "x.png"}`, true},
	{"equals without case", `{"a": [{"equals-ignore-case": "AlicE"}]}`, `{"a": "aLICe"}`, true},

	{"anything but", `{"a": [{"anything-but": "x"}]}`, `{"a": "y"}`, true},
	{"anything but itself", `{"a": [{"anything-but": "x"}]}`, `{"a": "x"}`, false},
	{"anything but needs a value", `{"a": [{"anything-but": "x"}]}`, `{}`, false},
	{"anything but a number", `{"a": [{"anything-but": 100}]}`, `{"a": 100}`, false},
	{"anything but a list", `{"a": [{"anything-but": ["x", "y"]}]}`, `{"a": "y"}`, false},
	{"anything but a list of numbers", `{"a": [{"anything-but": [1, 2]}]}`, `{"a": 3}`, true},
	{"anything but, one of an array", `{"a": [{"anything-but": "x"}]}`, `{"a": ["x", "y"]}`, true},
	{"anything but a prefix", `{"a": [{"anything-but": {"prefix": "in"}}]}`, `{"a": "init"}`, false},
	{"anything but prefixes", `{"a": [{"anything-but": {"prefix": ["in", "ou"]}}]}`, `{"a": "done"}`, true},
	{"anything but a suffix", `{"a": [{"anything-but": {"suffix": ".txt"}}]}`, `{"a": "a.txt"}`, false},
	{"anything but suffixes", `{"a": [{"anything-but": {"suffix": [".txt", ".rtf"]}}]}`, `{"a": "a.rtf"}`, false},
	{"anything but without case", `{"a": [{"anything-but": {"equals-ignore-case": ["X", "Y"]}}]}`, `{"a": "y"}`, false},
	{"anything but a wildcard", `{"a": [{"anything-but": {"wildcard": "*/lib/*"}}]}`, `{"a": "usr/lib/x"}`, false},
	{"anything but wildcards", `{"a": [{"anything-but": {"wildcard": ["*/lib/*", "*/bin/*"]}}]}`, `{"a": "usr/share/x"}`, true},

	{"equal", `{"a": [{"numeric": ["=", 3.018e2]}]}`, `{"a": 301.8}`, true},
	{"above", `{"a": [{"numeric": [">", 0]}]}`, `{"a": 0}`, false},
	{"between", `{"a": [{"numeric": [">", 0, "<=", 5]}]}`, `{"a": 5}`, true},
	{"not between", `{"a": [{"numeric": [">", 0, "<=", 5]}]}`, `{"a": 5.01}`, false},
	{"numeric text", `{"a": [{"numeric": [">", 0]}]}`, `{"a": "3"}`, false},

	{"exists", `{"a": [{"exists": true}]}`, `{"a": null}`, true},
	{"does not exist", `{"a": [{"exists": true}]}`, `{}`, false},
	{"absent", `{"a": {"b": [{"exists": false}]}}`, `{"a": {"c": 1}}`, true},
	{"not absent", `{"a": {"b": [{"exists": false}]}}`, `{"a": {"b": 1}}`, false},
	{"absent or", `{"a": [{"exists": false}, "x"]}`, `{"a": "x"}`, true},
	{"an object is no leaf", `{"a": [{"exists": true}]}`, `{"a": {"b": 1}}`, false},

	{"address", `{"a": [{"cidr": "10.0.0.0/24"}]}`, `{"a": "10.0.0.255"}`, true},
	{"other address", `{"a": [{"cidr": "10.0.0.0/24"}]}`, `{"a": "10.0.1.0"}`, false},
	{"address 6", `{"a": [{"cidr": "2001:db8::/32"}]}`, `{"a": "2001:db8::1"}`, true},
	{"no address", `{"a": [{"cidr": "10.0.0.0/24"}]}`, `{"a": "host"}`, false},

	{"wildcard", `{"a": [{"wildcard": "dir/*/b*.png"}]}`, `{"a": "dir/x/y/bob.png"}`, true},
	{"wildcard of nothing", `{"a": [{"wildcard": "a*"}]}`, `{"a": "a"}`, true},
	{"wildcard that overlaps", `{"a": [{"wildcard": "aba*aba"}]}`, `{"a": "ababa"}`, false},
	{"wildcard escaped", `{"a": [{"wildcard": "a\\*\\\\*"}]}`, `{"a": "a*\\b"}`, true},
	{"wildcard escaped, other", `{"a": [{"wildcard": "a\\*b"}]}`, `{"a": "axb"}`, false},

	{"or", `{"$or": [{"a": ["x"]}, {"b": [{"numeric": ["<", 10]}]}]}`, `{"b": 5}`, true},
	{"or of nothing", `{"$or": [{"a": ["x"]}, {"b": ["y"]}]}`, `{"a": "y", "b": "x"}`, false},
	{"or and", `{"c": ["z"], "$or": [{"a": ["x"]}, {"b": ["y"]}]}`, `{"a": "x", "c": "w"}`, false},
	{"or in or", `{"$or": [{"a": ["x"]}, {"$or": [{"b": ["y"]}, {"c": ["z"]}], "d": ["w"]}]}`, `{"c": "z", "d": "w"}`, true},
	{"or below", `{"a": {"$or": [{"b": ["x"]}, {"c": ["y"]}]}}`, `{"a": {"c": "y"}}`, true},
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	for _, c := range matching {
		event, err := json.Marshal(map[string]any{
			"version": "0", "id": "1", "detail-type": "a", "source": "mine", "account": "000000000000",
			"time": "2026-01-01T00:00:00Z", "region": "us-east-1", "resources": []string{}, "detail": json.RawMessage(c.detail),
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := b.events.TestEventPattern(t.Context(), &api.TestEventPatternInput{
			EventPattern: aws.String(`{"source": ["mine"], "detail": ` + c.pattern + `}`), Event: aws.String(string(event)),
		})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if out.Result != c.want {
			t.Errorf("%s: pattern %s, detail %s: %v, want %v", c.name, c.pattern, c.detail, out.Result, c.want)
		}
	}
}

func TestPatternsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	for pattern, reason := range map[string]string{
		`[]`:                            `Filter is not an object`,
		`{}`:                            `Empty objects are not allowed`,
		`{"a": "x"}`:                    `"a" must be an object or an array`,
		`{"a": []}`:                     `Empty arrays are not allowed`,
		`{"a": [["x"]]}`:                `Match value must be String, number, true, false, or null, at a`,
		`{"a": {"b": [{"like": "x"}]}}`: `Unrecognized match type like, at a.b`,
		`{"a": [{"prefix": 1}]}`:        `prefix match pattern must be a string, at a`,
		`{"a": [{"prefix": "x", "suffix": "y"}]}`: `Only one key allowed in match expression, at a`,
		`{"a": [{"numeric": ["<", "5"]}]}`:        `Value of < must be numeric, at a`,
		`{"a": [{"numeric": [">", 6e9]}]}`:        `Value must be between -5.0E9 and 5.0E9, inclusive, at a`,
		`{"a": [{"anything-but": ["x", 1]}]}`:     `Inside anything but list, either all values are number or string, mixed type is not supported, at a`,
		`{"a": [{"wildcard": "a**b"}]}`:           `Consecutive wildcard characters at pos 1, at a`,
		`{"a": [{"cidr": "10.0.0.1"}]}`:           `Malformed CIDR, one '/' required: 10.0.0.1, at a`,
	} {
		_, err := b.events.PutRule(t.Context(), &api.PutRuleInput{Name: aws.String("r"), EventPattern: &pattern})
		want := "InvalidEventPatternException: Event pattern is not valid. Reason: " + reason
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", pattern, err, want)
		}
	}
}
