package stack

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestLeaves(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ before, after, want string }{
		"texts":          {`a`, `b`, `P: a → b`},
		"text and map":   {`a`, `{"A":1}`, `P: a → {"A":1}`},
		"member":         {`{"A":{"B":"x"},"C":1}`, `{"A":{"B":"y"},"C":1}`, `P/A/B: x → y`},
		"new member":     {`{"A":1}`, `{"A":1,"B":[2]}`, `P/B: - → [2]`},
		"gone member":    {`{"A":1}`, `{}`, `P/A: 1 → -`},
		"kinds":          {`{"A":[1]}`, `{"A":"[1]"}`, `P/A: [1] → [1]`},
		"item put in":    {`["a","c"]`, `["a","b","c"]`, `P/1: - → b`},
		"item taken out": {`["a","b","c"]`, `["a","c"]`, `P/1: b → -`},
		"items changed":  {`[{"N":1},{"N":2},3]`, `[{"N":1},{"N":5},3]`, `P/1/N: 2 → 5`},
		"no json":        {`{"A"`, `{"B"`, `P: {"A" → {"B"`},
	}
	show := func(s *string) string {
		if s == nil {
			return "-"
		}
		return *s
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, p := range (Property{Path: "P", Before: aws.String(test.before), After: aws.String(test.after)}).leaves() {
				got = append(got, p.Path+": "+show(p.Before)+" → "+show(p.After))
			}
			if text := strings.Join(got, "; "); text != test.want {
				t.Errorf("got %s, want %s", text, test.want)
			}
		})
	}
}
