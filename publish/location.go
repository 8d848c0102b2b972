package publish

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Location is where a tree is published: a bucket, and the address that
// CloudFormation fetches it from.
type Location struct {
	Bucket string
	Region string
	// Endpoint is the base URL of an S3 that is not AWS's own, "" for AWS.
	Endpoint string
	// Prefix goes before every key, with its slash; usually "".
	Prefix string
}

// LocationOf is the location of bucket for clients with these options, as
// (*s3.Client).Options gives them.
func LocationOf(o s3.Options, bucket string) Location {
	return Location{Bucket: bucket, Region: o.Region, Endpoint: aws.ToString(o.BaseEndpoint)}
}

// base is the URL of the bucket without a trailing slash: below Endpoint in
// path style, otherwise as AWS's endpoint rules say for the region's partition
// (virtual-hosted style, or path style for names that do not fit into TLS
// certificates).
func (l Location) base() (string, error) {
	if l.Bucket == "" {
		return "", errors.New("no bucket is given to publish to")
	}
	if l.Endpoint != "" {
		return strings.TrimRight(l.Endpoint, "/") + "/" + l.Bucket, nil
	}
	if l.Region == "" {
		return "", fmt.Errorf("no region is given for bucket %q", l.Bucket)
	}
	// See https://docs.aws.amazon.com/general/latest/gr/s3.html.
	at, err := s3.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), s3.EndpointParameters{
		Bucket: aws.String(l.Bucket), Region: aws.String(l.Region),
	})
	if err != nil {
		return "", fmt.Errorf("find the address of bucket %q in %q: %w", l.Bucket, l.Region, err)
	}
	return strings.TrimRight(at.URI.String(), "/"), nil
}

// escapeKey is a key as a part of a URL.
func escapeKey(key string) string {
	return (&url.URL{Path: key}).EscapedPath()
}
