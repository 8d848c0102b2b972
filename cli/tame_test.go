package cli

import "testing"

func TestTame(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain, ünïcode 漢":             "plain, ünïcode 漢",
		"\x1b[31mred\x1b[0m\tand\n":    "\x1b[31mred\x1b[0m\tand\n",
		"title\x1b]0;owned\x07 end":    "title end",
		"up\x1b[2A\x1b[2K\rover":       "upover",
		"copy\x1b]52;c;ZXZpbA==\x1b\\": "copy",
		"c1\u009b2Jcsi":                "c12Jcsi",
		"bidi\u202etxt\b":              "biditxt",
	} {
		if got := tame(in); got != want {
			t.Errorf("tame(%q) = %q, want %q", in, got, want)
		}
	}
}
