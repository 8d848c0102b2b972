package logs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// CreateLogStream makes a stream without events.
func (s *Service) CreateLogStream(ctx context.Context, in *cloudwatchlogs.CreateLogStreamInput) (*cloudwatchlogs.CreateLogStreamOutput, error) {
	name, err := groupName(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	if err := checkStreamName(in.LogStreamName); err != nil {
		return nil, err
	}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if _, err := s.group(ctx, name); err != nil {
			return err
		}
		return s.streams.Insert(ctx, door.CallerFrom(ctx).Scope(), streamID(name, *in.LogStreamName), stream{Created: s.now()})
	})
	return &cloudwatchlogs.CreateLogStreamOutput{}, exists(err, "log stream")
}

// DeleteLogStream deletes a stream with its events.
func (s *Service) DeleteLogStream(ctx context.Context, in *cloudwatchlogs.DeleteLogStreamInput) (*cloudwatchlogs.DeleteLogStreamOutput, error) {
	name, err := groupName(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	if err := checkStreamName(in.LogStreamName); err != nil {
		return nil, err
	}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if _, err := s.group(ctx, name); err != nil {
			return err
		}
		return streamMissing(s.deleteStream(ctx, streamID(name, *in.LogStreamName)))
	})
	return &cloudwatchlogs.DeleteLogStreamOutput{}, err
}

func (s *Service) deleteStream(ctx context.Context, id string) error {
	scope := door.CallerFrom(ctx).Scope()
	if err := s.streams.Delete(ctx, scope, id); err != nil {
		return err
	}
	return s.events.Delete(ctx, scope, id)
}

// stream gives a stream's group and record.
func (s *Service) stream(ctx context.Context, group, name string) (group, stream, error) {
	g, err := s.group(ctx, group)
	if err != nil {
		return g, stream{}, err
	}
	st, err := s.streams.Get(ctx, door.CallerFrom(ctx).Scope(), streamID(group, name))
	return g, st, streamMissing(err)
}

// named is a stream with its name.
type named struct {
	name string
	stream
}

// streamsOf are the streams of a group whose names begin with the prefix, by
// name.
func (s *Service) streamsOf(ctx context.Context, group, prefix string) ([]named, error) {
	found, err := s.streams.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{Prefix: streamID(group, prefix)})
	list := make([]named, len(found))
	for i, e := range found {
		list[i] = named{strings.TrimPrefix(e.ID, streamID(group, "")), e.Value}
	}
	return list, err
}

// DescribeLogStreams lists a group's streams by name or by their last event.
func (s *Service) DescribeLogStreams(ctx context.Context, in *cloudwatchlogs.DescribeLogStreamsInput) (*cloudwatchlogs.DescribeLogStreamsOutput, error) {
	name, err := groupName(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if in.OrderBy == types.OrderByLastEventTime && in.LogStreamNamePrefix != nil {
		return nil, invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	most, err := checkLimit(in.Limit, 50)
	if err != nil {
		return nil, err
	}
	after, err := readToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	if _, err := s.group(ctx, name); err != nil {
		return nil, err
	}
	list, err := s.streamsOf(ctx, name, aws.ToString(in.LogStreamNamePrefix))
	if err != nil {
		return nil, err
	}
	caller := door.CallerFrom(ctx)
	out := &cloudwatchlogs.DescribeLogStreamsOutput{LogStreams: []types.LogStream{}}
	last := ""
	for _, st := range order(list, in, after) {
		if len(out.LogStreams) == most {
			out.NextToken = writeToken(last)
			break
		}
		last = sortKey(st, in.OrderBy)
		out.LogStreams = append(out.LogStreams, describeStream(caller, name, st))
	}
	return out, nil
}

// sortKey is what streams are sorted by, as a text; no two streams have the
// same.
func sortKey(st named, by types.OrderBy) string {
	if by == types.OrderByLastEventTime {
		return fmt.Sprintf("%020d %s", st.Last, st.name)
	}
	return st.name
}

// order sorts the streams as the request asks, and leaves out those up to the
// one whose key is after.
func order(list []named, in *cloudwatchlogs.DescribeLogStreamsInput, after string) []named {
	sign := 1
	if aws.ToBool(in.Descending) {
		sign = -1
	}
	slices.SortFunc(list, func(a, b named) int { return sign * strings.Compare(sortKey(a, in.OrderBy), sortKey(b, in.OrderBy)) })
	if after == "" {
		return list
	}
	return slices.DeleteFunc(list, func(st named) bool { return sign*strings.Compare(sortKey(st, in.OrderBy), after) <= 0 })
}

func describeStream(caller door.Caller, group string, st named) types.LogStream {
	out := types.LogStream{
		Arn:           aws.String(*groupARN(caller, group) + ":log-stream:" + st.name),
		LogStreamName: aws.String(st.name), CreationTime: aws.Int64(st.Created),
		//lint:ignore SA1019 AWS still tells it, though always 0 since 2019
		StoredBytes:         aws.Int64(0),
		UploadSequenceToken: aws.String(sequenceToken),
	}
	if st.Ingested != 0 {
		out.FirstEventTimestamp, out.LastEventTimestamp = aws.Int64(st.First), aws.Int64(st.Last)
		out.LastIngestionTime = aws.Int64(st.Ingested)
	}
	return out
}
