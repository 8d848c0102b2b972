package codepipeline

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// ListDeployActionExecutionTargets gives the instances that an action of the
// provider EC2 deploys to. No action that runs here deploys to any, so the list
// of an action that exists is empty.
func (s *Service) ListDeployActionExecutionTargets(ctx context.Context, in *codepipeline.ListDeployActionExecutionTargetsInput) (*codepipeline.ListDeployActionExecutionTargetsOutput, error) {
	if _, err := newPage(in.MaxResults, in.NextToken, 100); err != nil {
		return nil, err
	}
	prefix := ""
	if in.PipelineName != nil {
		p, err := s.find(ctx, in.PipelineName)
		if err != nil {
			return nil, err
		}
		prefix = p.Name + "/"
	}
	list, err := s.actions.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{Prefix: prefix})
	if err != nil {
		return nil, err
	}
	for _, entry := range list {
		if a := entry.Value; a.ID == aws.ToString(in.ActionExecutionId) && a.Condition == "" {
			return &codepipeline.ListDeployActionExecutionTargetsOutput{Targets: []types.DeployActionExecutionTarget{}}, nil
		}
	}
	return nil, &types.ActionExecutionNotFoundException{Message: aws.String(fmt.Sprintf(
		"The action execution with id '%s' was not found", aws.ToString(in.ActionExecutionId)))}
}
