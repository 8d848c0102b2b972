package resource

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func bucketKinds() []*Kind {
	return []*Kind{
		{
			Type: "AWS::S3::Bucket", NameProperty: "BucketName", Naming: &Naming{Max: 63, Lower: true},
			Replace: []string{"BucketName"},
			Create:  createBucket, Update: updateBucket,
			Delete: func(ctx context.Context, r *Request) error {
				_, err := Client(r.Clients, s3.NewFromConfig).DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &r.Physical})
				return gone(err)
			},
		},
		{
			Type: "AWS::S3::BucketPolicy", Replace: []string{"Bucket"}, Untagged: true,
			Create: putBucketPolicy, Update: putBucketPolicy,
			Delete: func(ctx context.Context, r *Request) error {
				_, err := Client(r.Clients, s3.NewFromConfig).DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: &r.Physical})
				return gone(err)
			},
		},
	}
}

func putBucketPolicy(ctx context.Context, r *Request) (Result, error) {
	for name := range r.Properties {
		if name != "Bucket" && name != "PolicyDocument" {
			return Result{}, Sayf("Encountered unsupported property %s", name)
		}
	}
	bucket := r.Text("Bucket")
	_, err := Client(r.Clients, s3.NewFromConfig).PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{
		Bucket: &bucket, Policy: aws.String(document(r.Properties["PolicyDocument"]))})
	return Result{Physical: bucket}, err
}

// cannedACL are AccessControl's words and the API's.
var cannedACL = map[string]types.BucketCannedACL{
	"Private": types.BucketCannedACLPrivate, "PublicRead": types.BucketCannedACLPublicRead,
	"PublicReadWrite": types.BucketCannedACLPublicReadWrite, "AuthenticatedRead": types.BucketCannedACLAuthenticatedRead,
	"LogDeliveryWrite": "log-delivery-write", "BucketOwnerRead": "bucket-owner-read", "BucketOwnerFullControl": "bucket-owner-full-control",
}

func createBucket(ctx context.Context, r *Request) (Result, error) {
	if err := checkBucket(r); err != nil {
		return Result{}, err
	}
	client := Client(r.Clients, s3.NewFromConfig)
	if !r.Retry {
		// In us-east-1 S3 is content to make a bucket that the caller has already.
		if _, err := client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &r.Name}); err == nil {
			return Result{}, fmt.Errorf("%s already exists", r.Name)
		}
	}
	in := &s3.CreateBucketInput{Bucket: &r.Name}
	if r.Region != "us-east-1" {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(r.Region)}
	}
	if r.Text("ObjectLockEnabled") == "true" {
		in.ObjectLockEnabledForBucket = aws.Bool(true)
	}
	in.ACL = cannedACL[r.Text("AccessControl")]
	if object(r.Properties["OwnershipControls"]) != nil {
		rules := list(object(r.Properties["OwnershipControls"])["Rules"])
		if len(rules) > 0 {
			in.ObjectOwnership = types.ObjectOwnership(text(object(rules[0])["ObjectOwnership"]))
		}
	}
	if _, err := client.CreateBucket(ctx, in); err != nil && !(r.Retry && code(err) == "BucketAlreadyOwnedByYou") {
		return Result{}, err
	}
	r.Physical = r.Name
	if err := configureBucket(ctx, client, r); err != nil {
		return Result{}, err
	}
	return bucketResult(r), nil
}

func updateBucket(ctx context.Context, r *Request) (Result, error) {
	if err := checkBucket(r); err != nil {
		return Result{}, err
	}
	if err := configureBucket(ctx, Client(r.Clients, s3.NewFromConfig), r); err != nil {
		return Result{}, err
	}
	return bucketResult(r), nil
}

// bucketNotYet are properties that AWS has and this handler does not carry out.
var bucketNotYet = []string{"AnalyticsConfigurations", "IntelligentTieringConfigurations", "InventoryConfigurations", "MetricsConfigurations",
	"ReplicationConfiguration", "ObjectLockConfiguration", "MetadataTableConfiguration", "MetadataConfiguration", "AbacStatus"}

func checkBucket(r *Request) error {
	for _, name := range slices.Sorted(maps.Keys(r.Properties)) {
		if slices.Contains(bucketNotYet, name) {
			return fmt.Errorf("property %s of AWS::S3::Bucket is not supported by the local cloud yet", name)
		}
		_, setting := bucketSettings[name]
		if !setting && !slices.Contains([]string{"BucketName", "AccessControl", "ObjectLockEnabled", "Tags"}, name) {
			return Sayf("Encountered unsupported property %s", name)
		}
	}
	if acl := r.Text("AccessControl"); acl != "" && cannedACL[acl] == "" {
		return fmt.Errorf("%q is no canned access control list", acl)
	}
	return nil
}

// configureBucket brings the bucket's settings from Former to Properties.
func configureBucket(ctx context.Context, client *s3.Client, r *Request) error {
	for _, name := range bucketSettingOrder {
		now, was := r.Properties[name], r.Former[name]
		if document(now) == document(was) {
			continue
		}
		setting := bucketSettings[name]
		if now == nil {
			if err := gone(setting.remove(ctx, client, r.Name)); err != nil {
				return err
			}
		} else if err := setting.put(ctx, client, r.Name, now); err != nil {
			return err
		}
	}
	if acl, was := r.Text("AccessControl"), text(r.Former["AccessControl"]); r.Former != nil && acl != was {
		if acl == "" {
			acl = "Private"
		}
		if _, err := client.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: &r.Name, ACL: cannedACL[acl]}); err != nil {
			return err
		}
	}
	return tagBucket(ctx, client, r)
}

func tagBucket(ctx context.Context, client *s3.Client, r *Request) error {
	set, drop := r.tagChanges()
	if len(set)+len(drop) == 0 {
		return nil
	}
	tags := tagList(r.allTags(), func(k, v *string) types.Tag { return types.Tag{Key: k, Value: v} })
	if len(tags) == 0 {
		_, err := client.DeleteBucketTagging(ctx, &s3.DeleteBucketTaggingInput{Bucket: &r.Name})
		return err
	}
	_, err := client.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: &r.Name, Tagging: &types.Tagging{TagSet: tags}})
	return err
}

func bucketResult(r *Request) Result {
	b := r.Name
	return Result{Physical: b, Attributes: map[string]any{
		"Arn":                 "arn:" + r.Partition + ":s3:::" + b,
		"DomainName":          b + ".s3.amazonaws.com",
		"RegionalDomainName":  b + ".s3." + r.Region + ".amazonaws.com",
		"DualStackDomainName": b + ".s3.dualstack." + r.Region + ".amazonaws.com",
		"WebsiteURL":          "http://" + b + ".s3-website-" + r.Region + ".amazonaws.com",
	}}
}
