package main

const samTransform = "AWS::Serverless-2016-10-31"

// serverless are the types of the SAM transform as its documentation has them:
// the source knows a state of years ago. What stands in a property is for the
// transform to check. makes is the type that takes the resource's logical id,
// whose attributes it answers with.
var serverless = map[string]struct{ makes, properties string }{
	"Function": {"AWS::Lambda::Function", `FunctionName Handler Runtime CodeUri ImageUri PackageType InlineCode DeadLetterQueue Description MemorySize
		Timeout VpcConfig Role AssumeRolePolicyDocument Policies RolePath PermissionsBoundary Environment Events Tags PropagateTags Tracing KmsKeyArn
		DeploymentPreference ReservedConcurrentExecutions Layers EventInvokeConfig EphemeralStorage AutoPublishAlias AutoPublishCodeSha256
		AutoPublishAliasAllProperties VersionDescription ProvisionedConcurrencyConfig FileSystemConfigs ImageConfig CodeSigningConfigArn Architectures
		SnapStart FunctionUrlConfig RuntimeManagementConfig LoggingConfig RecursiveLoop SourceKMSKeyArn CapacityProviderConfig FunctionScalingConfig
		VersionDeletionPolicy PublishToLatestPublished TenancyConfig DurableConfig`},
	"Api": {"AWS::ApiGateway::RestApi", `Name StageName! Tags PropagateTags DefinitionBody DefinitionUri MergeDefinitions CacheClusterEnabled
		CacheClusterSize Variables EndpointConfiguration MethodSettings BinaryMediaTypes MinimumCompressionSize Cors Auth GatewayResponses
		AccessLogSetting CanarySetting TracingEnabled OpenApiVersion Models Domain FailOnWarnings Description Mode DisableExecuteApiEndpoint
		ApiKeySourceType AlwaysDeploy Policy SecurityPolicy EndpointAccessMode`},
	"HttpApi": {"AWS::ApiGatewayV2::Api", `Name StageName Tags PropagateTags DefinitionBody DefinitionUri StageVariables CorsConfiguration
		AccessLogSettings DefaultRouteSettings Auth RouteSettings Domain FailOnWarnings Description DisableExecuteApiEndpoint`},
	"WebSocketApi": {"AWS::ApiGatewayV2::Api", `ApiKeySelectionExpression AccessLogSettings Auth DefaultRouteSettings Description
		DisableExecuteApiEndpoint Domain DisableSchemaValidation FailOnWarnings IpAddressType Name PropagateTags Routes! RouteSettings
		RouteSelectionExpression! StageName StageVariables Tags`},
	"SimpleTable":  {"AWS::DynamoDB::Table", `PointInTimeRecoverySpecification PrimaryKey ProvisionedThroughput TableName Tags SSESpecification`},
	"Application":  {"AWS::CloudFormation::Stack", `Location! TemplateUrl Parameters NotificationARNs Tags TimeoutInMinutes`},
	"LayerVersion": {"AWS::Lambda::LayerVersion", `LayerName Description PublishLambdaVersion ContentUri! CompatibleArchitectures CompatibleRuntimes LicenseInfo RetentionPolicy`},
	"StateMachine": {"AWS::StepFunctions::StateMachine", `Definition DefinitionUri Logging Role RolePath DefinitionSubstitutions Events Name Type
		Tags PropagateTags Policies Tracing PermissionsBoundary AutoPublishAlias DeploymentPreference UseAliasAsEventTarget`},
	"Connector": {"", `Source! Destination! Permissions!`},
	"GraphQLApi": {"AWS::AppSync::GraphQLApi", `Name Tags XrayEnabled Auth! SchemaInline SchemaUri Logging DataSources Functions Resolvers ApiKeys
		DomainName Cache Visibility OwnerContact IntrospectionConfig QueryDepthLimit ResolverCountLimit`},
	"CapacityProvider": {"AWS::Lambda::CapacityProvider", `CapacityProviderName VpcConfig! OperatorRole Tags PropagateTags InstanceRequirements
		ScalingConfig KmsKeyArn`},
}

func (s *source) serverless() error {
	for short, sam := range serverless {
		name := "AWS::Serverless::" + short
		t, err := s.find(name)
		if err != nil {
			t = &resource{Name: name, Transform: samTransform}
			s.types = append(s.types, t)
		}
		t.Properties = parse(sam.properties)
		if sam.makes == "" {
			continue
		}
		made, err := s.find(sam.makes)
		if err != nil {
			return err
		}
		t.Attributes, t.Identifier, t.Ref = made.Attributes, made.Identifier, made.Ref
	}
	return nil
}
