package resource_test

import (
	"regexp"
	"strings"
	"testing"

	"ouro/cloud/cloudformation/resource"
)

func TestNames(t *testing.T) {
	t.Parallel()
	const suffix = "ABCDEF123456"
	long := strings.Repeat("x", 60)
	for _, c := range []struct{ kind, stack, logical, want string }{
		{"AWS::IAM::Role", "site", "Role", "site-Role-ABCDEF123456"},
		{"AWS::S3::Bucket", "Site", "Bucket", "site-bucket-abcdef123456"},
		{"AWS::SSM::Parameter", "site", "P", "CFN-P-ABCDEF123456"},
		{"AWS::IAM::Policy", "pipeline", "DefaultPolicy", "pipel-Defau-ABCDEF123456"},
		{"AWS::IAM::Role", long, "Role", long[:46] + "-Role-ABCDEF123456"},
		{"AWS::IAM::Role", "site", long, "site-" + long[:46] + "-ABCDEF123456"},
		{"AWS::S3::Bucket", long, long, long[:25] + "-" + long[:24] + "-abcdef123456"},
	} {
		kind, err := resource.NewTable().Find(c.kind)
		if err != nil {
			t.Fatal(err)
		}
		got, given := kind.NameFor(c.stack, c.logical, suffix, nil)
		if got != c.want || given || len(got) > max(kind.Naming.Max, len(c.want)) {
			t.Errorf("%s of %s in %s is called %q, want %q", c.logical, c.kind, c.stack, got, c.want)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"AWS::EC2::VPC":                       "",
		"AWS::Fictional::Thing":               "",
		"Custom::Thing":                       "custom resources are not supported yet",
		"AWS::CloudFormation::CustomResource": "custom resources are not supported yet",
		"AWS::CloudFormation::WaitCondition":  "wait conditions are not supported yet",
		"AWS::EC2":                            "Unrecognized resource types: [AWS::EC2]",
		"My::Own::Type":                       "Unrecognized resource types: [My::Own::Type]",
	} {
		_, err := resource.NewTable().Find(name)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("finding %s: %v, want %q", name, err, want)
		}
	}
}

// TestRecorded looks at the shapes of what recorded types answer.
func TestRecorded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, attribute, want string }{
		{"AWS::EC2::VPC", "", `^vpc-0[0-9a-f]{16}$`},
		{"AWS::EC2::VPC", "DefaultSecurityGroup", `^sg-0[0-9a-f]{16}$`},
		{"AWS::EC2::Subnet", "", `^subnet-0[0-9a-f]{16}$`},
		{"AWS::ElasticLoadBalancingV2::LoadBalancer", "", `^arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/s-X-A/[0-9a-f]{16}$`},
		{"AWS::ElasticLoadBalancingV2::LoadBalancer", "DNSName", `^x-[0-9a-f]{9}\.eu-west-1\.elasticloadbalancing\.amazonaws\.com$`},
		{"AWS::SQS::Queue", "", `^https://sqs\.eu-west-1\.amazonaws\.com/123456789012/s-X-A$`},
		{"AWS::SQS::Queue", "Arn", `^arn:aws:sqs:eu-west-1:123456789012:`},
		{"AWS::Route53::HostedZone", "", `^Z[0-9A-F]{20}$`},
		{"AWS::DynamoDB::Table", "", `^s-X-A$`},
		{"AWS::DynamoDB::Table", "Arn", `^arn:aws:dynamodb:eu-west-1:123456789012:table/s-X-A$`},
	} {
		kind, err := resource.NewTable().Find(c.kind)
		if err != nil {
			t.Fatal(err)
		}
		r := &resource.Request{Account: "123456789012", Region: "eu-west-1", Partition: "aws", StackName: "s", LogicalID: "X", Type: c.kind, Name: "s-X-A"}
		made, err := kind.Create(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		got, r2 := made.Physical, *r
		r2.Physical, r2.Attributes = made.Physical, made.Attributes
		if c.attribute != "" {
			v, _ := kind.Attribute(&r2, c.attribute)
			got, _ = v.(string)
		}
		if !regexp.MustCompile(c.want).MatchString(got) {
			t.Errorf("%s %s is %q, want %s", c.kind, c.attribute, got, c.want)
		}
		if again, _ := kind.Update(t.Context(), &r2); again.Physical != made.Physical {
			t.Errorf("an update of %s changes its id from %q to %q", c.kind, made.Physical, again.Physical)
		}
	}
}
