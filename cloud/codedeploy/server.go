package codedeploy

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"ouro/cloud/door"
)

// lifecycle are the events of a deployment to an instance without a load
// balancer, in their order.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
var lifecycle = []string{"ApplicationStop", "DownloadBundle", "BeforeInstall", "Install", "AfterInstall", "ApplicationStart", "ValidateService"}

const (
	noInstances = "The deployment failed because no instances were found for your deployment group. Check your deployment group settings to make sure the tags for your instances correctly identify the instances you want to deploy to, and then try again. On the local cloud these are registered on-premises instances."
	tooFew      = "The overall deployment failed because too many individual instances failed deployment, too few healthy instances are available for deployment, or some instances in your deployment group are experiencing problems."
)

// prepareInstances finds the instances of a group.
func (s *Service) prepareInstances(ctx context.Context, d deployment, g types.DeploymentGroupInfo) ([]target, *verdict, error) {
	names, err := s.chosen(ctx, d.scope(), g)
	if err != nil {
		return nil, nil, err
	}
	var targets []target
	for _, name := range names {
		if d.Info.UpdateOutdatedInstancesOnly {
			i, err := s.instances.Get(ctx, d.scope(), name)
			if err != nil {
				return nil, nil, err
			}
			if i.Last[d.GroupID] == revisionKey("", *d.Info.Revision) {
				continue
			}
		}
		targets = append(targets, newTarget(name, d.Caller.ResourceARN("codedeploy", "instance/"+name), lifecycle))
	}
	if len(names) == 0 {
		v := failure(types.ErrorCodeNoInstances, noInstances)
		return nil, &v, nil
	}
	return targets, nil, nil
}

// floor is how many of total instances must stay healthy.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/instances-health.html
func floor(h *types.MinimumHealthyHosts, total int) int {
	switch h.Type {
	case mostConcurrency:
		return total - int(h.Value)
	case types.MinimumHealthyHostsTypeFleetPercent:
		return min((total*int(h.Value)+99)/100, total-1) // one at a time at least
	}
	return int(h.Value)
}

// deployInstances deploys to as many instances at once as the configuration
// lets, until all are done, too many have failed, or somebody says stop.
func (s *Service) deployInstances(ctx context.Context, d deployment, g types.DeploymentGroupInfo) (verdict, error) {
	c, err := s.config(door.WithCaller(ctx, d.Caller), d.Info.DeploymentConfigName)
	if err != nil {
		return failure(types.ErrorCodeHealthConstraintsInvalid, "%v", err), nil
	}
	total := len(d.Targets)
	least := floor(c.MinimumHealthyHosts, total)
	if least >= total && total > 0 {
		return s.skipRest(ctx, d, failure(types.ErrorCodeHealthConstraintsInvalid,
			"The deployment needs %d healthy instances of %d, so that it cannot be deployed to any of them", least, total))
	}
	waiting, failed, succeeded, err := s.standing(ctx, d)
	if err != nil {
		return verdict{}, err
	}
	type result struct {
		status types.TargetStatus
		err    error
	}
	done, under := make(chan result), 0
	var together sync.WaitGroup
	defer together.Wait()
	stopped := false
	for under > 0 || len(waiting) > 0 {
		if !stopped && err == nil {
			var asked error
			stopped, asked = s.stopping(ctx, d)
			err = asked
		}
		for err == nil && !stopped && len(waiting) > 0 && total-failed-under-1 >= least {
			name := waiting[0]
			waiting, under = waiting[1:], under+1
			together.Go(func() {
				status, err := s.deployInstance(ctx, d, g, name)
				done <- result{status, err}
			})
		}
		if under == 0 {
			break
		}
		r := <-done
		under--
		if r.err != nil && err == nil {
			err = r.err
		}
		switch r.status {
		case types.TargetStatusFailed:
			failed++
		case types.TargetStatusSucceeded:
			succeeded++
		}
	}
	if err != nil {
		return verdict{}, err
	}
	if !stopped {
		stopped, err = s.stopping(ctx, d)
	}
	switch {
	case err != nil:
		return verdict{}, err
	case stopped && succeeded < total:
		return s.skipRest(ctx, d, stoppedByHand)
	case succeeded < min(max(least, 1), total):
		return s.skipRest(ctx, d, failure(types.ErrorCodeHealthConstraints, tooFew))
	}
	return verdict{status: types.DeploymentStatusSucceeded}, nil
}

// standing is where a deployment stands that begins, or is taken up.
func (s *Service) standing(ctx context.Context, d deployment) (waiting []string, failed, succeeded int, err error) {
	for _, id := range d.Targets {
		t, err := s.targets.Get(ctx, d.scope(), targetKey(d.id(), id))
		if err != nil {
			return nil, 0, 0, err
		}
		if t.Status == types.TargetStatusInProgress {
			if err := s.changeTarget(ctx, d, id, func(t *target) { t.lose(s.now()) }); err != nil {
				return nil, 0, 0, err
			}
			t.Status = types.TargetStatusFailed
		}
		switch t.Status {
		case types.TargetStatusPending:
			waiting = append(waiting, id)
		case types.TargetStatusFailed:
			failed++
		case types.TargetStatusSucceeded:
			succeeded++
		}
	}
	return waiting, failed, succeeded, nil
}

// skipRest skips the targets that nothing was deployed to.
func (s *Service) skipRest(ctx context.Context, d deployment, v verdict) (verdict, error) {
	for _, id := range d.Targets {
		err := s.changeTarget(ctx, d, id, func(t *target) {
			if t.Status == types.TargetStatusPending {
				t.skip()
			}
		})
		if err != nil {
			return v, fmt.Errorf("skipping %s: %w", id, err)
		}
	}
	return v, nil
}

// skip skips what is pending of a target.
func (t *target) skip() {
	t.Status = types.TargetStatusSkipped
	for i := range t.Events {
		if t.Events[i].Status == types.LifecycleEventStatusPending {
			t.Events[i].Status = types.LifecycleEventStatusSkipped
		}
	}
}

// deployInstance takes one instance through the lifecycle. An error is one of
// the local cloud; a failure of the deployment is a status.
func (s *Service) deployInstance(ctx context.Context, d deployment, g types.DeploymentGroupInfo, name string) (types.TargetStatus, error) {
	defer s.busy(s.root(d.scope(), name))()
	i, err := s.instances.Get(ctx, d.scope(), name)
	if err != nil {
		return "", err
	}
	a := &agent{service: s, deployment: d, instance: i, name: name, root: s.root(d.scope(), name)}
	if err := s.changeTarget(ctx, d, name, func(t *target) { t.Status = types.TargetStatusInProgress }); err != nil {
		return "", err
	}
	s.instanceEvent(ctx, d, name, "START", types.TriggerEventTypeInstanceStart)
	status := types.TargetStatusSucceeded
	for n, event := range lifecycle {
		if stop, err := s.stopping(ctx, d); err != nil {
			return "", err
		} else if stop {
			status = types.TargetStatusSkipped
			break
		}
		if ok, err := s.runEvent(ctx, d, name, n, func() *types.Diagnostics { return a.run(ctx, event) }); err != nil {
			return "", err
		} else if !ok {
			status = types.TargetStatusFailed
			break
		}
	}
	if status == types.TargetStatusSucceeded {
		if err := a.settle(ctx); err != nil {
			return "", err
		}
	}
	if err := s.changeTarget(ctx, d, name, func(t *target) { t.skip(); t.Status = status }); err != nil {
		return "", err
	}
	state, trigger := "FAILURE", types.TriggerEventTypeInstanceFailure
	if status == types.TargetStatusSucceeded {
		state, trigger = "SUCCESS", types.TriggerEventTypeInstanceSuccess
	}
	s.instanceEvent(ctx, d, name, state, trigger)
	return status, nil
}

// runEvent runs event n of a target, and tells whether it succeeded.
func (s *Service) runEvent(ctx context.Context, d deployment, id string, n int, run func() *types.Diagnostics) (bool, error) {
	err := s.changeTarget(ctx, d, id, func(t *target) {
		t.Events[n].Status, t.Events[n].StartTime = types.LifecycleEventStatusInProgress, s.now()
	})
	if err != nil {
		return false, err
	}
	diagnostics := run()
	if ctx.Err() != nil {
		return false, context.Cause(ctx) // it counts as lost when it is taken up again
	}
	ok := diagnostics.ErrorCode == types.LifecycleErrorCodeSuccess
	return ok, s.changeTarget(ctx, d, id, func(t *target) {
		e := &t.Events[n]
		e.Status, e.EndTime, e.Diagnostics = types.LifecycleEventStatusSucceeded, s.now(), diagnostics
		if !ok {
			e.Status = types.LifecycleEventStatusFailed
		}
	})
}

// busy waits until nobody else deploys to an instance, and keeps others out
// until the function is called that it gives.
func (s *Service) busy(root string) (free func()) {
	lock, _ := s.agents.LoadOrStore(root, &sync.Mutex{})
	lock.(*sync.Mutex).Lock()
	return lock.(*sync.Mutex).Unlock
}
