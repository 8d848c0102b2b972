package sam

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"ouro/regex"
	"ouro/template"
)

type node = template.Node

// context is one run of the transform. Its tree is a copy of the input, which
// the steps may change as they like.
type context struct {
	root      *node
	resources *node // the section Resources of root
	globals   *node // the section Globals, which root does not have any more
	original  *node // Resources as they were before the first was rewritten
	options   Options
	values    map[string]*node // parameters and pseudo parameters that are known

	problems []Problem
	failed   bool // the resource in hand has a problem
	fatal    bool // there is no use in going on
	copied   int  // values that were repeated

	made        []*made                      // what the resource in hand turned into
	changed     []*node                      // properties of other resources that it changed
	references  map[string]map[string]string // logical id → word after the dot → logical id of the generated resource
	renamed     map[string]string            // logical ids that got a hash
	deployments []*deployment
	apis        apiState
}

// resource is a resource of the template.
type resource struct {
	id    string
	typ   string
	node  *node
	props *node // never nil for one of SAM's
}

// pos is the place that the resource's generated parts are said to come from.
func (r *resource) pos() at { return at(r.node.Pos) }

// get is the property of that name, nil when it is not set or null.
func (r *resource) get(name string) *node { return get(r.props, name) }

// made is a resource that the transform makes.
type made struct {
	id         string
	typ        string
	attributes *node // Condition, DependsOn, …; never nil
	props      *node
}

func newContext(t *template.Template, o Options) *context {
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Partition == "" {
		o.Partition = template.Partition(o.Region)
	}
	c := &context{root: clone(t.Root), options: o, references: map[string]map[string]string{}, renamed: map[string]string{}}
	c.resources = c.root.Get("Resources")
	c.values = parameterValues(c.root, o)
	return c
}

// all are the resources whose type begins with typ, in the order of ids. A
// resource of SAM's gets Properties if it has none.
func (c *context) all(typ string) iter.Seq[*resource] {
	return func(yield func(*resource) bool) {
		for _, id := range c.ids() {
			if r := c.find(id); r != nil && strings.HasPrefix(r.typ, typ) && !yield(r) {
				return
			}
		}
	}
}

// find is the resource of that logical id as it is now, nil when there is none.
func (c *context) find(id string) *resource {
	n := c.resources.Get(id)
	if n == nil || n.Kind != template.Map {
		return nil
	}
	r := &resource{id: id, node: n, props: get(n, "Properties")}
	if typ := n.Get("Type"); typ != nil && typ.Kind == template.String {
		r.typ = typ.Text
	}
	if r.props == nil && strings.HasPrefix(r.typ, prefix) {
		r.props = at(n.Pos).obj()
		set(n, "Properties", r.props)
	}
	return r
}

// begin takes a SAM resource in hand.
func (c *context) begin(r *resource) {
	c.failed, c.made, c.changed = false, nil, nil
	if !alphanumeric().MatchString(r.id) {
		c.invalid(r.node, r.id, "Logical ids must be alphanumeric.")
	}
}

var alphanumeric = regex.New(`^[A-Za-z0-9]+$`)

// add makes a resource of the one in hand. It carries on the attributes that
// SAM gives to everything that it makes of a resource: Condition,
// DeletionPolicy, UpdateReplacePolicy.
func (c *context) add(r *resource, id, typ string, props *node) *made {
	m := c.addBare(r, id, typ, props)
	m.attributes = r.attributes("Condition", "DeletionPolicy", "UpdateReplacePolicy")
	return m
}

// addBare makes a resource without attributes.
func (c *context) addBare(r *resource, id, typ string, props *node) *made {
	if !alphanumeric().MatchString(id) {
		c.invalid(r.node, id, "Logical ids must be alphanumeric.")
	}
	m := &made{id: id, typ: typ, attributes: r.pos().obj(), props: props}
	c.made = append(c.made, m)
	return m
}

// addMain makes the resource that stands for r itself: all of its attributes
// go along, DependsOn too.
func (c *context) addMain(r *resource, id, typ string, props *node) *made {
	m := c.addBare(r, id, typ, props)
	m.attributes = r.attributes("DeletionPolicy", "UpdatePolicy", "Condition", "UpdateReplacePolicy", "Metadata", "DependsOn")
	return m
}

// attributes are those of r's that are named and set.
func (r *resource) attributes(names ...string) *node {
	out := r.pos().obj()
	for _, name := range names {
		if v := r.node.Get(name); v != nil {
			set(out, name, clone(v))
		}
	}
	return out
}

// depend makes m wait for the resource of that id.
func (m *made) depend(id string) {
	on := m.attributes.Get("DependsOn")
	p := at(m.attributes.Pos)
	switch {
	case on == nil:
		on = p.list()
	case on.Kind != template.List:
		on = p.list(on)
	}
	on.Items = append(on.Items, p.text(id))
	set(m.attributes, "DependsOn", on)
}

// finish puts what the resource in hand turned into in its place.
func (c *context) finish(r *resource, refers map[string]string) {
	if c.failed {
		return
	}
	remove(c.resources, r.id)
	for _, m := range c.made {
		c.place(r, m)
	}
	for word, typ := range refers {
		for _, m := range c.made {
			if m.typ == typ {
				c.refer(r.id, word, m.id)
			}
		}
	}
}

// refer makes !Ref id.word mean the resource target.
func (c *context) refer(id, word, target string) {
	if c.references[id] == nil {
		c.references[id] = map[string]string{}
	}
	c.references[id][word] = target
}

// place adds a generated resource to the template, unless its id is taken.
func (c *context) place(r *resource, m *made) {
	if old := c.original.Get(m.id); old != nil && !succeeds(m.typ, old.Get("Type").Scalar()) {
		c.taken(r.node, r.id, m.id, m.typ)
		return
	}
	n := r.pos().obj("Type", m.typ)
	n.Keys = append(n.Keys, m.attributes.Keys...)
	n.Items = append(n.Items, m.attributes.Items...)
	if m.props != nil {
		set(n, "Properties", m.props)
	}
	set(c.resources, m.id, n)
}

// taken says that a resource would turn into one whose id another has.
func (c *context) taken(where *node, id, other, typ string) {
	c.problem(where, id, fmt.Sprintf("Transforming resource with id [%s] attempts to create a new resource with id [%s] and type %q. "+
		"A resource with that id already exists within this template. Please use a different id for that resource.", id, other, typ))
}

// succeeds tells whether a generated resource may have the id of one in the
// template: it is that resource's own rewriting.
func succeeds(typ, old string) bool {
	return slices.Contains(successors[typ], old)
}

var successors = map[string][]string{
	"AWS::Lambda::Function":              {"AWS::Serverless::Function"},
	"AWS::Lambda::LayerVersion":          {"AWS::Serverless::LayerVersion"},
	"AWS::Lambda::CapacityProvider":      {"AWS::Serverless::CapacityProvider"},
	"AWS::ApiGateway::RestApi":           {"AWS::Serverless::Api"},
	"AWS::ApiGatewayV2::Api":             {"AWS::Serverless::HttpApi", "AWS::Serverless::WebSocketApi"},
	"AWS::S3::Bucket":                    {"AWS::S3::Bucket"},
	"AWS::SNS::Topic":                    {"AWS::SNS::Topic"},
	"AWS::DynamoDB::Table":               {"AWS::Serverless::SimpleTable"},
	"AWS::CloudFormation::Stack":         {"AWS::Serverless::Application"},
	"AWS::Cognito::UserPool":             {"AWS::Cognito::UserPool"},
	"AWS::ApiGateway::DomainName":        {"AWS::ApiGateway::DomainName"},
	"AWS::ApiGateway::BasePathMapping":   {"AWS::ApiGateway::BasePathMapping"},
	"AWS::ApiGateway::DomainNameV2":      {"AWS::ApiGateway::DomainNameV2"},
	"AWS::ApiGateway::BasePathMappingV2": {"AWS::ApiGateway::BasePathMappingV2"},
	"AWS::StepFunctions::StateMachine":   {"AWS::Serverless::StateMachine"},
	"AWS::AppSync::GraphQLApi":           {"AWS::Serverless::GraphQLApi"},
}
