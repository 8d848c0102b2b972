package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"ouro/cloud/cloudtest"
	"ouro/pipeline"
	"ouro/webhook"
)

func newHook(t *testing.T, provider, host, repository, stack string) *webhook.Hook {
	t.Helper()
	h, err := webhook.New(provider, host, repository, stack)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ repository, stack, why string }{
		{"acme/app", "git-acme-app", ""},
		{"Acme/my.app_2", "git-Acme-my-app-2", ""},
		{"group/sub/app", "git-group-sub-app", ""},
		{"acme/" + strings.Repeat("a", 60), "git-acme-" + strings.Repeat("a", 32) + "-f58e5a0c", ""},
		{"acme/" + strings.Repeat("a", 60) + "/" + strings.Repeat("b", 99) + "/" + strings.Repeat("c", 99), "", "more than 200 characters"},
		{"acme", "", "OWNER/NAME"},
		{"acme/../app", "", "OWNER/NAME"},
	} {
		h, err := webhook.New("github", "", c.repository, "")
		switch {
		case c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)):
			t.Errorf("%s: %v, not %s", c.repository, err, c.why)
		case c.why == "" && err != nil:
			t.Errorf("%s: %v", c.repository, err)
		case c.why == "" && h.Stack != c.stack:
			t.Errorf("%s is in %s, not in %s", c.repository, h.Stack, c.stack)
		}
	}
	for _, bad := range []string{"1a", "a_b", strings.Repeat("a", 56), "a/b"} {
		if _, err := webhook.New("github", "", "acme/app", bad); err == nil {
			t.Errorf("the stack may be called %s", bad)
		}
	}
}

// TestFind: what a stack is of is found out by its tags alone.
func TestFind(t *testing.T) {
	t.Parallel()
	c := pipeline.NewClients(cloudtest.New(t).Config)
	h := newHook(t, "bitbucket-server", "git.example.com:8443", "~ada/app", "mine")
	body := "Resources: {P: {Type: AWS::SSM::Parameter, Properties: {Name: p, Type: String, Value: v}}}\nOutputs: {WebhookUrl: {Value: 'https://hook'}}\n"
	make := func(name string, tags map[string]string) {
		t.Helper()
		in := &cloudformation.CreateStackInput{StackName: &name, TemplateBody: aws.String(strings.Replace(body, "Name: p", "Name: "+name, 1))}
		for k, v := range tags {
			in.Tags = append(in.Tags, types.Tag{Key: &k, Value: &v})
		}
		if _, err := c.Stacks.CreateStack(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		if err := cloudformation.NewStackCreateCompleteWaiter(c.Stacks, func(o *cloudformation.StackCreateCompleteWaiterOptions) {
			o.MinDelay, o.MaxDelay = 10*time.Millisecond, time.Second
		}).Wait(t.Context(), &cloudformation.DescribeStacksInput{StackName: &name}, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	make("mine", h.Tags())
	make("foreign", nil)
	d, err := webhook.Find(t.Context(), c, "mine")
	if err != nil || *d.Hook != *h || d.URL != "https://hook" {
		t.Errorf("it found %+v %v", d, err)
	}
	if got := d.Key("main"); got != "~ada/app/main/app.zip" {
		t.Errorf("the key is %s", got)
	}
	if _, err := webhook.Find(t.Context(), c, "foreign"); err == nil || !strings.Contains(err.Error(), "is of no webhook") {
		t.Errorf("a foreign stack: %v", err)
	}
	if d, err := webhook.Find(t.Context(), c, "nothing"); d != nil || err != nil {
		t.Errorf("no stack: %v %v", d, err)
	}
}

// TestTokens: a token is kept once, a new one replaces it, a deleted one comes
// back, and a secret that somebody else made is left alone.
func TestTokens(t *testing.T) {
	t.Parallel()
	api := secretsmanager.NewFromConfig(cloudtest.New(t).Config)
	h := newHook(t, "github", "", "acme/app", "")
	keep := func(token string) string {
		t.Helper()
		arn, err := h.KeepToken(t.Context(), api, token)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := webhook.ReadToken(t.Context(), api, arn); err != nil || got != token {
			t.Errorf("it is %q %v", got, err)
		}
		return arn
	}
	first := keep("one")
	versions := func() int {
		out, err := api.ListSecretVersionIds(t.Context(), &secretsmanager.ListSecretVersionIdsInput{SecretId: &first})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.Versions)
	}
	if keep("one") != first || versions() != 1 {
		t.Errorf("the same token made %d versions", versions())
	}
	if keep("two") != first || versions() != 2 {
		t.Errorf("another token made %d versions", versions())
	}
	if _, err := api.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &first}); err != nil {
		t.Fatal(err)
	}
	keep("three")
	other := newHook(t, "github", "", "acme/other", "")
	if _, err := api.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(other.TokenSecret()), SecretString: aws.String("x")}); err != nil {
		t.Fatal(err)
	}
	if _, err := other.KeepToken(t.Context(), api, "one"); err == nil || !strings.Contains(err.Error(), "not made for this webhook") {
		t.Errorf("a foreign secret: %v", err)
	}
	for _, bad := range []string{"", " \n", "a b", "a\x00b"} {
		if _, err := webhook.CheckToken(bad); err == nil {
			t.Errorf("%q is taken to be a token", bad)
		}
	}
}

// TestLines: what both functions logged comes in the order of time, each line
// once, and what comes later as long as it is followed.
func TestLines(t *testing.T) {
	t.Parallel()
	api := cloudwatchlogs.NewFromConfig(cloudtest.New(t).Config)
	d := &webhook.Deployed{HookLog: "hook", WorkerLog: "worker"}
	now := time.Now().Truncate(time.Millisecond)
	say := func(group string, at time.Duration, text string) {
		t.Helper()
		stream := fmt.Sprint(group, at)
		_, err := api.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &group})
		if exists := (*logstypes.ResourceAlreadyExistsException)(nil); errors.As(err, &exists) {
			err = nil
		}
		if err == nil {
			_, err = api.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &group, LogStreamName: &stream})
		}
		if err == nil {
			_, err = api.PutLogEvents(t.Context(), &cloudwatchlogs.PutLogEventsInput{LogGroupName: &group, LogStreamName: &stream, LogEvents: []logstypes.InputLogEvent{
				{Message: &text, Timestamp: aws.Int64(now.Add(at).UnixMilli())},
			}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	say("hook", -3*time.Second, `{"time":"x","level":"INFO","msg":"accepted","ref":"main","deleted":false,"sender":"ada b"}`+"\n")
	say("hook", -2*time.Second, "REPORT RequestId: 1 Duration: 2 ms")
	say("hook", -time.Hour, "too old")
	ctx, stop := context.WithCancel(t.Context())
	var got []string
	err := d.Lines(ctx, api, now.Add(-time.Minute), true, func(l webhook.Line) {
		got = append(got, fmt.Sprintf("%s %s %t", l.From, l.Text, l.Ours))
		switch len(got) {
		case 2: // the worker's group is not there before
			say("worker", -2500*time.Millisecond, "panic: it broke")
		case 3:
			stop()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	want := []string{`hook INFO  accepted ref=main sender="ada b" true`, "hook REPORT RequestId: 1 Duration: 2 ms false", "worker panic: it broke true"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("it tells\n%s", strings.Join(got, "\n"))
	}
}
