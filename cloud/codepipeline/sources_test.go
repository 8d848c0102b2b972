package codepipeline_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
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

// A push of an image starts one pipeline by a rule that tells its digest, as
// AWS's guide has it
// (https://docs.aws.amazon.com/codepipeline/latest/userguide/create-cwe-ecr-source.html),
// and another by a rule that tells nothing, which takes what the tag stands for.
func TestECRSource(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	ctx := t.Context()
	images, shop := ecr.NewFromConfig(h.cloud.Config), aws.String("shop")
	uri := *must[*ecr.CreateRepositoryOutput](t)(images.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: shop})).Repository.RepositoryUri
	source := act("Source", "Source", "ECR", map[string]string{"RepositoryName": "shop", "ImageTag": "live"}, out("App"))
	h.create("told", source)
	h.create("newest", source)
	if m := *h.failure("told"); m != "The image with tag 'live' does not exist in the Amazon ECR repository shop." {
		t.Errorf("without an image: %s", m)
	}
	roleFor(t, iam.NewFromConfig(h.cloud.Config), "events", "events.amazonaws.com")
	events := eventbridge.NewFromConfig(h.cloud.Config)
	must[*eventbridge.PutRuleOutput](t)(events.PutRule(ctx, &eventbridge.PutRuleInput{
		Name: aws.String("pushed"), EventPattern: aws.String(`{"source": ["aws.ecr"], "detail-type": ["ECR Image Action"], "detail": {"action-type": ["PUSH"], "image-tag": ["live"], "repository-name": ["shop"], "result": ["SUCCESS"]}}`)}))
	target := func(name string) ebtypes.Target {
		return ebtypes.Target{Id: &name, Arn: aws.String("arn:aws:codepipeline:us-east-1:000000000000:" + name), RoleArn: aws.String("arn:aws:iam::000000000000:role/events")}
	}
	told := target("told")
	told.InputTransformer = &ebtypes.InputTransformer{
		InputPathsMap: map[string]string{"revisionValue": "$.detail.image-digest"},
		InputTemplate: aws.String(`{"sourceRevisions": [{"actionName": "Source", "revisionType": "IMAGE_DIGEST", "revisionValue": "<revisionValue>"}]}`),
	}
	must[*eventbridge.PutTargetsOutput](t)(events.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String("pushed"), Targets: []ebtypes.Target{told, target("newest")}}))
	push := func(tag, says string) string {
		index := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"annotations":{"says":"` + says + `"}}`
		return *must[*ecr.PutImageOutput](t)(images.PutImage(ctx, &ecr.PutImageInput{RepositoryName: shop, ImageManifest: &index, ImageTag: &tag})).Image.ImageId.ImageDigest
	}
	push("other", "nothing")
	first := push("live", "one")
	for _, name := range []string{"told", "newest"} {
		if got := h.starts(name, 1); len(got) != 1 || got[0] != "CloudWatchEvent "+first {
			t.Errorf("%s: %s, want the first image %s", name, got, first)
		}
	}
	second := push("live", "two")
	if got := h.starts("told", 2)[1]; got != "CloudWatchEvent "+second {
		t.Errorf("the second image: %s", got)
	}
	want := map[string]string{"RegistryId": "000000000000", "RepositoryName": "shop", "ImageTag": "live", "ImageDigest": second, "ImageURI": uri + "@" + second}
	if diff := cmp.Diff(want, h.variables("told", 2)); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	var detail map[string]any
	if err := json.Unmarshal([]byte(h.file("told", "imageDetail.json")), &detail); err != nil {
		t.Fatal(err)
	}
	pushed, err := time.Parse("Mon Jan 2 15:04:05 MST 2006", fmt.Sprint(detail["ImagePushedAt"]))
	if err != nil || time.Since(pushed) > time.Hour {
		t.Errorf("pushed at %v: %v", detail["ImagePushedAt"], err)
	}
	delete(detail, "ImagePushedAt")
	if diff := cmp.Diff(map[string]any{"ImageSizeInBytes": 0., "ImageDigest": second, "Version": "1.0", "RegistryId": "000000000000",
		"RepositoryName": "shop", "ImageURI": uri + "@" + second, "ImageTags": []any{"live"}}, detail); diff != "" {
		t.Errorf("imageDetail.json (-want +got):\n%s", diff)
	}
}

// failure is why the newest action of a pipeline failed.
func (h *hub) failure(name string) *string {
	h.t.Helper()
	details := must[*api.ListActionExecutionsOutput](h.t)(h.client.ListActionExecutions(h.t.Context(), &api.ListActionExecutionsInput{PipelineName: &name})).ActionExecutionDetails
	return details[0].Output.ExecutionResult.ErrorDetails.Message
}

// file is a file of the artifact of the newest execution's source.
func (h *hub) file(name, file string) string {
	h.t.Helper()
	body := h.artifact(name)
	archive := must[*zip.Reader](h.t)(zip.NewReader(bytes.NewReader(body), int64(len(body))))
	f := must[fs.File](h.t)(archive.Open(file))
	defer f.Close()
	return string(must[[]byte](h.t)(io.ReadAll(f)))
}
