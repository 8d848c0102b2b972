package logs

import (
	"container/heap"
	"context"
	"iter"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

const mostStreams = 100 // that a filter may name

// FilterLogEvents gives the events of a group, of all its streams or of some,
// by time, that match a pattern.
func (s *Service) FilterLogEvents(ctx context.Context, in *cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	name, err := groupName(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if in.StartFromHead != nil && !*in.StartFromHead {
		return nil, invalid("startFromHead false is not supported by the local cloud: events are given from the earliest on.")
	}
	p, err := parsePattern(aws.ToString(in.FilterPattern))
	if err != nil {
		return nil, err
	}
	from := position{}
	if in.NextToken != nil {
		var ok bool
		if from, ok = parsePosition(*in.NextToken); !ok {
			return nil, badToken()
		}
	}
	g, err := s.group(ctx, name)
	if err != nil {
		return nil, err
	}
	w, err := s.newWindow(g, in.StartTime, in.EndTime, in.Limit)
	if err != nil {
		return nil, err
	}
	streams, err := s.searched(ctx, name, in)
	if err != nil {
		return nil, err
	}
	m := s.merge(ctx, name, streams, from, w)
	defer m.stop()
	return m.collect(p, w)
}

// searched are the streams that the request asks for.
func (s *Service) searched(ctx context.Context, group string, in *cloudwatchlogs.FilterLogEventsInput) ([]named, error) {
	switch {
	case len(in.LogStreamNames) == 0:
		return s.streamsOf(ctx, group, aws.ToString(in.LogStreamNamePrefix))
	case in.LogStreamNamePrefix != nil:
		return nil, invalid("Only one of logStreamNames and logStreamNamePrefix may be specified.")
	case len(in.LogStreamNames) > mostStreams:
		return nil, violated("logStreamNames", "[...]", "have length less than or equal to 100")
	}
	var list []named
	for _, name := range slices.Compact(slices.Sorted(slices.Values(in.LogStreamNames))) {
		_, st, err := s.stream(ctx, group, name)
		if err != nil {
			return nil, err
		}
		list = append(list, named{name, st})
	}
	return list, nil
}

// merged gives the events of several streams by time. It is a heap of streams
// by their next event.
type merged struct {
	heads []head
	err   error
}

type head struct {
	placed
	next func() (placed, error, bool)
	stop func()
}

func (m *merged) Len() int           { return len(m.heads) }
func (m *merged) Less(i, j int) bool { return m.heads[i].at.compare(m.heads[j].at) < 0 }
func (m *merged) Swap(i, j int)      { m.heads[i], m.heads[j] = m.heads[j], m.heads[i] }
func (m *merged) Push(x any)         { m.heads = append(m.heads, x.(head)) }

func (m *merged) Pop() any {
	last := m.heads[len(m.heads)-1]
	m.heads = m.heads[:len(m.heads)-1]
	return last
}

// merge begins to read the streams that have events in the window.
func (s *Service) merge(ctx context.Context, group string, streams []named, from position, w window) *merged {
	m := &merged{}
	from = w.begin(from)
	for _, st := range streams {
		if st.Ingested == 0 || st.Last < w.start || st.First >= w.end {
			continue
		}
		next, stop := iter.Pull2(s.walk(ctx, group, st, from, false))
		m.advance(head{next: next, stop: stop})
	}
	heap.Init(m)
	return m
}

// advance puts the stream in by its next event, if there is one.
func (m *merged) advance(h head) {
	e, err, ok := h.next()
	if ok && err == nil {
		h.placed = e
		m.heads = append(m.heads, h)
		return
	}
	h.stop()
	if err != nil {
		m.err = err
	}
}

// next gives the earliest event of all.
func (m *merged) next() (placed, bool) {
	if len(m.heads) == 0 || m.err != nil {
		return placed{}, false
	}
	first := m.heads[0].placed
	e, err, ok := m.heads[0].next()
	switch {
	case ok && err == nil:
		m.heads[0].placed = e
		heap.Fix(m, 0)
	default:
		m.err = err
		heap.Pop(m).(head).stop()
	}
	return first, true
}

// stop ends the reading of all streams.
func (m *merged) stop() {
	for _, h := range m.heads {
		h.stop()
	}
}

// collect fills the answer with the events that match.
func (m *merged) collect(p pattern, w window) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	out := &cloudwatchlogs.FilterLogEventsOutput{Events: []types.FilteredLogEvent{}, SearchedLogStreams: []types.SearchedLogStream{}}
	var last position
	for {
		e, ok := m.next()
		if !ok || e.Time >= w.end {
			return out, m.err
		}
		if e.Time < w.start || !p.matches(e.Message) {
			continue
		}
		if !w.takes(e) {
			out.NextToken = aws.String(last.String())
			return out, m.err
		}
		last = e.at
		out.Events = append(out.Events, types.FilteredLogEvent{
			EventId: aws.String(e.at.String()), LogStreamName: aws.String(e.stream), Message: aws.String(e.Message),
			Timestamp: aws.Int64(e.Time), IngestionTime: aws.Int64(e.ingested),
		})
	}
}
