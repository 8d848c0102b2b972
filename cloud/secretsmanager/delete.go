package secretsmanager

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

const defaultWindow = 30 // days

// DeleteSecret has a secret go after the recovery window (7 to 30 days), or at
// once if forced. Forcing the deletion of what is not there succeeds, as on AWS.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
func (s *Service) DeleteSecret(ctx context.Context, in *secretsmanager.DeleteSecretInput) (*secretsmanager.DeleteSecretOutput, error) {
	force, window := aws.ToBool(in.ForceDeleteWithoutRecovery), int64(defaultWindow)
	if in.RecoveryWindowInDays != nil {
		window = *in.RecoveryWindowInDays
	}
	switch {
	case force && in.RecoveryWindowInDays != nil:
		return nil, invalid("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case window < 7 || window > 30:
		return nil, invalid("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
	}
	now := s.host.Now()
	if force {
		return s.forceDelete(ctx, in.SecretId, now)
	}
	at := now.Add(time.Duration(window) * 24 * time.Hour)
	deleted, err := s.change(ctx, in.SecretId, func(_ context.Context, of *secret) error {
		of.Deletion = at
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.DeleteSecretOutput{ARN: &deleted.ARN, Name: &deleted.Name, DeletionDate: &at}, nil
}

func (s *Service) forceDelete(ctx context.Context, id *string, now time.Time) (*secretsmanager.DeleteSecretOutput, error) {
	out := &secretsmanager.DeleteSecretOutput{DeletionDate: &now}
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		found, err := s.find(ctx, id)
		if missing := (*types.ResourceNotFoundException)(nil); errors.As(err, &missing) {
			out.Name = id
			return nil
		}
		if err != nil {
			return err
		}
		out.ARN, out.Name = &found.ARN, &found.Name
		return s.erase(ctx, found)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// erase removes a secret with its values.
func (s *Service) erase(ctx context.Context, of secret) error {
	scope := door.CallerFrom(ctx).Scope()
	for _, v := range of.Versions {
		if err := s.values.Delete(ctx, scope, valueID(of.Name, v.ID)); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return s.secrets.Delete(ctx, scope, of.Name)
}

// RestoreSecret takes a deletion back while its window lasts.
func (s *Service) RestoreSecret(ctx context.Context, in *secretsmanager.RestoreSecretInput) (*secretsmanager.RestoreSecretOutput, error) {
	of, err := s.find(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	restored, err := s.secrets.Update(ctx, door.CallerFrom(ctx).Scope(), of.Name, func(of *secret) error {
		of.Deletion = time.Time{}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.RestoreSecretOutput{ARN: &restored.ARN, Name: &restored.Name}, nil
}

// RotateSecret is refused: rotation functions are not run.
func (s *Service) RotateSecret(context.Context, *secretsmanager.RotateSecretInput) (*secretsmanager.RotateSecretOutput, error) {
	return nil, invalidRequest("rotation of secrets is not supported by the local cloud")
}
