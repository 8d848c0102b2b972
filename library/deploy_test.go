package library_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/cloud/cloudtest"
	"ouro/publish"
)

// account is a local cloud that takes the library's stacks.
type account struct {
	t      *testing.T
	dir    string // the library as files
	config aws.Config
	cfn    *cloudformation.Client
	s3     *s3.Client
	bucket string // the bucket of templates
	state  string // the folder of the cloud's state
}

func newAccount(t *testing.T) *account {
	c := cloudtest.New(t)
	a := &account{
		t: t, dir: exported(t), config: c.Config, cfn: cloudformation.NewFromConfig(c.Config), bucket: "templates", state: c.Dir,
		s3: s3.NewFromConfig(c.Config, func(o *s3.Options) { o.UsePathStyle = true }),
	}
	if _, err := a.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &a.bucket}); err != nil {
		t.Fatal(err)
	}
	return a
}

type values map[string]string

// deploy publishes a template with all it nests, creates a stack of it, and
// gives the stack's outputs.
func (a *account) deploy(t *testing.T, stack, name string, parameters values) values {
	t.Helper()
	tree, err := publish.Load(t.Context(), a.dir, name, publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := tree.Plan(publish.LocationOf(a.s3.Options(), a.bucket))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := publish.Upload(t.Context(), a.s3, plan, publish.UploadOptions{}); err != nil {
		t.Fatal(err)
	}
	in := &cloudformation.CreateStackInput{
		StackName: &stack, TemplateBody: aws.String(string(plan.Body())),
		Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam},
		Tags:         []types.Tag{{Key: aws.String("CostCentre"), Value: aws.String("7")}},
	}
	for _, k := range slices.Sorted(maps.Keys(parameters)) {
		in.Parameters = append(in.Parameters, types.Parameter{ParameterKey: aws.String(k), ParameterValue: aws.String(parameters[k])})
	}
	if _, err := a.cfn.CreateStack(t.Context(), in); err != nil {
		t.Fatalf("creating %s: %v", stack, err)
	}
	wait := cloudformation.NewStackCreateCompleteWaiter(a.cfn, func(o *cloudformation.StackCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, 200*time.Millisecond
	})
	out, err := wait.WaitForOutput(t.Context(), &cloudformation.DescribeStacksInput{StackName: &stack}, time.Minute)
	if err != nil {
		t.Fatalf("creating %s: %v\n%s", stack, err, a.failures(t, stack))
	}
	outputs := values{}
	for _, o := range out.Stacks[0].Outputs {
		outputs[*o.OutputKey] = *o.OutputValue
		if aws.ToString(o.ExportName) != stack+"-"+*o.OutputKey {
			t.Errorf("%s: output %s is exported as %q", stack, *o.OutputKey, aws.ToString(o.ExportName))
		}
	}
	return outputs
}

func (a *account) failures(t *testing.T, stack string) string {
	out, err := a.cfn.DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{StackName: &stack})
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, e := range out.StackEvents {
		if strings.HasSuffix(string(e.ResourceStatus), "FAILED") {
			b.WriteString(*e.LogicalResourceId + ": " + aws.ToString(e.ResourceStatusReason) + "\n")
		}
	}
	return b.String()
}

// types counts the resources of a stack and of those it nests.
func (a *account) types(t *testing.T, stack string) map[string]int {
	t.Helper()
	out, err := a.cfn.DescribeStackResources(t.Context(), &cloudformation.DescribeStackResourcesInput{StackName: &stack})
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, r := range out.StackResources {
		count[*r.ResourceType]++
		if *r.ResourceType == "AWS::CloudFormation::Stack" {
			for kind, n := range a.types(t, *r.PhysicalResourceId) {
				count[kind] += n
			}
		}
	}
	return count
}

func (a *account) wantTypes(t *testing.T, stack string, want map[string]int) {
	t.Helper()
	got := a.types(t, stack)
	for kind, n := range want {
		if got[kind] != n {
			t.Errorf("%s has %d of %s, want %d", stack, got[kind], kind, n)
		}
	}
}

func (v values) with(more values) values {
	v = maps.Clone(v)
	maps.Copy(v, more)
	return v
}

func (v values) only(keys ...string) values {
	out := values{}
	for _, k := range keys {
		out[k] = v[k]
	}
	return out
}

// TestSite puts a whole site together, from the network to containers.
func TestSite(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	env := values{"EnvironmentName": "test"}
	net := a.deploy(t, "network", "network/vpc.yaml", env.with(values{"NatGateways": "One", "ZoneC": "c"}))
	if n := len(strings.Split(net["PublicSubnets"], ",")); n != 3 {
		t.Errorf("there are %d public subnets in three zones: %v", n, net)
	}
	a.wantTypes(t, "network", map[string]int{"AWS::EC2::NatGateway": 1, "AWS::EC2::Subnet": 6, "AWS::EC2::Route": 6})
	public := a.deploy(t, "public-zone", "dns/zone.yaml", env.with(values{"DomainName": "dev.example.com", "ParentZoneId": "Z0PARENT"}))
	a.wantTypes(t, "public-zone", map[string]int{"AWS::Route53::RecordSet": 1})
	a.deploy(t, "private-zone", "dns/zone.yaml", env.with(values{"DomainName": "site.internal", "VpcId": net["VpcId"]}))
	cert := a.deploy(t, "certificate", "dns/certificate.yaml", env.with(values{"DomainName": "dev.example.com", "ZoneId": public["ZoneId"]}))
	front := env.with(net.only("VpcId", "VpcCidr")).with(values{"Subnets": net["PublicSubnets"]})
	alb := a.deploy(t, "balancer", "load-balancer/alb.yaml", front.with(cert).with(values{"AccessLogBucket": "access-logs"}))
	a.wantTypes(t, "balancer", map[string]int{"AWS::ElasticLoadBalancingV2::Listener": 2})
	a.deploy(t, "plain-balancer", "load-balancer/alb.yaml", front.with(values{"Scheme": "internal"}))
	a.wantTypes(t, "plain-balancer", map[string]int{"AWS::ElasticLoadBalancingV2::Listener": 1})
	a.deploy(t, "alias", "dns/alias.yaml", values{
		"ZoneId": public["ZoneId"], "RecordName": "www.dev.example.com", "TargetDomain": alb["Domain"], "TargetZoneId": alb["ZoneId"], "DualStack": "True",
	})
	images := a.deploy(t, "images", "ecr/repository.yaml", env.with(values{"Name": "app", "PullAccounts": "111111111111,222222222222"}))
	cluster := a.deploy(t, "cluster", "ecs/cluster.yaml", env)
	back := env.with(values{"VpcId": net["VpcId"], "Subnets": net["PrivateSubnets"]})
	capacity := a.deploy(t, "capacity", "ecs/capacity.yaml", back.with(values{"ClusterName": cluster["Name"]}))
	app := back.with(values{
		"SourceSecurityGroup": alb["SecurityGroup"], "ListenerArn": alb["ListenerArn"],
		"Image": images["Uri"] + ":1", "RepositoryArn": images["Arn"],
		"PermissionsBoundaryArn": a.deploy(t, "boundary", "iam/boundary.yaml", values{"ProjectName": "test"})["PolicyArn"],
	})
	for provider, name := range map[string]string{"FARGATE": "fargate", "FARGATE_SPOT": "spot", capacity["CapacityProvider"]: "instances"} {
		a.deploy(t, "app-on-"+name, "ecs/app.yaml", app.with(values{"Name": name, "ClusterName": cluster["Name"], "CapacityProvider": provider}))
	}
	a.deploy(t, "fleet", "autoscaling/app.yaml", app.with(values{
		"Name": "fleet", "HostHeader": "fleet.dev.example.com", "PolicyArns": "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
	}))
	topic := a.deploy(t, "topic", "notify/topic.yaml", values{"ProjectName": "test"})["TopicArn"]
	a.deploy(t, "service-alarms", "ecs/alarms.yaml", env.with(values{"ClusterName": cluster["Name"], "ServiceName": "fargate", "TopicArn": topic}))
	a.wantTypes(t, "service-alarms", map[string]int{"AWS::CloudWatch::Alarm": 2, "AWS::Events::Rule": 1})
	deployed := a.deploy(t, "deployed", "codedeploy/app.yaml", back.with(app.only("SourceSecurityGroup", "ListenerArn", "PermissionsBoundaryArn")).with(values{
		"Name": "shop", "LoadBalancerName": alb["FullName"], "RevisionBucket": "revisions", "Docker": "True", "Priority": "2", "TopicArn": topic,
	}))
	if deployed["ApplicationName"] != "test-shop" || deployed["GroupName"] != "test" {
		t.Errorf("the application that CodeDeploy deploys is %v", deployed)
	}
	a.deploy(t, "machines", "codedeploy/application.yaml", env.with(values{"Name": "machines", "TagKey": "tier", "TagValue": "web"}))
	if all := a.deploy(t, "policies", "iam/deploy-policies.yaml", values{"ProjectName": "test"})["All"]; len(strings.Split(all, ",")) != 7 {
		t.Errorf("the policies of deployments are %q", all)
	}
	a.deploy(t, "groups", "iam/groups.yaml", values{"ProjectName": "test"})
}

// TestFoundation puts what an application stands on together, with its own
// pipeline and with somebody who is told.
func TestFoundation(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	topic := a.deploy(t, "topic", "notify/topic.yaml", values{"ProjectName": "test", "MailAddress": "ops@example.com"})
	app := values{
		"ProjectName": "test-web", "EnvironmentName": "test", "Name": "web", "VpcId": "vpc-1", "VpcCidr": "10.0.0.0/16", "PublicSubnets": "subnet-1,subnet-2",
		"SourceProvider": "CodeCommit", "SourceRepository": "web", "AppConfigurationPath": "app.test.json", "Approval": "True", "ApprovalTopicArn": topic["TopicArn"],
		"PullAccounts": "111111111111", "PermissionsBoundaryArn": a.deploy(t, "boundary", "iam/boundary.yaml", values{"ProjectName": "test"})["PolicyArn"],
	}
	a.deploy(t, "plain", "app/foundation.yaml", app)
	a.wantTypes(t, "plain", map[string]int{"AWS::ElasticLoadBalancingV2::Listener": 1, "AWS::CodePipeline::Pipeline": 1, "AWS::Route53::HostedZone": 0})
	named := a.deploy(t, "named", "app/foundation.yaml", app.with(values{
		"ProjectName": "test-shop", "Name": "shop", "DomainName": "shop.example.com",
		"SourceProvider": "Connection", "ConnectionArn": connection, "SourceOwner": "octo",
	}))
	if named["Address"] != "https://shop.example.com" {
		t.Errorf("the application answers at %q", named["Address"])
	}
	a.wantTypes(t, "named", map[string]int{"AWS::ElasticLoadBalancingV2::Listener": 2, "AWS::Route53::HostedZone": 1})
	a.deploy(t, "delegation", "dns/delegation.yaml", values{"ParentZoneId": "Z0PARENT", "DomainName": "shop.example.com", "NameServers": named["NameServers"]})
	targets := a.deploy(t, "targets", "load-balancer/target-group.yaml", values{"EnvironmentName": "test", "VpcId": "vpc-1", "ListenerArn": named["ListenerArn"]})
	a.deploy(t, "alarms", "load-balancer/alarms.yaml", values{
		"EnvironmentName": "test", "LoadBalancerName": named["BalancerName"], "TargetGroupName": targets["TargetGroupName"], "TopicArn": topic["TopicArn"],
	})
	a.deploy(t, "github", "source/connection.yaml", values{"Name": "github", "ProviderType": "GitHub"})
}

// TestNetworks has every choice of zones and NAT gateways.
func TestNetworks(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	six := values{"ZoneC": "c", "ZoneD": "d", "ZoneE": "e", "ZoneF": "f"}
	for name, c := range map[string]struct {
		parameters     values
		zones, gateway int
		natRoutes      int
	}{
		"one-zone": {values{"ZoneB": ""}, 1, 0, 0},
		"no-nat":   {values{}, 2, 0, 0},
		"gap":      {values{"ZoneB": "", "ZoneD": "d", "NatGateways": "OnePerZone"}, 2, 2, 2},
		"one-nat":  {six.with(values{"NatGateways": "One"}), 6, 1, 6},
		"nat-each": {six.with(values{"NatGateways": "OnePerZone"}), 6, 6, 6},
	} {
		a.deploy(t, name, "network/vpc.yaml", c.parameters.with(values{"EnvironmentName": "test", "VpcCidr": "10.1.0.0/16"}))
		a.wantTypes(t, name, map[string]int{
			"AWS::EC2::Subnet": 2 * c.zones, "AWS::EC2::NatGateway": c.gateway, "AWS::EC2::Route": c.zones + c.natRoutes,
		})
	}
}
