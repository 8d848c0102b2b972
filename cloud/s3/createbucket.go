package s3

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// CreateBucket makes a bucket. In us-east-1 making one's own bucket again
// succeeds and changes nothing.
func (s *Service) CreateBucket(ctx context.Context, in *s3.CreateBucketInput) (*s3.CreateBucketOutput, error) {
	b, err := s.newBucket(ctx, in)
	if err != nil {
		return nil, err
	}
	err = s.atomically(ctx, func(ctx context.Context) error {
		if err := s.buckets.Insert(ctx, everywhere, b.Name, b); err != nil {
			return err
		}
		return s.firstDocuments(ctx, b, in)
	})
	if errors.Is(err, store.ErrExists) {
		err = s.bucketExists(ctx, b)
	}
	if err != nil {
		return nil, err
	}
	return &s3.CreateBucketOutput{Location: aws.String(locationURL(b)), BucketArn: aws.String(b.arn())}, nil
}

func (s *Service) newBucket(ctx context.Context, in *s3.CreateBucketInput) (bucket, error) {
	caller := door.CallerFrom(ctx)
	config := value(in.CreateBucketConfiguration)
	b := bucket{
		Name: aws.ToString(in.Bucket), Owner: caller.Account, Constraint: config.LocationConstraint,
		Created: s.now(), Ownership: in.ObjectOwnership,
	}
	if config.Location != nil || config.Bucket != nil {
		return b, notImplemented("CreateBucketConfiguration (directory buckets)")
	}
	if err := checkBucketName(b.Name); err != nil {
		return b, err
	}
	var err error
	if b.Region, err = location(caller.Region, config.LocationConstraint); err != nil {
		return b, err
	}
	if b.Ownership == "" {
		b.Ownership = types.ObjectOwnershipBucketOwnerEnforced
	}
	if b.Ownership == types.ObjectOwnershipBucketOwnerEnforced && in.ACL != "" && in.ACL != types.BucketCannedACLPrivate {
		return b, badRequest("InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
	}
	if aws.ToBool(in.ObjectLockEnabledForBucket) {
		b.Versioning = types.BucketVersioningStatusEnabled
		b.Lock = &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled}
	}
	return b, nil
}

// firstDocuments writes the configuration that a new bucket has: public access
// is blocked, since https://aws.amazon.com/about-aws/whats-new/2023/04/.
func (s *Service) firstDocuments(ctx context.Context, b bucket, in *s3.CreateBucketInput) error {
	yes := aws.Bool(true)
	block := types.PublicAccessBlockConfiguration{BlockPublicAcls: yes, BlockPublicPolicy: yes, IgnorePublicAcls: yes, RestrictPublicBuckets: yes}
	if err := publicAccessBlock.write(ctx, s, b.Name, block); err != nil {
		return err
	}
	controls := types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: b.Ownership}}}
	if err := ownershipControls.write(ctx, s, b.Name, controls); err != nil {
		return err
	}
	if tags := value(in.CreateBucketConfiguration).Tags; len(tags) > 0 {
		if err := checkTags(tags, maxBucketTags); err != nil {
			return err
		}
		if err := bucketTagging.write(ctx, s, b.Name, types.Tagging{TagSet: tags}); err != nil {
			return err
		}
	}
	grants, err := grantsOf(b, b.Owner, string(in.ACL), grantHeaders{in.GrantFullControl, in.GrantRead, in.GrantReadACP, in.GrantWrite, in.GrantWriteACP})
	if err != nil || grants == nil {
		return err
	}
	return bucketACL.write(ctx, s, b.Name, types.AccessControlPolicy{Owner: b.owner(), Grants: grants})
}

// bucketExists tells what making a bucket means that is there already.
func (s *Service) bucketExists(ctx context.Context, b bucket) error {
	old, err := s.bucket(ctx, &b.Name, nil)
	switch {
	case err != nil:
		return err
	case old.Owner != b.Owner:
		return problem(http.StatusConflict, "BucketAlreadyExists",
			"The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
			"BucketName", b.Name)
	case old.Region == "us-east-1" && door.CallerFrom(ctx).Region == "us-east-1":
		return nil
	}
	return problem(http.StatusConflict, "BucketAlreadyOwnedByYou",
		"Your previous request to create the named bucket succeeded and you already own it.", "BucketName", b.Name)
}
