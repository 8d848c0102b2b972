package sam

import (
	_ "embed"
	"strings"
	"sync"

	"ouro/regex"
	"ouro/template"
)

//go:embed policies.yaml
var policiesYAML []byte

// policyTemplates are SAM's policy templates; the file says how to read them.
var policyTemplates = sync.OnceValue(func() *node { return embedded("policies.yaml", policiesYAML) })

// policyStatement is the policy document of {"TemplateName": {parameters}}.
func (c *context) policyStatement(r *resource, n *node) *node {
	p := at(n.Pos)
	name, values := n.Keys[0].Text, n.Items[0]
	if !isMap(values) {
		c.invalid(n, r.id, "Must specify valid parameter values for policy template '%s'", name)
		return p.obj()
	}
	policy := policyTemplates().Get(name)
	var missing []string
	for _, parameter := range itemsOf(policy.Get("Parameters")) {
		if !has(values, parameter.Text) {
			missing = append(missing, parameter.Text)
		}
	}
	if len(missing) > 0 {
		c.invalid(n, r.id, "Following required parameters of template '%s' don't have values: %s", name, quoted(missing))
		return p.obj()
	}
	statements := p.list()
	for _, s := range policy.Get("Statement").Items {
		out := p.obj("Effect", "Allow")
		for key, v := range entries(s) {
			set(out, key, fillPolicy(p, v, values))
		}
		statements.Items = append(statements.Items, out)
	}
	return p.obj("Statement", statements)
}

// longARN is what shortARN finds, written out.
const longARN = "arn:$${AWS::Partition}:$1:$${AWS::Region}:$${AWS::AccountId}:"

var (
	shortARN       = regex.New(`^~([a-z0-9-]+):`)
	policyVariable = regex.New(`\$\{([A-Za-z]+)\}`)
)

// fillPolicy is a part of a policy template with the values of its variables.
func fillPolicy(p at, n, values *node) *node {
	if n.Kind != template.String {
		out := *n
		out.Pos, out.Items = template.Pos(p), nil
		for _, item := range n.Items {
			out.Items = append(out.Items, fillPolicy(p, item, values))
		}
		return &out
	}
	text := shortARN().ReplaceAllString(n.Text, longARN)
	if !strings.Contains(text, "${") {
		return p.text(text)
	}
	variables := p.obj()
	for _, m := range policyVariable().FindAllStringSubmatch(text, -1) {
		for parameter, v := range entries(values) {
			if strings.EqualFold(parameter, m[1]) {
				set(variables, m[1], clone(v))
			}
		}
	}
	if len(variables.Keys) == 0 {
		return p.sub(text)
	}
	return p.obj("Fn::Sub", p.list(text, variables))
}
