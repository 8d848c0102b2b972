package codepipeline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// deployments stand in for CodeDeploy. They run until the test ends them.
type deployments struct {
	mu    sync.Mutex
	mute  chan struct{} // closed when the answer to a CreateDeployment may come; nil: at once
	made  []*codedeploy.CreateDeploymentInput
	ended map[string]cdtypes.DeploymentStatus
}

func (d *deployments) CreateDeployment(ctx context.Context, in *codedeploy.CreateDeploymentInput) (*codedeploy.CreateDeploymentOutput, error) {
	d.mu.Lock()
	d.made = append(d.made, in)
	id, mute := aws.String(fmt.Sprintf("d-%d", len(d.made))), d.mute
	d.mu.Unlock()
	if mute != nil {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return &codedeploy.CreateDeploymentOutput{DeploymentId: id}, nil
}

func (d *deployments) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.made)
}

func (d *deployments) end(id string, status cdtypes.DeploymentStatus) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended[id] = status
}

func (d *deployments) GetDeployment(_ context.Context, in *codedeploy.GetDeploymentInput) (*codedeploy.GetDeploymentOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	info := &cdtypes.DeploymentInfo{DeploymentId: in.DeploymentId, Status: cdtypes.DeploymentStatusInProgress}
	for i, made := range d.made {
		if *in.DeploymentId == fmt.Sprintf("d-%d", i+1) {
			info.Description = made.Description
		}
	}
	if s, ok := d.ended[*in.DeploymentId]; ok {
		info.Status = s
		info.ErrorInformation = &cdtypes.ErrorInformation{Code: cdtypes.ErrorCodeHealthConstraints, Message: aws.String("too few healthy instances")}
	}
	return &codedeploy.GetDeploymentOutput{DeploymentInfo: info}, nil
}

func (d *deployments) ListDeployments(_ context.Context, in *codedeploy.ListDeploymentsInput) (*codedeploy.ListDeploymentsOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := &codedeploy.ListDeploymentsOutput{}
	for i, made := range d.made {
		if *made.ApplicationName == *in.ApplicationName && *made.DeploymentGroupName == *in.DeploymentGroupName {
			out.Deployments = append(out.Deployments, fmt.Sprintf("d-%d", i+1))
		}
	}
	return out, nil
}

// A deployment whose answer was lost in a crash is found again.
func TestCodeDeploy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := &deployments{mute: make(chan struct{}), ended: map[string]cdtypes.DeploymentStatus{}}
	w.more = map[string]any{"codedeploy": d}
	w.close()
	w.open()
	w.create(stage("Deploy", act("Deploy", "Deploy", "CodeDeploy", map[string]string{"ApplicationName": "shop", "DeploymentGroupName": "live"}, in("App"))))
	w.until("the deployment is made", func() bool { return d.count() == 1 })
	w.close()
	d.mu.Lock()
	d.mute = nil
	d.mu.Unlock()
	w.open()
	w.until("the deployment is known", func() bool { e := w.action("Deploy").LatestExecution; return e.ExternalExecutionId != nil })
	d.end("d-1", cdtypes.DeploymentStatusSucceeded)
	w.reaches(w.first(), types.PipelineExecutionStatusSucceeded)
	if at := d.made[0].Revision.S3Location; d.count() != 1 || *at.Bucket != "artifacts" || at.BundleType != cdtypes.BundleTypeZip || !strings.HasPrefix(*at.Key, "p/App/") {
		t.Errorf("%d deployments, of %+v", d.count(), at)
	}
	id := w.start()
	w.until("another deployment", func() bool { return d.count() == 2 })
	d.end("d-2", cdtypes.DeploymentStatusFailed)
	w.reaches(id, types.PipelineExecutionStatusFailed)
	if got := *w.action("Deploy").LatestExecution.ErrorDetails.Message; got != "Deployment d-2 failed: too few healthy instances (HEALTH_CONSTRAINTS)" {
		t.Errorf("got %q", got)
	}
}

// topics stand in for SNS.
type topics struct {
	mu   sync.Mutex
	sent []*sns.PublishInput
}

func (s *topics) Publish(_ context.Context, in *sns.PublishInput) (*sns.PublishOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, in)
	return &sns.PublishOutput{MessageId: aws.String("m")}, nil
}

// The message of an approval has the members that AWS documents.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-json-format.html
func TestApprovalNote(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := &topics{}
	w.more = map[string]any{"sns": s}
	w.close()
	w.open()
	w.create(stage("Ask", act("Ask", "Approval", "Manual", map[string]string{
		"NotificationArn": "arn:aws:sns:us-east-1:000000000000:approvals", "CustomData": "look at the colours", "ExternalEntityLink": "https://example.com/review",
	})))
	w.until("the topic is told", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.sent) == 1 })
	in := s.sent[0]
	var byProtocol map[string]string
	var note struct {
		Region, ConsoleLink string
		Approval            map[string]string
	}
	if err := json.Unmarshal([]byte(*in.Message), &byProtocol); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(byProtocol["default"]), &note); err != nil {
		t.Fatal(err)
	}
	if *in.Subject != "APPROVAL NEEDED: AWS CodePipeline p for action Ask" || *in.MessageStructure != "json" || note.Region != "us-east-1" || note.ConsoleLink == "" {
		t.Errorf("subject %q, structure %q, note %+v", *in.Subject, *in.MessageStructure, note)
	}
	token := *w.action("Ask").LatestExecution.Token
	for name, want := range map[string]string{
		"pipelineName": "p", "stageName": "Ask", "actionName": "Ask", "token": token,
		"externalEntityLink": "https://example.com/review", "customData": "look at the colours", "approvalReviewLink": note.ConsoleLink + "/Ask/Ask/approve/" + token,
	} {
		if got := note.Approval[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if e := note.Approval["expires"]; len(e) != len("2016-07-07T20:22Z") || !strings.HasSuffix(e, "Z") || len(note.Approval) != 8 {
		t.Errorf("approval %v", note.Approval)
	}
	if m := byProtocol["email"]; !strings.Contains(m, "look at the colours") || !strings.Contains(m, "https://example.com/review") {
		t.Errorf("mail:\n%s", m)
	}
	w.close()
	w.open()
	must[*api.PutApprovalResultOutput](t)(w.client.PutApprovalResult(t.Context(), &api.PutApprovalResultInput{
		PipelineName: aws.String("p"), StageName: aws.String("Ask"), ActionName: aws.String("Ask"), Token: &token,
		Result: &types.ApprovalResult{Status: types.ApprovalStatusApproved, Summary: aws.String("fine")},
	}))
	w.reaches(w.first(), types.PipelineExecutionStatusSucceeded)
	if n := len(s.sent); n != 1 {
		t.Errorf("the topic was told %d times", n)
	}
}

// Actions whose service the cloud does not have say so.
func TestServicesThatAreAbsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	target := map[string]string{"ApplicationName": "a", "DeploymentGroupName": "g"}
	blueGreen := map[string]string{"ApplicationName": "a", "DeploymentGroupName": "g", "TaskDefinitionTemplateArtifact": "App", "AppSpecTemplateArtifact": "App"}
	w.repos.push("c1", map[string]string{"imagedefinitions.json": `[]`, "taskdef.json": `{"family":"f"}`, "appspec.yaml": "a"})
	def := definition(stage("All",
		act("Lambda", "Invoke", "Lambda", map[string]string{"FunctionName": "f"}),
		act("CodeDeploy", "Deploy", "CodeDeploy", target, in("App")),
		act("BlueGreen", "Deploy", "CodeDeployToECS", blueGreen, in("App")),
		act("ECS", "Deploy", "ECS", map[string]string{"ClusterName": "c", "ServiceName": "s"}, in("App")),
		act("Late", "Deploy", "ECS", map[string]string{"ClusterName": "c", "ServiceName": "s", "DeploymentTimeout": "61"}, in("App")),
		act("Topic", "Approval", "Manual", map[string]string{"NotificationArn": "arn:aws:sns:us-east-1:000000000000:t"}),
	))
	must[*api.CreatePipelineOutput](t)(w.client.CreatePipeline(t.Context(), &api.CreatePipelineInput{Pipeline: def}))
	w.reaches(w.first(), types.PipelineExecutionStatusFailed)
	for name, service := range map[string]string{"Lambda": "Lambda", "CodeDeploy": "CodeDeploy", "BlueGreen": "Cloud Control", "ECS": "Cloud Control", "Topic": "SNS"} {
		d := w.action(name).LatestExecution.ErrorDetails
		if want := "the local cloud has no " + service + ", which this action needs"; *d.Message != want || *d.Code != "ConfigurationError" {
			t.Errorf("%s: %s: %s", name, *d.Code, *d.Message)
		}
	}
	if m := *w.action("Late").LatestExecution.ErrorDetails.Message; m != `the configuration DeploymentTimeout of action "Late" is "61", and must be a number of minutes from 1 to 60` {
		t.Errorf("timeout: %s", m)
	}
	source := definition(stage("Build", build("Use", "quick")))
	source.Stages[0].Actions[0] = act("Source", "Source", "ECR", map[string]string{"RepositoryName": "shop"}, out("App"))
	must[*api.UpdatePipelineOutput](t)(w.client.UpdatePipeline(t.Context(), &api.UpdatePipelineInput{Pipeline: source}))
	w.reaches(w.start(), types.PipelineExecutionStatusFailed)
	if m := *w.action("Source").LatestExecution.ErrorDetails.Message; m != "the local cloud has no ECR, which this action needs" {
		t.Errorf("source: %s", m)
	}
}

// A batch has the artifacts of its builds by name, or together.
func TestBatchArtifacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	batch := func(combine string, outputs ...string) types.ActionDeclaration {
		a := act("Batch"+combine, "Build", "CodeBuild", map[string]string{"ProjectName": "b", "BatchEnabled": "true", "CombineArtifacts": combine, "PrimarySource": "App"}, in("App", "Docs"))
		for _, o := range outputs {
			out(o)(&a)
		}
		return a
	}
	def := definition(stage("Build", batch("false", "one", "two", "two_docs"), batch("true", "All")))
	def.Stages[0].Actions = append(def.Stages[0].Actions, act("Docs", "Source", "CodeCommit", map[string]string{"RepositoryName": "site", "BranchName": "main", "PollForSourceChanges": "false"}, out("Docs")))
	must[*api.CreatePipelineOutput](t)(w.client.CreatePipeline(t.Context(), &api.CreatePipelineInput{Pipeline: def}))
	w.reaches(w.first(), types.PipelineExecutionStatusSucceeded)
	w.builds.mu.Lock()
	defer w.builds.mu.Unlock()
	for _, in := range w.builds.batches {
		var names []string
		for _, a := range in.SecondaryArtifactsOverride {
			names = append(names, *a.ArtifactIdentifier)
		}
		got := fmt.Sprintf("%s %v %v", in.ArtifactsOverride.Type, *in.BuildBatchConfigOverride.CombineArtifacts, names)
		if want := []string{"NO_ARTIFACTS false [one two two_docs]", "S3 true []"}; !slices.Contains(want, got) {
			t.Errorf("batch with %s", got)
		}
		if s := in.SecondarySourcesOverride; len(s) != 1 || *s[0].SourceIdentifier != "Docs" || !strings.HasPrefix(*in.SourceLocationOverride, "artifacts/p/App/") {
			t.Errorf("sources %s and %+v", *in.SourceLocationOverride, s)
		}
	}
	if n := len(w.builds.batches); n != 2 {
		t.Errorf("%d batches", n)
	}
}
