package eventbridge

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ouro/cloud/door"
	"ouro/cloud/pattern"
)

const (
	maxEntries   = 10
	maxEventSize = 256 << 10 // bytes of all entries of one request
)

// event is an event as targets get it.
// https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
type event struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       string          `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// PutEvents takes events, and has them delivered to the targets of all rules
// that match. Sources that begin with "aws." are for AWS's services alone. An
// event for a bus that is not there is taken and dropped, as on AWS.
func (s *Service) PutEvents(ctx context.Context, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
	if err := checkEntries(in.Entries); err != nil {
		return nil, err
	}
	out := &eventbridge.PutEventsOutput{}
	var due []delivery
	for _, entry := range in.Entries {
		result, deliveries, err := s.accept(ctx, entry)
		if err != nil {
			return nil, err
		}
		if result.ErrorCode != nil {
			out.FailedEntryCount++
		}
		out.Entries = append(out.Entries, result)
		due = append(due, deliveries...)
	}
	if err := s.record(ctx, due); err != nil {
		return nil, err
	}
	for _, d := range due {
		s.enqueue(d)
	}
	return out, nil
}

func checkEntries(entries []types.PutEventsRequestEntry) error {
	if len(entries) == 0 || len(entries) > maxEntries {
		return validation("1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and %d", maxEntries)
	}
	size := 0
	for _, e := range entries {
		size += len(aws.ToString(e.Source)) + len(aws.ToString(e.DetailType)) + len(aws.ToString(e.Detail))
		for _, r := range e.Resources {
			size += len(r)
		}
		if e.Time != nil {
			size += 14
		}
	}
	if size > maxEventSize {
		return validation("Total size of the entries in the request is over the limit.")
	}
	return nil
}

// accept turns an entry into an event, and finds who gets it.
func (s *Service) accept(ctx context.Context, entry types.PutEventsRequestEntry) (types.PutEventsResultEntry, []delivery, error) {
	caller := door.CallerFrom(ctx)
	if code, message := entryProblem(caller, entry); code != "" {
		return types.PutEventsResultEntry{ErrorCode: &code, ErrorMessage: &message}, nil, nil
	}
	now := s.host.Now()
	ev := event{
		Version: "0", ID: s.host.NewID(), DetailType: *entry.DetailType, Source: *entry.Source,
		Account: caller.Account, Time: now.UTC().Format(time.RFC3339), Region: caller.Region,
		Resources: append([]string{}, entry.Resources...), Detail: json.RawMessage(*entry.Detail),
	}
	if entry.Time != nil {
		ev.Time = entry.Time.UTC().Format(time.RFC3339)
	}
	body, err := encode(ev)
	if err != nil {
		return types.PutEventsResultEntry{}, nil, err
	}
	deliveries, err := s.route(ctx, busOf(entry.EventBusName), body, now)
	return types.PutEventsResultEntry{EventId: &ev.ID}, deliveries, err
}

func entryProblem(caller door.Caller, entry types.PutEventsRequestEntry) (code, message string) {
	for _, required := range []struct {
		name  string
		value *string
	}{{"Source", entry.Source}, {"DetailType", entry.DetailType}, {"Detail", entry.Detail}} {
		if aws.ToString(required.value) == "" {
			return "InvalidArgument", "Parameter " + required.name + " is not valid. Reason: " + required.name + " is a required argument."
		}
	}
	if strings.HasPrefix(*entry.Source, "aws.") && caller.Service == "" {
		return "NotAuthorizedForSource", "Not authorized for the source."
	}
	var detail map[string]json.RawMessage
	if json.Unmarshal([]byte(*entry.Detail), &detail) != nil || detail == nil {
		return "MalformedDetail", "Detail is malformed."
	}
	return "", ""
}

// route gives one delivery for each target of each rule that matches.
func (s *Service) route(ctx context.Context, bus, body string, now time.Time) ([]delivery, error) {
	caller := door.CallerFrom(ctx)
	rules, err := s.rulesOf(ctx, bus, "")
	if err != nil {
		return nil, err
	}
	event, err := pattern.Decode(body)
	if err != nil {
		return nil, err
	}
	var due []delivery
	for _, r := range rules {
		if r.State == types.RuleStateDisabled || r.Pattern == "" {
			continue
		}
		p, err := s.compiled.get(r)
		if err != nil {
			return nil, err
		}
		if !p.Matches(event) {
			continue
		}
		due = append(due, s.deliveriesOf(caller, r, body, now)...)
	}
	return due, nil
}

// deliveriesOf is one delivery of an event for each target of a rule.
func (s *Service) deliveriesOf(c door.Caller, r rule, body string, now time.Time) []delivery {
	var due []delivery
	for _, t := range r.Targets {
		due = append(due, delivery{
			ID: s.host.NewID(), Account: c.Account, Region: c.Region,
			RuleName: r.Name, RuleARN: r.ARN, Target: t, Event: body, Accepted: now,
		})
	}
	return due
}
