package resource_test

import (
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
		"AWS::Fictional::Thing":               "Template format error: Unrecognized resource types: [AWS::Fictional::Thing]",
		"Custom::Thing":                       "",
		"Custom::A thing":                     "Unrecognized resource types: [Custom::A thing]",
		"AWS::CloudFormation::CustomResource": "",
		"AWS::CloudFormation::WaitCondition":  "",
		"AWS::CloudFormation::ModuleVersion":  "modules are not supported",
		"AWS::EC2":                            "Unrecognized resource types: [AWS::EC2]",
		"My::Own::Type":                       "Unrecognized resource types: [My::Own::Type]",
	} {
		_, err := resource.NewTable().Find(name)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("finding %s: %v, want %q", name, err, want)
		}
	}
}
