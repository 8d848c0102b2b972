package spec

import "strings"

// Attribute finds what Fn::GetAtt of the name answers. A name that leads on
// from an attribute with a dot finds what lies there: Endpoint.Address in an
// object, Outputs.Anything in a map.
func (t *Type) Attribute(name string) (Attribute, bool) {
	for i := range t.Attributes {
		a := &t.Attributes[i]
		if a.Name == name || a.Name == "*" {
			return Attribute{Name: name, Value: a.Value}, true
		}
		if rest, ok := strings.CutPrefix(name, a.Name+"."); ok {
			if v, ok := a.Value.within(rest); ok {
				return Attribute{Name: name, Value: v}, true
			}
		}
	}
	return Attribute{}, false
}

// within follows a path with dots into a value.
func (v Value) within(path string) (Value, bool) {
	if path == "" {
		return v, true
	}
	first, rest, _ := strings.Cut(path, ".")
	switch v.Kind {
	case JSON:
		return v, true
	case Map:
		return v.Element.within(rest)
	case Object:
		if p := Find(v.Properties(), first); p != nil {
			return p.Value.within(rest)
		}
	case Union:
		for _, one := range v.Any {
			if found, ok := one.within(path); ok {
				return found, true
			}
		}
	}
	return Value{}, false
}
