package library_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net"
	"net/http"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/cloud/cloudtest/tool"
	"ouro/library"
	"ouro/template"
)

// moto is an AWS that we did not write.
type moto struct {
	t   *testing.T
	cfn *cloudformation.Client
	s3  *s3.Client
}

func newMoto(t *testing.T) *moto {
	t.Helper()
	program := tool.Find(t, "moto_server")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_, port, err := net.SplitHostPort(address)
	if err = errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	server := exec.Command(program, "-p", port)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Kill() //nolint:errcheck // it may have ended by itself
		server.Wait()         //nolint:errcheck // killed
	})
	cfg := aws.Config{Region: "us-east-1", RetryMaxAttempts: 1, BaseEndpoint: aws.String("http://" + address), Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	m := &moto{t, cloudformation.NewFromConfig(cfg), s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })}
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		res, err := http.Get("http://" + address + "/moto-api/data.json")
		if err == nil {
			res.Body.Close() //nolint:errcheck // nothing was read
			return m
		}
		if time.Now().After(end) {
			t.Fatalf("moto's server does not answer: %v", err)
		}
	}
}

// put puts an object into a bucket, which is made if it is not there.
func (m *moto) put(bucket, key string, body []byte) {
	m.t.Helper()
	_, err := m.s3.CreateBucket(m.t.Context(), &s3.CreateBucketInput{Bucket: &bucket})
	if err == nil || strings.Contains(err.Error(), "BucketAlready") {
		_, err = m.s3.PutObject(m.t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(string(body))})
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// fit is a template as moto takes it, which leaves AWS::NoValue in lists, as null:
// what of a list is there on a condition is left out. Nested templates are those of
// its bucket.
func (m *moto) fit(name string, body []byte) []byte {
	m.t.Helper()
	parsed, err := template.Parse(name, body)
	if err != nil {
		m.t.Fatal(err)
	}
	var whole any
	if err := json.Unmarshal(template.Canonical(parsed.Root), &whole); err != nil {
		m.t.Fatal(err)
	}
	out, err := json.Marshal(m.without(name, whole))
	if err != nil {
		m.t.Fatal(err)
	}
	return out
}

func (m *moto) without(name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, item := range v {
			if text, ok := item.(string); ok && k == "TemplateURL" {
				v[k] = "https://s3.amazonaws.com/templates/" + path.Join(path.Dir(name), text)
				continue
			}
			v[k] = m.without(name, item)
		}
	case []any:
		kept := slices.DeleteFunc(v, func(item any) bool {
			object, _ := item.(map[string]any)
			choice, _ := object["Fn::If"].([]any)
			if len(choice) != 3 {
				return false
			}
			other, _ := choice[2].(map[string]any)
			return other["Ref"] == "AWS::NoValue"
		})
		for i := range kept {
			kept[i] = m.without(name, kept[i])
		}
		return kept
	}
	return v
}

// create makes a stack, and gives its resources' types by their logical ids, and
// its outputs.
func (m *moto) create(stack, body string, parameters values) (made map[string]string, outputs values, err error) {
	m.t.Helper()
	in := &cloudformation.CreateStackInput{StackName: &stack, TemplateBody: &body, Capabilities: []types.Capability{types.CapabilityCapabilityIam, types.CapabilityCapabilityAutoExpand}}
	for _, k := range slices.Sorted(maps.Keys(parameters)) {
		in.Parameters = append(in.Parameters, types.Parameter{ParameterKey: &k, ParameterValue: aws.String(parameters[k])})
	}
	if _, err := m.cfn.CreateStack(m.t.Context(), in); err != nil {
		return nil, nil, err
	}
	out, err := m.cfn.DescribeStacks(m.t.Context(), &cloudformation.DescribeStacksInput{StackName: &stack})
	if err != nil {
		m.t.Fatal(err)
	}
	if s := out.Stacks[0]; s.StackStatus != types.StackStatusCreateComplete {
		m.t.Errorf("%s is %s: %s", stack, s.StackStatus, aws.ToString(s.StackStatusReason))
	}
	made, outputs = map[string]string{}, values{}
	for _, o := range out.Stacks[0].Outputs {
		outputs[*o.OutputKey] = aws.ToString(o.OutputValue)
	}
	list, err := m.cfn.ListStackResources(m.t.Context(), &cloudformation.ListStackResourcesInput{StackName: &stack})
	if err != nil {
		m.t.Fatal(err)
	}
	for _, r := range list.StackResourceSummaries {
		made[*r.LogicalResourceId] = *r.ResourceType
	}
	return made, outputs, nil
}

// ground is what the templates below are given: a network with a load balancer.
const ground = `{"Resources": {
	"Network": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
	"One": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Network"}, "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "us-east-1a"}},
	"Two": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Network"}, "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "us-east-1b"}},
	"Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "requests", "VpcId": {"Ref": "Network"}}},
	"Balancer": {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer", "Properties": {"Name": "lb", "Subnets": [{"Ref": "One"}, {"Ref": "Two"}]}},
	"Targets": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": {"VpcId": {"Ref": "Network"}, "Port": 80, "Protocol": "HTTP"}},
	"Listener": {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": {"LoadBalancerArn": {"Ref": "Balancer"}, "Port": 80, "Protocol": "HTTP",
		"DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}]}}},
"Outputs": {"VpcId": {"Value": {"Ref": "Network"}}, "Subnets": {"Value": {"Fn::Join": [",", [{"Ref": "One"}, {"Ref": "Two"}]]}},
	"SourceSecurityGroup": {"Value": {"Fn::GetAtt": ["Group", "GroupId"]}}, "ListenerArn": {"Value": {"Ref": "Listener"}}}}`

// TestOnMoto makes stacks of the templates for CodeDeploy and ECS on an AWS that we
// did not write, as far as it goes: types that it lacks it passes over, and a
// template in which something needs an attribute of one it does not make.
func TestOnMoto(t *testing.T) {
	t.Parallel()
	m := newMoto(t)
	m.put("code", "function.zip", []byte("PK\x05\x06"+strings.Repeat("\x00", 18)))
	nested, err := library.Whole("codedeploy/app.yaml", "ecs/app.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, tpl := range nested {
		m.put("templates", tpl.Name, m.fit(tpl.Name, tpl.Body))
	}
	_, given, err := m.create("ground", ground, nil)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(given, values{
		"EnvironmentName": "test", "ClusterName": "test", "ServiceName": "test-shop", "Image": "shop:1", "LogGroup": "shop", "RevisionBucket": "zips", "BucketName": "zips",
		"TagKey": "tier", "TagValue": "web", "CodeBucket": "code", "CodeKey": "function.zip", "ApplicationName": "test-shop", "GroupName": "test",
		"ProjectName": "shop", "SourceBucket": "zips", "SourceKey": "shop.zip", "RepositoryName": "test/shop", "StackName": "shop",
		"RepositoryUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/test/shop", "LoadBalancerName": "app/lb/0123456789abcdef", "Name": "shop",
	})
	for _, row := range []struct {
		template string
		lacks    []string // types that moto does not have
		refused  string   // what moto says to the whole
	}{
		{template: "ecs/cluster.yaml"},
		{template: "ecs/capacity.yaml", lacks: []string{"AWS::ECS::CapacityProvider", "AWS::ECS::ClusterCapacityProviderAssociations"}},
		{template: "ecs/service.yaml", lacks: []string{"AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy"}},
		{template: "ecs/alarms.yaml", lacks: []string{"AWS::CloudWatch::Alarm"}},
		// Of nested stacks, moto has no outputs.
		{template: "ecs/app.yaml", refused: "StatusCode: 500"},
		// It has no AWS::CodeBuild::Project, and no AWS::CodePipeline::Pipeline.
		{template: "ecs/pipeline.yaml", refused: "Template error: instance of Fn::GetAtt references undefined resource Image"},
		{template: "codedeploy/fleet.yaml", lacks: []string{"AWS::AutoScaling::ScalingPolicy"}},
		{template: "codedeploy/application.yaml", lacks: []string{"AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup"}},
		// As with ecs/app.yaml; nor has it attributes of target groups.
		{template: "codedeploy/app.yaml", refused: "StatusCode: 500"},
		{template: "codedeploy/trigger.yaml"},
	} {
		tpl, err := library.Open(row.template)
		if err != nil {
			t.Fatal(err)
		}
		parameters := values{}
		for _, p := range tpl.Parsed.Parameters() {
			if value, ok := given[p.Name]; ok {
				parameters[p.Name] = value
			}
		}
		stack := strings.NewReplacer("/", "-", ".yaml", "").Replace(row.template)
		made, _, err := m.create(stack, string(m.fit(row.template, tpl.Body)), parameters)
		if row.refused != "" || err != nil {
			if err == nil || row.refused == "" || !strings.Contains(err.Error(), row.refused) {
				t.Errorf("%s: %v", row.template, err)
			}
			continue
		}
		for _, r := range tpl.Parsed.Resources() {
			if lacked := slices.Contains(row.lacks, r.Type); r.Condition == "" && lacked == (made[r.LogicalID] == r.Type) {
				t.Errorf("%s: of %s, %s, moto made %q", row.template, r.LogicalID, r.Type, made[r.LogicalID])
			}
		}
	}
}
