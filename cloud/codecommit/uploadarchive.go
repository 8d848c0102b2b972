package codecommit

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/cloud/door"
)

// UploadArchiveInput says which commit goes where.
type UploadArchiveInput struct {
	RepositoryName  *string
	CommitSpecifier *string // a commit's id, a reference, a branch or a tag
	Bucket          *string
	Key             *string
	KmsKeyId        *string // encrypts the object; optional
}

// UploadArchiveOutput tells what was uploaded.
type UploadArchiveOutput struct {
	CommitId  *string
	ETag      *string
	VersionId *string // of the object, in a bucket with versions
}

// UploadArchive puts the files of a commit as a zip into S3, with the
// caller's permissions there. It answers when that is done.
func (s *Service) UploadArchive(ctx context.Context, in *UploadArchiveInput) (*UploadArchiveOutput, error) {
	_, g, err := s.open(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if aws.ToString(in.CommitSpecifier) == "" {
		return nil, &types.CommitRequiredException{Message: aws.String("A commit was not specified.")}
	}
	c, err := resolve(ctx, g, in.CommitSpecifier)
	if err != nil {
		return nil, err
	}
	object := &s3.PutObjectInput{Bucket: in.Bucket, Key: in.Key}
	if aws.ToString(in.KmsKeyId) != "" {
		object.ServerSideEncryption, object.SSEKMSKeyId = s3types.ServerSideEncryptionAwsKms, in.KmsKeyId
	}
	put, err := g.UploadArchive(ctx, s3.NewFromConfig(s.host.As(door.CallerFrom(ctx))), c.ID, object)
	if err != nil {
		return nil, err
	}
	return &UploadArchiveOutput{CommitId: aws.String(c.ID), ETag: put.ETag, VersionId: put.VersionId}, nil
}
