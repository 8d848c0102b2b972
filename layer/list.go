package layer

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Pipeline is a layer that has a pipeline of its own.
type Pipeline struct {
	Name          string
	Runtimes      []string
	Architectures []string
	From          string // path in the repository; empty for its top
	Branch        string
	Description   string
	License       string
	Accounts      []string
	Organization  string
	Keep          int
	// Unsaid are parameters of the template that stay as the stack has them, if
	// it is there.
	Unsaid []string
}

// ListParameter is the parameter of the library's pipeline that says where in the
// source the list of layers is.
const ListParameter = "LayersPath"

// maxLayers bounds a list of layers.
const maxLayers = 200

// ReadList reads a list of layers, in YAML or JSON:
//
//	layers:
//	  - common
//	  - name: reports
//	    runtime: python3.13
//	    keep: 5
//
// A line is a name, or what [Pipeline] says with names in lower case; runtime and
// architecture may stand for lists of one.
func ReadList(text []byte) ([]Pipeline, error) {
	var doc struct {
		Layers []yaml.Node `yaml:"layers"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("reading the list of layers: %w", err)
	}
	if doc.Layers == nil {
		return nil, errors.New(`the list of layers has no "layers"`)
	}
	if len(doc.Layers) > maxLayers {
		return nil, fmt.Errorf("the list has %d layers, and may have %d", len(doc.Layers), maxLayers)
	}
	var list []Pipeline
	for i := range doc.Layers {
		p, err := readLine(&doc.Layers[i])
		if err == nil {
			err = p.Check()
		}
		if err == nil && slices.ContainsFunc(list, func(other Pipeline) bool { return other.Name == p.Name }) {
			err = fmt.Errorf("the layer %q is there twice", p.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d of the list of layers: %w", doc.Layers[i].Line, err)
		}
		list = append(list, p)
	}
	return list, nil
}

// fields are what a line of the list may say, and where it goes.
var fields = map[string]func(*Pipeline, *yaml.Node) error{
	"name":     func(p *Pipeline, n *yaml.Node) error { return n.Decode(&p.Name) },
	"runtime":  func(p *Pipeline, n *yaml.Node) error { p.Runtimes = []string{""}; return n.Decode(&p.Runtimes[0]) },
	"runtimes": func(p *Pipeline, n *yaml.Node) error { return n.Decode(&p.Runtimes) },
	"architecture": func(p *Pipeline, n *yaml.Node) error {
		p.Architectures = []string{""}
		return n.Decode(&p.Architectures[0])
	},
	"architectures": func(p *Pipeline, n *yaml.Node) error { return n.Decode(&p.Architectures) },
	"from":          func(p *Pipeline, n *yaml.Node) error { return n.Decode(&p.From) },
	"branch":        func(p *Pipeline, n *yaml.Node) error { return n.Decode(&p.Branch) },
	"description":   func(p *Pipeline, n *yaml.Node) error { return n.Decode(&p.Description) },
	"license":       func(p *Pipeline, n *yaml.Node) error { return n.Decode(&p.License) },
	"accounts":      accountsOf,
	"organization":  func(p *Pipeline, n *yaml.Node) error { return n.Decode(&p.Organization) },
	"keep":          func(p *Pipeline, n *yaml.Node) error { return n.Decode(&p.Keep) },
}

// accountsOf reads accounts as they are written: YAML would read some of them as
// numbers to the base of eight.
func accountsOf(p *Pipeline, n *yaml.Node) error {
	if n.Kind != yaml.SequenceNode {
		return errors.New("accounts are a list")
	}
	for _, item := range n.Content {
		p.Accounts = append(p.Accounts, item.Value)
	}
	return nil
}

func readLine(n *yaml.Node) (Pipeline, error) {
	var p Pipeline
	if n.Kind == yaml.ScalarNode {
		return p, n.Decode(&p.Name)
	}
	if n.Kind != yaml.MappingNode {
		return p, errors.New("it is neither a name nor what is known of a layer")
	}
	for i := 0; i < len(n.Content); i += 2 {
		read, ok := fields[n.Content[i].Value]
		if !ok {
			return p, fmt.Errorf("a layer has no %q", n.Content[i].Value)
		}
		if err := read(&p, n.Content[i+1]); err != nil {
			return p, fmt.Errorf("%s: %w", n.Content[i].Value, err)
		}
	}
	return p, nil
}

// defaultKeep is how many versions are kept where nothing is said.
const defaultKeep = 10

// Check fills in what was not said, and tells why there cannot be such a
// pipeline.
func (p *Pipeline) Check() error {
	if len(p.Runtimes) == 0 {
		p.Runtimes = []string{"python3.13"}
	}
	if p.Branch == "" {
		p.Branch = "main"
	}
	if p.Keep == 0 {
		p.Keep = defaultKeep
	}
	if p.Keep < 1 || p.Keep > 1000 {
		return fmt.Errorf("between 1 and 1,000 versions are kept, not %d", p.Keep)
	}
	if _, err := languageOf(p.Runtimes); err != nil {
		return err
	}
	v := Version{Manifest: Manifest{
		Layer: p.Name, Description: p.Description, License: p.License, Runtimes: p.Runtimes, Architectures: p.Architectures,
		Content: fmt.Sprintf("%064d", 0),
	}, Accounts: p.Accounts, Organization: p.Organization}
	return v.Check()
}

// parameters are those of the pipeline's template.
func (p *Pipeline) parameters() map[string]string {
	return map[string]string{
		"LayerName": p.Name, "Runtimes": strings.Join(p.Runtimes, ","), "Architectures": strings.Join(p.Architectures, ","), "SourcePath": p.From, "SourceBranch": p.Branch,
		"LayerDescription": p.Description, "License": p.License, "Accounts": strings.Join(p.Accounts, ","), "OrganizationId": p.Organization, "KeepVersions": strconv.Itoa(p.Keep),
	}
}
