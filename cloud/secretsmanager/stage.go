package secretsmanager

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// UpdateSecretVersionStage moves a label to a version, or takes it from one. A
// label that another version has is moved only if the request names that one.
func (s *Service) UpdateSecretVersionStage(ctx context.Context, in *secretsmanager.UpdateSecretVersionStageInput) (*secretsmanager.UpdateSecretVersionStageOutput, error) {
	stage, from, to := aws.ToString(in.VersionStage), aws.ToString(in.RemoveFromVersionId), aws.ToString(in.MoveToVersionId)
	if stage == "" {
		return nil, invalid("You must provide a value for the VersionStage parameter.")
	}
	changed, err := s.change(ctx, in.SecretId, func(_ context.Context, of *secret) error {
		if err := of.checkMove(stage, from, to); err != nil {
			return err
		}
		of.Changed = s.host.Now()
		if to == "" {
			of.version(from).drop(stage)
			return nil
		}
		of.move([]string{stage}, to)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.UpdateSecretVersionStageOutput{ARN: &changed.ARN, Name: &changed.Name}, nil
}

func (of *secret) checkMove(stage, from, to string) error {
	at := of.staged(stage)
	switch {
	case to == "" && from == "":
		return invalid("You must provide MoveToVersionId or RemoveFromVersionId.")
	case to == "" && stage == current:
		return invalid("You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.")
	case to != "" && of.version(to) == nil:
		return notFound("secret version: %s.", to)
	case from != "" && of.version(from) == nil:
		return notFound("secret version: %s.", from)
	case from != "" && !slices.Contains(of.version(from).Stages, stage):
		return invalid("Staging label %s is not currently attached to version %s.", stage, from)
	case from == "" && at != nil && at.ID != to:
		return invalid("The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", stage, at.ID)
	}
	return nil
}
