package eventbridge_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	logsapi "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	pipelineapi "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	api "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"ouro/cloud/door"
	"ouro/cloud/eventbridge"
	"ouro/cloud/store"
	"ouro/cloud/wire"
)

const pipelineARN = "arn:aws:codepipeline:us-east-1:000000000000:site"

var here = door.Caller{Account: "000000000000", Region: "us-east-1"}

// started is a call that pipelines took.
type started struct {
	in     *pipelineapi.StartPipelineExecutionInput
	caller door.Caller
	at     time.Time
}

// pipelines stands where CodePipeline is: it answers what answer says.
type pipelines struct {
	calls  chan started
	answer func(call int) error
	count  int
}

func (p *pipelines) StartPipelineExecution(ctx context.Context, in *pipelineapi.StartPipelineExecutionInput) (*pipelineapi.StartPipelineExecutionOutput, error) {
	p.count++
	if p.answer != nil {
		if err := p.answer(p.count); err != nil {
			return nil, err
		}
	}
	p.calls <- started{in, door.CallerFrom(ctx), time.Now()}
	return &pipelineapi.StartPipelineExecutionOutput{PipelineExecutionId: aws.String("1")}, nil
}

// groups stands where CloudWatch Logs is, with one group and no stream.
type groups struct {
	stream  string
	written chan logtypes.InputLogEvent
}

func (g *groups) CreateLogStream(_ context.Context, in *logsapi.CreateLogStreamInput) (*logsapi.CreateLogStreamOutput, error) {
	g.stream = *in.LogStreamName
	return &logsapi.CreateLogStreamOutput{}, nil
}

func (g *groups) PutLogEvents(_ context.Context, in *logsapi.PutLogEventsInput) (*logsapi.PutLogEventsOutput, error) {
	if *in.LogGroupName != "/events" || *in.LogStreamName != g.stream {
		return nil, &logtypes.ResourceNotFoundException{Message: aws.String("no such stream")}
	}
	for _, e := range in.LogEvents {
		g.written <- e
	}
	return &logsapi.PutLogEventsOutput{}, nil
}

// bench is EventBridge with what its targets need.
type bench struct {
	events    *api.Client
	service   *api.Client // the same, called by a service of AWS
	pipelines *pipelines
	groups    *groups
}

func open(t *testing.T, dir string, answer func(int) error) (*bench, func()) {
	t.Helper()
	return openAt(t, dir, answer, nil)
}

// openAt opens with a clock; nil is the machine's.
func openAt(t *testing.T, dir string, answer func(int) error, now func() time.Time) (*bench, func()) {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	d := door.New(door.Options{Store: st, Now: now})
	b := &bench{
		pipelines: &pipelines{calls: make(chan started, 100), answer: answer},
		groups:    &groups{written: make(chan logtypes.InputLogEvent, 100)},
	}
	s := eventbridge.New(d)
	for name, impl := range map[string]any{"events": s, "codepipeline": b.pipelines, "logs": b.groups} {
		if err := d.Register(name, impl); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.events = api.NewFromConfig(d.As(here))
	codecommit := here
	codecommit.Service = "codecommit.amazonaws.com"
	b.service = api.NewFromConfig(d.As(codecommit))
	return b, func() {
		d.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
}

func start(t *testing.T, answer func(int) error) *bench {
	t.Helper()
	b, closeAll := open(t, t.TempDir(), answer)
	t.Cleanup(closeAll)
	return b
}

func (b *bench) rule(t *testing.T, name, pattern string, targets ...types.Target) {
	t.Helper()
	if _, err := b.events.PutRule(t.Context(), &api.PutRuleInput{Name: &name, EventPattern: &pattern}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.events.PutTargets(t.Context(), &api.PutTargetsInput{Rule: &name, Targets: targets}); err != nil {
		t.Fatal(err)
	}
}

// push puts the event that a push to a branch makes.
func (b *bench) push(t *testing.T, branch string) {
	t.Helper()
	detail, _ := json.Marshal(map[string]string{"event": "referenceUpdated", "referenceType": "branch", "referenceName": branch})
	out, err := b.service.PutEvents(t.Context(), &api.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		Source: aws.String("aws.codecommit"), DetailType: aws.String("CodeCommit Repository State Change"),
		Resources: []string{"arn:aws:codecommit:us-east-1:000000000000:site"}, Detail: aws.String(string(detail)),
	}}})
	if err != nil || out.FailedEntryCount != 0 {
		t.Fatalf("PutEvents: %+v, %v", out, err)
	}
}

const pushPattern = `{"source": ["aws.codecommit"], "detail": {"referenceType": ["branch"], "referenceName": ["main"]}}`

func receive[T any](t *testing.T, from chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(time.Minute):
		t.Fatal("nothing was delivered")
		panic("unreachable")
	}
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func TestAPushStartsThePipeline(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	b.rule(t, "push", pushPattern, types.Target{Id: aws.String("p"), Arn: aws.String(pipelineARN)})
	b.push(t, "main") // warm
	receive(t, b.pipelines.calls)
	b.push(t, "other")
	before := time.Now()
	b.push(t, "main")
	call := receive(t, b.pipelines.calls)
	t.Logf("from PutEvents to StartPipelineExecution: %v", call.at.Sub(before))
	if *call.in.Name != "site" || call.caller.Service != "events.amazonaws.com" {
		t.Errorf("started %q as %+v", *call.in.Name, call.caller)
	}
	if _, err := b.events.DisableRule(t.Context(), &api.DisableRuleInput{Name: aws.String("push")}); err != nil {
		t.Fatal(err)
	}
	b.push(t, "main")
	if _, err := b.events.EnableRule(t.Context(), &api.EnableRuleInput{Name: aws.String("push")}); err != nil {
		t.Fatal(err)
	}
	b.push(t, "main")
	receive(t, b.pipelines.calls)
	if n := len(b.pipelines.calls); n != 0 {
		t.Errorf("%d more executions started than pushes that match", n)
	}
}

func TestDeliveryIsTriedAgainWhenTheTargetIsOutOfOrderOnly(t *testing.T) {
	t.Parallel()
	b := start(t, func(call int) error {
		switch call {
		case 1:
			return &wire.Error{Code: "PipelineNotFoundException", Message: "no", Status: 400}
		case 2, 3:
			return &wire.Error{Code: "InternalFailure", Message: "no", Status: 500}
		}
		return nil
	})
	b.rule(t, "push", pushPattern, types.Target{Id: aws.String("p"), Arn: aws.String(pipelineARN)})
	b.push(t, "main") // refused for good
	b.push(t, "main")
	receive(t, b.pipelines.calls)
	if b.pipelines.count != 4 {
		t.Errorf("%d attempts, want 4: one refused, two failed, one taken", b.pipelines.count)
	}
}

func TestAnAcceptedEventSurvivesTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, closeAll := open(t, dir, func(int) error {
		return &wire.Error{Code: "InternalFailure", Message: "down", Status: 500}
	})
	b.rule(t, "push", pushPattern, types.Target{Id: aws.String("p"), Arn: aws.String(pipelineARN)})
	b.push(t, "main")
	closeAll()

	b, closeAll = open(t, dir, nil)
	first := receive(t, b.pipelines.calls)
	if first.in.ClientRequestToken == nil {
		t.Fatal("without a token a repeated delivery starts the pipeline twice")
	}
	b.push(t, "main")
	receive(t, b.pipelines.calls) // comes after the first was done with
	closeAll()

	b, closeAll = open(t, dir, nil)
	defer closeAll()
	b.push(t, "main")
	if again := receive(t, b.pipelines.calls); *again.in.ClientRequestToken == *first.in.ClientRequestToken {
		t.Error("a delivery that was made was made again")
	}
}

func TestWhatTargetsGet(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	target := func(id string) types.Target {
		return types.Target{Id: &id, Arn: aws.String("arn:aws:logs:us-east-1:000000000000:log-group:/events:*")}
	}
	constant, part, made := target("constant"), target("part"), target("made")
	constant.Input = aws.String(`{"a":1}`)
	part.InputPath = aws.String("$.detail.referenceName")
	made.InputTransformer = &types.InputTransformer{
		InputPathsMap: map[string]string{"branch": "$.detail.referenceName", "what": "$.resources[0]", "none": "$.detail.none"},
		InputTemplate: aws.String(`{"branch": <branch>, "text": "<branch> of \"<what>\", <none>!", "none": <none>, "rule": "<aws.events.rule-name>", "tag": "<b>"}`),
	}
	for _, c := range []struct {
		target types.Target
		want   string
	}{
		{constant, `{"a":1}`},
		{part, `"main"`},
		{made, `{"branch": "main", "text": "main of \"arn:aws:codecommit:us-east-1:000000000000:site\", !", "none": null, "rule": "made", "tag": "<b>"}`},
	} {
		b.rule(t, *c.target.Id, pushPattern, c.target)
		b.push(t, "main")
		if got := *receive(t, b.groups.written).Message; got != c.want {
			t.Errorf("%s: the target got %s, want %s", *c.target.Id, got, c.want)
		}
		if _, err := b.events.RemoveTargets(t.Context(), &api.RemoveTargetsInput{Rule: c.target.Id, Ids: []string{*c.target.Id}}); err != nil {
			t.Fatal(err)
		}
	}
	b.rule(t, "plain", pushPattern, target("plain"))
	b.push(t, "main")
	var event map[string]any
	if err := json.Unmarshal([]byte(*receive(t, b.groups.written).Message), &event); err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"} {
		if event[member] == nil {
			t.Errorf("the event has no %q", member)
		}
	}
}

func TestEventsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	entry := func(source, kind, detail string) types.PutEventsRequestEntry {
		return types.PutEventsRequestEntry{Source: &source, DetailType: &kind, Detail: &detail}
	}
	out, err := b.events.PutEvents(t.Context(), &api.PutEventsInput{Entries: []types.PutEventsRequestEntry{
		entry("mine", "a", "{}"), entry("aws.s3", "a", "{}"), entry("mine", "a", "[]"), entry("mine", "", "{}"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"", "NotAuthorizedForSource", "MalformedDetail", "InvalidArgument"}
	for i, e := range out.Entries {
		if aws.ToString(e.ErrorCode) != want[i] || (e.EventId == nil) != (want[i] != "") {
			t.Errorf("entry %d: %q, want %q", i, aws.ToString(e.ErrorCode), want[i])
		}
	}
	if out.FailedEntryCount != 3 {
		t.Errorf("%d failed, want 3", out.FailedEntryCount)
	}
}
