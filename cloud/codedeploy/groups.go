package codedeploy

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

type group struct {
	Info types.DeploymentGroupInfo
	Tags []types.Tag
}

func (s *Service) group(ctx context.Context, app, name *string) (group, error) {
	if _, err := s.application(ctx, app); err != nil {
		return group{}, err
	}
	n, err := nameOf("DeploymentGroup", name)
	if err != nil {
		return group{}, err
	}
	g, err := s.groups.Get(ctx, door.CallerFrom(ctx).Scope(), *app+"/"+n)
	return g, missing(err, noGroup(n))
}

// CreateDeploymentGroup makes a group.
func (s *Service) CreateDeploymentGroup(ctx context.Context, in *codedeploy.CreateDeploymentGroupInput) (*codedeploy.CreateDeploymentGroupOutput, error) {
	a, err := s.application(ctx, in.ApplicationName)
	if err != nil {
		return nil, err
	}
	name, err := nameOf("DeploymentGroup", in.DeploymentGroupName)
	if err != nil {
		return nil, err
	}
	if aws.ToString(in.ServiceRoleArn) == "" {
		return nil, refuse("RoleRequired", "The service role ARN must be specified")
	}
	tags, err := setTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	g := group{Tags: tags, Info: types.DeploymentGroupInfo{
		ApplicationName: in.ApplicationName, DeploymentGroupName: &name, DeploymentGroupId: aws.String(s.host.NewID()),
		ComputePlatform: a.Info.ComputePlatform, ServiceRoleArn: in.ServiceRoleArn,
		DeploymentStyle: styleOf(in.DeploymentStyle, a.Info.ComputePlatform),
	}}
	// The members that an update changes are set the same way.
	err = s.applySettings(ctx, &g.Info, &codedeploy.UpdateDeploymentGroupInput{
		DeploymentConfigName: in.DeploymentConfigName, Ec2TagFilters: in.Ec2TagFilters, Ec2TagSet: in.Ec2TagSet, ServiceRoleArn: in.ServiceRoleArn,
		OnPremisesInstanceTagFilters: in.OnPremisesInstanceTagFilters, OnPremisesTagSet: in.OnPremisesTagSet, AutoScalingGroups: in.AutoScalingGroups,
		TriggerConfigurations: in.TriggerConfigurations, AlarmConfiguration: in.AlarmConfiguration, AutoRollbackConfiguration: in.AutoRollbackConfiguration,
		OutdatedInstancesStrategy: in.OutdatedInstancesStrategy, DeploymentStyle: in.DeploymentStyle, LoadBalancerInfo: in.LoadBalancerInfo,
		BlueGreenDeploymentConfiguration: in.BlueGreenDeploymentConfiguration, EcsServices: in.EcsServices, TerminationHookEnabled: in.TerminationHookEnabled,
	})
	if err != nil {
		return nil, err
	}
	if g.Info.DeploymentConfigName == nil {
		g.Info.DeploymentConfigName = aws.String(fallbacks[a.Info.ComputePlatform])
	}
	if err := s.groups.Insert(ctx, door.CallerFrom(ctx).Scope(), *in.ApplicationName+"/"+name, g); err != nil {
		return nil, exists(err, refuse("DeploymentGroupAlreadyExists", "Deployment group %s already exists for application %s", name, *in.ApplicationName))
	}
	return &codedeploy.CreateDeploymentGroupOutput{DeploymentGroupId: g.Info.DeploymentGroupId}, nil
}

func styleOf(given *types.DeploymentStyle, p types.ComputePlatform) *types.DeploymentStyle {
	style := types.DeploymentStyle{DeploymentType: types.DeploymentTypeInPlace, DeploymentOption: types.DeploymentOptionWithoutTrafficControl}
	if p != types.ComputePlatformServer {
		style = types.DeploymentStyle{DeploymentType: types.DeploymentTypeBlueGreen, DeploymentOption: types.DeploymentOptionWithTrafficControl}
	}
	if given != nil && given.DeploymentType != "" {
		style.DeploymentType = given.DeploymentType
	}
	if given != nil && given.DeploymentOption != "" {
		style.DeploymentOption = given.DeploymentOption
	}
	return &style
}

// applySettings sets what the request gives and leaves the rest.
func (s *Service) applySettings(ctx context.Context, g *types.DeploymentGroupInfo, in *codedeploy.UpdateDeploymentGroupInput) error {
	if err := s.checkSettings(ctx, g.ComputePlatform, in); err != nil {
		return err
	}
	setPointer(&g.DeploymentConfigName, in.DeploymentConfigName)
	setPointer(&g.ServiceRoleArn, in.ServiceRoleArn)
	setPointer(&g.AlarmConfiguration, in.AlarmConfiguration)
	setPointer(&g.AutoRollbackConfiguration, in.AutoRollbackConfiguration)
	setPointer(&g.LoadBalancerInfo, in.LoadBalancerInfo)
	setPointer(&g.BlueGreenDeploymentConfiguration, in.BlueGreenDeploymentConfiguration)
	setSlice(&g.TriggerConfigurations, in.TriggerConfigurations)
	setSlice(&g.EcsServices, in.EcsServices)
	if in.Ec2TagFilters != nil || in.Ec2TagSet != nil {
		g.Ec2TagFilters, g.Ec2TagSet = in.Ec2TagFilters, in.Ec2TagSet
	}
	if in.OnPremisesInstanceTagFilters != nil || in.OnPremisesTagSet != nil {
		g.OnPremisesInstanceTagFilters, g.OnPremisesTagSet = in.OnPremisesInstanceTagFilters, in.OnPremisesTagSet
	}
	if in.AutoScalingGroups != nil {
		g.AutoScalingGroups = nil
		for _, name := range in.AutoScalingGroups {
			g.AutoScalingGroups = append(g.AutoScalingGroups, types.AutoScalingGroup{Name: &name})
		}
	}
	if in.OutdatedInstancesStrategy != "" {
		g.OutdatedInstancesStrategy = in.OutdatedInstancesStrategy
	}
	if in.DeploymentStyle != nil {
		g.DeploymentStyle = styleOf(in.DeploymentStyle, g.ComputePlatform)
	}
	if in.TerminationHookEnabled != nil {
		g.TerminationHookEnabled = *in.TerminationHookEnabled
	}
	return s.checkServices(ctx, *g)
}

func setPointer[T any](to **T, from *T) {
	if from != nil {
		*to = from
	}
}

func setSlice[T any](to *[]T, from []T) {
	if from != nil {
		*to = from
	}
}

const (
	maxTagGroups = 3
	maxAlarms    = 10
	maxTriggers  = 10
)

func (s *Service) checkSettings(ctx context.Context, p types.ComputePlatform, in *codedeploy.UpdateDeploymentGroupInput) error {
	if in.DeploymentConfigName != nil {
		if _, err := s.configFor(ctx, in.DeploymentConfigName, p); err != nil {
			return err
		}
	}
	if r := in.ServiceRoleArn; r != nil && !(strings.HasPrefix(*r, "arn:") && strings.Contains(*r, ":role/")) {
		return refuse("InvalidRole", "The service role ARN %q is not valid", *r)
	}
	return errors.Join(checkTagSettings(in), checkTriggers(in.TriggerConfigurations), checkAlarms(in.AlarmConfiguration),
		checkRollback(in.AutoRollbackConfiguration), checkStyle(in.DeploymentStyle, p))
}

func checkTagSettings(in *codedeploy.UpdateDeploymentGroupInput) error {
	if len(in.Ec2TagFilters) > 0 && in.Ec2TagSet != nil {
		return refuse("InvalidEC2TagCombination", "Both ec2TagFilters and ec2TagSet were given: use one of them")
	}
	if len(in.OnPremisesInstanceTagFilters) > 0 && in.OnPremisesTagSet != nil {
		return refuse("InvalidOnPremisesTagCombination", "Both onPremisesInstanceTagFilters and onPremisesTagSet were given: use one of them")
	}
	for _, f := range in.Ec2TagFilters {
		if f.Type != "" && !slices.Contains(f.Type.Values(), f.Type) {
			return refuse("InvalidEC2Tag", "The type %q of a tag filter is not valid", f.Type)
		}
	}
	if in.OnPremisesTagSet == nil {
		return checkFilters("InvalidTag", in.OnPremisesInstanceTagFilters)
	}
	if len(in.OnPremisesTagSet.OnPremisesTagSetList) > maxTagGroups {
		return refuse("TagSetListLimitExceeded", "A tag set has at most %d tag groups", maxTagGroups)
	}
	for _, set := range in.OnPremisesTagSet.OnPremisesTagSetList {
		if err := checkFilters("InvalidTag", set); err != nil {
			return err
		}
	}
	return nil
}

func checkTriggers(triggers []types.TriggerConfig) error {
	if len(triggers) > maxTriggers {
		return refuse("TriggerTargetsLimitExceeded", "A deployment group has at most %d triggers", maxTriggers)
	}
	for _, t := range triggers {
		if aws.ToString(t.TriggerName) == "" || !strings.Contains(aws.ToString(t.TriggerTargetArn), ":sns:") || len(t.TriggerEvents) == 0 {
			return refuse("InvalidTriggerConfig", "A trigger must have a name, the ARN of a topic of SNS, and events")
		}
		for _, e := range t.TriggerEvents {
			if !slices.Contains(e.Values(), e) {
				return refuse("InvalidTriggerConfig", "The event %q of trigger %s is not valid", e, *t.TriggerName)
			}
		}
	}
	return nil
}

func checkAlarms(a *types.AlarmConfiguration) error {
	if a == nil {
		return nil
	}
	if len(a.Alarms) > maxAlarms {
		return refuse("AlarmsLimitExceeded", "The maximum number of alarms for a deployment group (%d) was exceeded", maxAlarms)
	}
	if a.Enabled && len(a.Alarms) == 0 {
		return refuse("InvalidAlarmConfig", "The alarm configuration is enabled, but it has no alarms")
	}
	seen := map[string]bool{}
	for _, alarm := range a.Alarms {
		name := aws.ToString(alarm.Name)
		if name == "" || len(name) > 255 || seen[name] {
			return refuse("InvalidAlarmConfig", "The alarm configuration has the alarm %q: each has a name of 1 to 255 characters, and is there once", name)
		}
		seen[name] = true
	}
	return nil
}

func checkRollback(c *types.AutoRollbackConfiguration) error {
	if c == nil {
		return nil
	}
	for _, e := range c.Events {
		if !slices.Contains(e.Values(), e) {
			return refuse("InvalidAutoRollbackConfig", "The rollback event %q is not valid", e)
		}
	}
	if c.Enabled && len(c.Events) == 0 {
		return refuse("InvalidAutoRollbackConfig", "Automatic rollback is enabled, but no event was given")
	}
	return nil
}

func checkStyle(style *types.DeploymentStyle, p types.ComputePlatform) error {
	if style == nil {
		return nil
	}
	full := styleOf(style, p)
	if !slices.Contains(full.DeploymentType.Values(), full.DeploymentType) || !slices.Contains(full.DeploymentOption.Values(), full.DeploymentOption) ||
		p != types.ComputePlatformServer && *full != *styleOf(nil, p) {
		return refuse("InvalidDeploymentStyle", "The deployment style %s, %s is not valid for the compute platform %s", full.DeploymentType, full.DeploymentOption, p)
	}
	return nil
}

// GetDeploymentGroup gives a group.
func (s *Service) GetDeploymentGroup(ctx context.Context, in *codedeploy.GetDeploymentGroupInput) (*codedeploy.GetDeploymentGroupOutput, error) {
	g, err := s.group(ctx, in.ApplicationName, in.DeploymentGroupName)
	if err != nil {
		return nil, err
	}
	return &codedeploy.GetDeploymentGroupOutput{DeploymentGroupInfo: &g.Info}, nil
}

// BatchGetDeploymentGroups gives groups; what is not there is told in the
// message.
func (s *Service) BatchGetDeploymentGroups(ctx context.Context, in *codedeploy.BatchGetDeploymentGroupsInput) (*codedeploy.BatchGetDeploymentGroupsOutput, error) {
	if err := batch(len(in.DeploymentGroupNames)); err != nil {
		return nil, err
	}
	if len(in.DeploymentGroupNames) == 0 {
		_, err := nameOf("DeploymentGroup", nil)
		return nil, err
	}
	out := &codedeploy.BatchGetDeploymentGroupsOutput{DeploymentGroupsInfo: []types.DeploymentGroupInfo{}}
	for _, name := range in.DeploymentGroupNames {
		g, err := s.group(ctx, in.ApplicationName, &name)
		if isCode(err, "DeploymentGroupDoesNotExist") {
			out.ErrorMessage = aws.String(err.Error())
			continue
		}
		if err != nil {
			return nil, err
		}
		out.DeploymentGroupsInfo = append(out.DeploymentGroupsInfo, g.Info)
	}
	return out, nil
}

// ListDeploymentGroups gives the names of an application's groups.
func (s *Service) ListDeploymentGroups(ctx context.Context, in *codedeploy.ListDeploymentGroupsInput) (*codedeploy.ListDeploymentGroupsOutput, error) {
	if _, err := s.application(ctx, in.ApplicationName); err != nil {
		return nil, err
	}
	all, err := s.groups.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{Prefix: *in.ApplicationName + "/"})
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, g := range all {
		names = append(names, *g.Value.Info.DeploymentGroupName)
	}
	names, next, err := page(names, in.NextToken)
	return &codedeploy.ListDeploymentGroupsOutput{ApplicationName: in.ApplicationName, DeploymentGroups: names, NextToken: next}, err
}

// UpdateDeploymentGroup changes a group.
func (s *Service) UpdateDeploymentGroup(ctx context.Context, in *codedeploy.UpdateDeploymentGroupInput) (*codedeploy.UpdateDeploymentGroupOutput, error) {
	return &codedeploy.UpdateDeploymentGroupOutput{}, s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		g, err := s.group(ctx, in.ApplicationName, in.CurrentDeploymentGroupName)
		if err != nil {
			return err
		}
		if err := s.applySettings(ctx, &g.Info, in); err != nil {
			return err
		}
		scope, key := door.CallerFrom(ctx).Scope(), *in.ApplicationName+"/"+*in.CurrentDeploymentGroupName
		if in.NewDeploymentGroupName == nil || *in.NewDeploymentGroupName == *in.CurrentDeploymentGroupName {
			return s.groups.Put(ctx, scope, key, g)
		}
		to, err := nameOf("DeploymentGroup", in.NewDeploymentGroupName)
		if err != nil {
			return err
		}
		g.Info.DeploymentGroupName = &to
		if err := s.groups.Insert(ctx, scope, *in.ApplicationName+"/"+to, g); err != nil {
			return exists(err, refuse("DeploymentGroupAlreadyExists", "Deployment group %s already exists for application %s", to, *in.ApplicationName))
		}
		if err := s.groups.Delete(ctx, scope, key); err != nil {
			return err
		}
		all, err := s.deployments.List(ctx, scope, store.Query{})
		for _, d := range all {
			if d.Value.GroupID == *g.Info.DeploymentGroupId {
				d.Value.Info.DeploymentGroupName = &to
				err = errors.Join(err, s.deployments.Put(ctx, scope, d.ID, d.Value))
			}
		}
		return err
	})
}

// DeleteDeploymentGroup deletes a group; one that is not there is no error.
func (s *Service) DeleteDeploymentGroup(ctx context.Context, in *codedeploy.DeleteDeploymentGroupInput) (*codedeploy.DeleteDeploymentGroupOutput, error) {
	app, err := nameOf("Application", in.ApplicationName)
	if err != nil {
		return nil, err
	}
	name, err := nameOf("DeploymentGroup", in.DeploymentGroupName)
	if err != nil {
		return nil, err
	}
	out := &codedeploy.DeleteDeploymentGroupOutput{HooksNotCleanedUp: []types.AutoScalingGroup{}}
	return out, missing(s.groups.Delete(ctx, door.CallerFrom(ctx).Scope(), app+"/"+name), nil)
}
