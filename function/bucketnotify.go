package function

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/pipeline"
)

// notified are the properties of bucket.notify: the bucket, the function that
// it tells, and of what.
type notified struct {
	BucketName  string
	FunctionArn string
	Events      []string
	Prefix      string
	Suffix      string
}

// notifier adds one notification to a bucket, and leaves all others of it as
// they are. S3 knows only all of a bucket's notifications at once.
type notifier struct{ buckets *s3.Client }

func bucketNotify(cfg aws.Config) *resource[notified] {
	n := notifier{pipeline.NewBuckets(cfg)}
	return &resource[notified]{
		check: (*notified).check,
		id:    func(r *request, p *notified) string { return p.BucketName + "/" + notificationID(r) },
		put: func(ctx context.Context, r *request, p, _ *notified) (map[string]string, error) {
			return map[string]string{"NotificationId": notificationID(r)}, n.set(ctx, p.BucketName, notificationID(r), p)
		},
		remove: func(ctx context.Context, r *request, p *notified) error {
			return n.set(ctx, p.BucketName, notificationID(r), nil)
		},
	}
}

func (p *notified) check() error {
	if p.BucketName == "" || p.FunctionArn == "" || len(p.Events) == 0 {
		return errors.New("BucketName, FunctionArn and Events say which bucket tells which function of what")
	}
	return nil
}

// notificationID names the notification of a resource among those of a bucket.
func notificationID(r *request) string {
	sum := sha256.Sum256([]byte(r.StackID + "\n" + r.LogicalResourceID))
	return "ouro-" + hex.EncodeToString(sum[:12])
}

// maxSets is how often a notification is written that somebody else, who writes
// at the same time, undoes.
const maxSets = 5

// set makes the notification of that id what p says; nil for none. Who writes
// all of a bucket's notifications at the same time undoes it, so it looks again.
func (n notifier) set(ctx context.Context, bucket, id string, p *notified) error {
	for range maxSets {
		there, err := n.buckets.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: &bucket})
		if p == nil && isCode(err, "NoSuchBucket") {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the notifications of bucket %q: %w", bucket, err)
		}
		wanted := &types.NotificationConfiguration{
			EventBridgeConfiguration: there.EventBridgeConfiguration, QueueConfigurations: there.QueueConfigurations,
			TopicConfigurations: there.TopicConfigurations, LambdaFunctionConfigurations: there.LambdaFunctionConfigurations,
		}
		if !n.change(wanted, id, p) {
			return nil
		}
		in := &s3.PutBucketNotificationConfigurationInput{Bucket: &bucket, NotificationConfiguration: wanted}
		if p == nil {
			// S3 would look at what the others lead to, and that may be gone.
			in.SkipDestinationValidation = aws.Bool(true)
		}
		if _, err := n.buckets.PutBucketNotificationConfiguration(ctx, in); err != nil {
			return fmt.Errorf("writing the notifications of bucket %q: %w", bucket, err)
		}
	}
	return fmt.Errorf("the notifications of bucket %q are written by others at the same time", bucket)
}

// change takes our notification from c, or puts it in; whether that changes
// anything.
func (n notifier) change(c *types.NotificationConfiguration, id string, p *notified) bool {
	ours := func(f types.LambdaFunctionConfiguration) bool { return aws.ToString(f.Id) == id }
	i := slices.IndexFunc(c.LambdaFunctionConfigurations, ours)
	if p == nil && i < 0 || p != nil && i >= 0 && p.same(c.LambdaFunctionConfigurations[i]) {
		return false
	}
	c.LambdaFunctionConfigurations = slices.DeleteFunc(slices.Clone(c.LambdaFunctionConfigurations), ours)
	if p != nil {
		c.LambdaFunctionConfigurations = append(c.LambdaFunctionConfigurations, p.configuration(id))
	}
	return true
}

func (p *notified) configuration(id string) types.LambdaFunctionConfiguration {
	f := types.LambdaFunctionConfiguration{Id: &id, LambdaFunctionArn: &p.FunctionArn}
	for _, e := range p.Events {
		f.Events = append(f.Events, types.Event(e))
	}
	var rules []types.FilterRule
	if p.Prefix != "" {
		rules = append(rules, types.FilterRule{Name: types.FilterRuleNamePrefix, Value: &p.Prefix})
	}
	if p.Suffix != "" {
		rules = append(rules, types.FilterRule{Name: types.FilterRuleNameSuffix, Value: &p.Suffix})
	}
	if rules != nil {
		f.Filter = &types.NotificationConfigurationFilter{Key: &types.S3KeyFilter{FilterRules: rules}}
	}
	return f
}

// same tells whether a notification is as p says. S3 gives the names of filters
// back with a capital.
func (p *notified) same(f types.LambdaFunctionConfiguration) bool {
	is := notified{BucketName: p.BucketName, FunctionArn: aws.ToString(f.LambdaFunctionArn)}
	for _, e := range f.Events {
		is.Events = append(is.Events, string(e))
	}
	if f.Filter != nil && f.Filter.Key != nil {
		for _, r := range f.Filter.Key.FilterRules {
			switch r.Name {
			case types.FilterRuleNamePrefix, "Prefix":
				is.Prefix = aws.ToString(r.Value)
			case types.FilterRuleNameSuffix, "Suffix":
				is.Suffix = aws.ToString(r.Value)
			}
		}
	}
	sorted := func(list []string) []string { return slices.Sorted(slices.Values(list)) }
	return is.FunctionArn == p.FunctionArn && is.Prefix == p.Prefix && is.Suffix == p.Suffix && slices.Equal(sorted(is.Events), sorted(p.Events))
}
