package lambda

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/door"
	"ouro/cloud/lambda/runner"
	"ouro/cloud/store"
	"ouro/cloud/wire"
)

// principal is who assumes the roles of functions.
const principal = "lambda.amazonaws.com"

// request is one invocation, whoever asks for it.
type request struct {
	id      string
	target  target // its qualifier as it was asked for
	payload []byte
	context string                             // the client's, JSON
	stream  func(contentType string) io.Writer // nil: the answer whole
}

// run runs a function once. The error tells why nothing ran.
func (s *Service) run(ctx context.Context, q request) (version, runner.Result, error) {
	p, release, err := s.prepare(ctx, q.target)
	if p == nil {
		return version{}, runner.Result{}, err
	}
	if err != nil {
		return p.version, runner.Result{}, err
	}
	defer release()
	leave, err := s.enter(q.target, p.reserved)
	if err != nil {
		return p.version, runner.Result{}, err
	}
	defer leave()
	pool, err := s.pool()
	if err != nil {
		return p.version, runner.Result{}, err
	}
	res, err := pool.Invoke(ctx, p.function, runner.Invocation{RequestID: q.id, ARN: q.target.qualified(), Payload: q.payload, ClientContext: q.context, Stream: q.stream})
	if err != nil && ctx.Err() == nil {
		err = &types.ServiceException{Type: aws.String("Service"), Message: aws.String(err.Error())}
	}
	return p.version, res, err
}

// runnable makes of a version what the runner runs, but for the code.
func (s *Service) runnable(scope store.Scope, v version) (runner.Function, error) {
	c := v.Config
	if v.Code.Image != "" {
		return runner.Function{}, cannotRun(noImages)
	}
	if err := runner.Check(string(c.Runtime)); err != nil {
		return runner.Function{}, cannotRun(err.Error())
	}
	vars, err := s.environment(v)
	if err != nil {
		return runner.Function{}, err
	}
	return runner.Function{ARN: *c.FunctionArn, Name: *c.FunctionName, Version: *c.Version, Region: scope.Region, Role: *c.Role,
		Runtime: string(c.Runtime), Handler: aws.ToString(c.Handler), Architecture: string(c.Architectures[0]), Revision: v.Generation, Environment: vars,
		MemoryMB: int(*c.MemorySize), EphemeralMB: int(*c.EphemeralStorage.Size), Timeout: time.Duration(*c.Timeout) * time.Second,
		LogGroup: *c.LoggingConfig.LogGroup, LogFormat: string(c.LoggingConfig.LogFormat), LogLevel: string(c.LoggingConfig.ApplicationLogLevel)}, nil
}

// cannotRun is the answer for a function that this machine has no runtime for.
// AWS's status for it is 502, which clients would try again.
func cannotRun(why string) error {
	return &wire.Error{Code: "InvalidRuntimeException", Status: 400, Message: why}
}

// pools starts the runner at the first invocation.
func (s *Service) pools() (*runner.Pool, error) {
	s.started.Store(true)
	pool, err := runner.New(runner.Options{Dir: s.host.Store().Dir("lambda") + "/run", Endpoint: s.host.Endpoint(), Credentials: s.credentials, Log: s.write})
	if err != nil {
		return nil, fmt.Errorf("starting the runner of functions: %w", err)
	}
	// The pool ends with the cloud.
	s.host.Go("end the processes of functions", func(ctx context.Context) {
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := pool.Close(ctx); err != nil {
			s.host.Log().Error("processes of functions do not end", "error", err)
		}
	})
	return pool, nil
}

// retire ends the processes of a function that is deleted, or of its version.
func (s *Service) retire(t target) {
	if !s.started.Load() {
		return
	}
	pool, err := s.pool()
	if err != nil {
		return // then there are none
	}
	pool.Retire(func(fn runner.Function) bool {
		return fn.ARN == t.qualified() || t.qualifier == "" && strings.HasPrefix(fn.ARN, t.arn()+":")
	})
}

// callerOf is the service in the account and region of a function.
func callerOf(functionARN string) door.Caller {
	parts := strings.SplitN(functionARN, ":", 6)
	return door.Caller{Account: parts[4], Region: parts[3], Service: principal}
}

// credentials are a session of a function's role, named as AWS names it.
func (s *Service) credentials(ctx context.Context, fn runner.Function) (aws.Credentials, error) {
	return s.host.Assume(callerOf(fn.ARN), fn.Role, sessionName(fn.Name)).Credentials.Retrieve(ctx)
}

// sessionName is a function's name, as AWS has it, where STS takes it: a session
// has two letters at least.
func sessionName(function string) string {
	if len(function) < 2 {
		return function + "-"
	}
	return function
}

// write puts lines into the function's log group, which is made where it is
// missing. A function is not to fail for its log.
func (s *Service) write(fn runner.Function, stream string, lines []runner.Line) {
	ctx := context.Background()
	client := cloudwatchlogs.NewFromConfig(s.host.As(callerOf(fn.ARN)))
	in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: &fn.LogGroup, LogStreamName: &stream}
	for _, l := range lines {
		text := l.Text
		if text == "" {
			text = " " // an event has at least one character
		}
		in.LogEvents = append(in.LogEvents, logtypes.InputLogEvent{Message: &text, Timestamp: aws.Int64(l.Time.UnixMilli())})
	}
	_, err := client.PutLogEvents(ctx, in)
	var absent *logtypes.ResourceNotFoundException
	if errors.As(err, &absent) {
		var there *logtypes.ResourceAlreadyExistsException
		if _, err = client.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &fn.LogGroup}); err == nil || errors.As(err, &there) {
			_, err = client.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &fn.LogGroup, LogStreamName: &stream})
		}
		if err == nil || errors.As(err, &there) {
			_, err = client.PutLogEvents(ctx, in)
		}
	}
	if err != nil {
		s.host.Log().Warn("lines of a function's log are lost", "function", fn.ARN, "error", err)
	}
}

// places counts the invocations under way, by function and by account.
type places struct {
	mu    sync.Mutex
	taken map[string]int
}

// enter takes a place of the function's concurrency: of its own if it has some
// reserved, otherwise of what the account's functions share.
func (s *Service) enter(t target, reserved *int32) (leave func(), err error) {
	key, limit, reason := t.arn(), int32(0), types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded
	if reserved != nil {
		limit = *reserved
	} else {
		key, reason = t.scope.Account+"/"+t.scope.Region, types.ThrottleReasonConcurrentInvocationLimitExceeded
		limit = accountConcurrency
	}
	s.places.mu.Lock()
	defer s.places.mu.Unlock()
	if s.places.taken[key] >= int(limit) {
		return nil, &types.TooManyRequestsException{Message: aws.String("Rate Exceeded."), Type: aws.String(user), Reason: reason}
	}
	s.places.taken[key]++
	return func() {
		s.places.mu.Lock()
		defer s.places.mu.Unlock()
		if s.places.taken[key]--; s.places.taken[key] == 0 {
			delete(s.places.taken, key)
		}
	}, nil
}
