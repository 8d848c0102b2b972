package codedeploy

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

const maxWait = 2880 // minutes

// checkServices refuses groups for ECS that are not whole.
func (s *Service) checkServices(ctx context.Context, g types.DeploymentGroupInfo) error {
	if g.ComputePlatform != types.ComputePlatformEcs {
		return nil
	}
	if len(g.EcsServices) != 1 || aws.ToString(g.EcsServices[0].ClusterName) == "" || aws.ToString(g.EcsServices[0].ServiceName) == "" {
		return refuse("InvalidECSService", "For ECS deployment group, ecsServices must be specified: one service, with its cluster")
	}
	if err := checkPair(g.LoadBalancerInfo); err != nil {
		return err
	}
	if err := checkBlueGreen(g.BlueGreenDeploymentConfiguration); err != nil {
		return err
	}
	all, err := s.groups.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return err
	}
	for _, other := range all {
		if *other.Value.Info.DeploymentGroupId != *g.DeploymentGroupId && slices.ContainsFunc(other.Value.Info.EcsServices, func(e types.ECSService) bool {
			return *e.ClusterName == *g.EcsServices[0].ClusterName && *e.ServiceName == *g.EcsServices[0].ServiceName
		}) {
			return refuse("ECSServiceMappingLimitExceeded", "The ECS service %s is already associated with the deployment group %s", *g.EcsServices[0].ServiceName, other.ID)
		}
	}
	return nil
}

func checkPair(l *types.LoadBalancerInfo) error {
	switch {
	case l == nil:
		return refuse("InvalidLoadBalancerInfo", "For ECS deployment group, loadBalancerInfo must be specified")
	case len(l.ElbInfoList) > 0:
		return refuse("InvalidLoadBalancerInfo", "For ECS deployment group, loadBalancerInfo must not contain elbInfo list")
	case len(l.TargetGroupInfoList) > 0:
		return refuse("InvalidLoadBalancerInfo", "For ECS deployment group, loadBalancerInfo must not contain targetGroupInfo list")
	case len(l.TargetGroupPairInfoList) != 1:
		return refuse("InvalidTargetGroupPair", "For ECS deployment group, loadBalancerInfo must contain one targetGroupPairInfo")
	}
	pair := l.TargetGroupPairInfoList[0]
	if len(pair.TargetGroups) != 2 || slices.ContainsFunc(pair.TargetGroups, func(g types.TargetGroupInfo) bool { return aws.ToString(g.Name) == "" }) ||
		*pair.TargetGroups[0].Name == *pair.TargetGroups[1].Name {
		return refuse("InvalidTargetGroupPair", "A targetGroupPairInfo must have two different target groups, with their names")
	}
	if pair.ProdTrafficRoute == nil || len(pair.ProdTrafficRoute.ListenerArns) != 1 || pair.TestTrafficRoute != nil && len(pair.TestTrafficRoute.ListenerArns) != 1 {
		return refuse("InvalidTargetGroupPair", "A targetGroupPairInfo must have a prodTrafficRoute with one listener, and at most one listener in its testTrafficRoute")
	}
	return nil
}

func checkBlueGreen(c *types.BlueGreenDeploymentConfiguration) error {
	wrong := func(format string, args ...any) error {
		return refuse("InvalidBlueGreenDeploymentConfiguration", format, args...)
	}
	if c == nil {
		return wrong("For ECS deployment group, blueGreenDeploymentConfiguration must be specified")
	}
	within := func(minutes int32) bool { return minutes >= 0 && minutes <= maxWait }
	if r := c.DeploymentReadyOption; r != nil {
		switch {
		case r.ActionOnTimeout != "" && !slices.Contains(r.ActionOnTimeout.Values(), r.ActionOnTimeout):
			return wrong("The deployment ready action %q is not valid", r.ActionOnTimeout)
		case r.ActionOnTimeout != types.DeploymentReadyActionStopDeployment && r.WaitTimeInMinutes != 0:
			return wrong("Deployment ready action cannot be set to 'CONTINUE_DEPLOYMENT' when timeout is specified")
		case !within(r.WaitTimeInMinutes):
			return wrong("The wait time of the deployment ready option must be 0 to %d minutes", maxWait)
		}
	}
	if t := c.TerminateBlueInstancesOnDeploymentSuccess; t != nil {
		switch {
		case t.Action != "" && t.Action != types.InstanceActionTerminate:
			return wrong("For ECS deployment group, the original task set is always terminated: the action %q is not valid", t.Action)
		case !within(t.TerminationWaitTimeInMinutes):
			return wrong("The termination wait time must be 0 to %d minutes", maxWait)
		}
	}
	return nil
}
