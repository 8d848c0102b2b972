package codepipeline

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithy "github.com/aws/smithy-go"
)

// s3Source takes a version of an object: the newest, or the one that the
// execution was started with.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html
type s3Source struct{}

// summaryKey is where an object's metadata may say what its revision is about.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_SourceRevision.html
const summaryKey = "codepipeline-artifact-revision-summary"

func (s3Source) run(ctx context.Context, j *job) (*outcome, error) {
	client := s3.NewFromConfig(j.as)
	bucket, key := j.config["S3Bucket"], j.config["S3ObjectKey"]
	if k := j.override(types.SourceRevisionTypeS3ObjectKey); k != "" {
		if !strings.EqualFold(j.config["AllowOverrideForS3ObjectKey"], "true") {
			return nil, failed(types.FailureTypeConfigurationError, "the action %q does not allow its object key to be overridden", j.record.Name)
		}
		key = k
	}
	head, err := client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &bucket, Key: &key, VersionId: optional(j.override(types.SourceRevisionTypeS3ObjectVersionId)),
	})
	if err != nil {
		return nil, unavailable(err, bucket, key)
	}
	version := aws.ToString(head.VersionId)
	if version == "" || version == "null" {
		return nil, failed(types.FailureTypeConfigurationError, "The Amazon S3 bucket %s does not have versioning enabled. Enable versioning on the bucket and try again.", bucket)
	}
	to := j.record.Outputs[0]
	in := &s3.CopyObjectInput{
		Bucket: &to.Bucket, Key: &to.Key,
		CopySource: aws.String(bucket + "/" + escapeKey(key) + "?versionId=" + url.QueryEscape(version)),
	}
	in.ServerSideEncryption, in.SSEKMSKeyId = j.encryption()
	if _, err := client.CopyObject(ctx, in); err != nil {
		return nil, &foundError{version, unavailable(err, bucket, key)}
	}
	summary := "Amazon S3 version id: " + version
	return &outcome{
		summary:  summary,
		revision: &revision{ID: version, Summary: cmp.Or(head.Metadata[summaryKey], summary), URL: consoleURL(j.caller.Region, "s3/object/"+bucket+"/"+escapeKey(key))},
		variables: map[string]string{
			"BucketName": bucket, "ObjectKey": key, "VersionId": version, "ETag": strings.Trim(aws.ToString(head.ETag), `"`),
		},
	}, nil
}

// unavailable tells that an object cannot be had. The answer to HeadObject has
// no words of its own.
func unavailable(err error, bucket, key string) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	switch api.ErrorCode() {
	case "NotFound", "NoSuchKey", "NoSuchVersion", "NoSuchBucket":
		return failed(types.FailureTypeRevisionUnavailable, "The object with key '%s' does not exist in the Amazon S3 bucket %s.", key, bucket)
	case "Forbidden", "AccessDenied":
		return failed(types.FailureTypePermissionError, "The service role or action role doesn't have the permissions required to access the Amazon S3 bucket named %s. Update the IAM role permissions, and then try again. Error: %s", bucket, api.ErrorMessage())
	}
	return err
}

// escapeKey escapes an object's key for a URL and keeps its slashes.
func escapeKey(key string) string {
	parts := strings.Split(key, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}
