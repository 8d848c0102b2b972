package codedeploy

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"ouro/cloud/store"
)

// target is an instance, a function or a service of a deployment. Its SDK form is made
// when it is asked for.
type target struct {
	ID, ARN string
	Status  types.TargetStatus
	Events  []types.LifecycleEvent
	Updated int64 // Unix milliseconds
	Lambda  *types.LambdaFunctionInfo
	ECS     *replacement `json:",omitempty"`
}

func targetKey(deployment, id string) string { return deployment + "/" + id }

// about gives a target as the API tells it.
func (t target) about(deployment string) types.DeploymentTarget {
	if t.Lambda != nil {
		return types.DeploymentTarget{DeploymentTargetType: types.DeploymentTargetTypeLambdaTarget, LambdaTarget: &types.LambdaTarget{
			DeploymentId: &deployment, TargetId: &t.ID, TargetArn: &t.ARN, Status: t.Status, LifecycleEvents: t.Events, LastUpdatedAt: millis(t.Updated), LambdaFunctionInfo: t.Lambda,
		}}
	}
	if t.ECS != nil {
		return types.DeploymentTarget{DeploymentTargetType: types.DeploymentTargetTypeEcsTarget, EcsTarget: &types.ECSTarget{
			DeploymentId: &deployment, TargetId: &t.ID, TargetArn: &t.ARN, Status: t.Status, LifecycleEvents: t.Events, LastUpdatedAt: millis(t.Updated), TaskSetsInfo: t.ECS.about(),
		}}
	}
	return types.DeploymentTarget{DeploymentTargetType: types.DeploymentTargetTypeInstanceTarget, InstanceTarget: &types.InstanceTarget{
		DeploymentId: &deployment, TargetId: &t.ID, TargetArn: &t.ARN, Status: t.Status, LifecycleEvents: t.Events, LastUpdatedAt: millis(t.Updated),
	}}
}

// summary gives a target as the older operations tell it.
func (t target) summary(deployment string) types.InstanceSummary {
	//lint:ignore SA1019 AWS still has it
	return types.InstanceSummary{DeploymentId: &deployment, InstanceId: &t.ARN, Status: types.InstanceStatus(t.Status), LifecycleEvents: t.Events, LastUpdatedAt: millis(t.Updated)}
}

// begun gives a deployment whose targets are known.
func (s *Service) begun(ctx context.Context, id *string) (deployment, error) {
	d, err := s.deployment(ctx, id)
	if err == nil && d.Info.Status == types.DeploymentStatusCreated {
		err = refuse("DeploymentNotStarted", "The deployment %s has not started", d.id())
	}
	return d, err
}

func (s *Service) target(ctx context.Context, d deployment, id *string) (target, error) {
	n := aws.ToString(id)
	if n == "" {
		return target{}, refuse("DeploymentTargetIdRequired", "A deployment target ID must be specified")
	}
	// An instance of one's own may be named by its ARN too.
	n = strings.TrimPrefix(n, d.Caller.ResourceARN("codedeploy", "instance/"))
	t, err := s.targets.Get(ctx, d.scope(), targetKey(d.id(), n))
	return t, missing(err, refuse("DeploymentTargetDoesNotExist", "The target %s does not belong to the deployment %s", n, d.id()))
}

// ListDeploymentTargets gives the ids of a deployment's targets.
func (s *Service) ListDeploymentTargets(ctx context.Context, in *codedeploy.ListDeploymentTargetsInput) (*codedeploy.ListDeploymentTargetsOutput, error) {
	d, err := s.begun(ctx, in.DeploymentId)
	if err != nil {
		return nil, err
	}
	var statuses []types.TargetStatus
	for name, values := range in.TargetFilters {
		switch types.TargetFilterName(name) {
		case types.TargetFilterNameTargetStatus:
			for _, v := range values {
				statuses = append(statuses, types.TargetStatus(v))
			}
		case types.TargetFilterNameServerInstanceLabel:
			return nil, refuse("InvalidDeploymentInstanceType", "Labels of instances are for blue/green deployments only")
		default:
			return nil, refuse("InvalidTargetFilterName", "The target filter %q is not valid", name)
		}
	}
	ids, next, err := s.listTargets(ctx, d, statuses, in.NextToken)
	return &codedeploy.ListDeploymentTargetsOutput{TargetIds: ids, NextToken: next}, err
}

func (s *Service) listTargets(ctx context.Context, d deployment, statuses []types.TargetStatus, token *string) ([]string, *string, error) {
	for _, status := range statuses {
		if !slices.Contains(status.Values(), status) {
			return nil, nil, refuse("InvalidInstanceStatus", "The status %q is not valid", status)
		}
	}
	all, err := s.targets.List(ctx, d.scope(), store.Query{Prefix: d.id() + "/"})
	if err != nil {
		return nil, nil, err
	}
	ids := []string{}
	for _, t := range all {
		if len(statuses) == 0 || slices.Contains(statuses, t.Value.Status) {
			ids = append(ids, t.Value.ID)
		}
	}
	return page(ids, token)
}

// GetDeploymentTarget gives a target.
func (s *Service) GetDeploymentTarget(ctx context.Context, in *codedeploy.GetDeploymentTargetInput) (*codedeploy.GetDeploymentTargetOutput, error) {
	d, err := s.begun(ctx, in.DeploymentId)
	if err != nil {
		return nil, err
	}
	t, err := s.target(ctx, d, in.TargetId)
	if err != nil {
		return nil, err
	}
	about := t.about(d.id())
	return &codedeploy.GetDeploymentTargetOutput{DeploymentTarget: &about}, nil
}

const maxTargets = 25

// BatchGetDeploymentTargets gives targets.
func (s *Service) BatchGetDeploymentTargets(ctx context.Context, in *codedeploy.BatchGetDeploymentTargetsInput) (*codedeploy.BatchGetDeploymentTargetsOutput, error) {
	d, err := s.begun(ctx, in.DeploymentId)
	if err != nil {
		return nil, err
	}
	if len(in.TargetIds) > maxTargets {
		return nil, refuse("DeploymentTargetListSizeExceeded", "At most %d targets can be asked for at once", maxTargets)
	}
	if len(in.TargetIds) == 0 {
		_, err := s.target(ctx, d, nil)
		return nil, err
	}
	out := &codedeploy.BatchGetDeploymentTargetsOutput{}
	for _, id := range in.TargetIds {
		t, err := s.target(ctx, d, &id)
		if err != nil {
			return nil, err
		}
		out.DeploymentTargets = append(out.DeploymentTargets, t.about(d.id()))
	}
	return out, nil
}

// onServers is begun for the older operations, which know instances only.
func (s *Service) onServers(ctx context.Context, id *string) (deployment, error) {
	d, err := s.begun(ctx, id)
	if err == nil && d.Info.ComputePlatform != types.ComputePlatformServer {
		err = refuse("InvalidComputePlatform", "The deployment %s is not one to instances: ask for its targets", d.id())
	}
	return d, err
}

// ListDeploymentInstances is the older form of ListDeploymentTargets.
func (s *Service) ListDeploymentInstances(ctx context.Context, in *codedeploy.ListDeploymentInstancesInput) (*codedeploy.ListDeploymentInstancesOutput, error) {
	d, err := s.onServers(ctx, in.DeploymentId)
	if err != nil {
		return nil, err
	}
	if len(in.InstanceTypeFilter) > 0 {
		return nil, refuse("InvalidDeploymentInstanceType", "Instance types are for blue/green deployments only")
	}
	var statuses []types.TargetStatus
	for _, v := range in.InstanceStatusFilter {
		statuses = append(statuses, types.TargetStatus(v))
	}
	ids, next, err := s.listTargets(ctx, d, statuses, in.NextToken)
	return &codedeploy.ListDeploymentInstancesOutput{InstancesList: ids, NextToken: next}, err
}

// GetDeploymentInstance is the older form of GetDeploymentTarget.
func (s *Service) GetDeploymentInstance(ctx context.Context, in *codedeploy.GetDeploymentInstanceInput) (*codedeploy.GetDeploymentInstanceOutput, error) {
	d, err := s.onServers(ctx, in.DeploymentId)
	if err != nil {
		return nil, err
	}
	if aws.ToString(in.InstanceId) == "" {
		return nil, refuse("InstanceIdRequired", "An instance ID must be specified")
	}
	t, err := s.target(ctx, d, in.InstanceId)
	if isCode(err, "DeploymentTargetDoesNotExist") {
		err = refuse("InstanceDoesNotExist", "The instance %s does not belong to the deployment %s", *in.InstanceId, d.id())
	}
	if err != nil {
		return nil, err
	}
	about := t.summary(d.id())
	//lint:ignore SA1019 AWS still has it
	return &codedeploy.GetDeploymentInstanceOutput{InstanceSummary: &about}, nil
}

// BatchGetDeploymentInstances is the older form of BatchGetDeploymentTargets.
func (s *Service) BatchGetDeploymentInstances(ctx context.Context, in *codedeploy.BatchGetDeploymentInstancesInput) (*codedeploy.BatchGetDeploymentInstancesOutput, error) {
	d, err := s.onServers(ctx, in.DeploymentId)
	if err != nil {
		return nil, err
	}
	if err := batch(len(in.InstanceIds)); err != nil {
		return nil, err
	}
	if len(in.InstanceIds) == 0 {
		return nil, refuse("InstanceIdRequired", "An instance ID must be specified")
	}
	out := &codedeploy.BatchGetDeploymentInstancesOutput{}
	for _, id := range in.InstanceIds {
		t, err := s.target(ctx, d, &id)
		if isCode(err, "DeploymentTargetDoesNotExist") {
			out.ErrorMessage = aws.String(err.Error())
			continue
		}
		if err != nil {
			return nil, err
		}
		out.InstancesSummary = append(out.InstancesSummary, t.summary(d.id()))
	}
	return out, nil
}
