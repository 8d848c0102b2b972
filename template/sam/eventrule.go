package sam

// ruleProperties are those of CloudWatchEvent and EventBridgeRule.
var ruleProperties = []property{
	{name: "EventBusName", shape: aString},
	{name: "RuleName", shape: aString},
	{name: "Pattern", shape: aMap},
	{name: "DeadLetterConfig", shape: aMap},
	{name: "RetryPolicy", shape: aMap},
	{name: "Input", shape: aString},
	{name: "InputPath", shape: aString},
	{name: "Target", shape: aMap},
	{name: "Enabled", shape: aBool},
	{name: "State", shape: aString},
	{name: "InputTransformer", shape: aMap},
}

var scheduleProperties = []property{
	{name: "Schedule", shape: aString, required: true},
	{name: "RuleName", shape: aString},
	{name: "Input", shape: aString},
	{name: "Enabled", shape: aBool},
	{name: "State", shape: aString},
	{name: "Name", shape: aString},
	{name: "Description", shape: aString},
	{name: "DeadLetterConfig", shape: aMap},
	{name: "RetryPolicy", shape: aMap},
}

// translateRule makes a rule that calls the target when an event matches.
func translateRule(c *context, e *event) {
	c.rule(e, onPattern(e), ruleTarget(e, "LambdaTarget"))
	c.permission(e, e.id, "", "events.amazonaws.com", "SourceArn", e.pos().getAtt(e.id, "Arn"))
}

// translateSchedule makes a rule that calls the target at certain times.
func translateSchedule(c *context, e *event) {
	c.rule(e, onSchedule(e), ruleTarget(e, "LambdaTarget"))
	c.permission(e, e.id, "", "events.amazonaws.com", "SourceArn", e.pos().getAtt(e.id, "Arn"))
}

// onPattern are the properties of a rule for events.
func onPattern(e *event) *node {
	return e.pos().obj("EventBusName", e.get("EventBusName"), "EventPattern", e.get("Pattern"), "Name", e.get("RuleName"))
}

// onSchedule are the properties of a rule for times.
func onSchedule(e *event) *node {
	return e.pos().obj("ScheduleExpression", e.get("Schedule"), "Name", e.get("Name"), "Description", e.get("Description"))
}

// ruleTarget is what a rule calls.
func ruleTarget(e *event, suffix string) *node {
	target := e.pos().obj("Arn", clone(e.calls.arn), "Id", targetID(e.id, suffix))
	if id := dig(e.props, "Target", "Id"); id != nil {
		set(target, "Id", clone(id))
	}
	e.take(target, "Input", "InputPath", "RetryPolicy", "InputTransformer")
	return target
}

// rule makes the AWS::Events::Rule of an event with one target, and the dead
// letter queue that the event asks for.
func (c *context) rule(e *event, props, target *node) *made {
	p := e.pos()
	enabled, state := get(e.props, "Enabled"), get(e.props, "State")
	switch {
	case truthy(state) && enabled != nil:
		c.badEvent(e, "State and Enabled Properties cannot both be specified.")
	case truthy(state):
		set(props, "State", clone(state))
	case truthy(enabled):
		set(props, "State", p.text("ENABLED"))
	case enabled != nil:
		set(props, "State", p.text("DISABLED"))
	}
	m := c.add(e.owner, e.id, "AWS::Events::Rule", props)
	if queue := c.deadLetterQueue(e); queue != nil {
		set(target, "DeadLetterConfig", p.obj("Arn", queue))
		if dig(e.props, "DeadLetterConfig", "Arn") == nil {
			c.queuePolicy(e, e.id+"QueuePolicy", p.obj("Service", "events.amazonaws.com"), p.getAtt(e.id, "Arn"), queue, p.ref(queue.Items[0].Items[0].Text))
		}
	}
	set(props, "Targets", p.list(target))
	return m
}

// queuePolicy lets a principal send to a queue in the name of a source.
func (c *context) queuePolicy(e *event, id string, principal, source, arn, url *node) {
	p := e.pos()
	statement := p.obj("Action", "sqs:SendMessage", "Effect", "Allow", "Principal", principal, "Resource", clone(arn),
		"Condition", p.obj("ArnEquals", p.obj("aws:SourceArn", source)))
	c.add(e.owner, id, "AWS::SQS::QueuePolicy", p.obj(
		"PolicyDocument", p.obj("Version", "2012-10-17", "Statement", p.list(statement)), "Queues", p.list(url)))
}

// deadLetterQueue is the ARN of the queue of the event's DeadLetterConfig,
// which is made unless it is given; nil when there is no such property.
func (c *context) deadLetterQueue(e *event) *node {
	config := get(e.props, "DeadLetterConfig")
	if config == nil {
		return nil
	}
	p := at(config.Pos)
	switch typ, arn := config.Get("Type"), config.Get("Arn"); {
	case arn != nil && typ != nil:
		c.badEventID(e, "You can either define 'Arn' or 'Type' property of DeadLetterConfig.")
	case typ != nil && typ.Scalar() != "SQS":
		c.badEventID(e, "The only valid value for 'Type' property of DeadLetterConfig is 'SQS'.")
	case typ == nil && arn == nil:
		c.badEventID(e, "No 'Arn' or 'Type' property provided for DeadLetterConfig.")
	}
	if arn := get(config, "Arn"); arn != nil {
		return clone(arn)
	}
	id := e.id + "Queue"
	if given := get(config, "QueueLogicalId"); given != nil {
		if !isString(given) {
			c.badEventID(e, "QueueLogicalId must be a string")
		}
		if given.Text != "" {
			id = given.Text
		}
	}
	c.add(e.owner, id, "AWS::SQS::Queue", p.obj())
	return p.getAtt(id, "Arn")
}

// targetID is the id of a rule's target, which has at most 64 characters.
func targetID(id, suffix string) string {
	return id[:min(len(id), 64-len(suffix))] + suffix
}
