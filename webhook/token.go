package webhook

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// TokenSecret is where a token is kept that came from elsewhere.
func (h *Hook) TokenSecret() string { return h.Stack + "-token" }

// CheckToken refuses what cannot be a token.
func CheckToken(token string) (string, error) {
	token = strings.TrimSpace(token)
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return "", errors.New("the provider's token is empty, or has spaces in it")
	}
	return token, nil
}

// KeepToken keeps the provider's token for the functions, and gives the ARN of
// its secret.
func (h *Hook) KeepToken(ctx context.Context, api *secretsmanager.Client, token string) (string, error) {
	name := h.TokenSecret()
	arn, err := h.keepToken(ctx, api, name, token)
	if err != nil {
		return "", fmt.Errorf("keeping the token in the secret %q: %w", name, err)
	}
	return arn, nil
}

func (h *Hook) keepToken(ctx context.Context, api *secretsmanager.Client, name, token string) (string, error) {
	there, err := api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name})
	if none := (*types.ResourceNotFoundException)(nil); errors.As(err, &none) {
		out, err := api.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
			Name: &name, SecretString: &token, Description: aws.String("Token with which " + h.Stack + " reads " + h.Repository),
			Tags: []types.Tag{{Key: aws.String(Tag), Value: &h.Stack}},
		})
		if err != nil {
			return "", err
		}
		return aws.ToString(out.ARN), nil
	}
	if err != nil {
		return "", err
	}
	if !h.owns(there.Tags) {
		return "", errors.New("it is there, and not made for this webhook")
	}
	if there.DeletedDate != nil {
		if _, err := api.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: &name}); err != nil {
			return "", err
		}
	}
	was, err := ReadToken(ctx, api, name)
	if err == nil && was != token {
		_, err = api.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: &token})
	}
	return aws.ToString(there.ARN), err
}

func (h *Hook) owns(tags []types.Tag) bool {
	for _, t := range tags {
		if aws.ToString(t.Key) == Tag && aws.ToString(t.Value) == h.Stack {
			return true
		}
	}
	return false
}

// ReadToken is the token in a secret.
func ReadToken(ctx context.Context, api *secretsmanager.Client, id string) (string, error) {
	out, err := api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	if err != nil {
		return "", fmt.Errorf("reading the provider's token: %w", err)
	}
	return CheckToken(aws.ToString(out.SecretString))
}

// SecretARN is the ARN of the secret of that name.
func SecretARN(ctx context.Context, api *secretsmanager.Client, id string) (string, error) {
	out, err := api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id})
	if err != nil {
		return "", fmt.Errorf("looking for the secret %q: %w", id, err)
	}
	return aws.ToString(out.ARN), nil
}

// keptToken is the name of the secret that KeepToken made; empty for none.
func (h *Hook) keptToken(ctx context.Context, api *secretsmanager.Client) (string, error) {
	name := h.TokenSecret()
	out, err := api.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name})
	if none := (*types.ResourceNotFoundException)(nil); errors.As(err, &none) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("looking for the secret %q: %w", name, err)
	}
	if out.DeletedDate != nil || !h.owns(out.Tags) {
		return "", nil
	}
	return name, nil
}

// forget deletes the secret at once: what it held is still known to whoever gave
// it.
func forget(ctx context.Context, api *secretsmanager.Client, name string) error {
	if _, err := api.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: &name, ForceDeleteWithoutRecovery: aws.Bool(true)}); err != nil {
		return fmt.Errorf("deleting the secret %q: %w", name, err)
	}
	return nil
}
