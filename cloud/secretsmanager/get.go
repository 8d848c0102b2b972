package secretsmanager

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
)

// GetSecretValue gives the value of a version, named by id or label; the
// current one if neither is given.
func (s *Service) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput) (*secretsmanager.GetSecretValueOutput, error) {
	of, err := s.usable(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	v, err := of.wanted(in.VersionId, in.VersionStage)
	if err != nil {
		return nil, err
	}
	c, err := s.read(ctx, of, v.ID)
	if err != nil {
		return nil, err
	}
	return &secretsmanager.GetSecretValueOutput{
		ARN: &of.ARN, Name: &of.Name, VersionId: &v.ID, VersionStages: v.Stages,
		CreatedDate: &v.Created, SecretString: c.text(), SecretBinary: c.blob(),
	}, nil
}

func (of *secret) wanted(id, stage *string) (*version, error) {
	if id == nil {
		label := aws.ToString(stage)
		if label == "" {
			label = current
		}
		if v := of.staged(label); v != nil {
			return v, nil
		}
		return nil, notFound("secret value for staging label: %s", label)
	}
	v := of.version(*id)
	if v == nil {
		return nil, notFound("secret value for VersionId: %s", *id)
	}
	if at := of.staged(aws.ToString(stage)); stage != nil && (at == nil || at.ID != v.ID) {
		return nil, invalidRequest("You provided a VersionStage that is not associated to the provided VersionId.")
	}
	return v, nil
}

// BatchGetSecretValue gives the current values of the secrets named, or of
// those that the filters take. What one secret refuses is told for itself.
func (s *Service) BatchGetSecretValue(ctx context.Context, in *secretsmanager.BatchGetSecretValueInput) (*secretsmanager.BatchGetSecretValueOutput, error) {
	ids, next := in.SecretIdList, (*string)(nil)
	switch {
	case len(ids) > 0 && len(in.Filters) > 0, len(ids) == 0 && len(in.Filters) == 0:
		return nil, invalid("Either 'SecretIdList' or 'Filters' must be provided, but not both.")
	case len(ids) > 20:
		return nil, invalid("SecretIdList may have 20 members.")
	case len(in.Filters) > 0:
		list, err := s.ListSecrets(ctx, &secretsmanager.ListSecretsInput{Filters: in.Filters, NextToken: in.NextToken, MaxResults: atMost(in.MaxResults, 20)})
		if err != nil {
			return nil, err
		}
		next = list.NextToken
		for _, e := range list.SecretList {
			ids = append(ids, *e.ARN)
		}
	}
	out := &secretsmanager.BatchGetSecretValueOutput{SecretValues: []types.SecretValueEntry{}, Errors: []types.APIErrorType{}, NextToken: next}
	for _, id := range ids {
		v, err := s.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
		var refused smithy.APIError
		if errors.As(err, &refused) {
			out.Errors = append(out.Errors, types.APIErrorType{SecretId: &id, ErrorCode: aws.String(refused.ErrorCode()), Message: aws.String(refused.ErrorMessage())})
			continue
		}
		if err != nil {
			return nil, err
		}
		out.SecretValues = append(out.SecretValues, types.SecretValueEntry{
			ARN: v.ARN, Name: v.Name, VersionId: v.VersionId, VersionStages: v.VersionStages,
			CreatedDate: v.CreatedDate, SecretString: v.SecretString, SecretBinary: v.SecretBinary,
		})
	}
	return out, nil
}

func atMost(asked *int32, most int32) *int32 {
	if asked != nil && *asked < most {
		return asked
	}
	return &most
}

// DescribeSecret tells all about a secret but its values.
func (s *Service) DescribeSecret(ctx context.Context, in *secretsmanager.DescribeSecretInput) (*secretsmanager.DescribeSecretOutput, error) {
	of, err := s.find(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	return &secretsmanager.DescribeSecretOutput{
		ARN: &of.ARN, Name: &of.Name, Description: optional(of.Description), KmsKeyId: optional(of.KMSKeyID),
		CreatedDate: &of.Created, LastChangedDate: &of.Changed, DeletedDate: dateOrNil(of.Deletion),
		Tags: of.tags(), VersionIdsToStages: of.labelled(),
	}, nil
}

// ListSecretVersionIds lists the versions that have labels, with
// IncludeDeprecated the others too.
func (s *Service) ListSecretVersionIds(ctx context.Context, in *secretsmanager.ListSecretVersionIdsInput) (*secretsmanager.ListSecretVersionIdsOutput, error) {
	of, err := s.find(ctx, in.SecretId)
	if err != nil {
		return nil, err
	}
	var shown []version
	for _, v := range of.Versions {
		if len(v.Stages) > 0 || aws.ToBool(in.IncludeDeprecated) {
			shown = append(shown, v)
		}
	}
	shown, next, err := page(shown, func(v version) string { return v.ID }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.ListSecretVersionIdsOutput{ARN: &of.ARN, Name: &of.Name, NextToken: next, Versions: []types.SecretVersionsListEntry{}}
	for _, v := range shown {
		out.Versions = append(out.Versions, types.SecretVersionsListEntry{
			VersionId: aws.String(v.ID), CreatedDate: aws.Time(v.Created), VersionStages: v.Stages,
			KmsKeyIds: []string{"DefaultEncryptionKey"},
		})
	}
	return out, nil
}
