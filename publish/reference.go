package publish

import (
	"path"
	"strings"

	"ouro/template"
)

// reference is a place in a template that stands for a file.
type reference struct {
	pos      template.Pos
	text     string // as written
	target   string // path from the root; "" when it cannot be one
	fault    string // why it cannot
	template bool   // the target must be a template
}

// templateURLs are the properties that take a template's URL, by resource type.
var templateURLs = map[string]string{
	"AWS::CloudFormation::Stack":    "TemplateURL",
	"AWS::CloudFormation::StackSet": "TemplateURL",
	"AWS::Serverless::Application":  "Location",
}

const fileScheme = "file://"

// references finds the references of the template at name, in source order,
// and the target of each node that is one. A node that YAML aliases repeat
// comes once.
func references(name string, t *template.Template) ([]reference, map[*template.Node]string) {
	f := finder{name: name, urls: map[*template.Node]bool{}, targets: map[*template.Node]string{}}
	if section := t.Root.Get("Resources"); section != nil && section.Kind == template.Map {
		for _, n := range section.Items {
			property, ok := templateURLs[n.Get("Type").Scalar()]
			if !ok {
				continue
			}
			if url := n.Get("Properties").Get(property); url != nil {
				f.urls[url] = true
			}
		}
	}
	f.walk(t.Root, false)
	return f.found, f.targets
}

type finder struct {
	name    string
	urls    map[*template.Node]bool // values of TemplateURL
	targets map[*template.Node]string
	found   []reference
}

// walk goes through n; inURL is set inside a TemplateURL, as in the branches
// of a function.
func (f *finder) walk(n *template.Node, inURL bool) {
	if n.Kind == template.String {
		f.text(n, inURL)
		return
	}
	for _, item := range n.Items {
		if item.Kind >= template.String {
			f.walk(item, inURL || f.urls[item])
		}
	}
}

func (f *finder) text(n *template.Node, inURL bool) {
	if len(n.Text) >= len(fileScheme) && n.Text[:len(fileScheme)] == fileScheme {
		f.add(n, strings.TrimPrefix(n.Text, fileScheme), "", inURL)
		return
	}
	if !f.urls[n] || n.Text == "" || strings.Contains(n.Text, "://") || strings.HasPrefix(n.Text, "{{") {
		return
	}
	f.add(n, n.Text, path.Dir(f.name), true)
}

func (f *finder) add(n *template.Node, text, directory string, isTemplate bool) {
	if _, seen := f.targets[n]; seen {
		return
	}
	r := reference{pos: n.Pos, text: n.Text, template: isTemplate}
	target := path.Join(directory, text)
	switch {
	case text == "":
		r.fault = "a reference to a file names none"
	case path.IsAbs(text):
		r.fault = "a reference to a file is a path from the project's root or, in TemplateURL, from the file that holds it; it does not begin with a slash"
	case outside(target):
		r.fault = "the reference leaves the project's directory"
	default:
		r.target = target
	}
	f.targets[n] = r.target
	f.found = append(f.found, r)
}

// templateName tells whether a file of that name may be a template.
func templateName(name string) bool {
	switch path.Ext(name) {
	case ".json", ".yaml", ".yml", ".template":
		return true
	}
	return false
}
