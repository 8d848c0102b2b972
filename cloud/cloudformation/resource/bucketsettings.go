package resource

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// bucketSetting is one sub-configuration of a bucket: the calls that set it and
// that take it away.
type bucketSetting struct {
	put    func(ctx context.Context, c *s3.Client, bucket string, value any) error
	remove func(ctx context.Context, c *s3.Client, bucket string) error
}

// bucketSettingOrder is the order of the calls: who may own objects before
// who may reach them.
var bucketSettingOrder = []string{"OwnershipControls", "PublicAccessBlockConfiguration", "VersioningConfiguration", "BucketEncryption",
	"LifecycleConfiguration", "CorsConfiguration", "WebsiteConfiguration", "LoggingConfiguration", "AccelerateConfiguration", "NotificationConfiguration"}

var bucketSettings = map[string]bucketSetting{
	"OwnershipControls": {
		put: bound("OwnershipControls", asIs, func(in *s3.PutBucketOwnershipControlsInput, b *string) { in.Bucket = b }, (*s3.Client).PutBucketOwnershipControls),
		remove: func(ctx context.Context, c *s3.Client, b string) error {
			_, err := c.DeleteBucketOwnershipControls(ctx, &s3.DeleteBucketOwnershipControlsInput{Bucket: &b})
			return err
		},
	},
	"PublicAccessBlockConfiguration": {
		put: bound("PublicAccessBlockConfiguration", asIs, func(in *s3.PutPublicAccessBlockInput, b *string) { in.Bucket = b }, (*s3.Client).PutPublicAccessBlock),
		remove: func(ctx context.Context, c *s3.Client, b string) error {
			_, err := c.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: &b})
			return err
		},
	},
	"VersioningConfiguration": {
		put: bound("VersioningConfiguration", asIs, func(in *s3.PutBucketVersioningInput, b *string) { in.Bucket = b }, (*s3.Client).PutBucketVersioning),
		remove: func(ctx context.Context, c *s3.Client, b string) error {
			_, err := c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: &b,
				VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusSuspended}})
			return err
		},
	},
	"BucketEncryption": {
		put: bound("ServerSideEncryptionConfiguration", encryption, func(in *s3.PutBucketEncryptionInput, b *string) { in.Bucket = b }, (*s3.Client).PutBucketEncryption),
		remove: func(ctx context.Context, c *s3.Client, b string) error {
			_, err := c.DeleteBucketEncryption(ctx, &s3.DeleteBucketEncryptionInput{Bucket: &b})
			return err
		},
	},
	"LifecycleConfiguration": {
		put: bound("LifecycleConfiguration", lifecycle, func(in *s3.PutBucketLifecycleConfigurationInput, b *string) { in.Bucket = b }, (*s3.Client).PutBucketLifecycleConfiguration),
		remove: func(ctx context.Context, c *s3.Client, b string) error {
			_, err := c.DeleteBucketLifecycle(ctx, &s3.DeleteBucketLifecycleInput{Bucket: &b})
			return err
		},
	},
	"CorsConfiguration": {
		put: bound("CORSConfiguration", cors, func(in *s3.PutBucketCorsInput, b *string) { in.Bucket = b }, (*s3.Client).PutBucketCors),
		remove: func(ctx context.Context, c *s3.Client, b string) error {
			_, err := c.DeleteBucketCors(ctx, &s3.DeleteBucketCorsInput{Bucket: &b})
			return err
		},
	},
	"WebsiteConfiguration": {
		put: bound("WebsiteConfiguration", website, func(in *s3.PutBucketWebsiteInput, b *string) { in.Bucket = b }, (*s3.Client).PutBucketWebsite),
		remove: func(ctx context.Context, c *s3.Client, b string) error {
			_, err := c.DeleteBucketWebsite(ctx, &s3.DeleteBucketWebsiteInput{Bucket: &b})
			return err
		},
	},
	"LoggingConfiguration": {
		put: putBucketLogging,
		remove: func(ctx context.Context, c *s3.Client, b string) error {
			_, err := c.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: &b, BucketLoggingStatus: &types.BucketLoggingStatus{}})
			return err
		},
	},
	"AccelerateConfiguration": {
		put: bound("AccelerateConfiguration", renamed(map[string]string{"AccelerationStatus": "Status"}),
			func(in *s3.PutBucketAccelerateConfigurationInput, b *string) { in.Bucket = b }, (*s3.Client).PutBucketAccelerateConfiguration),
		remove: func(ctx context.Context, c *s3.Client, b string) error {
			_, err := c.PutBucketAccelerateConfiguration(ctx, &s3.PutBucketAccelerateConfigurationInput{Bucket: &b,
				AccelerateConfiguration: &types.AccelerateConfiguration{Status: types.BucketAccelerateStatusSuspended}})
			return err
		},
	},
	"NotificationConfiguration": {
		put: bound("NotificationConfiguration", notification, func(in *s3.PutBucketNotificationConfigurationInput, b *string) { in.Bucket = b }, (*s3.Client).PutBucketNotificationConfiguration),
		remove: func(ctx context.Context, c *s3.Client, b string) error {
			_, err := c.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: &b,
				NotificationConfiguration: &types.NotificationConfiguration{}})
			return err
		},
	},
}

// bound makes a put from an SDK call: the property's value, brought into the
// API's shape, becomes the named member of the call's input.
func bound[In, Out any](member string, shape func(any) (any, error), address func(*In, *string), call func(*s3.Client, context.Context, *In, ...func(*s3.Options)) (*Out, error)) func(context.Context, *s3.Client, string, any) error {
	return func(ctx context.Context, c *s3.Client, bucket string, value any) error {
		shaped, err := shape(value)
		if err != nil {
			return err
		}
		in := new(In)
		if err := Bind(map[string]any{member: shaped}, in); err != nil {
			return err
		}
		address(in, &bucket)
		_, err = call(c, ctx, in)
		return err
	}
}

func asIs(v any) (any, error) { return v, nil }

// rename gives an object the API's names; names that are not in the table stay.
func rename(v any, names map[string]string) map[string]any {
	out := map[string]any{}
	for k, value := range object(v) {
		if to, ok := names[k]; ok {
			k = to
		}
		out[k] = value
	}
	return out
}

func renamed(names map[string]string) func(any) (any, error) {
	return func(v any) (any, error) { return rename(v, names), nil }
}

func renameAll(v any, names map[string]string) []any {
	var out []any
	for _, item := range list(v) {
		out = append(out, rename(item, names))
	}
	return out
}

func encryption(v any) (any, error) {
	rules := renameAll(object(v)["ServerSideEncryptionConfiguration"], map[string]string{"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"})
	return map[string]any{"Rules": rules}, nil
}

func cors(v any) (any, error) {
	rules := renameAll(object(v)["CorsRules"], map[string]string{"ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds"})
	return map[string]any{"CORSRules": rules}, nil
}

func website(v any) (any, error) {
	out := rename(v, nil)
	if doc := text(out["IndexDocument"]); doc != "" {
		out["IndexDocument"] = map[string]any{"Suffix": doc}
	}
	if doc := text(out["ErrorDocument"]); doc != "" {
		out["ErrorDocument"] = map[string]any{"Key": doc}
	}
	if rules, ok := out["RoutingRules"]; ok {
		out["RoutingRules"] = renameAll(rules, map[string]string{"RedirectRule": "Redirect", "RoutingRuleCondition": "Condition"})
	}
	return out, nil
}

func putBucketLogging(ctx context.Context, c *s3.Client, bucket string, value any) error {
	enabled := &types.LoggingEnabled{}
	if err := Bind(rename(value, map[string]string{"DestinationBucketName": "TargetBucket", "LogFilePrefix": "TargetPrefix"}), enabled); err != nil {
		return err
	}
	if enabled.TargetBucket == nil {
		enabled.TargetBucket = &bucket
	}
	if enabled.TargetPrefix == nil {
		enabled.TargetPrefix = aws.String("")
	}
	_, err := c.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: &bucket, BucketLoggingStatus: &types.BucketLoggingStatus{LoggingEnabled: enabled}})
	return err
}

func notification(v any) (any, error) {
	out := map[string]any{}
	for name, value := range object(v) {
		switch name {
		case "EventBridgeConfiguration":
			if enabled := text(object(value)["EventBridgeEnabled"]); enabled != "false" {
				out[name] = map[string]any{}
			}
		case "LambdaConfigurations":
			out["LambdaFunctionConfigurations"] = receivers(value, "Function", "LambdaFunctionArn")
		case "QueueConfigurations":
			out[name] = receivers(value, "Queue", "QueueArn")
		case "TopicConfigurations":
			out[name] = receivers(value, "Topic", "TopicArn")
		default:
			return nil, Sayf("Encountered unsupported property %s", name)
		}
	}
	return out, nil
}

// receivers turns one event per entry and the template's filter into the API's form.
func receivers(v any, from, to string) []any {
	items := renameAll(v, map[string]string{from: to, "Event": "Events"})
	for _, item := range items {
		entry := object(item)
		if filter := object(entry["Filter"]); filter != nil {
			rules := object(filter["S3Key"])["Rules"]
			entry["Filter"] = map[string]any{"Key": map[string]any{"FilterRules": rules}}
		}
	}
	return items
}

// lifecycle brings rules into the API's form: filters, and expirations and
// transitions that the template writes flat.
func lifecycle(v any) (any, error) {
	var rules []any
	for _, item := range list(object(v)["Rules"]) {
		rules = append(rules, lifecycleRule(object(item)))
	}
	return map[string]any{"Rules": rules}, nil
}

func lifecycleRule(from map[string]any) map[string]any {
	rule, expiration := map[string]any{}, map[string]any{}
	filter := map[string]any{}
	var tags []any
	for name, value := range from {
		switch name {
		case "ExpirationInDays":
			expiration["Days"] = value
		case "ExpirationDate":
			expiration["Date"] = value
		case "ExpiredObjectDeleteMarker":
			expiration[name] = value
		case "NoncurrentVersionExpirationInDays":
			rule["NoncurrentVersionExpiration"] = map[string]any{"NoncurrentDays": value}
		case "Transition", "Transitions":
			rule["Transitions"] = renameAll(value, map[string]string{"TransitionInDays": "Days", "TransitionDate": "Date"})
		case "NoncurrentVersionTransition", "NoncurrentVersionTransitions":
			rule["NoncurrentVersionTransitions"] = renameAll(value, map[string]string{"TransitionInDays": "NoncurrentDays"})
		case "TagFilters":
			tags = list(value)
		case "Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan":
			filter[name] = value
		default:
			rule[name] = value
		}
	}
	if len(expiration) > 0 {
		rule["Expiration"] = expiration
	}
	rule["Filter"] = lifecycleFilter(filter, tags)
	return rule
}

// lifecycleFilter is one condition by itself, several below And.
func lifecycleFilter(filter map[string]any, tags []any) map[string]any {
	switch {
	case len(filter)+len(tags) > 1:
		and := rename(filter, nil)
		if len(tags) > 0 {
			and["Tags"] = slices.Clone(tags)
		}
		return map[string]any{"And": and}
	case len(tags) == 1:
		return map[string]any{"Tag": tags[0]}
	case len(filter) == 0:
		return map[string]any{"Prefix": ""}
	}
	return filter
}
