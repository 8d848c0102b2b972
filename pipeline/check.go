package pipeline

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ouro/publish"
	"ouro/template"
)

// CheckError is everything that is wrong with a project.
type CheckError struct{ Problems []string }

func (e *CheckError) Error() string { return strings.Join(e.Problems, "\n") }

// Checked is what Check looked at.
type Checked struct {
	Templates int // files, the pipeline's own included
	Facts     Facts
}

// Check checks all that a push would deploy, before anything is created: the
// pipeline's template with its configuration, the entrypoint with everything
// that it refers to, and the configurations that the pipeline's actions take.
// All problems come together in a *CheckError.
func Check(p *Project, account, region string) (Checked, error) {
	c := Checked{Templates: 1}
	var problems []string
	for _, problem := range p.Template.Check() {
		if problem.Severity == template.SeverityError {
			problems = append(problems, problem.String())
		}
	}
	if len(problems) > 0 {
		return c, &CheckError{problems}
	}
	var err error
	if c.Facts, err = p.Facts(account, region); err != nil {
		return c, &CheckError{[]string{err.Error()}}
	}
	if c.Facts.Entrypoint == "" {
		return c, p.checkConfigs(c.Facts, nil)
	}
	tree, err := publish.Load(p.Dir, c.Facts.Entrypoint, publish.Options{})
	var invalid *publish.Error
	if errors.As(err, &invalid) {
		for _, problem := range invalid.Problems {
			problems = append(problems, problem.String())
		}
		return c, &CheckError{problems}
	}
	if err != nil {
		return c, &CheckError{[]string{fmt.Sprintf("the entrypoint %s: %v", c.Facts.Entrypoint, err)}}
	}
	for _, f := range tree.Files() {
		if f.Template {
			c.Templates++
		}
	}
	return c, p.checkConfigs(c.Facts, tree.Entrypoint)
}

// checkConfigs checks the configurations of the pipeline's CloudFormation
// actions against the templates that they configure: a file of the project, or
// the entrypoint, which an action takes from the build.
func (p *Project) checkConfigs(f Facts, entrypoint *template.Template) error {
	var problems []string
	for _, d := range f.Deploys {
		if d.Config == "" || strings.Contains(d.Config, unknown) || strings.Contains(d.Template, unknown) {
			continue // none, or known only once the stack is there
		}
		target := entrypoint
		if body, err := os.ReadFile(filepath.Join(p.Dir, filepath.FromSlash(d.Template))); err == nil {
			if target, err = template.Parse(d.Template, body); err != nil {
				problems = append(problems, err.Error())
				continue
			}
		}
		c, err := readConfig(p.Dir, d.Config)
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		if target == nil {
			continue
		}
		problems = append(problems, mismatches(target, d.Config, c)...)
	}
	slices.Sort(problems)
	if problems = slices.Compact(problems); len(problems) > 0 {
		return &CheckError{problems}
	}
	return nil
}

// mismatches are the parameters that a configuration gets wrong, all of them.
func mismatches(t *template.Template, file string, c Config) []string {
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(c.Parameters)) {
		declared, ok := t.Parameter(name)
		if !ok {
			problems = append(problems, fmt.Sprintf("%s: %s has no parameter %q", file, t.File, name))
		} else if err := declared.Validate(c.Parameters[name]); err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", file, err))
		}
	}
	for _, declared := range t.Parameters() {
		if _, ok := c.Parameters[declared.Name]; !ok && declared.Default == nil {
			problems = append(problems, fmt.Sprintf("%s: no value for the parameter %q of %s", file, declared.Name, t.File))
		}
	}
	return problems
}
