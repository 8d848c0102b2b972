package template_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"ouro/template"
)

func TestResolveParameters(t *testing.T) {
	t.Parallel()
	ssm := func(name string) (string, error) {
		values := map[string]string{"/a": "x", "/a:2": "y", "/list": "p, q"}
		if v, ok := values[name]; ok {
			return v, nil
		}
		return "", errors.New("ParameterNotFound")
	}
	for _, c := range []struct {
		declared string // of parameter P
		given    string // "-" for none
		want     any    // value, or an error as its text after "!"
	}{
		{`{Type: String}`, "v", "v"},
		{`{Type: String}`, "-", "!Parameters: [P] must have values"},
		{`{Type: String}`, strings.Repeat("x", 4096), strings.Repeat("x", 4096)},
		{`{Type: String}`, strings.Repeat("x", 4097), "!Parameter 'P' must contain at most 4096 bytes"},
		{`{Type: String, Default: d}`, "-", "d"},
		{`{Type: String, Default: ""}`, "-", ""},
		{`{Type: String, Default: true}`, "-", "true"},
		{`{Type: String, AllowedValues: [a, 1, true]}`, "true", "true"},
		{`{Type: String, AllowedValues: [a, b]}`, "c", "!Parameter 'P' must be one of AllowedValues"},
		{`{Type: String, AllowedValues: [a, b], ConstraintDescription: choose a or b}`, "c", "!Parameter P failed to satisfy constraint: choose a or b"},
		{`{Type: String, AllowedPattern: "[a-z]+"}`, "abc", "abc"},
		{`{Type: String, AllowedPattern: "[a-z]+"}`, "abc1", "!Parameter 'P' must match pattern [a-z]+"},
		{`{Type: String, AllowedPattern: "a|ab"}`, "ab", "ab"},
		{`{Type: String, AllowedPattern: '\p{Alpha}+\Z'}`, "abc", "abc"},
		{`{Type: String, AllowedPattern: "(?=a).*"}`, "abc", "abc"},
		{`{Type: String, AllowedPattern: "^(?!aws).*$"}`, "awsome", "!Parameter 'P' must match pattern ^(?!aws).*$"},
		{`{Type: String, AllowedPattern: '(a)\1'}`, "aa", "aa"},
		{`{Type: String, AllowedPattern: '(?=a)((a+)+)+b'}`, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", `!Parameter 'P' must match pattern (?=a)((a+)+)+b`},
		{`{Type: String, AllowedPattern: "a++b"}`, "ab", "!Parameter 'P' has an AllowedPattern that is not a regular expression which can be checked here: error parsing regexp: invalid nested repetition operator in `\\A(?:a++b)\\z`"},
		{`{Type: String, MinLength: 2, MaxLength: 3}`, "a", "!Parameter 'P' must contain at least 2 characters"},
		{`{Type: String, MinLength: 2, MaxLength: 3}`, "abcd", "!Parameter 'P' must contain at most 3 characters"},
		{`{Type: String, MinLength: 2, MaxLength: 3}`, "äöü", "äöü"},
		{`{Type: Number, MinValue: 1, MaxValue: 10}`, "10.0", "10.0"},
		{`{Type: Number, MinValue: 1, MaxValue: 10}`, "0", "!Parameter 'P' must be a number not less than 1"},
		{`{Type: Number, MinValue: 1, MaxValue: 10}`, "10.01", "!Parameter 'P' must be a number not greater than 10"},
		{`{Type: Number}`, "x", "!Parameter 'P' must be a number"},
		{`{Type: Number}`, "1e999999999", "!Parameter 'P' must be a number"},
		{`{Type: CommaDelimitedList}`, "a, b ,c", []string{"a", "b", "c"}},
		{`{Type: CommaDelimitedList, AllowedPattern: "[a-z]"}`, "a,bc", "!Parameter 'P' must match pattern [a-z]"},
		{`{Type: List<Number>}`, "1, 2", []string{"1", "2"}},
		{`{Type: List<Number>}`, "1,x", "!Parameter 'P' must be a number"},
		{`{Type: "List<AWS::EC2::Subnet::Id>"}`, "subnet-1,subnet-2", []string{"subnet-1", "subnet-2"}},
		{`{Type: "AWS::SSM::Parameter::Value<String>"}`, "/a", "x"},
		{`{Type: "AWS::SSM::Parameter::Value<String>", Default: "/a:2", AllowedPattern: "/.*"}`, "-", "y"},
		{`{Type: "AWS::SSM::Parameter::Value<String>"}`, "/no", "!Unable to fetch parameters [/no] from parameter store for this account."},
		{`{Type: "AWS::SSM::Parameter::Value<List<String>>"}`, "/list", []string{"p", "q"}},
		{`{Type: "AWS::SSM::Parameter::Value<String>", AllowedValues: [x]}`, "/a", "!Parameter 'P' must be one of AllowedValues"},
	} {
		tpl, err := template.Parse("t.yaml", []byte("Parameters:\n  P: "+c.declared+"\nResources: {R: {Type: X}}"))
		if err != nil {
			t.Fatal(err)
		}
		given := map[string]string{"P": c.given}
		if c.given == "-" {
			given = nil
		}
		got, err := tpl.ResolveParameters(given, ssm)
		if err != nil {
			if text, _ := c.want.(string); text != "!"+err.Error() {
				t.Errorf("%s given %q: %v, want %v", c.declared, c.given, err, c.want)
			}
			continue
		}
		if !reflect.DeepEqual(got["P"], c.want) {
			t.Errorf("%s given %q is %#v, want %#v", c.declared, c.given, got["P"], c.want)
		}
	}
}

func TestUnknownParameters(t *testing.T) {
	t.Parallel()
	tpl, err := template.Parse("t.yaml", []byte("Parameters: {A: {Type: String}, B: {Type: String}}\nResources: {R: {Type: X}}"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = tpl.ResolveParameters(map[string]string{"Z": "1", "Y": "2"}, nil)
	if err == nil || err.Error() != "Parameters: [Y, Z] do not exist in the template" {
		t.Error(err)
	}
	_, err = tpl.ResolveParameters(nil, nil)
	if err == nil || err.Error() != "Parameters: [A, B] must have values" {
		t.Error(err)
	}
}

// Values of parameters may be secrets, so no error repeats them.
func TestErrorsHideValues(t *testing.T) {
	t.Parallel()
	for _, declared := range []string{`{Type: Number}`, `{Type: String, AllowedValues: [a]}`, `{Type: String, MaxLength: 1}`, `{Type: String, AllowedPattern: a}`} {
		tpl, err := template.Parse("t.yaml", []byte("Parameters:\n  P: "+declared+"\nResources: {R: {Type: X}}"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tpl.ResolveParameters(map[string]string{"P": "hunter2"}, nil); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", declared, err)
		}
	}
}
