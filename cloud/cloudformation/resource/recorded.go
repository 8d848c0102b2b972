package resource

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
)

// recordedKind is the kind of a type that has no service behind it here. It
// gets an identifier that stays, attributes of the right shape, and accepts
// every update in place.
func recordedKind(name string) *Kind {
	return &Kind{
		Type: name, Recorded: true, Naming: &Naming{Max: 255},
		Create: func(_ context.Context, r *Request) (Result, error) { return record(r, recordedID(r)), nil },
		Update: func(_ context.Context, r *Request) (Result, error) { return record(r, r.Physical), nil },
		Delete: func(context.Context, *Request) error { return nil },
	}
}

// idPrefix is what the services put before the identifiers that they give.
var idPrefix = map[string]string{
	"AWS::EC2::VPC": "vpc-", "AWS::EC2::Subnet": "subnet-", "AWS::EC2::SecurityGroup": "sg-", "AWS::EC2::Instance": "i-",
	"AWS::EC2::InternetGateway": "igw-", "AWS::EC2::NatGateway": "nat-", "AWS::EC2::RouteTable": "rtb-", "AWS::EC2::EIP": "eipalloc-",
	"AWS::EC2::Volume": "vol-", "AWS::EC2::NetworkInterface": "eni-", "AWS::EC2::LaunchTemplate": "lt-", "AWS::EC2::VPCEndpoint": "vpce-",
	"AWS::EC2::SubnetRouteTableAssociation": "rtbassoc-", "AWS::EC2::NetworkAcl": "acl-", "AWS::EC2::TransitGateway": "tgw-",
	"AWS::EC2::FlowLog": "fl-", "AWS::EC2::VPCPeeringConnection": "pcx-", "AWS::EC2::DHCPOptions": "dopt-", "AWS::EC2::KeyPair": "key-",
	"AWS::EC2::SecurityGroupIngress": "sgr-", "AWS::EC2::SecurityGroupEgress": "sgr-", "AWS::EFS::FileSystem": "fs-",
}

// arnIDs are types whose physical id is their ARN; the value is the resource
// part, in which {name} and {hex} stand for the name and 16 hexadecimal digits.
var arnIDs = map[string]string{
	"AWS::ElasticLoadBalancingV2::LoadBalancer": "loadbalancer/app/{name}/{hex}",
	"AWS::ElasticLoadBalancingV2::TargetGroup":  "targetgroup/{name}/{hex}",
	"AWS::ElasticLoadBalancingV2::Listener":     "listener/app/{name}/{hex}/{hex}",
	"AWS::ElasticLoadBalancingV2::ListenerRule": "listener-rule/app/{name}/{hex}/{hex}/{hex}",
	"AWS::CertificateManager::Certificate":      "certificate/{uuid}",
	"AWS::SNS::Topic":                           "{name}",
	"AWS::ECS::Service":                         "service/{name}",
	"AWS::ECS::TaskDefinition":                  "task-definition/{name}:1",
	"AWS::StepFunctions::StateMachine":          "stateMachine:{name}",
}

// arnService is the service's name in ARNs where it is not the type's own.
var arnService = map[string]string{
	"elasticloadbalancingv2": "elasticloadbalancing", "certificatemanager": "acm", "stepfunctions": "states", "opensearchservice": "es",
}

// nameProperties are where the types keep their names.
var nameProperties = []string{"Name", "TopicName", "QueueName", "TableName", "FunctionName", "RepositoryName", "ClusterName", "ServiceName",
	"DBInstanceIdentifier", "DBClusterIdentifier", "AutoScalingGroupName", "LaunchConfigurationName", "AlarmName", "RestApiName", "StateMachineName"}

func recordedID(r *Request) string {
	if r.Physical != "" {
		return r.Physical // begun by a process that died
	}
	seed := digest(r.Name)
	if prefix, ok := idPrefix[r.Type]; ok {
		return prefix + "0" + seed[:16]
	}
	switch {
	case r.Type == "AWS::Route53::HostedZone":
		return "Z" + strings.ToUpper(seed[:20])
	case r.Type == "AWS::SQS::Queue":
		return "https://sqs." + r.Region + ".amazonaws.com/" + r.Account + "/" + recordedName(r)
	case strings.HasPrefix(r.Type, "AWS::KMS::Key"):
		return uuid(seed)
	}
	if shape, ok := arnIDs[r.Type]; ok {
		return recordedARN(r, shape, seed)
	}
	return recordedName(r)
}

func recordedName(r *Request) string {
	for _, p := range nameProperties {
		if name := r.Text(p); name != "" {
			return name
		}
	}
	return r.Name
}

func recordedARN(r *Request, shape, seed string) string {
	service := strings.ToLower(strings.Split(r.Type, "::")[1])
	if s, ok := arnService[service]; ok {
		service = s
	}
	fill := strings.NewReplacer("{name}", cut(recordedName(r), 32), "{hex}", seed[:16], "{uuid}", uuid(seed))
	return r.ARN(service, fill.Replace(shape))
}

func record(r *Request, id string) Result {
	return Result{Physical: id, Attributes: map[string]any{}}
}

// Attribute answers Fn::GetAtt: what the resource is known by, else, for
// recorded types, a property of that name or a value of the right shape.
func (k *Kind) Attribute(r *Request, attribute string) (any, bool) {
	if v, ok := r.Attributes[attribute]; ok {
		return v, true
	}
	if !k.Recorded {
		v, ok := dotted(r.Attributes, attribute)
		return v, ok
	}
	if v, ok := dotted(r.Properties, attribute); ok {
		return v, true
	}
	return shaped(r, attribute), true
}

func dotted(m map[string]any, path string) (any, bool) {
	var v any = m
	for part := range strings.SplitSeq(path, ".") {
		next, ok := object(v)[part]
		if !ok {
			return nil, false
		}
		v = next
	}
	return v, v != nil
}

// shaped makes up an attribute of a recorded resource by its name. It depends
// on nothing but the physical id, so that it stays what it is.
func shaped(r *Request, attribute string) any {
	seed := digest(r.Physical + "/" + attribute)
	last := attribute[strings.LastIndex(attribute, ".")+1:]
	parts := strings.Split(strings.ToLower(r.Type), "::")
	service := parts[1]
	if s, ok := arnService[service]; ok {
		service = s
	}
	switch {
	case strings.HasSuffix(strings.ToLower(last), "arn"):
		if strings.HasPrefix(r.Physical, "arn:") {
			return r.Physical
		}
		return r.ARN(service, parts[len(parts)-1]+"/"+strings.TrimPrefix(r.Physical, "https://"))
	case last == "DNSName" || last == "DomainName" || strings.HasSuffix(last, "DnsName"):
		return strings.ToLower(cut(r.LogicalID, 32)) + "-" + seed[:9] + "." + r.Region + "." + service + ".amazonaws.com"
	case strings.HasSuffix(last, "Ip") || strings.HasSuffix(last, "IpAddress"):
		return "10.0." + byteText(seed[:2]) + "." + byteText(seed[2:4])
	case strings.HasSuffix(last, "NameServers"):
		return []any{"ns-1." + service + ".local", "ns-2." + service + ".local", "ns-3." + service + ".local", "ns-4." + service + ".local"}
	case strings.HasSuffix(last, "HostedZoneID") || strings.HasSuffix(last, "HostedZoneId"):
		return "Z" + strings.ToUpper(seed[:13])
	case last == "DefaultSecurityGroup":
		return "sg-0" + seed[:16]
	case last == "DefaultNetworkAcl":
		return "acl-0" + seed[:16]
	case last == "LatestVersionNumber" || last == "DefaultVersionNumber" || last == "Version":
		return "1"
	case strings.HasSuffix(last, "Ids"), strings.HasSuffix(last, "CidrBlocks"), strings.HasSuffix(last, "CidrBlockAssociations"):
		return []any{}
	}
	return r.Physical
}

// byteText is two hexadecimal digits as a part of an IPv4 address.
func byteText(digits string) string {
	n, err := strconv.ParseUint(digits, 16, 8)
	if err != nil {
		return "1"
	}
	return strconv.FormatUint(n, 10)
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func uuid(seed string) string {
	return seed[:8] + "-" + seed[8:12] + "-" + seed[12:16] + "-" + seed[16:20] + "-" + seed[20:32]
}

// waitHandleKind is a handle nobody waits for: templates use it as the
// resource that does nothing. Its Ref is a URL, as on AWS.
func waitHandleKind() *Kind {
	k := recordedKind("AWS::CloudFormation::WaitConditionHandle")
	k.Recorded = false
	k.Create = func(_ context.Context, r *Request) (Result, error) {
		return Result{Physical: "https://cloudformation-waitcondition-" + r.Region + ".s3.amazonaws.com/" + url.QueryEscape(r.StackID) + "/" + r.Name}, nil
	}
	return k
}
