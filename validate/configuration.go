package validate

import (
	"path/filepath"
	"slices"

	"ouro/template"
)

// configuration is a file of parameters, tags and a stack policy, as
// CodePipeline's CloudFormation actions take it
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-cfn-artifacts.html#w2ab1c21c15c15).
type configuration struct {
	pos    template.Pos // of Parameters; none when the file cannot be read
	given  []setting
	faults []Finding
}

// looksLikeConfiguration tells whether a file may be a configuration: JSON
// with nothing else in it than one has. Other tools have files of the same
// outline, so that only a template can tell for certain.
func looksLikeConfiguration(t *template.Template) bool {
	if filepath.Ext(t.File) != ".json" || t.Root.Get("Parameters") == nil {
		return false
	}
	return !slices.ContainsFunc(t.Root.Keys, func(k *template.Node) bool { return !slices.Contains(configurationMembers, k.Text) })
}

var configurationMembers = []string{"Parameters", "Tags", "StackPolicy"}

// readConfiguration reads what a pipeline takes for a configuration, and notes
// what it would not take.
func readConfiguration(t *template.Template) *configuration {
	c := &configuration{pos: t.Root.Pos}
	for i, k := range t.Root.Keys {
		n := t.Root.Items[i]
		switch {
		case !slices.Contains(configurationMembers, k.Text):
			c.fault(k.Pos, "a template configuration has Parameters, Tags and StackPolicy, not "+quoted(k.Text))
		case n.Kind != template.Map:
			c.fault(n.Pos, k.Text+" must be a map, this is a "+n.Kind.String())
		case k.Text != "StackPolicy":
			c.texts(n)
		}
		if k.Text == "Parameters" && n.Kind == template.Map {
			c.pos, c.given = n.Pos, settings(n)
		}
	}
	return c
}

func (c *configuration) texts(n *template.Node) {
	for i, k := range n.Keys {
		if item := n.Items[i]; item.Kind != template.String {
			c.fault(item.Pos, "the value of "+quoted(k.Text)+" must be a string, this is a "+item.Kind.String())
		}
	}
}

func (c *configuration) fault(pos template.Pos, message string) {
	c.faults = append(c.faults, Finding{Pos: pos, ID: "configuration-shape", Severity: refused, Message: message})
}
