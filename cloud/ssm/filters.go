package ssm

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// filter asks one thing of a parameter; several values are alternatives.
type filter struct {
	key, option string
	values      []string
}

type filters []filter

// filterKeys gives for each key the options that it takes, the default first,
// and what it looks at. Path and Label are looked at elsewhere.
var filterKeys = map[string]struct {
	options []string
	of      func(parameter) string
}{
	"Name":     {[]string{"Equals", "BeginsWith", "Contains"}, func(p parameter) string { return p.Name }},
	"Type":     {[]string{"Equals", "BeginsWith"}, func(p parameter) string { return string(p.Now.Type) }},
	"KeyId":    {[]string{"Equals", "BeginsWith"}, func(p parameter) string { return p.Now.KeyID }},
	"Tier":     {[]string{"Equals"}, func(p parameter) string { return string(p.Now.Tier) }},
	"DataType": {[]string{"Equals"}, func(p parameter) string { return p.Now.DataType }},
	"Path":     {[]string{"OneLevel", "Recursive"}, nil},
	"Label":    {[]string{"Equals"}, nil},
}

// compileFilters checks filters against the keys that an operation takes.
func compileFilters(in []types.ParameterStringFilter, keys ...string) (filters, error) {
	var all filters
	for _, f := range in {
		one := filter{aws.ToString(f.Key), aws.ToString(f.Option), f.Values}
		kind, tag := filterKeys[one.key], strings.HasPrefix(one.key, "tag:")
		if tag {
			kind.options = []string{"Equals", "BeginsWith"}
		}
		if !slices.Contains(keys, one.key) && (!tag || !slices.Contains(keys, "tag")) {
			return nil, &types.InvalidFilterKey{Message: aws.String("The following filter key is not valid: " + one.key + ". Valid filter keys include: [" + strings.Join(keys, ", ") + "].")}
		}
		if one.option == "" {
			one.option = kind.options[0]
		}
		if !slices.Contains(kind.options, one.option) {
			return nil, &types.InvalidFilterOption{Message: aws.String("The following filter option is not valid: " + one.option + ". Valid options include: [" + strings.Join(kind.options, ", ") + "].")}
		}
		if len(one.values) == 0 && !tag {
			return nil, &types.InvalidFilterValue{Message: aws.String("The following filter values are missing : null for filter key " + one.key + ".")}
		}
		all = append(all, one)
	}
	return all, nil
}

func (fs filters) accept(p parameter) bool {
	for _, f := range fs {
		if !f.accept(p) {
			return false
		}
	}
	return true
}

func (f filter) accept(p parameter) bool {
	if f.key == "Label" {
		return true
	}
	if f.key == "Path" {
		return slices.ContainsFunc(f.values, func(path string) bool { return under(path, p.Name, f.option == "Recursive") })
	}
	value := ""
	if key, ok := strings.CutPrefix(f.key, "tag:"); ok {
		tag, has := p.Tags[key]
		if !has || len(f.values) == 0 {
			return has
		}
		value = tag
	} else {
		value = filterKeys[f.key].of(p)
	}
	return slices.ContainsFunc(f.values, func(want string) bool { return holds(f.option, value, want) })
}

// holds compares; names match with and without their leading slash.
func holds(option, value, want string) bool {
	switch option {
	case "BeginsWith":
		return strings.HasPrefix(value, want) || strings.HasPrefix(value, "/"+want)
	case "Contains":
		return strings.Contains(value, want)
	}
	return value == want
}

// label is the label that a filter asks for.
func (fs filters) label() string {
	for _, f := range fs {
		if f.key == "Label" {
			return f.values[0]
		}
	}
	return ""
}

// legacyFilters are the older form of filters as the newer.
func legacyFilters(in []types.ParametersFilter) []types.ParameterStringFilter {
	var out []types.ParameterStringFilter
	for _, f := range in {
		out = append(out, types.ParameterStringFilter{Key: aws.String(string(f.Key)), Option: aws.String("BeginsWith"), Values: f.Values})
	}
	return out
}
