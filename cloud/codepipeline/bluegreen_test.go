package codepipeline_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"
)

const blueGreenStack = `
Resources:
  Cluster: {Type: AWS::ECS::Cluster, Properties: {ClusterName: blue-green}}
  Task: {Type: AWS::ECS::TaskDefinition, Properties: {Family: first, ContainerDefinitions: [{Name: app, Image: old, PortMappings: [{ContainerPort: 80}]}]}}
  Balancer: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Subnets: [subnet-1, subnet-2]}}
  Blue: {Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {Name: blue, Port: 80, Protocol: HTTP, VpcId: vpc-1}}
  Green: {Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {Name: green, Port: 80, Protocol: HTTP, VpcId: vpc-1}}
  Prod:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties: {LoadBalancerArn: !Ref Balancer, Port: 80, Protocol: HTTP, DefaultActions: [{Type: forward, TargetGroupArn: !Ref Blue}]}
  Service:
    Type: AWS::ECS::Service
    Properties:
      ServiceName: web
      Cluster: !Ref Cluster
      TaskDefinition: !Ref Task
      DeploymentController: {Type: CODE_DEPLOY}
      LoadBalancers: [{ContainerName: app, ContainerPort: 80, TargetGroupArn: !Ref Blue}]
  Application: {Type: AWS::CodeDeploy::Application, Properties: {ApplicationName: blue-green, ComputePlatform: ECS}}
  Group:
    Type: AWS::CodeDeploy::DeploymentGroup
    Properties:
      ApplicationName: !Ref Application
      DeploymentGroupName: live
      ServiceRoleArn: arn:aws:iam::000000000000:role/moves
      DeploymentStyle: {DeploymentType: BLUE_GREEN, DeploymentOption: WITH_TRAFFIC_CONTROL}
      BlueGreenDeploymentConfiguration: {TerminateBlueInstancesOnDeploymentSuccess: {Action: TERMINATE}}
      ECSServices: [{ClusterName: !Ref Cluster, ServiceName: !GetAtt Service.Name}]
      LoadBalancerInfo:
        TargetGroupPairInfoList: [{TargetGroups: [{Name: !GetAtt Blue.TargetGroupName}, {Name: !GetAtt Green.TargetGroupName}], ProdTrafficRoute: {ListenerArns: [!Ref Prod]}}]
Outputs: {Service: {Value: !Ref Service}, Green: {Value: !Ref Green}}
`

// A task definition with the image of imageDetail.json is registered, and
// CodeDeploy moves the service to it.
func deploysBlueGreen(t *testing.T, w *whole) {
	roleFor(t, iam.NewFromConfig(w.cloud.Config), "moves", "codedeploy.amazonaws.com")
	stacks, name := cloudformation.NewFromConfig(w.cloud.Config), aws.String("blue-green")
	must[*cloudformation.CreateStackOutput](t)(stacks.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: name, TemplateBody: aws.String(blueGreenStack)}))
	outputs := map[string]string{}
	w.until("the stack", func() bool {
		s := must[*cloudformation.DescribeStacksOutput](t)(stacks.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: name})).Stacks[0]
		for _, o := range s.Outputs {
			outputs[*o.OutputKey] = *o.OutputValue
		}
		return s.StackStatus == cftypes.StackStatusCreateComplete
	})
	w.commit(map[string]string{
		"imageDetail.json": `{"ImageURI": "registry/shop@sha256:aa"}`,
		"taskdef.json":     `{"family": "web", "revision": 3, "containerDefinitions": [{"name": "app", "image": "<IMAGE1_NAME>", "portMappings": [{"containerPort": 80}], "dockerLabels": {"own.word": "x"}}]}`,
		"appspec.yaml": `version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo: {ContainerName: app, ContainerPort: 80}
`})
	deploy := func(more map[string]string) types.StageDeclaration {
		config := map[string]string{"ApplicationName": "blue-green", "DeploymentGroupName": "live", "TaskDefinitionTemplateArtifact": "App", "AppSpecTemplateArtifact": "App",
			"Image1ArtifactName": "App", "Image1ContainerName": "IMAGE1_NAME"}
		maps.Copy(config, more)
		return stage("Deploy", act("Deploy", "Deploy", "CodeDeployToECS", config, in("App")))
	}
	w.succeeds(w.anew(deploy(nil)))
	records := cloudcontrol.NewFromConfig(w.cloud.Config)
	read := func(kind, id string) (properties map[string]any) {
		text := *must[*cloudcontrol.GetResourceOutput](t)(records.GetResource(t.Context(), &cloudcontrol.GetResourceInput{TypeName: &kind, Identifier: &id})).ResourceDescription.Properties
		if err := json.Unmarshal([]byte(text), &properties); err != nil {
			t.Fatal(err)
		}
		return properties
	}
	service := read("AWS::ECS::Service", outputs["Service"]+"|blue-green")
	if diff := cmp.Diff([]any{map[string]any{"ContainerName": "app", "ContainerPort": 80., "TargetGroupArn": outputs["Green"]}}, service["LoadBalancers"]); diff != "" {
		t.Error(diff)
	}
	task := read("AWS::ECS::TaskDefinition", service["TaskDefinition"].(string))
	want := []any{map[string]any{"Name": "app", "Image": "registry/shop@sha256:aa", "PortMappings": []any{map[string]any{"ContainerPort": 80.}}, "DockerLabels": map[string]any{"own.word": "x"}}}
	if diff := cmp.Diff(want, task["ContainerDefinitions"]); diff != "" || task["Family"] != "web" {
		t.Errorf("family %v: %s", task["Family"], diff)
	}
	for want, test := range map[string]struct {
		image string
		more  map[string]string
	}{
		`has no ImageURI`:        {`{}`, nil},
		`(ECS_UPDATE_ERROR)`:     {`{"ImageURI": "b"}`, map[string]string{"AppSpecTemplatePath": "other.yaml"}},
		`the task definition is`: {`{"ImageURI": "c"}`, map[string]string{"TaskDefinitionTemplatePath": "appspec.yaml"}},
	} {
		w.commit(map[string]string{"imageDetail.json": test.image,
			"other.yaml": "{version: 0.0, Resources: [{S: {Type: 'AWS::ECS::Service', Properties: {TaskDefinition: <TASK_DEFINITION>, LoadBalancerInfo: {ContainerName: none, ContainerPort: 80}}}}]} # " + test.image})
		w.reaches(w.anew(deploy(test.more)), types.PipelineExecutionStatusFailed)
		if got := strings.Join(w.failures(), "\n"); !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
