package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithy "github.com/aws/smithy-go"

	"ouro/stack"
	"ouro/template"
)

// Teardown is what Down deletes, in that order, and what it leaves.
type Teardown struct {
	Stacks     []StackRef
	Buckets    []string // of the pipeline's own stack, which are emptied before it
	Repository string   // CodeCommit's, if Up made it
	Secret     string   // if Up made it
	Left       []string // what the pipeline used, and is not Up's to delete
}

// Empty tells whether there is nothing to delete.
func (t *Teardown) Empty() bool {
	return len(t.Stacks) == 0 && t.Repository == "" && t.Secret == ""
}

// Teardown finds what Up made: the stacks that the pipeline deployed, the last
// one first, to go while the roles that deployed them are still there; the
// pipeline's own stack; the repository and the secret, if Up made them.
func (u *Up) Teardown(ctx context.Context) (*Teardown, error) {
	if err := u.findPipeline(ctx); err != nil {
		return nil, err
	}
	t, own := &Teardown{}, StackRef{Name: u.Project.StackName()}
	if u.Pipeline != "" {
		stacks, err := DeployedStacks(ctx, u.Clients, u.Pipeline)
		if err != nil {
			return nil, err
		}
		for _, ref := range slices.Backward(stacks) {
			if ref == own {
				continue
			}
			if s, err := stack.Describe(ctx, u.Clients.in(ref.Region).Stacks, ref.Name); err != nil {
				return nil, err
			} else if s != nil {
				t.Stacks = append(t.Stacks, ref)
			}
		}
	}
	s, err := stack.Describe(ctx, u.Clients.Stacks, own.Name)
	if err != nil {
		return nil, err
	}
	if s != nil {
		t.Stacks = append(t.Stacks, own)
		if t.Buckets, err = u.buckets(ctx, own.Name); err != nil {
			return nil, err
		}
	}
	return t, u.teardownSource(ctx, t)
}

// teardownSource tells what becomes of what the source is made of.
func (u *Up) teardownSource(ctx context.Context, t *Teardown) error {
	source := u.Facts.Source
	repository, err := u.findRepository(ctx)
	if err != nil {
		return err
	}
	secret, err := u.findSecret(ctx)
	if err != nil {
		return err
	}
	switch {
	case repository.ours:
		t.Repository = source.Repository
	case repository.there:
		t.Left = append(t.Left, "repository "+source.Repository)
	case source.Provider == zipInS3:
		t.Left = append(t.Left, "bucket "+source.Repository)
	case source.Connection != "" && !strings.Contains(source.Connection, unknown):
		t.Left = append(t.Left, "connection "+source.Connection)
	}
	if secret != nil && secret.there && !secret.deleted {
		if secret.ours {
			t.Secret = secret.name
		} else {
			t.Left = append(t.Left, "secret "+secret.name)
		}
	}
	return nil
}

// Down deletes what Teardown found. deleted are the names of what is gone now,
// even when there is an error; calling both again goes on from there.
func (u *Up) Down(ctx context.Context, t *Teardown) (deleted []string, err error) {
	if u.Pipeline != "" {
		if err := u.stop(ctx); err != nil {
			return nil, err
		}
	}
	for _, ref := range t.Stacks {
		u.Observer.Step("Stack " + ref.String())
		if ref.Name == u.Project.StackName() {
			if err := u.empty(ctx, t.Buckets); err != nil {
				return deleted, err
			}
		}
		if err := stack.Delete(ctx, u.Clients.in(ref.Region).Stacks, ref.Name, u.Observer.StackEvent); err != nil {
			return deleted, err
		}
		deleted = append(deleted, "stack "+ref.String())
	}
	if name := t.Repository; name != "" {
		if _, err := u.Clients.Repos.DeleteRepository(ctx, &codecommit.DeleteRepositoryInput{RepositoryName: &name}); err != nil {
			return deleted, fmt.Errorf("deleting repository %q: %w", name, err)
		}
		deleted = append(deleted, "repository "+name)
	}
	if t.Secret != "" {
		if err := u.deleteSecret(ctx, t.Secret); err != nil {
			return deleted, err
		}
		deleted = append(deleted, "secret "+t.Secret)
	}
	return deleted, nil
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

// buckets are the buckets that go with a stack. CloudFormation deletes them
// only when they are empty; those that the template retains it leaves alone.
func (u *Up) buckets(ctx context.Context, name string) ([]string, error) {
	resources, err := stack.Resources(ctx, u.Clients.Stacks, name)
	if err != nil {
		return nil, err
	}
	found := map[string]string{} // logical id → bucket
	for _, r := range resources {
		if aws.ToString(r.ResourceType) == "AWS::S3::Bucket" {
			found[aws.ToString(r.LogicalResourceId)] = aws.ToString(r.PhysicalResourceId)
		}
	}
	if len(found) == 0 {
		return nil, nil // and perhaps no template either: a stack in review has none
	}
	// What the stack retains is told by its own template, not by the project's.
	deployed, err := u.Clients.Stacks.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &name, TemplateStage: cfntypes.TemplateStageProcessed})
	if err != nil {
		return nil, fmt.Errorf("reading the template of stack %q: %w", name, err)
	}
	t, err := template.Parse(u.Project.TemplateFile, []byte(aws.ToString(deployed.TemplateBody)))
	if err != nil {
		return nil, fmt.Errorf("reading the template of stack %q: %w", name, err)
	}
	for id := range found {
		if r, ok := t.Resource(id); ok && strings.HasPrefix(r.DeletionPolicy.Scalar(), "Retain") {
			delete(found, id)
		}
	}
	return slices.Sorted(maps.Values(found)), nil
}

func (u *Up) empty(ctx context.Context, buckets []string) error {
	for _, name := range buckets {
		if err := EmptyBucket(ctx, u.Clients.Buckets, name); err != nil {
			return err
		}
	}
	return nil
}

// EmptyBucket deletes all versions and delete markers of a bucket. One that is
// not there is empty.
func EmptyBucket(ctx context.Context, api *s3.Client, bucket string) error {
	if err := emptyBucket(ctx, api, bucket); err != nil {
		return fmt.Errorf("emptying bucket %q: %w", bucket, err)
	}
	return nil
}

// DeleteObject deletes all versions and delete markers of one object.
func DeleteObject(ctx context.Context, api *s3.Client, bucket, key string) error {
	pages := s3.NewListObjectVersionsPaginator(api, &s3.ListObjectVersionsInput{Bucket: &bucket, Prefix: &key})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("listing the versions of %q in bucket %q: %w", key, bucket, err)
		}
		for _, id := range versionsOf(page) {
			if aws.ToString(id.Key) != key {
				continue
			}
			if _, err := api.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: id.Key, VersionId: id.VersionId}); err != nil {
				return fmt.Errorf("deleting %q in bucket %q: %w", key, bucket, err)
			}
		}
	}
	return nil
}

// versionsOf are the versions and delete markers of a page.
func versionsOf(page *s3.ListObjectVersionsOutput) []s3types.ObjectIdentifier {
	var ids []s3types.ObjectIdentifier
	for _, v := range page.Versions {
		ids = append(ids, s3types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
	}
	for _, m := range page.DeleteMarkers {
		ids = append(ids, s3types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
	}
	return ids
}

// emptyBucket works a page at a time. Each page is asked for from the start:
// the place where the last one ended is gone with it.
func emptyBucket(ctx context.Context, api *s3.Client, bucket string) error {
	for {
		page, err := api.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &bucket})
		// This operation's model has no type for the error.
		if api := smithy.APIError(nil); errors.As(err, &api) && api.ErrorCode() == "NoSuchBucket" {
			return nil
		}
		if err != nil {
			return err
		}
		ids := versionsOf(page)
		if len(ids) == 0 {
			return nil
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
}
