package serverlessrepo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// ownAccount is the repository's own account, in which its buckets are.
const ownAccount = "998877665533"

// bucketOf is the repository's bucket of a region.
func bucketOf(region string) string {
	return "awsserverlessrepo-changesets-" + strings.ReplaceAll(region, "-", "")
}

func (s *Service) objects(region string) *s3.Client {
	cfg := s.host.As(door.Caller{Account: ownAccount, Region: region, Service: "serverlessrepo.amazonaws.com"})
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
}

// open makes the bucket of a region if it is not there yet. Two that do so at
// the same time do no harm.
func (s *Service) open(ctx context.Context, region string) error {
	s.mu.Lock()
	made := s.made[region]
	s.mu.Unlock()
	if made {
		return nil
	}
	in := &s3.CreateBucketInput{Bucket: aws.String(bucketOf(region))}
	if region != "us-east-1" {
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(region)}
	}
	var api smithy.APIError
	if _, err := s.objects(region).CreateBucket(ctx, in); err != nil && (!errors.As(err, &api) || api.ErrorCode() != "BucketAlreadyOwnedByYou") {
		return fmt.Errorf("making the bucket of applications: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made[region] = true
	return nil
}

// put keeps a text of the caller's, and gives its URL.
func (s *Service) put(ctx context.Context, name, text string) (string, error) {
	caller := door.CallerFrom(ctx)
	if err := s.open(ctx, caller.Region); err != nil {
		return "", err
	}
	bucket, key := bucketOf(caller.Region), caller.Account+"/"+name
	if _, err := s.objects(caller.Region).PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(text)}); err != nil {
		return "", fmt.Errorf("keeping %q: %w", name, err)
	}
	return s.host.Endpoint() + "/" + bucket + "/" + key, nil
}

// sweep deletes the texts whose names begin like that.
func (s *Service) sweep(ctx context.Context, scope store.Scope, prefix string) error {
	bucket, prefix := bucketOf(scope.Region), scope.Account+"/"+prefix
	client := s.objects(scope.Region)
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if none := (*s3types.NoSuchBucket)(nil); errors.As(err, &none) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("deleting the files below %q: %w", prefix, err)
		}
		for _, o := range page.Contents {
			if _, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: o.Key}); err != nil {
				return fmt.Errorf("deleting the files below %q: %w", prefix, err)
			}
		}
	}
	return nil
}

// keepText keeps a licence or a readme, if one is given, and gives its URL.
func (s *Service) keepText(ctx context.Context, name, what string, body, url *string) (string, error) {
	text, err := s.text(ctx, what, body, url, maxText)
	if err != nil || text == "" {
		return "", err
	}
	return s.put(ctx, name, text)
}

// text is what is given as it is, or in S3, where it is read as the caller.
func (s *Service) text(ctx context.Context, what string, body, url *string, limit int64) (string, error) {
	text := aws.ToString(body)
	switch {
	case body != nil && url != nil:
		return "", invalid("You can specify only one of %sBody and %sUrl", what, what)
	case url != nil:
		var err error
		if text, err = s.fetch(ctx, what, *url, limit); err != nil {
			return "", err
		}
	}
	if int64(len(text)) > limit {
		return "", invalid("The %s has more than %d bytes", what, limit)
	}
	return text, nil
}

// fetch reads an object at one of S3's addresses. It asks the door: no address
// leads out of the cloud.
func (s *Service) fetch(ctx context.Context, what, address string, limit int64) (string, error) {
	if rest, ok := strings.CutPrefix(address, "s3://"); ok {
		address = s.host.Endpoint() + "/" + rest
	}
	unreadable := invalid("The %sUrl %q is not the address of an object in S3 that can be read", what, address)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil || request.URL.Scheme != "http" && request.URL.Scheme != "https" {
		return "", unreadable
	}
	answer, err := s.host.As(door.CallerFrom(ctx)).HTTPClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("reading the %s: %w", what, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", unreadable
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, limit+1))
	if err != nil {
		return "", fmt.Errorf("reading the %s: %w", what, err)
	}
	return string(text), nil
}
