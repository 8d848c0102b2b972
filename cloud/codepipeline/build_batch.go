package codepipeline

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// buildBatch starts a batch of builds, unless that was done, and follows it.
// https://docs.aws.amazon.com/codebuild/latest/userguide/sample-pipeline-batch.html
func (j *job) buildBatch(ctx context.Context, client *codebuild.Client, in *codebuild.StartBuildInput) (*outcome, error) {
	if j.record.ExternalID == "" {
		out, err := client.StartBuildBatch(ctx, j.batchInput(in))
		if err != nil {
			return nil, notStarted("startBuildBatch", err)
		}
		id := aws.ToString(out.BuildBatch.Id)
		if err := j.started(ctx, id, batchURL(j.caller.Region, id)); err != nil {
			return nil, err
		}
	}
	for since := time.Now(); ; {
		out, err := client.BatchGetBuildBatches(ctx, &codebuild.BatchGetBuildBatchesInput{Ids: []string{j.record.ExternalID}})
		if err != nil {
			return nil, err
		}
		if len(out.BuildBatches) == 0 {
			return nil, failed(types.FailureTypeJobFailed, "The build batch %s was not found", j.record.ExternalID)
		}
		b := &out.BuildBatches[0]
		switch {
		case b.BuildBatchStatus == cbtypes.StatusTypeSucceeded:
			return &outcome{variables: map[string]string{}}, nil // a batch exports none
		case b.Complete || b.BuildBatchStatus != "" && b.BuildBatchStatus != cbtypes.StatusTypeInProgress:
			return nil, failed(types.FailureTypeJobFailed, "%s", batchFailure(b))
		}
		if err := pause(ctx, since, buildPause); err != nil {
			return nil, err
		}
	}
}

// batchInput is the batch of which in is one build. Artifacts that are not
// combined are called after the builds that make them, with their secondary
// ones: IDENTIFIER and IDENTIFIER_SECONDARY.
// https://docs.aws.amazon.com/codebuild/latest/userguide/sample-codepipeline.html
func (j *job) batchInput(in *codebuild.StartBuildInput) *codebuild.StartBuildBatchInput {
	batch := &codebuild.StartBuildBatchInput{
		ProjectName: in.ProjectName, IdempotencyToken: in.IdempotencyToken, SourceTypeOverride: in.SourceTypeOverride,
		SourceLocationOverride: in.SourceLocationOverride, SourceVersion: in.SourceVersion, SecondarySourcesOverride: in.SecondarySourcesOverride,
		ArtifactsOverride: in.ArtifactsOverride, SecondaryArtifactsOverride: in.SecondaryArtifactsOverride,
		EnvironmentVariablesOverride: in.EnvironmentVariablesOverride, EncryptionKeyOverride: in.EncryptionKeyOverride,
	}
	combine := j.isTrue("CombineArtifacts") || j.isTrue("BuildBatchCombineArtifacts")
	batch.BuildBatchConfigOverride = &cbtypes.ProjectBuildBatchConfig{CombineArtifacts: &combine}
	if !combine {
		batch.ArtifactsOverride, batch.SecondaryArtifactsOverride = noArtifacts(), artifactsByName(j.record.Outputs)
	}
	return batch
}

func batchFailure(b *cbtypes.BuildBatch) string {
	for _, p := range b.Phases {
		if hasFailed(p.PhaseStatus) {
			return terminated(b.BuildBatchStatus, string(p.PhaseType), p.Contexts)
		}
	}
	return terminated(b.BuildBatchStatus, "", nil)
}
