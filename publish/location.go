package publish

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/encoding/httpbinding"
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
	// KeyStyle is how keys are made; "" stands for KeyPath.
	KeyStyle KeyStyle
}

// KeyStyle is how an object's key is made of its path and hash.
type KeyStyle string

// Keys are PATH/HASH, or HASH with an extension: .template, .zip, or a file's
// own. Flat keys hold what several paths have in common once.
const (
	KeyPath KeyStyle = "path"
	KeyFlat KeyStyle = "flat"
)

func (l Location) key(o Object) string {
	switch {
	case l.KeyStyle != KeyFlat && o.Path == ".": // a folder's own name says nothing
		return l.Prefix + o.SHA256
	case l.KeyStyle != KeyFlat:
		return l.Prefix + o.Path + "/" + o.SHA256
	case o.Kind == KindTemplate:
		return l.Prefix + o.SHA256 + ".template"
	case o.Kind == KindArchive:
		return l.Prefix + o.SHA256 + ".zip"
	}
	return l.Prefix + o.SHA256 + path.Ext(o.Path)
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
	if l.KeyStyle != "" && l.KeyStyle != KeyPath && l.KeyStyle != KeyFlat {
		return "", fmt.Errorf("key style %q: there are %q and %q", l.KeyStyle, KeyPath, KeyFlat)
	}
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

// escapeKey is a key as a part of a URL. S3 takes a + there for a space, and
// what else has a meaning in some part of URLs is not left to chance.
func escapeKey(key string) string { return httpbinding.EscapePath(key, false) }
