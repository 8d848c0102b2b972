package cloudformation_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	snsapi "github.com/aws/aws-sdk-go-v2/service/sns"

	"ouro/cloud"
	"ouro/cloud/cloudformation"
	"ouro/cloud/cloudtest"
	"ouro/cloud/door"
	"ouro/cloud/ssm"
	"ouro/cloud/store"
)

// topics is an SNS that keeps what is published.
type topics struct {
	mu   sync.Mutex
	told []string
}

func (s *topics) GetTopicAttributes(context.Context, *snsapi.GetTopicAttributesInput) (*snsapi.GetTopicAttributesOutput, error) {
	return &snsapi.GetTopicAttributesOutput{}, nil
}

var eventLine = regexp.MustCompile(`(?m)^(?:LogicalResourceId|ResourceStatus)='(.*)'$`)

func (s *topics) Publish(_ context.Context, in *snsapi.PublishInput) (*snsapi.PublishOutput, error) {
	var words []string
	for _, found := range eventLine.FindAllStringSubmatch(*in.Message, -1) {
		words = append(words, found[1])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, strings.Join(words, " "))
	return &snsapi.PublishOutput{MessageId: aws.String("1")}, nil
}

func (s *topics) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.told)
}

// TestNotificationsResume lets a process die while a stack is being made: what
// it did not come to is published by the next one, in the order of the events.
func TestNotificationsResume(t *testing.T) {
	t.Parallel()
	dir, told := t.TempDir(), &topics{}
	process := func(after func(context.Context, string, any) error) (w *world, end func()) {
		st, err := store.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		d := door.New(door.Options{Store: st, Now: time.Now})
		service := cloudformation.New(d)
		for name, impl := range map[string]any{"ssm": &watched{ssm.New(d), after}, "sns": told, "cloudformation": service} {
			if err := d.Register(name, impl); err != nil {
				t.Fatal(err)
			}
		}
		if err := service.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		cfg := d.As(door.Caller{Account: "000000000000", Region: "us-east-1"})
		return &world{Cloud: &cloudtest.Cloud{Server: &cloud.Server{}, Config: cfg}, t: t, cfn: sdk.NewFromConfig(cfg)}, func() {
			d.Close()
			if err := st.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	met, after := death("b")
	w, end := process(after)
	body := template(t, map[string]any{"A": parameter("1", "Name", "a"), "B": parameter("1", "Name", "b", "!DependsOn", "A")})
	if _, err := w.cfn.CreateStack(t.Context(), &sdk.CreateStackInput{StackName: aws.String("s"), TemplateBody: &body,
		NotificationARNs: []string{"arn:aws:sns:us-east-1:000000000000:events"}}); err != nil {
		t.Fatal(err)
	}
	<-met
	end()
	w, end = process(nothing)
	defer end()
	if s := w.settled("s"); s.StackStatus != types.StackStatusCreateComplete {
		t.Fatal(s.StackStatus)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !slices.Contains(told.all(), "s CREATE_COMPLETE") {
		select {
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("told was %v", told.all())
		}
	}
	got := firsts(told.all()) // an event may be told twice
	var want []string
	for line := range strings.SplitSeq(w.story("s"), "\n") {
		line, _, _ = strings.Cut(line, ":")
		want = append(want, line)
	}
	if !slices.Equal(got, firsts(want)) {
		t.Errorf("told was %v\nthe events are %v", got, want)
	}
}

// firsts is a list without what it has had before.
func firsts(list []string) (out []string) {
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
