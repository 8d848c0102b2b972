package codedeploy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

type config struct {
	Info types.DeploymentConfigInfo
	Tags []types.Tag
}

const (
	predefined = "CodeDeployDefault."
	// mostConcurrency is a type that only CodeDeployDefault.OneAtATime has.
	// https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_MinimumHealthyHosts.html
	mostConcurrency types.MinimumHealthyHostsType = "MOST_CONCURRENCY"
)

func hosts(name string, kind types.MinimumHealthyHostsType, value int32) types.DeploymentConfigInfo {
	return types.DeploymentConfigInfo{DeploymentConfigName: aws.String(predefined + name), ComputePlatform: types.ComputePlatformServer,
		MinimumHealthyHosts: &types.MinimumHealthyHosts{Type: kind, Value: value}}
}

func shift(p types.ComputePlatform, name string, routing types.TrafficRoutingConfig) types.DeploymentConfigInfo {
	return types.DeploymentConfigInfo{DeploymentConfigName: aws.String(predefined + string(p) + name), ComputePlatform: p, TrafficRoutingConfig: &routing}
}

func canary(percent, minutes int32) types.TrafficRoutingConfig {
	return types.TrafficRoutingConfig{Type: types.TrafficRoutingTypeTimeBasedCanary, TimeBasedCanary: &types.TimeBasedCanary{CanaryPercentage: percent, CanaryInterval: minutes}}
}

func linear(percent, minutes int32) types.TrafficRoutingConfig {
	return types.TrafficRoutingConfig{Type: types.TrafficRoutingTypeTimeBasedLinear, TimeBasedLinear: &types.TimeBasedLinear{LinearPercentage: percent, LinearInterval: minutes}}
}

// defaults are AWS's configurations.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
var defaults = func() map[string]types.DeploymentConfigInfo {
	once := types.TrafficRoutingConfig{Type: types.TrafficRoutingTypeAllAtOnce}
	l, e := types.ComputePlatformLambda, types.ComputePlatformEcs
	out := map[string]types.DeploymentConfigInfo{}
	for _, c := range []types.DeploymentConfigInfo{
		hosts("OneAtATime", mostConcurrency, 1),
		hosts("HalfAtATime", types.MinimumHealthyHostsTypeFleetPercent, 50),
		hosts("AllAtOnce", types.MinimumHealthyHostsTypeFleetPercent, 0),
		shift(l, "AllAtOnce", once), shift(e, "AllAtOnce", once),
		shift(l, "Canary10Percent5Minutes", canary(10, 5)), shift(e, "Canary10Percent5Minutes", canary(10, 5)),
		shift(l, "Canary10Percent10Minutes", canary(10, 10)),
		shift(l, "Canary10Percent15Minutes", canary(10, 15)), shift(e, "Canary10Percent15Minutes", canary(10, 15)),
		shift(l, "Canary10Percent30Minutes", canary(10, 30)),
		shift(l, "Linear10PercentEvery1Minute", linear(10, 1)), shift(e, "Linear10PercentEvery1Minutes", linear(10, 1)),
		shift(l, "Linear10PercentEvery2Minutes", linear(10, 2)),
		shift(l, "Linear10PercentEvery3Minutes", linear(10, 3)), shift(e, "Linear10PercentEvery3Minutes", linear(10, 3)),
		shift(l, "Linear10PercentEvery10Minutes", linear(10, 10)),
	} {
		c.DeploymentConfigId = aws.String(fmt.Sprintf("00000000-0000-0000-0000-%012d", len(out)+1))
		out[*c.DeploymentConfigName] = c
	}
	return out
}()

// fallbacks are the configurations of groups that name none.
var fallbacks = map[types.ComputePlatform]string{
	types.ComputePlatformServer: predefined + "OneAtATime",
	types.ComputePlatformLambda: predefined + "LambdaAllAtOnce",
	types.ComputePlatformEcs:    predefined + "ECSAllAtOnce",
}

func (s *Service) config(ctx context.Context, name *string) (types.DeploymentConfigInfo, error) {
	n, err := nameOf("DeploymentConfig", name)
	if err != nil {
		return types.DeploymentConfigInfo{}, err
	}
	if c, ok := defaults[n]; ok {
		return c, nil
	}
	c, err := s.configs.Get(ctx, door.CallerFrom(ctx).Scope(), n)
	return c.Info, missing(err, refuse("DeploymentConfigDoesNotExist", "No Deployment Configuration found for name: %s", n))
}

// configFor is the configuration of that name, or the platform's own for none.
func (s *Service) configFor(ctx context.Context, name *string, platform types.ComputePlatform) (types.DeploymentConfigInfo, error) {
	if name == nil {
		return defaults[fallbacks[platform]], nil
	}
	c, err := s.config(ctx, name)
	if err == nil && c.ComputePlatform != platform {
		err = refuse("InvalidDeploymentConfigName", "The deployment configuration %s is for the compute platform %s, not for %s", *name, c.ComputePlatform, platform)
	}
	return c, err
}

// CreateDeploymentConfig makes a configuration.
func (s *Service) CreateDeploymentConfig(ctx context.Context, in *codedeploy.CreateDeploymentConfigInput) (*codedeploy.CreateDeploymentConfigOutput, error) {
	name, err := nameOf("DeploymentConfig", in.DeploymentConfigName)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(name, predefined) {
		return nil, refuse("InvalidDeploymentConfigName", "Deployment configuration names that begin with %s are reserved", predefined)
	}
	platform, err := platformOf(in.ComputePlatform)
	if err != nil {
		return nil, err
	}
	if in.ZonalConfig != nil {
		return nil, refuse("InvalidZonalDeploymentConfiguration", "The local cloud has no Availability Zones")
	}
	if platform == types.ComputePlatformServer {
		err = checkHosts(in)
	} else {
		err = checkRouting(in)
	}
	if err != nil {
		return nil, err
	}
	c := config{Info: types.DeploymentConfigInfo{
		DeploymentConfigId: aws.String(s.host.NewID()), DeploymentConfigName: &name, ComputePlatform: platform, CreateTime: s.now(),
		MinimumHealthyHosts: in.MinimumHealthyHosts, TrafficRoutingConfig: in.TrafficRoutingConfig,
	}}
	if err := s.configs.Insert(ctx, door.CallerFrom(ctx).Scope(), name, c); err != nil {
		return nil, exists(err, refuse("DeploymentConfigAlreadyExists", "Deployment Configuration already exists: %s", name))
	}
	return &codedeploy.CreateDeploymentConfigOutput{DeploymentConfigId: c.Info.DeploymentConfigId}, nil
}

func checkHosts(in *codedeploy.CreateDeploymentConfigInput) error {
	h := in.MinimumHealthyHosts
	if in.TrafficRoutingConfig != nil {
		return refuse("InvalidTrafficRoutingConfiguration", "Traffic routing is for the compute platforms Lambda and ECS")
	}
	if h == nil || !slices.Contains(h.Type.Values(), h.Type) || h.Value < 0 || h.Type == types.MinimumHealthyHostsTypeFleetPercent && h.Value > 100 {
		return refuse("InvalidMinimumHealthyHostValue", "Minimum healthy hosts must be a HOST_COUNT, or a FLEET_PERCENT of 0 to 100")
	}
	return nil
}

func checkRouting(in *codedeploy.CreateDeploymentConfigInput) error {
	if in.MinimumHealthyHosts != nil {
		return refuse("InvalidMinimumHealthyHostValue", "Minimum healthy hosts are for the compute platform Server")
	}
	within := func(percent, minutes int32) bool {
		return percent >= 1 && percent <= 99 && minutes >= 1 && minutes <= 2880
	}
	ok := false
	if r := in.TrafficRoutingConfig; r != nil {
		switch r.Type {
		case types.TrafficRoutingTypeAllAtOnce:
			ok = r.TimeBasedCanary == nil && r.TimeBasedLinear == nil
		case types.TrafficRoutingTypeTimeBasedCanary:
			ok = r.TimeBasedCanary != nil && r.TimeBasedLinear == nil && within(r.TimeBasedCanary.CanaryPercentage, r.TimeBasedCanary.CanaryInterval)
		case types.TrafficRoutingTypeTimeBasedLinear:
			ok = r.TimeBasedLinear != nil && r.TimeBasedCanary == nil && within(r.TimeBasedLinear.LinearPercentage, r.TimeBasedLinear.LinearInterval)
		}
	}
	if !ok {
		return refuse("InvalidTrafficRoutingConfiguration", "Traffic routing must be AllAtOnce, or TimeBasedCanary or TimeBasedLinear with 1 to 99 percent and 1 to 2880 minutes")
	}
	return nil
}

// GetDeploymentConfig gives a configuration.
func (s *Service) GetDeploymentConfig(ctx context.Context, in *codedeploy.GetDeploymentConfigInput) (*codedeploy.GetDeploymentConfigOutput, error) {
	c, err := s.config(ctx, in.DeploymentConfigName)
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetDeploymentConfigOutput{DeploymentConfigInfo: &c}, nil
}

// ListDeploymentConfigs gives the names of configurations, AWS's too.
func (s *Service) ListDeploymentConfigs(ctx context.Context, in *codedeploy.ListDeploymentConfigsInput) (*codedeploy.ListDeploymentConfigsOutput, error) {
	all, err := s.configs.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, err
	}
	var names []string
	for name := range defaults {
		names = append(names, name)
	}
	for _, c := range all {
		names = append(names, c.ID)
	}
	slices.Sort(names)
	names, next, err := page(names, in.NextToken)
	return &codedeploy.ListDeploymentConfigsOutput{DeploymentConfigsList: names, NextToken: next}, err
}

// DeleteDeploymentConfig deletes a configuration that no group has.
func (s *Service) DeleteDeploymentConfig(ctx context.Context, in *codedeploy.DeleteDeploymentConfigInput) (*codedeploy.DeleteDeploymentConfigOutput, error) {
	name, err := nameOf("DeploymentConfig", in.DeploymentConfigName)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(name, predefined) {
		return nil, refuse("InvalidOperation", "The deployment configuration %s is predefined and cannot be deleted", name)
	}
	scope := door.CallerFrom(ctx).Scope()
	groups, err := s.groups.List(ctx, scope, store.Query{})
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if aws.ToString(g.Value.Info.DeploymentConfigName) == name {
			return nil, refuse("DeploymentConfigInUse", "The deployment configuration %s is in use by the deployment group %s", name, g.ID)
		}
	}
	return &codedeploy.DeleteDeploymentConfigOutput{}, missing(s.configs.Delete(ctx, scope, name), nil)
}
