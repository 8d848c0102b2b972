package cloudcontrol

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"ouro/spec"
)

// check holds properties against their type, and complains in the words of the
// validator that AWS's registry uses, a line for each violation.
func check(t *spec.Type, properties map[string]any) error {
	v := &validator{}
	v.properties(&place{step: "#"}, t.Properties, properties)
	return v.err()
}

// checkChange is check for properties whose secrets were given before.
func checkChange(t *spec.Type, properties map[string]any) error {
	v := &validator{lenient: true}
	v.properties(&place{step: "#"}, t.Properties, properties)
	return v.err()
}

// maxViolations is how many are told of.
const maxViolations = 20

// place is where a value stands. It is written out only when there is something
// to say of it.
type place struct {
	in   *place
	step string
}

func (p *place) String() string {
	if p.in == nil {
		return p.step
	}
	return p.in.String() + "/" + p.step
}

func (p *place) at(step string) *place { return &place{p, step} }

type validator struct {
	lenient bool // secrets may be missing
	found   []string
}

func (v *validator) err() error {
	if len(v.found) == 0 {
		return nil
	}
	return validation("Model validation failed (%s)", strings.Join(v.found, "\n"))
}

func (v *validator) add(path *place, format string, args ...any) {
	if len(v.found) < maxViolations {
		v.found = append(v.found, path.String()+": "+fmt.Sprintf(format, args...))
	}
}

func (v *validator) properties(path *place, known []spec.Property, given map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		p := spec.Find(known, name)
		if p == nil {
			v.add(path, "extraneous key [%s] is not permitted", name)
			continue
		}
		v.value(path.at(name), p.Value, given[name])
	}
	for i := range known {
		p := &known[i]
		if _, ok := given[p.Name]; !ok && p.Required && !(v.lenient && isSecret(p.Name, "")) {
			v.add(path, "required key [%s] not found", p.Name)
		}
	}
}

// wanted are the names of the JSON types that a value may have.
var wanted = map[spec.Kind][]string{
	spec.String: {"String"}, spec.Timestamp: {"String"}, spec.Number: {"Integer", "Number"}, spec.Integer: {"Integer"},
	spec.Boolean: {"Boolean"}, spec.List: {"JSONArray"}, spec.Map: {"JSONObject"}, spec.Object: {"JSONObject"},
}

func (v *validator) value(path *place, want spec.Value, x any) {
	if want.Kind == spec.JSON {
		return
	}
	if want.Kind == spec.Union {
		v.union(path, want, x)
		return
	}
	if found := jsonType(x); !slices.Contains(wanted[want.Kind], found) {
		names := wanted[want.Kind]
		v.add(path, "expected type: %s, found: %s", names[len(names)-1], found)
		return
	}
	switch want.Kind {
	case spec.Object:
		v.properties(path, want.Properties(), x.(map[string]any))
	case spec.Map:
		m := x.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(m)) {
			v.value(path.at(name), *want.Element, m[name])
		}
	case spec.List:
		for i, one := range x.([]any) {
			v.value(path.at(strconv.Itoa(i)), *want.Element, one)
		}
	default:
		if want.Allowed != nil && !slices.Contains(want.Allowed, scalar(x)) {
			v.add(path, "failed validation constraint for keyword [enum]")
		}
	}
}

// union is content if one of the values is. With one that has the right type,
// its complaints say more than that none is content.
func (v *validator) union(path *place, want spec.Value, x any) {
	var close []string
	for _, one := range want.Any {
		inner := &validator{lenient: v.lenient}
		inner.value(path, one, x)
		if len(inner.found) == 0 {
			return
		}
		if !strings.HasPrefix(inner.found[0], path.String()+": expected type") {
			close = inner.found
		}
	}
	if close != nil {
		v.found = append(v.found, close[:min(len(close), maxViolations-len(v.found))]...)
		return
	}
	v.add(path, "#: no subschema matched out of the total %d subschemas", len(want.Any))
}

// jsonType is the name of a JSON type in the validator's messages.
func jsonType(x any) string {
	switch x := x.(type) {
	case string:
		return "String"
	case bool:
		return "Boolean"
	case json.Number:
		if strings.ContainsAny(x.String(), ".eE") {
			return "Number"
		}
		return "Integer"
	case []any:
		return "JSONArray"
	case map[string]any:
		return "JSONObject"
	}
	return "Null"
}
