package codepipeline_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"ouro/cloud/wire"
)

// The services that CodePipeline calls, as small as it needs them and under the
// test's control. The real ones are met in the tests of the whole cloud.

type identities struct{}

func (identities) AssumeRole(_ context.Context, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	if strings.HasSuffix(*in.RoleArn, "/forbidden") {
		return nil, &wire.Error{Code: "AccessDenied", Message: "not allowed", Status: 403}
	}
	if in.Policy != nil {
		var policy struct{ Statement []any }
		if err := json.Unmarshal([]byte(*in.Policy), &policy); err != nil || len(policy.Statement) == 0 {
			return nil, &wire.Error{Code: "MalformedPolicyDocument", Message: "Syntax errors in policy.", Status: 400}
		}
	}
	return &sts.AssumeRoleOutput{Credentials: &ststypes.Credentials{
		AccessKeyId: aws.String("ASIA"), SecretAccessKey: aws.String("s"), SessionToken: aws.String("t"), Expiration: aws.Time(time.Now().Add(time.Hour)),
	}}, nil
}

type objects struct {
	mu    sync.Mutex
	bytes map[string][]byte
}

func (o *objects) put(at string, b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bytes[at] = b
}

func (o *objects) get(at string) ([]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b, ok := o.bytes[at]
	if !ok {
		return nil, &wire.Error{Code: "NoSuchKey", Message: "The specified key does not exist.", Status: 404}
	}
	return b, nil
}

func (o *objects) PutObject(_ context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	b, err := io.ReadAll(in.Body)
	o.put(*in.Bucket+"/"+*in.Key, b)
	return &s3.PutObjectOutput{}, err
}

func (o *objects) GetObject(_ context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	b, err := o.get(*in.Bucket + "/" + *in.Key)
	if err != nil {
		return nil, err
	}
	out := &s3.GetObjectOutput{}
	if in.Range != nil {
		var from, to int64
		if _, err := fmt.Sscanf(*in.Range, "bytes=%d-%d", &from, &to); err != nil {
			return nil, err
		}
		out.ContentRange = aws.String(fmt.Sprintf("bytes %d-%d/%d", from, to, len(b)))
		b = b[from : to+1]
	}
	out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(b)), aws.Int64(int64(len(b)))
	return out, nil
}

func (o *objects) HeadObject(_ context.Context, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	b, err := o.get(*in.Bucket + "/" + *in.Key)
	if err != nil {
		return nil, err
	}
	return &s3.HeadObjectOutput{VersionId: aws.String(fmt.Sprintf("v%d", len(b))), ETag: aws.String(`"e"`)}, nil
}

func (o *objects) CopyObject(_ context.Context, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	from, _, _ := strings.Cut(*in.CopySource, "?")
	b, err := o.get(from)
	if err != nil {
		return nil, err
	}
	o.put(*in.Bucket+"/"+*in.Key, b)
	return &s3.CopyObjectOutput{}, nil
}

// zipped is a zip of files, by name.
func zipped(files map[string]string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// repositories has one repository, "site", with one branch, "main". One called
// "silent" never answers.
type repositories struct {
	objects *objects
	mu      sync.Mutex
	tip     string
	asked   int // how often for the tip
	files   map[string]string
}

func (r *repositories) push(commit string, files map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tip, r.files = commit, files
}

func (r *repositories) questions() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

func (r *repositories) GetBranch(ctx context.Context, in *codecommit.GetBranchInput) (*codecommit.GetBranchOutput, error) {
	r.mu.Lock()
	r.asked++
	r.mu.Unlock()
	if *in.RepositoryName == "silent" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tip == "" {
		return nil, &cctypes.BranchDoesNotExistException{Message: aws.String("no")}
	}
	return &codecommit.GetBranchOutput{Branch: &cctypes.BranchInfo{BranchName: in.BranchName, CommitId: &r.tip}}, nil
}

func (r *repositories) GetCommit(_ context.Context, in *codecommit.GetCommitInput) (*codecommit.GetCommitOutput, error) {
	return &codecommit.GetCommitOutput{Commit: &cctypes.Commit{CommitId: in.CommitId, Message: aws.String("message of " + *in.CommitId + "\n")}}, nil
}

type UploadArchiveInput struct{ RepositoryName, CommitSpecifier, Bucket, Key *string }
type UploadArchiveOutput struct{ CommitId *string }

func (r *repositories) UploadArchive(_ context.Context, in *UploadArchiveInput) (*UploadArchiveOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.objects.put(*in.Bucket+"/"+*in.Key, zipped(r.files))
	return &UploadArchiveOutput{CommitId: in.CommitSpecifier}, nil
}

// builds run until the test ends them, but those of projects that begin with
// "quick", which succeed at once.
type builds struct {
	mu     sync.Mutex
	starts []*codebuild.StartBuildInput
	byID   map[string]*cbtypes.Build
	tokens map[string]string

	batches []*codebuild.StartBuildBatchInput // succeed at once
}

func (b *builds) StartBuildBatch(_ context.Context, in *codebuild.StartBuildBatchInput) (*codebuild.StartBuildBatchOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.batches = append(b.batches, in)
	return &codebuild.StartBuildBatchOutput{BuildBatch: &cbtypes.BuildBatch{Id: aws.String(fmt.Sprintf("%s:%d", *in.ProjectName, len(b.batches)))}}, nil
}

func (b *builds) BatchGetBuildBatches(_ context.Context, in *codebuild.BatchGetBuildBatchesInput) (*codebuild.BatchGetBuildBatchesOutput, error) {
	return &codebuild.BatchGetBuildBatchesOutput{BuildBatches: []cbtypes.BuildBatch{{Id: &in.Ids[0], BuildBatchStatus: cbtypes.StatusTypeSucceeded, Complete: true}}}, nil
}

func (b *builds) StartBuild(_ context.Context, in *codebuild.StartBuildInput) (*codebuild.StartBuildOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if id, ok := b.tokens[*in.IdempotencyToken]; ok {
		return &codebuild.StartBuildOutput{Build: b.byID[id]}, nil
	}
	b.starts = append(b.starts, in)
	id := fmt.Sprintf("%s:%d", *in.ProjectName, len(b.starts))
	b.byID[id] = &cbtypes.Build{Id: &id, BuildStatus: cbtypes.StatusTypeInProgress}
	b.tokens[*in.IdempotencyToken] = id
	if strings.HasPrefix(id, "quick") {
		b.end(id, cbtypes.StatusTypeSucceeded)
	}
	return &codebuild.StartBuildOutput{Build: b.byID[id]}, nil
}

func (b *builds) end(id string, status cbtypes.StatusType) {
	b.byID[id] = &cbtypes.Build{
		Id: &id, BuildStatus: status, BuildComplete: true,
		ExportedEnvironmentVariables: []cbtypes.ExportedEnvironmentVariable{{Name: aws.String("Made"), Value: aws.String("by-" + strings.ReplaceAll(id, ":", "-"))}},
		Phases: []cbtypes.BuildPhase{{PhaseType: cbtypes.BuildPhaseTypeBuild, PhaseStatus: status, Contexts: []cbtypes.PhaseContext{
			{StatusCode: aws.String("COMMAND_EXECUTION_ERROR"), Message: aws.String("exit status 1")}}}},
	}
}

func (b *builds) finish(id string, status cbtypes.StatusType) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end(id, status)
}

func (b *builds) BatchGetBuilds(_ context.Context, in *codebuild.BatchGetBuildsInput) (*codebuild.BatchGetBuildsOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := &codebuild.BatchGetBuildsOutput{}
	for _, id := range in.Ids {
		if build, ok := b.byID[id]; ok {
			out.Builds = append(out.Builds, *build)
		}
	}
	return out, nil
}

// stacks are done at once. A template that says "broken" rolls back.
type stacks struct {
	mu      sync.Mutex
	byName  map[string]*cftypes.Stack
	bodies  map[string]string
	deleted []string
}

func (s *stacks) CreateStack(_ context.Context, in *cloudformation.CreateStackInput) (*cloudformation.CreateStackOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := "arn:aws:cloudformation:us-east-1:000000000000:stack/" + *in.StackName + "/1"
	st := &cftypes.Stack{StackId: &id, StackName: in.StackName, StackStatus: cftypes.StackStatusCreateComplete, CreationTime: aws.Time(time.Now())}
	for _, p := range in.Parameters {
		st.Outputs = append(st.Outputs, cftypes.Output{OutputKey: aws.String("Of" + *p.ParameterKey), OutputValue: p.ParameterValue})
	}
	if strings.Contains(aws.ToString(in.TemplateBody), "broken") {
		st.StackStatus = cftypes.StackStatusRollbackComplete
	}
	s.byName[*in.StackName], s.bodies[*in.StackName] = st, aws.ToString(in.TemplateBody)+aws.ToString(in.TemplateURL)
	return &cloudformation.CreateStackOutput{StackId: &id}, nil
}

func (s *stacks) UpdateStack(_ context.Context, in *cloudformation.UpdateStackInput) (*cloudformation.UpdateStackOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.byName[*in.StackName]
	body := aws.ToString(in.TemplateBody) + aws.ToString(in.TemplateURL)
	switch {
	case st.StackStatus == cftypes.StackStatusRollbackComplete:
		return nil, &wire.Error{Code: "ValidationError", Message: "Stack:" + *st.StackId + " is in ROLLBACK_COMPLETE state and can not be updated.", Status: 400}
	case s.bodies[*in.StackName] == body:
		return nil, &wire.Error{Code: "ValidationError", Message: "No updates are to be performed.", Status: 400}
	}
	st.StackStatus, s.bodies[*in.StackName] = cftypes.StackStatusUpdateComplete, body
	return &cloudformation.UpdateStackOutput{StackId: st.StackId}, nil
}

func (s *stacks) DescribeStacks(_ context.Context, in *cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, st := range s.byName {
		if name == *in.StackName || *st.StackId == *in.StackName {
			return &cloudformation.DescribeStacksOutput{Stacks: []cftypes.Stack{*st}}, nil
		}
	}
	return nil, &wire.Error{Code: "ValidationError", Message: "Stack with id " + *in.StackName + " does not exist", Status: 400}
}

func (s *stacks) DeleteStack(_ context.Context, in *cloudformation.DeleteStackInput) (*cloudformation.DeleteStackOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, st := range s.byName {
		if name == *in.StackName || *st.StackId == *in.StackName {
			delete(s.byName, name)
			s.deleted = append(s.deleted, name)
		}
	}
	return &cloudformation.DeleteStackOutput{}, nil
}

func (s *stacks) DescribeStackEvents(_ context.Context, in *cloudformation.DescribeStackEventsInput) (*cloudformation.DescribeStackEventsOutput, error) {
	ev := func(id, kind, physical string, status cftypes.ResourceStatus, reason string) cftypes.StackEvent {
		return cftypes.StackEvent{
			EventId: aws.String(id), StackId: in.StackName, StackName: aws.String("x"), Timestamp: aws.Time(time.Now()), LogicalResourceId: aws.String(id),
			ResourceType: aws.String(kind), PhysicalResourceId: aws.String(physical), ResourceStatus: status, ResourceStatusReason: aws.String(reason),
		}
	}
	return &cloudformation.DescribeStackEventsOutput{StackEvents: []cftypes.StackEvent{
		ev("Stack", "AWS::CloudFormation::Stack", *in.StackName, cftypes.ResourceStatusRollbackComplete, ""),
		ev("Second", "AWS::SSM::Parameter", "", cftypes.ResourceStatusCreateFailed, "Resource creation cancelled"),
		ev("First", "AWS::S3::Bucket", "", cftypes.ResourceStatusCreateFailed, "the name is taken"),
		ev("Stack", "AWS::CloudFormation::Stack", *in.StackName, cftypes.ResourceStatusCreateInProgress, "User Initiated"),
		ev("Old", "AWS::S3::Bucket", "", cftypes.ResourceStatusCreateFailed, "of an earlier operation"),
	}}, nil
}

// notices are the events that EventBridge got, in order.
type notices struct {
	mu   sync.Mutex
	deaf bool // it hears nothing until the caller gives up
	told []string
	last map[string]any // detail
}

func (n *notices) PutEvents(ctx context.Context, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
	n.mu.Lock()
	if n.deaf {
		n.mu.Unlock()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	defer n.mu.Unlock()
	for _, e := range in.Entries {
		var d struct{ Stage, Action, State string }
		if err := json.Unmarshal([]byte(*e.Detail), &d); err != nil {
			return nil, err
		}
		n.told = append(n.told, strings.TrimSpace(strings.Trim(d.Stage+"/"+d.Action, "/")+" "+d.State))
		n.last = nil
		if err := json.Unmarshal([]byte(*e.Detail), &n.last); err != nil {
			return nil, err
		}
	}
	return &eventbridge.PutEventsOutput{}, nil
}
