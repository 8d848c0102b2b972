package codedeploy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"ouro/cloud/door"
	"ouro/cloud/ecsrecord"
)

// service takes a deployment of a service to its end.
type service struct {
	*Service
	deployment deployment
	records    ecsrecord.Records
	routing    *types.TrafficRoutingConfig
}

// deployService moves a recorded service to another task definition and target
// group, and the listeners with it.
func (s *Service) deployService(ctx context.Context, d deployment, g types.DeploymentGroupInfo) (verdict, error) {
	as := s.asRole(d, g)
	spec, err := s.serviceRevision(ctx, d, as)
	if err != nil {
		return failure(types.ErrorCodeInvalidRevision, "%v", err), nil
	}
	c, err := s.config(door.WithCaller(ctx, d.Caller), d.Info.DeploymentConfigName)
	if err != nil {
		return failure(types.ErrorCodeInvalidEcsService, "%v", err), nil
	}
	e := &service{s, d, ecsrecord.New(as), c.TrafficRoutingConfig}
	v, err := s.follow(ctx, d, as, course{hooks: spec.Hooks, gate: e.gate, steps: map[string]step{
		"Install":          {e.install, types.ErrorCodeEcsUpdateError},
		"AllowTestTraffic": {e.allowTest, types.ErrorCodeEcsUpdateError},
		"AllowTraffic":     {e.allow, types.ErrorCodeEcsUpdateError},
	}})
	if err != nil || v.status != types.DeploymentStatusSucceeded {
		return v, err
	}
	return e.terminate(ctx)
}

func (e *service) target(ctx context.Context) (target, error) {
	return e.targets.Get(ctx, e.deployment.scope(), targetKey(e.deployment.id(), e.deployment.Targets[0]))
}

func (e *service) change(ctx context.Context, change func(*replacement)) error {
	return e.changeTarget(ctx, e.deployment, e.deployment.Targets[0], func(t *target) { change(t.ECS) })
}

// gate has a group wait before production traffic that says so.
func (e *service) gate(ctx context.Context, event string) (*verdict, error) {
	blueGreen := e.deployment.Info.BlueGreenDeploymentConfiguration
	if event != "BeforeAllowTraffic" || e.deployment.isRollback() || blueGreen == nil || blueGreen.DeploymentReadyOption == nil ||
		blueGreen.DeploymentReadyOption.ActionOnTimeout != types.DeploymentReadyActionStopDeployment {
		return nil, nil
	}
	end, err := e.wait(ctx, e.deployment, types.DeploymentWaitTypeReadyWait, blueGreen.DeploymentReadyOption.WaitTimeInMinutes)
	switch {
	case err != nil:
		return nil, err
	case end == waitStopped:
		return &stoppedByHand, nil
	case end == waitOver:
		return &verdict{types.DeploymentStatusStopped, types.ErrorCodeTimeout, "The deployment was not continued within its wait time"}, nil
	}
	return nil, nil
}

// install looks whether the replacement task set could be made.
func (e *service) install(ctx context.Context) (string, error) {
	t, err := e.target(ctx)
	if err != nil {
		return "", err
	}
	name, _ := t.ECS.Next.Settings["TaskDefinition"].(string)
	task, err := e.records.TaskDefinition(ctx, name)
	if err != nil {
		return "", fmt.Errorf("describing the task definition %s: %w", name, err)
	}
	if err := hasContainer(task.Properties, t.ECS.Next); err != nil {
		return "", fmt.Errorf("the task definition %s: %w", name, err)
	}
	err = e.change(ctx, func(r *replacement) { r.Next.Settings["TaskDefinition"] = task.ID })
	return "The service " + t.ECS.Name + " is recorded, and no task of it runs: the replacement task set has the task definition " + task.ID, err
}

// hasContainer looks for the container that the load balancer sends to.
func hasContainer(task map[string]any, t taskSet) error {
	p, err := ecsPropertiesOf(t)
	if err != nil {
		return err
	}
	containers, _ := task["ContainerDefinitions"].([]any)
	for _, c := range containers {
		def, _ := c.(map[string]any)
		ports, _ := def["PortMappings"].([]any)
		if def["Name"] == p.LoadBalancerInfo.ContainerName && slices.ContainsFunc(ports, func(m any) bool {
			mapping, _ := m.(map[string]any)
			return fmt.Sprint(mapping["ContainerPort"]) == fmt.Sprint(p.LoadBalancerInfo.ContainerPort)
		}) {
			return nil
		}
	}
	// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateTaskSet.html
	return fmt.Errorf("the container %s did not have a container port %d defined", p.LoadBalancerInfo.ContainerName, p.LoadBalancerInfo.ContainerPort)
}

// allowTest has the test listener forward to the replacement.
func (e *service) allowTest(ctx context.Context) (string, error) {
	t, err := e.target(ctx)
	if err != nil {
		return "", err
	}
	return "The recorded listener " + t.ECS.Test + " forwards to " + targetGroupName(t.ECS.Next.TargetGroup), e.route(ctx, t.ECS, t.ECS.Test, 100)
}

// allow shifts production traffic, and makes the replacement the service's
// primary task set in the end.
func (e *service) allow(ctx context.Context) (string, error) {
	t, err := e.target(ctx)
	if err != nil {
		return "", err
	}
	r := t.ECS
	err = e.shift(ctx, e.deployment, t, r.Next.Weight, e.routing, func(weight int32) error {
		if err := e.route(ctx, r, r.Prod, weight); err != nil {
			return err
		}
		return e.change(ctx, func(r *replacement) { r.Next.Weight, r.Original.Weight = weight, 100-weight })
	})
	if err != nil {
		return "", err
	}
	if err := e.records.Set(ctx, ecsrecord.Service, r.Service, r.Next.Settings); err != nil {
		return "", fmt.Errorf("updating the service %s: %w", r.Name, err)
	}
	said := fmt.Sprintf("The record of the service %s has the task definition %v, and the listener forwards to %s", r.Name, r.Next.Settings["TaskDefinition"], targetGroupName(r.Next.TargetGroup))
	return said, e.change(ctx, func(r *replacement) { r.Next.Status, r.Original.Status = "PRIMARY", "ACTIVE" })
}

// terminate ends the original task set, when its time is up.
func (e *service) terminate(ctx context.Context) (verdict, error) {
	if c := e.deployment.Info.BlueGreenDeploymentConfiguration; !e.deployment.isRollback() && c != nil && c.TerminateBlueInstancesOnDeploymentSuccess != nil {
		end, err := e.wait(ctx, e.deployment, types.DeploymentWaitTypeTerminationWait, c.TerminateBlueInstancesOnDeploymentSuccess.TerminationWaitTimeInMinutes)
		if err != nil {
			return verdict{}, err
		}
		if end == waitStopped {
			return stoppedByHand, nil
		}
	}
	return verdict{status: types.DeploymentStatusSucceeded}, e.change(ctx, func(r *replacement) { r.Original.Status = "DRAINING" })
}

// route has a listener, and those of its rules that forward to one of the two
// target groups, forward that percentage to the replacement.
func (e *service) route(ctx context.Context, r *replacement, listener string, weight int32) error {
	to := forward(r, weight)
	l, err := e.records.Read(ctx, ecsrecord.Listener, listener)
	if err != nil {
		return fmt.Errorf("reading the listener %s: %w", listener, err)
	}
	rules, err := e.records.Rules(ctx, listener)
	if err != nil {
		return fmt.Errorf("reading the rules of the listener %s: %w", listener, err)
	}
	found := false
	for kind, list := range map[string][]*ecsrecord.Record{ecsrecord.Listener: {l}, ecsrecord.ListenerRule: rules} {
		property := map[string]string{ecsrecord.Listener: "DefaultActions", ecsrecord.ListenerRule: "Actions"}[kind]
		for _, record := range list {
			actions, _ := record.Properties[property].([]any)
			at := slices.IndexFunc(actions, func(a any) bool { return forwardsTo(a, r) })
			if at < 0 {
				continue
			}
			found = true
			action, _ := actions[at].(map[string]any)
			delete(action, "TargetGroupArn")
			action["ForwardConfig"] = to
			if err := e.records.Set(ctx, kind, record.ID, map[string]any{property: actions}); err != nil {
				return fmt.Errorf("changing %s: %w", record.ID, err)
			}
		}
	}
	if !found {
		return fmt.Errorf("the ELB could not be updated due to the following error: Primary taskset target group must be behind listener %s", listener)
	}
	return nil
}

// forward sends to both target groups by weight.
func forward(r *replacement, weight int32) map[string]any {
	var groups []any
	for _, g := range []struct {
		arn    string
		weight int32
	}{{r.Original.TargetGroup, 100 - weight}, {r.Next.TargetGroup, weight}} {
		if g.weight > 0 {
			groups = append(groups, map[string]any{"TargetGroupArn": g.arn, "Weight": g.weight})
		}
	}
	return map[string]any{"TargetGroups": groups}
}

// forwardsTo tells whether an action forwards to one of the two target groups.
func forwardsTo(action any, r *replacement) bool {
	text, err := json.Marshal(action)
	return err == nil && (strings.Contains(string(text), `"`+r.Original.TargetGroup+`"`) || strings.Contains(string(text), `"`+r.Next.TargetGroup+`"`))
}

// targetGroupName is the name in the ARN of a target group.
func targetGroupName(arn string) string {
	_, path, _ := strings.Cut(arn, ":targetgroup/")
	name, _, _ := strings.Cut(path, "/")
	return name
}

// arn is the service's.
func (r *replacement) arn() string {
	arn, _, _ := strings.Cut(r.Service, "|")
	return arn
}

// about gives the task sets as the API tells them. One that is drained is gone.
func (r *replacement) about() []types.ECSTaskSet {
	sets := []types.ECSTaskSet{r.Original.about(types.TargetLabelBlue, r.Desired), r.Next.about(types.TargetLabelGreen, r.Desired)}
	return slices.DeleteFunc(sets, func(t types.ECSTaskSet) bool { return aws.ToString(t.Status) == "DRAINING" })
}
