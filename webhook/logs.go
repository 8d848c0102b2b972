package webhook

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"ouro/stack"
)

// Line is what one of the functions logged.
type Line struct {
	Time time.Time
	From string // hook or worker
	Text string
	Ours bool // and not Lambda's own
	id   string
}

// Lines tells what the functions logged since then, in the order of time. With
// follow it goes on until ctx ends.
func (d *Deployed) Lines(ctx context.Context, api *cloudwatchlogs.Client, since time.Time, follow bool, tell func(Line)) error {
	seen := map[string]bool{}
	poll := stack.NewPoll()
	for {
		lines, err := d.lines(ctx, api, since)
		if err != nil {
			return err
		}
		news := false
		known := map[string]bool{}
		for _, l := range lines {
			known[l.id] = true
			if seen[l.id] {
				continue
			}
			news = true
			tell(l)
		}
		if !follow {
			return nil
		}
		// What comes is at times that were read before, since logs of several
		// machines come in their own order.
		seen = known
		if n := len(lines); n > 0 && lines[n-1].Time.Add(-overlap).After(since) {
			since = lines[n-1].Time.Add(-overlap)
		}
		if err := poll.Wait(ctx, news); err != nil {
			return err
		}
	}
}

// overlap is how late a line may come.
const overlap = 30 * time.Second

func (d *Deployed) lines(ctx context.Context, api *cloudwatchlogs.Client, since time.Time) ([]Line, error) {
	var all []Line
	for _, l := range []struct{ from, group string }{{"hook", d.HookLog}, {"worker", d.WorkerLog}} {
		pages := cloudwatchlogs.NewFilterLogEventsPaginator(api, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &l.group, StartTime: aws.Int64(since.UnixMilli())})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if none := (*types.ResourceNotFoundException)(nil); errors.As(err, &none) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("reading the log %q: %w", l.group, err)
			}
			for _, e := range page.Events {
				line := Line{Time: time.UnixMilli(aws.ToInt64(e.Timestamp)).UTC(), From: l.from, id: aws.ToString(e.EventId)}
				line.Text, line.Ours = read(strings.TrimRight(aws.ToString(e.Message), "\r\n"))
				all = append(all, line)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Line) int { return cmp.Compare(a.Time.UnixMilli(), b.Time.UnixMilli()) })
	return all, nil
}

// read makes a line of words out of one of JSON, as the functions log. The time
// is known already.
func read(text string) (string, bool) {
	var said map[string]any
	if json.Unmarshal([]byte(text), &said) != nil || said["msg"] == nil {
		return text, !lambdas(text)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-5v %v", said["level"], said["msg"])
	for _, key := range slices.Sorted(maps.Keys(said)) {
		if slices.Contains([]string{"time", "level", "msg"}, key) || said[key] == "" || said[key] == false {
			continue
		}
		value := fmt.Sprint(said[key])
		if strings.ContainsAny(value, " \"=\n") {
			value = strconv.Quote(value)
		}
		fmt.Fprintf(&b, " %s=%s", key, value)
	}
	return b.String(), true
}

// lambdas tells the lines that Lambda itself writes of every invocation.
func lambdas(text string) bool {
	for _, word := range []string{"INIT_START ", "START RequestId: ", "END RequestId: ", "REPORT RequestId: ", "XRAY "} {
		if strings.HasPrefix(text, word) {
			return true
		}
	}
	return false
}
