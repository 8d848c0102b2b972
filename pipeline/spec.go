package pipeline

import (
	"context"
	"errors"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/publish"
	"ouro/stack"
)

// maxBody is the largest template that CloudFormation takes as it is; a larger
// one it takes from a bucket.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const maxBody = 51_200

// spec is what the pipeline's own stack should be. done takes away what was
// made to hand the template over, once CloudFormation is through with it.
func (u *Up) spec(ctx context.Context) (spec stack.Spec, done func() error, err error) {
	p := u.Project
	spec = stack.Spec{Name: p.StackName(), Template: string(p.Body), Parameters: p.Config.Parameters, Tags: p.Config.Tags}
	if spec.Parameters, err = u.parameters(ctx); err != nil {
		return spec, nil, err
	}
	if len(p.Body) <= maxBody {
		return spec, func() error { return nil }, nil
	}
	there, err := u.physical(ctx, spec.Name)
	if err != nil {
		return spec, nil, err
	}
	bucket, done, err := u.stage(ctx, there(u.Facts.Bucket))
	if err != nil {
		return spec, nil, err
	}
	if spec.TemplateURL, err = u.publishOwn(ctx, bucket); err != nil {
		return spec, nil, errors.Join(err, done())
	}
	spec.Template = ""
	return spec, done, nil
}

// parameters are the configuration's, and the one that is Up's own: where the
// builds find this program. Where Up brings none, that stays as it is.
func (u *Up) parameters(ctx context.Context) (map[string]string, error) {
	given := u.Project.Config.Parameters
	if !u.Project.TakesBinary() || given[binaryParameter] != "" {
		return given, nil
	}
	key := u.binaryKey()
	if key == "" {
		s, err := stack.Describe(ctx, u.Clients.Stacks, u.Project.StackName())
		if err != nil || s == nil {
			return given, err
		}
		for _, parameter := range s.Parameters {
			if aws.ToString(parameter.ParameterKey) == binaryParameter {
				key = aws.ToString(parameter.ParameterValue)
			}
		}
	}
	all := maps.Clone(given)
	if key != "" {
		all[binaryParameter] = key
	}
	return all, nil
}

// publishOwn puts the pipeline's template into a bucket, and gives its URL.
func (u *Up) publishOwn(ctx context.Context, bucket string) (string, error) {
	tree, err := publish.Load(ctx, u.Project.Dir, u.Project.TemplateFile, publish.Options{Program: FunctionProgram("")})
	if err != nil {
		return "", err
	}
	laid, err := tree.Plan(publish.LocationOf(u.Clients.Buckets.Options(), bucket))
	if err != nil {
		return "", err
	}
	_, err = publish.Upload(ctx, u.Clients.Buckets, laid, publish.UploadOptions{Entrypoint: true})
	return laid.Entrypoint.URL, err
}

// previewOwn previews the pipeline's own stack.
func (u *Up) previewOwn(ctx context.Context) (*stack.Changes, error) {
	spec, done, err := u.spec(ctx)
	if err != nil {
		return nil, err
	}
	changes, err := stack.Preview(ctx, u.Clients.Stacks, spec)
	return changes, errors.Join(err, done())
}
