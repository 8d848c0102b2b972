package s3

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/cloud/door"
)

// PutBucketEncryption sets the encryption that new objects are noted with.
func (s *Service) PutBucketEncryption(ctx context.Context, in *s3.PutBucketEncryptionInput) (*s3.PutBucketEncryptionOutput, error) {
	config := value(in.ServerSideEncryptionConfiguration)
	if len(config.Rules) != 1 {
		return nil, malformedXML()
	}
	rule := config.Rules[0]
	if rule.ApplyServerSideEncryptionByDefault == nil {
		rule.ApplyServerSideEncryptionByDefault = &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAes256}
	}
	with := rule.ApplyServerSideEncryptionByDefault
	if err := checkEncryption(with.SSEAlgorithm, with.KMSMasterKeyID); err != nil {
		return nil, err
	}
	return &s3.PutBucketEncryptionOutput{}, s.changeBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ context.Context, b *bucket) error {
		b.Encryption = &rule
		return nil
	})
}

// GetBucketEncryption gives the default encryption. Every bucket has one:
// AES256 where nothing else was put.
func (s *Service) GetBucketEncryption(ctx context.Context, in *s3.GetBucketEncryptionInput) (*s3.GetBucketEncryptionOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	rule := types.ServerSideEncryptionRule{
		ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAes256},
		BucketKeyEnabled:                   aws.Bool(false),
	}
	if b.Encryption != nil {
		rule = *b.Encryption
	}
	config := &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{rule}}
	return &s3.GetBucketEncryptionOutput{ServerSideEncryptionConfiguration: config}, nil
}

// DeleteBucketEncryption goes back to AES256.
func (s *Service) DeleteBucketEncryption(ctx context.Context, in *s3.DeleteBucketEncryptionInput) (*s3.DeleteBucketEncryptionOutput, error) {
	return &s3.DeleteBucketEncryptionOutput{}, s.changeBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ context.Context, b *bucket) error {
		b.Encryption = nil
		return nil
	})
}

func checkEncryption(algorithm types.ServerSideEncryption, key *string) error {
	switch {
	case algorithm == "" && key == nil:
		return nil
	case !slices.Contains([]types.ServerSideEncryption{types.ServerSideEncryptionAes256, types.ServerSideEncryptionAwsKms, types.ServerSideEncryptionAwsKmsDsse}, algorithm):
		return invalidArgument("The encryption method specified is not supported", "x-amz-server-side-encryption", string(algorithm))
	case algorithm == types.ServerSideEncryptionAes256 && key != nil:
		return invalidArgument("a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse", "KMSMasterKeyID", *key)
	}
	return nil
}

// encrypt notes in a the encryption that the object is written with: what the
// request says, else the bucket's default.
func (a *attributes) encrypt(b bucket) error {
	if err := checkEncryption(a.ServerSideEncryption, a.SSEKMSKeyId); err != nil {
		return err
	}
	if a.ServerSideEncryption == "" {
		a.ServerSideEncryption = types.ServerSideEncryptionAes256
		if b.Encryption != nil && b.Encryption.ApplyServerSideEncryptionByDefault != nil {
			with := b.Encryption.ApplyServerSideEncryptionByDefault
			a.ServerSideEncryption, a.SSEKMSKeyId = with.SSEAlgorithm, with.KMSMasterKeyID
			if a.BucketKeyEnabled == nil {
				a.BucketKeyEnabled = b.Encryption.BucketKeyEnabled
			}
		}
	}
	if a.ServerSideEncryption == types.ServerSideEncryptionAes256 {
		a.SSEKMSKeyId, a.BucketKeyEnabled = nil, nil
	} else if a.SSEKMSKeyId == nil {
		key := door.Caller{Account: b.Owner, Region: b.Region}.ResourceARN("kms", "alias/aws/s3")
		a.SSEKMSKeyId = &key
	}
	return nil
}
