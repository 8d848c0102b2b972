package kms

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"ouro/cloud/door"
	"ouro/cloud/policy"
)

const (
	policyName = "default" // the only one that a key can have
	maxPolicy  = 32 << 10
)

// defaultPolicy leaves all to the policies of the account's identities.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func defaultPolicy(c door.Caller) string {
	return fmt.Sprintf(`{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:%s:iam::%s:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`, c.Partition(), c.Account)
}

// managedPolicy lets the account use a key through one service, and change
// nothing about it.
func managedPolicy(k key, service string) string {
	return fmt.Sprintf(`{
  "Version" : "2012-10-17",
  "Id" : "auto-%s-1",
  "Statement" : [ {
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "*"
    },
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey" ],
    "Resource" : "*",
    "Condition" : {
      "StringEquals" : {
        "kms:CallerAccount" : "%s",
        "kms:ViaService" : "%s.%s.amazonaws.com"
      }
    }
  } ]
}`, service, k.Account, service, k.scope().Region)
}

func checkPolicy(text string) error {
	if len(text) > maxPolicy {
		return &types.LimitExceededException{Message: aws.String(fmt.Sprintf("A key policy may have %d bytes.", maxPolicy))}
	}
	doc, err := policy.Parse(text)
	if err != nil {
		return &types.MalformedPolicyDocumentException{Message: aws.String("Policy contains a syntax error: " + err.Error())}
	}
	if len(doc.Statements) == 0 {
		return &types.MalformedPolicyDocumentException{Message: aws.String("Policy contains no statements.")}
	}
	return nil
}

func checkPolicyName(name *string) error {
	if name != nil && *name != policyName {
		return notFound("No such policy exists")
	}
	return nil
}

// GetKeyPolicy gives the policy of a key.
func (s *Service) GetKeyPolicy(ctx context.Context, in *kms.GetKeyPolicyInput) (*kms.GetKeyPolicyOutput, error) {
	k, err := s.find(ctx, in.KeyId)
	if err == nil {
		err = checkPolicyName(in.PolicyName)
	}
	if err != nil {
		return nil, err
	}
	return &kms.GetKeyPolicyOutput{Policy: &k.Policy, PolicyName: aws.String(policyName)}, nil
}

// PutKeyPolicy puts another policy in the place of a key's.
func (s *Service) PutKeyPolicy(ctx context.Context, in *kms.PutKeyPolicyInput) (*kms.PutKeyPolicyOutput, error) {
	if err := checkPolicyName(in.PolicyName); err != nil {
		return nil, err
	}
	if err := checkPolicy(aws.ToString(in.Policy)); err != nil {
		return nil, err
	}
	_, err := s.change(ctx, in.KeyId, "PutKeyPolicy", func(k *key) error {
		k.Policy = *in.Policy
		return nil
	})
	return &kms.PutKeyPolicyOutput{}, err
}

// ListKeyPolicies lists the names of a key's policies: the one that every key has.
func (s *Service) ListKeyPolicies(ctx context.Context, in *kms.ListKeyPoliciesInput) (*kms.ListKeyPoliciesOutput, error) {
	if _, err := s.find(ctx, in.KeyId); err != nil {
		return nil, err
	}
	return &kms.ListKeyPoliciesOutput{PolicyNames: []string{policyName}}, nil
}
