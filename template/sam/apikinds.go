package sam

// apiKinds are the types that are about APIs, state machines, tables and
// applications.
func apiKinds(name string) (kind, bool) {
	switch name {
	case "Api":
		return restKind, true
	case "HttpApi":
		return httpKind, true
	case "WebSocketApi":
		return webSocketKind, true
	case "StateMachine":
		return stateMachineKind, true
	case "SimpleTable":
		return tableKind, true
	case "Application":
		return applicationKind, true
	case "GraphQLApi":
		return graphQLKind, true
	}
	return kind{}, false
}

// Turns of types, see kind.
const (
	stateMachineTurn = 1
	apiTurn          = 2
	otherTurn        = 3
)

var restKind = kind{
	turn:      apiTurn,
	translate: translateRest,
	refers: map[string]string{
		"Stage":        "AWS::ApiGateway::Stage",
		"Deployment":   "AWS::ApiGateway::Deployment",
		"DomainName":   "AWS::ApiGateway::DomainName",
		"DomainNameV2": "AWS::ApiGateway::DomainNameV2",
		"UsagePlan":    "AWS::ApiGateway::UsagePlan",
		"UsagePlanKey": "AWS::ApiGateway::UsagePlanKey",
		"ApiKey":       "AWS::ApiGateway::ApiKey",
	},
	properties: []property{
		{name: "Name", shape: textOrMap},
		{name: "StageName", shape: textOrMap, required: true},
		{name: "Tags", shape: aMap},
		{name: "PropagateTags", shape: aBool},
		{name: "DefinitionBody", shape: aMap},
		{name: "DefinitionUri", shape: textOrMap},
		{name: "MergeDefinitions", shape: aBool, literal: true},
		{name: "CacheClusterEnabled", shape: aBool},
		{name: "CacheClusterSize", shape: aString},
		{name: "Variables", shape: aMap},
		{name: "EndpointConfiguration", shape: textOrMap},
		{name: "MethodSettings", shape: aList},
		{name: "BinaryMediaTypes", shape: aList},
		{name: "MinimumCompressionSize", shape: anInt},
		{name: "Cors", shape: textOrMap},
		{name: "Auth", shape: aMap},
		{name: "GatewayResponses", shape: aMap},
		{name: "AccessLogSetting", shape: aMap},
		{name: "CanarySetting", shape: aMap},
		{name: "TracingEnabled", shape: aBool},
		{name: "OpenApiVersion", shape: aString},
		{name: "Models", shape: aMap},
		{name: "Domain", shape: aMap},
		{name: "FailOnWarnings", shape: aBool},
		{name: "Description", shape: aString},
		{name: "Mode", shape: aString},
		{name: "DisableExecuteApiEndpoint", shape: aBool},
		{name: "ApiKeySourceType", shape: aString},
		{name: "AlwaysDeploy", shape: aBool, literal: true},
		{name: "Policy", shape: textOrMap},
		{name: "SecurityPolicy", shape: aString},
		{name: "EndpointAccessMode", shape: aString},
	},
}

var httpKind = kind{
	turn:      apiTurn,
	translate: translateHTTP,
	refers: map[string]string{
		"Stage":      "AWS::ApiGatewayV2::Stage",
		"DomainName": "AWS::ApiGatewayV2::DomainName",
	},
	properties: []property{
		{name: "Name", shape: anything, literal: true},
		{name: "StageName", shape: textOrMap},
		{name: "Tags", shape: aMap},
		{name: "PropagateTags", shape: aBool},
		{name: "DefinitionBody", shape: aMap},
		{name: "DefinitionUri", shape: textOrMap},
		{name: "StageVariables", shape: aMap},
		{name: "CorsConfiguration", shape: either(aBool, aMap)},
		{name: "AccessLogSettings", shape: aMap},
		{name: "DefaultRouteSettings", shape: aMap},
		{name: "Auth", shape: aMap},
		{name: "RouteSettings", shape: aMap},
		{name: "Domain", shape: aMap},
		{name: "FailOnWarnings", shape: aBool},
		{name: "Description", shape: aString},
		{name: "DisableExecuteApiEndpoint", shape: aBool},
	},
}

var webSocketKind = kind{
	turn:      apiTurn,
	translate: translateWebSocket,
	refers: map[string]string{
		"Stage":      "AWS::ApiGatewayV2::Stage",
		"DomainName": "AWS::ApiGatewayV2::DomainName",
	},
	properties: []property{
		{name: "ApiKeySelectionExpression", shape: aString},
		{name: "AccessLogSettings", shape: aMap},
		{name: "Auth", shape: aMap},
		{name: "DefaultRouteSettings", shape: aMap},
		{name: "Description", shape: aString},
		{name: "DisableExecuteApiEndpoint", shape: aBool},
		{name: "Domain", shape: aMap},
		{name: "DisableSchemaValidation", shape: aBool},
		{name: "FailOnWarnings", shape: aBool},
		{name: "IpAddressType", shape: aString},
		{name: "Name", shape: aString},
		{name: "PropagateTags", shape: aBool},
		{name: "Routes", shape: aMap, required: true},
		{name: "RouteSettings", shape: aMap},
		{name: "RouteSelectionExpression", shape: aString, required: true},
		{name: "StageName", shape: textOrMap},
		{name: "StageVariables", shape: aMap},
		{name: "Tags", shape: aMap},
	},
}

var stateMachineKind = kind{
	turn:      stateMachineTurn,
	translate: translateStateMachine,
	properties: []property{
		{name: "Definition", shape: aMap},
		{name: "DefinitionUri", shape: textOrMap},
		{name: "Logging", shape: aMap},
		{name: "Role", shape: aString},
		{name: "RolePath", shape: anything, literal: true},
		{name: "DefinitionSubstitutions", shape: aMap},
		{name: "Events", shape: mapOf(aMap)},
		{name: "Name", shape: aString},
		{name: "Type", shape: aString},
		{name: "Tags", shape: aMap},
		{name: "PropagateTags", shape: aBool},
		{name: "Policies", shape: either(aString, listOf(textOrMap))},
		{name: "Tracing", shape: aMap},
		{name: "PermissionsBoundary", shape: aString},
		{name: "AutoPublishAlias", shape: anything, literal: true},
		{name: "DeploymentPreference", shape: anything, literal: true},
		{name: "UseAliasAsEventTarget", shape: aBool, literal: true},
	},
}

var tableKind = kind{
	turn:      otherTurn,
	translate: translateTable,
	properties: []property{
		{name: "PointInTimeRecoverySpecification", shape: anything, literal: true},
		{name: "PrimaryKey", shape: mapOf(aString)},
		{name: "ProvisionedThroughput", shape: mapOf(either(anInt, aMap))},
		{name: "TableName", shape: textOrMap},
		{name: "Tags", shape: aMap},
		{name: "SSESpecification", shape: aMap},
	},
}

var applicationKind = kind{
	turn:      otherTurn,
	translate: translateApplication,
	properties: []property{
		{name: "Location", shape: textOrMap},
		{name: "TemplateUrl", shape: aString},
		{name: "Parameters", shape: aMap},
		{name: "NotificationARNs", shape: listOf(textOrMap)},
		{name: "Tags", shape: aMap},
		{name: "TimeoutInMinutes", shape: anInt},
	},
}
