package validate

import (
	"path/filepath"
	"slices"
	"strings"

	"ouro/library"
	"ouro/template"
)

// project is all files of a run, where they speak of each other.
type project struct {
	files map[string]*file
}

func newProject(files []*file) *project {
	p := &project{files: make(map[string]*file, len(files))}
	for _, f := range files {
		p.files[f.path] = f
	}
	return p
}

func (p *project) check(files []*file) {
	for _, f := range files {
		if len(f.facts.nested) > 0 {
			p.checkNested(f)
		}
	}
	p.checkConfigurations(files)
}

// locate finds a file that a template refers to by a path from its own folder
// or from the project's root, which is one of the folders above it.
func locate(from, path string) (string, bool) {
	if filepath.IsAbs(path) || path == "" {
		return "", false
	}
	for dir := filepath.Dir(from); ; dir = filepath.Dir(dir) {
		candidate := filepath.Join(dir, filepath.FromSlash(path))
		if _, err := readable(candidate); err == nil {
			return candidate, true
		}
		if dir == filepath.Dir(dir) || filepath.Base(dir) == ".." {
			return "", false
		}
	}
}

// template is a file that another one refers to as a template, and which may
// lie outside of what was asked for; nil when it is none.
func (p *project) template(path string) *file {
	f := p.files[path]
	if f == nil {
		f = &file{path: path}
		p.files[path] = f
	}
	if f.kind == isTemplate {
		return f
	}
	// Whatever it looks like by itself, a template is meant here.
	t := parseFile(path)
	if t == nil || t.Root.Get("Resources") == nil {
		return nil
	}
	f.facts = factsOf(t)
	return f
}

func parseFile(path string) *template.Template {
	body, err := readBounded(path)
	if err != nil {
		return nil
	}
	t, err := template.Parse(path, body)
	if err != nil {
		return nil
	}
	return t
}

// checkNested holds every nested stack against its template: CloudFormation
// finds these mistakes when the outer stack is half built.
func (p *project) checkNested(f *file) {
	inner := map[string]*file{}
	for _, s := range f.facts.nested {
		if f.full() {
			return
		}
		if inner[s.name] = p.templateOf(f, s); inner[s.name] != nil {
			f.checkStack(s, inner[s.name])
		}
	}
	for _, use := range f.facts.outputUses {
		if f.full() {
			return
		}
		target := inner[use.stack]
		if target != nil && !target.facts.open && !slices.Contains(target.facts.outputs, use.output) {
			f.add(use.pos, "unresolved-attribute", "the nested stack "+quoted(use.stack)+" has no output "+quoted(use.output)+": "+target.path+" does not declare it"+didYouMean(use.output, target.facts.outputs))
		}
	}
}

// templateOf is the template of a nested stack, nil when it is not at hand.
func (p *project) templateOf(f *file, s nestedStack) *file {
	if strings.HasPrefix(s.url, library.Scheme) {
		return p.fromLibrary(f, s)
	}
	local, isLocal := localURL(s.url)
	if !isLocal {
		return nil
	}
	path, found := locate(f.path, local)
	if !found {
		f.add(s.urlPos, "missing-template", "the template "+quoted(s.url)+" is not there")
		return nil
	}
	return p.template(path)
}

// fromLibrary is a template that comes with the program. No file has a path
// like that, so that it has its place among the files.
func (p *project) fromLibrary(f *file, s nestedStack) *file {
	if known := p.files[s.url]; known != nil {
		return known
	}
	t, err := library.Open(s.url)
	if err != nil {
		f.add(s.urlPos, "unknown-template", err.Error())
		return nil
	}
	p.files[s.url] = &file{path: s.url, kind: isTemplate, facts: factsOf(t.Parsed)}
	return p.files[s.url]
}

// localURL is the path in a TemplateURL that stands for a local file, which
// ouro publish and aws cloudformation package replace.
func localURL(url string) (string, bool) {
	path, ok := strings.CutPrefix(url, "file://")
	if ok {
		return path, true
	}
	return url, url != "" && !strings.HasSuffix(url, "/") && !strings.Contains(url, "://") && !strings.ContainsAny(url, "{}$") && !filepath.IsAbs(url)
}

// checkStack compares what a nested stack is given with what its template
// declares.
func (f *file) checkStack(s nestedStack, inner *file) {
	f.checkGiven(s.given, inner.facts, func(name string) string {
		return "the " + s.what() + " " + quoted(s.name) + " is given the parameter " + name + ", which " + inner.path + " does not declare"
	})
	if !s.complete {
		return
	}
	for _, name := range inner.facts.missing(s.given) {
		f.add(s.pos, "missing-parameter", "the "+s.what()+" "+quoted(s.name)+" must be given the parameter "+quoted(name)+" of "+inner.path+", which has no default")
	}
}

// checkGiven compares values with the parameters that a template declares;
// unknown says that it does not declare one.
func (f *file) checkGiven(given []setting, declared facts, unknown func(name string) string) {
	for _, g := range given {
		if f.full() {
			return
		}
		p, ok := declared.byName[g.name]
		switch {
		case !ok && !declared.open:
			f.add(g.pos, "unknown-parameter", unknown(quoted(g.name))+didYouMean(g.name, declared.parameterNames()))
		case ok && g.known:
			if err := p.Validate(g.value); err != nil {
				f.add(g.pos, "parameter-value", err.Error())
			}
		}
	}
}
