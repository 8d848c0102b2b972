// Package library is the templates that a site is put together from: networks,
// load balancers, fleets, containers, and the pipelines that deploy them. They
// are part of the program, so that a version of it has one version of them. A
// template nests others by paths from where it lies.
package library

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"ouro/template"
)

//go:embed templates
var embedded embed.FS

// Scheme stands before a template's name where a path or a URL may stand, as in
// TemplateURL: ouro://network/vpc.yaml.
const Scheme = "ouro://"

// Template is one template of the library.
type Template struct {
	Name        string // its path, such as network/vpc.yaml
	Description string
	Body        []byte
	Parsed      *template.Template
	Nests       []string // names of the templates that it nests itself, sorted
}

// Templates are all templates, sorted by name.
func Templates() []Template {
	var all []Template
	for _, name := range names() {
		all = append(all, load()[name]())
	}
	return all
}

func names() []string { return slices.Sorted(maps.Keys(load())) }

// Open is the template of that name, which may begin with Scheme.
func Open(name string) (Template, error) {
	name = strings.TrimPrefix(name, Scheme)
	read, ok := load()[name]
	if !ok {
		return Template{}, fmt.Errorf("the library has no template %q%s", Scheme+name, nearest(name))
	}
	return read(), nil
}

// Whole are the templates of these names, and all that they nest, sorted.
func Whole(names ...string) ([]Template, error) {
	found := map[string]Template{}
	for wanted := slices.Clone(names); len(wanted) > 0; wanted = wanted[1:] {
		if _, ok := found[wanted[0]]; ok {
			continue
		}
		t, err := Open(wanted[0])
		if err != nil {
			return nil, err
		}
		found[t.Name] = t
		wanted = append(wanted, t.Nests...)
	}
	out := make([]Template, 0, len(found))
	for _, t := range found {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b Template) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Export writes the templates of these names, and all that they nest, below
// dir. A file that is there already with other content is an error, and
// nothing is written then.
func Export(dir string, names ...string) ([]Template, error) {
	whole, err := Whole(names...)
	if err != nil {
		return nil, err
	}
	for _, t := range whole {
		file := filepath.Join(dir, filepath.FromSlash(t.Name))
		there, err := os.ReadFile(file)
		switch {
		case os.IsNotExist(err):
		case err != nil:
			return nil, fmt.Errorf("exporting %q: %w", t.Name, err)
		case string(there) != string(t.Body):
			return nil, fmt.Errorf("exporting %q: %q is there already and differs", t.Name, file)
		}
	}
	for _, t := range whole {
		file := filepath.Join(dir, filepath.FromSlash(t.Name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return nil, fmt.Errorf("exporting %q: %w", t.Name, err)
		}
		if err := os.WriteFile(file, t.Body, 0o644); err != nil {
			return nil, fmt.Errorf("exporting %q: %w", t.Name, err)
		}
	}
	return whole, nil
}

// load has for each name what reads the template, once and when it is wanted:
// reading all of them takes longer than most commands. A file that is no
// template is a mistake of the build, which every test would find.
var load = sync.OnceValue(func() map[string]func() Template {
	all := map[string]func() Template{}
	err := fs.WalkDir(embedded, "templates", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := strings.TrimPrefix(file, "templates/")
		all[name] = sync.OnceValue(func() Template { return read(file, name) })
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("the library that was built in: %v", err))
	}
	return all
})

func read(file, name string) Template {
	body, err := embedded.ReadFile(file)
	if err == nil {
		var parsed *template.Template
		if parsed, err = template.Parse(name, body); err == nil {
			return Template{Name: name, Description: parsed.Description(), Body: body, Parsed: parsed, Nests: nests(name, parsed)}
		}
	}
	panic(fmt.Sprintf("the library that was built in: %v", err))
}

// nests are the names that the nested stacks of a template refer to.
func nests(name string, t *template.Template) []string {
	var out []string
	for _, r := range t.Resources() {
		if r.Type == "AWS::CloudFormation::Stack" {
			out = append(out, path.Join(path.Dir(name), r.Properties.Get("TemplateURL").Scalar()))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
