package function_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	buildtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	pipelinetypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"ouro/cloud/cloudtest"
	"ouro/cloud/cloudtest/tool"
	"ouro/pipeline"
	"ouro/stack"
)

// asOuro gives a path by which this program is ouro, for builds.
func asOuro(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ouro := filepath.Join(t.TempDir(), "ouro")
	if err := os.Symlink(self, ouro); err != nil {
		t.Fatal(err)
	}
	return ouro
}

// TestZipToService: a zip in a bucket becomes an image, and the image the
// service of a stack that ran nothing before; the next zip becomes the next one.
// Who subscribes to the topic learns of all executions, and of a build that fails.
func TestZipToService(t *testing.T) {
	t.Parallel()
	tool.Find(t, "aws")
	c := cloudtest.Start(t, t.TempDir(), asOuro(t))
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	d := &deployed{world: &world{t, c, pipeline.NewBuckets(c.Config), pipeline.NewClients(c.Config)}, stacks: cloudformation.NewFromConfig(c.Config)}
	for _, name := range []string{"code", "zips"} {
		d.bucket(name)
	}
	d.program("code", "function.zip")
	_, err := d.buckets.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: aws.String("zips"), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled}})
	if err == nil {
		_, err = d.buckets.PutBucketNotificationConfiguration(t.Context(), &s3.PutBucketNotificationConfigurationInput{Bucket: aws.String("zips"),
			NotificationConfiguration: &s3types.NotificationConfiguration{EventBridgeConfiguration: &s3types.EventBridgeConfiguration{}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	d.apply("images", "ecr/repository.yaml", map[string]string{"EnvironmentName": "test", "Name": "shop"})
	d.apply("cluster", "ecs/cluster.yaml", map[string]string{"EnvironmentName": "test"})
	images := d.outputs("images")
	d.apply("shop", "ecs/service.yaml", map[string]string{
		"EnvironmentName": "test", "Name": "shop", "ClusterName": d.outputs("cluster")["Name"], "VpcId": "vpc-1", "Subnets": "subnet-1,subnet-2", "SourceSecurityGroup": "sg-1",
		"Image": images["Uri"] + ":none", "RepositoryArn": images["Arn"], "LogGroup": "shop", "DesiredCount": "0",
	})
	if count, image := d.service(); count != "0" || image != images["Uri"]+":none" {
		t.Errorf("the service begins with %s of %s", count, image)
	}
	d.apply("people", "notify/topic.yaml", map[string]string{"ProjectName": "other"})
	topic := d.outputs("people")["TopicArn"]
	heard := d.listen(topic)
	d.apply("pipeline", "ecs/pipeline.yaml", map[string]string{
		"ProjectName": "shop", "SourceBucket": "zips", "SourceKey": "acme/shop/main/shop.zip", "RepositoryName": images["Name"], "RepositoryUri": images["Uri"],
		"StackName": "shop", "CodeBucket": "code", "CodeKey": "function.zip", "Architecture": string(architecture()), "TopicArn": topic,
	})
	d.until("the end of the execution that finds no source", d.ended(1, pipelinetypes.PipelineExecutionStatusFailed))
	var before string
	for i, page := range []string{"first", "second"} {
		d.put("zips", "acme/shop/main/shop.zip", zipped(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY page /\nENTRYPOINT [\"/serve\"]\n", "page": page}))
		d.until("the pipeline's end with "+page, d.ended(i+2, pipelinetypes.PipelineExecutionStatusSucceeded))
		count, image := d.service()
		digest, found := strings.CutPrefix(image, images["Uri"]+"@")
		if count != "1" || !found || digest == before {
			t.Fatalf("%s: the service has %s of %s", page, count, image)
		}
		before = digest
		there, err := ecr.NewFromConfig(c.Config).DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String(images["Name"])})
		if err != nil || !slices.ContainsFunc(there.ImageDetails, imageOf(digest)) {
			t.Errorf("%s: the image is not in the repository: %v", page, err)
		}
	}
	d.stops()
	d.put("zips", "acme/shop/main/shop.zip", zipped(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY nothing /\n"}))
	var want []string
	d.until("all messages", func() bool {
		want = d.told()
		return len(want) == 11 && slices.Equal(heard(), want)
	})
	if count, image := d.service(); count != "1" || !strings.HasSuffix(image, before) {
		t.Errorf("after what failed, the service has %s of %s", count, image)
	}
}

// listen subscribes to the topic, and gives all messages that came, in order of
// their text.
func (d *deployed) listen(topic string) func() []string {
	d.Helper()
	var mu sync.Mutex
	var messages []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var note struct{ SubscribeURL, Message string }
		err := json.NewDecoder(r.Body).Decode(&note)
		if err == nil && note.SubscribeURL != "" {
			var res *http.Response
			if res, err = http.Get(note.SubscribeURL); err == nil {
				err = res.Body.Close()
			}
		} else if err == nil {
			mu.Lock()
			defer mu.Unlock()
			messages = append(messages, note.Message)
		}
		if err != nil {
			d.Error(err)
		}
	}))
	d.Cleanup(server.Close)
	api := sns.NewFromConfig(d.cloud.Config)
	if _, err := api.Subscribe(d.Context(), &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("http"), Endpoint: &server.URL}); err != nil {
		d.Fatal(err)
	}
	d.until("the subscription", func() bool {
		list, err := api.ListSubscriptionsByTopic(d.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
		if err != nil {
			d.Fatal(err)
		}
		return *list.Subscriptions[0].SubscriptionArn != "PendingConfirmation"
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Sorted(slices.Values(messages))
	}
}

// stops begins an execution that waits before its second stage, and stops it.
func (d *deployed) stops() {
	d.Helper()
	api, name, stage := codepipeline.NewFromConfig(d.cloud.Config), aws.String("shop"), aws.String("Image")
	_, err := api.DisableStageTransition(d.Context(), &codepipeline.DisableStageTransitionInput{
		PipelineName: name, StageName: stage, TransitionType: pipelinetypes.StageTransitionTypeInbound, Reason: aws.String("it is to be stopped")})
	if err != nil {
		d.Fatal(err)
	}
	started, err := api.StartPipelineExecution(d.Context(), &codepipeline.StartPipelineExecutionInput{Name: name})
	if err == nil {
		_, err = api.StopPipelineExecution(d.Context(), &codepipeline.StopPipelineExecutionInput{PipelineName: name, PipelineExecutionId: started.PipelineExecutionId, Abandon: true})
	}
	if err != nil {
		d.Fatal(err)
	}
	d.until("the stop", func() bool {
		got, err := api.GetPipelineExecution(d.Context(), &codepipeline.GetPipelineExecutionInput{PipelineName: name, PipelineExecutionId: started.PipelineExecutionId})
		if err != nil {
			d.Fatal(err)
		}
		return got.PipelineExecution.Status == pipelinetypes.PipelineExecutionStatusStopped
	})
	if _, err := api.EnableStageTransition(d.Context(), &codepipeline.EnableStageTransitionInput{PipelineName: name, StageName: stage, TransitionType: pipelinetypes.StageTransitionTypeInbound}); err != nil {
		d.Fatal(err)
	}
}

// told is what the topic is to be told of the pipeline's executions and builds.
func (d *deployed) told() (all []string) {
	d.Helper()
	executions, err := codepipeline.NewFromConfig(d.cloud.Config).ListPipelineExecutions(d.Context(), &codepipeline.ListPipelineExecutionsInput{PipelineName: aws.String("shop")})
	if err != nil {
		d.Fatal(err)
	}
	for _, e := range executions.PipelineExecutionSummaries {
		for _, state := range []string{"STARTED", strings.ToUpper(string(e.Status))} {
			all = append(all, fmt.Sprintf("%q", "The execution "+*e.PipelineExecutionId+" of the pipeline shop is "+state+"."))
		}
	}
	builds := codebuild.NewFromConfig(d.cloud.Config)
	list, err := builds.ListBuildsForProject(d.Context(), &codebuild.ListBuildsForProjectInput{ProjectName: aws.String("pipeline-Image")})
	if err != nil {
		d.Fatal(err)
	}
	got, err := builds.BatchGetBuilds(d.Context(), &codebuild.BatchGetBuildsInput{Ids: list.Ids})
	if err != nil {
		d.Fatal(err)
	}
	for _, b := range got.Builds {
		if b.BuildStatus == buildtypes.StatusTypeFailed {
			all = append(all, fmt.Sprintf("%q", "The build "+*b.Arn+" is FAILED."))
		}
	}
	slices.Sort(all)
	return all
}

// imageOf finds the image of a digest.
func imageOf(digest string) func(ecrtypes.ImageDetail) bool {
	return func(i ecrtypes.ImageDetail) bool { return *i.ImageDigest == digest }
}

// ended tells whether the pipeline's n-th execution has ended, and fails the test
// if it did so otherwise.
func (d *deployed) ended(n int, as pipelinetypes.PipelineExecutionStatus) func() bool {
	api := codepipeline.NewFromConfig(d.cloud.Config)
	return func() bool {
		list, err := api.ListPipelineExecutions(d.Context(), &codepipeline.ListPipelineExecutionsInput{PipelineName: aws.String("shop")})
		if err != nil {
			d.Fatal(err)
		}
		all := list.PipelineExecutionSummaries // the latest first
		if len(all) < n || all[0].Status == pipelinetypes.PipelineExecutionStatusInProgress {
			return false
		}
		if all[0].Status != as {
			d.Fatalf("execution %d is %s: %v", n, all[0].Status, d.why(api))
		}
		return true
	}
}

// why are the messages of the pipeline's actions that failed.
func (d *deployed) why(api *codepipeline.Client) (all []string) {
	state, err := api.GetPipelineState(d.Context(), &codepipeline.GetPipelineStateInput{Name: aws.String("shop")})
	if err != nil {
		d.Fatal(err)
	}
	for _, s := range state.StageStates {
		for _, a := range s.ActionStates {
			if e := a.LatestExecution; e != nil && e.ErrorDetails != nil {
				all = append(all, *a.ActionName+": "+aws.ToString(e.ErrorDetails.Message))
			}
		}
	}
	return all
}

// outputs are a stack's.
func (d *deployed) outputs(name string) map[string]string {
	d.Helper()
	s, err := stack.Describe(d.Context(), d.stacks, name)
	if err != nil || s == nil {
		d.Fatal(name, err)
	}
	all := map[string]string{}
	for _, o := range s.Outputs {
		all[*o.OutputKey] = *o.OutputValue
	}
	return all
}

// service gives the recorded service's count and image.
func (d *deployed) service() (count, image string) {
	d.Helper()
	read := func(logical, kind string) map[string]any {
		r, err := d.stacks.DescribeStackResource(d.Context(), &cloudformation.DescribeStackResourceInput{StackName: aws.String("shop"), LogicalResourceId: &logical})
		if err != nil {
			d.Fatal(err)
		}
		id := *r.StackResourceDetail.PhysicalResourceId
		if kind == "AWS::ECS::Service" {
			id += "|" + d.outputs("cluster")["Name"]
		}
		got, err := cloudcontrol.NewFromConfig(d.cloud.Config).GetResource(d.Context(), &cloudcontrol.GetResourceInput{TypeName: &kind, Identifier: &id})
		if err != nil {
			d.Fatal(err)
		}
		var properties map[string]any
		if err := json.Unmarshal([]byte(*got.ResourceDescription.Properties), &properties); err != nil {
			d.Fatal(err)
		}
		return properties
	}
	containers, _ := read("Task", "AWS::ECS::TaskDefinition")["ContainerDefinitions"].([]any)
	return fmt.Sprint(read("Service", "AWS::ECS::Service")["DesiredCount"]), containers[0].(map[string]any)["Image"].(string)
}
