package template

import (
	"math/big"
	"slices"
	"strings"
	"unicode/utf16"

	"ouro/regex"
)

// Validate checks a value against the parameter's type and constraints. For
// AWS::SSM::Parameter::Value<…> types the value is the Systems Manager
// parameter's name, which is what CloudFormation holds against the
// constraints. The error is a *ParameterError.
func (p Parameter) Validate(value string) error {
	complaint := p.complaint(value)
	if complaint == "" || later(value) {
		return nil
	}
	if p.ConstraintDescription != "" && !strings.HasPrefix(complaint, "!") {
		return &ParameterError{Message: "Parameter " + p.Name + " failed to satisfy constraint: " + p.ConstraintDescription}
	}
	return &ParameterError{Message: "Parameter '" + p.Name + "' " + strings.TrimPrefix(complaint, "!")}
}

// complaint is the end of CloudFormation's sentence, "" when all is well. A
// leading ! marks one that no ConstraintDescription replaces.
func (p Parameter) complaint(value string) string {
	values := []string{value}
	if _, ssm := p.SSM(); p.IsList() && !ssm {
		values = splitList(value)
	}
	if len(p.AllowedValues) > 0 {
		for _, v := range values {
			if !slices.Contains(p.AllowedValues, v) {
				return "must be one of AllowedValues"
			}
		}
	}
	for _, check := range []func([]string) string{p.checkPattern, p.checkNumbers} {
		if complaint := check(values); complaint != "" {
			return complaint
		}
	}
	return p.checkLength(value)
}

func (p Parameter) checkPattern(values []string) string {
	if p.AllowedPattern == "" {
		return ""
	}
	pattern := p.pattern
	if pattern == nil {
		var err error
		if pattern, err = regex.Java(p.AllowedPattern); err != nil {
			return "!has an AllowedPattern that is not a regular expression which can be checked here: " + err.Error()
		}
	}
	for _, v := range values {
		if ok, err := pattern(v); !ok || err != nil { // what takes too long does not match
			return "must match pattern " + p.AllowedPattern
		}
	}
	return ""
}

// matcher tells whether a whole value matches an expression.
type matcher func(value string) (bool, error)

func (p Parameter) checkLength(value string) string {
	if p.MinLength == "" && p.MaxLength == "" || p.IsList() {
		return ""
	}
	length := new(big.Rat).SetInt64(int64(len(utf16.Encode([]rune(value))))) // Java counts UTF-16 units
	if least, ok := bound(p.MinLength); ok && length.Cmp(least) < 0 {
		return "must contain at least " + p.MinLength + " characters"
	}
	if most, ok := bound(p.MaxLength); ok && length.Cmp(most) > 0 {
		return "must contain at most " + p.MaxLength + " characters"
	}
	return ""
}

func (p Parameter) checkNumbers(values []string) string {
	if p.Type != "Number" && p.Type != "List<Number>" {
		return ""
	}
	for _, v := range values {
		number, ok := bound(strings.TrimSpace(v))
		if !ok {
			return "must be a number"
		}
		if least, ok := bound(p.MinValue); ok && number.Cmp(least) < 0 {
			return "must be a number not less than " + p.MinValue
		}
		if most, ok := bound(p.MaxValue); ok && number.Cmp(most) > 0 {
			return "must be a number not greater than " + p.MaxValue
		}
	}
	return ""
}

// bound reads a decimal number exactly. Long exponents, which would take
// memory without limit, are no numbers.
func bound(text string) (*big.Rat, bool) {
	if text == "" || len(text) > 64 || strings.Trim(text, "0123456789+-.eE") != "" {
		return nil, false
	}
	if at := strings.IndexAny(text, "eE"); at >= 0 && len(text)-at > 5 {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}
