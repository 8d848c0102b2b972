package executeapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"ouro/cloud/door"
	"ouro/regex"
)

// AccessLog writes lines to log groups in the background, in the order in
// which they came.
type AccessLog struct {
	host    door.Host
	mu      sync.Mutex
	waiting map[destination][]types.InputLogEvent
}

// destination is a log stream, and who writes to it.
type destination struct{ account, region, group, stream string }

const (
	maxWaiting = 10_000 // lines for one stream
	maxBatch   = 1_000  // lines in one call
)

// NewAccessLog makes a log.
func NewAccessLog(host door.Host) *AccessLog {
	return &AccessLog{host: host, waiting: map[destination][]types.InputLogEvent{}}
}

// GroupOf is the log group that an ARN names.
func GroupOf(arn string) (group string, ok bool) {
	_, rest, ok := strings.Cut(arn, ":log-group:")
	return strings.TrimSuffix(rest, ":*"), ok && rest != "" && strings.HasPrefix(arn, "arn:")
}

// Write adds a line for a call. What cannot be kept up with is dropped, so that
// a log never makes an API slow.
func (l *AccessLog) Write(x *Exchange, arn, line string) {
	group, ok := GroupOf(arn)
	if !ok {
		return
	}
	to := destination{x.Account, x.Region, group, x.API + "/" + strings.Trim(x.Stage, "$")}
	event := types.InputLogEvent{Message: &line, Timestamp: aws.Int64(x.Started.UnixMilli())}
	l.mu.Lock()
	defer l.mu.Unlock()
	lines, busy := l.waiting[to]
	if len(lines) < maxWaiting {
		l.waiting[to] = append(lines, event)
	}
	if !busy {
		l.host.Go("access log "+group, func(ctx context.Context) { l.drain(ctx, to) })
	}
}

// chronological puts lines in the order of their times, as CloudWatch Logs takes
// them: of calls at once, the one that began first may end last.
func chronological(lines []types.InputLogEvent) []types.InputLogEvent {
	slices.SortStableFunc(lines, func(a, b types.InputLogEvent) int { return cmp.Compare(*a.Timestamp, *b.Timestamp) })
	return lines
}

// drain sends the lines for a stream until there are none.
func (l *AccessLog) drain(ctx context.Context, to destination) {
	// The calls were answered; what was said of them is still to be told when
	// the cloud closes.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	client := cloudwatchlogs.NewFromConfig(l.host.As(door.Caller{Account: to.account, Region: to.region, Service: principal}))
	for {
		l.mu.Lock()
		lines := l.waiting[to]
		if len(lines) == 0 {
			delete(l.waiting, to)
			l.mu.Unlock()
			return
		}
		n := min(len(lines), maxBatch)
		l.waiting[to] = lines[n:]
		l.mu.Unlock()
		if err := send(ctx, client, to, chronological(lines[:n])); err != nil {
			l.host.Log().Warn("an access log could not be written", "group", to.group, "error", err)
		}
	}
}

func send(ctx context.Context, client *cloudwatchlogs.Client, to destination, lines []types.InputLogEvent) error {
	in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: &to.group, LogStreamName: &to.stream, LogEvents: lines}
	_, err := client.PutLogEvents(ctx, in)
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		return err
	}
	_, err = client.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &to.group, LogStreamName: &to.stream})
	var exists *types.ResourceAlreadyExistsException
	if err != nil && !errors.As(err, &exists) {
		return err
	}
	_, err = client.PutLogEvents(ctx, in)
	return err
}

var contextVariable = regex.New(`\$context\.[A-Za-z0-9_.]*[A-Za-z0-9_]`)

// Format fills the variables of a line; those without a value are a dash. In a
// line that is JSON, values cannot end their strings.
func Format(format string, value func(name string) string) string {
	asJSON := strings.HasPrefix(strings.TrimSpace(format), "{")
	return contextVariable().ReplaceAllStringFunc(format, func(v string) string {
		text := value(strings.TrimPrefix(v, "$context."))
		switch {
		case text == "":
			return "-"
		case asJSON:
			b, err := json.Marshal(text)
			if err != nil {
				return "-"
			}
			return string(b[1 : len(b)-1])
		}
		return strings.NewReplacer("\r", " ", "\n", " ").Replace(text)
	})
}
