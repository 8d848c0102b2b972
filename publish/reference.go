package publish

import (
	"path"
	"slices"
	"strings"

	"ouro/library"
	"ouro/template"
)

// reference is a place in a template that stands for a file.
type reference struct {
	pos      template.Pos
	text     string // as written
	target   source
	fault    string // why there is no target
	template bool   // the target must be a template
}

// place is what becomes of a node that is a reference.
type place struct {
	target source
	use    *use
}

const fileScheme = "file://"

// finder finds the references of one template.
type finder struct {
	in      source         // the template
	globals *template.Node // its section Globals
	uses    map[*template.Node]*use
	// edits are nodes to put in place of others, see absent.go.
	edits  map[*template.Node]*template.Node
	places map[*template.Node]place
	found  []reference
	// foreign is set when types or macros that AWS does not define are used.
	foreign bool
}

// references finds the references of the template from in, in source order,
// and what becomes of each node that is one. A node that YAML aliases repeat
// comes once. The root that is returned is the template's, unless properties
// that were left out stand for a reference: then it has them.
func references(in source, t *template.Template) (*finder, *template.Node) {
	f := &finder{in: in, globals: t.Root.Get("Globals"), foreign: slices.ContainsFunc(t.Transforms(), foreignMacro)}
	f.resources(t.Root.Get("Resources"), false)
	for _, u := range packagedSections {
		f.mark(t.Root, u, u.path)
	}
	f.include(t.Root.Get("Transform"))
	root := t.Root
	if len(f.edits) > 0 {
		root = exchanged(root, f.edits)
	}
	refused := len(f.found)
	f.walk(root, nil)
	if refused > 0 {
		slices.SortStableFunc(f.found, func(a, b reference) int { return byPlace(a.pos, b.pos) })
	}
	return f, root
}

// resources marks the properties that take a path. The body of a loop holds
// resources too.
func (f *finder) resources(section *template.Node, looped bool) {
	if section == nil || section.Kind != template.Map {
		return
	}
	for i, r := range section.Items {
		if strings.HasPrefix(section.Keys[i].Text, "Fn::ForEach::") {
			if r.Kind == template.List && len(r.Items) == 3 {
				f.resources(r.Items[2], true)
			}
			continue
		}
		kind := r.Get("Type").Scalar()
		f.foreign = f.foreign || foreign(kind)
		uses := packaged[kind]
		if uses == nil || f.image(r) {
			continue
		}
		properties := r.Get("Properties")
		for _, u := range uses {
			f.fill(r, properties, u)
			f.mark(properties, u, u.path)
		}
		if looped {
			f.checkLoop(properties, uses)
		}
	}
}

// mark notes the values that path leads to from n.
func (f *finder) mark(n *template.Node, u *use, path []string) {
	switch {
	case n == nil:
	case len(path) == 0 && f.uses[n] != nil && f.uses[n] != u:
		f.refuse(n.Pos, "an alias repeats this path where it becomes something else; write it out", n.Text)
	case len(path) == 0:
		f.takes(n, u)
	case path[0] == "*" && n.Kind == template.Map:
		for _, item := range n.Items {
			f.mark(item, u, path[1:])
		}
	default:
		f.mark(n.Get(path[0]), u, path[1:])
	}
}

// takes notes that n takes a path. Most templates have none that does.
func (f *finder) takes(n *template.Node, u *use) {
	if f.uses == nil {
		f.uses = map[*template.Node]*use{}
	}
	f.uses[n] = u
}

// include marks the location in a transform, or in each of a list of them.
func (f *finder) include(transform *template.Node) {
	switch {
	case transform == nil:
	case transform.Kind == template.List:
		for _, item := range transform.Items {
			if item.Kind == template.Map {
				f.include(item)
			}
		}
	case transform.Get("Name").Scalar() == "AWS::Include":
		f.mark(transform, included, included.path)
	}
}

// walk goes through n; u is set inside a value that takes a path, and in the
// branches of a function there.
func (f *finder) walk(n *template.Node, u *use) {
	if n.Kind == template.String {
		f.text(n, u)
		return
	}
	if u != nil && n.Kind == template.Map {
		if name, _ := n.Function(); name == "" {
			u = nil
		}
	}
	for i, item := range n.Items {
		if item.Kind < template.String {
			continue
		}
		if n.Kind == template.Map && n.Keys[i].Text == "Fn::Transform" {
			f.include(item)
			f.foreign = f.foreign || foreignMacro(item.Get("Name").Scalar())
		}
		inside := u
		if own := f.uses[item]; own != nil {
			inside = own
		}
		f.walk(item, inside)
	}
}

// text looks at one string. A path from the template that holds it counts only
// as the whole value of a property; a text with a scheme counts anywhere.
func (f *finder) text(n *template.Node, u *use) {
	if program, ok := f.programText(n, u); ok {
		f.add(n, program, true, "", programPath)
		return
	}
	switch own := f.uses[n]; {
	case strings.HasPrefix(n.Text, fileScheme):
		f.add(n, u, f.in.library, "", n.Text[len(fileScheme):])
	case u == nil:
	case u.template && strings.HasPrefix(n.Text, library.Scheme):
		f.add(n, u, true, "", n.Text[len(library.Scheme):])
	case own == nil || n.Text == "" || strings.Contains(n.Text, "://") || strings.HasPrefix(n.Text, "{{"):
	default:
		f.add(n, u, f.in.library, path.Dir(f.in.path), n.Text)
	}
}

// add notes a reference to text, a path from directory.
func (f *finder) add(n *template.Node, u *use, fromLibrary bool, directory, text string) {
	if _, seen := f.places[n]; seen {
		return
	}
	r := reference{pos: n.Pos, text: n.Text}
	target := source{library: fromLibrary, path: path.Join(directory, text)}
	if u != nil {
		target.form, r.template = u.form, u.template
	}
	switch {
	case text == "":
		r.fault = "a reference to a file names none"
	case unprintable(text):
		r.fault = "a path to a file holds control characters"
	case path.IsAbs(text):
		r.fault = "a reference to a file is a path from the project's root or, in TemplateURL, from the file that holds it; it does not begin with a slash"
	case outside(target.path) && fromLibrary:
		r.fault = "the reference leaves the library"
	case outside(target.path):
		r.fault = "the reference leaves the project's directory"
	default:
		r.target = target
	}
	if f.places == nil {
		f.places = map[*template.Node]place{}
	}
	f.places[n] = place{target: r.target, use: u}
	f.found = append(f.found, r)
}

// refuse notes something that cannot be published.
func (f *finder) refuse(at template.Pos, fault, text string) {
	f.found = append(f.found, reference{pos: at, fault: fault, text: text})
}

// templateName tells whether a file of that name may be a template.
func templateName(name string) bool {
	switch path.Ext(name) {
	case ".json", ".yaml", ".yml", ".template":
		return true
	}
	return false
}
