package cloudformation

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/template"
)

// GetTemplate gives the template of a stack or change set: the original one
// byte for byte as it was sent, or, by default, what its transforms made of it.
func (s *Service) GetTemplate(ctx context.Context, in *cloudformation.GetTemplateInput) (*cloudformation.GetTemplateOutput, error) {
	var v violations
	enum(&v, "templateStage", in.TemplateStage, in.TemplateStage.Values())
	if err := v.err(); err != nil {
		return nil, err
	}
	rev, err := s.revision(ctx, in.StackName, in.ChangeSetName)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.GetTemplateOutput{StagesAvailable: []types.TemplateStage{types.TemplateStageOriginal, types.TemplateStageProcessed}}
	hash := cmp.Or(rev.Processed, rev.Template)
	if in.TemplateStage == types.TemplateStageOriginal {
		hash = rev.Template
	}
	if hash == "" { // a stack in review has none yet
		out.TemplateBody = aws.String("")
		return out, nil
	}
	body, err := s.ledger.Template(ctx, door.CallerFrom(ctx).Scope(), hash)
	out.TemplateBody = &body
	return out, err
}

// revision is that of a stack or a change set.
func (s *Service) revision(ctx context.Context, stackName, changeSet *string) (ledger.Revision, error) {
	switch {
	case changeSet != nil:
		_, cs, err := s.findChangeSet(ctx, stackName, changeSet)
		return cs.Revision, err
	case aws.ToString(stackName) == "":
		return ledger.Revision{}, invalid("StackName is required if ChangeSetName is not specified.")
	}
	stack, err := s.find(ctx, stackName, noStackWithID)
	return stack.Revision, err
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
	out := &cloudformation.ValidateTemplateOutput{Parameters: []types.TemplateParameter{}, Description: text(t.Description()), DeclaredTransforms: t.Transforms()}
	out.Capabilities, out.CapabilitiesReason = capabilitiesOf(s.engine, t)
	for _, p := range t.Parameters() {
		out.Parameters = append(out.Parameters, types.TemplateParameter{ParameterKey: aws.String(p.Name), DefaultValue: p.Default,
			Description: text(p.Description), NoEcho: aws.Bool(p.NoEcho)})
	}
	return out, nil
}

// EstimateTemplateCost checks the template and gives the address of AWS's
// calculator for it; the calculator itself is not here.
func (s *Service) EstimateTemplateCost(ctx context.Context, in *cloudformation.EstimateTemplateCostInput) (*cloudformation.EstimateTemplateCostOutput, error) {
	body, err := s.text(ctx, source{body: in.TemplateBody, url: in.TemplateURL}, nil)
	if err != nil {
		return nil, err
	}
	t, err := s.parse(body)
	if err != nil {
		return nil, err
	}
	d := draft{template: t}
	if err := s.fillParameters(ctx, &d, asked{parameters: in.Parameters}, nil); err != nil {
		return nil, err
	}
	key := template.Hash([]byte(body))[:32]
	return &cloudformation.EstimateTemplateCostOutput{Url: aws.String("http://calculator.s3.amazonaws.com/calc5.html?key=cloudformation/" + key)}, nil
}

// accountLimits are AWS's, as a new account has them.
var accountLimits = []types.AccountLimit{
	{Name: aws.String("StackLimit"), Value: aws.Int32(2000)},
	{Name: aws.String("StackOutputsLimit"), Value: aws.Int32(200)},
	{Name: aws.String("ConcurrentResourcesLimit"), Value: aws.Int32(2500)},
}

// DescribeAccountLimits tells the limits that AWS gives to accounts.
func (s *Service) DescribeAccountLimits(_ context.Context, in *cloudformation.DescribeAccountLimitsInput) (*cloudformation.DescribeAccountLimitsOutput, error) {
	page, next, err := paged(accountLimits, in.NextToken)
	return &cloudformation.DescribeAccountLimitsOutput{AccountLimits: page, NextToken: next}, err
}
