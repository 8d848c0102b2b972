package codepipeline

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// ListRuleExecutions gives the executions of the rules of a pipeline's
// conditions, newest first.
func (s *Service) ListRuleExecutions(ctx context.Context, in *codepipeline.ListRuleExecutionsInput) (*codepipeline.ListRuleExecutionsOutput, error) {
	f := types.RuleExecutionFilter{}
	if in.Filter != nil {
		f = *in.Filter
	}
	list, token, err := s.history(ctx, historyQuery{
		pipeline: in.PipelineName, execution: f.PipelineExecutionId, latest: f.LatestInPipelineExecution,
		size: in.MaxResults, token: in.NextToken, is: func(a action) bool { return a.Condition != "" },
	})
	if err != nil {
		return nil, err
	}
	out := &codepipeline.ListRuleExecutionsOutput{RuleExecutionDetails: []types.RuleExecutionDetail{}, NextToken: token}
	for _, a := range list {
		out.RuleExecutionDetails = append(out.RuleExecutionDetails, a.ruleDetail())
	}
	return out, nil
}

func (a action) ruleDetail() types.RuleExecutionDetail {
	d := a.Declaration
	return types.RuleExecutionDetail{
		PipelineExecutionId: aws.String(a.Execution), RuleExecutionId: aws.String(a.ID), PipelineVersion: aws.Int32(a.Version),
		StageName: aws.String(a.Stage), RuleName: aws.String(a.Name), StartTime: aws.Time(a.Started), LastUpdateTime: aws.Time(a.Updated),
		UpdatedBy: optional(a.UpdatedBy), Status: types.RuleExecutionStatus(a.Status),
		Input: &types.RuleExecutionInput{
			RuleTypeId: ruleTypeID(d.ActionTypeId.Provider), Configuration: d.Configuration, ResolvedConfiguration: a.Resolved,
			RoleArn: d.RoleArn, Region: d.Region, InputArtifacts: details(a.Inputs),
		},
		Output: &types.RuleExecutionOutput{ExecutionResult: &types.RuleExecutionResult{
			ExternalExecutionId: optional(a.ExternalID), ExternalExecutionUrl: optional(a.ExternalURL),
			ExternalExecutionSummary: optional(a.Summary), ErrorDetails: a.errorDetails(),
		}},
	}
}

func ruleTypeID(provider *string) *types.RuleTypeId {
	return &types.RuleTypeId{Category: types.RuleCategoryRule, Owner: types.RuleOwnerAws, Provider: provider, Version: aws.String("1")}
}

// ListRuleTypes gives the rules that AWS has, whether they run here or not. All
// regions have them.
func (s *Service) ListRuleTypes(_ context.Context, in *codepipeline.ListRuleTypesInput) (*codepipeline.ListRuleTypesOutput, error) {
	if in.RuleOwnerFilter != "" && !slices.Contains(in.RuleOwnerFilter.Values(), in.RuleOwnerFilter) {
		return nil, constraint(string(in.RuleOwnerFilter), "ruleOwnerFilter", "Member must satisfy enum value set: [AWS]")
	}
	out := &codepipeline.ListRuleTypesOutput{}
	for _, k := range ruleKinds {
		t := types.RuleType{
			Id: ruleTypeID(aws.String(k.provider)), Settings: &types.RuleTypeSettings{},
			InputArtifactDetails: &types.ArtifactDetails{MinimumCount: k.in.least, MaximumCount: k.in.most},
		}
		for _, p := range k.config {
			t.RuleConfigurationProperties = append(t.RuleConfigurationProperties, types.RuleConfigurationProperty{
				Name: aws.String(p.name), Key: p.flag&isKey != 0, Required: p.flag&required != 0, Secret: p.flag&secret != 0,
			})
		}
		out.RuleTypes = append(out.RuleTypes, t)
	}
	return out, nil
}
