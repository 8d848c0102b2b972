package layer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	smithy "github.com/aws/smithy-go"

	"ouro/library"
	"ouro/stack"
)

// The stacks that all layers share, in the order in which they are made, and
// the templates that they are of.
const (
	ArtifactsStack = "ouro-layers-Artifacts"
	RolesStack     = "ouro-layers-Roles"
	FunctionsStack = "ouro-layers-Functions"
)

// PipelineStack is the stack with the pipeline of a layer.
func PipelineStack(name string) string { return "layer-" + name + "-Pipeline" }

// VersionsStack is the stack that publishes a layer's versions.
func VersionsStack(name string) string { return "layer-" + name + "-Versions" }

// PipelineName is the pipeline of a layer.
func PipelineName(name string) string { return "layer-" + name }

// RepositoryName is the repository with a layer's source.
func RepositoryName(name string) string { return "layer-" + name }

// ownTag is on all stacks of layers.
const ownTag = "ouro:layers"

// The parameters with which the stacks find each other.
const (
	bucketParameter        = Path + "_/bucket"
	pipelinesRoleParameter = Path + "_/role/pipelines"
)

// specOf is a stack of one of the library's templates.
func specOf(name, of string, parameters map[string]string) (stack.Spec, error) {
	t, err := library.Open(of)
	return stack.Spec{Name: name, Template: string(t.Body), Parameters: parameters, Tags: map[string]string{ownTag: "true"}}, err
}

// Spec is the stack of the pipeline. seed is where the zip with the first commit
// lies in the artifacts bucket; empty for a first commit with almost nothing.
func (p *Pipeline) Spec(seed string) (stack.Spec, error) {
	values := p.parameters()
	values["SeedKey"] = seed
	values["SeedFolder"] = Folder(p.Runtimes[0])
	return specOf(PipelineStack(p.Name), "layer/pipeline.yaml", values)
}

// Bucket is the artifacts bucket of all layers; empty if it is not there.
func Bucket(ctx context.Context, c *Clients) (string, error) {
	return c.parameter(ctx, bucketParameter)
}

func (c *Clients) parameter(ctx context.Context, name string) (string, error) {
	out, err := c.Parameters.GetParameter(ctx, &ssm.GetParameterInput{Name: &name})
	if none := (*ssmtypes.ParameterNotFound)(nil); errors.As(err, &none) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading parameter %q: %w", name, err)
	}
	return aws.ToString(out.Parameter.Value), nil
}

// Begin has the stack of the pipeline made or changed, and does not wait for
// that. What the stack has already, and the pipeline does not say, stays.
func (p *Pipeline) Begin(ctx context.Context, c *Clients) (changed bool, err error) {
	name := PipelineStack(p.Name)
	role, err := c.parameter(ctx, pipelinesRoleParameter)
	if err != nil {
		return false, err
	}
	if role == "" {
		return false, fmt.Errorf("there is no parameter %q: ouro layer up makes what all layers share", pipelinesRoleParameter)
	}
	there, err := stack.Describe(ctx, c.Stacks, name)
	if err != nil {
		return false, err
	}
	if there != nil && stack.InProgress(there.StackStatus) {
		return true, nil // begun before, or by somebody else; its end is waited for
	}
	spec, err := p.Spec("")
	if err != nil {
		return false, err
	}
	keep(spec.Parameters, there, p.Unsaid)
	in := &cloudformation.CreateStackInput{
		StackName: &name, TemplateBody: &spec.Template, RoleARN: &role, Capabilities: []types.Capability{types.CapabilityCapabilityIam},
	}
	for _, key := range slices.Sorted(maps.Keys(spec.Parameters)) {
		in.Parameters = append(in.Parameters, types.Parameter{ParameterKey: aws.String(key), ParameterValue: aws.String(spec.Parameters[key])})
	}
	for _, key := range slices.Sorted(maps.Keys(spec.Tags)) {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(key), Value: aws.String(spec.Tags[key])})
	}
	if there == nil || there.StackStatus == types.StackStatusReviewInProgress {
		if _, err := c.Stacks.CreateStack(ctx, in); err != nil {
			return false, fmt.Errorf("creating stack %q: %w", name, err)
		}
		return true, nil
	}
	_, err = c.Stacks.UpdateStack(ctx, &cloudformation.UpdateStackInput{
		StackName: in.StackName, TemplateBody: in.TemplateBody, RoleARN: in.RoleARN, Capabilities: in.Capabilities, Parameters: in.Parameters, Tags: in.Tags,
	})
	var api smithy.APIError
	if errors.As(err, &api) && strings.Contains(api.ErrorMessage(), "No updates are to be performed") {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("updating stack %q: %w", name, err)
	}
	return true, nil
}

// keep leaves the parameters as the stack has them that only matter when it is
// made, and those that were not said.
func keep(parameters map[string]string, there *types.Stack, unsaid []string) {
	if there == nil {
		return
	}
	for _, p := range there.Parameters {
		name := aws.ToString(p.ParameterKey)
		first := name == "SeedKey" || name == "SeedFolder"
		if first && !begins(there) || slices.Contains(unsaid, name) {
			parameters[name] = aws.ToString(p.ParameterValue)
		}
	}
}
