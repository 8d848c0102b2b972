package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"ouro/publish"
	"ouro/template"
	"ouro/validate"
)

// CheckError is everything that is wrong with a project.
type CheckError struct{ Problems []string }

func (e *CheckError) Error() string { return strings.Join(e.Problems, "\n") }

// Checked is what Check looked at.
type Checked struct {
	Templates int      // files, the pipeline's own included
	Warnings  []string // what does not stop a deployment
	Facts     Facts
}

// Check checks all that a push would deploy, by the rules of package validate,
// before anything is created: the pipeline's template with its configuration,
// the entrypoint and what else the pipeline deploys from its source, each with
// everything that it refers to, and the configurations that the pipeline's
// actions take. All problems come together in a *CheckError.
func Check(ctx context.Context, p *Project, account, region string) (_ Checked, err error) {
	defer func() {
		if gone := ctx.Err(); gone != nil { // which no finding is to hide
			err = fmt.Errorf("checking what %s deploys: %w", p.TemplateFile, gone)
		}
	}()
	c := &checking{project: p, trees: map[string]*template.Template{p.TemplateFile: p.Template}, templates: map[string]bool{p.TemplateFile: true}}
	c.found(validate.Template(ctx, p.Template))
	if !p.Unwritten {
		c.configuration(p.ConfigFile, p.Template)
	}
	if err := c.err(); err != nil {
		return c.checked(Facts{}), err
	}
	facts, err := p.Facts(account, region)
	if err != nil {
		return c.checked(facts), &CheckError{[]string{err.Error()}}
	}
	if facts.Entrypoint != "" && !strings.Contains(facts.Entrypoint, unknown) {
		c.tree(ctx, facts.Entrypoint)
	}
	if err := c.err(); err != nil {
		return c.checked(facts), err
	}
	for _, d := range facts.Deploys {
		c.deploy(ctx, d, facts.Entrypoint)
	}
	return c.checked(facts), c.err()
}

// checking is a check that is under way.
type checking struct {
	project          *Project
	trees            map[string]*template.Template // entrypoints, by path
	templates        map[string]bool               // all files that are templates
	errors, warnings []string
}

func (c *checking) checked(f Facts) Checked {
	slices.Sort(c.warnings)
	return Checked{Templates: len(c.templates), Warnings: slices.Compact(c.warnings), Facts: f}
}

func (c *checking) err() error {
	slices.Sort(c.errors)
	if c.errors = slices.Compact(c.errors); len(c.errors) > 0 {
		return &CheckError{c.errors}
	}
	return nil
}

func (c *checking) found(problems []template.Problem) {
	for _, p := range problems {
		c.problem(publish.Problem{Problem: p})
	}
}

func (c *checking) problem(p publish.Problem) {
	if p.Severity == template.SeverityError {
		c.errors = append(c.errors, p.Finding())
	} else {
		c.warnings = append(c.warnings, p.Finding())
	}
}

// tree checks a template of the project with all that it refers to, once; nil
// when it has errors.
func (c *checking) tree(ctx context.Context, file string) *template.Template {
	file = path.Clean(file)
	if t, ok := c.trees[file]; ok {
		return t
	}
	c.trees[file] = nil
	tree, err := publish.Load(ctx, c.project.Dir, file, publish.Options{
		Check: func(t *template.Template) []template.Problem { return validate.Template(ctx, t) },
	})
	var refused *publish.Error
	if errors.As(err, &refused) {
		for _, p := range refused.Problems {
			c.problem(p)
		}
		return nil
	}
	if err != nil {
		c.errors = append(c.errors, fmt.Sprintf("the template %s: %v", file, err))
		return nil
	}
	for _, p := range tree.Warnings {
		c.problem(p)
	}
	for _, f := range tree.Files() {
		if f.Template {
			c.templates[f.Path] = true
		}
	}
	c.trees[file] = tree.Entrypoint
	return tree.Entrypoint
}

// deploy checks the template and the configuration of one CloudFormation
// action. A template that the project does not hold is what the build makes of
// the entrypoint.
func (c *checking) deploy(ctx context.Context, d Deploy, entrypoint string) {
	if strings.Contains(d.Template, unknown) {
		return // known only once the stack is there
	}
	file := d.Template
	if _, err := os.Stat(filepath.Join(c.project.Dir, filepath.FromSlash(file))); err != nil {
		file = entrypoint
	}
	var t *template.Template
	if file != "" {
		t = c.tree(ctx, file)
	}
	if d.Config != "" && !strings.Contains(d.Config, unknown) {
		c.configuration(d.Config, t, slices.Collect(maps.Keys(d.Overrides))...)
	}
}

// configuration holds a template configuration against its template, if that is
// known; given are parameters that have their values from elsewhere.
func (c *checking) configuration(file string, t *template.Template, given ...string) {
	body, err := os.ReadFile(filepath.Join(c.project.Dir, filepath.FromSlash(file)))
	if err != nil {
		c.errors = append(c.errors, fmt.Sprintf("reading the template configuration: %v", err))
		return
	}
	config, err := template.Parse(file, body)
	if err != nil {
		c.errors = append(c.errors, err.Error())
		return
	}
	c.found(validate.Configuration(config, t, given...))
}
