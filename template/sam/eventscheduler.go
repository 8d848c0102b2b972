package sam

var schedulerProperties = []property{
	{name: "PermissionsBoundary", shape: aString},
	{name: "ScheduleExpression", shape: aString, required: true},
	{name: "FlexibleTimeWindow", shape: aMap},
	{name: "Name", shape: aString},
	{name: "State", shape: aString},
	{name: "Description", shape: aString},
	{name: "StartDate", shape: aString},
	{name: "EndDate", shape: aString},
	{name: "ScheduleExpressionTimezone", shape: aString},
	{name: "GroupName", shape: aString},
	{name: "KmsKeyArn", shape: aString},
	{name: "Input", shape: aString},
	{name: "RoleArn", shape: aString},
	{name: "DeadLetterConfig", shape: aMap},
	{name: "RetryPolicy", shape: aMap},
	{name: "OmitName", shape: aBool, literal: true},
}

// translateScheduler makes a schedule of EventBridge Scheduler that invokes a
// function.
func translateScheduler(c *context, e *event) {
	c.scheduler(e, "LambdaPolicy", "lambda:InvokeFunction")
}

// scheduler makes the schedule, and, unless the event brings one, the role
// that lets it do an action on the target. The policy's name ends in policy.
func (c *context) scheduler(e *event, policy, action string) {
	p := e.pos()
	props := p.obj("ScheduleExpression", e.get("ScheduleExpression"), "FlexibleTimeWindow", p.obj("Mode", "OFF"), "Name", e.id)
	if truthy(get(e.props, "State")) {
		e.take(props, "State")
	}
	if truthy(get(e.props, "Name")) {
		e.take(props, "Name")
	}
	if truthy(get(e.props, "OmitName")) {
		if truthy(get(e.props, "Name")) {
			c.badEventID(e, "Name cannot be set when OmitName is True")
		}
		remove(props, "Name")
	}
	if truthy(get(e.props, "FlexibleTimeWindow")) {
		e.take(props, "FlexibleTimeWindow")
	}
	e.take(props, "Description", "StartDate", "EndDate", "ScheduleExpressionTimezone", "GroupName", "KmsKeyArn")
	c.add(e.owner, e.id, "AWS::Scheduler::Schedule", props)

	target := p.obj("Arn", clone(e.calls.arn))
	queue := c.deadLetterQueue(e)
	if queue != nil {
		set(target, "DeadLetterConfig", p.obj("Arn", queue))
	}
	e.take(target, "Input", "RetryPolicy")
	set(props, "Target", target)
	if role := e.get("RoleArn"); truthy(role) {
		set(target, "RoleArn", role)
		return
	}
	policies := p.list(inlinePolicy(p, e.id+policy, allow(p, action, e.calls.arn)))
	if truthy(queue) {
		policies.Items = append(policies.Items, inlinePolicy(p, e.id+"SQSPolicy", allow(p, "sqs:SendMessage", queue)))
	}
	role := p.obj("AssumeRolePolicyDocument", trusts(p, "scheduler.amazonaws.com"), "Policies", policies)
	if boundary := e.get("PermissionsBoundary"); truthy(boundary) {
		set(role, "PermissionsBoundary", boundary)
	}
	c.add(e.owner, e.id+"Role", "AWS::IAM::Role", role)
	set(target, "RoleArn", p.getAtt(e.id+"Role", "Arn"))
}

// allow is a statement that allows one action on one resource.
func allow(p at, action string, resource *node) *node {
	return p.obj("Action", action, "Effect", "Allow", "Resource", clone(resource))
}
