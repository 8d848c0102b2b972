package codepipeline_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
)

func (h *hub) put(key, text string, metadata map[string]string) string {
	h.t.Helper()
	return *must[*s3.PutObjectOutput](h.t)(h.s3().PutObject(h.t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("uploads"), Key: &key, Body: strings.NewReader(text), Metadata: metadata})).VersionId
}

// An upload starts one pipeline by a rule of the user's, whose input names the
// object, and another that polls.
func TestS3Sources(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	ctx := t.Context()
	bucket := aws.String("uploads")
	must[*s3.CreateBucketOutput](t)(h.s3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}))
	must[*s3.PutBucketVersioningOutput](t)(h.s3().PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: bucket, VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled}}))
	must[*s3.PutBucketNotificationConfigurationOutput](t)(h.s3().PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{
		Bucket: bucket, NotificationConfiguration: &s3types.NotificationConfiguration{EventBridgeConfiguration: &s3types.EventBridgeConfiguration{}}}))
	source := func(more map[string]string) types.ActionDeclaration {
		config := map[string]string{"S3Bucket": "uploads", "S3ObjectKey": "app.zip", "PollForSourceChanges": "false"}
		for k, v := range more {
			config[k] = v
		}
		return act("Source", "Source", "S3", config, out("App"))
	}
	h.create("ruled", source(map[string]string{"AllowOverrideForS3ObjectKey": "true"}))
	h.create("polled", source(map[string]string{"PollForSourceChanges": "true"}))
	h.create("fixed", source(nil))
	roleFor(t, iam.NewFromConfig(h.cloud.Config), "events", "events.amazonaws.com")
	events := eventbridge.NewFromConfig(h.cloud.Config)
	must[*eventbridge.PutRuleOutput](t)(events.PutRule(ctx, &eventbridge.PutRuleInput{
		Name: aws.String("uploaded"), EventPattern: aws.String(`{"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": {"bucket": {"name": ["uploads"]}}}`)}))
	must[*eventbridge.PutTargetsOutput](t)(events.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String("uploaded"), Targets: []ebtypes.Target{{
		Id: aws.String("pipeline"), Arn: aws.String("arn:aws:codepipeline:us-east-1:000000000000:ruled"), RoleArn: aws.String("arn:aws:iam::000000000000:role/events"),
		InputTransformer: &ebtypes.InputTransformer{
			InputPathsMap: map[string]string{"version": "$.detail.object.version-id", "key": "$.detail.object.key"},
			InputTemplate: aws.String(`{"sourceRevisions": [{"actionName": "Source", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": "<version>"},
				{"actionName": "Source", "revisionType": "S3_OBJECT_KEY", "revisionValue": "<key>"}]}`),
		},
	}}}))
	other := h.put("other.zip", "1", map[string]string{"codepipeline-artifact-revision-summary": "the other"})
	if got := h.starts("ruled", 1)[0]; got != "CloudWatchEvent "+other {
		t.Errorf("by the rule: %s", got)
	}
	if got := h.variables("ruled", 1); got["ObjectKey"] != "other.zip" || got["BucketName"] != "uploads" {
		t.Errorf("variables: %v", got)
	}
	if r := h.executions("ruled")[1].SourceRevisions[0]; *r.RevisionSummary != "the other" {
		t.Errorf("summary %s", *r.RevisionSummary)
	}
	app := h.put("app.zip", "1", nil)
	if got := h.starts("polled", 1)[0]; got != "PollForSourceChanges "+app {
		t.Errorf("by polling: %s", got)
	}
	id := *must[*api.StartPipelineExecutionOutput](t)(h.client.StartPipelineExecution(ctx, &api.StartPipelineExecutionInput{Name: aws.String("fixed"), SourceRevisions: []types.SourceRevisionOverride{
		{ActionName: aws.String("Source"), RevisionType: types.SourceRevisionTypeS3ObjectKey, RevisionValue: aws.String("other.zip")}}})).PipelineExecutionId
	h.until("an override that is not allowed fails", func() bool {
		l := h.executions("fixed")
		return *l[len(l)-1].PipelineExecutionId == id && l[len(l)-1].Status == types.PipelineExecutionStatusFailed
	})
}

// A full clone of CodeCommit is a reference as the connection's is.
func TestCodeCommitClone(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	ctx := t.Context()
	repos := codecommit.NewFromConfig(h.cloud.Config)
	url := *must[*codecommit.CreateRepositoryOutput](t)(repos.CreateRepository(ctx, &codecommit.CreateRepositoryInput{RepositoryName: aws.String("site")})).RepositoryMetadata.CloneUrlHttp
	h.create("p", act("Source", "Source", "CodeCommit", map[string]string{"RepositoryName": "site", "BranchName": "main", "OutputArtifactFormat": "CODEBUILD_CLONE_REF"}, out("App")))
	commit := *must[*codecommit.CreateCommitOutput](t)(repos.CreateCommit(ctx, &codecommit.CreateCommitInput{
		RepositoryName: aws.String("site"), BranchName: aws.String("main"), PutFiles: []cctypes.PutFileEntry{{FilePath: aws.String("a"), FileContent: []byte("a")}},
	})).CommitId
	if got := h.starts("p", 1)[0]; got != "PollForSourceChanges "+commit {
		t.Errorf("by polling: %s", got)
	}
	want := map[string]string{"AccountId": "000000000000", "FullRepositoryName": "site", "CloneUrl": url, "CommitId": commit, "BranchName": "main"}
	if diff := cmp.Diff(want, h.reference("p")); diff != "" {
		t.Errorf("the reference of a clone (-want +got):\n%s", diff)
	}
}
