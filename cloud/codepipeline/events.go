package codepipeline

import (
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ouro/cloud/store"
)

// event is a state change as EventBridge gets it.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
type event struct {
	Scope  store.Scope
	Kind   string
	ARN    string
	Time   time.Time
	Detail detail
}

type detail struct {
	Pipeline          string            `json:"pipeline"`
	ExecutionID       string            `json:"execution-id"`
	StartTime         string            `json:"start-time,omitempty"`
	Stage             string            `json:"stage,omitempty"`
	ActionExecutionID string            `json:"action-execution-id,omitempty"`
	Action            string            `json:"action,omitempty"`
	InputArtifacts    []eventArtifact   `json:"input-artifacts,omitempty"`
	OutputArtifacts   []eventArtifact   `json:"output-artifacts,omitempty"`
	State             string            `json:"state"`
	Result            *eventResult      `json:"execution-result,omitempty"`
	Region            string            `json:"region,omitempty"`
	Type              *eventType        `json:"type,omitempty"`
	Version           float64           `json:"version"`
	Attempt           float64           `json:"pipeline-execution-attempt"`
	Trigger           map[string]string `json:"execution-trigger,omitempty"`
	StopComments      string            `json:"stop-execution-comments,omitempty"`
	RetriedAt         string            `json:"last-retry-attempt-time,omitempty"`
	StageRetriedAt    string            `json:"stage-last-retry-attempt-time,omitempty"`
}

type eventArtifact struct {
	Name       string `json:"name"`
	S3Location struct {
		Bucket string `json:"bucket"`
		Key    string `json:"key"`
	} `json:"s3location"`
}

type eventResult struct {
	URL     string `json:"external-execution-url,omitempty"`
	ID      string `json:"external-execution-id,omitempty"`
	Summary string `json:"external-execution-summary,omitempty"`
	Code    string `json:"error-code,omitempty"`
}

type eventType struct {
	Owner    types.ActionOwner    `json:"owner"`
	Category types.ActionCategory `json:"category"`
	Provider string               `json:"provider"`
	Version  string               `json:"version"`
}

// pipelineEvents and stageEvents are the states in events, by status.
var (
	pipelineEvents = map[types.PipelineExecutionStatus]string{
		types.PipelineExecutionStatusSucceeded: "SUCCEEDED", types.PipelineExecutionStatusFailed: "FAILED",
		types.PipelineExecutionStatusStopped: "STOPPED", types.PipelineExecutionStatusSuperseded: "SUPERSEDED",
		types.PipelineExecutionStatusCancelled: "CANCELED",
	}
	stageEvents = map[types.StageExecutionStatus]string{
		types.StageExecutionStatusSucceeded: "SUCCEEDED", types.StageExecutionStatusFailed: "FAILED",
		types.StageExecutionStatusStopped: "STOPPED", types.StageExecutionStatusCancelled: "CANCELED",
	}
)

func (t *turn) tellPipeline(e *execution, state string) {
	d := detail{State: state, StartTime: eventTime(e.Started), RetriedAt: optionalTime(e.RetriedAt)}
	switch {
	case e.Git != nil:
		d.Trigger = e.Git.facts()
	case state == "STARTED":
		d.Trigger = map[string]string{"trigger-type": string(e.Trigger), "trigger-detail": e.Detail}
	}
	if state == "STOPPING" || state == "STOPPED" {
		d.StopComments = e.Stopped
	}
	t.tell("CodePipeline Pipeline Execution State Change", e, d)
}

func (t *turn) tellStage(e *execution, state string) {
	run := t.runOf(e)
	t.tell("CodePipeline Stage Execution State Change", e, detail{
		State: state, StartTime: eventTime(run.Started), Stage: t.plan.stages[e.Stage].name, StageRetriedAt: optionalTime(run.RetriedAt),
	})
}

// tellAction tells of an action. Rules have no events.
func (t *turn) tellAction(a *action, state string) {
	if a.Condition != "" {
		return
	}
	id := a.Declaration.ActionTypeId
	d := detail{
		State: state, StartTime: eventTime(a.Started), Stage: a.Stage, Action: a.Name, ActionExecutionID: a.ID,
		Region: t.region(a), InputArtifacts: eventArtifacts(a.Inputs),
		Type: &eventType{id.Owner, id.Category, aws.ToString(id.Provider), aws.ToString(id.Version)},
	}
	if state != "STARTED" {
		d.Result = &eventResult{URL: a.ExternalURL, ID: a.ExternalID, Summary: a.Summary, Code: a.ErrorCode}
	}
	if state == "SUCCEEDED" {
		d.OutputArtifacts = eventArtifacts(a.Outputs)
	}
	t.tell("CodePipeline Action Execution State Change", t.executions[a.Number], d)
}

func (t *turn) tell(kind string, e *execution, d detail) {
	d.Pipeline, d.ExecutionID, d.Version, d.Attempt = t.pipe.Name, e.ID, float64(e.Version), float64(e.Attempt)
	t.events = append(t.events, event{t.scope, kind, t.pipe.ARN, t.now, d})
}

func eventTime(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

func optionalTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return eventTime(at)
}

func eventArtifacts(list []artifact) []eventArtifact {
	var out []eventArtifact
	for _, a := range list {
		ea := eventArtifact{Name: a.Name}
		ea.S3Location.Bucket, ea.S3Location.Key = a.Bucket, a.Key
		out = append(out, ea)
	}
	return out
}

func (ev event) entry() ebtypes.PutEventsRequestEntry {
	body, err := json.Marshal(ev.Detail)
	if err != nil { // strings and numbers only
		body = []byte("{}")
	}
	return ebtypes.PutEventsRequestEntry{
		Source: aws.String("aws.codepipeline"), DetailType: aws.String(ev.Kind),
		Resources: []string{ev.ARN}, Time: aws.Time(ev.Time), Detail: aws.String(string(body)),
	}
}
