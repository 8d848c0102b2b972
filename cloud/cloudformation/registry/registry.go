// Package registry is the part of CloudFormation's registry that one can read
// in every account: the types of AWS itself, as package spec knows them. Types
// of one's own, modules and hooks cannot be registered on the local cloud.
package registry

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/door"
	"ouro/cloud/wire"
	"ouro/spec"
)

// Registry are the operations. CloudFormation's service embeds it.
type Registry struct{}

func invalid(format string, a ...any) error {
	return &wire.Error{Code: "ValidationError", Message: fmt.Sprintf(format, a...), Status: 400}
}

// typeARN is the ARN of one of AWS's types, which belong to no account.
func typeARN(c door.Caller, name string) string {
	return "arn:" + c.Partition() + ":cloudformation:" + c.Region + "::type/resource/" + strings.ReplaceAll(name, "::", "-")
}

// DescribeType describes a resource type with its schema. The schema holds the
// facts that package spec has: no documentation, and no permissions of handlers.
func (*Registry) DescribeType(ctx context.Context, in *cloudformation.DescribeTypeInput) (*cloudformation.DescribeTypeOutput, error) {
	caller, name := door.CallerFrom(ctx), aws.ToString(in.TypeName)
	if arn := aws.ToString(in.Arn); arn != "" {
		_, name, _ = strings.Cut(arn, ":type/resource/")
		name = strings.ReplaceAll(name, "-", "::")
	} else if in.Type == "" || name == "" {
		return nil, invalid("Either Arn or both Type and TypeName must be specified")
	}
	t, ok := spec.Lookup(name)
	if !ok || t.Transform != "" || in.Type != "" && in.Type != types.RegistryTypeResource {
		return nil, &types.TypeNotFoundException{Message: aws.String(fmt.Sprintf("The type '%s' cannot be found.", name))}
	}
	schema, err := schemaOf(t)
	if err != nil {
		return nil, fmt.Errorf("writing the schema of %s: %w", name, err)
	}
	return &cloudformation.DescribeTypeOutput{
		Arn: aws.String(typeARN(caller, t.Name)), TypeName: &t.Name, Type: types.RegistryTypeResource, Schema: &schema,
		Visibility: types.VisibilityPublic, DeprecatedStatus: types.DeprecatedStatusLive, ProvisioningType: provisioning(t),
		IsActivated: aws.Bool(true),
	}, nil
}

// provisioning tells whether a type can be made and changed.
func provisioning(t *spec.Type) types.ProvisioningType {
	switch {
	case len(t.Identifier) == 0:
		return types.ProvisioningTypeNonProvisionable
	case len(t.Properties) > 0 && !slices.ContainsFunc(t.Properties, func(p spec.Property) bool { return p.Replace != spec.ReplaceAlways }):
		return types.ProvisioningTypeImmutable
	}
	return types.ProvisioningTypeFullyMutable
}

// maxPage is how many types an answer holds at most.
const maxPage = 100

// ListTypes lists types. Without a visibility these are the account's own, of
// which there are none.
func (*Registry) ListTypes(ctx context.Context, in *cloudformation.ListTypesInput) (*cloudformation.ListTypesOutput, error) {
	out := &cloudformation.ListTypesOutput{TypeSummaries: []types.TypeSummary{}}
	filters := types.TypeFilters{}
	if in.Filters != nil {
		filters = *in.Filters
	}
	switch {
	case in.Visibility != types.VisibilityPublic, in.Type != "" && in.Type != types.RegistryTypeResource, in.DeprecatedStatus == types.DeprecatedStatusDeprecated,
		filters.Category == types.CategoryThirdParty, filters.Category == types.CategoryRegistered, aws.ToString(filters.PublisherId) != "":
		return out, nil
	}
	start, size := 0, maxPage
	if in.NextToken != nil {
		n, err := strconv.Atoi(*in.NextToken)
		if err != nil || n < 0 {
			return nil, invalid("The specified nextToken is invalid")
		}
		start = n
	}
	if n := int(aws.ToInt32(in.MaxResults)); n > 0 {
		size = min(n, maxPage)
	}
	caller := door.CallerFrom(ctx)
	for i, name := range spec.Names() {
		if i < start || !strings.HasPrefix(name, aws.ToString(filters.TypeNamePrefix)) {
			continue
		}
		t, _ := spec.Lookup(name)
		if t.Transform != "" || in.ProvisioningType != "" && provisioning(t) != in.ProvisioningType {
			continue
		}
		if len(out.TypeSummaries) == size {
			out.NextToken = aws.String(strconv.Itoa(i))
			break
		}
		out.TypeSummaries = append(out.TypeSummaries, types.TypeSummary{
			Type: types.RegistryTypeResource, TypeName: &name, TypeArn: aws.String(typeARN(caller, name)), IsActivated: aws.Bool(true),
		})
	}
	return out, nil
}
