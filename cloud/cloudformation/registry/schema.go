package registry

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"ouro/spec"
)

// schemaOf writes a type as a resource provider's schema
// (https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html).
func schemaOf(t *spec.Type) (string, error) {
	w := &schemaWriter{names: map[*spec.Property]string{}, definitions: map[string]any{}}
	properties := w.properties(t.Properties)
	var readOnly []string
	for _, a := range t.Attributes {
		if spec.Find(t.Properties, a.Name) == nil && a.Name != "*" {
			readOnly = append(readOnly, pointer(a.Name))
			if !strings.Contains(a.Name, ".") {
				properties[a.Name] = w.value(a.Value, a.Name)
			}
		}
	}
	s := map[string]any{
		"typeName": t.Name, "properties": properties, "additionalProperties": false,
		"tagging": map[string]any{"taggable": t.TagProperty != ""},
	}
	for key, list := range map[string][]string{
		"required": required(t.Properties), "readOnlyProperties": readOnly, "primaryIdentifier": pointers(t.Identifier),
		"createOnlyProperties": replacing(t.Properties, spec.ReplaceAlways), "conditionalCreateOnlyProperties": replacing(t.Properties, spec.ReplaceMaybe),
	} {
		if len(list) > 0 {
			s[key] = list
		}
	}
	if len(w.definitions) > 0 {
		s["definitions"] = w.definitions
	}
	b, err := json.Marshal(s)
	return string(b), err
}

// schemaWriter gives each object a definition. The table knows objects without
// names, so a definition is called as the property that leads to it first.
type schemaWriter struct {
	names       map[*spec.Property]string // by the object's first property, which is shared
	definitions map[string]any
}

func (w *schemaWriter) properties(list []spec.Property) map[string]any {
	out := make(map[string]any, len(list))
	for _, p := range list {
		out[p.Name] = w.value(p.Value, p.Name)
	}
	return out
}

// plain are the JSON types of values without parts.
var plain = map[spec.Kind]any{
	spec.String: "string", spec.Number: "number", spec.Integer: "integer", spec.Boolean: "boolean", spec.Timestamp: "string",
	spec.JSON: []string{"object", "string"},
}

func (w *schemaWriter) value(v spec.Value, name string) map[string]any {
	switch v.Kind {
	case spec.List:
		return map[string]any{"type": "array", "items": w.value(*v.Element, name)}
	case spec.Map:
		return map[string]any{"type": "object", "additionalProperties": false, "patternProperties": map[string]any{".*": w.value(*v.Element, name)}}
	case spec.Union:
		kinds := make([]map[string]any, len(v.Any))
		for i, a := range v.Any {
			kinds[i] = w.value(a, name)
		}
		return map[string]any{"anyOf": kinds}
	case spec.Object:
		return w.object(v, name)
	}
	out := map[string]any{"type": plain[v.Kind]}
	if len(v.Allowed) > 0 {
		out["enum"] = v.Allowed
	}
	return out
}

func (w *schemaWriter) object(v spec.Value, name string) map[string]any {
	list := v.Properties()
	if len(list) == 0 {
		return map[string]any{"type": "object"}
	}
	known, ok := w.names[&list[0]]
	if !ok {
		known = name
		for n := 2; w.definitions[known] != nil; n++ {
			known = name + strconv.Itoa(n)
		}
		w.names[&list[0]] = known
		d := map[string]any{"type": "object", "additionalProperties": false}
		w.definitions[known] = d // before its properties, which may hold it
		d["properties"] = w.properties(list)
		if r := required(list); len(r) > 0 {
			d["required"] = r
		}
	}
	return map[string]any{"$ref": "#/definitions/" + known}
}

func required(list []spec.Property) (names []string) {
	for _, p := range list {
		if p.Required {
			names = append(names, p.Name)
		}
	}
	return names
}

func replacing(list []spec.Property, how spec.Replacement) (names []string) {
	for _, p := range list {
		if p.Replace == how {
			names = append(names, pointer(p.Name))
		}
	}
	return names
}

func pointer(name string) string { return "/properties/" + strings.ReplaceAll(name, ".", "/") }

func pointers(names []string) []string {
	out := slices.Clone(names)
	for i, n := range out {
		out[i] = pointer(n)
	}
	return out
}
