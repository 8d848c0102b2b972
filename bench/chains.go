package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/uuid"
)

// chains makes pipelines of many stages that do next to nothing.
type chains struct {
	pipelines    *codepipeline.Client
	objects      *s3.Client
	bucket, role string
}

const objectKey = "source.txt"

const trustPipelines = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "codepipeline.amazonaws.com"}, "Action": "sts:AssumeRole"}]}`

func newChains(ctx context.Context, cloud *local) (*chains, error) {
	cfg, name := cloud.config(), "bench-"+uuid.NewString()
	buckets := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	c := &chains{pipelines: codepipeline.NewFromConfig(cfg), objects: buckets, bucket: name}
	role, err := iam.NewFromConfig(cfg).CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(trustPipelines)})
	if err != nil {
		return nil, err
	}
	c.role = *role.Role.Arn
	_, err = buckets.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name})
	if err == nil {
		_, err = buckets.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
			Bucket: &name, VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
		})
	}
	if err == nil {
		_, err = buckets.PutObject(ctx, &s3.PutObjectInput{Bucket: &name, Key: aws.String(objectKey), Body: strings.NewReader("a small file\n")})
	}
	return c, err
}

// create makes a pipeline with a source and so many stages.
func (c *chains) create(ctx context.Context, name string, stages int) error {
	def := &types.PipelineDeclaration{
		Name: &name, RoleArn: &c.role, PipelineType: types.PipelineTypeV2,
		ArtifactStore: &types.ArtifactStore{Type: types.ArtifactStoreTypeS3, Location: &c.bucket},
		Stages: []types.StageDeclaration{stageOf("Source", types.ActionDeclaration{
			ActionTypeId:    &types.ActionTypeId{Category: types.ActionCategorySource, Owner: types.ActionOwnerAws, Provider: aws.String("S3"), Version: aws.String("1")},
			Configuration:   map[string]string{"S3Bucket": c.bucket, "S3ObjectKey": objectKey, "PollForSourceChanges": "false"},
			OutputArtifacts: []types.OutputArtifact{{Name: aws.String("Source")}},
		})},
	}
	for i := range stages {
		def.Stages = append(def.Stages, stageOf(fmt.Sprintf("Deploy%02d", i), types.ActionDeclaration{
			ActionTypeId:   &types.ActionTypeId{Category: types.ActionCategoryDeploy, Owner: types.ActionOwnerAws, Provider: aws.String("S3"), Version: aws.String("1")},
			Configuration:  map[string]string{"BucketName": c.bucket, "Extract": "false", "ObjectKey": fmt.Sprintf("%s/%d", name, i)},
			InputArtifacts: []types.InputArtifact{{Name: aws.String("Source")}},
		}))
	}
	_, err := c.pipelines.CreatePipeline(ctx, &codepipeline.CreatePipelineInput{Pipeline: def})
	if err == nil {
		_, err = c.end(ctx, name) // creation starts it
	}
	return err
}

// copies copies the source so many times, as the actions do.
func (c *chains) copies(ctx context.Context, n int) ([]time.Duration, error) {
	took := make([]time.Duration, n)
	for i := range took {
		start := time.Now()
		_, err := c.objects.CopyObject(ctx, &s3.CopyObjectInput{
			Bucket: &c.bucket, Key: aws.String(fmt.Sprintf("copy/%d", i%chainStages)), CopySource: aws.String(c.bucket + "/" + objectKey),
		})
		if err != nil {
			return nil, fmt.Errorf("copying: %w", err)
		}
		took[i] = time.Since(start)
	}
	return took, nil
}

func stageOf(name string, action types.ActionDeclaration) types.StageDeclaration {
	action.Name = &name
	return types.StageDeclaration{Name: &name, Actions: []types.ActionDeclaration{action}}
}

// run runs a pipeline once. It gives how long that took, and the actions in the
// order in which they ran.
func (c *chains) run(ctx context.Context, name string) (time.Duration, []types.ActionExecutionDetail, error) {
	start := time.Now()
	if _, err := c.pipelines.StartPipelineExecution(ctx, &codepipeline.StartPipelineExecutionInput{Name: &name}); err != nil {
		return 0, nil, err
	}
	id, err := c.end(ctx, name)
	if err != nil {
		return 0, nil, err
	}
	took := time.Since(start)
	var actions []types.ActionExecutionDetail
	pages := codepipeline.NewListActionExecutionsPaginator(c.pipelines, &codepipeline.ListActionExecutionsInput{
		PipelineName: &name, Filter: &types.ActionExecutionFilter{PipelineExecutionId: &id},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, nil, err
		}
		actions = append(actions, page.ActionExecutionDetails...)
	}
	slices.Reverse(actions) // they come newest first
	return took, actions, nil
}

// end waits for the end of the newest execution, which has to be a success.
func (c *chains) end(ctx context.Context, name string) (id string, err error) {
	err = poll(ctx, 2*time.Millisecond, time.Minute, func(ctx context.Context) (bool, error) {
		out, err := c.pipelines.ListPipelineExecutions(ctx, &codepipeline.ListPipelineExecutionsInput{PipelineName: &name, MaxResults: aws.Int32(1)})
		if err != nil || len(out.PipelineExecutionSummaries) == 0 {
			return false, err
		}
		e := out.PipelineExecutionSummaries[0]
		id = aws.ToString(e.PipelineExecutionId)
		switch e.Status {
		case types.PipelineExecutionStatusSucceeded:
			return true, nil
		case types.PipelineExecutionStatusInProgress:
			return false, nil
		}
		return false, errors.New("it ended as " + string(e.Status))
	})
	if err != nil {
		return "", fmt.Errorf("waiting for the execution of pipeline %q: %w", name, err)
	}
	return id, nil
}
