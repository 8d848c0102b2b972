package apigateway

import (
	"context"

	apigw "github.com/aws/aws-sdk-go-v2/service/apigateway"

	"ouro/cloud/executeapi"
)

// retag changes the tags of an API or a stage.
func (s *Service) retag(ctx context.Context, arn *string, set map[string]string, away []string) error {
	id, stage, err := executeapi.Tagged("restapis", arn)
	if err == nil {
		err = executeapi.CheckTags(set)
	}
	if err != nil {
		return err
	}
	_, err = s.change(ctx, &id, func(a *api) error {
		if stage == "" {
			a.Tags = executeapi.Retag(a.Tags, set, away)
			return nil
		}
		st, err := executeapi.Part(a.Stages, "stage", &stage)
		if err == nil {
			st.Tags = executeapi.Retag(st.Tags, set, away)
			a.Stages[stage] = st
		}
		return err
	})
	return err
}

// TagResource sets tags of an API or a stage.
func (s *Service) TagResource(ctx context.Context, in *apigw.TagResourceInput) (*apigw.TagResourceOutput, error) {
	return &apigw.TagResourceOutput{}, s.retag(ctx, in.ResourceArn, in.Tags, nil)
}

// UntagResource takes tags of an API or a stage away.
func (s *Service) UntagResource(ctx context.Context, in *apigw.UntagResourceInput) (*apigw.UntagResourceOutput, error) {
	return &apigw.UntagResourceOutput{}, s.retag(ctx, in.ResourceArn, nil, in.TagKeys)
}

// GetTags gives the tags of an API or a stage.
func (s *Service) GetTags(ctx context.Context, in *apigw.GetTagsInput) (*apigw.GetTagsOutput, error) {
	id, stage, err := executeapi.Tagged("restapis", in.ResourceArn)
	if err != nil {
		return nil, err
	}
	a, err := s.apis.Find(ctx, &id)
	tags := a.Tags
	if err == nil && stage != "" {
		st, missing := executeapi.Part(a.Stages, "stage", &stage)
		tags, err = st.Tags, missing
	}
	return &apigw.GetTagsOutput{Tags: executeapi.Retag(tags, nil, nil)}, err
}
