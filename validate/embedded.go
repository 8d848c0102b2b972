package validate

import (
	"strings"

	"ouro/regex"
	"ouro/template"
)

var variable = regex.New(`\$\{([A-Za-z0-9:]+)(?:\.[A-Za-z0-9.]+)?\}`)

// variables warns of texts that look as if somebody forgot Fn::Sub: they have
// ${Name}, and Name is something that the template knows. Texts of several
// lines are scripts, which have variables of their own.
func (c *checker) variables() {
	known := map[string]bool{}
	for name := range c.declared {
		known[name] = true
	}
	for _, r := range c.t.Resources() {
		known[r.LogicalID] = true
	}
	for _, name := range []string{"Resources", "Outputs"} {
		if section := c.t.Root.Get(name); section != nil {
			c.variablesIn(section, known)
		}
	}
}

func (c *checker) variablesIn(n *template.Node, known map[string]bool) {
	if name, arg := n.Function(); name == "Fn::Sub" {
		if arg.Kind == template.List && len(arg.Items) == 2 {
			c.variablesIn(arg.Items[1], known)
		}
		return
	}
	for i, item := range n.Items {
		if n.Kind == template.Map && ownVariables[n.Keys[i].Text] {
			continue
		}
		c.variablesIn(item, known)
	}
	if n.Kind != template.String || !strings.Contains(n.Text, "${") || strings.Contains(n.Text, "\n") {
		return
	}
	for _, m := range variable().FindAllStringSubmatch(n.Text, -1) {
		if known[m[1]] || strings.HasPrefix(m[1], "AWS::") {
			c.add(n.Pos, "missing-sub", "%s stands in a text that no Fn::Sub replaces", m[0])
			return
		}
	}
}

// ownVariables are parts of templates where ${…} is somebody else's: shells,
// state machines, pipelines, SAM's substitutions.
var ownVariables = map[string]bool{
	"UserData": true, "AWS::CloudFormation::Init": true, "BuildSpec": true, "Definition": true, "DefinitionString": true,
	"DefinitionBody": true, "Metadata": true, "Body": true, "Fn::Transform": true, "Code": true, "InlineCode": true,
	"RequestMappingTemplate": true, "ResponseMappingTemplate": true, "TemplateBody": true,
}
