package codebuild

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
)

// Bounds of one PutLogEvents
// (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html).
const (
	maxEvents     = 10_000
	maxEventBytes = 256 << 10 // well below AWS's 1 MB: a reader sees lines sooner
	eventOverhead = 26        // bytes that an event counts besides its text
)

// gather is how long a line waits for others to be sent with it.
const gather = 40 * time.Millisecond

// plannedLogs says where a build's log will be.
func plannedLogs(caller door.Caller, p *types.Project, uuid, endpoint string) *types.LogsLocation {
	out := &types.LogsLocation{
		CloudWatchLogs: &types.CloudWatchLogsConfig{Status: types.LogsConfigStatusTypeEnabled},
		S3Logs:         &types.S3LogsConfig{Status: types.LogsConfigStatusTypeDisabled},
	}
	if c := p.LogsConfig; c != nil {
		replace(&out.CloudWatchLogs, c.CloudWatchLogs)
		replace(&out.S3Logs, c.S3Logs)
	}
	if out.CloudWatchLogs.Status != types.LogsConfigStatusTypeDisabled {
		group, stream := "/aws/codebuild/"+*p.Name, uuid
		if g := aws.ToString(out.CloudWatchLogs.GroupName); g != "" {
			group = g
		}
		if prefix := aws.ToString(out.CloudWatchLogs.StreamName); prefix != "" {
			stream = prefix + "/" + uuid
		}
		out.GroupName, out.StreamName = &group, &stream
		out.CloudWatchLogsArn = aws.String(caller.ResourceARN("logs", "log-group:"+group+":log-stream:"+stream))
		out.DeepLink = aws.String(endpoint + "/cloudwatch/home?region=" + caller.Region + "#logsV2:log-groups/log-group/" + twice(group) + "/log-events/" + twice(stream))
	}
	if out.S3Logs.Status == types.LogsConfigStatusTypeEnabled {
		location := strings.TrimSuffix(aws.ToString(out.S3Logs.Location), "/")
		out.S3LogsArn = aws.String("arn:" + caller.Partition() + ":s3:::" + location + "/" + uuid + ".gz")
	}
	return out
}

// twice escapes a name as the console's links do: % is written $25.
func twice(name string) string {
	return strings.ReplaceAll(url.PathEscape(url.PathEscape(name)), "%", "$")
}

// logStream sends lines to a stream of CloudWatch Logs, in order.
type logStream struct {
	client        *cloudwatchlogs.Client
	group, stream string
	lines         chan cwl.InputLogEvent
	done          chan struct{}
	failed        error // what the last lines could not be sent for
}

// openStream makes the stream, and the group where it is missing.
func openStream(ctx context.Context, client *cloudwatchlogs.Client, group, stream string) (*logStream, error) {
	create := func() error {
		_, err := client.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &group, LogStreamName: &stream})
		return err
	}
	err := create()
	var missing *cwl.ResourceNotFoundException
	var there *cwl.ResourceAlreadyExistsException
	if errors.As(err, &missing) {
		if _, err = client.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &group}); err != nil && !errors.As(err, &there) {
			return nil, err
		}
		err = create()
	}
	if err != nil && !errors.As(err, &there) {
		return nil, err
	}
	s := &logStream{client: client, group: group, stream: stream, lines: make(chan cwl.InputLogEvent, 256), done: make(chan struct{})}
	go s.send(context.WithoutCancel(ctx))
	return s, nil
}

func (s *logStream) put(line string, at time.Time) {
	s.lines <- cwl.InputLogEvent{Message: &line, Timestamp: aws.Int64(at.UnixMilli())}
}

// close waits until all lines are sent and says whether they arrived.
func (s *logStream) close() error {
	close(s.lines)
	<-s.done
	return s.failed
}

func (s *logStream) send(ctx context.Context) {
	defer close(s.done)
	for more := true; more; {
		var batch []cwl.InputLogEvent
		if batch, more = s.batch(); len(batch) == 0 {
			continue
		}
		_, err := s.client.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: &s.group, LogStreamName: &s.stream, LogEvents: batch})
		if err != nil {
			s.failed = err
		}
	}
}

// batch waits for a line and takes those that come soon after it. more is
// false after the last one.
func (s *logStream) batch() (batch []cwl.InputLogEvent, more bool) {
	line, ok := <-s.lines
	if !ok {
		return nil, false
	}
	batch = append(batch, line)
	size := len(*line.Message) + eventOverhead
	soon := time.NewTimer(gather)
	defer soon.Stop()
	for len(batch) < maxEvents && size < maxEventBytes-maxLine/4 {
		select {
		case line, ok := <-s.lines:
			if !ok {
				return batch, false
			}
			batch = append(batch, line)
			size += len(*line.Message) + eventOverhead
		case <-soon.C:
			return batch, true
		}
	}
	return batch, true
}
