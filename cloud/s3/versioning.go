package s3

import (
	"context"
	"crypto/rand"
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// nameRule gives a rule without an id a random one, as AWS does.
func nameRule(id **string) {
	if aws.ToString(*id) == "" {
		b := make([]byte, 36)
		rand.Read(b) //nolint:errcheck // never fails: https://pkg.go.dev/crypto/rand#Read
		*id = aws.String(base64.RawURLEncoding.EncodeToString(b))
	}
}

// PutBucketVersioning enables or suspends versions.
func (s *Service) PutBucketVersioning(ctx context.Context, in *s3.PutBucketVersioningInput) (*s3.PutBucketVersioningOutput, error) {
	config := value(in.VersioningConfiguration)
	switch {
	case config.Status != types.BucketVersioningStatusEnabled && config.Status != types.BucketVersioningStatusSuspended:
		return nil, badRequest("IllegalVersioningConfigurationException", "The Versioning element must be specified")
	case config.MFADelete == types.MFADeleteEnabled:
		return nil, notImplemented("MfaDelete")
	}
	err := s.changeBucket(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ context.Context, b *bucket) error {
		if b.Lock != nil && config.Status == types.BucketVersioningStatusSuspended {
			return invalidState("An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
		}
		b.Versioning = config.Status
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &s3.PutBucketVersioningOutput{}, nil
}

// GetBucketVersioning tells whether versions are kept; a bucket whose versions
// were never enabled has no status.
func (s *Service) GetBucketVersioning(ctx context.Context, in *s3.GetBucketVersioningInput) (*s3.GetBucketVersioningOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketVersioningOutput{Status: b.Versioning}, nil
}
