package s3_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestConfigurationsComeBack(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	ctx, name := t.Context(), str("bucket")
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	rule := types.LifecycleRule{Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: str("tmp/")}, Expiration: &types.LifecycleExpiration{Days: aws.Int32(3)}}
	must(c.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: name, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{rule}}}))
	lifecycle, err := c.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: name})
	if err != nil || len(lifecycle.Rules) != 1 || *lifecycle.Rules[0].Filter.Prefix != "tmp/" || *lifecycle.Rules[0].ID == "" {
		t.Errorf("lifecycle: %+v, %v", lifecycle, err)
	}

	key := types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: str("arn:aws:kms:us-east-1:000000000000:key/k")}
	must(c.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: name, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
		Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &key, BucketKeyEnabled: aws.Bool(true)}}}}))
	if put := c.put(t, "key", "x"); put.ServerSideEncryption != types.ServerSideEncryptionAwsKms || *put.SSEKMSKeyId != *key.KMSMasterKeyID || !*put.BucketKeyEnabled {
		t.Errorf("an object in a bucket that encrypts by KMS: %+v", put)
	}

	policy := `{ "Statement": [{"Sid":"TLS","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`
	must(c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: name, Policy: &policy}))
	got, err := c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: name})
	if err != nil || *got.Policy != policy {
		t.Errorf("policy: %v, %v", got, err)
	}
	status, err := c.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: name})
	if err != nil || *status.PolicyStatus.IsPublic {
		t.Errorf("policy status: %+v, %v", status, err)
	}

	must(c.PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{Bucket: name, OwnershipControls: &types.OwnershipControls{
		Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipObjectWriter}}}}))
	must(c.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: name, ACL: types.BucketCannedACLPublicRead}))
	acl, err := c.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: name})
	if err != nil || len(acl.Grants) != 2 || acl.Grants[1].Grantee.Type != types.TypeGroup || acl.Grants[1].Permission != types.PermissionRead {
		t.Errorf("ACL: %+v, %v", acl, err)
	}

	must(c.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: name, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: str("a"), Value: str("b")}}}}))
	must(c.DeleteBucketTagging(ctx, &s3.DeleteBucketTaggingInput{Bucket: name}))
	wantError(t, refuse(c.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: name})), "NoSuchTagSet", 404)

	site := &types.WebsiteConfiguration{IndexDocument: &types.IndexDocument{Suffix: str("index.html")}, RoutingRules: []types.RoutingRule{
		{Condition: &types.Condition{KeyPrefixEquals: str("docs/")}, Redirect: &types.Redirect{ReplaceKeyPrefixWith: str("documents/")}}}}
	must(c.PutBucketWebsite(ctx, &s3.PutBucketWebsiteInput{Bucket: name, WebsiteConfiguration: site}))
	website, err := c.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: name})
	if err != nil || *website.RoutingRules[0].Redirect.ReplaceKeyPrefixWith != "documents/" {
		t.Errorf("website: %+v, %v", website, err)
	}

	must(c.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: name, Key: str("key"), Tagging: &types.Tagging{TagSet: []types.Tag{{Key: str("t"), Value: str("v")}}}}))
	tags, err := c.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: name, Key: str("key")})
	if err != nil || len(tags.TagSet) != 1 || *tags.TagSet[0].Value != "v" {
		t.Errorf("object tags: %+v, %v", tags, err)
	}
}
