package apigateway

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	apigw "github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// account is what API Gateway knows of an account.
type account struct{ CloudwatchRoleArn *string }

// GetAccount tells the role for logs, and the account's limits.
func (s *Service) GetAccount(ctx context.Context, _ *apigw.GetAccountInput) (*apigw.GetAccountOutput, error) {
	a, err := s.accounts.Get(ctx, door.CallerFrom(ctx).Scope(), "account")
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return &apigw.GetAccountOutput{CloudwatchRoleArn: a.CloudwatchRoleArn, ApiKeyVersion: aws.String("4"), Features: []string{"UsagePlans"},
		ThrottleSettings: &types.ThrottleSettings{BurstLimit: 5000, RateLimit: 10000}}, nil
}

// UpdateAccount sets the role for logs.
func (s *Service) UpdateAccount(ctx context.Context, in *apigw.UpdateAccountInput) (*apigw.UpdateAccountOutput, error) {
	out, err := s.GetAccount(ctx, nil)
	if err != nil {
		return nil, err
	}
	a := account{out.CloudwatchRoleArn}
	if err := patch(&a, in.PatchOperations, "cloudwatchRoleArn"); err != nil {
		return nil, err
	}
	if aws.ToString(a.CloudwatchRoleArn) == "" {
		a.CloudwatchRoleArn = nil
	} else if !strings.HasPrefix(*a.CloudwatchRoleArn, "arn:") || !strings.Contains(*a.CloudwatchRoleArn, ":role/") {
		return nil, badRequest("The role ARN does not have required permissions configured. Please grant trust permission for API Gateway and add the required role policy.")
	}
	if err := s.accounts.Put(ctx, door.CallerFrom(ctx).Scope(), "account", a); err != nil {
		return nil, err
	}
	out.CloudwatchRoleArn = a.CloudwatchRoleArn
	return told[apigw.UpdateAccountOutput](out, nil)
}

// tagged finds what an ARN means: arn:aws:apigateway:REGION::/restapis/API, or
// with /stages/NAME behind it.
func tagged(arn *string) (id, stage string, err error) {
	_, path, ok := strings.Cut(aws.ToString(arn), "::/")
	parts := strings.Split(path, "/")
	switch {
	case ok && len(parts) == 2 && parts[0] == "restapis":
		return parts[1], "", nil
	case ok && len(parts) == 4 && parts[0] == "restapis" && parts[2] == "stages":
		return parts[1], parts[3], nil
	}
	return "", "", badRequest("Invalid ARN specified in the request: %s", aws.ToString(arn))
}

// changeTags changes the tags of an API or a stage.
func (s *Service) changeTags(ctx context.Context, arn *string, f func(tags map[string]string)) error {
	id, stage, err := tagged(arn)
	if err != nil {
		return err
	}
	_, err = s.change(ctx, &id, func(a *api) error {
		if stage == "" {
			a.Tags = orEmpty(a.Tags)
			f(a.Tags)
			return nil
		}
		st, err := part(a.Stages, "stage", &stage)
		if err != nil {
			return err
		}
		st.Tags = orEmpty(st.Tags)
		f(st.Tags)
		a.Stages[stage] = st
		return nil
	})
	return err
}

func orEmpty(tags map[string]string) map[string]string {
	if tags == nil {
		return map[string]string{}
	}
	return tags
}

// TagResource sets tags of an API or a stage.
func (s *Service) TagResource(ctx context.Context, in *apigw.TagResourceInput) (*apigw.TagResourceOutput, error) {
	return &apigw.TagResourceOutput{}, s.changeTags(ctx, in.ResourceArn, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

// UntagResource takes tags of an API or a stage away.
func (s *Service) UntagResource(ctx context.Context, in *apigw.UntagResourceInput) (*apigw.UntagResourceOutput, error) {
	return &apigw.UntagResourceOutput{}, s.changeTags(ctx, in.ResourceArn, func(tags map[string]string) {
		for _, k := range in.TagKeys {
			delete(tags, k)
		}
	})
}

// GetTags gives the tags of an API or a stage.
func (s *Service) GetTags(ctx context.Context, in *apigw.GetTagsInput) (*apigw.GetTagsOutput, error) {
	id, stage, err := tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	a, err := s.find(ctx, &id)
	if err != nil || stage == "" {
		return &apigw.GetTagsOutput{Tags: orEmpty(a.Tags)}, err
	}
	st, err := part(a.Stages, "stage", &stage)
	return &apigw.GetTagsOutput{Tags: orEmpty(st.Tags)}, err
}
