package s3

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const (
	maxBucketTags = 50
	maxObjectTags = 10
)

// checkTags holds tags to the rules of
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html.
func checkTags(tags []types.Tag, limit int) error {
	if len(tags) > limit {
		what := "Bucket tag count cannot be greater than 50"
		if limit == maxObjectTags {
			what = "Object tags cannot be greater than 10"
		}
		return badRequest("BadRequest", what)
	}
	seen := map[string]bool{}
	for _, t := range tags {
		key := aws.ToString(t.Key)
		switch {
		case key == "" || utf8.RuneCountInString(key) > 128:
			return badRequest("InvalidTag", "The TagKey you have provided is invalid", "TagKey", key)
		case utf8.RuneCountInString(aws.ToString(t.Value)) > 256:
			return badRequest("InvalidTag", "The TagValue you have provided is invalid", "TagValue", *t.Value)
		case seen[key]:
			return badRequest("InvalidTag", "Cannot provide multiple Tags with the same key", "TagKey", key)
		case limit == maxBucketTags && strings.HasPrefix(key, "aws:") && !strings.HasPrefix(key, "aws:cloudformation:"):
			// CloudFormation's own tags come in with its ordinary calls here.
			return badRequest("InvalidTag", "System tags cannot be added/updated by requester", "TagKey", key)
		}
		seen[key] = true
	}
	return nil
}

// tagsOfHeader reads the header x-amz-tagging, which is written like a query.
func tagsOfHeader(header *string) ([]types.Tag, error) {
	if aws.ToString(header) == "" {
		return nil, nil
	}
	values, err := url.ParseQuery(*header)
	if err != nil {
		return nil, invalidArgument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.", "x-amz-tagging", *header)
	}
	var tags []types.Tag
	for key, vs := range values {
		for _, v := range vs {
			tags = append(tags, types.Tag{Key: aws.String(key), Value: aws.String(v)})
		}
	}
	slices.SortFunc(tags, func(a, b types.Tag) int { return strings.Compare(*a.Key, *b.Key) })
	return tags, checkTags(tags, maxObjectTags)
}

// PutObjectTagging replaces the tags of a version.
func (s *Service) PutObjectTagging(ctx context.Context, in *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	if in.Tagging == nil {
		return nil, malformedXML()
	}
	if err := checkTags(in.Tagging.TagSet, maxObjectTags); err != nil {
		return nil, err
	}
	o, err := s.changeVersion(ctx, target{in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner}, func(_ bucket, o *object) error {
		o.Tags = in.Tagging.TagSet
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &s3.PutObjectTaggingOutput{VersionId: o.shownVersion()}, nil
}

// GetObjectTagging gives the tags of a version.
func (s *Service) GetObjectTagging(ctx context.Context, in *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error) {
	_, o, err := s.version(ctx, target{in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner}, "GET")
	if err != nil {
		return nil, err
	}
	out := &s3.GetObjectTaggingOutput{TagSet: o.Tags, VersionId: o.shownVersion()}
	if out.TagSet == nil {
		out.TagSet = []types.Tag{}
	}
	return out, nil
}

// DeleteObjectTagging removes the tags of a version.
func (s *Service) DeleteObjectTagging(ctx context.Context, in *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	o, err := s.changeVersion(ctx, target{in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner}, func(_ bucket, o *object) error {
		o.Tags = nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &s3.DeleteObjectTaggingOutput{VersionId: o.shownVersion()}, nil
}
