package policy

import (
	"strings"
)

// operators are the tests that Holds knows, on one wanted and one given value.
var operators = map[string]func(wanted, given string) bool{
	"StringEquals":           func(w, g string) bool { return w == g },
	"StringEqualsIgnoreCase": strings.EqualFold,
	"StringLike":             Like,
	"ArnEquals":              Like, // the two are the same to AWS
	"ArnLike":                Like,
	"Bool":                   strings.EqualFold,
}

// negated are the operators that hold when the other does not.
var negated = map[string]string{
	"StringNotEquals":           "StringEquals",
	"StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
	"StringNotLike":             "StringLike",
	"ArnNotEquals":              "ArnEquals",
	"ArnNotLike":                "ArnLike",
}

// Holds evaluates the condition on what values gives for its key. known is
// false when the condition cannot be judged: its operator is none of those of
// strings, ARNs and booleans, or values does not know the key. A key that is
// known and has no value is absent from the request.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func (c Condition) Holds(values func(key string) (given []string, known bool)) (holds, known bool) {
	operator, quantifier := c.Operator, ""
	if before, after, ok := strings.Cut(operator, ":"); ok {
		quantifier, operator = before, after
	}
	operator, ifExists := strings.CutSuffix(operator, "IfExists")
	given, known := values(strings.ToLower(c.Key))
	if !known {
		return false, false
	}
	if operator == "Null" {
		return len(c.Values) == 1 && strings.EqualFold(c.Values[0], "true") == (len(given) == 0), true
	}
	positive, isNegated := negated[operator]
	if !isNegated {
		positive = operator
	}
	test, ok := operators[positive]
	switch {
	case !ok:
		return false, false
	case len(given) == 0:
		return ifExists || isNegated || quantifier == "ForAllValues", true
	case quantifier == "ForAllValues":
		for _, g := range given {
			if c.among(test, g) == isNegated {
				return false, true
			}
		}
		return true, true
	}
	for _, g := range given {
		if c.among(test, g) != isNegated {
			return true, true
		}
	}
	return false, true
}

func (c Condition) among(test func(wanted, given string) bool, given string) bool {
	for _, wanted := range c.Values {
		if test(wanted, given) {
			return true
		}
	}
	return false
}
