package codedeploy

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"ouro/cloud/door"
)

// execution is a function that runs as a hook and is to say how it went.
type execution struct {
	Deployment, Event string
	Status            types.LifecycleEventStatus // empty until it has said
}

// hookTime is how many minutes a hook has to say how it went.
const hookTime = 60

// hook has a function check the deployment.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html#appspec-hooks-lambda
func (s *Service) hook(ctx context.Context, d deployment, event, function string, client *lambda.Client) error {
	if function == "" {
		return nil
	}
	id := s.host.NewID()
	if err := s.hooks.Put(ctx, d.scope(), id, execution{Deployment: d.id(), Event: event}); err != nil {
		return err
	}
	payload, err := json.Marshal(map[string]string{"DeploymentId": d.id(), "LifecycleEventHookExecutionId": id})
	if err != nil {
		return err
	}
	out, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &function, Payload: payload})
	if err != nil {
		return fmt.Errorf("invoking the function %s: %w", function, err)
	}
	if out.FunctionError != nil {
		return fmt.Errorf("the function %s failed: %.1000s", function, out.Payload)
	}
	late := time.NewTimer(hookTime * s.options.Minute)
	defer late.Stop()
	for {
		news := s.news()
		e, err := s.hooks.Get(ctx, d.scope(), id)
		if err != nil {
			return err
		}
		switch e.Status {
		case types.LifecycleEventStatusSucceeded:
			return nil
		case types.LifecycleEventStatusFailed:
			return fmt.Errorf("the function %s says that the check failed", function)
		}
		if stop, err := s.stopping(ctx, d); err != nil || stop {
			return fmt.Errorf("the deployment was stopped while the function %s had not said how it went", function)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-late.C:
			return fmt.Errorf("the function %s has not said within an hour how it went", function)
		case <-news:
		}
	}
}

// PutLifecycleEventHookExecutionStatus takes a hook's word on how it went.
func (s *Service) PutLifecycleEventHookExecutionStatus(ctx context.Context, in *codedeploy.PutLifecycleEventHookExecutionStatusInput) (*codedeploy.PutLifecycleEventHookExecutionStatusOutput, error) {
	d, err := s.deployment(ctx, in.DeploymentId)
	if err != nil {
		return nil, err
	}
	if d.Info.ComputePlatform == types.ComputePlatformServer {
		return nil, refuse("UnsupportedActionForDeploymentType", "The hooks of deployments to instances are scripts, which exit to say how it went")
	}
	if in.Status != types.LifecycleEventStatusSucceeded && in.Status != types.LifecycleEventStatusFailed {
		return nil, refuse("InvalidLifecycleEventHookExecutionStatus", "The status %q is not valid: it is Succeeded or Failed", in.Status)
	}
	id := aws.ToString(in.LifecycleEventHookExecutionId)
	invalid := refuse("InvalidLifecycleEventHookExecutionId", "The deployment %s has no lifecycle event hook execution %q", d.id(), id)
	_, err = s.hooks.Update(ctx, door.CallerFrom(ctx).Scope(), id, func(e *execution) error {
		if e.Deployment != d.id() {
			return invalid
		}
		if e.Status != "" || d.done() {
			return refuse("LifecycleEventAlreadyCompleted", "The lifecycle event %s is already complete", e.Event)
		}
		e.Status = in.Status
		return nil
	})
	if err != nil {
		return nil, missing(err, invalid)
	}
	s.tell()
	return &codedeploy.PutLifecycleEventHookExecutionStatusOutput{LifecycleEventHookExecutionId: &id}, nil
}
