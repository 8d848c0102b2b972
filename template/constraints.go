package template

import (
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/dlclark/regexp2"
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
		if pattern, err = compilePattern(p.AllowedPattern); err != nil {
			return "!has an AllowedPattern that is not a regular expression which can be checked here: " + err.Error()
		}
	}
	for _, v := range values {
		if !pattern(v) {
			return "must match pattern " + p.AllowedPattern
		}
	}
	return ""
}

var javaPattern = strings.NewReplacer(
	`\\`, `\\`, // an escaped backslash begins no other escape
	`\Z`, `\z`,
	`\h`, `[ \t]`,
	`\R`, `(?:\r\n|[\n\r\x0b\x0c\x{85}\x{2028}\x{2029}])`,
	`\p{Alpha}`, `[[:alpha:]]`, `\p{Digit}`, `[[:digit:]]`, `\p{Alnum}`, `[[:alnum:]]`,
	`\p{Lower}`, `[[:lower:]]`, `\p{Upper}`, `[[:upper:]]`, `\p{Punct}`, `[[:punct:]]`,
	`\p{ASCII}`, `[[:ascii:]]`, `\p{Space}`, `[[:space:]]`, `\p{XDigit}`, `[[:xdigit:]]`,
)

// matcher tells whether a whole value matches an expression.
type matcher func(value string) bool

// patience bounds a match of an expression that RE2 does not have, whose work
// may grow exponentially with the value. What takes longer does not match.
const patience = 250 * time.Millisecond

// compilePattern reads a Java expression: with RE2, which is linear, where that
// has it; those with look-around and back-references with a library that tries.
func compilePattern(pattern string) (matcher, error) {
	for _, form := range []string{pattern, javaPattern.Replace(pattern)} {
		if re, err := regexp.Compile(`\A(?:` + form + `)\z`); err == nil {
			return re.MatchString, nil
		}
	}
	re, err := regexp2.Compile(`\A(?:`+pattern+`)\z`, regexp2.None)
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = patience
	return func(value string) bool {
		ok, err := re.MatchString(value)
		return ok && err == nil
	}, nil
}

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
