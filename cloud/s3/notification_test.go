package s3_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"ouro/cloud/cloudtest"
	"ouro/cloud/door"
	service "ouro/cloud/s3"
	"ouro/cloud/store"
)

const (
	functionARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
	topicARN    = "arn:aws:sns:us-east-1:000000000000:t"
)

// filter is a filter by name and value pairs.
func filter(pairs ...string) *types.NotificationConfigurationFilter {
	key := &types.S3KeyFilter{}
	for i := 0; i+1 < len(pairs); i += 2 {
		key.FilterRules = append(key.FilterRules, types.FilterRule{Name: types.FilterRuleName(pairs[i]), Value: &pairs[i+1]})
	}
	return &types.NotificationConfigurationFilter{Key: key}
}

func toFunction(arn string, f *types.NotificationConfigurationFilter, events ...types.Event) types.NotificationConfiguration {
	return types.NotificationConfiguration{LambdaFunctionConfigurations: []types.LambdaFunctionConfiguration{{LambdaFunctionArn: &arn, Events: events, Filter: f}}}
}

func toTopic(arn string, f *types.NotificationConfigurationFilter, events ...types.Event) types.NotificationConfiguration {
	return types.NotificationConfiguration{TopicConfigurations: []types.TopicConfiguration{{TopicArn: &arn, Events: events, Filter: f}}}
}

func both(a, b types.NotificationConfiguration) types.NotificationConfiguration {
	return types.NotificationConfiguration{LambdaFunctionConfigurations: append(a.LambdaFunctionConfigurations, b.LambdaFunctionConfigurations...),
		TopicConfigurations: append(a.TopicConfigurations, b.TopicConfigurations...)}
}

func TestNotificationsThatAreRefused(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	const created, put = types.EventS3ObjectCreated, types.EventS3ObjectCreatedPut
	for name, test := range map[string]struct {
		config        types.NotificationConfiguration
		code, message string // none for what is taken
	}{
		"a queue": {types.NotificationConfiguration{QueueConfigurations: []types.QueueConfiguration{{QueueArn: str("arn:aws:sqs:us-east-1:000000000000:q"), Events: []types.Event{put}}}},
			"NotImplemented", "has no Amazon SQS"},
		"an unknown event":    {toFunction(functionARN, nil, "s3:ObjectEaten"), "InvalidArgument", "A specified event is not supported for notifications."},
		"no ARN":              {toFunction("f", nil, put), "InvalidArgument", "The ARN could not be parsed"},
		"another service":     {toFunction(topicARN, nil, put), "InvalidArgument", "The ARN could not be parsed"},
		"another region":      {toTopic("arn:aws:sns:eu-west-1:000000000000:t", nil, put), "InvalidArgument", "region is not valid for the bucket location constraint"},
		"a rule of no kind":   {toFunction(functionARN, filter("infix", "x"), put), "InvalidArgument", "filter rule name must be either prefix or suffix"},
		"two prefixes":        {toFunction(functionARN, filter("prefix", "x", "Prefix", "y"), put), "InvalidArgument", "more than one prefix rule"},
		"the same twice":      {both(toFunction(functionARN, nil, put), toTopic(topicARN, nil, put)), "InvalidArgument", "Configuration is ambiguously defined."},
		"one within another":  {both(toFunction(functionARN, filter("prefix", "a/"), created), toTopic(topicARN, filter("prefix", "a/b"), put)), "InvalidArgument", "Configuration is ambiguously defined."},
		"overlapping endings": {both(toFunction(functionARN, filter("suffix", "jpg"), put), toTopic(topicARN, filter("suffix", "pg"), put)), "InvalidArgument", "Configuration is ambiguously defined."},
		"other endings":       {both(toFunction(functionARN, filter("prefix", "a/", "suffix", "jpg"), put), toTopic(topicARN, filter("prefix", "a/", "suffix", "png"), put)), "", ""},
		"other events":        {both(toFunction(functionARN, nil, put), toTopic(topicARN, nil, types.EventS3ObjectRemoved)), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.PutBucketNotificationConfiguration(t.Context(), &s3.PutBucketNotificationConfigurationInput{Bucket: str("bucket"),
				NotificationConfiguration: &test.config, SkipDestinationValidation: aws.Bool(true)})
			switch {
			case test.code == "" && err != nil, test.code != "" && (err == nil || !strings.Contains(err.Error(), test.code) || !strings.Contains(err.Error(), test.message)):
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	c, ctx := cloudtest.New(t), t.Context()
	api, topics, functions := s3.NewFromConfig(c.Config, func(o *s3.Options) { o.UsePathStyle = true }), sns.NewFromConfig(c.Config), lambda.NewFromConfig(c.Config)
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(api.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: str("bucket")}))
	set := func(config types.NotificationConfiguration) error {
		_, err := api.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: str("bucket"), NotificationConfiguration: &config})
		return err
	}
	const unable = "Unable to validate the following destination configurations"
	wanted := both(toFunction(functionARN, filter("prefix", "in/", "suffix", ".txt"), types.EventS3ObjectCreated), toTopic(topicARN, nil, types.EventS3ObjectRemoved))

	wantError(t, set(wanted), "InvalidArgument", 400) // neither is there
	role, err := iam.NewFromConfig(c.Config).CreateRole(ctx, &iam.CreateRoleInput{RoleName: str("runs"), AssumeRolePolicyDocument: str(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
	must(role, err)
	must(functions.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: str("f"), Role: role.Role.Arn, PackageType: lambdatypes.PackageTypeImage,
		Code: &lambdatypes.FunctionCode{ImageUri: str("000000000000.dkr.ecr.us-east-1.amazonaws.com/x:1")}}))
	must(topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: str("t")}))
	if err := set(wanted); err == nil || !strings.Contains(err.Error(), unable) { // S3 may not
		t.Errorf("error %v", err)
	}
	must(functions.AddPermission(ctx, &lambda.AddPermissionInput{FunctionName: str("f"), StatementId: str("s3"), Action: str("lambda:InvokeFunction"), Principal: str("s3.amazonaws.com"),
		SourceArn: str("arn:aws:s3:::bucket")}))
	if err := set(wanted); err == nil || !strings.Contains(err.Error(), unable) { // not to the topic yet
		t.Errorf("error %v", err)
	}
	must(topics.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: str(topicARN), AttributeName: str("Policy"), AttributeValue: str(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sns:Publish","Resource":"` + topicARN + `"}]}`)}))
	if err := set(wanted); err != nil {
		t.Fatal(err)
	}
	kept, err := api.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: str("bucket")})
	if err != nil || len(kept.LambdaFunctionConfigurations) != 1 || len(kept.TopicConfigurations) != 1 || aws.ToString(kept.TopicConfigurations[0].Id) == "" {
		t.Errorf("%+v, %v", kept, err)
	}
}

// receivers is a Lambda and an SNS that keep what they are sent; while they are
// stuck, they take nothing.
type receivers struct {
	mu    sync.Mutex
	got   []string
	stuck chan struct{}
}

func (r *receivers) take(ctx context.Context, message string) error {
	if r.stuck != nil {
		close(r.stuck)
		<-ctx.Done()
		return ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, message)
	return nil
}

func (r *receivers) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

type fakeLambda struct{ *receivers }

func (f fakeLambda) Invoke(ctx context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	if in.InvocationType == lambdatypes.InvocationTypeDryRun {
		return &lambda.InvokeOutput{StatusCode: 204}, nil
	}
	return &lambda.InvokeOutput{StatusCode: 202}, f.take(ctx, "f "+string(in.Payload))
}

type fakeSNS struct{ *receivers }

func (f fakeSNS) Publish(ctx context.Context, in *sns.PublishInput) (*sns.PublishOutput, error) {
	return &sns.PublishOutput{MessageId: str("m")}, f.take(ctx, aws.ToString(in.Subject)+": "+*in.Message)
}

// told is S3 with the receivers behind the door of a store.
func told(t *testing.T, st *store.Store, r *receivers) (*s3.Client, *service.Service, *door.Door) {
	t.Helper()
	d := door.New(door.Options{Store: st})
	impl := service.New(d)
	for name, one := range map[string]any{"s3": impl, "lambda": fakeLambda{r}, "sns": fakeSNS{r}} {
		if err := d.Register(name, one); err != nil {
			t.Fatal(err)
		}
	}
	return s3.NewFromConfig(d.As(door.Caller{Account: account, Region: "us-east-1", UserID: "AIDA"})), impl, d
}

func TestNotificationsAreDelivered(t *testing.T) {
	t.Parallel()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	r, ctx := &receivers{}, t.Context()
	c, _, d := told(t, st, r)
	defer func() { d.Close() }()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: str("bucket")}))
	config := both(toFunction(functionARN, filter("prefix", "in/", "suffix", ".txt"), types.EventS3ObjectCreated), toTopic(topicARN, nil, types.EventS3ObjectRemoved))
	config.LambdaFunctionConfigurations[0].Id = str("mine")
	must(c.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: str("bucket"), NotificationConfiguration: &config}))
	if got := r.all(); len(got) != 1 || !strings.Contains(got[0], `"Service":"Amazon S3","Event":"s3:TestEvent"`) {
		t.Errorf("a test event: %q", got)
	}
	for _, key := range []string{"out/a.txt", "in/a.png", "in/the one.txt"} {
		must(c.PutObject(ctx, &s3.PutObjectInput{Bucket: str("bucket"), Key: &key, Body: strings.NewReader("hello")}))
	}
	must(c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: str("bucket"), Key: str("in/copy.txt"), CopySource: str("bucket/in/a.png")}))
	must(c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: str("bucket"), Key: str("in/a.png")}))
	waitFor(t, "three notifications", func() bool { return len(r.all()) == 4 })
	for i, parts := range [][]string{
		{`f {"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1","eventTime":"2`, `"eventName":"ObjectCreated:Put"`, `"configurationId":"mine"`,
			`"object":{"key":"in/the+one.txt","size":5,"eTag":"5d41402abc4b2a76b9719d911017c592","sequencer":"`, `"bucket":{"name":"bucket","ownerIdentity":{"principalId":"` + account},
		{`"eventName":"ObjectCreated:Copy"`, `"key":"in/copy.txt"`},
		{`Amazon S3 Notification: {"Records":`, `"eventName":"ObjectRemoved:Delete"`, `"object":{"key":"in/a.png","sequencer":"`},
	} {
		for _, part := range parts {
			if got := r.all()[i+1]; !strings.Contains(got, part) {
				t.Errorf("notification %d has no %s: %s", i, part, got)
			}
		}
	}
	// The process ends while a function is being told.
	d.Close()
	r.stuck = make(chan struct{})
	c, _, d = told(t, st, r)
	must(c.PutObject(ctx, &s3.PutObjectInput{Bucket: str("bucket"), Key: str("in/late.txt"), Body: strings.NewReader("x")}))
	<-r.stuck
	d.Close()
	r.stuck = nil
	_, impl, next := told(t, st, r)
	d = next
	if err := impl.Resume(ctx); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the notification that was under way", func() bool { got := r.all(); return len(got) == 5 && strings.Contains(got[4], "in/late.txt") })
}
