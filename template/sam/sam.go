// Package sam rewrites a template that names AWS::Serverless-2016-10-31 into
// the plain CloudFormation template that AWS's transform makes of it: the same
// resources under the same logical ids, so that a stack that AWS deployed and
// one that this package prepared do not differ.
//
// It is pure, as package template is. What AWS's transform asks of the account
// (which policies are managed by AWS, what an application of the repository
// takes) is answered from the template and the options alone.
//
// Messages are those of AWS's transform, because its clients match on them.
package sam

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ouro/template"
)

// Name is the transform, as a template's Transform section says it.
const Name = "AWS::Serverless-2016-10-31"

// prefix of the types that the transform rewrites.
const prefix = "AWS::Serverless::"

// Options say where the template will be deployed.
type Options struct {
	Region    string // "us-east-1" when empty
	Partition string // follows from the region when empty
	AccountID string // not looked at: AWS's transform leaves AWS::AccountId to CloudFormation, too

	// Parameters are the values of the template's parameters; those not
	// given have their defaults. The transform looks into them where a
	// logical id or a decision hangs on a value: the code of a function, the
	// name of an alias, the stage of an API.
	Parameters map[string]any

	// Application tells where the template of an application of the
	// Serverless Application Repository lies. When it is nil, templates
	// with such applications are refused.
	Application func(id, version string) (url string, err error)

	// Now is the time of the transform, which goes into the names of
	// deployments that are made every time (AlwaysDeploy). It is the
	// clock's when zero.
	Now time.Time
}

// Problem is one thing for which the transform refuses a template.
type Problem struct {
	Pos     template.Pos
	ID      string // logical id of the resource, "" for the template
	Message string // a sentence in SAM's words
}

// Error is a template that the transform refuses.
type Error struct {
	Problems []Problem
}

// Error is the whole sentence, as CloudFormation passes it on.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Invalid Serverless Application Specification document. Number of errors found: %d.", len(e.Problems))
	for _, p := range e.Problems {
		b.WriteString(" " + p.Message)
	}
	return b.String()
}

// Transform is t without its AWS::Serverless types. Neither t nor what it holds
// is changed. The error is always an *Error.
func Transform(t *template.Template, o Options) (*template.Template, error) {
	c := newContext(t, o)
	for _, step := range []func(*context){
		checkResources,
		defaultDefinitions, // APIs that say nothing of their routes
		implicitAPIs,       // ServerlessRestApi and ServerlessHttpApi, for events that name no API
		mergeGlobals,
		checkSize,
		embeddedConnectors,
		translate,
		deploymentGroups,
		resolveReferences,
	} {
		step(c)
		if c.fatal {
			break
		}
	}
	if len(c.problems) > 0 {
		return nil, &Error{Problems: c.problems}
	}
	c.dropTransform()
	return &template.Template{Root: c.root, File: t.File}, nil
}

// A kind is a type of SAM's and how it is rewritten.
type kind struct {
	properties []property
	translate  func(*context, *resource)

	// refers are the words after the dot in !Ref MyFunction.Alias, with the
	// type of the generated resource that is meant.
	refers map[string]string

	// turn orders the types: functions and state machines first, because
	// their events add routes to APIs; connectors last, because they look at
	// plain resources.
	turn int
}

// ownKinds are the types around functions, by what follows AWS::Serverless::.
var ownKinds = map[string]kind{
	"Function":         functionKind,
	"LayerVersion":     layerKind,
	"CapacityProvider": capacityKind,
	"Connector":        connectorKind,
}

// kinds are all types that the transform rewrites.
func kinds(name string) (kind, bool) {
	if k, ok := ownKinds[name]; ok {
		return k, true
	}
	return apiKinds(name)
}

// checkResources refuses a template whose sections are not what they must be,
// before anything looks into them.
func checkResources(c *context) {
	if c.resources == nil || c.resources.Kind != template.Map || len(c.resources.Keys) == 0 {
		c.refuse(c.root, "'Resources' section is required")
		return
	}
	for _, n := range c.resources.Items {
		if n.Kind != template.Map {
			c.refuse(n, "All 'Resources' must be Objects. If you're using YAML, this may be an indentation issue.")
			return
		}
	}
	if m := c.root.Get("Mappings"); m != nil && m.Kind != template.Map {
		c.refuse(m, "'Mappings' or 'Parameters' is either null or not a valid dictionary.")
		return
	}
	for id, n := range entries(c.resources) {
		p := n.Get("Properties")
		typ := n.Get("Type").Scalar()
		if strings.HasPrefix(typ, prefix) && typ != connectorType && p != nil && p.Kind != template.Map {
			c.invalid(p, id, "Attribute 'Properties' should be a map.")
			c.fatal = true
			return
		}
		if condition := n.Get("Condition"); truthy(condition) && !isString(condition) {
			c.refuse(condition, "Every Condition member must be a string.")
			return
		}
	}
}

// translate rewrites one SAM resource after the other.
func translate(c *context) {
	type job struct {
		*resource
		kind
	}
	original := *c.resources
	original.Keys, original.Items = slices.Clone(c.resources.Keys), slices.Clone(c.resources.Items)
	c.original = &original
	var jobs []job
	for r := range c.all(prefix) {
		if k, ok := kinds(strings.TrimPrefix(r.typ, prefix)); ok {
			jobs = append(jobs, job{r, k})
		}
	}
	slices.SortStableFunc(jobs, func(a, b job) int { return a.turn - b.turn })
	for _, j := range jobs {
		if c.fatal {
			return
		}
		c.begin(j.resource)
		if c.checkProperties(j.resource, j.properties); !c.failed {
			j.translate(c, j.resource)
		}
		c.finish(j.resource, j.refers)
	}
}

// dropTransform takes the transform's name off the template.
func (c *context) dropTransform() {
	n := c.root.Get("Transform")
	if n == nil {
		return
	}
	if n.Kind == template.List {
		n.Items = slices.DeleteFunc(n.Items, func(m *node) bool { return m.Scalar() == Name })
		if len(n.Items) > 0 {
			return
		}
	}
	remove(c.root, "Transform")
}
