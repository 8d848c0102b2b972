package regex_test

import (
	"strings"
	"testing"

	"ouro/regex"
)

func TestJava(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"a|ab", "ab", true},
		{"ab", "abc", false},
		{`\p{Alpha}+\h\R\Z`, "abc \r\n", true},
		{`\\h`, `\h`, true},
		{"(?=a).*", "abc", true},
		{"(?!aws).*", "awsome", false},
		{`(a)\1`, "aa", true},
		{"[]a&]+", "a]&", true},
		{`[^]]+`, "ab", true},
		{`[\[a]+`, "[a", true},
		{`\Q[[&&\E]`, "[[&&]", true},
		{"(?<year>[0-9]{4})-[0-9]{2}", "2026-11", true},
	} {
		matches, err := regex.Java(test.pattern)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		if got, err := matches(test.text); got != test.want || err != nil {
			t.Errorf("%s on %q: %v, %v", test.pattern, test.text, got, err)
		}
	}
	for _, pattern := range []string{"[a-z&&[^b]]", "[a[bc]]", "[[:alpha:]]", "a++b", "("} {
		if _, err := regex.Java(pattern); err == nil {
			t.Errorf("%s is taken", pattern)
		}
	}
	matches, err := regex.Java(`(?=a)((a+)+)+b`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := matches(strings.Repeat("a", 60)); err == nil {
		t.Error("a match that takes for ever ends without an error")
	}
}
