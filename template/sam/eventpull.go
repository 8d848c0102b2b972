package sam

import (
	"slices"
	"strings"
)

// pullSource is a type of event whose source Lambda itself reads.
type pullSource struct {
	typ        string
	source     string   // the property with the source's ARN, "" when the source has none
	required   []string // further properties that must be set
	policy     string   // managed policy for reading it
	more       []property
	statements func(*context, *event) *node // policy for the function's role, nil for none
	extend     func(c *context, e *event, props *node)
}

// pullSources are the types of events that become event source mappings.
var pullSources = map[string]pullSource{
	"Kinesis":  {typ: "Kinesis", source: "Stream", required: []string{"StartingPosition"}, policy: "AWSLambdaKinesisExecutionRole"},
	"DynamoDB": {typ: "DynamoDB", source: "Stream", required: []string{"StartingPosition"}, policy: "AWSLambdaDynamoDBExecutionRole"},
	"SQS":      {typ: "SQS", source: "Queue", policy: "AWSLambdaSQSQueueExecutionRole"},
	"MSK": {typ: "MSK", source: "Stream", required: []string{"StartingPosition"}, policy: "AWSLambdaMSKExecutionRole",
		statements: mskPolicy, extend: kafkaConfig("AmazonManagedKafkaEventSourceConfig")},
	"MQ":               {typ: "MQ", source: "Broker", more: []property{{name: "DynamicPolicyName", shape: aBool, literal: true}}, statements: mqPolicy},
	"SelfManagedKafka": {typ: "SelfManagedKafka", statements: kafkaPolicy, extend: kafkaConfig("SelfManagedKafkaEventSourceConfig")},
	"DocumentDB": {typ: "DocumentDB", source: "Cluster", required: []string{"DatabaseName"}, statements: documentDBPolicy, extend: documentDBConfig,
		more: []property{{name: "CollectionName", shape: anything}, {name: "FullDocument", shape: anything}}},
}

// mappingProperties are those that every source takes. The passed ones are
// properties of AWS::Lambda::EventSourceMapping as they are.
var mappingProperties = []struct {
	property
	passed bool
}{
	{property{name: "BatchSize", shape: anInt}, true},
	{property{name: "StartingPosition", shape: anything}, true},
	{property{name: "StartingPositionTimestamp", shape: anything}, true},
	{property{name: "Enabled", shape: aBool}, true},
	{property{name: "MaximumBatchingWindowInSeconds", shape: anInt}, true},
	{property{name: "MaximumRetryAttempts", shape: anInt}, true},
	{property{name: "BisectBatchOnFunctionError", shape: aBool}, true},
	{property{name: "MaximumRecordAgeInSeconds", shape: anInt}, true},
	{property{name: "DestinationConfig", shape: aMap}, false},
	{property{name: "ParallelizationFactor", shape: anInt}, true},
	{property{name: "Topics", shape: aList}, true},
	{property{name: "Queues", shape: aList}, true},
	{property{name: "SourceAccessConfigurations", shape: aList}, true},
	{property{name: "SecretsManagerKmsKeyId", shape: aString}, false},
	{property{name: "TumblingWindowInSeconds", shape: anInt}, true},
	{property{name: "FunctionResponseTypes", shape: aList}, true},
	{property{name: "KafkaBootstrapServers", shape: aList}, false},
	{property{name: "FilterCriteria", shape: aMap}, true},
	{property{name: "KmsKeyArn", shape: anything}, true},
	{property{name: "ConsumerGroupId", shape: aString}, false},
	{property{name: "ScalingConfig", shape: aMap}, true},
	{property{name: "ProvisionedPollerConfig", shape: aMap}, true},
	{property{name: "SchemaRegistryConfig", shape: aMap}, false},
	{property{name: "MetricsConfig", shape: aMap}, true},
	{property{name: "LoggingConfig", shape: aMap}, true},
}

// properties are all that an event of the source takes.
func (s pullSource) properties() []property {
	var out []property
	for _, m := range mappingProperties {
		p := m.property
		if p.name == "StartingPosition" && slices.Contains(s.required, p.name) {
			p.required = true
		}
		out = append(out, p)
	}
	if s.source != "" {
		out = append(out, property{name: s.source, shape: anything, required: true})
	}
	for _, name := range s.required {
		if name != "StartingPosition" {
			out = append(out, property{name: name, shape: anything, required: true})
		}
	}
	return append(out, s.more...)
}

// translate makes the mapping, and lets the function's role read the source.
func (s pullSource) translate(c *context, e *event) {
	props := e.pos().obj("FunctionName", clone(e.calls.name), "EventSourceArn", e.get(s.source))
	for _, m := range mappingProperties {
		if m.passed {
			e.take(props, m.name)
		}
	}
	c.add(e.owner, e.id, "AWS::Lambda::EventSourceMapping", props)
	c.checkFilter(e)
	if servers := e.get("KafkaBootstrapServers"); truthy(servers) {
		p := e.pos()
		set(props, "SelfManagedEventSource", p.obj("Endpoints", p.obj("KafkaBootstrapServers", servers)))
	}
	if s.extend != nil {
		s.extend(c, e, props)
	}
	if truthy(get(e.props, "ConsumerGroupId")) && s.typ != "MSK" && s.typ != "SelfManagedKafka" {
		c.badEventID(e, "Property ConsumerGroupId not defined for resource of type %s.", s.typ)
	}
	failure := c.failureDestination(e, props)
	var policy *node
	if s.statements != nil && !c.failed {
		policy = s.statements(c, e)
	}
	if e.role == nil || c.failed {
		return
	}
	if s.policy != "" {
		arn := e.pos().text(c.awsPolicy("service-role/" + s.policy))
		addOnce(e.role.props.Get("ManagedPolicyArns"), arn, func(n *node) *node { return n })
	}
	c.grant(e.role, policy)
	c.grant(e.role, failure)
}

// grant adds an inline policy to a role, unless it has one with the same
// document.
func (c *context) grant(role *made, policy *node) {
	if policy == nil {
		return
	}
	if role.props.Get("Policies") == nil {
		set(role.props, "Policies", at(policy.Pos).list())
	}
	addOnce(role.props.Get("Policies"), policy, func(n *node) *node { return n.Get("PolicyDocument") })
}

// addOnce appends n to a list unless a member has the same part.
func addOnce(list, n *node, part func(*node) *node) {
	text := sortedJSON(part(n))
	if !slices.ContainsFunc(list.Items, func(old *node) bool { return sortedJSON(part(old)) == text }) {
		list.Items = append(list.Items, n)
	}
}

// checkFilter refuses filters that are not of the one form there is.
func (c *context) checkFilter(e *event) {
	filter := get(e.props, "FilterCriteria")
	if !truthy(filter) || isFunction(filter) {
		return
	}
	if len(filter.Keys) != 1 || filter.Keys[0].Text != "Filters" {
		c.badEvent(e, "FilterCriteria field has a wrong format")
	}
}

// failureDestination sets DestinationConfig, and answers the policy to send
// there, nil for none.
func (c *context) failureDestination(e *event, props *node) *node {
	config := e.get("DestinationConfig")
	if !truthy(config) {
		return nil
	}
	set(props, "DestinationConfig", config)
	failure := get(config, "OnFailure")
	if !isMap(failure) {
		c.badEventID(e, "Property 'DestinationConfig.OnFailure' should be a map.")
		return nil
	}
	typ := get(failure, "Type")
	if !truthy(typ) {
		return nil
	}
	remove(failure, "Type")
	destination := get(failure, "Destination")
	switch typ.Text {
	case "SQS", "SNS":
		return destinationPolicy(e.pos(), typ.Text, e.id, destination)
	case "S3":
		return destinationPolicy(e.pos(), "S3Bucket", e.id, destination)
	case "Kafka":
		return nil
	}
	c.badEventID(e, "The only valid values for 'Type' are 'SQS', 'SNS', 'S3', and 'Kafka'")
	return nil
}

// documentDBConfig says which database to read.
func documentDBConfig(c *context, e *event, props *node) {
	config := e.pos().obj("DatabaseName", e.get("DatabaseName"))
	for _, name := range []string{"CollectionName", "FullDocument"} {
		if truthy(get(e.props, name)) {
			e.take(config, name)
		}
	}
	set(props, "DocumentDBEventSourceConfig", config)
}

// kafkaConfig sets what Kafka's two kinds of source have under different names.
func kafkaConfig(name string) func(*context, *event, *node) {
	return func(c *context, e *event, props *node) {
		config := e.pos().obj()
		for _, key := range []string{"ConsumerGroupId", "SchemaRegistryConfig"} {
			if truthy(get(e.props, key)) {
				e.take(config, key)
			}
		}
		if len(config.Keys) > 0 {
			set(props, name, config)
		}
	}
}

// secretKey is the policy statement for a key by its id.
func (c *context) secretKey(e *event, actions any) *node {
	id := get(e.props, "SecretsManagerKmsKeyId")
	if !truthy(id) {
		return nil
	}
	if !isString(id) {
		c.badEvent(e, "Property 'SecretsManagerKmsKeyId' should be a string.")
	}
	p := at(id.Pos)
	return p.obj("Action", actions, "Effect", "Allow",
		"Resource", p.sub("arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/"+id.Text))
}

// registryName is the name in a Glue registry's ARN, "" when it is none.
func registryName(arn string) string {
	parts := strings.Split(arn, ":")
	if !strings.HasPrefix(arn, "arn") || len(parts) < 6 {
		return ""
	}
	name, ok := strings.CutPrefix(parts[5], "registry/")
	if !ok {
		return ""
	}
	return name
}
