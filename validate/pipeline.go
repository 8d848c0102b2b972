package validate

import (
	"encoding/json"
	"strings"

	"ouro/template"
)

const pipelineType = "AWS::CodePipeline::Pipeline"

// pipelinePairs reads from a pipeline's template which configurations its
// actions take for which templates. Paths may be put together from parameters,
// which have their defaults and what the pipeline's own configurations say.
func (p *project) pipelinePairs(f *file, named map[*file]*file) []*pair {
	t := parseFile(f.path)
	if t == nil {
		return nil
	}
	own := []*configuration{nil}
	for config, of := range named {
		if of == f {
			own = append(own, config.config)
		}
	}
	var pairs []*pair
	for _, config := range own {
		reader := actionReader{project: p, file: f, t: t, env: environment(t, config)}
		for _, r := range t.Resources() {
			if r.Type == pipelineType {
				reader.walk(r.Properties)
			}
		}
		pairs = append(pairs, reader.pairs...)
	}
	return pairs
}

type actionReader struct {
	project *project
	file    *file
	t       *template.Template
	env     *template.Env
	pairs   []*pair
}

func (r *actionReader) walk(n *template.Node) {
	if n == nil {
		return
	}
	if n.Get("TemplateConfiguration") != nil && n.Get("TemplatePath") != nil {
		r.action(n)
		return
	}
	for _, item := range n.Items {
		r.walk(item)
	}
}

// action reads the Configuration of one action.
func (r *actionReader) action(n *template.Node) {
	path, ok := r.artifactFile(n.Get("TemplateConfiguration"))
	if !ok {
		return
	}
	config := r.project.configuration(path)
	if config == nil {
		return
	}
	pair := &pair{config: config}
	if path, ok := r.artifactFile(n.Get("TemplatePath")); ok {
		pair.template = r.project.template(path)
	}
	if overrides := n.Get("ParameterOverrides"); overrides != nil {
		text, ok := r.text(overrides)
		var given map[string]any
		if !ok || json.Unmarshal([]byte(text), &given) != nil {
			pair.incomplete = true
		}
		for name := range given {
			pair.given = append(pair.given, name)
		}
	}
	r.pairs = append(r.pairs, pair)
}

// artifactFile finds the file that Artifact::path names, if it is one of the
// project's: what a build makes is not there yet.
func (r *actionReader) artifactFile(n *template.Node) (string, bool) {
	text, ok := r.text(n)
	_, path, cut := strings.Cut(text, "::")
	if !ok || !cut {
		return "", false
	}
	return locate(r.file.path, path)
}

func (r *actionReader) text(n *template.Node) (string, bool) {
	v, err := r.t.Eval(n, r.env)
	text, ok := v.(string)
	return text, ok && err == nil
}

// configuration is the file at the path, read as a configuration whatever it
// looks like, since a pipeline will.
func (p *project) configuration(path string) *file {
	f := p.files[path]
	if f == nil {
		return nil // not among what was asked for
	}
	if f.config == nil && f.kind == isOther {
		if t := parseFile(path); t != nil {
			f.config = readConfiguration(t)
		} else {
			f.config = &configuration{}
			f.config.fault(template.Pos{File: path, Line: 1, Column: 1}, "a template configuration is a JSON map of Parameters, Tags and StackPolicy")
		}
	}
	if f.config == nil {
		return nil
	}
	return f
}
