package pipeline

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// The members of the secret that a source with a token and a webhook reads.
const (
	tokenMember   = "token"
	webhookMember = "webhook"
)

// secret is the source's secret as it stands.
type secret struct {
	name    string
	there   bool
	deleted bool // it waits for its deletion, and can be had back
	ours    bool // Up made it for this project
}

// findSecret looks the source's secret up; nil if the source needs none.
func (u *Up) findSecret(ctx context.Context) (*secret, error) {
	s := &secret{name: u.Facts.Source.Secret}
	if s.name == "" {
		return nil, nil
	}
	out, err := u.Clients.Secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &s.name})
	if none := (*smtypes.ResourceNotFoundException)(nil); errors.As(err, &none) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for the secret %q: %w", s.name, err)
	}
	s.there, s.deleted = true, out.DeletedDate != nil
	for _, tag := range out.Tags {
		s.ours = s.ours || aws.ToString(tag.Key) == madeBy && aws.ToString(tag.Value) == u.Project.Name
	}
	return s, nil
}

// token is what to put into the source's secret.
func (u *Up) token(ctx context.Context, s *secret) (string, error) {
	if u.Token == nil {
		return "", fmt.Errorf("the secret %q with the source token is not there", s.name)
	}
	token, err := u.Token(ctx, s.name)
	if err != nil {
		return "", err
	}
	if token = strings.TrimSpace(token); token == "" || strings.ContainsFunc(token, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return "", fmt.Errorf("the token for the secret %q is empty, or has spaces in it", s.name)
	}
	return token, nil
}

// ensureSecret makes the secret with the token, which it asks for, or takes
// back its deletion.
func (u *Up) ensureSecret(ctx context.Context, s *secret) error {
	switch {
	case s == nil || s.there && !s.deleted:
		return nil
	case s.deleted:
		u.Observer.Step("Secret " + s.name + ", which was to be deleted, is kept")
		if _, err := u.Clients.Secrets.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: &s.name}); err != nil {
			return fmt.Errorf("restoring the secret %q: %w", s.name, err)
		}
		s.deleted = false
		return nil
	}
	token, err := u.token(ctx, s)
	if err != nil {
		return err
	}
	u.Observer.Step("Secret " + s.name)
	value, err := json.Marshal(map[string]string{tokenMember: token, webhookMember: rand.Text()})
	if err != nil {
		return err
	}
	_, err = u.Clients.Secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
		Name: &s.name, SecretString: aws.String(string(value)), Description: aws.String("Source token of " + u.Project.StackName()),
		Tags: []smtypes.Tag{{Key: aws.String(madeBy), Value: &u.Project.Name}},
	})
	if exists := (*smtypes.ResourceExistsException)(nil); err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("storing the token in the secret %q: %w", s.name, err)
	}
	s.there = true
	return nil
}

// secretWindow is for how many days a deleted secret can be had back: the
// least that AWS takes.
const secretWindow = 7

func (u *Up) deleteSecret(ctx context.Context, name string) error {
	_, err := u.Clients.Secrets.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: &name, RecoveryWindowInDays: aws.Int64(secretWindow)})
	if err != nil {
		return fmt.Errorf("deleting the secret %q: %w", name, err)
	}
	return nil
}
