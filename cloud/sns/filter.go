package sns

import "ouro/cloud/pattern"

// Bounds on a filter policy. The depth is ours.
// https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
const (
	maxFilterKeys         = 5
	maxFilterCombinations = 150
	maxFilterDepth        = 32
)

func badFilter(format string, a ...any) error { return invalidf("FilterPolicy: "+format, a...) }

// compileFilter reads a filter policy. It is asked with the message as JSON:
// its body, or its attributes as an object.
func compileFilter(text string) (*pattern.Pattern, error) {
	policy, err := pattern.Decode(text)
	if err != nil {
		return nil, badFilter("failed to parse JSON. %v", err)
	}
	filter, err := pattern.Compile(policy, pattern.ByValue)
	switch {
	case err != nil:
		return nil, badFilter("%v", err)
	case filter.Size.Keys > maxFilterKeys:
		return nil, badFilter("Filter policy can not have more than %d keys", maxFilterKeys)
	case filter.Size.Combinations > maxFilterCombinations, filter.Size.Depth > maxFilterDepth:
		return nil, badFilter("Filter policy is too complex")
	}
	return filter, nil
}
