package sam

import (
	"slices"

	"ouro/template"
)

// destinationTypes are where the result of an asynchronous call can go; the
// first two are made when no ARN is given.
var destinationTypes = []string{"SQS", "SNS", "EventBridge", "Lambda", "S3Bucket"}

// destinationPolicies are the statements that let the function send there:
// the end of the policy's name, and its actions.
var destinationPolicies = map[string][]string{
	"SQS":         {"SQSPolicy", "sqs:SendMessage"},
	"SNS":         {"SNSPolicy", "sns:publish"},
	"EventBridge": {"EventBridgePolicy", "events:PutEvents"},
	"Lambda":      {"LambdaPolicy", "lambda:InvokeFunction"},
}

// invokeConfig makes what EventInvokeConfig asks for, and answers the inline
// policies that the function's role needs for it.
func (c *context) invokeConfig(r *resource, alias *made) []*node {
	given := r.get("EventInvokeConfig")
	if !truthy(given) || c.failed {
		return nil
	}
	config := c.resolve(given)
	p := at(given.Pos)
	id := r.id + "EventInvokeConfig"
	var policies []*node
	destinations := p.obj()
	wanted := get(config, "DestinationConfig")
	if truthy(wanted) && !isMap(wanted) {
		c.invalid(wanted, r.id, "Property 'EventInvokeConfig.DestinationConfig' should be a map.")
	}
	for _, outcome := range []string{"OnSuccess", "OnFailure"} {
		if d := get(wanted, outcome); d != nil {
			// A destination in Globals is made once, by the first function.
			shared := dig(c.globals, "Function", "EventInvokeConfig", "DestinationConfig", outcome)
			if isMap(shared) && shared.Pos == d.Pos {
				d = c.resolve(shared)
			}
			to, policy := c.destination(r, d, outcome, id)
			if isMap(shared) && shared.Pos == d.Pos {
				set(shared, "Destination", clone(to))
			}
			set(destinations, outcome, p.obj("Destination", to))
			policies = append(policies, policy)
		}
	}
	props := p.obj("FunctionName", p.ref(r.id), "Qualifier", "$LATEST", "DestinationConfig", destinations,
		"MaximumEventAgeInSeconds", get(config, "MaximumEventAgeInSeconds"), "MaximumRetryAttempts", get(config, "MaximumRetryAttempts"))
	m := c.addMain(r, id, "AWS::Lambda::EventInvokeConfig", props)
	remove(m.attributes, "DependsOn")
	if alias != nil {
		set(props, "Qualifier", clone(alias.props.Get("Name")))
		set(m.attributes, "DependsOn", p.texts(alias.id))
	}
	return policies
}

// destination is the ARN of a destination, of a generated queue or topic when
// none is given, and the policy to send to it.
func (c *context) destination(r *resource, d *node, outcome, id string) (arn, policy *node) {
	p := at(d.Pos)
	if !isMap(d) {
		c.invalid(d, r.id, "Property 'EventInvokeConfig.DestinationConfig.%s' should be a map.", outcome)
		return p.noValue(), p.obj()
	}
	typ := get(d, "Type").Scalar()
	if !slices.Contains(destinationTypes, typ) {
		c.invalid(d, r.id, "'Type: %s' must be one of %s", shown(get(d, "Type")), quoted(destinationTypes))
		return p.noValue(), p.obj()
	}
	arn = get(d, "Destination")
	condition, other := c.missingWhen(r, arn, id)
	if arn == nil || condition != "" {
		if typ != "SQS" && typ != "SNS" {
			c.invalid(d, r.id, "Destination is required if Type is not ['SQS', 'SNS']")
			return p.noValue(), p.obj()
		}
		made := c.destinationResource(r, p, id+outcome, typ, condition)
		if condition != "" {
			made = p.choose(condition, made, other)
		}
		arn = made
	}
	return clone(arn), destinationPolicy(p, typ, id+outcome, arn)
}

// destinationResource makes the queue or topic and answers its ARN.
func (c *context) destinationResource(r *resource, p at, id, typ, condition string) *node {
	var m *made
	var arn *node
	if typ == "SQS" {
		m = c.add(r, id+"Queue", "AWS::SQS::Queue", p.obj())
		arn = p.getAtt(m.id, "Arn")
	} else {
		m = c.add(r, id+"Topic", "AWS::SNS::Topic", p.obj())
		arn = p.ref(m.id)
	}
	if combined := c.and(r, m.attributes.Get("Condition").Scalar(), condition); combined != "" {
		set(m.attributes, "Condition", p.text(combined))
	}
	return arn
}

func destinationPolicy(p at, typ, id string, arn *node) *node {
	if typ == "S3Bucket" {
		return inlinePolicy(p, id+"S3Policy", allow(p, "s3:PutObject", p.join("/", clone(arn), "*")), allow(p, "s3:ListBucket", arn))
	}
	policy := destinationPolicies[typ]
	return inlinePolicy(p, id+policy[0], allow(p, policy[1], arn))
}

// missingWhen takes a value of the form {"Fn::If": [condition, a, b]} where a
// or b is AWS::NoValue apart: the name of a condition (made, if need be) under
// which nothing is given, and the value that is given otherwise.
func (c *context) missingWhen(r *resource, v *node, id string) (condition string, otherwise *node) {
	name, arg := v.Function()
	if name != "Fn::If" {
		return "", nil
	}
	if !isList(arg) || len(arg.Items) != 3 {
		c.invalid(v, id, "Malformed 'Destination' property: Fn::If requires 3 arguments.")
		return "", nil
	}
	test, yes, no := arg.Items[0].Text, arg.Items[1], arg.Items[2]
	switch {
	case isNoValue(yes) == isNoValue(no):
		return "", nil
	case isNoValue(yes):
		return test, no
	}
	p := at(v.Pos)
	not := "NOT" + test + shortHash(id)
	c.condition(not, p.obj("Fn::Not", p.list(p.obj("Condition", test))))
	return not, yes
}

// and is a condition that holds when both do; either may be "".
func (c *context) and(r *resource, a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	p := r.pos()
	name := a + "AND" + b + shortHash(r.id)
	c.condition(name, p.obj("Fn::And", p.list(p.obj("Condition", p.obj("Condition", a)), p.obj("Condition", p.obj("Condition", b)))))
	return name
}

// condition adds one to the template's Conditions.
func (c *context) condition(name string, v *node) {
	conditions := c.root.Get("Conditions")
	if conditions == nil || conditions.Kind != template.Map {
		conditions = at(v.Pos).obj()
		set(c.root, "Conditions", conditions)
	}
	set(conditions, name, v)
}

// isNoValue tells whether n is {"Ref": "AWS::NoValue"}.
func isNoValue(n *node) bool {
	name, arg := n.Function()
	return name == "Ref" && arg.Scalar() == "AWS::NoValue"
}
