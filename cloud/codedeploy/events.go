package codedeploy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eb "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// event tells EventBridge of a deployment's new state, "" for nothing, and the
// group's triggers.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events.html
func (s *Service) event(ctx context.Context, d deployment, state string, trigger types.TriggerEventType) {
	if state != "" {
		s.send(ctx, d, "CodeDeploy Deployment State-change Notification", s.detail(d, state), nil)
	}
	overview, err := json.Marshal(d.Info.DeploymentOverview)
	if err != nil {
		return // numbers always marshal
	}
	s.trigger(ctx, d, trigger, map[string]any{
		"deploymentOverview": string(overview), // a text on AWS too
		"status":             map[string]string{"START": "CREATED", "SUCCESS": "SUCCEEDED", "FAILURE": "FAILED", "STOP": "STOPPED", "READY": "READY"}[state],
	})
}

// instanceEvent tells of the new state of a target that is an instance.
func (s *Service) instanceEvent(ctx context.Context, d deployment, name, state string, trigger types.TriggerEventType) {
	detail := s.detail(d, state)
	detail["instanceId"] = name
	s.send(ctx, d, "CodeDeploy Instance State-change Notification", detail, []string{d.Caller.ResourceARN("codedeploy", "instance/"+name)})
	t, err := s.targets.Get(ctx, d.scope(), targetKey(d.id(), name))
	if err != nil {
		return // it is gone with its deployment
	}
	s.trigger(ctx, d, trigger, map[string]any{
		"instanceId": t.ARN, "instanceStatus": t.Status, "lastUpdatedAt": seconds(t.Updated), "lifecycleEvents": toldEvents(t.Events),
	})
}

// toldEvents are the events of a target that began, as triggers tell them.
func toldEvents(events []types.LifecycleEvent) []map[string]string {
	told := []map[string]string{}
	for _, e := range events {
		if e.StartTime == nil {
			continue
		}
		one := map[string]string{"LifecycleEvent": *e.LifecycleEventName, "LifecycleEventStatus": string(e.Status), "StartTime": seconds(e.StartTime.UnixMilli())}
		if e.EndTime != nil {
			one["EndTime"] = seconds(e.EndTime.UnixMilli())
		}
		told = append(told, one)
	}
	return told
}

// seconds is a time in the seconds since 1970, with three digits behind them.
func seconds(millis int64) string { return fmt.Sprintf("%d.%03d", millis/1000, millis%1000) }

func (s *Service) detail(d deployment, state string) map[string]any {
	return map[string]any{
		"instanceGroupId": d.GroupID, "region": d.Caller.Region, "application": *d.Info.ApplicationName, "deploymentId": d.id(),
		"state": state, "deploymentGroup": *d.Info.DeploymentGroupName,
	}
}

func (s *Service) send(ctx context.Context, d deployment, kind string, detail map[string]any, resources []string) {
	body, err := json.Marshal(detail)
	if err != nil {
		return // strings always marshal
	}
	resources = append(resources, d.Caller.ResourceARN("codedeploy", "application:"+*d.Info.ApplicationName),
		d.Caller.ResourceARN("codedeploy", "deploymentgroup:"+d.groupKey()))
	_, err = eventbridge.NewFromConfig(s.host.As(d.Caller)).PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []eb.PutEventsRequestEntry{{
		Source: aws.String("aws.codedeploy"), DetailType: &kind, Detail: aws.String(string(body)), Resources: resources, Time: s.now(),
	}}})
	if err != nil {
		s.host.Log().Debug("sending an event of a deployment", "type", kind, "error", err)
	}
}

// trigger publishes to the topics that the group has for an event, as its
// service role, which has to be allowed to.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-sns-event-notifications-json-format.html
func (s *Service) trigger(ctx context.Context, d deployment, event types.TriggerEventType, more map[string]any) {
	g, err := s.groups.Get(ctx, d.scope(), d.groupKey())
	if err != nil {
		return
	}
	for _, t := range g.Info.TriggerConfigurations {
		if !slices.Contains(t.TriggerEvents, event) {
			continue
		}
		message := map[string]any{
			"region": d.Caller.Region, "accountId": d.Caller.Account, "eventTriggerName": *t.TriggerName, "deploymentId": d.id(),
			"applicationName": *d.Info.ApplicationName, "deploymentGroupName": *d.Info.DeploymentGroupName, "createTime": d.Info.CreateTime.Format(time.UnixDate),
		}
		if d.Info.CompleteTime != nil {
			message["completeTime"] = d.Info.CompleteTime.Format(time.UnixDate)
		}
		if e := d.Info.ErrorInformation; e != nil {
			message["errorInformation"] = map[string]any{"ErrorCode": e.Code, "ErrorMessage": e.Message}
		}
		for k, v := range more {
			message[k] = v
		}
		body, err := json.Marshal(message)
		if err == nil {
			_, err = sns.NewFromConfig(s.asRole(d, g.Info)).Publish(ctx, &sns.PublishInput{
				TopicArn: t.TriggerTargetArn, Message: aws.String(string(body)), Subject: aws.String(string(event) + " AWS CodeDeploy " + d.id() + " in " + d.Caller.Region),
			})
		}
		if err != nil {
			s.host.Log().Warn("telling a trigger of a deployment", "trigger", *t.TriggerName, "error", err)
		}
	}
}
