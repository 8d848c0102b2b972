package apigateway

import (
	"context"
	"errors"
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
