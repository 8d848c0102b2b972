package s3

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// bucket is a bucket, with that part of its configuration which writing an
// object must know; the rest are documents.
type bucket struct {
	Name       string
	Owner      string // account
	Region     string
	Constraint types.BucketLocationConstraint `json:",omitempty"` // as the request gave it
	Created    time.Time
	Versioning types.BucketVersioningStatus    `json:",omitempty"` // empty: never enabled
	Ownership  types.ObjectOwnership           `json:",omitempty"`
	Encryption *types.ServerSideEncryptionRule `json:",omitempty"`
	Lock       *types.ObjectLockConfiguration  `json:",omitempty"`
	Events     bool                            `json:",omitempty"` // to EventBridge
	Receivers  []receiver                      `json:",omitempty"` // of events, besides EventBridge
}

func (b bucket) arn() string {
	return "arn:" + door.Caller{Region: b.Region}.Partition() + ":s3:::" + b.Name
}

// owner is the owner as lists and ACLs tell it.
func (b bucket) owner() *types.Owner { return ownerOf(b.Owner) }

// canonicalID is the account's canonical user id: 64 hexadecimal digits.
func canonicalID(account string) string {
	sum := sha256.Sum256([]byte("canonical user of account " + account))
	return hex.EncodeToString(sum[:])
}

func ownerOf(account string) *types.Owner { return &types.Owner{ID: aws.String(canonicalID(account))} }

// bucket gives the bucket of that name, if its owner is who the client expects.
func (s *Service) bucket(ctx context.Context, name, expectedOwner *string) (bucket, error) {
	b, err := s.known.get(aws.ToString(name), func() (bucket, error) {
		return s.buckets.Get(ctx, everywhere, aws.ToString(name))
	})
	if errors.Is(err, store.ErrNotFound) {
		return b, noSuchBucket(aws.ToString(name))
	}
	if err == nil && expectedOwner != nil && *expectedOwner != b.Owner {
		err = accessDenied()
	}
	return b, err
}

// HeadBucket tells a bucket's region.
func (s *Service) HeadBucket(ctx context.Context, in *s3.HeadBucketInput) (*s3.HeadBucketOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.HeadBucketOutput{BucketRegion: &b.Region, BucketArn: aws.String(b.arn()), AccessPointAlias: aws.Bool(false)}, nil
}

// GetBucketLocation gives the location constraint; buckets in us-east-1 have
// none.
func (s *Service) GetBucketLocation(ctx context.Context, in *s3.GetBucketLocationInput) (*s3.GetBucketLocationOutput, error) {
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketLocationOutput{LocationConstraint: b.Constraint}, nil
}

// ListBuckets lists the caller's buckets in every region, by name.
func (s *Service) ListBuckets(ctx context.Context, in *s3.ListBucketsInput) (*s3.ListBucketsOutput, error) {
	limit := 10000
	if in.MaxBuckets != nil {
		if limit = int(*in.MaxBuckets); limit < 1 || limit > 10000 {
			return nil, invalidArgument("Argument max-buckets must be an integer between 1 and 10000", "max-buckets", "")
		}
	}
	after, err := decodeToken(in.ContinuationToken)
	if err != nil {
		return nil, err
	}
	entries, err := s.buckets.List(ctx, everywhere, store.Query{Prefix: aws.ToString(in.Prefix), After: after})
	if err != nil {
		return nil, err
	}
	account := door.CallerFrom(ctx).Account
	out := &s3.ListBucketsOutput{Owner: ownerOf(account), Prefix: in.Prefix, Buckets: []types.Bucket{}}
	for _, e := range entries {
		b := e.Value
		if b.Owner != account || in.BucketRegion != nil && *in.BucketRegion != b.Region {
			continue
		}
		if len(out.Buckets) == limit {
			out.ContinuationToken = encodeToken(*out.Buckets[limit-1].Name)
			break
		}
		out.Buckets = append(out.Buckets, types.Bucket{Name: &b.Name, CreationDate: &b.Created, BucketRegion: &b.Region, BucketArn: aws.String(b.arn())})
	}
	return out, nil
}

// DeleteBucket removes an empty bucket with its configuration.
func (s *Service) DeleteBucket(ctx context.Context, in *s3.DeleteBucketInput) (*s3.DeleteBucketOutput, error) {
	if _, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	name := *in.Bucket
	done := s.known.change(name)
	err := s.atomically(ctx, func(ctx context.Context) error {
		if err := s.checkEmpty(ctx, name); err != nil {
			return err
		}
		if err := s.dropUploads(ctx, name); err != nil {
			return err
		}
		docs, err := s.documents.List(ctx, everywhere, store.Query{Prefix: name + "\x00"})
		if err != nil {
			return err
		}
		for _, d := range docs {
			if err := s.documents.Delete(ctx, everywhere, d.ID); err != nil {
				return err
			}
		}
		err = s.buckets.Delete(ctx, everywhere, name)
		if errors.Is(err, store.ErrNotFound) {
			return noSuchBucket(name)
		}
		return err
	})
	done()
	if err != nil {
		return nil, err
	}
	return &s3.DeleteBucketOutput{}, nil
}

func (s *Service) checkEmpty(ctx context.Context, name string) error {
	first := store.Query{Prefix: name + "\x00", Limit: 1}
	objects, err := s.listings.List(ctx, everywhere, first)
	if err != nil {
		return err
	}
	versions, err := s.versions.List(ctx, everywhere, first)
	if err != nil {
		return err
	}
	switch {
	case len(versions) > 0:
		return problem(http.StatusConflict, "BucketNotEmpty",
			"The bucket you tried to delete is not empty. You must delete all versions in the bucket.", "BucketName", name)
	case len(objects) > 0:
		return problem(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty", "BucketName", name)
	}
	return nil
}

// locations are the regions that a location constraint may name.
var locations = types.BucketLocationConstraint("").Values()

// location is the region that the request asks for. The rules are those of
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html.
func location(region string, constraint types.BucketLocationConstraint) (string, error) {
	const illegal = "IllegalLocationConstraintException"
	const incompatible = " location constraint is incompatible for the region specific endpoint this request was sent to."
	wanted := string(constraint)
	if constraint == types.BucketLocationConstraintEu {
		wanted = "eu-west-1"
	}
	switch {
	case constraint == "" && region == "us-east-1":
		return region, nil
	case constraint == "":
		return "", badRequest(illegal, "The unspecified"+incompatible)
	case !slices.Contains(locations, constraint) && wanted != region || wanted == "us-east-1":
		return "", badRequest("InvalidLocationConstraint", "The specified location-constraint is not valid", "LocationConstraint", wanted)
	case region != "us-east-1" && region != wanted:
		return "", badRequest(illegal, "The "+wanted+incompatible)
	}
	return wanted, nil
}

// locationURL is the Location that CreateBucket answers with.
func locationURL(b bucket) string {
	if b.Region == "us-east-1" {
		return "/" + b.Name
	}
	suffix := ""
	if strings.HasPrefix(b.Region, "cn-") {
		suffix = ".cn"
	}
	return "http://" + b.Name + ".s3.amazonaws.com" + suffix + "/"
}
