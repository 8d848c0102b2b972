package sam

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ouro/template"
)

// connectorKind is AWS::Serverless::Connector.
var connectorKind = kind{
	properties: []property{
		{name: "Source", shape: mapOf(anything), required: true},
		{name: "Destination", shape: either(aMap, listOf(aMap)), required: true},
		{name: "Permissions", shape: listOf(aString), required: true},
	},
	translate: translateConnector,
	turn:      4,
}

const connectorType = prefix + "Connector"

// translateConnector makes what lets the source use each of its destinations.
func translateConnector(c *context, r *resource) {
	destinations := []*node{r.get("Destination")}
	many := isList(destinations[0])
	if many {
		destinations = destinations[0].Items
	}
	for i, d := range destinations {
		suffix := ""
		if many {
			suffix = "Destination" + strconv.Itoa(i)
		}
		destination, why := c.connected(d, r.get("Source"))
		var source *endpoint
		if why == "" {
			source, why = c.connected(r.get("Source"), d)
		}
		if why != "" {
			c.invalid(d, r.id, "%s", why)
			return
		}
		c.connect(r, source, destination, suffix)
	}
	if len(c.made) == 0 {
		c.invalid(r.node, r.id, "'Destination' is an empty list")
	}
	if !c.failed {
		c.replaceDependency(r.id)
	}
}

// connect makes what one pair of resources needs.
func (c *context) connect(r *resource, source, destination *endpoint, suffix string) {
	between := fmt.Sprintf("from %s to %s", source.typ, destination.typ)
	rule := connectors().Get(source.typ + " " + destination.typ)
	if rule == nil {
		c.invalid(r.node, r.id, "Unable to create connector %s; it's not supported or the template is invalid.", between)
		return
	}
	permissions := c.connectorPermissions(r, rule, between)
	f := filler{p: r.pos(), source: source, destination: destination}
	allowed := f.fill(rule.Get("Allow"))
	if f.missing != "" {
		c.invalid(r.node, r.id, "%s is missing.", f.missing)
	}
	if c.failed {
		return
	}
	before := len(c.made)
	c.connectorResources(r, rule, f, allowed, permissions, suffix)
	for _, m := range c.made[before:] {
		c.connectorMetadata(r, m, source, destination)
	}
}

// connectorPermissions are the categories that the connector asks for.
func (c *context) connectorPermissions(r *resource, rule *node, between string) []string {
	var valid, wanted []string
	for name := range entries(rule.Get("Allow")) {
		valid = append(valid, name)
	}
	list := r.get("Permissions")
	given := itemsOf(list)
	if isMap(list) {
		given = list.Keys // a function cannot be looked into: its name is taken for a category
	}
	for _, n := range given {
		if !slices.Contains(wanted, n.Text) {
			wanted = append(wanted, n.Text)
		}
	}
	if len(wanted) == 0 {
		c.invalid(list, r.id, "'Permissions' cannot be empty; valid values are: %s.", strings.Join(valid, ", "))
	}
	for _, name := range wanted {
		if !slices.Contains(valid, name) {
			c.invalid(list, r.id, "Unsupported 'Permissions' provided for connector %s; valid values are: %s.", between, strings.Join(valid, ", "))
		}
	}
	slices.Sort(wanted)
	var combinations []string
	for _, n := range itemsOf(rule.Get("Valid")) {
		var names []string
		for _, item := range n.Items {
			names = append(names, item.Text)
		}
		slices.Sort(names)
		combinations = append(combinations, strings.Join(names, " + "))
	}
	if combinations != nil && !slices.Contains(combinations, strings.Join(wanted, " + ")) {
		c.invalid(list, r.id, "Unsupported 'Permissions' provided for connector %s; valid combinations are: %s.", between, strings.Join(combinations, ", "))
	}
	return wanted
}

// ownPolicies are the policies that destinations have of their own.
var ownPolicies = map[string]struct{ attribute, what, suffix, typ, list string }{
	"queue": {"QueueUrl", "SQS queue URL", "QueuePolicy", "AWS::SQS::QueuePolicy", "Queues"},
	"topic": {"Arn", "SNS topic ARN", "TopicPolicy", "AWS::SNS::TopicPolicy", "Topics"},
}

// connectorResources makes the policy or the permissions.
func (c *context) connectorResources(r *resource, rule *node, f filler, allowed *node, permissions []string, suffix string) {
	p := r.pos()
	statements := p.list()
	for name, s := range entries(allowed) {
		if slices.Contains(permissions, name) && isList(s) {
			statements.Items = append(statements.Items, s.Items...)
		}
	}
	document := p.obj("Version", "2012-10-17", "Statement", statements)
	missing := func(what, end string) {
		c.invalid(r.node, r.id, "Unable to get %s from '%s' resource.", what, end)
	}
	switch on := rule.Get("On").Text; on {
	case "source", "destination":
		end, role := "Source", f.source.role
		if on == "destination" {
			end, role = "Destination", f.destination.role
		}
		if !truthy(role) {
			missing("IAM role name", end)
			return
		}
		m := c.addMain(r, r.id+"Policy"+suffix, "AWS::IAM::ManagedPolicy", p.obj("PolicyDocument", document, "Roles", p.list(clone(role))))
		c.connectorOrder(rule, f, m.id)
	case "queue", "topic":
		policy := ownPolicies[on]
		v := f.destination.value(policy.attribute)
		if !truthy(v) {
			missing(policy.what, "Destination")
			return
		}
		c.addMain(r, r.id+policy.suffix+suffix, policy.typ, p.obj("PolicyDocument", document, policy.list, p.list(clone(v))))
	case "function":
		arn := f.destination.value("Arn")
		if !truthy(arn) {
			missing("Lambda function ARN", "Destination")
			return
		}
		for name, permission := range entries(allowed) {
			if slices.Contains(permissions, name) {
				props := p.obj("Action", "lambda:InvokeFunction", "FunctionName", clone(arn))
				for key, v := range entries(permission) {
					set(props, key, v)
				}
				c.addMain(r, r.id+name+"LambdaPermission"+suffix, "AWS::Lambda::Permission", props)
			}
		}
	}
}

// connectorOrder makes what cannot work without the policy wait for it.
func (c *context) connectorOrder(rule *node, f filler, policy string) {
	var waits []string
	switch rule.Get("Before").Scalar() {
	case "source":
		waits = []string{f.source.id}
	case "mapping":
		waits = c.mappings(f.source.id, f.destination.id)
	}
	if len(waits) != 1 {
		return // a function reads a source once, or the deployment fails anyway
	}
	n := c.resources.Get(waits[0])
	if n == nil {
		return
	}
	list := at(n.Pos).list()
	list.Items = append(list.Items, textsOf(n.Get("DependsOn"))...)
	addOnce(list, at(n.Pos).text(policy), func(n *node) *node { return n })
	set(n, "DependsOn", list)
}

// mappings are the event source mappings from a source to a function.
func (c *context) mappings(source, function string) []string {
	var out []string
	for id, n := range entries(c.resources) {
		if n.Get("Type").Scalar() == "AWS::Lambda::EventSourceMapping" && source != "" && function != "" &&
			referredID(dig(n, "Properties", "FunctionName")) == function &&
			referredID(dig(n, "Properties", "EventSourceArn")) == source {
			out = append(out, id)
		}
	}
	return out
}

// connectorMetadata says on a generated resource which types it connects.
func (c *context) connectorMetadata(r *resource, m *made, source, destination *endpoint) {
	p := r.pos()
	typ := func(e *endpoint) *node {
		name := c.original.Get(e.id).Get("Type").Scalar()
		if name == "" {
			name = e.typ
		}
		return p.obj("Type", name)
	}
	if m.attributes.Get("Metadata") == nil || m.attributes.Get("Metadata").Kind != template.Map {
		set(m.attributes, "Metadata", p.obj())
	}
	set(m.attributes.Get("Metadata"), "aws:sam:connectors", p.obj(r.id, p.obj("Source", typ(source), "Destination", typ(destination))))
}

// replaceDependency makes what depends on the connector depend on what it
// turned into.
func (c *context) replaceDependency(id string) {
	for _, n := range c.resources.Items {
		on := textsOf(n.Get("DependsOn"))
		if !slices.ContainsFunc(on, func(d *node) bool { return isString(d) && d.Text == id }) {
			continue
		}
		list := at(n.Pos).list()
		for _, d := range on {
			if d.Text != id {
				list.Items = append(list.Items, d)
			}
		}
		for _, m := range c.made {
			addOnce(list, at(n.Pos).text(m.id), func(n *node) *node { return n })
		}
		set(n, "DependsOn", list)
	}
}
