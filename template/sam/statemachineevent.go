package sam

import "ouro/template"

// machineEventKinds are the types of a state machine's events.
func machineEventKinds(typ string) (eventKind, bool) {
	k, ok := machineEvents[typ]
	return k, ok
}

var machineEvents = map[string]eventKind{
	"Schedule":        {machineScheduleProperties, machineSchedule, nil},
	"ScheduleV2":      {schedulerProperties, machineScheduler, nil},
	"CloudWatchEvent": {machineRuleProperties, machineRule, nil},
	"EventBridgeRule": {machineRuleProperties, machineRule, nil},
	"Api":             {machineRouteProperties, machineRoute, checkRestRoute},
}

var machineScheduleProperties = []property{
	{name: "Schedule", shape: aString, required: true},
	{name: "Input", shape: aString},
	{name: "Enabled", shape: aBool},
	{name: "State", shape: aString},
	{name: "Name", shape: aString},
	{name: "Description", shape: aString},
	{name: "DeadLetterConfig", shape: aMap},
	{name: "RetryPolicy", shape: aMap},
	{name: "Target", shape: aMap, literal: true},
	{name: "RoleArn", shape: aString, literal: true},
}

var machineRuleProperties = []property{
	{name: "EventBusName", shape: aString},
	{name: "RuleName", shape: aString},
	{name: "Pattern", shape: aMap},
	{name: "Input", shape: aString},
	{name: "InputPath", shape: aString},
	{name: "DeadLetterConfig", shape: aMap},
	{name: "RetryPolicy", shape: aMap},
	{name: "State", shape: aString},
	{name: "Target", shape: aMap, literal: true},
	{name: "InputTransformer", shape: aMap},
}

var machineRouteProperties = []property{
	{name: "Path", shape: aString, required: true},
	{name: "Method", shape: aString, required: true},
	{name: "RestApiId", shape: aString, required: true},
	{name: "Stage", shape: aString},
	{name: "Auth", shape: aMap},
	{name: "UnescapeMappingTemplate", shape: aBool, literal: true},
}

const startExecution = "states:StartExecution"

// startRole makes the role with which a service starts the state machine.
func (c *context) startRole(e *event, service string) *made {
	p := e.pos()
	id := e.id + "Role"
	props := p.obj(
		"AssumeRolePolicyDocument", trusts(p, service),
		"Policies", p.list(inlinePolicy(p, id+"StartExecutionPolicy", allow(p, startExecution, e.calls.arn))))
	if boundary := e.owner.get("PermissionsBoundary"); truthy(boundary) {
		set(props, "PermissionsBoundary", clone(boundary))
	}
	return c.add(e.owner, id, "AWS::IAM::Role", props)
}

// machineSchedule makes a rule that starts the state machine at certain times.
func machineSchedule(c *context, e *event) {
	target, role := ruleTarget(e, "StepFunctionsTarget"), e.get("RoleArn")
	if role == nil {
		role = e.pos().getAtt(c.startRole(e, "events.amazonaws.com").id, "Arn")
	}
	set(target, "RoleArn", role)
	c.rule(e, onSchedule(e), target)
}

// machineRule makes a rule that starts the state machine when an event matches.
func machineRule(c *context, e *event) {
	target := ruleTarget(e, "StepFunctionsTarget")
	set(target, "RoleArn", e.pos().getAtt(c.startRole(e, "events.amazonaws.com").id, "Arn"))
	c.rule(e, onPattern(e), target)
}

// machineScheduler makes a schedule of EventBridge Scheduler that starts the
// state machine.
func machineScheduler(c *context, e *event) { c.scheduler(e, "StartExecutionPolicy", startExecution) }

// machineRoute lets a REST API start the state machine.
func machineRoute(c *context, e *event) {
	r := c.restRoute(e)
	if c.failed {
		return
	}
	r.stage = fromNode(e.get("Stage"))
	role := c.startRole(e, "apigateway.amazonaws.com")
	b := c.bodyOf(r.api.id)
	if b == nil || !b.managed || r.api.typ != restType.typ {
		return
	}
	d := c.openRoute(r, b.value)
	if c.failed {
		return
	}
	uri := plainOf("Fn::Sub", lit("arn:${AWS::Partition}:apigateway:${AWS::Region}:states:action/StartExecution"))
	credentials := plainOf("Fn::GetAtt", listValue(lit(role.id), lit("Arn")))
	c.check(r.node, d.addStateMachine(r.path, r.method, r.condition(), uri, credentials, requestTemplates(e)))
	if !c.failed && r.auth.isTrue() {
		c.routeAuth(r, d)
	}
	if !c.failed {
		b.value = d.done()
	}
}

// requestTemplates make the input of an execution of a request's body.
func requestTemplates(e *event) *value {
	const escaped, unescaped = "$util.escapeJavaScript($input.json('$'))", `$util.escapeJavaScript($input.json('$')).replaceAll("\\'","'")`
	input := escaped
	if v := e.get("UnescapeMappingTemplate"); v != nil && v.Kind == template.Bool && v.Text == "true" {
		input = unescaped
	}
	text := `{"input": "` + input + `", "stateMachineArn": "${` + e.calls.id + `}"}`
	return plainOf("application/json", plainOf("Fn::Sub", lit(text)))
}
