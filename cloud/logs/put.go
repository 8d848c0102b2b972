package logs

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"ouro/cloud/door"
)

// Bounds of one PutLogEvents call.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
const (
	mostEvents = 10_000
	mostBytes  = 1 << 20
	overhead   = 26 // bytes that each event counts besides its message
	day        = int64(24 * time.Hour / time.Millisecond)
	tooOld     = 14 * day
	tooNew     = day / 12
)

// sequenceToken is given where clients of former days expect one; AWS takes any
// since 2023.
const sequenceToken = "49039859999999999999999999999999999999999999999999999999"

// PutLogEvents adds events to a stream. Events that are too old, too new or
// past the retention are left out, and the answer tells which.
func (s *Service) PutLogEvents(ctx context.Context, in *cloudwatchlogs.PutLogEventsInput) (*cloudwatchlogs.PutLogEventsOutput, error) {
	name, err := groupName(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	if err := checkStreamName(in.LogStreamName); err != nil {
		return nil, err
	}
	if err := checkBatch(in.LogEvents); err != nil {
		return nil, err
	}
	id, scope := streamID(name, *in.LogStreamName), door.CallerFrom(ctx).Scope()
	now := s.now()
	var rejected *types.RejectedLogEventsInfo
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		g, err := s.group(ctx, name)
		if err != nil {
			return err
		}
		var kept []types.InputLogEvent
		kept, rejected = accept(in.LogEvents, now, g)
		c := chunkOf(kept, now)
		_, err = s.streams.Update(ctx, scope, id, func(st *stream) error {
			st.add(c)
			return nil
		})
		if err != nil || len(kept) == 0 {
			return streamMissing(err)
		}
		_, err = s.events.Append(ctx, scope, id, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &cloudwatchlogs.PutLogEventsOutput{NextSequenceToken: aws.String(sequenceToken), RejectedLogEventsInfo: rejected}, nil
}

func checkBatch(events []types.InputLogEvent) error {
	switch {
	case len(events) == 0:
		return violated("logEvents", "[]", "have length greater than or equal to 1")
	case len(events) > mostEvents:
		return violated("logEvents", "[...]", "have length less than or equal to 10000")
	}
	total, last := 0, int64(0)
	for i, e := range events {
		switch {
		case e.Message == nil || *e.Message == "":
			return violated(member(i, "message"), "", "have length greater than or equal to 1")
		case e.Timestamp == nil || *e.Timestamp < 0:
			return violated(member(i, "timestamp"), aws.ToInt64(e.Timestamp), "have value greater than or equal to 0")
		case *e.Timestamp < last:
			return invalid("Log events in a single PutLogEvents request must be in chronological order.")
		}
		last = *e.Timestamp
		total += len(*e.Message) + overhead
	}
	switch {
	case total > mostBytes:
		return invalid("Upload too large: %d bytes exceeds limit of %d", total, mostBytes)
	case last-*events[0].Timestamp > day:
		return invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return nil
}

// member is what AWS calls a member of the i-th event.
func member(i int, name string) string {
	return fmt.Sprintf("logEvents.%d.member.%s", i+1, name)
}

// accept leaves the events that a stream of the group takes now. They are by
// time, so that those it does not take are at the ends.
func accept(events []types.InputLogEvent, now int64, g group) ([]types.InputLogEvent, *types.RejectedLogEventsInfo) {
	old, expired, end := 0, 0, len(events)
	for i, e := range events {
		if now-*e.Timestamp > tooOld {
			old = i + 1
		}
		if *e.Timestamp < g.horizon(now) {
			expired = i + 1
		}
	}
	for end > 0 && *events[end-1].Timestamp-now > tooNew {
		end--
	}
	start := max(old, expired)
	if start == 0 && end == len(events) {
		return events, nil
	}
	info := &types.RejectedLogEventsInfo{}
	if old > 0 {
		info.TooOldLogEventEndIndex = aws.Int32(int32(old))
	}
	if expired > 0 {
		info.ExpiredLogEventEndIndex = aws.Int32(int32(expired))
	}
	if end < len(events) {
		info.TooNewLogEventStartIndex = aws.Int32(int32(end))
	}
	return events[min(start, end):end], info
}

// horizon is the time before which events are past the group's retention.
func (g group) horizon(now int64) int64 {
	if g.Retention == 0 {
		return 0
	}
	return now - int64(g.Retention)*day
}

func chunkOf(events []types.InputLogEvent, now int64) chunk {
	c := chunk{Ingested: now, Events: make([]event, len(events))}
	for i, e := range events {
		c.Events[i] = event{Time: *e.Timestamp, Message: *e.Message}
	}
	return c
}

// add notes in the stream's record that the chunk was added.
func (st *stream) add(c chunk) {
	if len(c.Events) == 0 {
		return
	}
	first, last := c.Events[0].Time, c.Events[len(c.Events)-1].Time
	if st.Ingested == 0 {
		st.First, st.Last = first, last
	}
	st.Mixed = st.Mixed || first < st.Last && st.Ingested != 0
	st.First, st.Last, st.Ingested = min(st.First, first), max(st.Last, last), c.Ingested
	for _, e := range c.Events {
		st.Bytes += int64(len(e.Message) + overhead)
	}
}
