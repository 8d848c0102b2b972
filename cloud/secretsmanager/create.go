package secretsmanager

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/regex"
)

var secretName = regex.New(`^[A-Za-z0-9/_+=.@\-]+$`)

const maxNameLength = 512

// CreateSecret makes a secret, with its first version if there is a value.
// Repeating a request with its token changes nothing.
func (s *Service) CreateSecret(ctx context.Context, in *secretsmanager.CreateSecretInput) (*secretsmanager.CreateSecretOutput, error) {
	caller, name := door.CallerFrom(ctx), aws.ToString(in.Name)
	c, err := checkCreate(in)
	if err != nil {
		return nil, err
	}
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.CreateSecretOutput{Name: &name}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		old, err := s.secrets.Get(ctx, caller.Scope(), name)
		if err == nil && s.alive(old) {
			return s.repeated(ctx, old, in.ClientRequestToken, c, out)
		}
		if err == nil {
			err = s.erase(ctx, old)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		now := s.host.Now()
		made := secret{
			Name: name, ARN: secretARN(caller, name), Description: aws.ToString(in.Description),
			KMSKeyID: aws.ToString(in.KmsKeyId), Tags: tags, Created: now, Changed: now,
		}
		out.ARN = aws.String(made.ARN)
		if c != nil {
			id, err := s.add(ctx, &made, in.ClientRequestToken, *c, []string{current})
			if err != nil {
				return err
			}
			out.VersionId = &id
		}
		return s.secrets.Put(ctx, caller.Scope(), name, made)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func checkCreate(in *secretsmanager.CreateSecretInput) (*content, error) {
	switch {
	case len(aws.ToString(in.Name)) > maxNameLength || !secretName().MatchString(aws.ToString(in.Name)):
		return nil, invalid("Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	case len(in.AddReplicaRegions) > 0:
		return nil, invalidRequest("replicas of secrets are not supported by the local cloud")
	case aws.ToString(in.Type) != "":
		return nil, invalidRequest("secrets of external partners are not supported by the local cloud")
	}
	return contentOf(in.SecretString, in.SecretBinary)
}

// repeated answers for a secret that is there already.
func (s *Service) repeated(ctx context.Context, old secret, token *string, c *content, out *secretsmanager.CreateSecretOutput) error {
	if !old.Deletion.IsZero() {
		return invalidRequest("You can't create this secret because a secret with this name is already scheduled for deletion.")
	}
	if c == nil || token == nil || old.version(*token) == nil {
		return &types.ResourceExistsException{Message: aws.String(fmt.Sprintf("The operation failed because the secret %s already exists.", old.Name))}
	}
	id, err := s.add(ctx, &old, token, *c, nil)
	out.ARN, out.VersionId = aws.String(old.ARN), &id
	return err
}

// PutSecretValue gives a secret a new version; without labels it becomes the
// current one.
func (s *Service) PutSecretValue(ctx context.Context, in *secretsmanager.PutSecretValueInput) (*secretsmanager.PutSecretValueOutput, error) {
	c, err := contentOf(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, invalidRequest("You must provide either SecretString or SecretBinary.")
	}
	stages := in.VersionStages
	if len(stages) == 0 {
		stages = []string{current}
	}
	var id string
	changed, err := s.change(ctx, in.SecretId, func(ctx context.Context, of *secret) (err error) {
		id, err = s.add(ctx, of, in.ClientRequestToken, *c, stages)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.PutSecretValueOutput{
		ARN: &changed.ARN, Name: &changed.Name, VersionId: &id, VersionStages: changed.version(id).Stages,
	}, nil
}

// UpdateSecret changes description and key, and makes the value current if
// there is one.
func (s *Service) UpdateSecret(ctx context.Context, in *secretsmanager.UpdateSecretInput) (*secretsmanager.UpdateSecretOutput, error) {
	c, err := contentOf(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	if aws.ToString(in.Type) != "" {
		return nil, invalidRequest("secrets of external partners are not supported by the local cloud")
	}
	var id *string
	changed, err := s.change(ctx, in.SecretId, func(ctx context.Context, of *secret) error {
		if in.Description != nil {
			of.Description = *in.Description
		}
		if in.KmsKeyId != nil {
			of.KMSKeyID = *in.KmsKeyId
		}
		of.Changed = s.host.Now()
		if c == nil {
			return nil
		}
		added, err := s.add(ctx, of, in.ClientRequestToken, *c, []string{current})
		id = &added
		return err
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.UpdateSecretOutput{ARN: &changed.ARN, Name: &changed.Name, VersionId: id}, nil
}
