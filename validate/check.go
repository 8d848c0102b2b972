package validate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ouro/spec"
	"ouro/template"
)

// checker is the check of one template against spec.
type checker struct {
	t        *template.Template
	findings []Finding
	types    map[string]*spec.Type         // of resources, those that are known
	declared map[string]template.Parameter // parameters
	// where the walk is: the resource's type, and the properties down to it
	typeName string
	path     []string
	steps    int // values that were looked at
}

// Bounds on what is done for one template: a person reads no more findings
// than that, and no template that AWS takes needs as many steps.
const (
	maxFindings = 1000
	maxSteps    = 5_000_000
)

func (c *checker) full() bool { return len(c.findings) >= maxFindings || c.steps >= maxSteps }

func (c *checker) add(pos template.Pos, id, format string, args ...any) {
	if c.full() {
		return
	}
	c.findings = append(c.findings, Finding{Pos: pos, ID: id, Severity: severityOf(id), Message: fmt.Sprintf(format, args...)})
}

// checkTemplate finds everything that can be found in a template without
// other files.
func checkTemplate(ctx context.Context, t *template.Template) []Finding {
	e := expand(ctx, t)
	findings := e.failed
	open := opening(t)
	for _, p := range e.t.Check() {
		if !open(p) && (e.whole || !unfinished[p.ID]) {
			findings = append(findings, Finding{Pos: p.Pos, Severity: p.Severity, ID: p.ID, Message: p.Message})
		}
	}
	c := &checker{}
	if e.whole {
		c.against(e.t)
		if e.oneWay {
			c.against(t)
		}
		for _, p := range t.Unused() {
			c.add(p.Pos, p.ID, "%s", p.Message)
		}
	}
	c.take(t)
	c.variables()
	c.secrets()
	return withoutIgnored(t, append(findings, c.findings...))
}

// unfinished are problems that a macro which did not run may have solved: SAM
// draws other lines between resources than its source does, and leaves nulls
// in state machines out.
var unfinished = map[string]bool{"circular-dependency": true, "null": true}

// take makes t the template that is checked.
func (c *checker) take(t *template.Template) {
	c.t, c.declared = t, map[string]template.Parameter{}
	for _, p := range t.Parameters() {
		c.declared[p.Name] = p
	}
}

// against checks a template against spec.
func (c *checker) against(t *template.Template) {
	c.take(t)
	c.resources()
	c.attributes()
	c.outputs()
}

// resources checks the properties of every resource whose type is known.
func (c *checker) resources() {
	resources := c.t.Resources()
	c.types = make(map[string]*spec.Type, len(resources))
	for _, r := range resources {
		if known := c.typeOf(r); known != nil {
			c.types[r.LogicalID] = known
		}
	}
	for _, r := range resources {
		if known := c.types[r.LogicalID]; known != nil {
			c.typeName, c.path = r.Type, c.path[:0]
			c.properties(r, known)
		}
	}
}

// typeOf is what spec knows of a resource, nil for what it does not check.
func (c *checker) typeOf(r template.Resource) *spec.Type {
	if foreign(r.Type) {
		c.serviceToken(r)
		return nil
	}
	known, ok := spec.Lookup(r.Type)
	switch {
	case c.full(): // a suggestion is not for nothing
		return nil
	case !ok && strings.HasPrefix(r.Type, "AWS::"):
		c.add(r.Node.Get("Type").Pos, "unknown-type", "AWS has no resource type %q%s", r.Type, didYouMean(r.Type, spec.Names()))
	case !ok: // a third party's, which an account may have
	case slices.Contains(c.t.Transforms(), known.Transform): // its transform has its own rules
	case known.Transform != "":
		c.add(r.Node.Get("Type").Pos, "missing-transform", "the type %q exists only in templates with Transform: %s", r.Type, known.Transform)
	default:
		return known
	}
	return nil
}

func (c *checker) properties(r template.Resource, known *spec.Type) {
	name, _ := r.Properties.Function()
	switch {
	case absent(r.Properties):
		c.object(nil, r.Pos, known.Properties)
	case name == "" && r.Properties.Kind == template.Map:
		c.object(r.Properties, r.Pos, known.Properties)
	}
}

// foreign tells whether a type's properties are somebody else's business: a
// module's, a custom resource's function, or what the CDK notes of itself.
func foreign(typeName string) bool {
	return strings.HasSuffix(typeName, "::MODULE") || custom(typeName) || typeName == "AWS::CDK::Metadata"
}

func custom(typeName string) bool {
	return strings.HasPrefix(typeName, "Custom::") || typeName == "AWS::CloudFormation::CustomResource"
}

// serviceToken checks the one thing that every custom resource must say.
func (c *checker) serviceToken(r template.Resource) {
	if !custom(r.Type) || r.Properties.Get("Fn::Transform") != nil || !absent(r.Properties.Get("ServiceToken")) {
		return
	}
	if name, _ := r.Properties.Function(); name == "" {
		c.add(r.Pos, "missing-property", "%s must have a property %q, which says who makes it", r.Type, "ServiceToken")
	}
}

// outputs checks that what an output shows is a text.
func (c *checker) outputs() {
	for _, o := range c.t.Outputs() {
		if o.Value != nil {
			c.typeName, c.path = "output "+quoted(o.Name), c.path[:0]
			c.value(o.Value, &spec.Value{Kind: spec.String})
		}
	}
}

// attributes checks that what Fn::GetAtt and Fn::Sub ask of a resource is
// something that its type answers.
func (c *checker) attributes() {
	template.Uses(c.t.Root, func(u template.Use) {
		known := c.types[u.Name]
		if p, ok := c.declared[u.Name]; ok && u.InText && p.IsList() {
			c.add(u.At.Pos, "wrong-type", "${%s} in Fn::Sub must be a text, the parameter gives a list", u.Name)
		}
		if u.Attribute == "" || known == nil || c.full() || answers(known, u.Attribute) {
			return
		}
		names := make([]string, len(known.Attributes))
		for i, a := range known.Attributes {
			names[i] = a.Name
		}
		hint := didYouMean(u.Attribute, names)
		if hint == "" && len(names) > 0 && len(names) <= 6 {
			hint = "; there is " + strings.Join(names, ", ")
		}
		c.add(u.At.Pos, "unresolved-attribute", "%s %q has no attribute %q%s", known.Name, u.Name, u.Attribute, hint)
	})
}

// answers tells whether a type has an attribute. Some have attributes whose
// names are the template's author's: the outputs of stacks and of products.
func answers(t *spec.Type, attribute string) bool {
	if t.Name == "AWS::CloudFormation::Stack" || t.Name == "AWS::ServiceCatalog::CloudFormationProvisionedProduct" {
		if strings.HasPrefix(attribute, "Outputs.") {
			return true
		}
	}
	_, ok := t.Attribute(attribute)
	return ok
}
