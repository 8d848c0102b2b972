package sam

import "ouro/template"

var snsEventProperties = []property{
	{name: "Topic", shape: aString, required: true},
	{name: "Region", shape: aString},
	{name: "FilterPolicy", shape: anything},
	{name: "FilterPolicyScope", shape: anything},
	{name: "SqsSubscription", shape: either(aBool, aMap)},
	{name: "RedrivePolicy", shape: aMap},
}

// translateSNSEvent subscribes the function to a topic, directly or through a
// queue: one of the event's own (SqsSubscription: true) or one that is given.
func translateSNSEvent(c *context, e *event) {
	p := e.pos()
	through := get(e.props, "SqsSubscription")
	switch {
	case !truthy(through):
		c.permission(e, e.id, "", "sns.amazonaws.com", "SourceArn", e.get("Topic"))
		c.subscription(e, "lambda", e.calls.arn)
	case through.Kind == template.Bool:
		queue := c.add(e.owner, e.id+"Queue", "AWS::SQS::Queue", p.obj())
		if fifo := c.fifoTopic(get(e.props, "Topic")); truthy(fifo) {
			set(queue.props, "FifoQueue", fifo)
		}
		c.queueSubscription(e, p.getAtt(queue.id, "Arn"), p.ref(queue.id), e.id+"QueuePolicy", p.node(10))
	default:
		arn, url := get(through, "QueueArn"), get(through, "QueueUrl")
		if !truthy(arn) || !truthy(url) {
			c.badEvent(e, "No QueueARN or QueueURL provided.")
			return
		}
		policy, size := e.id+"QueuePolicy", p.node(10)
		if id := get(through, "QueuePolicyLogicalId"); truthy(id) {
			policy = shown(id)
		}
		if n := get(through, "BatchSize"); truthy(n) {
			size = n
		}
		c.queueSubscription(e, arn, url, policy, size)
	}
}

// subscription makes the AWS::SNS::Subscription.
func (c *context) subscription(e *event, protocol string, endpoint *node) {
	props := e.pos().obj("Protocol", protocol, "Endpoint", clone(endpoint), "TopicArn", e.get("Topic"))
	e.take(props, "Region", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy")
	c.add(e.owner, e.id, "AWS::SNS::Subscription", props)
}

// queueSubscription subscribes a queue and makes the function read from it.
func (c *context) queueSubscription(e *event, arn, url *node, policyID string, size *node) {
	p := e.pos()
	c.queuePolicy(e, policyID, p.text("*"), e.get("Topic"), arn, clone(url))
	c.subscription(e, "sqs", arn)
	mapping := *e
	mapping.id += "EventSourceMapping"
	mapping.typ = "SQS"
	mapping.props = p.obj("Queue", clone(arn), "BatchSize", clone(size), "Enabled", true)
	pullSources["SQS"].translate(c, &mapping)
}

// fifoTopic is the property FifoTopic of a topic in the template.
func (c *context) fifoTopic(topic *node) *node {
	if t := c.find(referredID(topic)); t != nil {
		return c.resolve(get(t.props, "FifoTopic"))
	}
	return nil
}
