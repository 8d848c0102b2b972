package lambda

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/store"
	"ouro/regex"
)

var destinationPattern = regex.New(`^(?:$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*))$`)

// delivery is how the asynchronous events of one qualifier are treated.
type delivery struct {
	Qualifier            string
	Retries, Age         *int32 // of attempts after the first, of seconds
	OnSuccess, OnFailure string // ARNs
	Changed              time.Time
}

func (d delivery) shown(t target) types.FunctionEventInvokeConfig {
	to := &types.DestinationConfig{OnSuccess: &types.OnSuccess{}, OnFailure: &types.OnFailure{}}
	to.OnSuccess.Destination, to.OnFailure.Destination = optional(d.OnSuccess), optional(d.OnFailure)
	return types.FunctionEventInvokeConfig{FunctionArn: aws.String(t.arn() + ":" + d.Qualifier), LastModified: &d.Changed,
		MaximumRetryAttempts: d.Retries, MaximumEventAgeInSeconds: d.Age, DestinationConfig: to}
}

// eventSettings is what PutFunctionEventInvokeConfig and its update have alike.
type eventSettings struct {
	name, qualifier *string
	retries, age    *int32
	to              *types.DestinationConfig
}

func (in eventSettings) destinations() (success, failure *string) {
	if in.to != nil && in.to.OnSuccess != nil {
		success = in.to.OnSuccess.Destination
	}
	if in.to != nil && in.to.OnFailure != nil {
		failure = in.to.OnFailure.Destination
	}
	return success, failure
}

// check reads a request; what it is about must exist.
func (s *Service) checkEvents(ctx context.Context, in eventSettings) (target, error) {
	success, failure := in.destinations()
	var v violations
	v.number("maximumRetryAttempts", in.retries, 0, 2)
	v.number("maximumEventAgeInSeconds", in.age, 60, 21600)
	v.text("destinationConfig.onSuccess.destination", success, 0, 350, destinationPattern())
	v.text("destinationConfig.onFailure.destination", failure, 0, 350, destinationPattern())
	if err := v.err(); err != nil {
		return target{}, err
	}
	if in.retries == nil && in.age == nil && success == nil && failure == nil {
		return target{}, invalid("You must specify at least one of error handling or destination setting.")
	}
	t, err := own(ctx, in.name, in.qualifier)
	if err != nil {
		return t, err
	}
	if _, _, err := s.lookup(ctx, t); err != nil {
		return t, missing(err, notFound("The function doesn't exist."))
	}
	for _, arn := range []*string{success, failure} {
		if err := checkDestination(t, aws.ToString(arn)); err != nil {
			return t, err
		}
	}
	return t, nil
}

// destinations are the services that asynchronous results go to.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
var destinations = map[string]bool{"sns": true, "sqs": true, "lambda": true, "events": true, "s3": true}

func checkDestination(t target, arn string) error {
	parts := strings.SplitN(arn, ":", 6)
	switch {
	case arn == "":
		return nil
	case len(parts) != 6 || !destinations[parts[2]]:
		return invalid("The destination ARN %s is invalid.", arn)
	case arn == t.arn() || strings.HasPrefix(arn, t.arn()+":"):
		return invalid("You can't specify the function as a destination for itself.")
	}
	return nil
}

// PutFunctionEventInvokeConfig sets how asynchronous events are treated.
func (s *Service) PutFunctionEventInvokeConfig(ctx context.Context, in *lambda.PutFunctionEventInvokeConfigInput) (*lambda.PutFunctionEventInvokeConfigOutput, error) {
	set := eventSettings{in.FunctionName, in.Qualifier, in.MaximumRetryAttempts, in.MaximumEventAgeInSeconds, in.DestinationConfig}
	c, err := s.putEvents(ctx, set, false)
	return &lambda.PutFunctionEventInvokeConfigOutput{FunctionArn: c.FunctionArn, LastModified: c.LastModified, MaximumRetryAttempts: c.MaximumRetryAttempts,
		MaximumEventAgeInSeconds: c.MaximumEventAgeInSeconds, DestinationConfig: c.DestinationConfig}, err
}

// UpdateFunctionEventInvokeConfig changes parts of it.
func (s *Service) UpdateFunctionEventInvokeConfig(ctx context.Context, in *lambda.UpdateFunctionEventInvokeConfigInput) (*lambda.UpdateFunctionEventInvokeConfigOutput, error) {
	set := eventSettings{in.FunctionName, in.Qualifier, in.MaximumRetryAttempts, in.MaximumEventAgeInSeconds, in.DestinationConfig}
	c, err := s.putEvents(ctx, set, true)
	return &lambda.UpdateFunctionEventInvokeConfigOutput{FunctionArn: c.FunctionArn, LastModified: c.LastModified, MaximumRetryAttempts: c.MaximumRetryAttempts,
		MaximumEventAgeInSeconds: c.MaximumEventAgeInSeconds, DestinationConfig: c.DestinationConfig}, err
}

func (s *Service) putEvents(ctx context.Context, in eventSettings, update bool) (types.FunctionEventInvokeConfig, error) {
	t, err := s.checkEvents(ctx, in)
	if err != nil {
		return types.FunctionEventInvokeConfig{}, err
	}
	key := qualifiedKey(t.name, t.qualifier)
	d := delivery{}
	if update {
		if d, err = s.deliveries.Get(ctx, t.scope, key); err != nil {
			return types.FunctionEventInvokeConfig{}, missing(err, noEvents(t))
		}
	}
	if t.qualifier == "" {
		t.qualifier = latest
	}
	d.Qualifier, d.Changed = t.qualifier, s.host.Now()
	set(&d.Retries, in.retries)
	set(&d.Age, in.age)
	success, failure := in.destinations()
	if success != nil {
		d.OnSuccess = *success
	}
	if failure != nil {
		d.OnFailure = *failure
	}
	return d.shown(t), s.deliveries.Put(ctx, t.scope, key, d)
}

func noEvents(t target) error {
	q := t.qualifier
	if q == "" {
		q = latest
	}
	return notFound("The function %s:%s doesn't have an EventInvokeConfig", t.arn(), q)
}

// GetFunctionEventInvokeConfig tells how asynchronous events are treated.
func (s *Service) GetFunctionEventInvokeConfig(ctx context.Context, in *lambda.GetFunctionEventInvokeConfigInput) (*lambda.GetFunctionEventInvokeConfigOutput, error) {
	t, err := own(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	d, err := s.deliveries.Get(ctx, t.scope, qualifiedKey(t.name, t.qualifier))
	if err != nil {
		return nil, missing(err, noEvents(t))
	}
	c := d.shown(t)
	return &lambda.GetFunctionEventInvokeConfigOutput{FunctionArn: c.FunctionArn, LastModified: c.LastModified, MaximumRetryAttempts: c.MaximumRetryAttempts,
		MaximumEventAgeInSeconds: c.MaximumEventAgeInSeconds, DestinationConfig: c.DestinationConfig}, nil
}

// DeleteFunctionEventInvokeConfig goes back to AWS's defaults.
func (s *Service) DeleteFunctionEventInvokeConfig(ctx context.Context, in *lambda.DeleteFunctionEventInvokeConfigInput) (*lambda.DeleteFunctionEventInvokeConfigOutput, error) {
	t, err := own(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	err = s.deliveries.Delete(ctx, t.scope, qualifiedKey(t.name, t.qualifier))
	return &lambda.DeleteFunctionEventInvokeConfigOutput{}, missing(err, noEvents(t))
}

// ListFunctionEventInvokeConfigs tells it of all qualifiers.
func (s *Service) ListFunctionEventInvokeConfigs(ctx context.Context, in *lambda.ListFunctionEventInvokeConfigsInput) (*lambda.ListFunctionEventInvokeConfigsOutput, error) {
	t, err := own(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if _, err := s.find(ctx, t); err != nil {
		return nil, missing(err, notFound("The function doesn't exist."))
	}
	entries, err := s.deliveries.List(ctx, t.scope, store.Query{Prefix: t.name + ":"})
	if err != nil {
		return nil, err
	}
	entries, next, err := page(entries, func(e store.Entry[delivery]) string { return e.ID }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &lambda.ListFunctionEventInvokeConfigsOutput{NextMarker: next, FunctionEventInvokeConfigs: []types.FunctionEventInvokeConfig{}}
	for _, e := range entries {
		out.FunctionEventInvokeConfigs = append(out.FunctionEventInvokeConfigs, e.Value.shown(t))
	}
	return out, nil
}
