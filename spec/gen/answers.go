package main

// answers are attributes that the source lacks, or has otherwise than the
// type's page.
var answers = map[string]string{
	// Whatever the provider returns.
	"AWS::CloudFormation::CustomResource": "*",
	// Outputs.NAME of the nested stack.
	"AWS::CloudFormation::Stack":                            "Outputs:map",
	"AWS::ServiceCatalog::CloudFormationProvisionedProduct": "Outputs:map",

	"AWS::Elasticsearch::Domain":      "DomainArn:string",
	"AWS::OpenSearchService::Domain":  "DomainArn:string",
	"AWS::ServiceDiscovery::Instance": "InstanceId:string",
}

// answersID are types that answer Id, which their pages do not show.
const answersID = `
	AWS::ApiGatewayV2::Stage AWS::AppStream::StackUserAssociation AWS::AppStream::User AWS::CertificateManager::Certificate
	AWS::CloudWatch::InsightRule AWS::CodeBuild::SourceCredential AWS::CodeCommit::Repository AWS::Config::DeliveryChannel
	AWS::Config::RemediationConfiguration AWS::DAX::ParameterGroup AWS::DLM::LifecyclePolicy AWS::DMS::Certificate AWS::DMS::Endpoint
	AWS::DMS::EventSubscription AWS::DMS::ReplicationSubnetGroup AWS::DMS::ReplicationTask AWS::DocDB::DBClusterParameterGroup
	AWS::DocDB::DBSubnetGroup AWS::DocDB::EventSubscription AWS::EMR::InstanceGroupConfig AWS::ElasticLoadBalancing::LoadBalancer
	AWS::Glue::Classifier AWS::Glue::Connection AWS::Glue::CustomEntityType AWS::Glue::DataCatalogEncryptionSettings
	AWS::Glue::DataQualityRuleset AWS::Glue::MLTransform AWS::Glue::Partition AWS::Glue::SecurityConfiguration AWS::Glue::TableOptimizer
	AWS::Glue::Workflow AWS::IoT::ThingPrincipalAttachment AWS::MediaConvert::JobTemplate AWS::MediaConvert::Preset AWS::MediaConvert::Queue
	AWS::OpsWorks::App AWS::OpsWorks::ElasticLoadBalancerAttachment AWS::OpsWorks::Instance AWS::OpsWorks::Layer AWS::OpsWorks::Stack
	AWS::OpsWorks::UserProfile AWS::OpsWorks::Volume AWS::Route53::RecordSet AWS::SES::ReceiptRuleSet AWS::SageMaker::CodeRepository
	AWS::SageMaker::EndpointConfig AWS::SageMaker::NotebookInstance AWS::SageMaker::NotebookInstanceLifecycleConfig AWS::SageMaker::Workteam
`

// answersAll are types that also answer with every property that they take.
const answersAll = `
	AWS::Amplify::Branch AWS::Amplify::Domain AWS::AppSync::DomainName AWS::AppSync::FunctionConfiguration AWS::AppSync::Resolver
	AWS::AutoScaling::AutoScalingGroup AWS::Backup::BackupSelection AWS::Backup::BackupVault AWS::Backup::LogicallyAirGappedBackupVault
	AWS::CodeArtifact::Domain AWS::CodeArtifact::Repository AWS::EC2::CapacityReservation AWS::EC2::Instance AWS::EC2::SecurityGroup
	AWS::EC2::Subnet AWS::EC2::VPC AWS::EFS::MountTarget AWS::EKS::Nodegroup AWS::ElastiCache::ReplicationGroup
	AWS::ElasticLoadBalancingV2::LoadBalancer AWS::Events::EventBus AWS::EventSchemas::Discoverer AWS::EventSchemas::Registry
	AWS::EventSchemas::Schema AWS::GameLift::GameSessionQueue AWS::GameLift::MatchmakingConfiguration AWS::GameLift::MatchmakingRuleSet
	AWS::Grafana::Workspace AWS::Greengrass::ConnectorDefinition AWS::Greengrass::CoreDefinition AWS::Greengrass::DeviceDefinition
	AWS::Greengrass::FunctionDefinition AWS::Greengrass::Group AWS::Greengrass::LoggerDefinition AWS::Greengrass::ResourceDefinition
	AWS::Greengrass::SubscriptionDefinition AWS::ImageBuilder::Component AWS::ImageBuilder::ContainerRecipe
	AWS::ImageBuilder::DistributionConfiguration AWS::ImageBuilder::ImagePipeline AWS::ImageBuilder::ImageRecipe
	AWS::ImageBuilder::InfrastructureConfiguration AWS::ManagedBlockchain::Node AWS::Neptune::DBCluster AWS::RDS::DBInstance
	AWS::RDS::DBParameterGroup AWS::RedshiftServerless::Workgroup AWS::RoboMaker::RobotApplication AWS::RoboMaker::SimulationApplication
	AWS::Route53Resolver::ResolverRule AWS::Route53Resolver::ResolverRuleAssociation AWS::S3::AccessPoint
	AWS::SageMaker::DataQualityJobDefinition AWS::SageMaker::ModelBiasJobDefinition AWS::SageMaker::ModelExplainabilityJobDefinition
	AWS::SageMaker::ModelQualityJobDefinition AWS::SageMaker::MonitoringSchedule AWS::SNS::Topic AWS::SQS::Queue AWS::SSM::Parameter
	AWS::StepFunctions::Activity
`
