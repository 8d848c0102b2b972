package codedeploy_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	api "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"ouro/cloud/cloudtest/tool"
)

// byCLI runs the AWS CLI's commands for CodeDeploy, which print text.
func (f *fleet) byCLI(args ...string) string {
	f.t.Helper()
	return tool.NewAWS(f.t, f.URL, "deploy").Run(args...)
}

func TestOperations(t *testing.T) {
	t.Parallel()
	f := newFleet(t, t.TempDir(), "one")
	defer f.close()
	ctx, site, web := t.Context(), aws.String("site"), aws.String("web")

	t.Run("what is refused", func(t *testing.T) {
		must(t)(f.deploy.CreateApplication(ctx, &api.CreateApplicationInput{ApplicationName: aws.String("tasks"), ComputePlatform: types.ComputePlatformEcs}))
		revision := f.put("r.zip", map[string]string{"appspec.yml": spec("")})
		for name, test := range map[string]struct {
			call func() (any, error)
			want string
		}{
			"application": {func() (any, error) {
				return f.deploy.GetApplication(ctx, &api.GetApplicationInput{ApplicationName: web})
			}, "ApplicationDoesNotExistException: No application found for name: web"},
			"twice": {func() (any, error) {
				return f.deploy.CreateApplication(ctx, &api.CreateApplicationInput{ApplicationName: site})
			}, "ApplicationAlreadyExistsException"},
			"name": {func() (any, error) {
				return f.deploy.CreateApplication(ctx, &api.CreateApplicationInput{ApplicationName: aws.String("a/b")})
			}, "InvalidApplicationNameException"},
			"group": {func() (any, error) {
				return f.deploy.GetDeploymentGroup(ctx, &api.GetDeploymentGroupInput{ApplicationName: site, DeploymentGroupName: site})
			}, "DeploymentGroupDoesNotExistException"},
			"deployment": {func() (any, error) {
				return f.deploy.GetDeployment(ctx, &api.GetDeploymentInput{DeploymentId: aws.String("d-000000000")})
			}, "DeploymentDoesNotExistException"},
			"deploymentID": {func() (any, error) { return f.deploy.GetDeployment(ctx, &api.GetDeploymentInput{DeploymentId: site}) }, "InvalidDeploymentIdException"},
			"ecs": {func() (any, error) {
				return f.deploy.CreateDeploymentGroup(ctx, &api.CreateDeploymentGroupInput{ApplicationName: aws.String("tasks"), DeploymentGroupName: web, ServiceRoleArn: aws.String(role),
					EcsServices: []types.ECSService{{ClusterName: web, ServiceName: web}}})
			}, "InvalidLoadBalancerInfoException: For ECS deployment group, loadBalancerInfo must be specified"},
			"alarms": {func() (any, error) {
				return f.deploy.CreateDeployment(ctx, &api.CreateDeploymentInput{ApplicationName: site, DeploymentGroupName: web, Revision: revision,
					OverrideAlarmConfiguration: &types.AlarmConfiguration{Enabled: true, Alarms: []types.Alarm{{Name: aws.String("x")}, {Name: aws.String("x")}}}})
			}, "InvalidAlarmConfigException"},
			"revision": {func() (any, error) {
				return f.deploy.CreateDeployment(ctx, &api.CreateDeploymentInput{ApplicationName: site, DeploymentGroupName: web})
			}, "RevisionRequiredException"},
			"config": {func() (any, error) {
				return f.deploy.CreateDeployment(ctx, &api.CreateDeploymentInput{ApplicationName: site, DeploymentGroupName: web, Revision: revision, DeploymentConfigName: site})
			}, "DeploymentConfigDoesNotExistException"},
			"instance": {func() (any, error) {
				return f.deploy.RegisterOnPremisesInstance(ctx, &api.RegisterOnPremisesInstanceInput{InstanceName: aws.String(".."), IamUserArn: aws.String("arn:aws:iam::000000000000:user/x")})
			}, "InvalidInstanceNameException"},
			"instance ARN": {func() (any, error) {
				return f.deploy.RegisterOnPremisesInstance(ctx, &api.RegisterOnPremisesInstanceInput{InstanceName: aws.String("two"), IamUserArn: aws.String("arn:aws:iam::000000000000:user/one")})
			}, "IamUserArnAlreadyRegisteredException"},
			"predefined": {func() (any, error) {
				return f.deploy.DeleteDeploymentConfig(ctx, &api.DeleteDeploymentConfigInput{DeploymentConfigName: aws.String("CodeDeployDefault.AllAtOnce")})
			}, "InvalidOperationException"},
			"healthy": {func() (any, error) {
				return f.deploy.CreateDeploymentConfig(ctx, &api.CreateDeploymentConfigInput{DeploymentConfigName: aws.String("x")})
			}, "InvalidMinimumHealthyHostValueException"},
			"token": {func() (any, error) {
				return f.deploy.ListApplications(ctx, &api.ListApplicationsInput{NextToken: site})
			}, "InvalidNextTokenException"},
			"ARN": {func() (any, error) {
				return f.deploy.ListTagsForResource(ctx, &api.ListTagsForResourceInput{ResourceArn: site})
			}, "InvalidArnException"},
		} {
			if _, err := test.call(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v, want %s", name, err, test.want)
			}
		}
	})

	t.Run("no instances", func(t *testing.T) {
		must(t)(f.deploy.CreateDeploymentGroup(ctx, &api.CreateDeploymentGroupInput{ApplicationName: site, DeploymentGroupName: aws.String("empty"), ServiceRoleArn: aws.String(role)}))
		id := f.create(&api.CreateDeploymentInput{DeploymentGroupName: aws.String("empty"), Revision: f.put("r.zip", map[string]string{"appspec.yml": spec("")})})
		if d := f.until(id, over); d.Status != types.DeploymentStatusFailed || d.ErrorInformation.Code != types.ErrorCodeNoInstances {
			t.Errorf("%s, %+v", d.Status, d.ErrorInformation)
		}
	})

	t.Run("names", func(t *testing.T) {
		must(t)(f.deploy.UpdateDeploymentGroup(ctx, &api.UpdateDeploymentGroupInput{ApplicationName: site, CurrentDeploymentGroupName: aws.String("empty"), NewDeploymentGroupName: aws.String("void")}))
		must(t)(f.deploy.UpdateApplication(ctx, &api.UpdateApplicationInput{ApplicationName: site, NewApplicationName: aws.String("page")}))
		out, err := f.deploy.ListDeployments(ctx, &api.ListDeploymentsInput{ApplicationName: aws.String("page"), DeploymentGroupName: aws.String("void")})
		if err != nil || len(out.Deployments) != 1 {
			t.Errorf("deployments of the renamed group: %+v, %v", out, err)
		}
		must(t)(f.deploy.UpdateApplication(ctx, &api.UpdateApplicationInput{ApplicationName: aws.String("page"), NewApplicationName: site}))
	})

	t.Run("stack", func(t *testing.T) { f.stack(t) })

	t.Run("CLI", func(t *testing.T) {
		f.t = t
		dir := t.TempDir()
		for name, text := range map[string]string{"appspec.yml": "version: 0.0\nos: linux\nfiles: [{source: /it, destination: /srv}]\n", "it": "pushed"} {
			if err := os.WriteFile(dir+"/"+name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		f.byCLI("push", "--application-name", "site", "--s3-location", "s3://revisions/pushed.zip", "--source", dir)
		id := f.byCLI("create-deployment", "--application-name", "site", "--deployment-group-name", "web", "--s3-location", "bucket=revisions,key=pushed.zip,bundleType=zip")
		f.byCLI("wait", "deployment-successful", "--deployment-id", id)
		if got, err := os.ReadFile(f.root("one") + "/srv/it"); err != nil || string(got) != "pushed" {
			t.Errorf("the instance has %q, %v", got, err)
		}
		if got := f.byCLI("list-deployment-targets", "--deployment-id", id); got != "TARGETIDS\tone" {
			t.Errorf("targets %q", got)
		}
		if got := f.byCLI("get-deployment-config", "--deployment-config-name", "CodeDeployDefault.OneAtATime", "--query", "deploymentConfigInfo.minimumHealthyHosts.type"); got != "MOST_CONCURRENCY" {
			t.Errorf("the type %q", got)
		}
		f.byCLI("deregister", "--instance-name", "one", "--no-delete-iam-user", "--region", "us-east-1")
		if got := f.byCLI("list-on-premises-instances", "--registration-status", "Deregistered"); got != "INSTANCENAMES\tone" {
			t.Errorf("instances %q", got)
		}
	})
}

// stack makes, changes and deletes the types of CloudFormation.
func (f *fleet) stack(t *testing.T) {
	ctx, client := t.Context(), cloudformation.NewFromConfig(f.Config)
	f.put("stack.zip", map[string]string{"appspec.yml": spec(""), "data/of-a-stack": ""})
	body := func(hosts int, deployment map[string]any) *string {
		group := map[string]any{"ApplicationName": map[string]any{"Ref": "App"}, "DeploymentGroupName": "g", "ServiceRoleArn": role, "DeploymentConfigName": map[string]any{"Ref": "Config"},
			"AutoRollbackConfiguration": map[string]any{"Enabled": true, "Events": []any{"DEPLOYMENT_FAILURE"}}, "AutoScalingGroups": []any{"fleet"},
			"Ec2TagSet":        map[string]any{"Ec2TagSetList": []any{map[string]any{"Ec2TagGroup": []any{map[string]any{"Key": "tier", "Type": "KEY_ONLY"}}}}},
			"OnPremisesTagSet": map[string]any{"OnPremisesTagSetList": []any{map[string]any{"OnPremisesTagGroup": []any{map[string]any{"Key": "tier", "Value": "web", "Type": "KEY_AND_VALUE"}}}}}}
		if deployment != nil {
			group["Deployment"] = deployment
		}
		text, err := json.Marshal(map[string]any{"Resources": map[string]any{
			"App":    map[string]any{"Type": "AWS::CodeDeploy::Application", "Properties": map[string]any{"Tags": []any{map[string]any{"Key": "k", "Value": "v"}}}},
			"Config": map[string]any{"Type": "AWS::CodeDeploy::DeploymentConfig", "Properties": map[string]any{"MinimumHealthyHosts": map[string]any{"Type": "HOST_COUNT", "Value": hosts}}},
			"Group":  map[string]any{"Type": "AWS::CodeDeploy::DeploymentGroup", "Properties": group},
		}, "Outputs": map[string]any{"App": map[string]any{"Value": map[string]any{"Ref": "App"}}}})
		if err != nil {
			t.Fatal(err)
		}
		return aws.String(string(text))
	}
	settled := func(want cfntypes.StackStatus) string {
		t.Helper()
		var last cfntypes.Stack
		f.eventually("the stack", func() bool {
			out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String("s")})
			if err != nil {
				t.Fatal(err)
			}
			last = out.Stacks[0]
			return !strings.HasSuffix(string(last.StackStatus), "_IN_PROGRESS")
		})
		if last.StackStatus != want {
			events, err := client.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: aws.String("s")})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events.StackEvents {
				t.Log(*e.LogicalResourceId, e.ResourceStatus, aws.ToString(e.ResourceStatusReason))
			}
			t.Fatalf("the stack is %s, want %s", last.StackStatus, want)
		}
		return *last.Outputs[0].OutputValue
	}
	must(t)(client.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: aws.String("s"), TemplateBody: body(0, nil)}))
	app := settled(cfntypes.StackStatusCreateComplete)
	must(t)(client.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: aws.String("s"), TemplateBody: body(0, map[string]any{
		"Revision": map[string]any{"RevisionType": "S3", "S3Location": map[string]any{"Bucket": "revisions", "Key": "stack.zip", "BundleType": "zip"}}})}))
	settled(cfntypes.StackStatusUpdateComplete)
	if _, err := os.Stat(f.root("one") + "/data/of-a-stack"); err != nil {
		t.Errorf("the group's deployment: %v", err)
	}
	f.drift(client)
	tags, err := f.deploy.ListTagsForResource(ctx, &api.ListTagsForResourceInput{ResourceArn: aws.String("arn:aws:codedeploy:us-east-1:000000000000:application:" + app)})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Key != "k" {
		t.Errorf("tags %+v, %v", tags, err)
	}
	must(t)(client.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: aws.String("s")}))
	f.eventually("the application is gone", func() bool {
		_, err := f.deploy.GetApplication(ctx, &api.GetApplicationInput{ApplicationName: &app})
		return err != nil
	})
}

// drift changes the stack's group by hand, which the stack tells, and back.
func (f *fleet) drift(client *cloudformation.Client) {
	f.t.Helper()
	drifted := func() (differences []string) {
		begun, err := client.DetectStackDrift(f.t.Context(), &cloudformation.DetectStackDriftInput{StackName: aws.String("s")})
		if err != nil {
			f.t.Fatal(err)
		}
		f.eventually("the detection", func() bool {
			out, err := client.DescribeStackDriftDetectionStatus(f.t.Context(), &cloudformation.DescribeStackDriftDetectionStatusInput{StackDriftDetectionId: begun.StackDriftDetectionId})
			return err == nil && out.DetectionStatus == cfntypes.StackDriftDetectionStatusDetectionComplete
		})
		out, err := client.DescribeStackResourceDrifts(f.t.Context(), &cloudformation.DescribeStackResourceDriftsInput{StackName: aws.String("s")})
		if err != nil {
			f.t.Fatal(err)
		}
		for _, r := range out.StackResourceDrifts {
			if r.StackResourceDriftStatus != cfntypes.StackResourceDriftStatusInSync && r.StackResourceDriftStatus != cfntypes.StackResourceDriftStatusModified {
				f.t.Errorf("%s is %s", *r.LogicalResourceId, r.StackResourceDriftStatus)
			}
			for _, d := range r.PropertyDifferences {
				differences = append(differences, *r.LogicalResourceId+*d.PropertyPath+" "+string(d.DifferenceType))
			}
		}
		return differences
	}
	if got := drifted(); got != nil {
		f.t.Errorf("an untouched stack has drifted: %v", got)
	}
	resources, err := client.DescribeStackResource(f.t.Context(), &cloudformation.DescribeStackResourceInput{StackName: aws.String("s"), LogicalResourceId: aws.String("App")})
	if err != nil {
		f.t.Fatal(err)
	}
	change := func(events ...types.AutoRollbackEvent) {
		must(f.t)(f.deploy.UpdateDeploymentGroup(f.t.Context(), &api.UpdateDeploymentGroupInput{
			ApplicationName: resources.StackResourceDetail.PhysicalResourceId, CurrentDeploymentGroupName: aws.String("g"),
			AutoRollbackConfiguration: &types.AutoRollbackConfiguration{Enabled: true, Events: events}}))
	}
	change(types.AutoRollbackEventDeploymentFailure, types.AutoRollbackEventDeploymentStopOnRequest)
	if got := drifted(); len(got) != 1 || !strings.HasPrefix(got[0], "Group/AutoRollbackConfiguration/Events") {
		f.t.Errorf("after a change by hand: %v", got)
	}
	change(types.AutoRollbackEventDeploymentFailure)
	if got := drifted(); got != nil {
		f.t.Errorf("after the change back: %v", got)
	}
}
