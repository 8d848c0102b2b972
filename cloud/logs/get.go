package logs

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// Tokens of GetLogEvents say which way they go.
const (
	forward  = "f/"
	backward = "b/"
)

// GetLogEvents gives a part of a stream's events: the latest, the first, or
// those next to the part that a token is of. At either end the token in that
// direction stays the same, and gives what comes later.
func (s *Service) GetLogEvents(ctx context.Context, in *cloudwatchlogs.GetLogEventsInput) (*cloudwatchlogs.GetLogEventsOutput, error) {
	name, err := groupName(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if err := checkStreamName(in.LogStreamName); err != nil {
		return nil, err
	}
	from, backwards, err := startOf(in)
	if err != nil {
		return nil, err
	}
	g, st, err := s.stream(ctx, name, *in.LogStreamName)
	if err != nil {
		return nil, err
	}
	w, err := s.newWindow(g, in.StartTime, in.EndTime, in.Limit)
	if err != nil {
		return nil, err
	}
	begin := from
	if !backwards {
		begin = w.begin(from)
	}
	var list []placed
	for e, err := range s.walk(ctx, name, named{*in.LogStreamName, st}, begin, backwards) {
		switch {
		case err != nil:
			return nil, err
		case e.Time < w.start && !backwards || e.Time >= w.end && backwards:
			continue
		}
		if e.Time < w.start || e.Time >= w.end || !w.takes(e) {
			break
		}
		list = append(list, e)
	}
	if backwards {
		slices.Reverse(list)
	}
	return answer(list, from), nil
}

// startOf tells where the request wants to begin, and in which direction.
func startOf(in *cloudwatchlogs.GetLogEventsInput) (from position, backwards bool, err error) {
	if in.NextToken == nil {
		if aws.ToBool(in.StartFromHead) {
			return position{}, false, nil
		}
		return theEnd, true, nil
	}
	number, isForward := strings.CutPrefix(*in.NextToken, forward)
	if !isForward {
		var isBackward bool
		if number, isBackward = strings.CutPrefix(*in.NextToken, backward); !isBackward {
			return position{}, false, badToken()
		}
	}
	from, ok := parsePosition(number)
	if !ok {
		return position{}, false, badToken()
	}
	return from, !isForward, nil
}

func answer(list []placed, from position) *cloudwatchlogs.GetLogEventsOutput {
	out := &cloudwatchlogs.GetLogEventsOutput{Events: make([]types.OutputLogEvent, len(list))}
	first, last := from, from
	if from == theEnd {
		first, last = position{}, position{} // nothing yet: what comes is behind
	}
	if len(list) > 0 {
		first, last = list[0].at, list[len(list)-1].at
	}
	for i, e := range list {
		out.Events[i] = types.OutputLogEvent{
			Message: aws.String(e.Message), Timestamp: aws.Int64(e.Time), IngestionTime: aws.Int64(e.ingested),
		}
	}
	out.NextForwardToken, out.NextBackwardToken = aws.String(forward+last.String()), aws.String(backward+first.String())
	return out
}
