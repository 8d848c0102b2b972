package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/uuid"

	"ouro/publish"
	"ouro/stack"
)

// Plan tells what a push would change: in the pipeline's own stack, and in
// every stack that the pipeline deploys. It asks CloudFormation, by change sets
// that are deleted again, with the templates published as the build would
// publish them: to the pipeline's bucket, where they keep their keys, or, while
// there is none, to one that lives as long as Plan. asking is told of each
// stack before CloudFormation is asked.
func (u *Up) Plan(ctx context.Context, asking func(stack string)) (plan []*stack.Changes, err error) {
	own := u.Project.StackName()
	asking(own)
	changes, err := u.previewOwn(ctx)
	if err != nil {
		return nil, err
	}
	plan = append(plan, changes)
	if len(u.Facts.Deploys) == 0 {
		return plan, nil
	}
	there, err := u.physical(ctx, own)
	if err != nil {
		return nil, err
	}
	bucket, done, err := u.stage(ctx, there(u.Facts.Bucket))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	seen := map[string]bool{own: true}
	for _, d := range u.Facts.Deploys {
		name := there(d.Stack)
		if name == "" || there(d.Template) == "" {
			return nil, fmt.Errorf("%s: the stack and the template that the pipeline deploys are known only once the pipeline's stack is there", u.Project.TemplateFile)
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		asking(name)
		if changes, err = u.previewDeploy(ctx, name, d, bucket, there); err != nil {
			return nil, err
		}
		plan = append(plan, changes)
	}
	return plan, nil
}

// previewDeploy previews the stack of one action. there is physical's: what is
// not there yet has its name in the template for a value.
func (u *Up) previewDeploy(ctx context.Context, name string, d Deploy, bucket string, there func(string) string) (*stack.Changes, error) {
	file := d.Template
	if _, err := os.Stat(filepath.Join(u.Project.Dir, filepath.FromSlash(file))); err != nil {
		file = u.Facts.Entrypoint // what the build makes of it
	}
	var config Config
	var err error
	if d.Config != "" {
		if config, err = readConfig(u.Project.Dir, d.Config); err != nil {
			return nil, err
		}
	}
	tree, err := publish.Load(ctx, u.Project.Dir, file, publish.Options{Program: FunctionProgram("")})
	if err != nil {
		return nil, err
	}
	laid, err := tree.Plan(publish.LocationOf(u.Clients.Buckets.Options(), bucket))
	if err != nil {
		return nil, err
	}
	if _, err := publish.Upload(ctx, u.Clients.Buckets, laid, publish.UploadOptions{Entrypoint: true}); err != nil {
		return nil, err
	}
	parameters := maps.Clone(config.Parameters)
	for key, value := range d.Overrides {
		text, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("the value of parameter %q of stack %q comes from an artifact, and is known only when the pipeline runs", key, name)
		}
		if parameters == nil {
			parameters = map[string]string{}
		}
		parameters[key] = cmp.Or(there(text), strings.ReplaceAll(text, unknown, ""))
	}
	return stack.Preview(ctx, u.Clients.Stacks, stack.Spec{Name: name, TemplateURL: laid.Entrypoint.URL, Parameters: parameters, Tags: config.Tags})
}

// physical gives a function that replaces what stands for a resource of the
// stack by its physical id. It answers "" for what is not there yet.
func (u *Up) physical(ctx context.Context, name string) (func(string) string, error) {
	resources, err := stack.Resources(ctx, u.Clients.Stacks, name)
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for _, r := range resources {
		ids[aws.ToString(r.LogicalResourceId)] = aws.ToString(r.PhysicalResourceId)
	}
	return func(text string) string {
		if id, ok := strings.CutPrefix(text, unknown); ok {
			return ids[id]
		}
		if strings.Contains(text, unknown) {
			return ""
		}
		return text
	}, nil
}

// stage is the bucket to publish to: the given one if it is there, else a new
// one. done takes that away again.
func (u *Up) stage(ctx context.Context, bucket string) (name string, done func() error, err error) {
	kept := func() error { return nil }
	if bucket != "" {
		_, err := u.Clients.Buckets.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket})
		if none := (*s3types.NotFound)(nil); err == nil || !errors.As(err, &none) {
			return bucket, kept, err
		}
	}
	name = "ouro-plan-" + uuid.NewString()
	in := &s3.CreateBucketInput{Bucket: &name}
	// us-east-1 is the one region that must not be named
	// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html).
	if region := u.Clients.Region; region != "us-east-1" {
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(region)}
	}
	if _, err := u.Clients.Buckets.CreateBucket(ctx, in); err != nil {
		return "", nil, fmt.Errorf("making a bucket to plan with: %w", err)
	}
	return name, func() error {
		ctx := context.WithoutCancel(ctx)
		err := emptyBucket(ctx, u.Clients.Buckets, name)
		if err == nil {
			_, err = u.Clients.Buckets.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name})
		}
		if err != nil {
			return fmt.Errorf("deleting bucket %q, which was made to plan with: %w", name, err)
		}
		return nil
	}, nil
}

// Empty tells whether a plan has nothing to do.
func Empty(plan []*stack.Changes) bool {
	return !slices.ContainsFunc(plan, func(c *stack.Changes) bool { return !c.Empty() })
}
