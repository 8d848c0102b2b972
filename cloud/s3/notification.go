package s3

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/cloud/store"
)

// bucketNotification is where a bucket's events go.
var bucketNotification = document[types.NotificationConfiguration]{name: "notification",
	check: checkNotification,
	apply: func(b *bucket, c types.NotificationConfiguration) {
		b.Events, b.Receivers = c.EventBridgeConfiguration != nil, receiversOf(&c)
	},
}

// PutBucketNotificationConfiguration sets where events go, once the receivers
// are known to take them.
func (s *Service) PutBucketNotificationConfiguration(ctx context.Context, in *s3.PutBucketNotificationConfigurationInput) (*s3.PutBucketNotificationConfigurationOutput, error) {
	config := in.NotificationConfiguration
	if config == nil { // an empty document turns notifications off
		config = &types.NotificationConfiguration{}
	}
	b, err := s.bucket(ctx, in.Bucket, in.ExpectedBucketOwner)
	if err == nil {
		err = checkNotification(b, config)
	}
	if err == nil && !aws.ToBool(in.SkipDestinationValidation) {
		err = s.events.try(ctx, b, receiversOf(config))
	}
	if err != nil {
		return nil, err
	}
	return putDocument[types.NotificationConfiguration, s3.PutBucketNotificationConfigurationOutput](ctx, s, bucketNotification, in.Bucket, in.ExpectedBucketOwner, config)
}

// GetBucketNotificationConfiguration tells where events go.
func (s *Service) GetBucketNotificationConfiguration(ctx context.Context, in *s3.GetBucketNotificationConfigurationInput) (*s3.GetBucketNotificationConfigurationOutput, error) {
	return getDocument(ctx, s, bucketNotification, in.Bucket, in.ExpectedBucketOwner, func(c types.NotificationConfiguration) *s3.GetBucketNotificationConfigurationOutput {
		return &s3.GetBucketNotificationConfigurationOutput{
			EventBridgeConfiguration: c.EventBridgeConfiguration, LambdaFunctionConfigurations: c.LambdaFunctionConfigurations,
			QueueConfigurations: c.QueueConfigurations, TopicConfigurations: c.TopicConfigurations,
		}
	})
}

// PutBucketLogging keeps where access logs should go; none are written.
func (s *Service) PutBucketLogging(ctx context.Context, in *s3.PutBucketLoggingInput) (*s3.PutBucketLoggingOutput, error) {
	status := in.BucketLoggingStatus
	if status == nil {
		status = &types.BucketLoggingStatus{}
	}
	if to := status.LoggingEnabled; to != nil {
		if _, err := s.buckets.Get(ctx, everywhere, aws.ToString(to.TargetBucket)); errors.Is(err, store.ErrNotFound) {
			return nil, badRequest("InvalidTargetBucketForLogging", "The target bucket for logging does not exist", "TargetBucket", aws.ToString(to.TargetBucket))
		}
	}
	return putDocument[types.BucketLoggingStatus, s3.PutBucketLoggingOutput](ctx, s, bucketLogging, in.Bucket, in.ExpectedBucketOwner, status)
}

// GetBucketLogging tells where access logs should go.
func (s *Service) GetBucketLogging(ctx context.Context, in *s3.GetBucketLoggingInput) (*s3.GetBucketLoggingOutput, error) {
	return getDocument(ctx, s, bucketLogging, in.Bucket, in.ExpectedBucketOwner, func(d types.BucketLoggingStatus) *s3.GetBucketLoggingOutput {
		return &s3.GetBucketLoggingOutput{LoggingEnabled: d.LoggingEnabled}
	})
}

// PutBucketLifecycleConfiguration keeps lifecycle rules; nothing expires by
// them.
func (s *Service) PutBucketLifecycleConfiguration(ctx context.Context, in *s3.PutBucketLifecycleConfigurationInput) (*s3.PutBucketLifecycleConfigurationOutput, error) {
	if in.LifecycleConfiguration == nil {
		return nil, malformedXML()
	}
	l := &lifecycle{Rules: in.LifecycleConfiguration.Rules, Minimum: in.TransitionDefaultMinimumObjectSize}
	out, err := putDocument[lifecycle, s3.PutBucketLifecycleConfigurationOutput](ctx, s, bucketLifecycle, in.Bucket, in.ExpectedBucketOwner, l)
	if err == nil {
		out.TransitionDefaultMinimumObjectSize = l.Minimum
	}
	return out, err
}

// GetBucketLifecycleConfiguration gives the lifecycle rules.
func (s *Service) GetBucketLifecycleConfiguration(ctx context.Context, in *s3.GetBucketLifecycleConfigurationInput) (*s3.GetBucketLifecycleConfigurationOutput, error) {
	return getDocument(ctx, s, bucketLifecycle, in.Bucket, in.ExpectedBucketOwner, func(l lifecycle) *s3.GetBucketLifecycleConfigurationOutput {
		return &s3.GetBucketLifecycleConfigurationOutput{Rules: l.Rules, TransitionDefaultMinimumObjectSize: l.Minimum}
	})
}

// DeleteBucketLifecycle removes the lifecycle rules.
func (s *Service) DeleteBucketLifecycle(ctx context.Context, in *s3.DeleteBucketLifecycleInput) (*s3.DeleteBucketLifecycleOutput, error) {
	return deleteDocument[lifecycle, s3.DeleteBucketLifecycleOutput](ctx, s, bucketLifecycle, in.Bucket, in.ExpectedBucketOwner)
}
