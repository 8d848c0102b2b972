package sam

var logsEventProperties = []property{
	{name: "LogGroupName", shape: aString, required: true},
	{name: "FilterPattern", shape: aString, required: true},
}

// translateLogsEvent sends what is written to a log group to the function.
func translateLogsEvent(c *context, e *event) {
	p := e.pos()
	source := p.sub(c.arn("logs", "log-group:${__LogGroupName__}:*"), "__LogGroupName__", e.get("LogGroupName"))
	permission := c.permission(e, e.id, "", "logs.amazonaws.com", "SourceArn", source)
	m := c.add(e.owner, e.id, "AWS::Logs::SubscriptionFilter", p.obj("DestinationArn", clone(e.calls.arn),
		"FilterPattern", e.get("FilterPattern"), "LogGroupName", e.get("LogGroupName")))
	m.depend(permission.id)
}

// arn is the beginning of an ARN in the stack's region and account, for
// Fn::Sub, with the resource behind it.
func (c *context) arn(service, resource string) string {
	return "arn:" + c.options.Partition + ":" + service + ":${AWS::Region}:${AWS::AccountId}:" + resource
}

var iotEventProperties = []property{
	{name: "Sql", shape: aString, required: true},
	{name: "AwsIotSqlVersion", shape: aString},
}

// translateIoTEvent makes a rule of AWS IoT that calls the function.
func translateIoTEvent(c *context, e *event) {
	p := e.pos()
	c.permission(e, e.id, "", "iot.amazonaws.com", "SourceAccount", p.sub("${AWS::AccountId}"),
		"SourceArn", p.sub(c.arn("iot", "rule/${RuleName}"), "RuleName", p.ref(e.id)))
	payload := p.obj("Sql", e.get("Sql"), "RuleDisabled", false,
		"Actions", p.list(p.obj("Lambda", p.obj("FunctionArn", clone(e.calls.arn)))))
	if truthy(get(e.props, "AwsIotSqlVersion")) {
		e.take(payload, "AwsIotSqlVersion")
	}
	c.add(e.owner, e.id, "AWS::IoT::TopicRule", p.obj("TopicRulePayload", payload))
}

var alexaEventProperties = []property{{name: "SkillId", shape: aString}}

// translateAlexaEvent lets an Alexa skill call the function.
func translateAlexaEvent(c *context, e *event) {
	c.permission(e, e.id, "", "alexa-appkit.amazon.com", "EventSourceToken", e.get("SkillId"))
}

var cognitoEventProperties = []property{
	{name: "UserPool", shape: aString, required: true},
	{name: "Trigger", shape: either(aString, listOf(aString)), required: true, literal: true},
}

// checkCognitoEvent demands that the user pool is in the template.
func checkCognitoEvent(c *context, e *event) {
	ref := get(e.props, "UserPool").Get("Ref")
	switch {
	case ref != nil && !isString(ref):
		c.badEventID(e, "Ref in Userpool is not a string.")
	case ref == nil || c.find(ref.Text) == nil:
		c.badEvent(e, "Cognito events must reference a Cognito UserPool in the same template.")
	}
}

// translateCognitoEvent makes the function a trigger of the user pool.
func translateCognitoEvent(c *context, e *event) {
	p := e.pos()
	pool := c.find(get(e.props, "UserPool").Get("Ref").Text)
	c.permission(e, e.calls.id+"Cognito", "", "cognito-idp.amazonaws.com", "SourceArn", p.getAtt(pool.id, "Arn"))
	config := within(within(pool.node, "Properties"), "LambdaConfig")
	if !isMap(config) {
		c.invalid(config, pool.id, "Property 'LambdaConfig' should be a map.")
		return
	}
	trigger := get(e.props, "Trigger")
	triggers := []*node{trigger}
	if isList(trigger) {
		triggers = trigger.Items
	}
	for _, t := range triggers {
		if has(config, t.Text) {
			c.badEvent(e, "Cognito trigger \"%s\" defined multiple times.", t.Text)
		}
		set(config, t.Text, clone(e.calls.arn))
	}
	c.demandType(pool, "AWS::Cognito::UserPool")
}

// within is the value under key, an empty map put there if there was none.
func within(n *node, key string) *node {
	if get(n, key) == nil {
		set(n, key, at(n.Pos).obj())
	}
	return n.Get(key)
}
