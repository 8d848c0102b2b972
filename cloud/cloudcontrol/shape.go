package cloudcontrol

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"ouro/cloud/door"
	"ouro/spec"
)

// shape makes up what only the service knows of a resource: a name where none
// was given, the identifier, and the attributes. All of it depends on nothing
// but the seed, the time of creation, and the properties.
func shape(t *spec.Type, caller door.Caller, r *resource) {
	m := &maker{t: t, caller: caller, r: r}
	if name := t.NameProperty(); name != "" {
		if m.name = scalar(r.Properties[name]); m.name == "" {
			m.name = strings.ToLower(m.last()) + "-" + m.variable("low12")
			r.Properties[name] = m.name
		}
	}
	r.Attributes = document{}
	for _, a := range t.Attributes {
		m.attribute(a)
	}
	parts := make([]string, len(t.Identifier))
	for i, name := range t.Identifier {
		if parts[i] = m.known(name); parts[i] == "" && spec.Find(t.Properties, name) == nil && !strings.Contains(name, "/") {
			parts[i] = m.id()
			r.Attributes[name] = parts[i]
		}
	}
	if last := len(parts) - 1; last >= 0 && strings.Join(parts, "") == "" { // the service has to choose
		parts[last] = m.id()
		r.Properties[t.Identifier[last]] = parts[last]
	}
	if r.Identifier = strings.Join(parts, "|"); r.Identifier == "" {
		r.Identifier = m.id()
	}
}

// maker makes up the values of one resource.
type maker struct {
	t      *spec.Type
	caller door.Caller
	r      *resource
	name   string // "" for types that have no name
	salt   string // makes digits others than those of the identifier
}

// last is the last part of the type's name.
func (m *maker) last() string { return m.t.Name[strings.LastIndex(m.t.Name, ":")+1:] }

// known is a property or attribute as text; a slash leads into an object.
func (m *maker) known(path string) string {
	for _, values := range []map[string]any{m.r.Properties, m.r.Attributes} {
		var v any = values
		for part := range strings.SplitSeq(path, "/") {
			inner, _ := v.(map[string]any)
			v = inner[part]
		}
		if s := scalar(v); s != "" {
			return s
		}
	}
	return ""
}

// attribute sets an attribute. One inside a property that was not given does
// not exist, unless the service alone fills it; and neither does one of a
// feature that is off.
func (m *maker) attribute(a spec.Attribute) {
	path := strings.Split(a.Name, ".")
	at := map[string]any(m.r.Attributes)
	if needs, ok := features[m.t.Name+"/"+a.Name]; ok && m.r.Properties[needs] == nil || a.Name == "*" {
		return
	}
	if p := spec.Find(m.t.Properties, path[0]); p != nil && !slices.Contains(picked, a.Name) && !m.served(p) {
		if inner, ok := m.r.Properties[path[0]].(map[string]any); !ok || len(path) == 1 || len(path) == 2 && inner[path[1]] != nil {
			return
		}
	}
	for _, step := range path[:len(path)-1] {
		inner, ok := at[step].(map[string]any)
		if !ok {
			inner = map[string]any{}
			at[step] = inner
		}
		at = inner
	}
	last := path[len(path)-1]
	if m.r.Properties[a.Name] != nil {
		return
	}
	if v := m.value(a.Name, a.Value, 0); v != nil && at[last] == nil {
		at[last] = v
	}
}

// served tells whether a property holds nothing but attributes, as a cluster's
// Endpoint does.
func (m *maker) served(p *spec.Property) bool {
	return p.Value.Kind == spec.Object && !slices.ContainsFunc(p.Value.Properties(), func(inner spec.Property) bool {
		return !slices.ContainsFunc(m.t.Attributes, func(a spec.Attribute) bool { return a.Name == p.Name+"."+inner.Name })
	})
}

// maxDepth is how deep made-up objects go: some types hold themselves.
const maxDepth = 3

// value makes up a value by its kind and name.
func (m *maker) value(name string, v spec.Value, depth int) any {
	switch v.Kind {
	case spec.String:
		return m.text(name, v)
	case spec.Timestamp:
		return m.r.Created.Format(time.RFC3339)
	case spec.Integer, spec.Number:
		return m.number(name)
	case spec.Boolean:
		return false
	case spec.List:
		return m.list(name, *v.Element)
	case spec.Map:
		return map[string]any{}
	case spec.Object:
		if depth == maxDepth {
			return nil
		}
		object := map[string]any{}
		for _, p := range v.Properties() {
			if inner := m.value(name+"."+p.Name, p.Value, depth+1); inner != nil {
				object[p.Name] = inner
			}
		}
		return object
	}
	return nil
}

// text makes up a string: as the table of shapes says, else by the end of its name.
func (m *maker) text(name string, v spec.Value) string {
	if pattern, ok := shapes[m.t.Name+"/"+name]; ok {
		return m.fill(pattern)
	}
	last := name[strings.LastIndex(name, ".")+1:]
	switch {
	case v.Allowed != nil:
		return good(v.Allowed)
	case last == name && (m.t.Calls(name, "Arn") || strings.EqualFold(name, "Arn") || m.identifies(name, "Arn")):
		return m.arn()
	case last == name && (m.t.Calls(name, "Id") || m.identifies(name, "Id")):
		return m.id()
	case last == name && m.t.Calls(name, "Name") && m.name != "":
		return m.name
	}
	for _, e := range endings {
		if strings.HasSuffix(strings.ToLower(last), e.end) {
			other := *m
			other.salt = name
			return other.fill(e.pattern)
		}
	}
	if strings.HasSuffix(strings.ToLower(last), "arn") {
		return m.fill(m.prefix() + strings.ToLower(last[:len(last)-3]) + "/${own}")
	}
	return m.own()
}

// identifies tells whether the attribute is part of the identifier and ends so.
func (m *maker) identifies(name, suffix string) bool {
	return slices.Contains(m.t.Identifier, name) && strings.HasSuffix(strings.ToLower(name), strings.ToLower(suffix))
}

func good(allowed []string) string {
	for _, want := range goodStates {
		for _, a := range allowed {
			if strings.EqualFold(a, want) {
				return a
			}
		}
	}
	return allowed[0]
}

func (m *maker) number(name string) json.Number {
	switch {
	case strings.HasSuffix(name, "Port"):
		return json.Number(m.variable("port"))
	case strings.Contains(name, "Version"):
		return "1"
	}
	return "0"
}

// list makes up a list of texts whose members have a shape of their own; others
// are empty. Templates take members out of them: Fn::Select fails on none.
func (m *maker) list(name string, element spec.Value) []any {
	if strings.HasSuffix(name, "NameServers") {
		return m.nameServers()
	}
	out := []any{}
	if element.Kind != spec.String {
		return out
	}
	if pattern, ok := shapes[m.t.Name+"/"+name]; ok {
		return append(out, m.fill(pattern))
	}
	for _, e := range members {
		if !strings.HasSuffix(strings.ToLower(name), e.end) {
			continue
		}
		for _, salt := range []string{name + "/1", name + "/2"} {
			other := *m
			other.salt = salt
			out = append(out, other.fill(e.pattern))
		}
		break
	}
	return out
}

func (m *maker) nameServers() []any {
	var out []any
	for i, domain := range []string{"com", "net", "org", "co.uk"} {
		n := strconv.Itoa(i)
		out = append(out, "ns-"+n+m.variable("num3")+".awsdns-"+n+m.variable("num1")+"."+domain)
	}
	return out
}

// id is the identifier that the service gives the resource.
func (m *maker) id() string {
	if pattern, ok := ids[m.t.Name]; ok {
		return m.fill(pattern)
	}
	return m.variable("uuid")
}

// own is what the resource goes by in ARNs and addresses.
func (m *maker) own() string {
	if m.name != "" {
		return m.name
	}
	if len(m.t.Identifier) > 0 {
		if p := spec.Find(m.t.Properties, m.t.Identifier[len(m.t.Identifier)-1]); p != nil {
			if s := scalar(m.r.Properties[p.Name]); s != "" {
				return s
			}
		}
	}
	return m.id()
}

func (m *maker) arn() string {
	switch pattern, ok := arns[m.t.Name]; {
	case ok:
		return m.fill(pattern)
	case m.t.ARN != "":
		return m.fill(m.t.ARN)
	}
	last := m.last()
	return m.fill(m.prefix() + strings.ToLower(last[:1]) + last[1:] + "/${own}")
}

// prefix begins the ARNs of the type's service.
func (m *maker) prefix() string {
	service := strings.ToLower(strings.Split(m.t.Name, "::")[1])
	if s, ok := arnServices[service]; ok {
		service = s
	}
	return "arn:${Partition}:" + service + ":${Region}:${Account}:"
}

func (m *maker) fill(pattern string) string { return os.Expand(pattern, m.variable) }

// variable is the value of a variable of a pattern: one of ours, a property of
// that name, or what the resource goes by.
func (m *maker) variable(name string) string {
	switch name {
	case "id":
		return m.id()
	case "own":
		return m.own()
	case "arn":
		return m.arn()
	}
	if f, ok := variables[name]; ok {
		return f(m)
	}
	if s, ok := m.digits(name); ok {
		return s
	}
	for property, v := range m.r.Properties {
		if s := scalar(v); s != "" && strings.EqualFold(property, name) {
			return tail(s)
		}
	}
	return m.own()
}

// tail is the name in an ARN; any other text as it is.
func tail(s string) string {
	if !strings.HasPrefix(s, "arn:") {
		return s
	}
	return s[strings.LastIndexAny(s, ":/")+1:]
}

var alphabets = map[string]string{
	"hex": "0123456789abcdef", "num": "0123456789", "low": "abcdefghijklmnopqrstuvwxyz0123456789", "up": "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
}

// digits makes hex16, low10 and the like.
func (m *maker) digits(name string) (string, bool) {
	kind := strings.TrimRight(name, "0123456789")
	letters, ok := alphabets[kind]
	n, err := strconv.Atoi(name[len(kind):])
	if !ok || err != nil {
		return "", false
	}
	b := make([]byte, 0, n)
	for round := 0; len(b) < n; round++ {
		sum := digest(m.r.Seed + "/" + m.salt + "/" + name + "/" + strconv.Itoa(round))
		for i := 0; i+2 <= len(sum) && len(b) < n; i += 2 {
			v, _ := strconv.ParseUint(sum[i:i+2], 16, 8) // a digest is hexadecimal
			b = append(b, letters[int(v)%len(letters)])
		}
	}
	return string(b), true
}
