package function

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/pipeline"
)

// emptied are the properties of bucket.empty.
type emptied struct{ BucketName string }

// bucketEmpty empties a bucket, of all versions and delete markers, when the
// resource is deleted, so that CloudFormation can delete the bucket then.
func bucketEmpty(cfg aws.Config) *resource[emptied] {
	buckets := pipeline.NewBuckets(cfg)
	return &resource[emptied]{
		check: func(p *emptied) error {
			if p.BucketName == "" {
				return errors.New("BucketName says which bucket is emptied")
			}
			return nil
		},
		id:  func(_ *request, p *emptied) string { return p.BucketName },
		put: func(context.Context, *request, *emptied, *emptied) (map[string]string, error) { return nil, nil },
		remove: func(ctx context.Context, _ *request, p *emptied) error {
			return pipeline.EmptyBucket(ctx, buckets, p.BucketName)
		},
	}
}
