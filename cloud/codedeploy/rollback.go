package codedeploy

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// rollBack makes the deployment that takes back one that ended, if it is to be
// taken back.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html
func (s *Service) rollBack(ctx context.Context, d deployment, g types.DeploymentGroupInfo) (*deployment, error) {
	if !wantsBack(d) {
		return nil, nil
	}
	to, err := s.formerRevision(ctx, d, g)
	if err != nil {
		return nil, err
	}
	info := &types.RollbackInfo{RollbackMessage: aws.String("There is no earlier successful deployment to roll back to")}
	var back *deployment
	if to != nil {
		b := s.newDeployment(d.Caller, g, *to)
		b.Info.Creator, b.Info.Description = types.DeploymentCreatorCodeDeployRollback, aws.String("Rollback of deployment "+d.id())
		b.Info.DeploymentConfigName, b.Info.IgnoreApplicationStopFailures = d.Info.DeploymentConfigName, d.Info.IgnoreApplicationStopFailures
		b.Info.PreviousRevision = d.Info.Revision
		if d.Info.ComputePlatform == types.ComputePlatformServer {
			b.Info.FileExistsBehavior = d.Info.FileExistsBehavior
		} else {
			b.Info.DeploymentConfigName = aws.String(fallbacks[d.Info.ComputePlatform]) // at once
		}
		b.Info.RollbackInfo = &types.RollbackInfo{RollbackTriggeringDeploymentId: d.Info.DeploymentId}
		if err := s.begin(ctx, b); err != nil {
			return nil, err
		}
		back = &b
		info = &types.RollbackInfo{RollbackDeploymentId: b.Info.DeploymentId, RollbackMessage: aws.String("Deployment " + b.id() + " rolls back to the revision before")}
	}
	_, err = s.deployments.Update(ctx, d.scope(), d.id(), func(d *deployment) error {
		d.Info.RollbackInfo = info
		return nil
	})
	return back, err
}

// wantsBack tells whether a deployment that ended is to be rolled back. What
// is a rollback itself is not.
func wantsBack(d deployment) bool {
	if d.isRollback() {
		return false
	}
	c := d.Info.AutoRollbackConfiguration
	on := func(e types.AutoRollbackEvent) bool { return c != nil && c.Enabled && slices.Contains(c.Events, e) }
	switch d.Info.Status {
	case types.DeploymentStatusFailed:
		return on(types.AutoRollbackEventDeploymentFailure)
	case types.DeploymentStatusStopped:
		if !d.Stop {
			return false // by its own wait, before anything was shifted
		}
		if d.Halt != nil {
			return on(types.AutoRollbackEventDeploymentStopOnAlarm)
		}
		if d.Back != nil {
			return *d.Back
		}
		return on(types.AutoRollbackEventDeploymentStopOnRequest)
	}
	return false
}

// formerRevision is what a deployment is rolled back to, nil for nothing.
func (s *Service) formerRevision(ctx context.Context, d deployment, g types.DeploymentGroupInfo) (*types.RevisionLocation, error) {
	switch d.Info.ComputePlatform {
	case types.ComputePlatformLambda:
		return s.formerVersion(ctx, d)
	case types.ComputePlatformEcs:
		return s.formerTask(ctx, d)
	}
	return g.TargetRevision, nil
}
