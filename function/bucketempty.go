package function

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/pipeline"
)

// emptied are the properties of bucket.empty. What is retained stays as it is:
// a resource that were left out instead would be deleted, and empty the bucket.
type emptied struct{ BucketName, Retain string }

// bucketEmpty empties a bucket, of all versions and delete markers, when the
// resource is deleted, so that CloudFormation can delete the bucket then.
func bucketEmpty(cfg aws.Config) *resource[emptied] {
	buckets := pipeline.NewBuckets(cfg)
	return &resource[emptied]{
		check: func(p *emptied) error {
			if p.BucketName == "" {
				return errors.New("BucketName says which bucket is emptied")
			}
			if !slices.Contains([]string{"", "true", "false"}, p.Retain) {
				return errors.New("the property Retain is true or false")
			}
			return nil
		},
		id:  func(_ *request, p *emptied) string { return p.BucketName },
		put: func(context.Context, *request, *emptied, *emptied) (map[string]string, error) { return nil, nil },
		remove: func(ctx context.Context, _ *request, p *emptied) error {
			if p.Retain == "true" {
				return nil
			}
			return pipeline.EmptyBucket(ctx, buckets, p.BucketName)
		},
	}
}
