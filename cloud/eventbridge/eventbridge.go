// Package eventbridge is Amazon EventBridge: event buses, rules with event
// patterns, and the delivery of events to the rules' targets.
//
// An event that PutEvents accepted is delivered at once and in the background.
// What is to be delivered is in the store before PutEvents answers, and leaves
// it after the target took it or refused it for good, so that the death of the
// process loses no event; it may deliver one twice, as on AWS.
//
// Delivered are events to CodePipeline pipelines, CodeBuild projects, Lambda
// functions, SNS topics and CloudWatch Logs groups, under the target's role or,
// if it has none, as events.amazonaws.com itself. Targets of every other kind
// are kept and answered as AWS does; an event for one of them is logged as not
// delivered.
//
// Rules with schedules fire while the cloud runs.
package eventbridge

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ouro/cloud/door"
	"ouro/cloud/pattern"
	"ouro/cloud/store"
)

// Service is Amazon EventBridge.
type Service struct {
	host       door.Host
	buses      store.Table[bus]
	rules      store.Table[rule]
	deliveries store.Table[delivery]

	compiled patterns
	lanes    lanes
	clock    *door.Clock // of the rules that have schedules
}

// New makes the service; Resume delivers what an earlier process left over.
func New(host door.Host) *Service {
	st := host.Store()
	s := &Service{
		host:       host,
		buses:      store.NewTable[bus](st, "events", "bus"),
		rules:      store.NewTable[rule](st, "events", "rule"),
		deliveries: store.NewTable[delivery](st, "events", "delivery"),
	}
	s.clock = door.NewClock(host, "fire rules by their schedules", s.fireDue)
	return s
}

// Resume takes up the deliveries that an earlier process did not finish, and
// the schedules.
func (s *Service) Resume(ctx context.Context) error {
	left, err := s.deliveries.All(ctx, store.Query{})
	if err != nil {
		return err
	}
	for _, e := range left {
		s.enqueue(e.Value)
	}
	s.clock.Wake()
	return nil
}

// rule is a rule with its targets, so that one read tells all about it.
type rule struct {
	Name, Bus, ARN string
	Description    string
	Pattern        string
	Schedule       string
	Due            time.Time `json:",omitzero"` // when the schedule fires next
	State          types.RuleState
	RoleARN        string
	CreatedBy      string
	Targets        []types.Target
	Tags           map[string]string
}

// patterns holds the compiled pattern of each rule by its ARN, so that a
// pattern is compiled once and not at every event.
type patterns struct {
	mu sync.Mutex
	of map[string]compiledPattern
}

type compiledPattern struct {
	text    string
	pattern *pattern.Pattern
}

// compilePattern reads an event pattern.
func compilePattern(text string) (compiled *pattern.Pattern, err error) {
	v, err := pattern.Decode(text)
	if err == nil {
		compiled, err = pattern.Compile(v, pattern.AsWritten)
	}
	if err != nil {
		return nil, badPattern(err)
	}
	return compiled, nil
}

func (p *patterns) get(r rule) (*pattern.Pattern, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := p.of[r.ARN]; ok && c.text == r.Pattern {
		return c.pattern, nil
	}
	compiled, err := compilePattern(r.Pattern)
	if err != nil {
		return nil, err
	}
	if p.of == nil {
		p.of = map[string]compiledPattern{}
	}
	p.of[r.ARN] = compiledPattern{r.Pattern, compiled}
	return compiled, nil
}

func (p *patterns) forget(ruleARN string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.of, ruleARN)
}
