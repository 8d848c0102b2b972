package codebuild

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eb "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ouro/cloud/door"
)

// events tells EventBridge how a build goes, in order and without holding it
// up (https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications.html).
type events struct {
	queue chan eb.PutEventsRequestEntry
	done  chan struct{}
}

func startEvents(s *Service, caller door.Caller) *events {
	// A build has fewer events than the queue has places.
	e := &events{queue: make(chan eb.PutEventsRequestEntry, 64), done: make(chan struct{})}
	caller.Service = "codebuild.amazonaws.com"
	go func() {
		defer close(e.done)
		client := eventbridge.NewFromConfig(s.host.As(caller))
		for entry := range e.queue {
			_, err := client.PutEvents(context.Background(), &eventbridge.PutEventsInput{Entries: []eb.PutEventsRequestEntry{entry}})
			if err != nil {
				s.host.Log().Debug("sending an event of a build", "type", *entry.DetailType, "error", err)
			}
		}
	}()
	return e
}

// close waits until all events are sent.
func (e *events) close() {
	close(e.queue)
	<-e.done
}

// eventTime is how the details of events write times.
func eventTime(t *time.Time) string { return aws.ToTime(t).UTC().Format("Jan 2, 2006 3:04:05 PM") }

func (e *events) put(rec record, kind string, at *time.Time, detail map[string]any) {
	body, err := json.Marshal(detail)
	if err != nil {
		return // maps of strings and numbers always marshal
	}
	e.queue <- eb.PutEventsRequestEntry{
		Source: aws.String("aws.codebuild"), DetailType: &kind, Detail: aws.String(string(body)),
		Resources: []string{*rec.Build.Arn}, Time: at,
	}
}

// state tells the build's status.
func (e *events) state(rec record) {
	b := &rec.Build
	at := b.StartTime
	if b.EndTime != nil {
		at = b.EndTime
	}
	e.put(rec, "CodeBuild Build State Change", at, map[string]any{
		"build-status": b.BuildStatus, "project-name": b.ProjectName, "build-id": b.Arn, "version": "1",
		"current-phase": b.CurrentPhase, "current-phase-context": "[]", "additional-information": information(rec),
	})
}

// phase tells that a phase has ended.
func (e *events) phase(rec record, kind types.BuildPhaseType) {
	b := &rec.Build
	p := b.Phases[slices.IndexFunc(b.Phases, func(p types.BuildPhase) bool { return p.PhaseType == kind })]
	e.put(rec, "CodeBuild Build Phase Change", p.EndTime, map[string]any{
		"completed-phase": p.PhaseType, "completed-phase-status": p.PhaseStatus, "completed-phase-context": contextText(p.Contexts),
		"completed-phase-start": eventTime(p.StartTime), "completed-phase-end": eventTime(p.EndTime),
		"completed-phase-duration-seconds": p.DurationInSeconds,
		"project-name":                     b.ProjectName, "build-id": b.Arn, "version": "1", "additional-information": information(rec),
	})
}

// contextText is a phase's context as events write it: [CODE: message].
func contextText(contexts []types.PhaseContext) string {
	if len(contexts) == 0 {
		return "[]"
	}
	return fmt.Sprintf("[%s: %s]", aws.ToString(contexts[0].StatusCode), aws.ToString(contexts[0].Message))
}

func information(rec record) map[string]any {
	b := &rec.Build
	variables := []map[string]any{}
	for _, v := range b.Environment.EnvironmentVariables {
		variables = append(variables, map[string]any{"name": v.Name, "value": v.Value, "type": v.Type})
	}
	phases := []map[string]any{}
	for _, p := range b.Phases {
		phase := map[string]any{"phase-type": p.PhaseType, "start-time": eventTime(p.StartTime)}
		if p.EndTime != nil {
			phase["end-time"], phase["duration-in-seconds"], phase["phase-status"] = eventTime(p.EndTime), p.DurationInSeconds, p.PhaseStatus
			phase["phase-context"] = []string{contextText(p.Contexts)}
		}
		phases = append(phases, phase)
	}
	return map[string]any{
		"artifact": map[string]any{"location": b.Artifacts.Location, "md5sum": b.Artifacts.Md5sum, "sha256sum": b.Artifacts.Sha256sum},
		"environment": map[string]any{
			"image": b.Environment.Image, "privileged-mode": b.Environment.PrivilegedMode, "compute-type": b.Environment.ComputeType,
			"type": b.Environment.Type, "environment-variables": variables,
		},
		"timeout-in-minutes": b.TimeoutInMinutes, "build-complete": b.BuildComplete, "initiator": b.Initiator,
		"build-start-time": eventTime(b.StartTime), "build-number": b.BuildNumber,
		"source": map[string]any{"type": b.Source.Type, "location": b.Source.Location},
		"logs":   map[string]any{"group-name": b.Logs.GroupName, "stream-name": b.Logs.StreamName, "deep-link": b.Logs.DeepLink},
		"phases": phases,
	}
}
