package s3

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// The documents that a bucket may have, with AWS's words for their absence.
var (
	publicAccessBlock = document[types.PublicAccessBlockConfiguration]{name: "publicAccessBlock",
		missing: "NoSuchPublicAccessBlockConfiguration", message: "The public access block configuration was not found"}
	ownershipControls = document[types.OwnershipControls]{name: "ownershipControls",
		missing: "OwnershipControlsNotFoundError", message: "The bucket ownership controls were not found",
		check: checkOwnership, apply: applyOwnership}
	bucketTagging = document[types.Tagging]{name: "tagging",
		missing: "NoSuchTagSet", message: "The TagSet does not exist", check: checkBucketTagging}
	bucketCors = document[types.CORSConfiguration]{name: "cors",
		missing: "NoSuchCORSConfiguration", message: "The CORS configuration does not exist", check: checkCORS}
	bucketWebsite = document[types.WebsiteConfiguration]{name: "website",
		missing: "NoSuchWebsiteConfiguration", message: "The specified bucket does not have a website configuration", check: checkWebsite}
	bucketLifecycle = document[lifecycle]{name: "lifecycle",
		missing: "NoSuchLifecycleConfiguration", message: "The lifecycle configuration does not exist", check: checkLifecycle}
	bucketReplication = document[types.ReplicationConfiguration]{name: "replication",
		missing: "ReplicationConfigurationNotFoundError", message: "The replication configuration was not found", check: checkReplication}
	bucketLogging        = document[types.BucketLoggingStatus]{name: "logging"}
	bucketAccelerate     = document[types.AccelerateConfiguration]{name: "accelerate", check: checkAccelerate}
	bucketRequestPayment = document[types.RequestPaymentConfiguration]{name: "requestPayment", check: checkRequestPayment}
	bucketACL            = document[types.AccessControlPolicy]{name: "acl"}
)

// PutPublicAccessBlock sets what public access is blocked.
func (s *Service) PutPublicAccessBlock(ctx context.Context, in *s3.PutPublicAccessBlockInput) (*s3.PutPublicAccessBlockOutput, error) {
	return putDocument[types.PublicAccessBlockConfiguration, s3.PutPublicAccessBlockOutput](ctx, s, publicAccessBlock, in.Bucket, in.ExpectedBucketOwner, in.PublicAccessBlockConfiguration)
}

// GetPublicAccessBlock tells what public access is blocked.
func (s *Service) GetPublicAccessBlock(ctx context.Context, in *s3.GetPublicAccessBlockInput) (*s3.GetPublicAccessBlockOutput, error) {
	return getDocument(ctx, s, publicAccessBlock, in.Bucket, in.ExpectedBucketOwner, func(d types.PublicAccessBlockConfiguration) *s3.GetPublicAccessBlockOutput {
		return &s3.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: &d}
	})
}

// DeletePublicAccessBlock removes the block.
func (s *Service) DeletePublicAccessBlock(ctx context.Context, in *s3.DeletePublicAccessBlockInput) (*s3.DeletePublicAccessBlockOutput, error) {
	return deleteDocument[types.PublicAccessBlockConfiguration, s3.DeletePublicAccessBlockOutput](ctx, s, publicAccessBlock, in.Bucket, in.ExpectedBucketOwner)
}

// PutBucketOwnershipControls sets who owns objects and whether ACLs count.
func (s *Service) PutBucketOwnershipControls(ctx context.Context, in *s3.PutBucketOwnershipControlsInput) (*s3.PutBucketOwnershipControlsOutput, error) {
	return putDocument[types.OwnershipControls, s3.PutBucketOwnershipControlsOutput](ctx, s, ownershipControls, in.Bucket, in.ExpectedBucketOwner, in.OwnershipControls)
}

// GetBucketOwnershipControls tells who owns objects.
func (s *Service) GetBucketOwnershipControls(ctx context.Context, in *s3.GetBucketOwnershipControlsInput) (*s3.GetBucketOwnershipControlsOutput, error) {
	return getDocument(ctx, s, ownershipControls, in.Bucket, in.ExpectedBucketOwner, func(d types.OwnershipControls) *s3.GetBucketOwnershipControlsOutput {
		return &s3.GetBucketOwnershipControlsOutput{OwnershipControls: &d}
	})
}

// DeleteBucketOwnershipControls removes the controls; ACLs count then.
func (s *Service) DeleteBucketOwnershipControls(ctx context.Context, in *s3.DeleteBucketOwnershipControlsInput) (*s3.DeleteBucketOwnershipControlsOutput, error) {
	return deleteDocument[types.OwnershipControls, s3.DeleteBucketOwnershipControlsOutput](ctx, s, ownershipControls, in.Bucket, in.ExpectedBucketOwner)
}

// PutBucketTagging sets the bucket's tags.
func (s *Service) PutBucketTagging(ctx context.Context, in *s3.PutBucketTaggingInput) (*s3.PutBucketTaggingOutput, error) {
	return putDocument[types.Tagging, s3.PutBucketTaggingOutput](ctx, s, bucketTagging, in.Bucket, in.ExpectedBucketOwner, in.Tagging)
}

// GetBucketTagging gives the bucket's tags.
func (s *Service) GetBucketTagging(ctx context.Context, in *s3.GetBucketTaggingInput) (*s3.GetBucketTaggingOutput, error) {
	return getDocument(ctx, s, bucketTagging, in.Bucket, in.ExpectedBucketOwner, func(d types.Tagging) *s3.GetBucketTaggingOutput {
		return &s3.GetBucketTaggingOutput{TagSet: d.TagSet}
	})
}

// DeleteBucketTagging removes the bucket's tags.
func (s *Service) DeleteBucketTagging(ctx context.Context, in *s3.DeleteBucketTaggingInput) (*s3.DeleteBucketTaggingOutput, error) {
	return deleteDocument[types.Tagging, s3.DeleteBucketTaggingOutput](ctx, s, bucketTagging, in.Bucket, in.ExpectedBucketOwner)
}

// PutBucketCors keeps CORS rules.
func (s *Service) PutBucketCors(ctx context.Context, in *s3.PutBucketCorsInput) (*s3.PutBucketCorsOutput, error) {
	return putDocument[types.CORSConfiguration, s3.PutBucketCorsOutput](ctx, s, bucketCors, in.Bucket, in.ExpectedBucketOwner, in.CORSConfiguration)
}

// GetBucketCors gives the CORS rules.
func (s *Service) GetBucketCors(ctx context.Context, in *s3.GetBucketCorsInput) (*s3.GetBucketCorsOutput, error) {
	return getDocument(ctx, s, bucketCors, in.Bucket, in.ExpectedBucketOwner, func(d types.CORSConfiguration) *s3.GetBucketCorsOutput {
		return &s3.GetBucketCorsOutput{CORSRules: d.CORSRules}
	})
}

// DeleteBucketCors removes the CORS rules.
func (s *Service) DeleteBucketCors(ctx context.Context, in *s3.DeleteBucketCorsInput) (*s3.DeleteBucketCorsOutput, error) {
	return deleteDocument[types.CORSConfiguration, s3.DeleteBucketCorsOutput](ctx, s, bucketCors, in.Bucket, in.ExpectedBucketOwner)
}

// PutBucketWebsite keeps a website configuration; no website is served.
func (s *Service) PutBucketWebsite(ctx context.Context, in *s3.PutBucketWebsiteInput) (*s3.PutBucketWebsiteOutput, error) {
	return putDocument[types.WebsiteConfiguration, s3.PutBucketWebsiteOutput](ctx, s, bucketWebsite, in.Bucket, in.ExpectedBucketOwner, in.WebsiteConfiguration)
}

// GetBucketWebsite gives the website configuration.
func (s *Service) GetBucketWebsite(ctx context.Context, in *s3.GetBucketWebsiteInput) (*s3.GetBucketWebsiteOutput, error) {
	return getDocument(ctx, s, bucketWebsite, in.Bucket, in.ExpectedBucketOwner, func(d types.WebsiteConfiguration) *s3.GetBucketWebsiteOutput {
		return &s3.GetBucketWebsiteOutput{ErrorDocument: d.ErrorDocument, IndexDocument: d.IndexDocument, RedirectAllRequestsTo: d.RedirectAllRequestsTo, RoutingRules: d.RoutingRules}
	})
}

// DeleteBucketWebsite removes the website configuration.
func (s *Service) DeleteBucketWebsite(ctx context.Context, in *s3.DeleteBucketWebsiteInput) (*s3.DeleteBucketWebsiteOutput, error) {
	return deleteDocument[types.WebsiteConfiguration, s3.DeleteBucketWebsiteOutput](ctx, s, bucketWebsite, in.Bucket, in.ExpectedBucketOwner)
}

// PutBucketReplication keeps replication rules; nothing is replicated.
func (s *Service) PutBucketReplication(ctx context.Context, in *s3.PutBucketReplicationInput) (*s3.PutBucketReplicationOutput, error) {
	return putDocument[types.ReplicationConfiguration, s3.PutBucketReplicationOutput](ctx, s, bucketReplication, in.Bucket, in.ExpectedBucketOwner, in.ReplicationConfiguration)
}

// GetBucketReplication gives the replication rules.
func (s *Service) GetBucketReplication(ctx context.Context, in *s3.GetBucketReplicationInput) (*s3.GetBucketReplicationOutput, error) {
	return getDocument(ctx, s, bucketReplication, in.Bucket, in.ExpectedBucketOwner, func(d types.ReplicationConfiguration) *s3.GetBucketReplicationOutput {
		return &s3.GetBucketReplicationOutput{ReplicationConfiguration: &d}
	})
}

// DeleteBucketReplication removes the replication rules.
func (s *Service) DeleteBucketReplication(ctx context.Context, in *s3.DeleteBucketReplicationInput) (*s3.DeleteBucketReplicationOutput, error) {
	return deleteDocument[types.ReplicationConfiguration, s3.DeleteBucketReplicationOutput](ctx, s, bucketReplication, in.Bucket, in.ExpectedBucketOwner)
}

// PutBucketAccelerateConfiguration keeps the state of transfer acceleration.
func (s *Service) PutBucketAccelerateConfiguration(ctx context.Context, in *s3.PutBucketAccelerateConfigurationInput) (*s3.PutBucketAccelerateConfigurationOutput, error) {
	return putDocument[types.AccelerateConfiguration, s3.PutBucketAccelerateConfigurationOutput](ctx, s, bucketAccelerate, in.Bucket, in.ExpectedBucketOwner, in.AccelerateConfiguration)
}

// GetBucketAccelerateConfiguration gives the state of transfer acceleration.
func (s *Service) GetBucketAccelerateConfiguration(ctx context.Context, in *s3.GetBucketAccelerateConfigurationInput) (*s3.GetBucketAccelerateConfigurationOutput, error) {
	return getDocument(ctx, s, bucketAccelerate, in.Bucket, in.ExpectedBucketOwner, func(d types.AccelerateConfiguration) *s3.GetBucketAccelerateConfigurationOutput {
		return &s3.GetBucketAccelerateConfigurationOutput{Status: d.Status}
	})
}

// PutBucketRequestPayment keeps who pays for requests.
func (s *Service) PutBucketRequestPayment(ctx context.Context, in *s3.PutBucketRequestPaymentInput) (*s3.PutBucketRequestPaymentOutput, error) {
	return putDocument[types.RequestPaymentConfiguration, s3.PutBucketRequestPaymentOutput](ctx, s, bucketRequestPayment, in.Bucket, in.ExpectedBucketOwner, in.RequestPaymentConfiguration)
}

// GetBucketRequestPayment tells who pays for requests.
func (s *Service) GetBucketRequestPayment(ctx context.Context, in *s3.GetBucketRequestPaymentInput) (*s3.GetBucketRequestPaymentOutput, error) {
	return getDocument(ctx, s, bucketRequestPayment, in.Bucket, in.ExpectedBucketOwner, func(d types.RequestPaymentConfiguration) *s3.GetBucketRequestPaymentOutput {
		if d.Payer == "" {
			d.Payer = types.PayerBucketOwner
		}
		return &s3.GetBucketRequestPaymentOutput{Payer: d.Payer}
	})
}
