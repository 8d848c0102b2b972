package resource

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

func parameterKind() *Kind {
	return &Kind{
		Type: "AWS::SSM::Parameter", NameProperty: "Name", Naming: &Naming{Max: 1011, Prefix: "CFN"},
		Replace: []string{"Name"},
		Create:  createParameter, Update: updateParameter,
		Delete: func(ctx context.Context, r *Request) error {
			_, err := Client(r.Clients, ssm.NewFromConfig).DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: &r.Physical})
			return gone(err)
		},
	}
}

func parameterInput(r *Request) (*ssm.PutParameterInput, error) {
	in := &ssm.PutParameterInput{}
	if err := Bind(r.Properties, in, "Tags"); err != nil {
		return nil, err
	}
	in.Name = aws.String(r.Name)
	return in, nil
}

func createParameter(ctx context.Context, r *Request) (Result, error) {
	in, err := parameterInput(r)
	if err != nil {
		return Result{}, err
	}
	in.Overwrite = aws.Bool(false)
	in.Tags = parameterTags(r.allTags())
	if _, err = Client(r.Clients, ssm.NewFromConfig).PutParameter(ctx, in); err != nil && !(r.Retry && IsExists(err)) {
		return Result{}, err
	}
	return parameterResult(r), nil
}

func updateParameter(ctx context.Context, r *Request) (Result, error) {
	in, err := parameterInput(r)
	if err != nil {
		return Result{}, err
	}
	client := Client(r.Clients, ssm.NewFromConfig)
	in.Name, in.Overwrite = aws.String(r.Physical), aws.Bool(true)
	Clear(in, r.Former, r.Properties, "Tags", "Name", "Policies")
	if sameBut(r.Former, r.Properties, "Tags") {
		in = nil
	}
	if in != nil {
		if _, err := client.PutParameter(ctx, in); err != nil {
			return Result{}, err
		}
	}
	set, drop := r.tagChanges()
	if len(drop) > 0 {
		if _, err := client.RemoveTagsFromResource(ctx, &ssm.RemoveTagsFromResourceInput{
			ResourceType: types.ResourceTypeForTaggingParameter, ResourceId: &r.Physical, TagKeys: drop}); err != nil {
			return Result{}, err
		}
	}
	if len(set) > 0 {
		if _, err := client.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{
			ResourceType: types.ResourceTypeForTaggingParameter, ResourceId: &r.Physical, Tags: parameterTags(set)}); err != nil {
			return Result{}, err
		}
	}
	return parameterResult(r), nil
}

func parameterTags(tags map[string]string) []types.Tag {
	return tagList(tags, func(k, v *string) types.Tag { return types.Tag{Key: k, Value: v} })
}

func parameterResult(r *Request) Result {
	return Result{Physical: r.Name, Attributes: map[string]any{"Type": r.Text("Type"), "Value": r.Text("Value")}}
}

// sameBut tells whether two sets of properties are the same apart from some.
func sameBut(a, b map[string]any, except ...string) bool {
	trim := func(m map[string]any) string {
		m = maps.Clone(m)
		maps.DeleteFunc(m, func(k string, _ any) bool { return slices.Contains(except, k) })
		return document(m)
	}
	return trim(a) == trim(b)
}
