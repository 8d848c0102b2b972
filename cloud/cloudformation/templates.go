package cloudformation

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/template"
)

// GetTemplate gives the template of a stack or change set, byte for byte as it
// was sent. Without transforms the processed one is the same.
func (s *Service) GetTemplate(ctx context.Context, in *cloudformation.GetTemplateInput) (*cloudformation.GetTemplateOutput, error) {
	hash := ""
	if in.ChangeSetName != nil {
		_, cs, err := s.findChangeSet(ctx, in.StackName, in.ChangeSetName)
		if err != nil {
			return nil, err
		}
		hash = cs.Revision.Template
	} else {
		stack, err := s.find(ctx, in.StackName, noStackWithID)
		if err != nil {
			return nil, err
		}
		hash = stack.Template
	}
	out := &cloudformation.GetTemplateOutput{StagesAvailable: []types.TemplateStage{types.TemplateStageOriginal, types.TemplateStageProcessed}}
	if hash == "" { // a stack in review has none yet
		out.TemplateBody = aws.String("")
		return out, nil
	}
	body, err := s.ledger.Template(ctx, door.CallerFrom(ctx).Scope(), hash)
	out.TemplateBody = &body
	return out, err
}

// ValidateTemplate checks a template's structure and tells what it asks for.
func (s *Service) ValidateTemplate(ctx context.Context, in *cloudformation.ValidateTemplateInput) (*cloudformation.ValidateTemplateOutput, error) {
	body, err := s.text(ctx, source{body: in.TemplateBody, url: in.TemplateURL}, nil)
	if err != nil {
		return nil, err
	}
	t, err := s.parse(body)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.ValidateTemplateOutput{Description: text(t.Description())}
	needed, because := neededCapability(s.engine, t)
	if needed != "" {
		out.Capabilities, out.CapabilitiesReason = []types.Capability{needed}, capabilitiesReason(because)
	}
	for _, p := range t.Parameters() {
		out.Parameters = append(out.Parameters, types.TemplateParameter{ParameterKey: aws.String(p.Name), DefaultValue: p.Default,
			Description: text(p.Description), NoEcho: aws.Bool(p.NoEcho)})
	}
	return out, nil
}

// GetTemplateSummary tells what a template, or the one of a stack, asks for
// and contains.
func (s *Service) GetTemplateSummary(ctx context.Context, in *cloudformation.GetTemplateSummaryInput) (*cloudformation.GetTemplateSummaryOutput, error) {
	from := source{body: in.TemplateBody, url: in.TemplateURL}
	var stack *ledger.Stack
	if in.StackName != nil {
		st, err := s.find(ctx, in.StackName, noStackWithID)
		if err != nil {
			return nil, err
		}
		stack, from = &st, source{previous: true}
	}
	body, err := s.text(ctx, from, stack)
	if err != nil {
		return nil, err
	}
	t, err := s.parse(body)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.GetTemplateSummaryOutput{Description: text(t.Description()), Version: text(t.Root.Get("AWSTemplateFormatVersion").Scalar()), Parameters: []types.ParameterDeclaration{}}
	if m := t.Root.Get("Metadata"); m != nil {
		out.Metadata = aws.String(string(template.Canonical(m)))
	}
	needed, because := neededCapability(s.engine, t)
	if needed != "" {
		out.Capabilities, out.CapabilitiesReason = []types.Capability{needed}, capabilitiesReason(because)
	}
	for _, p := range t.Parameters() {
		d := types.ParameterDeclaration{ParameterKey: aws.String(p.Name), ParameterType: aws.String(p.Type), DefaultValue: p.Default,
			Description: text(p.Description), NoEcho: aws.Bool(p.NoEcho), ParameterConstraints: &types.ParameterConstraints{AllowedValues: p.AllowedValues}}
		out.Parameters = append(out.Parameters, d)
	}
	byType := map[string][]string{}
	for _, r := range t.Resources() {
		if byType[r.Type] == nil {
			out.ResourceTypes = append(out.ResourceTypes, r.Type)
		}
		byType[r.Type] = append(byType[r.Type], r.LogicalID)
	}
	slices.Sort(out.ResourceTypes)
	return out, nil
}
