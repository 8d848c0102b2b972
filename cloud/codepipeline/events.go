package codepipeline

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// event is a state change as EventBridge gets it.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
type event struct {
	scope  store.Scope
	kind   string
	arn    string
	time   time.Time
	detail detail
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
	t.tell("CodePipeline Pipeline Execution State Change", e, detail{State: state, StartTime: eventTime(e.Started)})
}

func (t *turn) tellStage(e *execution, state string) {
	t.tell("CodePipeline Stage Execution State Change", e, detail{
		State: state, StartTime: eventTime(e.Updated), Stage: t.plan.stages[e.Stage].name,
	})
}

func (t *turn) tellAction(a *action, state string) {
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
	d.Trigger = e.Git.facts()
	t.events = append(t.events, event{t.scope, kind, t.pipe.ARN, t.now, d})
}

func eventTime(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

func eventArtifacts(list []artifact) []eventArtifact {
	var out []eventArtifact
	for _, a := range list {
		ea := eventArtifact{Name: a.Name}
		ea.S3Location.Bucket, ea.S3Location.Key = a.Bucket, a.Key
		out = append(out, ea)
	}
	return out
}

// announcer tells EventBridge what happened, in order, in the background. Its
// goroutine lives while there is something to tell. What a dying process has not
// told stays untold: AWS, too, delivers these events on a best-effort basis.
type announcer struct {
	host  door.Host
	mu    sync.Mutex
	queue []event
	busy  bool
}

func (an *announcer) tell(events []event) {
	if len(events) == 0 {
		return
	}
	an.mu.Lock()
	defer an.mu.Unlock()
	an.queue = append(an.queue, events...)
	if !an.busy {
		an.busy = true
		an.host.Go("codepipeline events", an.drain)
	}
}

func (an *announcer) drain(ctx context.Context) {
	for {
		an.mu.Lock()
		batch := an.queue[:min(len(an.queue), maxBatch)]
		an.queue = an.queue[len(batch):]
		an.busy = len(batch) > 0 && ctx.Err() == nil
		going := an.busy
		an.mu.Unlock()
		if !going {
			return
		}
		an.put(ctx, batch)
	}
}

// maxBatch is how many events PutEvents takes at once.
const maxBatch = 10

// put sends events; those of one account and region go together.
func (an *announcer) put(ctx context.Context, events []event) {
	for len(events) > 0 {
		scope := events[0].scope
		n := 0
		in := &eventbridge.PutEventsInput{}
		for n < len(events) && events[n].scope == scope {
			in.Entries = append(in.Entries, events[n].entry())
			n++
		}
		events = events[n:]
		out, err := eventbridge.NewFromConfig(an.host.As(self(scope, ""))).PutEvents(ctx, in)
		if err != nil {
			if ctx.Err() == nil {
				an.host.Log().Warn("telling EventBridge of state changes", "events", n, "error", err)
			}
			continue
		}
		for _, r := range out.Entries {
			if r.ErrorCode != nil {
				an.host.Log().Warn("telling EventBridge of a state change", "code", *r.ErrorCode, "message", aws.ToString(r.ErrorMessage))
			}
		}
	}
}

func (ev event) entry() ebtypes.PutEventsRequestEntry {
	body, err := json.Marshal(ev.detail)
	if err != nil { // strings and numbers only
		body = []byte("{}")
	}
	return ebtypes.PutEventsRequestEntry{
		Source: aws.String("aws.codepipeline"), DetailType: aws.String(ev.kind),
		Resources: []string{ev.arn}, Time: aws.Time(ev.time), Detail: aws.String(string(body)),
	}
}
