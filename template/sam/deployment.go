package sam

import (
	"slices"

	"ouro/template"
)

// deployment is a function's DeploymentPreference that is enabled.
type deployment struct {
	function  *resource
	typ       *node
	alarms    *node
	role      *node
	triggers  *node
	tags      *node // nil unless they are propagated
	condition *node // nil unless the function's condition is passed on
}

// Logical ids of what all deployments of a template share.
const (
	deploymentApplication = "ServerlessDeploymentApplication"
	deploymentRole        = "CodeDeployServiceRole"
	deploymentCondition   = "ServerlessCodeDeployCondition"
)

// shiftings are CodeDeploy's own ways to shift traffic.
var shiftings = []string{"Canary10Percent5Minutes", "Canary10Percent10Minutes", "Canary10Percent15Minutes", "Canary10Percent30Minutes",
	"Linear10PercentEvery1Minute", "Linear10PercentEvery2Minutes", "Linear10PercentEvery3Minutes", "Linear10PercentEvery10Minutes", "AllAtOnce"}

// deploymentPreference makes updates of the alias deployments of CodeDeploy.
// The group and what it shares with others are made last (deploymentGroups).
func (c *context) deploymentPreference(r *resource, alias *made) {
	given := r.get("DeploymentPreference")
	if !truthy(given) || c.failed {
		return
	}
	p := at(given.Pos)
	passes := c.passesCondition(r, get(given, "PassthroughCondition"))
	enabled := c.known(given.Get("Enabled"))
	if enabled != nil && (!truthy(enabled) || isString(enabled) && (enabled.Text == "false" || enabled.Text == "False")) {
		return
	}
	hooks := get(given, "Hooks")
	switch {
	case !has(given, "Type"):
		c.invalid(given, r.id, "'DeploymentPreference' is missing required Property 'Type'")
	case hooks != nil && !isMap(hooks):
		c.invalid(hooks, r.id, "'Hooks' property of 'DeploymentPreference' must be a dictionary")
	case alias == nil:
		c.invalid(given, r.id, "'DeploymentPreference' requires AutoPublishAlias property to be specified.")
	}
	if c.failed {
		return
	}
	d := &deployment{function: r, typ: c.known(given.Get("Type")), alarms: get(given, "Alarms"), role: get(given, "Role"),
		triggers: get(given, "TriggerConfigurations")}
	if truthy(r.get("PropagateTags")) && truthy(r.get("Tags")) {
		d.tags = r.get("Tags")
	}
	if passes {
		d.condition = r.node.Get("Condition")
	}
	c.deployments = append(c.deployments, d)
	set(alias.attributes, "UpdatePolicy", p.obj("CodeDeployLambdaAliasUpdate", p.obj(
		"ApplicationName", p.ref(deploymentApplication), "DeploymentGroupName", p.ref(r.id+"DeploymentGroup"),
		"BeforeAllowTrafficHook", clone(get(hooks, "PreTraffic")), "AfterAllowTrafficHook", clone(get(hooks, "PostTraffic")))))
}

// known is n with parameters and mappings looked up.
func (c *context) known(n *node) *node { return c.findInMap(c.resolve(n)) }

// passesCondition is the property PassthroughCondition as a boolean.
func (c *context) passesCondition(r *resource, given *node) bool {
	v := c.known(given)
	switch {
	case v == nil, slices.Contains([]string{"false", "False"}, v.Text):
		return false
	case slices.Contains([]string{"true", "True"}, v.Text):
		return true
	case isFunction(v):
		c.invalid(given, r.id, "Unsupported intrinsic: the only intrinsic functions supported for property PassthroughCondition are FindInMap and parameter Refs.")
	default:
		c.invalid(given, r.id, "Invalid value for property PassthroughCondition.")
	}
	return false
}

// deploymentGroups makes CodeDeploy's application, its role, and a group for
// each function that is deployed by it.
func deploymentGroups(c *context) {
	if len(c.deployments) == 0 {
		return
	}
	first := c.deployments[0].function
	p := first.pos()
	shared := []*made{{id: deploymentApplication, typ: "AWS::CodeDeploy::Application", props: p.obj("ComputePlatform", "Lambda")}}
	if slices.ContainsFunc(c.deployments, func(d *deployment) bool { return !truthy(d.role) }) {
		policy := "service-role/AWSCodeDeployRoleForLambda"
		if c.options.Partition == "aws-iso" || c.options.Partition == "aws-iso-b" {
			policy += "Limited"
		}
		shared = append(shared, &made{id: deploymentRole, typ: "AWS::IAM::Role", props: p.obj(
			"AssumeRolePolicyDocument", trusts(p, "codedeploy.amazonaws.com"), "ManagedPolicyArns", p.texts(c.awsPolicy(policy)))})
	}
	tags, condition := c.sharedTags(p), c.sharedCondition(p)
	for _, m := range shared {
		m.attributes = p.obj("Condition", clone(condition))
		if truthy(tags) {
			set(m.props, "Tags", p.node(tagList(clone(tags))))
		}
		c.place(first, m)
	}
	for _, d := range c.deployments {
		c.failed = false
		c.place(d.function, c.deploymentGroup(d))
	}
}

// sharedTags are the tags of all deployments; the last of a key counts.
func (c *context) sharedTags(p at) *node {
	out := p.obj()
	for _, d := range c.deployments {
		for key, v := range entries(d.tags) {
			set(out, key, v)
		}
	}
	return out
}

// sharedCondition is the name of the condition under which any of the
// deployments happens, nil when one always does. An Fn::Or takes ten
// conditions, so many deployments need several.
func (c *context) sharedCondition(p at) *node {
	var names []string
	for _, d := range c.deployments {
		if d.condition == nil {
			return nil
		}
		if !slices.Contains(names, d.condition.Text) {
			names = append(names, d.condition.Text)
		}
	}
	slices.Sort(names)
	return p.text(c.anyOf(p, names, deploymentCondition))
}

// anyOf is the name of a condition that holds when one of several does: the
// only one, or name, which is made.
func (c *context) anyOf(p at, conditions []string, name string) string {
	const most = 10 // conditions in an Fn::Or
	if len(conditions) == 1 {
		return conditions[0]
	}
	rest := slices.Clone(conditions)
	for left := (len(rest) - 2) / (most - 1); len(rest) > 1; left-- {
		id := name
		if left > 0 {
			id += p.node(left).Text
		}
		or := p.list()
		n := min(most, len(rest))
		for _, condition := range rest[:n] {
			or.Items = append(or.Items, p.obj("Condition", condition))
		}
		rest = append(rest[n:], id)
		c.condition(id, p.obj("Fn::Or", or))
	}
	return name
}

// deploymentGroup is the group of one function.
func (c *context) deploymentGroup(d *deployment) *made {
	p := d.function.pos()
	props := p.obj("ApplicationName", p.ref(deploymentApplication),
		"AutoRollbackConfiguration", p.obj("Enabled", true,
			"Events", p.texts("DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST")),
		"DeploymentConfigName", shifting(clone(d.typ), false),
		"DeploymentStyle", p.obj("DeploymentType", "BLUE_GREEN", "DeploymentOption", "WITH_TRAFFIC_CONTROL"),
		"ServiceRoleArn", p.getAtt(deploymentRole, "Arn"),
		"AlarmConfiguration", c.alarms(d))
	if truthy(d.role) {
		set(props, "ServiceRoleArn", clone(d.role))
	}
	if truthy(d.triggers) {
		set(props, "TriggerConfigurations", clone(d.triggers))
	}
	if d.tags != nil {
		set(props, "Tags", p.node(tagList(clone(d.tags))))
	}
	return &made{id: d.function.id + "DeploymentGroup", typ: "AWS::CodeDeploy::DeploymentGroup", props: props,
		attributes: p.obj("Condition", clone(d.condition))}
}

// shifting is a deployment's type with CodeDeploy's own names made the names
// of its configurations, inside of functions too; inSub says that n is the
// argument of Fn::Sub.
func shifting(n *node, inSub bool) *node {
	p := at(n.Pos)
	switch {
	case isList(n) || isFunction(n):
		name, _ := n.Function()
		for i, item := range n.Items {
			n.Items[i] = shifting(item, name == "Fn::Sub")
		}
	case isString(n) && slices.Contains(shiftings, n.Text):
		sub := p.sub("CodeDeployDefault.Lambda${ConfigName}", "ConfigName", n.Text)
		if inSub {
			return sub.Items[0]
		}
		return sub
	}
	return n
}

// alarms is the AlarmConfiguration of a deployment, nil for none.
func (c *context) alarms(d *deployment) *node {
	if !truthy(d.alarms) || isNoValue(d.alarms) {
		return nil
	}
	name, arg := d.alarms.Function()
	if name != "Fn::If" {
		return c.alarmList(d, d.alarms)
	}
	if !isList(arg) || len(arg.Items) != 3 {
		c.invalid(d.alarms, d.function.id, "Fn::If requires 3 arguments")
		return nil
	}
	return at(d.alarms.Pos).choose(arg.Items[0].Text, c.alarmList(d, arg.Items[1]), c.alarmList(d, arg.Items[2]))
}

func (c *context) alarmList(d *deployment, n *node) *node {
	p := at(n.Pos)
	if n.Kind != template.List {
		c.invalid(n, d.function.id, "Alarms must be a list")
		return p.obj()
	}
	if len(n.Items) == 0 || isNoValue(n.Items[0]) {
		return p.obj()
	}
	list := p.list()
	for _, alarm := range n.Items {
		list.Items = append(list.Items, p.obj("Name", clone(alarm)))
	}
	return p.obj("Enabled", true, "Alarms", list)
}
