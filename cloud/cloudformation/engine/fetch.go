package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"ouro/cloud/cloudformation/resource"
)

// MaxTemplateURL is the size in bytes that a template in S3 may have.
const MaxTemplateURL = 1 << 20

// errTemplateURL is CloudFormation's answer to an address outside S3.
var errTemplateURL = resource.Sayf("TemplateURL must be a supported URL.")

// FetchTemplate reads the template at an S3 address: of AWS in one of its
// forms, or of the endpoint in path style.
func FetchTemplate(ctx context.Context, cfg aws.Config, endpoint, address string) (string, error) {
	in, err := objectAt(endpoint, address)
	if err != nil {
		return "", err
	}
	text, err := readObject(ctx, cfg, in)
	switch {
	case resource.IsNotFound(err):
		return "", fmt.Errorf("S3 error: %s\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html", apiMessage(err))
	case isAPI(err):
		return "", resource.Sayf("TemplateURL must reference a valid S3 object to which you have access.")
	}
	return text, err
}

// readObject reads an object of the size that a template may have.
func readObject(ctx context.Context, cfg aws.Config, in *s3.GetObjectInput) (string, error) {
	out, err := s3.NewFromConfig(cfg).GetObject(ctx, in)
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	body, err := io.ReadAll(io.LimitReader(out.Body, MaxTemplateURL+1))
	if err != nil {
		return "", fmt.Errorf("reading s3://%s/%s: %w", *in.Bucket, *in.Key, err)
	}
	if len(body) > MaxTemplateURL {
		return "", resource.Sayf("Template may not exceed %d bytes in size.", MaxTemplateURL)
	}
	return string(body), nil
}

func isAPI(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api)
}

// objectAt reads an S3 address.
func objectAt(endpoint, address string) (*s3.GetObjectInput, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errTemplateURL
	}
	bucket, key := "", strings.TrimPrefix(u.Path, "/")
	own, _ := url.Parse(endpoint)
	host := u.Hostname()
	switch before, aws := strings.CutSuffix(strings.TrimSuffix(host, ".cn"), ".amazonaws.com"); {
	case aws:
		bucket, err = virtualBucket(before)
		if err != nil {
			return nil, err
		}
	case own != nil && u.Host == own.Host, loopback(host):
	case strings.HasSuffix(host, ".s3.localhost"), strings.HasSuffix(host, ".s3.localhost.localstack.cloud"):
		bucket, _, _ = strings.Cut(host, ".s3.localhost")
	default:
		return nil, errTemplateURL
	}
	if bucket == "" {
		bucket, key, _ = strings.Cut(key, "/")
	}
	if bucket == "" || key == "" {
		return nil, errTemplateURL
	}
	in := &s3.GetObjectInput{Bucket: &bucket, Key: &key}
	if v := u.Query().Get("versionId"); v != "" {
		in.VersionId = &v
	}
	return in, nil
}

// virtualBucket is the bucket in a host name of S3 before .amazonaws.com; empty
// when the host is S3's own: s3, s3-REGION, s3.REGION, s3.dualstack.REGION.
func virtualBucket(host string) (string, error) {
	labels := strings.Split(host, ".")
	for i, label := range labels {
		// A bucket may have a label s3 in its name; S3's own is the last one.
		rest := labels[i+1:]
		own := label == "s3" && (len(rest) <= 1 || len(rest) == 2 && rest[0] == "dualstack") || strings.HasPrefix(label, "s3-") && len(rest) == 0
		if own {
			return strings.Join(labels[:i], "."), nil
		}
	}
	return "", errTemplateURL
}

func loopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}
