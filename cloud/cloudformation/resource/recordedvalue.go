package resource

import (
	"encoding/json"
	"regexp"
	"strings"

	"ouro/regex"
	"ouro/spec"
)

// Attribute answers Fn::GetAtt: what the resource is known by, else, for
// recorded types, a property that is an attribute too.
func (k *Kind) Attribute(r *Request, attribute string) (any, bool) {
	if v, ok := r.Attributes[attribute]; ok {
		return v, true
	}
	if !k.Recorded {
		return dotted(r.Attributes, attribute)
	}
	if _, ok := k.spec.Attribute(attribute); !ok {
		return nil, false
	}
	if v, ok := dotted(r.Attributes, attribute); ok {
		return v, true
	}
	return dotted(r.Properties, attribute)
}

// ReplacesAt tells whether a change from was to now at a path of properties,
// map keys and list positions means a new resource; nil is nothing.
func (k *Kind) ReplacesAt(path []string, was, now any) spec.Replacement {
	switch {
	case len(path) == 0:
		return spec.ReplaceNever
	case !k.Recorded && k.Replaces(path[0]):
		return spec.ReplaceAlways
	case !k.Recorded, isScalar(was) && isScalar(now) && text(was) == text(now):
		return spec.ReplaceNever
	}
	return k.spec.ReplacesAt(path, was, now)
}

// coerceObject gives properties the types that the schema wants, as
// CloudFormation does for what templates write as text: "true", "80". What
// cannot be made to fit stays, for the validator to see.
func coerceObject(known []spec.Property, given map[string]any) map[string]any {
	out := make(map[string]any, len(given))
	for name, v := range given {
		if p := spec.Find(known, name); p != nil {
			v = coerce(p.Value, v)
		}
		out[name] = v
	}
	return out
}

var (
	integral = regex.New(`^-?[0-9]{1,18}$`)
	decimal  = regex.New(`^-?[0-9]{1,300}(\.[0-9]{1,300})?([eE][+-]?[0-9]{1,3})?$`)
)

func coerce(want spec.Value, v any) any {
	switch want.Kind {
	case spec.String, spec.Timestamp:
		if isScalar(v) {
			return text(v)
		}
	case spec.Integer:
		return number(integral(), v)
	case spec.Number:
		return number(decimal(), v)
	case spec.Boolean:
		switch strings.ToLower(text(v)) {
		case "true":
			return true
		case "false":
			return false
		}
	case spec.List:
		if items, ok := v.([]any); ok {
			out := make([]any, len(items))
			for i, item := range items {
				out[i] = coerce(*want.Element, item)
			}
			return out
		}
	case spec.Map:
		if m, ok := v.(map[string]any); ok {
			out := make(map[string]any, len(m))
			for name, item := range m {
				out[name] = coerce(*want.Element, item)
			}
			return out
		}
	case spec.Object:
		if m, ok := v.(map[string]any); ok {
			return coerceObject(want.Properties(), m)
		}
	case spec.Union:
		return coerceUnion(want, v)
	}
	return v
}

func number(form *regexp.Regexp, v any) any {
	if s, ok := v.(string); ok && form.MatchString(s) {
		return json.Number(s)
	}
	return v
}

// coerceUnion takes the first member that has a place for the value: any
// scalar for a scalar, an object for an object.
func coerceUnion(want spec.Value, v any) any {
	for _, one := range want.Any {
		fits := false
		switch v.(type) {
		case map[string]any:
			fits = one.Kind == spec.Object || one.Kind == spec.Map || one.Kind == spec.JSON
		case []any:
			fits = one.Kind == spec.List || one.Kind == spec.JSON
		default:
			if one.Kind <= spec.Timestamp {
				c := coerce(one, v)
				_, isText := c.(string)
				fits = isText == (one.Kind == spec.String || one.Kind == spec.Timestamp)
			}
		}
		if fits {
			return coerce(one, v)
		}
	}
	return v
}
