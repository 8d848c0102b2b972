package secretsmanager

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"ouro/cloud/policy"
)

// PutResourcePolicy keeps a policy for a secret.
func (s *Service) PutResourcePolicy(ctx context.Context, in *secretsmanager.PutResourcePolicyInput) (*secretsmanager.PutResourcePolicyOutput, error) {
	text := aws.ToString(in.ResourcePolicy)
	if _, err := policy.Parse(text); err != nil {
		return nil, &types.MalformedPolicyDocumentException{Message: aws.String("This resource policy contains a syntax error: " + err.Error())}
	}
	changed, err := s.change(ctx, in.SecretId, func(_ context.Context, of *secret) error {
		of.Policy = text
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.PutResourcePolicyOutput{ARN: &changed.ARN, Name: &changed.Name}, nil
}

// GetResourcePolicy gives the policy of a secret, if it has one.
func (s *Service) GetResourcePolicy(ctx context.Context, in *secretsmanager.GetResourcePolicyInput) (*secretsmanager.GetResourcePolicyOutput, error) {
	of, err := s.usable(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	return &secretsmanager.GetResourcePolicyOutput{ARN: &of.ARN, Name: &of.Name, ResourcePolicy: optional(of.Policy)}, nil
}

// DeleteResourcePolicy takes the policy of a secret away.
func (s *Service) DeleteResourcePolicy(ctx context.Context, in *secretsmanager.DeleteResourcePolicyInput) (*secretsmanager.DeleteResourcePolicyOutput, error) {
	changed, err := s.change(ctx, in.SecretId, func(_ context.Context, of *secret) error {
		of.Policy = ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.DeleteResourcePolicyOutput{ARN: &changed.ARN, Name: &changed.Name}, nil
}
