package validate

import (
	"path/filepath"
	"slices"
	"strings"
)

// pair is a configuration with a template that it configures.
type pair struct {
	config, template *file
	given            []string // parameters that the pipeline gives besides
	incomplete       bool     // and it may give others
}

// checkConfigurations finds out which configuration belongs to which template
// and holds them against each other. What a pipeline says counts; for others
// the names tell.
func (p *project) checkConfigurations(files []*file) {
	byFolder := map[string][]*file{}
	for _, f := range files {
		if f.kind == isTemplate {
			dir := filepath.Dir(f.path)
			byFolder[dir] = append(byFolder[dir], f)
		}
	}
	named := map[*file]*file{}
	for _, f := range files {
		if f.config != nil {
			named[f] = p.namesake(f, byFolder[filepath.Dir(f.path)])
		}
	}
	referred := map[*file]bool{}
	for _, f := range files {
		if f.facts.pipeline {
			for _, pair := range p.pipelinePairs(f, named) {
				if pair.template == nil {
					pair.template = named[pair.config]
				}
				referred[pair.config] = true
				pair.check()
			}
		}
	}
	for _, f := range files {
		if f.config == nil || referred[f] {
			continue
		}
		if t := named[f]; t != nil || len(f.config.faults) == 0 && len(f.config.given) > 0 {
			(&pair{config: f, template: t}).check()
		}
	}
}

// namesake finds the template that a configuration is called after: site.json
// and site.dev.json belong to site.yaml. With another separator than a dot
// (site-dev.json) they must have a parameter in common.
func (p *project) namesake(config *file, siblings []*file) *file {
	name := stem(config.path)
	var best *file
	for _, t := range siblings {
		rest, ok := strings.CutPrefix(name, stem(t.path))
		switch {
		case !ok || best != nil && len(stem(best.path)) >= len(stem(t.path)):
		case rest == "" || rest[0] == '.', (rest[0] == '-' || rest[0] == '_') && share(config, t):
			best = t
		}
	}
	return best
}

func stem(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

func share(config, t *file) bool {
	return slices.ContainsFunc(config.config.given, func(s setting) bool {
		_, ok := t.facts.byName[s.name]
		return ok
	})
}

// check holds the configuration against its template. The findings are the
// configuration's.
func (p *pair) check() {
	f := p.config
	f.kind = isConfiguration
	for _, fault := range f.config.faults {
		if !slices.Contains(f.findings, fault) {
			f.findings = append(f.findings, fault)
		}
	}
	if p.template == nil || f.config.pos.Line == 0 {
		return
	}
	f.checkGiven(f.config.given, p.template.facts, func(name string) string { return p.template.path + " has no parameter " + name })
	if p.incomplete {
		return
	}
	for _, name := range p.template.facts.missing(f.config.given, p.given...) {
		f.add(f.config.pos, "missing-parameter", "no value for the parameter "+quoted(name)+" of "+p.template.path+", which has no default")
	}
}
