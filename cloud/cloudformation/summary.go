package cloudformation

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
	"ouro/template"
)

// GetTemplateSummary tells what a template, or the one of a stack, asks for
// and contains.
func (s *Service) GetTemplateSummary(ctx context.Context, in *cloudformation.GetTemplateSummaryInput) (*cloudformation.GetTemplateSummaryOutput, error) {
	from, stack, err := s.summarized(ctx, in)
	if err != nil {
		return nil, err
	}
	body, err := s.text(ctx, from, stack)
	if err != nil {
		return nil, err
	}
	t, unknown, err := s.parseForSummary(body, in.TemplateSummaryConfig)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.GetTemplateSummaryOutput{Description: text(t.Description()), Version: text(t.Root.Get("AWSTemplateFormatVersion").Scalar()),
		Parameters: []types.ParameterDeclaration{}, DeclaredTransforms: t.Transforms()}
	if m := t.Root.Get("Metadata"); m != nil {
		out.Metadata = aws.String(string(template.Canonical(m)))
	}
	out.Capabilities, out.CapabilitiesReason = capabilitiesOf(s.engine, t)
	for _, p := range t.Parameters() {
		out.Parameters = append(out.Parameters, types.ParameterDeclaration{ParameterKey: aws.String(p.Name), ParameterType: aws.String(p.Type),
			DefaultValue: p.Default, Description: text(p.Description), NoEcho: aws.Bool(p.NoEcho), ParameterConstraints: &types.ParameterConstraints{AllowedValues: p.AllowedValues}})
	}
	out.ResourceTypes, out.ResourceIdentifierSummaries = typesOf(t)
	if len(unknown) > 0 {
		out.Warnings = &types.Warnings{UnrecognizedResourceTypes: unknown}
	}
	return out, nil
}

// summarized is which template is meant.
func (s *Service) summarized(ctx context.Context, in *cloudformation.GetTemplateSummaryInput) (source, *ledger.Stack, error) {
	given := 0
	for _, p := range []*string{in.StackName, in.TemplateBody, in.TemplateURL, in.StackSetName} {
		if p != nil {
			given++
		}
	}
	switch {
	case in.StackSetName != nil && given == 1:
		set, err := s.DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{StackSetName: in.StackSetName, CallAs: in.CallAs})
		if err != nil {
			return source{}, nil, err
		}
		return source{body: set.StackSet.TemplateBody}, nil, nil
	case given != 1:
		return source{}, nil, invalid("Exactly one of StackName, TemplateBody, TemplateURL, and StackSetName must be specified.")
	case in.StackName == nil:
		return source{body: in.TemplateBody, url: in.TemplateURL}, nil, nil
	}
	stack, err := s.find(ctx, in.StackName, noStackWithID)
	if err == nil && stack.Status == types.StackStatusReviewInProgress {
		err = invalid("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.")
	}
	return source{previous: true}, &stack, err
}

// parseForSummary is parse, but types that nobody registered may be told of
// instead of being refused.
func (s *Service) parseForSummary(body string, config *types.TemplateSummaryConfig) (*template.Template, []string, error) {
	if config == nil || !aws.ToBool(config.TreatUnrecognizedResourceTypesAsWarnings) {
		t, err := s.parse(body)
		return t, nil, err
	}
	t, err := template.Parse("", []byte(body))
	if err != nil {
		t, err := s.parse(body) // which says it in AWS's words
		return t, nil, err
	}
	if err := t.Validate(); err != nil {
		return nil, nil, invalid("%s", err)
	}
	unknown, err := s.unknownTypes(t)
	return t, unknown, err
}

// typesOf are the types of a template's resources, and how resources of each
// are named for an import.
func typesOf(t *template.Template) (names []string, summaries []types.ResourceIdentifierSummary) {
	byType := map[string][]string{}
	for _, r := range t.Resources() {
		if byType[r.Type] == nil {
			names = append(names, r.Type)
		}
		byType[r.Type] = append(byType[r.Type], r.LogicalID)
	}
	slices.Sort(names)
	for _, name := range names {
		identifier := resource.Identifier(name)
		if len(identifier) == 0 || strings.HasPrefix(name, "AWS::CloudFormation::") {
			continue
		}
		summaries = append(summaries, types.ResourceIdentifierSummary{ResourceType: aws.String(name), LogicalResourceIds: byType[name], ResourceIdentifiers: identifier})
	}
	return names, summaries
}
