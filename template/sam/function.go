package sam

import (
	"strings"

	"ouro/template"
)

// functionKind is AWS::Serverless::Function.
var functionKind = kind{
	properties: functionProperties,
	translate:  translateFunction,
	refers: map[string]string{
		"Alias":            "AWS::Lambda::Alias",
		"Version":          "AWS::Lambda::Version",
		"DestinationTopic": "AWS::SNS::Topic",
		"DestinationQueue": "AWS::SQS::Queue",
	},
}

var functionProperties = []property{
	{name: "FunctionName", shape: textOrMap},
	{name: "Handler", shape: anything},
	{name: "Runtime", shape: anything},
	{name: "CodeUri", shape: anything},
	{name: "ImageUri", shape: anything},
	{name: "PackageType", shape: anything},
	{name: "InlineCode", shape: anything},
	{name: "DeadLetterQueue", shape: aMap},
	{name: "Description", shape: anything},
	{name: "MemorySize", shape: anything},
	{name: "Timeout", shape: anything},
	{name: "VpcConfig", shape: anything},
	{name: "Role", shape: aString},
	{name: "AssumeRolePolicyDocument", shape: aMap},
	{name: "Policies", shape: either(textOrMap, listOf(textOrMap))},
	{name: "RolePath", shape: anything},
	{name: "PermissionsBoundary", shape: aString},
	{name: "Environment", shape: mapOf(aMap)},
	{name: "Events", shape: mapOf(aMap)},
	{name: "Tags", shape: aMap},
	{name: "PropagateTags", shape: aBool},
	{name: "Tracing", shape: textOrMap},
	{name: "KmsKeyArn", shape: anything},
	{name: "DeploymentPreference", shape: aMap},
	{name: "ReservedConcurrentExecutions", shape: anything},
	{name: "Layers", shape: listOf(textOrMap)},
	{name: "EventInvokeConfig", shape: aMap},
	{name: "EphemeralStorage", shape: anything},
	{name: "AutoPublishAlias", shape: either(aString)},
	{name: "AutoPublishCodeSha256", shape: either(aString)},
	{name: "AutoPublishAliasAllProperties", shape: aBool, literal: true},
	{name: "VersionDescription", shape: anything},
	{name: "ProvisionedConcurrencyConfig", shape: anything},
	{name: "FileSystemConfigs", shape: anything},
	{name: "ImageConfig", shape: anything},
	{name: "CodeSigningConfigArn", shape: anything},
	{name: "Architectures", shape: anything},
	{name: "SnapStart", shape: aMap},
	{name: "FunctionUrlConfig", shape: aMap},
	{name: "RuntimeManagementConfig", shape: anything},
	{name: "LoggingConfig", shape: anything},
	{name: "RecursiveLoop", shape: anything},
	{name: "SourceKMSKeyArn", shape: anything},
	{name: "CapacityProviderConfig", shape: aMap},
	{name: "FunctionScalingConfig", shape: aMap},
	{name: "VersionDeletionPolicy", shape: oneOf("Delete", "Retain")},
	{name: "PublishToLatestPublished", shape: anything},
	{name: "TenancyConfig", shape: anything},
	{name: "DurableConfig", shape: aMap},
}

// passedOn are the properties that AWS::Lambda::Function takes as they are.
var passedOn = []string{"FunctionName", "Handler", "Runtime", "Description", "MemorySize", "Timeout", "VpcConfig", "Role", "Environment",
	"KmsKeyArn", "ReservedConcurrentExecutions", "Layers", "FileSystemConfigs", "ImageConfig", "PackageType", "Architectures", "SnapStart",
	"EphemeralStorage", "CodeSigningConfigArn", "RuntimeManagementConfig", "LoggingConfig", "TenancyConfig", "RecursiveLoop", "DurableConfig",
	"FunctionScalingConfig", "PublishToLatestPublished"}

// translateFunction makes a function of r, with its role, what it publishes,
// and what calls it.
func translateFunction(c *context, r *resource) {
	policies := c.policies(r)
	events := c.events(r)
	c.checkFunction(r)
	if c.failed {
		return
	}
	lambda := c.addMain(r, r.id, "AWS::Lambda::Function", nil)
	c.lambdaProperties(r, lambda)
	if config := r.get("ProvisionedConcurrencyConfig"); truthy(config) && !truthy(r.get("AutoPublishAlias")) {
		c.invalid(config, r.id, "To set ProvisionedConcurrencyConfig AutoPublishALias must be defined on the function")
	}
	calls := target{id: r.id, name: r.pos().ref(r.id), arn: r.pos().getAtt(r.id, "Arn")}
	alias := c.publish(r, lambda)
	if c.failed {
		return
	}
	if alias != nil {
		calls = target{id: alias.id, name: r.pos().ref(alias.id), arn: r.pos().ref(alias.id)}
	}
	c.functionURL(r, calls)
	c.deploymentPreference(r, alias)
	inline := c.invokeConfig(r, alias)
	if c.failed {
		return
	}
	role := c.functionRole(r, lambda, policies, inline)
	for _, e := range events {
		if c.failed {
			return
		}
		e.calls, e.role = calls, role
		e.kind.translate(c, e)
	}
	if truthy(r.get("PropagateTags")) {
		c.propagate(r, r.get("Tags"))
	}
}

// checkFunction refuses properties that do not go together.
func (c *context) checkFunction(r *resource) {
	var wrong []string
	both := func(a, b string) {
		if r.get(a) != nil && r.get(b) != nil {
			wrong = append(wrong, "Cannot specify '"+a+"' and '"+b+"' together.")
		}
	}
	needs := func(a, b string) {
		if r.get(a) != nil && r.get(b) == nil {
			wrong = append(wrong, "'"+a+"' requires '"+b+"'.")
		}
	}
	both("CapacityProviderConfig", "ProvisionedConcurrencyConfig")
	both("CapacityProviderConfig", "VpcConfig")
	needs("FunctionScalingConfig", "CapacityProviderConfig")
	needs("VersionDeletionPolicy", "AutoPublishAlias")
	if len(wrong) > 0 {
		c.invalid(r.node, r.id, "%s", strings.Join(wrong, "\n"))
	}
	c.checkDeadLetterQueue(r)
	c.checkTenancy(r)
}

// deadLetterActions are what a function must be allowed on its queue or topic.
var deadLetterActions = map[string]string{"SQS": "sqs:SendMessage", "SNS": "sns:Publish"}

func (c *context) checkDeadLetterQueue(r *resource) {
	queue := r.get("DeadLetterQueue")
	if !truthy(queue) {
		return
	}
	typ := get(queue, "Type")
	switch {
	case !truthy(typ) || !truthy(get(queue, "TargetArn")):
		c.invalid(queue, r.id, "'DeadLetterQueue' requires Type and TargetArn properties to be specified.")
	case !isString(typ):
		c.invalid(typ, r.id, "Property 'DeadLetterQueue.Type' should be a string.")
	case deadLetterActions[typ.Text] == "":
		c.invalid(typ, r.id, "'DeadLetterQueue' requires Type of ['SQS', 'SNS']")
	}
}

// checkTenancy refuses what Lambda does not have for functions with tenants.
func (c *context) checkTenancy(r *resource) {
	if !truthy(r.get("TenancyConfig")) {
		return
	}
	const because = "is not supported for functions enabled with tenancy configuration."
	for _, p := range [][2]string{
		{"ProvisionedConcurrencyConfig", "Provisioned concurrency"}, {"FunctionUrlConfig", "Function URL"}, {"SnapStart", "SnapStart"},
	} {
		if v := r.get(p[0]); truthy(v) {
			c.invalid(v, r.id, "%s %s", p[1], because)
		}
	}
	for _, e := range entries(r.get("Events")) {
		if typ := get(e, "Type").Scalar(); typ != "Api" && typ != "HttpApi" {
			c.invalid(e, r.id, "Event source '%s' %s Only Api and HttpApi event sources are supported.", typ, because)
		}
	}
}

// lambdaProperties fills in the properties of the function itself.
func (c *context) lambdaProperties(r *resource, m *made) {
	p := r.pos()
	m.props = p.obj()
	for _, name := range passedOn {
		if v := r.get(name); v != nil {
			set(m.props, name, clone(v))
		}
	}
	for _, name := range []string{"FunctionName", "FunctionScalingConfig"} {
		if !truthy(r.get(name)) {
			remove(m.props, name)
		}
	}
	set(m.props, "Code", c.code(r))
	set(m.props, "Tags", c.tags(r, "lambda:createdBy", r.get("Tags")))
	if c.traced(r) {
		set(m.props, "TracingConfig", p.obj("Mode", c.settled(r.get("Tracing"))))
	}
	if queue := r.get("DeadLetterQueue"); truthy(queue) {
		set(m.props, "DeadLetterConfig", p.obj("TargetArn", clone(get(queue, "TargetArn"))))
	}
	if provider := r.get("CapacityProviderConfig"); truthy(provider) {
		set(m.props, "CapacityProviderConfig", c.capacityProvider(r, provider))
	}
	c.checkPackage(r)
}

// traced tells whether the function writes traces.
func (c *context) traced(r *resource) bool {
	mode := r.get("Tracing")
	return truthy(mode) && c.resolve(mode).Scalar() != "Disabled"
}

// capacityProvider is CapacityProviderConfig in Lambda's own words.
func (c *context) capacityProvider(r *resource, config *node) *node {
	p := at(config.Pos)
	out := p.obj()
	for key, v := range entries(config) {
		switch key {
		case "Arn":
			set(out, "CapacityProviderArn", clone(v))
		case "PerExecutionEnvironmentMaxConcurrency", "ExecutionEnvironmentMemoryGiBPerVCpu":
			set(out, key, clone(v))
		default:
			c.invalid(v, r.id, "Invalid CapacityProviderConfig: 1 validation error for CapacityProviderConfig\n%s\n  extra fields not permitted (type=value_error.extra)", key)
		}
	}
	if get(config, "Arn") == nil {
		c.invalid(config, r.id, "Invalid CapacityProviderConfig: 1 validation error for CapacityProviderConfig\nArn\n  field required (type=value_error.missing)")
	}
	return p.obj("LambdaManagedInstancesCapacityProviderConfig", out)
}

// oneOf is one of a few strings.
func oneOf(words ...string) shape {
	s := shape{said: "one of the strings: '" + strings.Join(words, "' or '") + "'"}
	s.fits = func(n *node) bool {
		for _, w := range words {
			if n.Kind == template.String && n.Text == w {
				return true
			}
		}
		return false
	}
	return s
}
