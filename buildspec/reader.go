package buildspec

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// reader walks YAML nodes. Its methods that return a field make the setters
// of the tables in which each section lists its keys.
type reader struct {
	file   string
	merges int // depth of merge keys, which may refer to themselves
}

// field reads the value n of the key node k.
type field func(k, n *yaml.Node) error

// fields says what reads each key of a map.
type fields map[string]field

// Variable is a name and its value as written.
type Variable struct {
	Name, Value string
	Pos         Pos
}

func (r *reader) pos(n *yaml.Node) Pos {
	if n == nil {
		return Pos{File: r.file, Line: 1, Column: 1}
	}
	return Pos{File: r.file, Line: n.Line, Column: n.Column}
}

func (r *reader) errorf(n *yaml.Node, format string, args ...any) error {
	return &Error{Pos: r.pos(n), Message: fmt.Sprintf(format, args...)}
}

// resolve follows an alias to what it stands for.
func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// lookup is the value under key in the map n, or nil.
func lookup(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return resolve(n.Content[i+1])
		}
	}
	return nil
}

// title writes a key as CodeBuild's messages do: runtime-versions is
// RuntimeVersions.
func title(key string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(key, func(c rune) bool { return c == '-' || c == '_' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

var kindNames = map[yaml.Kind]string{yaml.MappingNode: "map", yaml.SequenceNode: "list", yaml.ScalarNode: "string"}

// kind checks that n, the value of key, is of the kind wanted.
func (r *reader) kind(n *yaml.Node, key string, want yaml.Kind) error {
	if n.Kind == want {
		return nil
	}
	found := kindNames[n.Kind]
	if n.Kind == yaml.MappingNode && want == yaml.ScalarNode {
		// A command with an unquoted colon in it is the usual reason.
		return r.errorf(n, "Expected %s to be of string type: found subkeys instead at line %d; a text with a colon and a space in it needs quotes", title(key), n.Line)
	}
	return r.errorf(n, "Expected %s to be of %s type: found %s instead at line %d", title(key), kindNames[want], found, n.Line)
}

// fields reads the map n, called where in messages, by the table. An empty
// value leaves what it would set as it is.
func (r *reader) fields(n *yaml.Node, where string, table fields) error {
	return r.entries(n, where, func(k, v *yaml.Node) error {
		read, ok := table[k.Value]
		if !ok {
			known := strings.Join(slices.Sorted(maps.Keys(table)), ", ")
			return r.errorf(k, "Unknown key %s in %s at line %d, expecting one of: %s", k.Value, where, k.Line, known)
		}
		if isNull(v) {
			return nil
		}
		return read(k, v)
	})
}

// entries calls each for every key of the map n in source order, merge keys
// (<<) expanded after the map's own.
func (r *reader) entries(n *yaml.Node, where string, each func(k, v *yaml.Node) error) error {
	n = resolve(n)
	if err := r.kind(n, where, yaml.MappingNode); err != nil {
		return err
	}
	seen := map[string]bool{}
	return r.merged(n, where, seen, each)
}

func (r *reader) merged(n *yaml.Node, where string, seen map[string]bool, each func(k, v *yaml.Node) error) error {
	if r.merges++; r.merges > 16 {
		return r.errorf(n, "merge keys (<<) are nested too deep in %s", where)
	}
	defer func() { r.merges-- }()
	var sources []*yaml.Node
	own := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := resolve(n.Content[i]), resolve(n.Content[i+1])
		if k.ShortTag() == "!!merge" {
			sources = append(sources, v)
			continue
		}
		if err := r.kind(k, "key", yaml.ScalarNode); err != nil {
			return err
		}
		if own[k.Value] {
			return r.errorf(k, "the key %s is there twice in %s at line %d", k.Value, where, k.Line)
		}
		own[k.Value] = true
		if seen[k.Value] {
			continue
		}
		seen[k.Value] = true
		if err := each(k, v); err != nil {
			return err
		}
	}
	for _, source := range sources {
		maps := []*yaml.Node{source}
		if source.Kind == yaml.SequenceNode {
			maps = source.Content
		}
		for _, m := range maps {
			m = resolve(m)
			if err := r.kind(m, where, yaml.MappingNode); err != nil {
				return err
			}
			if err := r.merged(m, where, seen, each); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *reader) scalar(n *yaml.Node, key string) (string, error) {
	n = resolve(n)
	if err := r.kind(n, key, yaml.ScalarNode); err != nil {
		return "", err
	}
	return n.Value, nil
}

func (r *reader) text(to *string) field {
	return func(k, n *yaml.Node) (err error) {
		*to, err = r.scalar(n, k.Value)
		return err
	}
}

func (r *reader) oneOf(to *string, allowed ...string) field {
	return func(k, n *yaml.Node) error {
		value, err := r.scalar(n, k.Value)
		if err != nil {
			return err
		}
		if !slices.Contains(allowed, value) {
			return r.errorf(n, "Invalid %s: found %s at line %d, expecting one of: %s", k.Value, value, n.Line, strings.Join(allowed, ", "))
		}
		*to = value
		return nil
	}
}

var truths = map[string]bool{"yes": true, "true": true, "on": true, "no": false, "false": false, "off": false}

func (r *reader) truth(to *bool) field {
	return func(k, n *yaml.Node) error {
		value, err := r.scalar(n, k.Value)
		if err != nil {
			return err
		}
		truth, ok := truths[strings.ToLower(value)]
		if !ok {
			return r.errorf(n, "Invalid %s: found %s at line %d, expecting yes or no", k.Value, value, n.Line)
		}
		*to = truth
		return nil
	}
}

// texts reads a list of scalars; a single scalar counts as a list of one, as
// CodeBuild takes it for files and paths.
func (r *reader) texts(to *[]string) field {
	return func(k, n *yaml.Node) error {
		if n.Kind == yaml.ScalarNode {
			*to = []string{n.Value}
			return nil
		}
		return r.each(n, k.Value, func(name string, item *yaml.Node) error {
			value, err := r.scalar(item, name)
			*to = append(*to, value)
			return err
		})
	}
}

// variables reads a map of scalars in source order.
func (r *reader) variables(to *[]Variable) field {
	return func(k, n *yaml.Node) error {
		return r.entries(n, k.Value, func(name, v *yaml.Node) error {
			value := ""
			if !isNull(v) {
				var err error
				if value, err = r.scalar(v, name.Value); err != nil {
					return err
				}
			}
			*to = append(*to, Variable{Name: name.Value, Value: value, Pos: r.pos(name)})
			return nil
		})
	}
}

// each calls f for the members of the list n, with a name for messages such
// as commands[0].
func (r *reader) each(n *yaml.Node, key string, f func(name string, item *yaml.Node) error) error {
	n = resolve(n)
	if err := r.kind(n, key, yaml.SequenceNode); err != nil {
		return err
	}
	for i, item := range n.Content {
		if err := f(fmt.Sprintf("%s[%d]", key, i), resolve(item)); err != nil {
			return err
		}
	}
	return nil
}
