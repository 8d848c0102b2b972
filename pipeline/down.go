package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/stack"
)

// Down deletes what Up made: first the stacks that the pipeline deployed, the
// last one first, while the roles that deployed them are still there; then the
// pipeline's own stack, after its buckets were emptied; then the repository,
// if Up made it. deleted are the names of what is gone now.
func (u *Up) Down(ctx context.Context) (deleted []string, err error) {
	if err := u.findPipeline(ctx); err != nil {
		return nil, err
	}
	own := u.Project.StackName()
	if u.Pipeline != "" {
		if err := u.stop(ctx); err != nil {
			return nil, err
		}
		stacks, err := DeployedStacks(ctx, u.Clients, u.Pipeline)
		if err != nil {
			return nil, err
		}
		for _, name := range slices.Backward(stacks) {
			if name == own {
				continue
			}
			if deleted, err = u.deleteStack(ctx, name, deleted); err != nil {
				return deleted, err
			}
		}
	}
	if err := u.emptyBuckets(ctx, own); err != nil {
		return deleted, err
	}
	if deleted, err = u.deleteStack(ctx, own, deleted); err != nil {
		return deleted, err
	}
	return u.deleteRepository(ctx, deleted)
}

func (u *Up) deleteStack(ctx context.Context, name string, deleted []string) ([]string, error) {
	s, err := stack.Describe(ctx, u.Clients.Stacks, name)
	if err != nil || s == nil {
		return deleted, err
	}
	u.Observer.Step("Stack " + name)
	if err := stack.Delete(ctx, u.Clients.Stacks, name, u.Observer.StackEvent); err != nil {
		return deleted, err
	}
	return append(deleted, "stack "+name), nil
}

// stop abandons the executions that are under way, so that none deploys what
// is being deleted.
func (u *Up) stop(ctx context.Context) error {
	out, err := u.Clients.Pipelines.ListPipelineExecutions(ctx, &codepipeline.ListPipelineExecutionsInput{PipelineName: &u.Pipeline})
	if err != nil {
		return fmt.Errorf("listing the executions of pipeline %q: %w", u.Pipeline, err)
	}
	for _, e := range out.PipelineExecutionSummaries {
		if e.Status != types.PipelineExecutionStatusInProgress {
			continue
		}
		_, err := u.Clients.Pipelines.StopPipelineExecution(ctx, &codepipeline.StopPipelineExecutionInput{
			PipelineName: &u.Pipeline, PipelineExecutionId: e.PipelineExecutionId, Abandon: true, Reason: aws.String("the pipeline is being deleted"),
		})
		if gone := (*types.PipelineExecutionNotStoppableException)(nil); err != nil && !errors.As(err, &gone) {
			return fmt.Errorf("stopping execution %s of pipeline %q: %w", aws.ToString(e.PipelineExecutionId), u.Pipeline, err)
		}
	}
	return nil
}

// emptyBuckets empties the buckets of a stack, which CloudFormation deletes
// only when they are empty.
func (u *Up) emptyBuckets(ctx context.Context, name string) error {
	s, err := stack.Describe(ctx, u.Clients.Stacks, name)
	if err != nil || s == nil {
		return err
	}
	out, err := u.Clients.Stacks.DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{StackName: s.StackId})
	if err != nil {
		return fmt.Errorf("looking for the buckets of stack %q: %w", name, err)
	}
	for _, r := range out.StackResources {
		if aws.ToString(r.ResourceType) != "AWS::S3::Bucket" || r.ResourceStatus == "DELETE_COMPLETE" || r.PhysicalResourceId == nil {
			continue
		}
		if err := emptyBucket(ctx, u.Clients.Buckets, *r.PhysicalResourceId); err != nil {
			return fmt.Errorf("emptying bucket %q: %w", *r.PhysicalResourceId, err)
		}
	}
	return nil
}

// emptyBucket deletes all versions and delete markers, a page at a time.
func emptyBucket(ctx context.Context, api *s3.Client, bucket string) error {
	pages := s3.NewListObjectVersionsPaginator(api, &s3.ListObjectVersionsInput{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			if none := (*s3types.NoSuchBucket)(nil); errors.As(err, &none) {
				return nil
			}
			return err
		}
		var ids []s3types.ObjectIdentifier
		for _, v := range page.Versions {
			ids = append(ids, s3types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			ids = append(ids, s3types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		if len(ids) == 0 {
			continue
		}
		out, err := api.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &bucket, Delete: &s3types.Delete{Objects: ids, Quiet: aws.Bool(true)}})
		if err != nil {
			return err
		}
		if len(out.Errors) > 0 {
			e := out.Errors[0]
			return fmt.Errorf("deleting %q: %s: %s", aws.ToString(e.Key), aws.ToString(e.Code), aws.ToString(e.Message))
		}
	}
	return nil
}

// deleteRepository deletes the repository if Up made it for this project.
func (u *Up) deleteRepository(ctx context.Context, deleted []string) ([]string, error) {
	name := u.Facts.Repository
	if u.Facts.Owned || name == "" {
		return deleted, nil
	}
	repo, err := u.Clients.Repos.GetRepository(ctx, &codecommit.GetRepositoryInput{RepositoryName: &name})
	if none := (*cctypes.RepositoryDoesNotExistException)(nil); errors.As(err, &none) {
		return deleted, nil
	}
	if err != nil {
		return deleted, fmt.Errorf("looking up repository %q: %w", name, err)
	}
	tags, err := u.Clients.Repos.ListTagsForResource(ctx, &codecommit.ListTagsForResourceInput{ResourceArn: repo.RepositoryMetadata.Arn})
	if err != nil {
		return deleted, fmt.Errorf("reading the tags of repository %q: %w", name, err)
	}
	if tags.Tags[madeBy] != u.Project.Name {
		return deleted, nil
	}
	if _, err := u.Clients.Repos.DeleteRepository(ctx, &codecommit.DeleteRepositoryInput{RepositoryName: &name}); err != nil {
		return deleted, fmt.Errorf("deleting repository %q: %w", name, err)
	}
	return append(deleted, "repository "+name), nil
}
