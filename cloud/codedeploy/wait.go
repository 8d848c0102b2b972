package codedeploy

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"ouro/cloud/door"
)

// waiting is a time that a deployment is Ready, and goes on when it is told to.
type waiting struct {
	Until     time.Time
	Continued bool
}

// How a wait ends.
const (
	waitContinued = iota
	waitOver
	waitStopped
)

// wait keeps a deployment waiting. One that is taken up waits for what is left.
func (s *Service) wait(ctx context.Context, d deployment, kind types.DeploymentWaitType, minutes int32) (end int, err error) {
	begun := false
	d, err = s.deployments.Update(ctx, d.scope(), d.id(), func(d *deployment) error {
		if d.Waits == nil {
			d.Waits = map[types.DeploymentWaitType]waiting{}
		}
		w, known := d.Waits[kind]
		if !known {
			w.Until, begun = s.host.Now().Add(time.Duration(minutes)*s.options.Minute), true
			d.Waits[kind] = w
		}
		if !w.Continued {
			d.Info.Status = types.DeploymentStatusReady
		}
		d.Info.InstanceTerminationWaitTimeStarted = kind == types.DeploymentWaitTypeTerminationWait
		return nil
	})
	if err != nil {
		return 0, err
	}
	if begun && kind == types.DeploymentWaitTypeReadyWait {
		s.event(ctx, d, "READY", types.TriggerEventTypeDeploymentReady)
	}
	if end, err = s.sitOut(ctx, d, kind); err != nil {
		return 0, err
	}
	_, err = s.deployments.Update(ctx, d.scope(), d.id(), func(d *deployment) error {
		d.Info.Status = types.DeploymentStatusInProgress
		return nil
	})
	return end, err
}

// sitOut waits for the end of a wait that is stored.
func (s *Service) sitOut(ctx context.Context, d deployment, kind types.DeploymentWaitType) (end int, err error) {
	timer := time.NewTimer(d.Waits[kind].Until.Sub(s.host.Now()))
	defer timer.Stop()
	for {
		news := s.news()
		now, err := s.deployments.Get(ctx, d.scope(), d.id())
		switch {
		case err != nil:
			return 0, err
		case now.Stop:
			return waitStopped, nil
		case now.Waits[kind].Continued:
			return waitContinued, nil
		}
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-timer.C:
			return waitOver, nil
		case <-news:
		}
	}
}

// ContinueDeployment ends the wait that a deployment is in.
func (s *Service) ContinueDeployment(ctx context.Context, in *codedeploy.ContinueDeploymentInput) (*codedeploy.ContinueDeploymentOutput, error) {
	if in.DeploymentWaitType != "" && !slices.Contains(in.DeploymentWaitType.Values(), in.DeploymentWaitType) {
		return nil, refuse("InvalidDeploymentWaitType", "The deployment wait type %q is not valid: it is READY_WAIT or TERMINATION_WAIT", in.DeploymentWaitType)
	}
	return &codedeploy.ContinueDeploymentOutput{}, s.goOn(ctx, in.DeploymentId, func(d *deployment) error {
		if d.Info.Status != types.DeploymentStatusReady {
			return refuse("DeploymentIsNotInReadyState", "The deployment %s does not have a status of Ready and can't continue yet", d.id())
		}
		current := types.DeploymentWaitTypeReadyWait
		if d.Info.InstanceTerminationWaitTimeStarted {
			current = types.DeploymentWaitTypeTerminationWait
		}
		if in.DeploymentWaitType != "" && in.DeploymentWaitType != current {
			return refuse("DeploymentIsNotInReadyState", "The deployment %s is in its %s, not in its %s", d.id(), current, in.DeploymentWaitType)
		}
		d.Waits[current] = waiting{Until: d.Waits[current].Until, Continued: true}
		return nil
	})
}

// SkipWaitTimeForInstanceTermination is an older form of ContinueDeployment,
// and may come before the wait.
func (s *Service) SkipWaitTimeForInstanceTermination(ctx context.Context, in *codedeploy.SkipWaitTimeForInstanceTerminationInput) (*codedeploy.SkipWaitTimeForInstanceTerminationOutput, error) {
	return &codedeploy.SkipWaitTimeForInstanceTerminationOutput{}, s.goOn(ctx, in.DeploymentId, func(d *deployment) error {
		if d.Info.Status == types.DeploymentStatusCreated {
			return refuse("DeploymentNotStarted", "The deployment %s has not started", d.id())
		}
		if d.Waits == nil {
			d.Waits = map[types.DeploymentWaitType]waiting{}
		}
		d.Waits[types.DeploymentWaitTypeTerminationWait] = waiting{Continued: true}
		return nil
	})
}

// goOn changes a blue/green deployment that is not over, and tells it.
func (s *Service) goOn(ctx context.Context, id *string, change func(*deployment) error) error {
	d, err := s.deployment(ctx, id)
	if err != nil {
		return err
	}
	if d.Info.ComputePlatform != types.ComputePlatformEcs {
		return refuse("UnsupportedActionForDeploymentType", "Deployments that wait are blue/green ones: the local cloud has those of ECS, and none to instances")
	}
	_, err = s.deployments.Update(ctx, door.CallerFrom(ctx).Scope(), d.id(), func(d *deployment) error {
		if d.done() {
			return refuse("DeploymentAlreadyCompleted", "The deployment %s is already complete", d.id())
		}
		return change(d)
	})
	if err == nil {
		s.tell()
	}
	return err
}
