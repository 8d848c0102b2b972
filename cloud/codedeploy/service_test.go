package codedeploy_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	api "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"ouro/cloud/cloudtest/tool"
)

// shop is a service behind two target groups, with its deployment group.
const shop = `
Resources:
  Cluster: {Type: AWS::ECS::Cluster, Properties: {ClusterName: shop}}
  Old:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: web
      ContainerDefinitions: [{Name: app, Image: "shop:1", PortMappings: [{ContainerPort: 8080}]}]
  New:
    Type: AWS::ECS::TaskDefinition
    DependsOn: Old
    Properties:
      Family: web
      ContainerDefinitions: [{Name: app, Image: "shop:2", PortMappings: [{ContainerPort: 8080}]}]
  Balancer: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Subnets: [subnet-1, subnet-2]}}
  Blue: {Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {Name: blue, Port: 8080, Protocol: HTTP, VpcId: vpc-1}}
  Green: {Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {Name: green, Port: 8080, Protocol: HTTP, VpcId: vpc-1}}
  Prod:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties: {LoadBalancerArn: !Ref Balancer, Port: 80, Protocol: HTTP, DefaultActions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "404"}}]}
  Rule:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties: {ListenerArn: !Ref Prod, Priority: 1, Conditions: [{Field: path-pattern, Values: ["/*"]}], Actions: [{Type: forward, TargetGroupArn: !Ref Blue}]}
  Test:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties: {LoadBalancerArn: !Ref Balancer, Port: 8081, Protocol: HTTP, DefaultActions: [{Type: forward, TargetGroupArn: !Ref Blue}]}
  Service:
    Type: AWS::ECS::Service
    Properties:
      ServiceName: web
      Cluster: !Ref Cluster
      DesiredCount: 3
      TaskDefinition: !Ref Old
      DeploymentController: {Type: CODE_DEPLOY}
      LoadBalancers: [{ContainerName: app, ContainerPort: 8080, TargetGroupArn: !Ref Blue}]
  Application: {Type: AWS::CodeDeploy::Application, Properties: {ApplicationName: shop, ComputePlatform: ECS}}
  Group:
    Type: AWS::CodeDeploy::DeploymentGroup
    Properties:
      ApplicationName: !Ref Application
      DeploymentGroupName: web
      ServiceRoleArn: arn:aws:iam::000000000000:role/deploy
      DeploymentStyle: {DeploymentType: BLUE_GREEN, DeploymentOption: WITH_TRAFFIC_CONTROL}
      AutoRollbackConfiguration: {Enabled: true, Events: [DEPLOYMENT_FAILURE]}
      BlueGreenDeploymentConfiguration:
        DeploymentReadyOption: {ActionOnTimeout: CONTINUE_DEPLOYMENT}
        TerminateBlueInstancesOnDeploymentSuccess: {Action: TERMINATE, TerminationWaitTimeInMinutes: 1}
      ECSServices: [{ClusterName: !Ref Cluster, ServiceName: !GetAtt Service.Name}]
      LoadBalancerInfo:
        TargetGroupPairInfoList:
          - TargetGroups: [{Name: !GetAtt Blue.TargetGroupName}, {Name: !GetAtt Green.TargetGroupName}]
            ProdTrafficRoute: {ListenerArns: [!Ref Prod]}
            TestTrafficRoute: {ListenerArns: [!Ref Test]}
Outputs:
  Old: {Value: !Ref Old}
  New: {Value: !Ref New}
  Blue: {Value: !Ref Blue}
  Green: {Value: !Ref Green}
  Rule: {Value: !Ref Rule}
  Test: {Value: !Ref Test}
  Service: {Value: !Ref Service}
`

// services is a fleet with the service of the shop.
type services struct {
	*fleet
	out map[string]string
}

func newServices(t *testing.T, dir string) *services {
	t.Helper()
	f := &services{newFleet(t, dir), map[string]string{}}
	client := cloudformation.NewFromConfig(f.Config)
	name := aws.String("shop")
	if _, err := client.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: name}); err != nil {
		f.role("deploy", "codedeploy.amazonaws.com")
		must(t)(client.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: name, TemplateBody: aws.String(shop)}))
	}
	f.eventually("the stack", func() bool {
		out, err := client.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: name})
		if err != nil {
			t.Fatal(err)
		}
		if s := out.Stacks[0].StackStatus; strings.Contains(string(s), "ROLLBACK") {
			events, err := client.DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{StackName: name})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events.StackEvents {
				t.Log(*e.LogicalResourceId, e.ResourceStatus, aws.ToString(e.ResourceStatusReason))
			}
			t.Fatal(s)
		}
		for _, o := range out.Stacks[0].Outputs {
			f.out[*o.OutputKey] = *o.OutputValue
		}
		return out.Stacks[0].StackStatus == cfntypes.StackStatusCreateComplete
	})
	return f
}

// record is a recorded resource, its targets and definitions by their names in
// the template.
func (f *services) record(kind, name string) map[string]any {
	f.t.Helper()
	id := f.out[name]
	if kind == "AWS::ECS::Service" {
		id += "|shop"
	}
	out, err := cloudcontrol.NewFromConfig(f.Config).GetResource(f.t.Context(), &cloudcontrol.GetResourceInput{TypeName: &kind, Identifier: &id})
	if err != nil {
		f.t.Fatal(err)
	}
	text := *out.ResourceDescription.Properties
	for _, n := range []string{"Old", "New", "Blue", "Green"} {
		text = strings.ReplaceAll(text, `"`+f.out[n]+`"`, `"`+n+`"`)
	}
	var properties map[string]any
	if err := json.Unmarshal([]byte(text), &properties); err != nil {
		f.t.Fatal(err)
	}
	return properties
}

// is tells what the service and its listeners are at: TASK BALANCER PROD TEST.
func (f *services) is() string {
	f.t.Helper()
	service := f.record("AWS::ECS::Service", "Service")
	at := func(actions any) string {
		var words []string
		action := actions.([]any)[0].(map[string]any)
		if to, ok := action["TargetGroupArn"].(string); ok {
			words = append(words, to)
		}
		if to, ok := action["ForwardConfig"].(map[string]any); ok {
			for _, g := range to["TargetGroups"].([]any) {
				text, err := json.Marshal(g.(map[string]any)["Weight"])
				if err != nil {
					f.t.Fatal(err)
				}
				words = append(words, g.(map[string]any)["TargetGroupArn"].(string)+"="+string(text))
			}
		}
		return strings.Join(words, "+")
	}
	return strings.Join([]string{service["TaskDefinition"].(string), service["LoadBalancers"].([]any)[0].(map[string]any)["TargetGroupArn"].(string),
		at(f.record("AWS::ElasticLoadBalancingV2::ListenerRule", "Rule")["Actions"]), at(f.record("AWS::ElasticLoadBalancingV2::Listener", "Test")["DefaultActions"])}, " ")
}

// begin makes a deployment to a task definition.
func (f *services) begin(config, task, more, hooks string) string {
	f.t.Helper()
	text := `{"version": 0.0, "Resources": [{"TargetService": {"Type": "AWS::ECS::Service", "Properties": {"TaskDefinition": "` + task + `",
		"LoadBalancerInfo": {"ContainerName": "app", "ContainerPort": 8080}` + more + `}}}], "Hooks": [` + hooks + `]}`
	out, err := f.deploy.CreateDeployment(f.t.Context(), &api.CreateDeploymentInput{ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("web"), DeploymentConfigName: &config,
		Revision: &types.RevisionLocation{RevisionType: types.RevisionLocationTypeAppSpecContent, AppSpecContent: &types.AppSpecContent{Content: &text}}})
	if err != nil {
		f.t.Fatal(err)
	}
	return *out.DeploymentId
}

func (f *services) target(id string) *types.ECSTarget {
	f.t.Helper()
	out, err := f.deploy.GetDeploymentTarget(f.t.Context(), &api.GetDeploymentTargetInput{DeploymentId: &id, TargetId: aws.String("shop:web")})
	if err != nil {
		f.t.Fatal(err)
	}
	return out.DeploymentTarget.EcsTarget
}

func ready(d *types.DeploymentInfo) bool { return d.Status == types.DeploymentStatusReady }

// waits changes what the group's deployments wait for, in minutes.
func (f *services) waits(before, after int32) {
	f.t.Helper()
	option := &types.DeploymentReadyOption{ActionOnTimeout: types.DeploymentReadyActionContinueDeployment}
	if before > 0 {
		option = &types.DeploymentReadyOption{ActionOnTimeout: types.DeploymentReadyActionStopDeployment, WaitTimeInMinutes: before}
	}
	f.regroup(&api.UpdateDeploymentGroupInput{
		BlueGreenDeploymentConfiguration: &types.BlueGreenDeploymentConfiguration{DeploymentReadyOption: option,
			TerminateBlueInstancesOnDeploymentSuccess: &types.BlueInstanceTerminationOption{Action: types.InstanceActionTerminate, TerminationWaitTimeInMinutes: after}}})
}

// regroup changes the deployment group.
func (f *services) regroup(in *api.UpdateDeploymentGroupInput) {
	f.t.Helper()
	in.ApplicationName, in.CurrentDeploymentGroupName = aws.String("shop"), aws.String("web")
	must(f.t)(f.deploy.UpdateDeploymentGroup(f.t.Context(), in))
}

// TestService deploys to a recorded service: blue/green, with waits, a hook that
// says no, stops, and a cloud that is closed meanwhile.
func TestService(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := newServices(t, dir)
	const once, long = "CodeDeployDefault.ECSAllAtOnce", 2880
	old, next := f.out["Old"], f.out["New"]
	if got := f.is(); got != "Old Blue Blue Blue" {
		t.Fatal(got)
	}

	id := f.begin(once, next, "", "")
	d := f.until(id, over)
	if d.Status != types.DeploymentStatusSucceeded || f.is() != "New Green Green=100 Green=100" {
		t.Fatalf("%s, %+v: %s", d.Status, d.ErrorInformation, f.is())
	}
	target := f.target(id)
	if s := target.TaskSetsInfo; len(s) != 1 || *s[0].Status != "PRIMARY" || s[0].TrafficWeight != 100 || *s[0].TargetGroup.Name != "green" || s[0].DesiredCount != 3 || s[0].RunningCount != 0 {
		t.Errorf("task sets %+v", s)
	}
	var words []string
	for _, e := range target.LifecycleEvents {
		words = append(words, *e.LifecycleEventName+" "+*e.Diagnostics.Message)
	}
	if got := strings.Join(words, "; "); got != "BeforeInstall Succeeded; Install The service web is recorded, and no task of it runs: the replacement task set has the task definition "+next+
		"; AfterInstall Succeeded; AllowTestTraffic The recorded listener "+f.out["Test"]+" forwards to green; AfterAllowTestTraffic Succeeded; BeforeAllowTraffic Succeeded; "+
		"AllowTraffic The record of the service web has the task definition "+next+", and the listener forwards to green; AfterAllowTraffic Succeeded" {
		t.Errorf("events: %s", got)
	}

	// A canary that the end of the cloud
	// interrupts; both waits.
	f.waits(long, long)
	id = f.begin("CodeDeployDefault.ECSCanary10Percent5Minutes", old, `, "PlatformVersion": "1.4.0", "NetworkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}`, "")
	f.until(id, ready)
	if got := f.is(); got != "New Green Green=100 Blue=100" {
		t.Errorf("before production traffic: %s", got)
	}
	_, err := f.deploy.ContinueDeployment(t.Context(), &api.ContinueDeploymentInput{DeploymentId: &id, DeploymentWaitType: types.DeploymentWaitTypeTerminationWait})
	if err == nil || !strings.Contains(err.Error(), "DeploymentIsNotInReadyStateException") {
		t.Errorf("the wrong wait: %v", err)
	}
	f.close()
	f = newServices(t, dir)
	defer func() { f.close() }()
	if d := f.until(id, ready); d.CompleteTime != nil {
		t.Errorf("after the cloud was closed: %+v", d)
	}
	must(t)(f.deploy.ContinueDeployment(t.Context(), &api.ContinueDeploymentInput{DeploymentId: &id, DeploymentWaitType: types.DeploymentWaitTypeReadyWait}))
	f.until(id, func(d *types.DeploymentInfo) bool { return ready(d) && d.InstanceTerminationWaitTimeStarted })
	if got := f.is(); got != "Old Blue Blue=100 Blue=100" {
		t.Errorf("while the original waits for its end: %s", got)
	}
	if s := f.target(id); s.Status != types.TargetStatusSucceeded || len(s.TaskSetsInfo) != 2 || *s.TaskSetsInfo[0].Status != "ACTIVE" || s.TaskSetsInfo[0].TaskSetLabel != types.TargetLabelBlue {
		t.Errorf("the target: %s, %+v", s.Status, s.TaskSetsInfo)
	}
	must(t)(f.deploy.ContinueDeployment(t.Context(), &api.ContinueDeploymentInput{DeploymentId: &id}))
	if d := f.until(id, over); d.Status != types.DeploymentStatusSucceeded {
		t.Errorf("%s, %+v", d.Status, d.ErrorInformation)
	}
	if p := f.record("AWS::ECS::Service", "Service"); p["PlatformVersion"] != "1.4.0" || p["NetworkConfiguration"].(map[string]any)["AwsvpcConfiguration"] == nil {
		t.Errorf("the service %v", p)
	}

	t.Run("stop before production traffic", func(t *testing.T) {
		id := f.begin(once, next, "", "")
		f.until(id, ready)
		must(t)(f.deploy.StopDeployment(t.Context(), &api.StopDeploymentInput{DeploymentId: &id, AutoRollbackEnabled: aws.Bool(true)}))
		d := f.until(id, func(d *types.DeploymentInfo) bool { return over(d) && d.RollbackInfo != nil })
		if d.Status != types.DeploymentStatusStopped || d.ErrorInformation.Code != types.ErrorCodeManualStop {
			t.Errorf("%s, %+v", d.Status, d.ErrorInformation)
		}
		back := f.until(*d.RollbackInfo.RollbackDeploymentId, over)
		if got := f.is(); back.Status != types.DeploymentStatusSucceeded || got != "Old Blue Blue=100 Blue=100" {
			t.Errorf("%s, %+v: %s", back.Status, back.ErrorInformation, got)
		}
		if p := f.record("AWS::ECS::Service", "Service"); p["PlatformVersion"] != "1.4.0" {
			t.Errorf("the service %v", p)
		}
	})

	t.Run("nobody continues it", func(t *testing.T) {
		f.waits(1, 0)
		d := f.until(f.begin(once, next, "", ""), over)
		if d.Status != types.DeploymentStatusStopped || d.ErrorInformation.Code != types.ErrorCodeTimeout || d.RollbackInfo != nil || !strings.HasPrefix(f.is(), "Old Blue Blue=100") {
			t.Errorf("%s, %+v: %s", d.Status, d.ErrorInformation, f.is())
		}
		f.waits(0, 0)
	})

	t.Run("a hook says no", func(t *testing.T) {
		tool.Find(t, "python3")
		f.function("no", checker, "Failed", f.role("runs", "lambda.amazonaws.com"))
		d := f.until(f.begin("CodeDeployDefault.ECSLinear10PercentEvery1Minutes", next, "", `{"AfterAllowTraffic": "no"}`), func(d *types.DeploymentInfo) bool { return over(d) && d.RollbackInfo != nil })
		if d.Status != types.DeploymentStatusFailed || d.ErrorInformation.Code != types.ErrorCodeHookExecutionFailure {
			t.Fatalf("%s, %+v", d.Status, d.ErrorInformation)
		}
		back := f.until(*d.RollbackInfo.RollbackDeploymentId, over)
		if got := f.is(); back.Status != types.DeploymentStatusSucceeded || !strings.Contains(*back.Revision.AppSpecContent.Content, "TaskDefinition: "+old) || got != "Old Blue Blue=100 Blue=100" {
			t.Errorf("%s, %+v: %s", back.Status, back.ErrorInformation, got)
		}
	})

	t.Run("what fails", func(t *testing.T) { f.fails(t) })

	t.Run("CLI", func(t *testing.T) {
		f.fleet.t = t
		id := f.begin(once, "arn:aws:ecs:us-east-1:000000000000:task-definition/web", "", "")
		f.until(id, over)
		if got := f.byCLI("get-deployment-target", "--deployment-id", id, "--target-id", "shop:web", "--query", "deploymentTarget.ecsTarget.taskSetsInfo[].[taskSetLabel,status,trafficWeight]"); got != "Green\tPRIMARY\t100" {
			t.Errorf("the target %q", got)
		}
		if got := f.is(); got != "New Green Green=100 Green=100" {
			t.Errorf("the newest revision: %s", got)
		}
	})
}

// fails makes deployments that fail.
func (f *services) fails(t *testing.T) {
	text := func(task, more string) string {
		return `{version: 0.0, Resources: [{T: {Type: "AWS::ECS::Service", Properties: {TaskDefinition: "` + task + `", LoadBalancerInfo: {ContainerName: app, ContainerPort: 8080` + more
	}
	fine := text(f.out["New"], "}}}}]}")
	before := f.is()
	for name, test := range map[string]struct {
		spec   string
		change *api.UpdateDeploymentGroupInput
		code   types.ErrorCode
		want   string
	}{
		"a function":  {spec: `{version: 0.0, Resources: [{T: {Type: "AWS::Lambda::Function"}}]}`, code: types.ErrorCodeInvalidRevision, want: "must be an AWS::ECS::Service"},
		"half":        {spec: `{version: 0.0, Resources: [{T: {Type: "AWS::ECS::Service", Properties: {TaskDefinition: x}}}]}`, code: types.ErrorCodeInvalidRevision, want: "LoadBalancerInfo"},
		"a hook":      {spec: fine[:len(fine)-1] + `, Hooks: [{AllowTraffic: x}]}`, code: types.ErrorCodeInvalidRevision, want: `the hook "AllowTraffic"`},
		"no task":     {spec: text("web:9", "}}}}]}"), code: types.ErrorCodeEcsUpdateError, want: "task definition not found"},
		"no port":     {spec: strings.Replace(fine, "8080", "1", 1), code: types.ErrorCodeEcsUpdateError, want: "the container app did not have a container port 1 defined"},
		"no function": {spec: fine[:len(fine)-1] + `, Hooks: [{BeforeInstall: none}]}`, code: types.ErrorCodeHookExecutionFailure, want: "nvoking the function none"},
		"no service": {spec: fine, change: &api.UpdateDeploymentGroupInput{EcsServices: []types.ECSService{{ClusterName: aws.String("shop"), ServiceName: aws.String("x")}}},
			code: types.ErrorCodeInvalidEcsService, want: "Could not load ECS service information for cluster: shop, service: x. Cause: service not found"},
		"no cluster": {spec: fine, change: &api.UpdateDeploymentGroupInput{EcsServices: []types.ECSService{{ClusterName: aws.String("x"), ServiceName: aws.String("x")}}},
			code: types.ErrorCodeInvalidEcsService, want: "Cause: cluster not found"},
	} {
		if test.change != nil {
			f.regroup(test.change)
		}
		out, err := f.deploy.CreateDeployment(t.Context(), &api.CreateDeploymentInput{ApplicationName: aws.String("shop"), DeploymentGroupName: aws.String("web"),
			Revision:                  &types.RevisionLocation{RevisionType: types.RevisionLocationTypeAppSpecContent, AppSpecContent: &types.AppSpecContent{Content: &test.spec}},
			AutoRollbackConfiguration: &types.AutoRollbackConfiguration{}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := f.until(*out.DeploymentId, over); d.Status != types.DeploymentStatusFailed || d.ErrorInformation.Code != test.code || !strings.Contains(*d.ErrorInformation.Message, test.want) {
			t.Errorf("%s: %s, %+v, %s", name, d.Status, d.ErrorInformation, aws.ToString(d.ErrorInformation.Message))
		}
		f.regroup(&api.UpdateDeploymentGroupInput{EcsServices: []types.ECSService{{ClusterName: aws.String("shop"), ServiceName: aws.String("web")}}})
	}
	if after := f.is(); after != before {
		t.Errorf("what failed changed %s to %s", before, after)
	}
	for name, test := range map[string]struct {
		in   *api.UpdateDeploymentGroupInput
		want string
	}{
		"keep alive": {&api.UpdateDeploymentGroupInput{BlueGreenDeploymentConfiguration: &types.BlueGreenDeploymentConfiguration{
			TerminateBlueInstancesOnDeploymentSuccess: &types.BlueInstanceTerminationOption{Action: types.InstanceActionKeepAlive}}}, "InvalidBlueGreenDeploymentConfigurationException"},
		"wait": {&api.UpdateDeploymentGroupInput{BlueGreenDeploymentConfiguration: &types.BlueGreenDeploymentConfiguration{
			DeploymentReadyOption: &types.DeploymentReadyOption{ActionOnTimeout: types.DeploymentReadyActionContinueDeployment, WaitTimeInMinutes: 1}}},
			"Deployment ready action cannot be set to 'CONTINUE_DEPLOYMENT' when timeout is specified"},
		"pair": {&api.UpdateDeploymentGroupInput{LoadBalancerInfo: &types.LoadBalancerInfo{TargetGroupInfoList: []types.TargetGroupInfo{{Name: aws.String("blue")}}}},
			"InvalidLoadBalancerInfoException: For ECS deployment group, loadBalancerInfo must not contain targetGroupInfo list"},
		"service": {&api.UpdateDeploymentGroupInput{EcsServices: []types.ECSService{}}, "InvalidECSServiceException"},
	} {
		test.in.ApplicationName, test.in.CurrentDeploymentGroupName = aws.String("shop"), aws.String("web")
		if _, err := f.deploy.UpdateDeploymentGroup(t.Context(), test.in); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
