package spec_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ouro/spec"
)

func lookup(t testing.TB, name string) *spec.Type {
	t.Helper()
	found, ok := spec.Lookup(name)
	if !ok {
		t.Fatalf("no type %s", name)
	}
	return found
}

// TestFacts holds the table against what the pages of the types say.
func TestFacts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, arn       string
		identifier, ref []string
		tags            string
		style           spec.TagStyle
		stateful        bool
		required        []string
		always          []string // these properties, and not all, replace
		never           []string
		attributes      []string
		not             []string // no attributes
	}{
		{
			name: "AWS::S3::Bucket", arn: "arn:${Partition}:s3:::${BucketName}",
			identifier: []string{"BucketName"}, ref: []string{"BucketName"}, tags: "Tags", stateful: true,
			always: []string{"BucketName"}, never: []string{"VersioningConfiguration"},
			attributes: []string{"Arn", "DomainName", "RegionalDomainName", "WebsiteURL"}, not: []string{"BucketName", "arn", ""},
		},
		{
			name: "AWS::EC2::Subnet", arn: "arn:${Partition}:ec2:${Region}:${Account}:subnet/${SubnetId}",
			identifier: []string{"SubnetId"}, ref: []string{"SubnetId"}, tags: "Tags", required: []string{"VpcId"},
			always: []string{"AvailabilityZone", "CidrBlock", "VpcId"}, never: []string{"MapPublicIpOnLaunch"},
			attributes: []string{"AvailabilityZone", "Ipv6CidrBlocks", "SubnetId", "VpcId"},
		},
		{
			name: "AWS::Lambda::Function", arn: "arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}",
			identifier: []string{"FunctionName"}, ref: []string{"FunctionName"}, tags: "Tags", required: []string{"Code", "Role"},
			always: []string{"FunctionName"}, never: []string{"Code", "Runtime"},
			attributes: []string{"Arn", "SnapStartResponse", "SnapStartResponse.ApplyOn"}, not: []string{"Version", "Arn.x"},
		},
		{
			name: "AWS::RDS::DBInstance", arn: "arn:${Partition}:rds:${Region}:${Account}:db:${DbInstanceName}",
			identifier: []string{"DBInstanceIdentifier"}, ref: []string{"DBInstanceIdentifier"}, tags: "Tags", stateful: true,
			always: []string{"DBName", "MasterUsername"}, never: []string{"DBInstanceClass"},
			attributes: []string{"Endpoint.Address", "Endpoint.Port", "DBInstanceArn", "MasterUserSecret.SecretArn"}, not: []string{"Endpoint.Nothing"},
		},
		{
			name: "AWS::IAM::Role", arn: "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}",
			identifier: []string{"RoleName"}, ref: []string{"RoleName"}, tags: "Tags", required: []string{"AssumeRolePolicyDocument"},
			always: []string{"Path", "RoleName"}, never: []string{"Policies"}, attributes: []string{"Arn", "RoleId"},
		},
		{
			name: "AWS::ApiGatewayV2::Route", identifier: []string{"ApiId", "RouteId"}, ref: []string{"RouteId"}, required: []string{"ApiId", "RouteKey"},
			always: []string{"ApiId"}, never: []string{"Target"}, attributes: []string{"RouteId"},
		},
		{
			name: "AWS::EC2::SecurityGroup", identifier: []string{"Id"}, ref: []string{"GroupId"}, tags: "Tags", required: []string{"GroupDescription"},
			arn:    "arn:${Partition}:ec2:${Region}:${Account}:security-group/${SecurityGroupId}",
			always: []string{"GroupDescription", "GroupName", "VpcId"}, attributes: []string{"GroupId", "Id", "VpcId"},
		},
		{
			name:       "AWS::CloudFormation::Stack",
			identifier: []string{"StackId"}, ref: []string{"StackId"}, tags: "Tags", required: []string{"TemplateURL"}, stateful: true,
			attributes: []string{"Outputs.Anything"}, not: []string{"Output.X"},
		},
		{
			name: "AWS::CloudFormation::CustomResource", identifier: []string{"Id"}, ref: []string{"Id"}, required: []string{"ServiceToken"},
			always: []string{"ServiceToken"}, attributes: []string{"What.Ever"},
		},
		{name: "AWS::CDK::Metadata", identifier: []string{"Id"}, ref: []string{"Id"}, never: []string{"Analytics"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := lookup(t, tt.name)
			if got.Name != tt.name || got.TagProperty != tt.tags || got.TagStyle != tt.style || got.Stateful != tt.stateful || got.ARN != tt.arn {
				t.Errorf("got %s, tags %q %d, stateful %t, ARN %q", got.Name, got.TagProperty, got.TagStyle, got.Stateful, got.ARN)
			}
			if !slices.Equal(got.Identifier, tt.identifier) || !slices.Equal(got.Ref, tt.ref) {
				t.Errorf("identifier %q, Ref %q", got.Identifier, got.Ref)
			}
			var required []string
			for _, p := range got.Properties {
				if p.Required {
					required = append(required, p.Name)
				}
			}
			if diff := cmp.Diff(tt.required, required); diff != "" {
				t.Errorf("required (-want +got):\n%s", diff)
			}
			replaces(t, got, tt.always, spec.ReplaceAlways)
			replaces(t, got, tt.never, spec.ReplaceNever)
			for _, a := range tt.attributes {
				if found, ok := got.Attribute(a); !ok || found.Name != a {
					t.Errorf("no attribute %q", a)
				}
			}
			for _, a := range tt.not {
				if _, ok := got.Attribute(a); ok {
					t.Errorf("there is an attribute %q", a)
				}
			}
		})
	}
}

func replaces(t *testing.T, in *spec.Type, names []string, want spec.Replacement) {
	t.Helper()
	for _, name := range names {
		if p := spec.Find(in.Properties, name); p == nil || p.Replace != want {
			t.Errorf("property %s: %+v, want replacement %d", name, p, want)
		}
	}
}

// TestValues follows paths into properties.
func TestValues(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		path []string
		want spec.Value
	}{
		{"AWS::S3::Bucket", []string{"VersioningConfiguration", "Status"}, spec.Value{Kind: spec.String, Allowed: []string{"Enabled", "Suspended"}}},
		{"AWS::S3::Bucket", []string{"Tags"}, spec.Value{Kind: spec.List, Element: &spec.Value{Kind: spec.Object}}},
		{"AWS::S3::Bucket", []string{"Tags", "Key"}, spec.Value{Kind: spec.String}},
		{"AWS::SSM::Parameter", []string{"Tags"}, spec.Value{Kind: spec.Map, Element: &spec.Value{Kind: spec.String}}},
		{"AWS::IAM::Role", []string{"AssumeRolePolicyDocument"}, spec.Value{Kind: spec.Union, Any: []spec.Value{{Kind: spec.JSON}, {Kind: spec.String}}}},
		{"AWS::EC2::Subnet", []string{"MapPublicIpOnLaunch"}, spec.Value{Kind: spec.Boolean}},
		{"AWS::Lambda::Function", []string{"MemorySize"}, spec.Value{Kind: spec.Integer}},
		{"AWS::AutoScaling::AutoScalingGroup", []string{"Tags", "PropagateAtLaunch"}, spec.Value{Kind: spec.Boolean}},
		// The type of this property has changed: both are good.
		{"AWS::ApiGatewayV2::Integration", []string{"RequestTemplates"},
			spec.Value{Kind: spec.Union, Any: []spec.Value{{Kind: spec.Map, Element: &spec.Value{Kind: spec.String}}, {Kind: spec.JSON}}}},
		// Statements hold statements.
		{"AWS::WAFv2::WebACL", []string{"Rules", "Statement", "NotStatement", "Statement", "NotStatement", "Statement", "ByteMatchStatement", "SearchString"},
			spec.Value{Kind: spec.String}},
	}
	for _, tt := range tests {
		v := spec.Value{}
		properties := lookup(t, tt.name).Properties
		for _, step := range tt.path {
			p := spec.Find(properties, step)
			if p == nil {
				t.Fatalf("%s: no %s on the way to %v", tt.name, step, tt.path)
			}
			if v = p.Value; v.Kind == spec.List {
				properties = v.Element.Properties()
			} else {
				properties = v.Properties()
			}
		}
		if diff := cmp.Diff(tt.want, v, cmpopts.IgnoreUnexported(spec.Value{})); diff != "" {
			t.Errorf("%s %v (-want +got):\n%s", tt.name, tt.path, diff)
		}
	}
}

// TestPathsThatReplace are marked in the source beside the properties.
func TestPathsThatReplace(t *testing.T) {
	t.Parallel()
	tags := spec.Find(lookup(t, "AWS::RedshiftServerless::Snapshot").Properties, "Tags")
	if key := spec.Find(tags.Value.Element.Properties(), "Key"); key.Replace != spec.ReplaceAlways {
		t.Errorf("Key of a snapshot's tag %d", key.Replace)
	}
	others := spec.Find(lookup(t, "AWS::S3::Bucket").Properties, "Tags")
	if key := spec.Find(others.Value.Element.Properties(), "Key"); key.Replace != spec.ReplaceNever {
		t.Errorf("the tag of another type replaces: %d", key.Replace)
	}
}

// TestEveryType reads the whole table, from several goroutines.
func TestEveryType(t *testing.T) {
	t.Parallel()
	names := spec.Names()
	if len(names) < 1800 || !slices.IsSorted(names) || spec.Version() == "" {
		t.Fatalf("%d names, version %q", len(names), spec.Version())
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			seen := map[*spec.Property]bool{}
			for _, name := range names {
				found, ok := spec.Lookup(name)
				if !ok || found.Name != name {
					t.Errorf("%s is listed, and finds %v", name, found)
					return
				}
				sorted(t, name, found.Properties, seen)
				for _, ref := range found.Ref {
					if ref == "" {
						t.Errorf("%s: an empty part of Ref", name)
					}
				}
			}
		})
	}
	wg.Wait()
	for _, name := range []string{"", "AWS", "AWS::S3::Bucke", "AWS::S3::Buckett", "aws::s3::bucket", "zzz"} {
		if found, ok := spec.Lookup(name); ok {
			t.Errorf("%q finds %s", name, found.Name)
		}
	}
}

func sorted(t *testing.T, name string, properties []spec.Property, seen map[*spec.Property]bool) {
	if len(properties) == 0 || seen[&properties[0]] {
		return
	}
	seen[&properties[0]] = true
	if !slices.IsSortedFunc(properties, func(a, b spec.Property) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("%s: properties are not sorted", name)
	}
	for _, p := range properties {
		within(t, name, p.Value, seen)
	}
}

func within(t *testing.T, name string, v spec.Value, seen map[*spec.Property]bool) {
	sorted(t, name, v.Properties(), seen)
	if v.Element != nil {
		within(t, name, *v.Element, seen)
	}
	for _, one := range v.Any {
		within(t, name, one, seen)
	}
}

func TestNameProperty(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"AWS::DynamoDB::Table": "TableName", "AWS::SNS::Topic": "TopicName", "AWS::ElasticLoadBalancingV2::LoadBalancer": "Name",
		"AWS::ECS::TaskDefinition": "Family", "AWS::SQS::Queue": "QueueName",
		"AWS::EC2::VPC": "", "AWS::KMS::Alias": "", "AWS::Route53::RecordSet": "", // an id, required, of several parts
	} {
		if got := lookup(t, name).NameProperty(); got != want {
			t.Errorf("%s is named by %q, want %q", name, got, want)
		}
	}
}

func TestReplaced(t *testing.T) {
	t.Parallel()
	type m = map[string]any
	for _, tt := range []struct {
		name     string
		was, now m
		want     []string
	}{
		{"AWS::EC2::Subnet", m{"VpcId": "a", "CidrBlock": "b"}, m{"VpcId": "c", "MapPublicIpOnLaunch": true}, []string{"CidrBlock", "VpcId"}},
		{"AWS::EC2::Subnet", m{"VpcId": "a"}, m{"VpcId": "a", "MapPublicIpOnLaunch": true, "Unknown": m{"A": 1}}, nil},
		{"AWS::RedshiftServerless::Snapshot", m{"Tags": []any{m{"Key": "a", "Value": "1"}}}, m{"Tags": []any{m{"Key": "a", "Value": "2"}}}, []string{"Tags"}},
		{"AWS::RedshiftServerless::Snapshot", m{}, m{"Tags": []any{m{"Key": "a"}}}, []string{"Tags"}},
	} {
		if diff := cmp.Diff(tt.want, lookup(t, tt.name).Replaced(tt.was, tt.now)); diff != "" {
			t.Errorf("%s %v → %v (-want +got):\n%s", tt.name, tt.was, tt.now, diff)
		}
	}
}
