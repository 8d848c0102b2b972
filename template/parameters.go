package template

import (
	"fmt"
	"slices"
	"strings"
)

// ParameterError is a set of parameter values that CloudFormation refuses;
// Message is what it says. Values are never in it, as they may be secret.
type ParameterError struct {
	Message string
	Err     error // of the Systems Manager look-up, when that failed
}

func (e *ParameterError) Error() string { return e.Message }

func (e *ParameterError) Unwrap() error { return e.Err }

// ResolveParameters gives every declared parameter its value: a string, or a
// []string for list types. given holds the values as text, lists separated by
// commas. ssm fetches the value behind AWS::SSM::Parameter::Value<…> types; its
// name may carry a version (name:3). The error is a *ParameterError.
func (t *Template) ResolveParameters(given map[string]string, ssm func(name string) (string, error)) (map[string]any, error) {
	declared := t.Parameters()
	if err := unknownParameters(declared, given); err != nil {
		return nil, err
	}
	var missing []string
	texts := make(map[string]string, len(declared))
	for _, p := range declared {
		text, ok := given[p.Name]
		if !ok && p.Default != nil {
			text, ok = *p.Default, true
		}
		if !ok {
			missing = append(missing, p.Name)
		}
		texts[p.Name] = text
	}
	if len(missing) > 0 {
		return nil, &ParameterError{Message: "Parameters: [" + strings.Join(missing, ", ") + "] must have values"}
	}
	for _, p := range declared {
		if len(texts[p.Name]) > maxParameter {
			return nil, &ParameterError{Message: fmt.Sprintf("Parameter '%s' must contain at most %d bytes", p.Name, maxParameter)}
		}
		if err := p.Validate(texts[p.Name]); err != nil {
			return nil, err
		}
	}
	if err := fetchParameters(declared, texts, ssm); err != nil {
		return nil, err
	}
	out := make(map[string]any, len(declared))
	for _, p := range declared {
		out[p.Name] = p.value(texts[p.Name])
	}
	return out, nil
}

func unknownParameters(declared []Parameter, given map[string]string) error {
	var unknown []string
	for name := range given {
		if !slices.ContainsFunc(declared, func(p Parameter) bool { return p.Name == name }) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return &ParameterError{Message: "Parameters: [" + strings.Join(unknown, ", ") + "] do not exist in the template"}
}

// fetchParameters puts the values of Systems Manager parameters in the place
// of their names.
func fetchParameters(declared []Parameter, texts map[string]string, ssm func(string) (string, error)) error {
	var failed []string
	var cause error
	for _, p := range declared {
		if _, ok := p.SSM(); !ok {
			continue
		}
		name := texts[p.Name]
		if ssm == nil {
			failed = append(failed, name)
			continue
		}
		value, err := ssm(name)
		if err != nil {
			failed, cause = append(failed, name), err
			continue
		}
		texts[p.Name] = value
	}
	if len(failed) == 0 {
		return nil
	}
	return &ParameterError{
		Message: "Unable to fetch parameters [" + strings.Join(failed, ",") + "] from parameter store for this account.",
		Err:     cause,
	}
}

const ssmValue = "AWS::SSM::Parameter::Value<"

// SSM gives the type of the value behind an AWS::SSM::Parameter::Value<…>
// parameter; ok is false for all other types.
func (p Parameter) SSM() (inner string, ok bool) {
	inner, ok = strings.CutPrefix(p.Type, ssmValue)
	return strings.TrimSuffix(inner, ">"), ok
}

// IsList tells whether the parameter's value is a list.
func (p Parameter) IsList() bool {
	kind := p.Type
	if inner, ok := p.SSM(); ok {
		kind = inner
	}
	return kind == "CommaDelimitedList" || strings.HasPrefix(kind, "List<")
}

// value splits the texts of lists. An empty text is a list of one empty item,
// as Fn::Select [0, …] on such a parameter gives "".
func (p Parameter) value(text string) any {
	if !p.IsList() {
		return text
	}
	return splitList(text)
}

func splitList(text string) []string {
	items := strings.Split(text, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return items
}
