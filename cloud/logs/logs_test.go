package logs_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"ouro/cloud/door"
	"ouro/cloud/logs"
	"ouro/cloud/store"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// ms is the time, in milliseconds, that many seconds before now.
func ms(secondsAgo int) int64 { return now.Add(-time.Duration(secondsAgo) * time.Second).UnixMilli() }

type client struct {
	*cloudwatchlogs.Client
	testing.TB
	ctx context.Context
}

func start(t testing.TB) client {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	d := door.New(door.Options{Store: st, Now: func() time.Time { return now }})
	if err := d.Register("logs", logs.New(d)); err != nil {
		t.Fatal(err)
	}
	caller := door.Caller{Account: "000000000000", Region: "us-east-1"}
	return client{cloudwatchlogs.NewFromConfig(d.As(caller)), t, context.Background()}
}

func ok[T any](c client) func(v T, err error) T {
	return func(v T, err error) T {
		c.Helper()
		if err != nil {
			c.Fatal(err)
		}
		return v
	}
}

// group makes a group with streams.
func (c client) group(name string, streams ...string) {
	c.Helper()
	ok[*cloudwatchlogs.CreateLogGroupOutput](c)(c.CreateLogGroup(c.ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &name}))
	for _, stream := range streams {
		ok[*cloudwatchlogs.CreateLogStreamOutput](c)(c.CreateLogStream(c.ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &name, LogStreamName: &stream}))
	}
}

// put writes one batch of "SECONDSAGO MESSAGE".
func (c client) put(group, stream string, events ...string) *cloudwatchlogs.PutLogEventsOutput {
	c.Helper()
	in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: &group, LogStreamName: &stream}
	for _, e := range events {
		var ago int
		number, message, _ := strings.Cut(e, " ")
		if _, err := fmt.Sscan(number, &ago); err != nil {
			c.Fatal(err)
		}
		in.LogEvents = append(in.LogEvents, types.InputLogEvent{Timestamp: aws.Int64(ms(ago)), Message: &message})
	}
	return ok[*cloudwatchlogs.PutLogEventsOutput](c)(c.PutLogEvents(c.ctx, in))
}

func (c client) get(in cloudwatchlogs.GetLogEventsInput) (messages []string, out *cloudwatchlogs.GetLogEventsOutput) {
	c.Helper()
	in.LogGroupName, in.LogStreamName = aws.String("g"), aws.String("s")
	out = ok[*cloudwatchlogs.GetLogEventsOutput](c)(c.GetLogEvents(c.ctx, &in))
	for _, e := range out.Events {
		messages = append(messages, *e.Message)
	}
	return messages, out
}

func (c client) wantError(err error, code, message string) {
	c.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), message) {
		c.Errorf("got %v, want %s: %s", err, code, message)
	}
}

func want(c client, what string, got []string, wanted ...string) {
	c.Helper()
	if diff := cmp.Diff(wanted, got); diff != "" {
		c.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestGroups(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.group("/aws/codebuild/site", "a", "b")
	c.group("/aws/lambda/f")
	name := aws.String("/aws/codebuild/site")
	_, err := c.CreateLogGroup(c.ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: name})
	c.wantError(err, "ResourceAlreadyExistsException", "The specified log group already exists")
	_, err = c.CreateLogGroup(c.ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("a b")})
	c.wantError(err, "InvalidParameterException", `failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`)
	_, err = c.CreateLogStream(c.ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: name, LogStreamName: aws.String("a")})
	c.wantError(err, "ResourceAlreadyExistsException", "The specified log stream already exists")
	_, err = c.CreateLogStream(c.ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: aws.String("none"), LogStreamName: aws.String("a")})
	c.wantError(err, "ResourceNotFoundException", "The specified log group does not exist.")
	_, err = c.PutRetentionPolicy(c.ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: name, RetentionInDays: aws.Int32(2)})
	c.wantError(err, "InvalidParameterException", "[1, 3, 5,")
	ok[*cloudwatchlogs.PutRetentionPolicyOutput](c)(c.PutRetentionPolicy(c.ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: name, RetentionInDays: aws.Int32(7)}))

	page := ok[*cloudwatchlogs.DescribeLogGroupsOutput](c)(c.DescribeLogGroups(c.ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/aws/"), Limit: aws.Int32(1)}))
	g := page.LogGroups[0]
	want(c, "a group", []string{*g.LogGroupName, *g.Arn, *g.LogGroupArn, fmt.Sprint(*g.RetentionInDays), fmt.Sprint(*g.CreationTime)},
		"/aws/codebuild/site", "arn:aws:logs:us-east-1:000000000000:log-group:/aws/codebuild/site:*",
		"arn:aws:logs:us-east-1:000000000000:log-group:/aws/codebuild/site", "7", fmt.Sprint(now.UnixMilli()))
	page = ok[*cloudwatchlogs.DescribeLogGroupsOutput](c)(c.DescribeLogGroups(c.ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/aws/"), NextToken: page.NextToken}))
	if len(page.LogGroups) != 1 || *page.LogGroups[0].LogGroupName != "/aws/lambda/f" || page.NextToken != nil {
		t.Errorf("second page: %v", page)
	}

	arn := g.LogGroupArn
	ok[*cloudwatchlogs.TagResourceOutput](c)(c.TagResource(c.ctx, &cloudwatchlogs.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"a": "1", "b": "2"}}))
	ok[*cloudwatchlogs.UntagResourceOutput](c)(c.UntagResource(c.ctx, &cloudwatchlogs.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}}))
	tags := ok[*cloudwatchlogs.ListTagsForResourceOutput](c)(c.ListTagsForResource(c.ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: g.Arn}))
	if diff := cmp.Diff(map[string]string{"b": "2"}, tags.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	_, err = c.ListTagsForResource(c.ctx, &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: aws.String(*arn + "x")})
	c.wantError(err, "ResourceNotFoundException", "The specified resource does not exist.")

	c.put(*name, "b", "5 hello")
	streams := ok[*cloudwatchlogs.DescribeLogStreamsOutput](c)(c.DescribeLogStreams(c.ctx, &cloudwatchlogs.DescribeLogStreamsInput{
		LogGroupName: name, OrderBy: types.OrderByLastEventTime, Descending: aws.Bool(true), Limit: aws.Int32(1)}))
	if s := streams.LogStreams[0]; *s.LogStreamName != "b" || *s.LastEventTimestamp != ms(5) || *s.Arn != *arn+":log-stream:b" {
		t.Errorf("the stream of the last event: %v", s)
	}
	streams = ok[*cloudwatchlogs.DescribeLogStreamsOutput](c)(c.DescribeLogStreams(c.ctx, &cloudwatchlogs.DescribeLogStreamsInput{
		LogGroupName: name, OrderBy: types.OrderByLastEventTime, Descending: aws.Bool(true), NextToken: streams.NextToken}))
	if len(streams.LogStreams) != 1 || *streams.LogStreams[0].LogStreamName != "a" || streams.LogStreams[0].LastEventTimestamp != nil {
		t.Errorf("the stream behind: %v", streams.LogStreams)
	}

	ok[*cloudwatchlogs.DeleteLogGroupOutput](c)(c.DeleteLogGroup(c.ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: name}))
	_, err = c.DescribeLogStreams(c.ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: name})
	c.wantError(err, "ResourceNotFoundException", "The specified log group does not exist.")
	c.group(*name, "b")
	again := ok[*cloudwatchlogs.GetLogEventsOutput](c)(c.GetLogEvents(c.ctx, &cloudwatchlogs.GetLogEventsInput{LogGroupName: name, LogStreamName: aws.String("b"), StartFromHead: aws.Bool(true)}))
	if len(again.Events) > 0 {
		t.Errorf("events outlive their group: %v", again.Events)
	}
}

func TestGetLogEvents(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.group("g", "s")
	none, empty := c.get(cloudwatchlogs.GetLogEventsInput{})
	want(c, "nothing", none)
	c.put("g", "s", "100 a", "90 b")
	c.put("g", "s", "90 c")
	c.put("g", "s", "80 d", "70 e")

	got, _ := c.get(cloudwatchlogs.GetLogEventsInput{NextToken: empty.NextForwardToken})
	want(c, "what came since it was empty", got, "a", "b", "c", "d", "e")
	got, out := c.get(cloudwatchlogs.GetLogEventsInput{Limit: aws.Int32(2)})
	want(c, "latest", got, "d", "e")
	got, back := c.get(cloudwatchlogs.GetLogEventsInput{Limit: aws.Int32(2), NextToken: out.NextBackwardToken})
	want(c, "those before", got, "b", "c")
	got, back = c.get(cloudwatchlogs.GetLogEventsInput{Limit: aws.Int32(2), NextToken: back.NextBackwardToken})
	want(c, "the first", got, "a")
	got, atStart := c.get(cloudwatchlogs.GetLogEventsInput{NextToken: back.NextBackwardToken})
	want(c, "before the first", got)
	if *atStart.NextBackwardToken != *back.NextBackwardToken {
		t.Error("the backward token changes at the start")
	}

	got, out = c.get(cloudwatchlogs.GetLogEventsInput{StartFromHead: aws.Bool(true), Limit: aws.Int32(2)})
	want(c, "head", got, "a", "b")
	got, out = c.get(cloudwatchlogs.GetLogEventsInput{StartFromHead: aws.Bool(true), NextToken: out.NextForwardToken})
	want(c, "rest", got, "c", "d", "e")
	got, atEnd := c.get(cloudwatchlogs.GetLogEventsInput{StartFromHead: aws.Bool(true), NextToken: out.NextForwardToken})
	want(c, "behind the end", got)
	if *atEnd.NextForwardToken != *out.NextForwardToken || !strings.HasPrefix(*atEnd.NextForwardToken, "f/") || !strings.HasPrefix(*atEnd.NextBackwardToken, "b/") {
		t.Errorf("tokens at the end: %v, before: %v", atEnd, out)
	}
	c.put("g", "s", "10 f")
	got, _ = c.get(cloudwatchlogs.GetLogEventsInput{NextToken: atEnd.NextForwardToken})
	want(c, "what came meanwhile", got, "f")

	got, _ = c.get(cloudwatchlogs.GetLogEventsInput{StartFromHead: aws.Bool(true), StartTime: aws.Int64(ms(90)), EndTime: aws.Int64(ms(70))})
	want(c, "from the head in a window", got, "b", "c", "d")
	got, _ = c.get(cloudwatchlogs.GetLogEventsInput{StartTime: aws.Int64(ms(90)), EndTime: aws.Int64(ms(70)), Limit: aws.Int32(2)})
	want(c, "the latest in a window", got, "c", "d")

	// Late events go to where their time puts them, for both directions.
	c.put("g", "s", "95 late")
	got, out = c.get(cloudwatchlogs.GetLogEventsInput{StartFromHead: aws.Bool(true), Limit: aws.Int32(3)})
	want(c, "with a late event", got, "a", "late", "b")
	got, _ = c.get(cloudwatchlogs.GetLogEventsInput{NextToken: out.NextForwardToken})
	want(c, "behind it", got, "c", "d", "e", "f")

	in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), NextToken: aws.String("x")}
	_, err := c.GetLogEvents(c.ctx, in)
	c.wantError(err, "InvalidParameterException", "The specified nextToken is invalid.")
	in.LogStreamName = aws.String("none")
	in.NextToken = nil
	_, err = c.GetLogEvents(c.ctx, in)
	c.wantError(err, "ResourceNotFoundException", "The specified log stream does not exist.")
}

// Streams of more chunks and bytes than one read takes come whole, page by
// page, in both directions.
func TestLongStream(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.group("g", "s")
	var wanted []string
	for i := range 300 {
		message := fmt.Sprintf("%03d %s", i, strings.Repeat("x", 20_000))
		wanted = append(wanted, message)
		c.put("g", "s", fmt.Sprintf("%d %s", 300-i, message))
	}
	var got []string
	for token := (*string)(nil); ; {
		page, out := c.get(cloudwatchlogs.GetLogEventsInput{StartFromHead: aws.Bool(true), NextToken: token})
		if len(page) == 0 {
			break
		}
		got, token = append(got, page...), out.NextForwardToken
	}
	want(c, "forwards", got, wanted...)
	got = nil
	for token := (*string)(nil); ; {
		page, out := c.get(cloudwatchlogs.GetLogEventsInput{NextToken: token})
		if len(page) == 0 {
			break
		}
		got, token = append(page, got...), out.NextBackwardToken
	}
	want(c, "backwards", got, wanted...)
}

func TestFilterLogEvents(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.group("g", "one", "two", "web")
	c.put("g", "one", `100 [ERROR 400] bad request`, "80 all is well", "60 WARN slow")
	c.put("g", "two", "90 ERROR: no disk", "60 all is not well")
	c.put("g", "web", "70 started")
	filter := func(in cloudwatchlogs.FilterLogEventsInput) []string {
		t.Helper()
		in.LogGroupIdentifier = aws.String("arn:aws:logs:us-east-1:000000000000:log-group:g:*")
		var got []string
		for p := cloudwatchlogs.NewFilterLogEventsPaginator(c, &in); p.HasMorePages(); {
			out := ok[*cloudwatchlogs.FilterLogEventsOutput](c)(p.NextPage(c.ctx))
			for _, e := range out.Events {
				got = append(got, *e.LogStreamName+" "+*e.Message)
			}
		}
		return got
	}
	all := []string{"one [ERROR 400] bad request", "two ERROR: no disk", "one all is well", "web started", "one WARN slow", "two all is not well"}
	for _, test := range []struct {
		name string
		in   cloudwatchlogs.FilterLogEventsInput
		want []string
	}{
		{"all", cloudwatchlogs.FilterLogEventsInput{}, all},
		{"page by page", cloudwatchlogs.FilterLogEventsInput{Limit: aws.Int32(1)}, all},
		{"streams", cloudwatchlogs.FilterLogEventsInput{LogStreamNames: []string{"web", "one"}, FilterPattern: aws.String("")}, []string{all[0], all[2], all[3], all[4]}},
		{"prefix", cloudwatchlogs.FilterLogEventsInput{LogStreamNamePrefix: aws.String("t")}, []string{all[1], all[5]}},
		{"window", cloudwatchlogs.FilterLogEventsInput{StartTime: aws.Int64(ms(90)), EndTime: aws.Int64(ms(70))}, all[1:3]},
		{"term", cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String("ERROR")}, all[:2]},
		{"terms", cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String("ERROR request")}, all[:1]},
		{"phrase", cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String(`"all is"`)}, []string{all[2], all[5]}},
		{"not", cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String(`well -"is not"`)}, []string{all[2]}},
		{"any", cloudwatchlogs.FilterLogEventsInput{FilterPattern: aws.String(`?WARN ?started`)}, []string{all[3], all[4]}},
	} {
		want(c, test.name, filter(test.in), test.want...)
	}
	for text, message := range map[string]string{
		`{ $.a = 1 }`: "JSON", `[a, b]`: "space-delimited", `%a+%`: "regular expressions",
		`a.b`: "Invalid character(s) in term 'a.b'", `"a`: "has no end",
	} {
		_, err := c.FilterLogEvents(c.ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("g"), FilterPattern: aws.String(text)})
		c.wantError(err, "InvalidParameterException", message)
	}
}

func TestPutLogEvents(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.group("g", "s")
	const day = 24 * 60 * 60
	for _, test := range []struct {
		name, message string
		events        []types.InputLogEvent
	}{
		{"none", "Value '[]' at 'logEvents'", []types.InputLogEvent{}},
		{"order", "must be in chronological order", []types.InputLogEvent{{Timestamp: aws.Int64(ms(1)), Message: aws.String("a")}, {Timestamp: aws.Int64(ms(2)), Message: aws.String("b")}}},
		{"span", "cannot span more than 24 hours", []types.InputLogEvent{{Timestamp: aws.Int64(ms(day + 1)), Message: aws.String("a")}, {Timestamp: aws.Int64(ms(0)), Message: aws.String("b")}}},
		{"size", "Upload too large: 1048577 bytes exceeds limit of 1048576", []types.InputLogEvent{{Timestamp: aws.Int64(ms(0)), Message: aws.String(strings.Repeat("x", 1<<20-25))}}},
		{"number", "less than or equal to 10000", make([]types.InputLogEvent, 10001)},
	} {
		for i := range test.events {
			if test.events[i].Message == nil {
				test.events[i] = types.InputLogEvent{Timestamp: aws.Int64(ms(0)), Message: aws.String("x")}
			}
		}
		_, err := c.PutLogEvents(c.ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), LogEvents: test.events})
		c.wantError(err, "InvalidParameterException", test.message)
	}
	out := c.put("g", "s", fmt.Sprintf("%d old", 15*day), fmt.Sprintf("%d still", 14*day))
	if info := out.RejectedLogEventsInfo; info == nil || aws.ToInt32(info.TooOldLogEventEndIndex) != 1 {
		t.Errorf("an old event: %v", info)
	}
	out = c.put("g", "s", "0 now", fmt.Sprintf("%d new", -3*60*60))
	if info := out.RejectedLogEventsInfo; info == nil || aws.ToInt32(info.TooNewLogEventStartIndex) != 1 {
		t.Errorf("a new event: %v", info)
	}
	got, _ := c.get(cloudwatchlogs.GetLogEventsInput{StartFromHead: aws.Bool(true)})
	want(c, "taken", got, "still", "now")
	ok[*cloudwatchlogs.PutRetentionPolicyOutput](c)(c.PutRetentionPolicy(c.ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String("g"), RetentionInDays: aws.Int32(1)}))
	got, _ = c.get(cloudwatchlogs.GetLogEventsInput{StartFromHead: aws.Bool(true)})
	want(c, "kept for a day", got, "now")
}

func BenchmarkPutLogEvents(b *testing.B) {
	c := start(b)
	c.group("g", "s")
	in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"),
		LogEvents: []types.InputLogEvent{{Timestamp: aws.Int64(ms(0)), Message: aws.String("a line of a build's output, as they are")}}}
	for b.Loop() {
		if _, err := c.PutLogEvents(c.ctx, in); err != nil {
			b.Fatal(err)
		}
	}
}
