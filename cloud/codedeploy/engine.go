package codedeploy

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"ouro/cloud/store"
)

// verdict is how a deployment ended.
type verdict struct {
	status types.DeploymentStatus
	code   types.ErrorCode // of a failure
	text   string
}

func failure(code types.ErrorCode, format string, args ...any) verdict {
	return verdict{types.DeploymentStatusFailed, code, fmt.Sprintf(format, args...)}
}

// start sees to a deployment in the background.
func (s *Service) start(scope store.Scope, id string) {
	s.host.Go("deployment "+id, func(ctx context.Context) {
		if err := s.deploy(ctx, scope, id); err != nil && ctx.Err() == nil {
			s.host.Log().Error("a deployment cannot be kept up with", "deployment", id, "error", err)
		}
	})
}

// takeUp goes on with the deployments of an earlier process. What was under
// way on a target when it ended has failed: nobody knows how far it came.
func (s *Service) takeUp(ctx context.Context) error {
	all, err := s.deployments.All(ctx, store.Query{})
	if err != nil {
		return fmt.Errorf("looking for deployments in progress: %w", err)
	}
	for _, e := range all {
		if !e.Value.done() {
			s.start(e.Scope, e.ID)
		}
	}
	return nil
}

// deploy brings a deployment to its end.
func (s *Service) deploy(ctx context.Context, scope store.Scope, id string) error {
	d, err := s.deployments.Get(ctx, scope, id)
	if err != nil {
		return err
	}
	g, err := s.groups.Get(ctx, scope, d.groupKey())
	if missing(err, nil) != nil {
		return err
	}
	if err != nil {
		return s.finish(ctx, d, failure(types.ErrorCodeDeploymentGroupMissing, "The deployment group was deleted"))
	}
	prepare, run := s.prepareInstances, s.deployInstances
	switch d.Info.ComputePlatform {
	case types.ComputePlatformLambda:
		prepare, run = s.prepareFunction, s.deployFunction
	case types.ComputePlatformEcs:
		prepare, run = s.prepareService, s.deployService
	}
	if d.Info.Status == types.DeploymentStatusCreated {
		targets, bad, err := prepare(ctx, d, g.Info)
		if err != nil {
			return err
		}
		if bad != nil {
			return s.finish(ctx, d, *bad)
		}
		if d, err = s.setOut(ctx, d, targets); err != nil {
			return err
		}
		s.event(ctx, d, "START", types.TriggerEventTypeDeploymentStart)
	}
	unwatch, err := s.watch(ctx, d, g.Info)
	if err != nil {
		return err
	}
	v, err := run(ctx, d, g.Info)
	unwatch()
	if err != nil {
		if ctx.Err() != nil {
			return err // it is taken up again
		}
		v = failure(types.ErrorCodeInternalError, "%v", err)
	}
	return s.finish(ctx, d, v)
}

// setOut stores the targets; the deployment is in progress from then on.
func (s *Service) setOut(ctx context.Context, d deployment, targets []target) (deployment, error) {
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		var ids []string
		for _, t := range targets {
			t.Updated = s.now().UnixMilli()
			ids = append(ids, t.ID)
			if err := s.targets.Put(ctx, d.scope(), targetKey(d.id(), t.ID), t); err != nil {
				return err
			}
		}
		var err error
		d, err = s.deployments.Update(ctx, d.scope(), d.id(), func(d *deployment) error {
			d.Targets, d.Info.Status, d.Info.StartTime = ids, types.DeploymentStatusInProgress, s.now()
			d.Info.DeploymentOverview.Pending = int64(len(ids))
			return nil
		})
		return err
	})
	return d, err
}

// finish stores how a deployment ended, and the rollback that follows.
func (s *Service) finish(ctx context.Context, d deployment, v verdict) error {
	var back *deployment
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		overview, err := s.overview(ctx, d)
		if err != nil {
			return err
		}
		d, err = s.deployments.Update(ctx, d.scope(), d.id(), func(d *deployment) error {
			if d.Halt != nil && v == stoppedByHand {
				v.code, v.text = d.Halt.Code, d.Halt.Text
			}
			d.Info.Status, d.Info.CompleteTime, d.Info.DeploymentOverview = v.status, s.now(), overview
			if v.code != "" {
				d.Info.ErrorInformation = &types.ErrorInformation{Code: v.code, Message: &v.text}
			}
			return nil
		})
		if err != nil {
			return err
		}
		g, err := s.groups.Update(ctx, d.scope(), d.groupKey(), func(g *group) error { conclude(&g.Info, d); return nil })
		if err != nil {
			return missing(err, nil) // deleted in the meantime
		}
		back, err = s.rollBack(ctx, d, g.Info)
		return err
	})
	if err != nil {
		return err
	}
	words := map[types.DeploymentStatus]struct {
		state   string
		trigger types.TriggerEventType
	}{
		types.DeploymentStatusSucceeded: {"SUCCESS", types.TriggerEventTypeDeploymentSuccess},
		types.DeploymentStatusFailed:    {"FAILURE", types.TriggerEventTypeDeploymentFailure},
		types.DeploymentStatusStopped:   {"STOP", types.TriggerEventTypeDeploymentStop},
	}[v.status]
	s.event(ctx, d, words.state, words.trigger)
	if back != nil {
		s.event(ctx, *back, "", types.TriggerEventTypeDeploymentRollback)
		s.start(back.scope(), back.id())
	}
	return nil
}

// conclude writes into a group what became of its deployment.
func conclude(g *types.DeploymentGroupInfo, d deployment) {
	last := &types.LastDeploymentInfo{DeploymentId: d.Info.DeploymentId, CreateTime: d.Info.CreateTime, EndTime: d.Info.CompleteTime, Status: d.Info.Status}
	if a := g.LastAttemptedDeployment; a != nil && aws.ToString(a.DeploymentId) == d.id() {
		g.LastAttemptedDeployment = last
	}
	if d.Info.Status == types.DeploymentStatusSucceeded {
		g.LastSuccessfulDeployment, g.TargetRevision = last, d.Info.Revision
	}
}

// overview counts a deployment's targets by their status.
func (s *Service) overview(ctx context.Context, d deployment) (*types.DeploymentOverview, error) {
	all, err := s.targets.List(ctx, d.scope(), store.Query{Prefix: d.id() + "/"})
	o := &types.DeploymentOverview{}
	counts := map[types.TargetStatus]*int64{
		types.TargetStatusPending: &o.Pending, types.TargetStatusInProgress: &o.InProgress, types.TargetStatusSucceeded: &o.Succeeded,
		types.TargetStatusFailed: &o.Failed, types.TargetStatusSkipped: &o.Skipped, types.TargetStatusReady: &o.Ready,
	}
	for _, t := range all {
		if n := counts[t.Value.Status]; n != nil {
			*n++
		}
	}
	return o, err
}

// changeTarget changes a target and counts anew.
func (s *Service) changeTarget(ctx context.Context, d deployment, id string, change func(*target)) error {
	return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		_, err := s.targets.Update(ctx, d.scope(), targetKey(d.id(), id), func(t *target) error {
			change(t)
			t.Updated = s.now().UnixMilli()
			return nil
		})
		if err != nil {
			return err
		}
		overview, err := s.overview(ctx, d)
		if err != nil {
			return err
		}
		_, err = s.deployments.Update(ctx, d.scope(), d.id(), func(d *deployment) error {
			d.Info.DeploymentOverview = overview
			return nil
		})
		return err
	})
}

// stopping tells whether somebody asked to stop the deployment.
func (s *Service) stopping(ctx context.Context, d deployment) (bool, error) {
	now, err := s.deployments.Get(ctx, d.scope(), d.id())
	return now.Stop, err
}

// newTarget is a target whose events are pending.
func newTarget(id, arn string, events []string) target {
	t := target{ID: id, ARN: arn, Status: types.TargetStatusPending}
	for _, name := range events {
		t.Events = append(t.Events, types.LifecycleEvent{LifecycleEventName: &name, Status: types.LifecycleEventStatusPending})
	}
	return t
}

// lose fails the event of a target that was under way when the local cloud
// ended, and skips what would have followed.
func (t *target) lose(now *time.Time) {
	if t.Status != types.TargetStatusInProgress {
		return
	}
	t.Status = types.TargetStatusFailed
	for i := range t.Events {
		switch e := &t.Events[i]; e.Status {
		case types.LifecycleEventStatusInProgress:
			e.Status, e.EndTime = types.LifecycleEventStatusFailed, now
			e.Diagnostics = &types.Diagnostics{ErrorCode: types.LifecycleErrorCodeUnknownError, Message: aws.String("The local cloud ended while the event was under way")}
		case types.LifecycleEventStatusPending:
			e.Status = types.LifecycleEventStatusSkipped
		}
	}
}
