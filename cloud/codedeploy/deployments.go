package codedeploy

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// deployment is a deployment as it is kept.
type deployment struct {
	Info    types.DeploymentInfo
	Caller  door.Caller // whose events and calls are the deployment's
	GroupID string
	Targets []string                             // in the order in which they are deployed to
	Stop    bool                                 // somebody asked to stop it
	Back    *bool                                // whether that somebody asked to roll back
	Halt    *halt                                `json:",omitempty"` // why it is stopped, if by its alarms
	Waits   map[types.DeploymentWaitType]waiting `json:",omitempty"`
}

func (d deployment) isRollback() bool {
	return d.Info.Creator == types.DeploymentCreatorCodeDeployRollback
}

func (d deployment) done() bool {
	return slices.Contains([]types.DeploymentStatus{types.DeploymentStatusSucceeded, types.DeploymentStatusFailed, types.DeploymentStatusStopped}, d.Info.Status)
}

func (d deployment) id() string { return *d.Info.DeploymentId }

func (d deployment) scope() store.Scope { return d.Caller.Scope() }

func (d deployment) groupKey() string {
	return *d.Info.ApplicationName + "/" + *d.Info.DeploymentGroupName
}

func (s *Service) deployment(ctx context.Context, id *string) (deployment, error) {
	n, err := deploymentID(id)
	if err != nil {
		return deployment{}, err
	}
	d, err := s.deployments.Get(ctx, door.CallerFrom(ctx).Scope(), n)
	return d, missing(err, noDeployment(n))
}

// CreateDeployment deploys a revision to a group.
func (s *Service) CreateDeployment(ctx context.Context, in *codedeploy.CreateDeploymentInput) (*codedeploy.CreateDeploymentOutput, error) {
	g, err := s.group(ctx, in.ApplicationName, in.DeploymentGroupName)
	if err != nil {
		return nil, err
	}
	if err := s.checkDeployment(in, g.Info); err != nil {
		return nil, err
	}
	chosen := g.Info.DeploymentConfigName
	if in.DeploymentConfigName != nil {
		chosen = in.DeploymentConfigName
	}
	if _, err := s.configFor(ctx, chosen, g.Info.ComputePlatform); err != nil {
		return nil, err
	}
	rollback := g.Info.AutoRollbackConfiguration
	if in.AutoRollbackConfiguration != nil {
		rollback = in.AutoRollbackConfiguration
	}
	d := s.newDeployment(door.CallerFrom(ctx), g.Info, *in.Revision)
	d.Info.Creator, d.Info.Description, d.Info.DeploymentConfigName = types.DeploymentCreatorUser, in.Description, chosen
	d.Info.AutoRollbackConfiguration, d.Info.OverrideAlarmConfiguration = rollback, in.OverrideAlarmConfiguration
	d.Info.IgnoreApplicationStopFailures, d.Info.UpdateOutdatedInstancesOnly = in.IgnoreApplicationStopFailures, in.UpdateOutdatedInstancesOnly
	if in.FileExistsBehavior != "" {
		d.Info.FileExistsBehavior = in.FileExistsBehavior
	}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		all, err := s.deployments.List(ctx, d.scope(), store.Query{})
		if err != nil {
			return err
		}
		for _, e := range all {
			if e.Value.GroupID == d.GroupID && !e.Value.done() {
				return refuse("DeploymentLimitExceeded", "The Deployment Group '%s' already has an active Deployment '%s'", *in.DeploymentGroupName, e.ID)
			}
		}
		return s.begin(ctx, d)
	})
	if err != nil {
		return nil, err
	}
	s.start(d.scope(), d.id())
	return &codedeploy.CreateDeploymentOutput{DeploymentId: d.Info.DeploymentId}, nil
}

func (s *Service) newDeployment(c door.Caller, g types.DeploymentGroupInfo, l types.RevisionLocation) deployment {
	c.Service = "codedeploy.amazonaws.com"
	d := deployment{Caller: c, GroupID: *g.DeploymentGroupId, Info: types.DeploymentInfo{
		ApplicationName: g.ApplicationName, DeploymentGroupName: g.DeploymentGroupName, DeploymentId: aws.String(newDeploymentID()),
		DeploymentConfigName: g.DeploymentConfigName, AutoRollbackConfiguration: g.AutoRollbackConfiguration,
		Revision: &l, PreviousRevision: g.TargetRevision, Status: types.DeploymentStatusCreated, CreateTime: s.now(),
		ComputePlatform: g.ComputePlatform, DeploymentStyle: g.DeploymentStyle, LoadBalancerInfo: g.LoadBalancerInfo,
		BlueGreenDeploymentConfiguration: g.BlueGreenDeploymentConfiguration, DeploymentOverview: &types.DeploymentOverview{},
	}}
	if g.ComputePlatform == types.ComputePlatformServer {
		d.Info.FileExistsBehavior = types.FileExistsBehaviorDisallow
	}
	return d
}

// begin stores a new deployment.
func (s *Service) begin(ctx context.Context, d deployment) error {
	if err := s.use(ctx, d.scope(), *d.Info.ApplicationName, *d.Info.DeploymentGroupName, *d.Info.Revision, func(*types.GenericRevisionInfo) {}); err != nil {
		return err
	}
	_, err := s.groups.Update(ctx, d.scope(), d.groupKey(), func(g *group) error {
		g.Info.LastAttemptedDeployment = &types.LastDeploymentInfo{DeploymentId: d.Info.DeploymentId, CreateTime: d.Info.CreateTime, Status: d.Info.Status}
		return nil
	})
	if err != nil {
		return missing(err, noGroup(*d.Info.DeploymentGroupName))
	}
	return s.deployments.Insert(ctx, d.scope(), d.id(), d)
}

// checkDeployment refuses what the local cloud cannot deploy.
func (s *Service) checkDeployment(in *codedeploy.CreateDeploymentInput, g types.DeploymentGroupInfo) error {
	if err := checkRevision(in.Revision, g.ComputePlatform); err != nil {
		return err
	}
	server := g.ComputePlatform == types.ComputePlatformServer
	switch {
	case !slices.Contains(append(in.FileExistsBehavior.Values(), ""), in.FileExistsBehavior):
		return refuse("InvalidFileExistsBehavior", "The file exists behavior %q is not valid: it is DISALLOW, OVERWRITE or RETAIN", in.FileExistsBehavior)
	case in.TargetInstances != nil:
		return refuse("InvalidTargetInstances", "Target instances are for blue/green deployments to instances, which the local cloud does not have")
	case server && g.DeploymentStyle.DeploymentType == types.DeploymentTypeBlueGreen:
		return refuse("InvalidDeploymentStyle", "The local cloud makes no instances, and hence no blue/green deployments to instances")
	case server && g.DeploymentStyle.DeploymentOption == types.DeploymentOptionWithTrafficControl:
		return refuse("InvalidLoadBalancerInfo", "The local cloud has no load balancers: it deploys WITHOUT_TRAFFIC_CONTROL")
	case !server && in.IgnoreApplicationStopFailures:
		return refuse("InvalidIgnoreApplicationStopFailuresValue", "IgnoreApplicationStopFailures is for the compute platform Server")
	case !server && in.UpdateOutdatedInstancesOnly:
		return refuse("InvalidUpdateOutdatedInstancesOnlyValue", "UpdateOutdatedInstancesOnly is for the compute platform Server")
	}
	return errors.Join(checkAlarms(in.OverrideAlarmConfiguration), checkRollback(in.AutoRollbackConfiguration), checkDescription(in.Description))
}

// GetDeployment gives a deployment.
func (s *Service) GetDeployment(ctx context.Context, in *codedeploy.GetDeploymentInput) (*codedeploy.GetDeploymentOutput, error) {
	d, err := s.deployment(ctx, in.DeploymentId)
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetDeploymentOutput{DeploymentInfo: &d.Info}, nil
}

// BatchGetDeployments gives deployments, without those that are not there.
func (s *Service) BatchGetDeployments(ctx context.Context, in *codedeploy.BatchGetDeploymentsInput) (*codedeploy.BatchGetDeploymentsOutput, error) {
	if err := batch(len(in.DeploymentIds)); err != nil {
		return nil, err
	}
	if len(in.DeploymentIds) == 0 {
		_, err := deploymentID(nil)
		return nil, err
	}
	out := &codedeploy.BatchGetDeploymentsOutput{DeploymentsInfo: []types.DeploymentInfo{}}
	for _, id := range in.DeploymentIds {
		d, err := s.deployment(ctx, &id)
		if isCode(err, "DeploymentDoesNotExist") {
			continue
		}
		if err != nil {
			return nil, err
		}
		out.DeploymentsInfo = append(out.DeploymentsInfo, d.Info)
	}
	return out, nil
}

// ListDeployments gives the ids of deployments, the newest first.
func (s *Service) ListDeployments(ctx context.Context, in *codedeploy.ListDeploymentsInput) (*codedeploy.ListDeploymentsOutput, error) {
	if err := s.checkListing(ctx, in); err != nil {
		return nil, err
	}
	all, err := s.deployments.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(e store.Entry[deployment]) bool { return !listed(in, e.Value.Info) })
	slices.SortStableFunc(all, func(a, b store.Entry[deployment]) int {
		return b.Value.Info.CreateTime.Compare(*a.Value.Info.CreateTime)
	})
	ids := []string{}
	for _, e := range all {
		ids = append(ids, e.ID)
	}
	ids, next, err := page(ids, in.NextToken)
	return &codedeploy.ListDeploymentsOutput{Deployments: ids, NextToken: next}, err
}

func (s *Service) checkListing(ctx context.Context, in *codedeploy.ListDeploymentsInput) error {
	if in.ApplicationName == nil && in.DeploymentGroupName != nil {
		return refuse("ApplicationNameRequired", "A deployment group's name needs the application's name")
	}
	if in.ApplicationName != nil && in.DeploymentGroupName != nil {
		if _, err := s.group(ctx, in.ApplicationName, in.DeploymentGroupName); err != nil {
			return err
		}
	} else if in.ApplicationName != nil {
		if _, err := s.application(ctx, in.ApplicationName); err != nil {
			return err
		}
	}
	for _, status := range in.IncludeOnlyStatuses {
		if !slices.Contains(status.Values(), status) {
			return refuse("InvalidDeploymentStatus", "The deployment status %q is not valid", status)
		}
	}
	if r := in.CreateTimeRange; r != nil && r.Start != nil && r.End != nil && r.End.Before(*r.Start) {
		return refuse("InvalidTimeRange", "The time range ends before it begins")
	}
	return nil
}

func listed(in *codedeploy.ListDeploymentsInput, d types.DeploymentInfo) bool {
	r := in.CreateTimeRange
	return (in.ApplicationName == nil || *in.ApplicationName == *d.ApplicationName) &&
		(in.DeploymentGroupName == nil || *in.DeploymentGroupName == *d.DeploymentGroupName) &&
		(in.ExternalId == nil || *in.ExternalId == aws.ToString(d.ExternalId)) &&
		(len(in.IncludeOnlyStatuses) == 0 || slices.Contains(in.IncludeOnlyStatuses, d.Status)) &&
		(r == nil || (r.Start == nil || !d.CreateTime.Before(*r.Start)) && (r.End == nil || !d.CreateTime.After(*r.End)))
}

// StopDeployment has a deployment stop when its events under way are over.
func (s *Service) StopDeployment(ctx context.Context, in *codedeploy.StopDeploymentInput) (*codedeploy.StopDeploymentOutput, error) {
	d, err := s.deployment(ctx, in.DeploymentId)
	if err != nil {
		return nil, err
	}
	_, err = s.deployments.Update(ctx, d.scope(), d.id(), func(d *deployment) error {
		if d.done() {
			return refuse("DeploymentAlreadyCompleted", "The deployment %s is already complete", d.id())
		}
		d.Stop, d.Back = true, in.AutoRollbackEnabled
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.tell()
	return &codedeploy.StopDeploymentOutput{Status: types.StopStatusPending, StatusMessage: aws.String("The stop request is pending: the lifecycle events under way come to their end first")}, nil
}
