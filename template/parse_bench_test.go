package template_test

import (
	"testing"

	"ouro/template"
)

const benchYAML = `AWSTemplateFormatVersion: 2010-09-09
Description: A subnet pair in one zone
Parameters:
  Vpc: {Type: String}
  Zone: {Type: String, AllowedPattern: "[a-z]?", Default: a}
  Cidr:
    Type: String
    Description: the block of this zone
Conditions:
  Enabled: !Not [!Equals [!Ref Zone, ""]]
Resources:
  Subnet:
    Type: AWS::EC2::Subnet
    Condition: Enabled
    Properties:
      VpcId: !Ref Vpc
      AvailabilityZone: !Sub ${AWS::Region}${Zone}
      CidrBlock: !Select [0, !Cidr [!Ref Cidr, 2, 6]]
      Tags:
        - {Key: Name, Value: !Sub "${AWS::StackName}-${Zone}"}
        - {Key: Kind, Value: internal}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Action: sts:AssumeRole
            Principal: {Service: ec2.amazonaws.com}
            Condition: {Bool: {aws:SecureTransport: true}}
Outputs:
  SubnetId:
    Condition: Enabled
    Value: !Ref Subnet
    Export: {Name: !Sub "${AWS::StackName}-subnet"}
  RoleArn: {Value: !GetAtt Role.Arn}
`

func BenchmarkParseYAML(b *testing.B) { benchmarkParse(b, "a.yaml", []byte(benchYAML)) }

func BenchmarkParseJSON(b *testing.B) {
	t, err := template.Parse("a.yaml", []byte(benchYAML))
	if err != nil {
		b.Fatal(err)
	}
	benchmarkParse(b, "a.json", template.Canonical(t.Root))
}

func benchmarkParse(b *testing.B, name string, body []byte) {
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		t, err := template.Parse(name, body)
		if err != nil {
			b.Fatal(err)
		}
		template.Hash(template.Canonical(t.Root))
	}
}

func BenchmarkCheck(b *testing.B) {
	t, err := template.Parse("a.yaml", []byte(benchYAML))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if p := t.Check(); len(p) != 0 {
			b.Fatal(p)
		}
	}
}
