package pattern_test

import (
	"fmt"
	"strings"
	"testing"

	"ouro/cloud/pattern"
)

// What EventBridge and SNS share is tested through their APIs; here is what
// those tests do not get at.
func TestMatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, event string
		same           pattern.Numbers
		want           bool
	}{
		{`{"a": [300]}`, `{"a": 3e2}`, pattern.AsWritten, false},
		{`{"a": [300]}`, `{"a": 3e2}`, pattern.ByValue, true},
		{`{"a": [{"anything-but": [300]}]}`, `{"a": 3e2}`, pattern.ByValue, false},
		{`{"a": {"b": ["x"], "$or": [{"c": ["y"]}, {"d": ["z"]}]}}`, `{"a": [{"b": "x", "c": "w"}, {"b": "w", "c": "y"}]}`, nil, false},
		{`{"a": {"b": ["x"]}, "$or": [{"a": {"c": ["y"]}}, {"e": ["z"]}]}`, `{"a": [{"b": "x"}, {"c": "y"}]}`, nil, false},
		{`{"a": {"b": ["x"]}, "$or": [{"a": {"c": ["y"]}}, {"e": ["z"]}]}`, `{"a": [{"b": "w"}, {"b": "x", "c": "y"}]}`, nil, true},
		{`{"a": {"b": [{"exists": false}], "c": ["x"]}}`, `{"a": [{"b": 1}, {"c": "x"}]}`, nil, false},
		{`{"a": {"b": [{"exists": false}]}}`, `{}`, nil, true},
		{`{"a": [{"exists": true}]}`, `{"a": []}`, nil, false},
		{`{"$or": ["x"]}`, `{"$or": "x"}`, nil, true},
	} {
		if c.same == nil {
			c.same = pattern.AsWritten
		}
		if got := compile(t, c.pattern, c.same).Matches(decode(t, c.event)); got != c.want {
			t.Errorf("%s of %s: %v, want %v", c.pattern, c.event, got, c.want)
		}
	}
}

// TestHostile has patterns and events that cost a naive matcher more than
// anyone has.
func TestHostile(t *testing.T) {
	t.Parallel()
	var keys, lists []string
	for k := range 10 {
		keys = append(keys, fmt.Sprintf(`"k%d": {"v": [1]}`, k))
		lists = append(lists, fmt.Sprintf(`"k%d": [%s{"v": 1}]`, k, strings.Repeat(`{"v": 1},`, 1000)))
	}
	wild := `{"w": [{"wildcard": "` + strings.Repeat("*a", 1000) + `*b"}]}`
	for _, c := range []struct{ pattern, event string }{
		{`{` + strings.Join(keys, ",") + `, "z": {"v": [2]}}`, `{` + strings.Join(lists, ",") + `, "z": {"v": 1}}`},
		{wild, `{"w": "` + strings.Repeat("a", 100_000) + `"}`},
	} {
		if compile(t, c.pattern, pattern.AsWritten).Matches(decode(t, c.event)) {
			t.Errorf("%.60s matches", c.pattern)
		}
	}
	branch := `"$or": [{"a": [1]}, {"b": [1]}]`
	for text, why := range map[string]string{
		strings.Repeat(`{"a": {`+branch+`}, "b": `, 10) + `{"c": [1]}` + strings.Repeat(`}`, 10):          "Total rule combinations exceed 1000",
		strings.Repeat(`{"a":`, 1002) + `[1]` + strings.Repeat(`}`, 1002):                                 "Nesting is deeper than 1000",
		`{"a": {` + strings.TrimSuffix(strings.Repeat(`"%d": [1],`, 1001), ",") + `}}`:                    "There are more than 1000 keys",
		`{"a": [` + strings.TrimSuffix(strings.Repeat(`1,`, 1001), ",") + `], "b": [{"wildcard": "**"}]}`: "Consecutive wildcard characters at pos 0, at b",
	} {
		for n := 0; strings.Contains(text, "%d"); n++ {
			text = strings.Replace(text, "%d", fmt.Sprint(n), 1)
		}
		if _, err := pattern.Compile(decode(t, text), pattern.AsWritten); err == nil || err.Error() != why {
			t.Errorf("%.60s: %v, want %s", text, err, why)
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add(`{"a": [{"anything-but": {"prefix": ["x"]}}, null], "$or": [{"b": [1]}, {"c": {"d": [{"exists": false}]}}]}`, `{"a": [["y"], {"c": 1}]}`)
	f.Add(`{"a": [{"numeric": [">", 1, "<=", 2]}, {"cidr": "10.0.0.0/8"}, {"wildcard": "a\\*b*"}]}`, `{"a": 1.5}`)
	f.Fuzz(func(t *testing.T, text, event string) {
		p, err := pattern.Decode(text)
		if err != nil {
			return
		}
		e, err := pattern.Decode(event)
		if err != nil {
			return
		}
		if compiled, err := pattern.Compile(p, pattern.ByValue); err == nil {
			compiled.Matches(e)
		}
	})
}

func compile(t *testing.T, text string, same pattern.Numbers) *pattern.Pattern {
	t.Helper()
	p, err := pattern.Compile(decode(t, text), same)
	if err != nil {
		t.Fatalf("%.60s: %v", text, err)
	}
	return p
}

func decode(t *testing.T, text string) any {
	t.Helper()
	v, err := pattern.Decode(text)
	if err != nil {
		t.Fatalf("%.60s: %v", text, err)
	}
	return v
}
