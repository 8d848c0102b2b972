package main

// looseTags are types whose tags need no Value, or no Key. The source writes
// the tags of all types the same.
const looseTags = `
	AWS::ACMPCA::CertificateAuthority AWS::AccessAnalyzer::Analyzer AWS::ApiGateway::DomainName AWS::ApiGateway::DomainNameV2
	AWS::AppConfig::ConfigurationProfile AWS::AppConfig::Deployment AWS::AppConfig::DeploymentStrategy AWS::AppRunner::AutoScalingConfiguration
	AWS::AppRunner::ObservabilityConfiguration AWS::AppRunner::Service AWS::AppRunner::VpcConnector AWS::AppRunner::VpcIngressConnection
	AWS::Backup::Framework AWS::Backup::ReportPlan AWS::ControlTower::EnabledBaseline AWS::ControlTower::LandingZone AWS::Detective::Graph
	AWS::EC2::CarrierGateway AWS::EC2::LocalGatewayRouteTable AWS::EC2::LocalGatewayRouteTableVPCAssociation
	AWS::EC2::LocalGatewayRouteTableVirtualInterfaceGroupAssociation AWS::EC2::LocalGatewayVirtualInterface
	AWS::EC2::LocalGatewayVirtualInterfaceGroup AWS::EC2::NetworkInsightsAccessScope AWS::EC2::NetworkInsightsAccessScopeAnalysis
	AWS::EC2::NetworkInsightsAnalysis AWS::EC2::NetworkInsightsPath AWS::EC2::PrefixList AWS::EC2::TransitGatewayConnect
	AWS::EC2::TransitGatewayConnectPeer AWS::EC2::TransitGatewayMulticastDomain AWS::EC2::TransitGatewayPeeringAttachment
	AWS::ECS::CapacityProvider AWS::ECS::Cluster AWS::ECS::Daemon AWS::ECS::DaemonTaskDefinition AWS::ECS::Service AWS::ECS::TaskDefinition
	AWS::ECS::TaskSet AWS::ElastiCache::ServerlessCache AWS::ElastiCache::User AWS::ElastiCache::UserGroup
	AWS::ElasticLoadBalancingV2::LoadBalancer AWS::Events::Rule AWS::GameLift::GameServerGroup AWS::Glue::Integration
	AWS::Glue::IntegrationResourceProperty AWS::GroundStation::Config AWS::InternetMonitor::Monitor AWS::IoTWireless::Destination
	AWS::IoTWireless::DeviceProfile AWS::IoTWireless::FuotaTask AWS::IoTWireless::MulticastGroup AWS::IoTWireless::PartnerAccount
	AWS::IoTWireless::ServiceProfile AWS::IoTWireless::TaskDefinition AWS::IoTWireless::WirelessDevice AWS::IoTWireless::WirelessGateway
	AWS::KinesisFirehose::DeliveryStream AWS::Lambda::CapacityProvider AWS::Lambda::CodeSigningConfig AWS::Lambda::EventSourceMapping
	AWS::Lambda::Function AWS::LaunchWizard::Deployment AWS::Lightsail::Bucket AWS::Lightsail::Certificate AWS::Lightsail::Container
	AWS::Lightsail::Database AWS::Lightsail::DatabaseSnapshot AWS::Lightsail::Disk AWS::Lightsail::DiskSnapshot AWS::Lightsail::Distribution
	AWS::Lightsail::Domain AWS::Lightsail::Instance AWS::Lightsail::InstanceSnapshot AWS::Lightsail::LoadBalancer
	AWS::MediaLive::ChannelPlacementGroup AWS::MediaLive::Cluster AWS::MediaLive::Multiplex AWS::MediaLive::Network AWS::MediaLive::SdiSource
	AWS::MediaPackageV2::Channel AWS::MediaPackageV2::ChannelGroup AWS::MediaPackageV2::OriginEndpoint AWS::MemoryDB::ACL AWS::MemoryDB::User
	AWS::Neptune::DBCluster AWS::NeptuneGraph::Graph AWS::ODB::CloudAutonomousVmCluster AWS::ODB::CloudExadataInfrastructure
	AWS::ODB::CloudVmCluster AWS::ODB::OdbNetwork AWS::ODB::OdbPeeringConnection AWS::PinpointEmail::ConfigurationSet
	AWS::PinpointEmail::DedicatedIpPool AWS::PinpointEmail::Identity AWS::RDS::CustomDBEngineVersion AWS::RDS::DBCluster
	AWS::RDS::DBClusterParameterGroup AWS::RDS::DBInstance AWS::RDS::DBParameterGroup AWS::RDS::DBShardGroup AWS::RDS::DBSubnetGroup
	AWS::RDS::EventSubscription AWS::RDS::GlobalCluster AWS::RDS::Integration AWS::RDS::OptionGroup AWS::RTBFabric::InboundExternalLink
	AWS::RTBFabric::Link AWS::RTBFabric::OutboundExternalLink AWS::RTBFabric::RequesterGateway AWS::RTBFabric::ResponderGateway
	AWS::Redshift::Integration AWS::ResourceGroups::Group AWS::SSM::Document AWS::Signer::SigningProfile AWS::Timestream::Database
	AWS::Timestream::InfluxDBCluster AWS::Timestream::InfluxDBInstance AWS::Timestream::Table AWS::VpcLattice::DomainVerification
	AWS::VpcLattice::ResourceConfiguration AWS::VpcLattice::ResourceGateway AWS::WAFv2::IPSet AWS::WAFv2::RegexPatternSet AWS::WAFv2::RuleGroup
	AWS::WAFv2::WebACL AWS::WorkspacesInstances::WorkspaceInstance
`
