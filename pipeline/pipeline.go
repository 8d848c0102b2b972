// Package pipeline brings a project's self-updating pipeline up on any
// endpoint: it reads and checks the project, pushes its source, creates or
// updates the pipeline's stack, and follows the execution.
//
// A project is a directory with a pipeline template, template configurations,
// and whatever the pipeline deploys. What the pipeline is called, where its
// source lives and which template it deploys is read from the pipeline
// template itself, evaluated with the configuration's parameters; there is no
// further configuration.
package pipeline

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ouro/template"
)

// StateDir is the directory in a project that holds the local cloud's state.
const StateDir = ".ouro"

// Project is a directory that a pipeline is made from.
type Project struct {
	Dir          string // absolute
	TemplateFile string // the pipeline's template, relative to Dir
	ConfigFile   string // its template configuration, relative to Dir
	Name         string // the parameter ProjectName
	Body         []byte // of the template
	Template     *template.Template
	Config       Config
	Unwritten    bool   // there is no such configuration yet
	stack        string // the name of its stack, where that does not follow from Name
}

// StackName is the name of the pipeline's stack.
func (p *Project) StackName() string { return cmp.Or(p.stack, p.Name+"-Pipeline") }

// NewProject is a project whose pipeline's template is not in the source: the
// stack of a template, and nothing to push. Parameters are given by Configure.
func NewProject(stack, file string, body []byte) (*Project, error) {
	t, err := template.Parse(file, body)
	if err != nil {
		return nil, err
	}
	return &Project{TemplateFile: file, ConfigFile: "the command line", Body: body, Template: t, Unwritten: true, stack: stack}, nil
}

// Config is a template configuration file as CodePipeline's CloudFormation
// action takes it.
type Config struct {
	Parameters  map[string]string
	Tags        map[string]string
	StackPolicy json.RawMessage
}

// ErrNoProject tells that a directory holds no project.
var ErrNoProject = errors.New("no project: ouro expects pipeline.yaml (or .yml, .json, .template) and its configuration pipeline.dev.json there")

// templateFiles and configFile are what a project's files are called.
var templateFiles = []string{"pipeline.yaml", "pipeline.yml", "pipeline.json", "pipeline.template"}

const configFile = "pipeline.dev.json"

// nameParameter names the project, and with it the pipeline's stack.
const nameParameter = "ProjectName"

// Load reads the project in dir. config names the pipeline's configuration,
// relative to dir; empty means pipeline.dev.json, or the only pipeline.*.json.
func Load(dir, config string) (*Project, error) {
	p, err := Open(dir, config)
	if err != nil {
		return nil, err
	}
	if p.Unwritten {
		return nil, fmt.Errorf("%q holds no configuration of the pipeline: ouro expects %s there", dir, p.ConfigFile)
	}
	if _, ok := p.Template.Parameter(nameParameter); !ok {
		return nil, fmt.Errorf("%s: the template has no parameter %s, which names the project and its stack", p.TemplateFile, nameParameter)
	}
	if p.Name == "" {
		return nil, fmt.Errorf("%s: no value for the parameter %s", p.ConfigFile, nameParameter)
	}
	return p, nil
}

// Open reads the project in dir as Load does, and takes it as it is: the
// configuration may lack values, or not be there yet.
func Open(dir, config string) (*Project, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(abs); err != nil {
		return nil, fmt.Errorf("opening the project: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("opening the project: %q is no directory", dir)
	}
	p := &Project{Dir: abs}
	if err := p.readTemplate(dir); err != nil {
		return nil, err
	}
	if p.ConfigFile, err = chooseConfig(abs, config); err != nil {
		return nil, err
	}
	if p.Config, err = readConfig(abs, p.ConfigFile); err != nil {
		if p.Unwritten = errors.Is(err, os.ErrNotExist); !p.Unwritten {
			return nil, err
		}
	}
	if declared, ok := p.Template.Parameter(nameParameter); ok {
		p.Name, _ = p.value(declared)
	}
	return p, nil
}

func (p *Project) readTemplate(dir string) (err error) {
	for _, name := range templateFiles {
		p.Body, err = os.ReadFile(filepath.Join(p.Dir, name))
		if err == nil {
			p.TemplateFile = name
			p.Template, err = template.Parse(name, p.Body)
			return err
		}
		if !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("reading the pipeline's template: %w", err)
		}
	}
	return fmt.Errorf("%q holds %w", dir, ErrNoProject)
}

// ManyConfigsError tells that a project has several configurations, and none
// was named.
type ManyConfigsError struct {
	Dir   string
	Names []string // sorted
}

func (e *ManyConfigsError) Error() string {
	return fmt.Sprintf("%q holds several configurations (%s): choose one with --config", e.Dir, strings.Join(e.Names, ", "))
}

// chooseConfig is the name of the configuration, which may not be there.
func chooseConfig(dir, config string) (string, error) {
	if config != "" {
		return config, nil
	}
	if _, err := os.Stat(filepath.Join(dir, configFile)); err == nil {
		return configFile, nil
	}
	found, err := filepath.Glob(filepath.Join(dir, "pipeline.*.json"))
	if err != nil {
		return "", err
	}
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return configFile, nil
	}
	return "", &ManyConfigsError{dir, found}
}

// readConfig reads a template configuration. It is read as a template is, so
// that its errors have a place too.
func readConfig(dir, name string) (Config, error) {
	body, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return Config{}, fmt.Errorf("reading the template configuration: %w", err)
	}
	t, err := template.Parse(name, body)
	if err != nil {
		return Config{}, err
	}
	var c Config
	for i, key := range t.Root.Keys {
		value := t.Root.Items[i]
		switch key.Text {
		case "Parameters":
			c.Parameters, err = texts(value)
		case "Tags":
			c.Tags, err = texts(value)
		case "StackPolicy":
			c.StackPolicy = template.Canonical(value)
		default:
			err = fmt.Errorf("%s: a template configuration has Parameters, Tags and StackPolicy, not %q", key.Pos, key.Text)
		}
		if err != nil {
			return Config{}, err
		}
	}
	return c, nil
}

func texts(n *template.Node) (map[string]string, error) {
	if n.Kind != template.Map {
		return nil, fmt.Errorf("%s: expected a map of names to strings, not a %s", n.Pos, n.Kind)
	}
	m := make(map[string]string, len(n.Keys))
	for i, key := range n.Keys {
		if n.Items[i].Kind != template.String {
			return nil, fmt.Errorf("%s: the value of %q must be a string, not a %s", n.Items[i].Pos, key.Text, n.Items[i].Kind)
		}
		m[key.Text] = n.Items[i].Text
	}
	return m, nil
}
