package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"go.yaml.in/yaml/v3"
)

// trafficSpec is the application specification file of a revision that traffic
// is shifted to; P are the properties of its resource.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
type trafficSpec[P any] struct {
	Version   yaml.Node                       `yaml:"version"`
	Resources []map[string]trafficResource[P] `yaml:"Resources"`
	Hooks     []map[string]string             `yaml:"Hooks,omitempty"`
}

type trafficResource[P any] struct {
	Type       string `yaml:"Type"`
	Properties P      `yaml:"Properties"`
}

// revised is what a revision says.
type revised[P any] struct {
	ID         string // the resource's name
	Properties P
	Hooks      map[string]string // event → function
}

// parseTraffic reads a specification whose resource is of that kind, and whose
// hooks are among those.
func parseTraffic[P any](text []byte, kind string, hooks []string) (*revised[P], error) {
	var spec trafficSpec[P]
	if err := yaml.Unmarshal(text, &spec); err != nil {
		return nil, fmt.Errorf("the AppSpec file is not valid: %w", err)
	}
	if spec.Version.Value != "0.0" {
		return nil, fmt.Errorf("the AppSpec file has the version %q: the only one is 0.0", spec.Version.Value)
	}
	if len(spec.Resources) != 1 || len(spec.Resources[0]) != 1 {
		return nil, errors.New("the AppSpec file must have one resource")
	}
	out := &revised[P]{Hooks: map[string]string{}}
	for id, r := range spec.Resources[0] {
		if r.Type != kind {
			return nil, fmt.Errorf("the AppSpec file's resource must be an %s", kind)
		}
		out.ID, out.Properties = id, r.Properties
	}
	for _, hook := range spec.Hooks {
		for event, function := range hook {
			if !slices.Contains(hooks, event) || function == "" {
				return nil, fmt.Errorf("the AppSpec file has the hook %q: those of an %s are %v, each with a function", event, kind, hooks)
			}
			out.Hooks[event] = function
		}
	}
	return out, nil
}

// writeTraffic is a revision without hooks.
func writeTraffic[P any](id, kind string, properties P) (*types.RevisionLocation, error) {
	text, err := yaml.Marshal(trafficSpec[P]{
		Version:   yaml.Node{Kind: yaml.ScalarNode, Value: "0.0"},
		Resources: []map[string]trafficResource[P]{{id: {kind, properties}}},
	})
	if err != nil {
		return nil, fmt.Errorf("writing an AppSpec file: %w", err)
	}
	return &types.RevisionLocation{RevisionType: types.RevisionLocationTypeAppSpecContent, AppSpecContent: &types.AppSpecContent{Content: aws.String(string(text))}}, nil
}

// asRole calls as the group's service role.
func (s *Service) asRole(d deployment, g types.DeploymentGroupInfo) aws.Config {
	return s.host.Assume(d.Caller, *g.ServiceRoleArn, d.id())
}

// specification is the text of the deployment's AppSpec file.
func specification(ctx context.Context, d deployment, as aws.Config) ([]byte, error) {
	switch l := d.Info.Revision; l.RevisionType {
	case types.RevisionLocationTypeString:
		//lint:ignore SA1019 AWS still has it
		return []byte(*l.String_.Content), nil
	case types.RevisionLocationTypeAppSpecContent:
		return []byte(*l.AppSpecContent.Content), nil
	default:
		at := l.S3Location
		out, err := s3.NewFromConfig(as).GetObject(ctx, &s3.GetObjectInput{Bucket: at.Bucket, Key: at.Key, VersionId: at.Version})
		if err != nil {
			return nil, fmt.Errorf("getting the revision s3://%s/%s: %w", *at.Bucket, *at.Key, err)
		}
		defer out.Body.Close()
		text, err := io.ReadAll(io.LimitReader(out.Body, maxAppspec))
		if err != nil {
			return nil, fmt.Errorf("getting the revision s3://%s/%s: %w", *at.Bucket, *at.Key, err)
		}
		return text, nil
	}
}

// course is what a deployment that shifts traffic does at its events.
type course struct {
	steps map[string]step   // of events that are no hooks
	hooks map[string]string // event → function
	// gate is asked before each event whether the deployment goes on; a verdict
	// ends it. Nil: it goes on.
	gate func(ctx context.Context, event string) (*verdict, error)
}

// step is what happens at an event.
type step struct {
	do   func(ctx context.Context) (said string, err error) // said: what is told of its success, "" for nothing
	code types.ErrorCode                                    // if it fails
}

// follow takes the deployment's one target through its events. A deployment
// that is taken up goes on where it was.
func (s *Service) follow(ctx context.Context, d deployment, as aws.Config, c course) (verdict, error) {
	id := d.Targets[0]
	t, err := s.targets.Get(ctx, d.scope(), targetKey(d.id(), id))
	if err != nil {
		return verdict{}, err
	}
	if err := s.changeTarget(ctx, d, id, func(t *target) { t.Status = types.TargetStatusInProgress }); err != nil {
		return verdict{}, err
	}
	v := verdict{status: types.DeploymentStatusSucceeded}
	for n := range t.Events {
		if t.Events[n].Status == types.LifecycleEventStatusSucceeded {
			continue
		}
		end, err := s.followEvent(ctx, d, t, n, as, c)
		if err != nil {
			return verdict{}, err
		}
		if end != nil {
			v = *end
			break
		}
	}
	status := map[types.DeploymentStatus]types.TargetStatus{
		types.DeploymentStatusSucceeded: types.TargetStatusSucceeded, types.DeploymentStatusFailed: types.TargetStatusFailed, types.DeploymentStatusStopped: types.TargetStatusSkipped,
	}[v.status]
	return v, s.changeTarget(ctx, d, id, func(t *target) { t.skip(); t.Status = status })
}

// followEvent runs event n, and gives a verdict if the deployment ends there.
func (s *Service) followEvent(ctx context.Context, d deployment, t target, n int, as aws.Config, c course) (*verdict, error) {
	if stop, err := s.stopping(ctx, d); err != nil {
		return nil, err
	} else if stop {
		return &stoppedByHand, nil
	}
	event := *t.Events[n].LifecycleEventName
	if c.gate != nil {
		if end, err := c.gate(ctx, event); end != nil || err != nil {
			return end, err
		}
	}
	step, isStep := c.steps[event]
	if !isStep {
		step.code = types.ErrorCodeHookExecutionFailure
		step.do = func(ctx context.Context) (string, error) {
			return "", s.hook(ctx, d, event, c.hooks[event], lambda.NewFromConfig(as))
		}
	}
	ok, err := s.runEvent(ctx, d, t.ID, n, func() *types.Diagnostics {
		said, err := step.do(ctx)
		if err != nil {
			return broken(err)
		}
		return fine(said)
	})
	if ok || err != nil {
		return nil, err
	}
	if stop, err := s.stopping(ctx, d); err == nil && stop {
		return &stoppedByHand, nil
	}
	v := failure(step.code, "The lifecycle event %s failed: %s", event, s.why(ctx, d, t.ID, n))
	return &v, nil
}

var stoppedByHand = verdict{types.DeploymentStatusStopped, types.ErrorCodeManualStop, "The deployment was stopped"}

// fine is an event's success, and what there is to say about it.
func fine(said string) *types.Diagnostics {
	if said == "" {
		return success
	}
	d := *success
	d.Message = &said
	return &d
}

// why is the message of an event that failed.
func (s *Service) why(ctx context.Context, d deployment, id string, n int) string {
	t, err := s.targets.Get(ctx, d.scope(), targetKey(d.id(), id))
	if err != nil || t.Events[n].Diagnostics == nil {
		return ""
	}
	return aws.ToString(t.Events[n].Diagnostics.Message)
}

// shift moves traffic in the steps of a configuration, from the percentage
// where it is: move brings it to one. A deployment that is taken up between two
// steps waits for what is left of the interval.
func (s *Service) shift(ctx context.Context, d deployment, t target, weight int32, r *types.TrafficRoutingConfig, move func(weight int32) error) error {
	step, minutes, repeat := int32(100), int32(0), false
	switch {
	case r.TimeBasedCanary != nil:
		step, minutes = r.TimeBasedCanary.CanaryPercentage, r.TimeBasedCanary.CanaryInterval
	case r.TimeBasedLinear != nil:
		step, minutes, repeat = r.TimeBasedLinear.LinearPercentage, r.TimeBasedLinear.LinearInterval, true
	}
	every := time.Duration(minutes) * s.options.Minute
	next := time.UnixMilli(t.Updated).Add(every)
	for {
		if weight > 0 && weight < 100 {
			if stopped, err := s.restUntil(ctx, d, next); err != nil || stopped {
				return errors.Join(err, errors.New("the deployment was stopped"))
			}
		}
		if weight == 0 || repeat {
			weight = min(weight+step, 100)
		} else {
			weight = 100
		}
		if err := move(weight); err != nil {
			return fmt.Errorf("shifting %d percent of the traffic: %w", weight, err)
		}
		if weight == 100 {
			return nil
		}
		next = s.host.Now().Add(every)
	}
}

// restUntil waits between two shifts; it tells whether the deployment was
// stopped.
func (s *Service) restUntil(ctx context.Context, d deployment, next time.Time) (stopped bool, err error) {
	timer := time.NewTimer(next.Sub(s.host.Now()))
	defer timer.Stop()
	for {
		news := s.news()
		if stop, err := s.stopping(ctx, d); err != nil || stop {
			return stop, err
		}
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-timer.C:
			return false, nil
		case <-news:
		}
	}
}
