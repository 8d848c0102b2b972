package codedeploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"ouro/cloud/ecsrecord"
)

// ecsEvents are the events of a deployment of a service, in their order. Those
// of test traffic are for groups with a test listener.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html#reference-appspec-file-structure-hooks-list-ecs
var (
	ecsEvents  = []string{"BeforeInstall", "Install", "AfterInstall", "AllowTestTraffic", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"}
	testEvents = ecsEvents[3:5]
	ecsHooks   = []string{"BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"}
)

// ecsProperties are those of a service in an AppSpec file.
type ecsProperties struct {
	TaskDefinition   string `yaml:"TaskDefinition"`
	LoadBalancerInfo struct {
		ContainerName string `yaml:"ContainerName"`
		ContainerPort int    `yaml:"ContainerPort"`
	} `yaml:"LoadBalancerInfo"`
	PlatformVersion          string           `yaml:"PlatformVersion,omitempty"`
	NetworkConfiguration     map[string]any   `yaml:"NetworkConfiguration,omitempty"`
	CapacityProviderStrategy []map[string]any `yaml:"CapacityProviderStrategy,omitempty"`
}

// replacement is what a deployment of a service replaces by what.
type replacement struct {
	Service        string // its identifier in Cloud Control
	Name           string
	Desired        int64  // tasks
	Prod, Test     string // ARNs of listeners; no Test: ""
	Original, Next taskSet
}

// taskSet stands for tasks of a service that have one definition. The local
// cloud runs none of them.
type taskSet struct {
	ID          string
	Status      string // PRIMARY, ACTIVE or DRAINING
	TargetGroup string // ARN
	Weight      int32  // percent of the traffic
	// Settings are the properties of the service when the set is its primary
	// one, nil for those that it has not then.
	Settings map[string]any
}

// settings are the properties of a service that a deployment may change.
var settings = []string{"TaskDefinition", "LoadBalancers", "PlatformVersion", "NetworkConfiguration", "CapacityProviderStrategy"}

// about gives a task set as the API tells it.
func (t taskSet) about(label types.TargetLabel, desired int64) types.ECSTaskSet {
	return types.ECSTaskSet{Identifer: &t.ID, DesiredCount: desired, Status: &t.Status, TaskSetLabel: label, TrafficWeight: float64(t.Weight),
		TargetGroup: &types.TargetGroupInfo{Name: aws.String(targetGroupName(t.TargetGroup))}}
}

func (s *Service) serviceRevision(ctx context.Context, d deployment, as aws.Config) (*revised[ecsProperties], error) {
	text, err := specification(ctx, d, as)
	if err != nil {
		return nil, err
	}
	spec, err := parseTraffic[ecsProperties](text, ecsrecord.Service, ecsHooks)
	if err != nil {
		return nil, err
	}
	if p := spec.Properties; p.TaskDefinition == "" || p.LoadBalancerInfo.ContainerName == "" || p.LoadBalancerInfo.ContainerPort < 1 || p.LoadBalancerInfo.ContainerPort > 65535 {
		return nil, errors.New("the AppSpec file's resource must be an AWS::ECS::Service with a TaskDefinition, and a LoadBalancerInfo with ContainerName and ContainerPort")
	}
	return spec, nil
}

// prepareService finds the recorded service of a group, its target groups and
// listeners.
func (s *Service) prepareService(ctx context.Context, d deployment, g types.DeploymentGroupInfo) ([]target, *verdict, error) {
	as := s.asRole(d, g)
	spec, err := s.serviceRevision(ctx, d, as)
	if err != nil {
		v := failure(types.ErrorCodeInvalidRevision, "%v", err)
		return nil, &v, nil
	}
	r, bad := s.findService(ctx, ecsrecord.New(as), g)
	if bad != nil {
		return nil, bad, nil
	}
	r.Next.Settings = map[string]any{
		"TaskDefinition": spec.Properties.TaskDefinition,
		"LoadBalancers": []any{map[string]any{
			"ContainerName": spec.Properties.LoadBalancerInfo.ContainerName, "ContainerPort": spec.Properties.LoadBalancerInfo.ContainerPort, "TargetGroupArn": r.Next.TargetGroup,
		}},
	}
	if v := spec.Properties.PlatformVersion; v != "" {
		r.Next.Settings["PlatformVersion"] = v
	}
	if v := spec.Properties.NetworkConfiguration; v != nil {
		r.Next.Settings["NetworkConfiguration"] = ecsrecord.Properties(v)
	}
	if v := spec.Properties.CapacityProviderStrategy; v != nil {
		var list []any
		for _, one := range v {
			list = append(list, ecsrecord.Properties(one))
		}
		r.Next.Settings["CapacityProviderStrategy"] = list
	}
	if d.isRollback() {
		if err := s.turnBack(ctx, d, r); err != nil {
			return nil, nil, err
		}
	}
	events := ecsEvents
	if r.Test == "" {
		events = slices.DeleteFunc(slices.Clone(events), func(e string) bool { return slices.Contains(testEvents, e) })
	}
	in := g.EcsServices[0]
	t := newTarget(ecsrecord.Name(*in.ClusterName)+":"+ecsrecord.Name(*in.ServiceName), r.arn(), events)
	t.ECS = r
	return []target{t}, nil, nil
}

// findService finds what the group names.
func (s *Service) findService(ctx context.Context, records ecsrecord.Records, g types.DeploymentGroupInfo) (*replacement, *verdict) {
	bad := func(code types.ErrorCode, format string, args ...any) (*replacement, *verdict) {
		v := failure(code, format, args...)
		return nil, &v
	}
	in, pair := g.EcsServices[0], g.LoadBalancerInfo.TargetGroupPairInfoList[0]
	service, err := records.Service(ctx, *in.ClusterName, *in.ServiceName)
	if err != nil {
		return bad(types.ErrorCodeInvalidEcsService, "Could not load ECS service information for cluster: %s, service: %s. Cause: %v", *in.ClusterName, *in.ServiceName, err)
	}
	if c, _ := service.Properties["DeploymentController"].(map[string]any); c["Type"] != "CODE_DEPLOY" {
		return bad(types.ErrorCodeInvalidEcsService, "Deployment group's ECS service must be configured for a CODE_DEPLOY deployment controller.")
	}
	var groups []string
	for _, t := range pair.TargetGroups {
		arn, err := records.TargetGroup(ctx, *t.Name)
		if err != nil {
			return bad(types.ErrorCodeElasticLoadBalancingInvalid, "Looking for the target group %s: %v", *t.Name, err)
		}
		groups = append(groups, arn)
	}
	r := &replacement{Service: service.ID, Name: ecsrecord.Name(*in.ServiceName), Prod: pair.ProdTrafficRoute.ListenerArns[0],
		Original: taskSet{ID: "ecs-svc/" + s.host.NewID(), Status: "PRIMARY", Weight: 100, Settings: map[string]any{}},
		Next:     taskSet{ID: "ecs-svc/" + s.host.NewID(), Status: "ACTIVE"}}
	if pair.TestTrafficRoute != nil {
		r.Test = pair.TestTrafficRoute.ListenerArns[0]
	}
	for _, listener := range slices.DeleteFunc([]string{r.Prod, r.Test}, func(l string) bool { return l == "" }) {
		if _, err := records.Read(ctx, ecsrecord.Listener, listener); err != nil {
			return bad(types.ErrorCodeElasticLoadBalancingInvalid, "Looking for the listener %s: %v", listener, err)
		}
	}
	r.Desired = 1 // ECS's default
	if n, ok := service.Properties["DesiredCount"].(json.Number); ok {
		if r.Desired, err = n.Int64(); err != nil {
			return bad(types.ErrorCodeInvalidEcsService, "The desired count of the ECS service %s: %v", r.Name, err)
		}
	}
	for _, name := range settings {
		r.Original.Settings[name] = service.Properties[name]
	}
	balancers, _ := service.Properties["LoadBalancers"].([]any)
	for _, b := range balancers {
		arn, _ := b.(map[string]any)["TargetGroupArn"].(string)
		if at := slices.Index(groups, arn); at >= 0 {
			r.Original.TargetGroup, r.Next.TargetGroup = groups[at], groups[1-at]
			return r, nil
		}
	}
	return bad(types.ErrorCodeInvalidEcsService, "The primary task set of the ECS service %s is behind neither of the deployment group's target groups", r.Name)
}

// turnBack makes a rollback lead back to the task set that the deployment found
// that it takes back.
func (s *Service) turnBack(ctx context.Context, d deployment, r *replacement) error {
	failed, err := s.deployments.Get(ctx, d.scope(), *d.Info.RollbackInfo.RollbackTriggeringDeploymentId)
	if err != nil {
		return err
	}
	t, err := s.targets.Get(ctx, d.scope(), targetKey(failed.id(), failed.Targets[0]))
	if err != nil {
		return err
	}
	r.Original, r.Next = t.ECS.Next, t.ECS.Original
	return nil
}

// formerTask is a revision that brings a service back to the task definition
// that the deployment found it at.
func (s *Service) formerTask(ctx context.Context, d deployment) (*types.RevisionLocation, error) {
	if len(d.Targets) == 0 {
		return nil, nil // nothing was changed
	}
	t, err := s.targets.Get(ctx, d.scope(), targetKey(d.id(), d.Targets[0]))
	if err != nil {
		return nil, err
	}
	p, err := ecsPropertiesOf(t.ECS.Original)
	if err != nil {
		return nil, fmt.Errorf("reading what %s was: %w", t.ID, err)
	}
	return writeTraffic("TargetService", ecsrecord.Service, p)
}

// ecsPropertiesOf tells of a task set as an AppSpec file does.
func ecsPropertiesOf(t taskSet) (ecsProperties, error) {
	var p ecsProperties
	text, err := json.Marshal(t.Settings)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	balancers, _ := t.Settings["LoadBalancers"].([]any)
	for _, b := range balancers {
		if text, err = json.Marshal(b); err == nil && b.(map[string]any)["TargetGroupArn"] == t.TargetGroup {
			err = json.Unmarshal(text, &p.LoadBalancerInfo)
		}
		if err != nil {
			return p, err
		}
	}
	return p, err
}
