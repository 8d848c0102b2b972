package cloudcontrol

// ids are the identifiers that services give.
var ids = map[string]string{
	"AWS::ApiGateway::ApiKey": "${low10}", "AWS::ApiGateway::Authorizer": "${low6}", "AWS::ApiGateway::Deployment": "${low6}",
	"AWS::ApiGateway::Model": "${low6}", "AWS::ApiGateway::RequestValidator": "${low6}", "AWS::ApiGateway::Resource": "${low6}",
	"AWS::ApiGateway::RestApi": "${low10}", "AWS::ApiGateway::UsagePlan": "${low6}", "AWS::ApiGateway::VpcLink": "${low6}",
	"AWS::ApiGatewayV2::Api": "${low10}", "AWS::ApiGatewayV2::Authorizer": "${low6}", "AWS::ApiGatewayV2::Deployment": "${low6}",
	"AWS::ApiGatewayV2::Integration": "${low7}", "AWS::ApiGatewayV2::Route": "${low7}", "AWS::ApiGatewayV2::VpcLink": "${low6}",
	"AWS::AppSync::GraphQLApi": "${low26}", "AWS::CloudFront::CachePolicy": "${uuid}", "AWS::CloudFront::CloudFrontOriginAccessIdentity": "E${up13}",
	"AWS::CloudFront::Distribution": "E${up13}", "AWS::CloudFront::OriginAccessControl": "E${up13}", "AWS::Cognito::IdentityPool": "${Region}:${uuid}",
	"AWS::Cognito::UserPool": "${Region}_${up9}", "AWS::Cognito::UserPoolClient": "${low26}", "AWS::DirectoryService::MicrosoftAD": "d-${num10}",
	"AWS::DirectoryService::SimpleAD": "d-${num10}", "AWS::EC2::CapacityReservation": "cr-0${hex16}", "AWS::EC2::CarrierGateway": "cagw-0${hex16}",
	"AWS::EC2::ClientVpnEndpoint": "cvpn-endpoint-0${hex16}", "AWS::EC2::CustomerGateway": "cgw-0${hex16}", "AWS::EC2::DHCPOptions": "dopt-0${hex16}",
	"AWS::EC2::EC2Fleet": "fleet-${uuid}", "AWS::EC2::EgressOnlyInternetGateway": "eigw-0${hex16}", "AWS::EC2::EIP": "eipalloc-0${hex16}",
	"AWS::EC2::EIPAssociation": "eipassoc-0${hex16}", "AWS::EC2::FlowLog": "fl-0${hex16}", "AWS::EC2::Host": "h-0${hex16}",
	"AWS::EC2::Instance": "i-0${hex16}", "AWS::EC2::InstanceConnectEndpoint": "eice-0${hex16}", "AWS::EC2::InternetGateway": "igw-0${hex16}",
	"AWS::EC2::IPAM": "ipam-0${hex16}", "AWS::EC2::IPAMPool": "ipam-pool-0${hex16}", "AWS::EC2::IPAMScope": "ipam-scope-0${hex16}",
	"AWS::EC2::KeyPair": "key-0${hex16}", "AWS::EC2::LaunchTemplate": "lt-0${hex16}", "AWS::EC2::NatGateway": "nat-0${hex16}",
	"AWS::EC2::NetworkAcl": "acl-0${hex16}", "AWS::EC2::NetworkInterface": "eni-0${hex16}", "AWS::EC2::NetworkInterfaceAttachment": "eni-attach-0${hex16}",
	"AWS::EC2::PrefixList": "pl-0${hex16}", "AWS::EC2::RouteTable": "rtb-0${hex16}", "AWS::EC2::SecurityGroup": "sg-0${hex16}",
	"AWS::EC2::SecurityGroupEgress": "sgr-0${hex16}", "AWS::EC2::SecurityGroupIngress": "sgr-0${hex16}", "AWS::EC2::SpotFleet": "sfr-${uuid}",
	"AWS::EC2::Subnet": "subnet-0${hex16}", "AWS::EC2::SubnetCidrBlock": "subnet-cidr-assoc-0${hex16}",
	"AWS::EC2::SubnetNetworkAclAssociation": "aclassoc-0${hex16}", "AWS::EC2::SubnetRouteTableAssociation": "rtbassoc-0${hex16}",
	"AWS::EC2::TransitGateway": "tgw-0${hex16}", "AWS::EC2::TransitGatewayAttachment": "tgw-attach-0${hex16}",
	"AWS::EC2::TransitGatewayPeeringAttachment": "tgw-attach-0${hex16}", "AWS::EC2::TransitGatewayRouteTable": "tgw-rtb-0${hex16}",
	"AWS::EC2::TransitGatewayVpcAttachment": "tgw-attach-0${hex16}", "AWS::EC2::Volume": "vol-0${hex16}", "AWS::EC2::VPC": "vpc-0${hex16}",
	"AWS::EC2::VPCCidrBlock": "vpc-cidr-assoc-0${hex16}", "AWS::EC2::VPCEndpoint": "vpce-0${hex16}", "AWS::EC2::VPCEndpointService": "vpce-svc-0${hex16}",
	"AWS::EC2::VPCPeeringConnection": "pcx-0${hex16}", "AWS::EC2::VPNConnection": "vpn-0${hex16}", "AWS::EC2::VPNGateway": "vgw-0${hex16}",
	"AWS::EFS::AccessPoint": "fsap-0${hex16}", "AWS::EFS::FileSystem": "fs-0${hex16}", "AWS::EFS::MountTarget": "fsmt-0${hex16}",
	"AWS::EMR::Cluster": "j-${up13}", "AWS::FSx::FileSystem": "fs-0${hex16}", "AWS::GuardDuty::Detector": "${hex32}",
	"AWS::Organizations::Account": "${num12}", "AWS::Organizations::Organization": "o-${low10}", "AWS::Organizations::OrganizationalUnit": "ou-${low4}-${low8}",
	"AWS::Organizations::Policy": "p-${low8}", "AWS::Route53::HostedZone": "Z${up20}", "AWS::Route53Resolver::ResolverEndpoint": "rslvr-in-${hex17}",
	"AWS::Route53Resolver::ResolverRule": "rslvr-rr-${hex17}", "AWS::ServiceDiscovery::HttpNamespace": "ns-${low16}",
	"AWS::ServiceDiscovery::PrivateDnsNamespace": "ns-${low16}", "AWS::ServiceDiscovery::PublicDnsNamespace": "ns-${low16}",
	"AWS::ServiceDiscovery::Service": "srv-${low16}", "AWS::SSM::MaintenanceWindow": "mw-0${hex16}", "AWS::SSM::PatchBaseline": "pb-0${hex16}",
	"AWS::Transfer::Server": "s-${hex17}", "AWS::WorkSpaces::Workspace": "ws-${low9}",
}

// arns are ARNs that package spec has no pattern of, or not the whole.
var arns = map[string]string{
	"AWS::AutoScaling::AutoScalingGroup":        "arn:${Partition}:autoscaling:${Region}:${Account}:autoScalingGroup:${uuid}:autoScalingGroupName/${own}",
	"AWS::AutoScaling::ScalingPolicy":           "arn:${Partition}:autoscaling:${Region}:${Account}:scalingPolicy:${uuid}:autoScalingGroupName/${AutoScalingGroupName}:policyName/${low12}",
	"AWS::CertificateManager::Certificate":      "arn:${Partition}:acm:${Region}:${Account}:certificate/${uuid}",
	"AWS::ECS::Service":                         "arn:${Partition}:ecs:${Region}:${Account}:service/${cluster}/${own}",
	"AWS::ECS::TaskDefinition":                  "arn:${Partition}:ecs:${Region}:${Account}:task-definition/${Family}:${revision}",
	"AWS::ElasticLoadBalancingV2::Listener":     "${listener}/${hex16}",
	"AWS::ElasticLoadBalancingV2::ListenerRule": "${rule}/${hex16}",
	"AWS::ElasticLoadBalancingV2::LoadBalancer": "arn:${Partition}:elasticloadbalancing:${Region}:${Account}:loadbalancer/${balancer}/${own}/${hex16}",
	"AWS::ElasticLoadBalancingV2::TargetGroup":  "arn:${Partition}:elasticloadbalancing:${Region}:${Account}:targetgroup/${own}/${hex16}",
	"AWS::Lambda::Alias":                        "arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}:${Name}",
	"AWS::Lambda::EventSourceMapping":           "arn:${Partition}:lambda:${Region}:${Account}:event-source-mapping:${uuid}",
	"AWS::Lambda::LayerVersion":                 "arn:${Partition}:lambda:${Region}:${Account}:layer:${own}:${revision}",
	"AWS::Lambda::Version":                      "arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}:${revision}",
	"AWS::MSK::Cluster":                         "arn:${Partition}:kafka:${Region}:${Account}:cluster/${ClusterName}/${uuid}-1",
	"AWS::SNS::Subscription":                    "${topic}:${uuid}",
	"AWS::WAFv2::IPSet":                         "arn:${Partition}:wafv2:${Region}:${Account}:${webacl}/ipset/${Name}/${uuid}",
	"AWS::WAFv2::RuleGroup":                     "arn:${Partition}:wafv2:${Region}:${Account}:${webacl}/rulegroup/${Name}/${uuid}",
	"AWS::WAFv2::WebACL":                        "arn:${Partition}:wafv2:${Region}:${Account}:${webacl}/webacl/${Name}/${uuid}",
}

// shapes are attributes that neither their name nor the ARN tells.
var shapes = map[string]string{
	"AWS::ApiGateway::RestApi/RootResourceId":                           "${low10}",
	"AWS::ApiGatewayV2::Api/ApiEndpoint":                                "https://${id}.execute-api.${Region}.amazonaws.com",
	"AWS::AppSync::GraphQLApi/ApiId":                                    "${id}",
	"AWS::AppSync::GraphQLApi/GraphQLUrl":                               "https://${low26}.appsync-api.${Region}.amazonaws.com/graphql",
	"AWS::Batch::JobDefinition/JobDefinitionArn":                        "arn:${Partition}:batch:${Region}:${Account}:job-definition/${own}:${revision}",
	"AWS::CloudFront::CloudFrontOriginAccessIdentity/S3CanonicalUserId": "${hex96}",
	"AWS::CloudFront::Function/FunctionMetadata.FunctionARN":            "${arn}",
	"AWS::CloudFront::Distribution/DomainName":                          "d${low13}.cloudfront.net",
	"AWS::Cognito::UserPool/ProviderName":                               "cognito-idp.${Region}.amazonaws.com/${id}",
	"AWS::Cognito::UserPool/ProviderURL":                                "https://cognito-idp.${Region}.amazonaws.com/${id}",
	"AWS::DynamoDB::Table/StreamArn":                                    "${arn}/stream/${stream}",
	"AWS::EC2::Instance/PrivateDnsName":                                 "ip-10-0-${byte1}-${byte2}.${Region}.compute.internal",
	"AWS::EC2::Instance/PublicDnsName":                                  "ec2-203-0-113-${byte1}.${Region}.compute.amazonaws.com",
	"AWS::EC2::Route/CidrBlock":                                         "${cidr}",
	"AWS::EC2::Subnet/Ipv6CidrBlocks":                                   "2600:1f18:${hex4}:${hex3}0::/64",
	"AWS::EC2::VPC/CidrBlockAssociations":                               "vpc-cidr-assoc-0${hex16}",
	"AWS::EC2::VPC/Ipv6CidrBlocks":                                      "2600:1f18:${hex4}:${hex2}00::/56",
	"AWS::EC2::VPCEndpoint/DnsEntries":                                  "Z${up13}:${id}-${low8}.${ServiceName}.vpce.amazonaws.com",
	"AWS::EC2::VPCGatewayAttachment/AttachmentType":                     "${gateway}",
	"AWS::ECR::Repository/RepositoryUri":                                "${Account}.dkr.ecr.${Region}.amazonaws.com/${own}",
	"AWS::EKS::Cluster/CertificateAuthorityData":                        "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==",
	"AWS::EKS::Cluster/Endpoint":                                        "https://${up32}.gr7.${Region}.eks.amazonaws.com",
	"AWS::EKS::Cluster/OpenIdConnectIssuerUrl":                          "https://oidc.eks.${Region}.amazonaws.com/id/${up32}",
	"AWS::ElastiCache::ReplicationGroup/PrimaryEndPoint.Address":        "${own}.${low6}.ng.0001.cache.amazonaws.com",
	"AWS::ElasticLoadBalancing::LoadBalancer/CanonicalHostedZoneName":   "${own}-${num9}.${Region}.elb.amazonaws.com",
	"AWS::ElasticLoadBalancing::LoadBalancer/DNSName":                   "${own}-${num9}.${Region}.elb.amazonaws.com",
	"AWS::ElasticLoadBalancingV2::LoadBalancer/CanonicalHostedZoneID":   "Z${up13}",
	"AWS::ElasticLoadBalancingV2::LoadBalancer/DNSName":                 "${own}-${num9}.${Region}.elb.amazonaws.com",
	"AWS::ElasticLoadBalancingV2::LoadBalancer/LoadBalancerFullName":    "${balancer}/${own}/${hex16}",
	"AWS::ElasticLoadBalancingV2::TargetGroup/TargetGroupFullName":      "targetgroup/${own}/${hex16}",
	"AWS::Elasticsearch::Domain/DomainEndpoint":                         "search-${own}-${low26}.${Region}.es.amazonaws.com",
	"AWS::AmazonMQ::Broker/AmqpEndpoints":                               "amqp+ssl://b-${uuid}-1.mq.${Region}.amazonaws.com:5671",
	"AWS::AmazonMQ::Broker/ConsoleURLs":                                 "https://b-${uuid}-1.mq.${Region}.amazonaws.com:8162",
	"AWS::AmazonMQ::Broker/MqttEndpoints":                               "mqtt+ssl://b-${uuid}-1.mq.${Region}.amazonaws.com:8883",
	"AWS::AmazonMQ::Broker/OpenWireEndpoints":                           "ssl://b-${uuid}-1.mq.${Region}.amazonaws.com:61617",
	"AWS::AmazonMQ::Broker/StompEndpoints":                              "stomp+ssl://b-${uuid}-1.mq.${Region}.amazonaws.com:61614",
	"AWS::AmazonMQ::Broker/WssEndpoints":                                "wss://b-${uuid}-1.mq.${Region}.amazonaws.com:61619",
	"AWS::NetworkFirewall::Firewall/EndpointIds":                        "${Region}a:vpce-0${hex16}",
	"AWS::Redshift::Cluster/Endpoint.Address":                           "${own}.${low12}.${Region}.redshift.amazonaws.com",
	"AWS::Lambda::Version/Version":                                      "${revision}",
	"AWS::Lambda::FunctionUrl/FunctionUrl":                              "https://${low32}.lambda-url.${Region}.on.aws/",
	"AWS::OpenSearchService::Domain/DomainEndpoint":                     "search-${own}-${low26}.${Region}.es.amazonaws.com",
	"AWS::RDS::DBCluster/DBClusterResourceId":                           "cluster-${up26}",
	"AWS::RDS::DBCluster/Endpoint.Address":                              "${own}.cluster-${low12}.${Region}.rds.amazonaws.com",
	"AWS::RDS::DBCluster/MasterUserSecret.SecretArn":                    "arn:${Partition}:secretsmanager:${Region}:${Account}:secret:rds!cluster-${uuid}-${low6}",
	"AWS::RDS::DBCluster/ReadEndpoint.Address":                          "${own}.cluster-ro-${low12}.${Region}.rds.amazonaws.com",
	"AWS::RDS::DBInstance/DBInstanceStatus":                             "available",
	"AWS::RDS::DBInstance/DbiResourceId":                                "db-${up26}",
	"AWS::RDS::DBInstance/Endpoint.Address":                             "${own}.${low12}.${Region}.rds.amazonaws.com",
	"AWS::RDS::DBInstance/MasterUserSecret.SecretArn":                   "arn:${Partition}:secretsmanager:${Region}:${Account}:secret:rds!db-${uuid}-${low6}",
	"AWS::SQS::Queue/Arn":                                               "arn:${Partition}:sqs:${Region}:${Account}:${own}",
	"AWS::SQS::Queue/QueueUrl":                                          "https://sqs.${Region}.amazonaws.com/${Account}/${own}",
}

// members are the shapes of what lists hold, by the end of the list's name in
// lower case; the first that fits counts.
var members = []struct{ end, pattern string }{
	{"ipv6addresses", "2600:1f18::${hex4}:${hex4}"}, {"ipv4addresses", "203.0.113.${byte1}"}, {"ipaddresses", "10.0.${byte1}.${byte2}"},
	{"networkinterfaceids", "eni-0${hex16}"}, {"ingestendpointurls", "${own}-${low26}.${Region}.osis.amazonaws.com"},
}

// revised are types whose ARNs count: each new resource of that name is the
// next revision, also after one was deleted.
var revised = map[string]string{
	"AWS::Batch::JobDefinition": "JobDefinitionName", "AWS::ECS::TaskDefinition": "Family",
	"AWS::Lambda::LayerVersion": "LayerName", "AWS::Lambda::Version": "FunctionName",
}

// picked are properties that the service sets where they are left out, for
// types that answer Fn::GetAtt with them.
var picked = []string{"AvailabilityZone", "AvailabilityZoneId", "Port", "PrivateIpAddress", "VpcId"}

// features are attributes that exist only with a property.
var features = map[string]string{
	"AWS::DynamoDB::Table/StreamArn":                  "StreamSpecification",
	"AWS::RDS::DBCluster/MasterUserSecret.SecretArn":  "ManageMasterUserPassword",
	"AWS::RDS::DBInstance/MasterUserSecret.SecretArn": "ManageMasterUserPassword",
}
