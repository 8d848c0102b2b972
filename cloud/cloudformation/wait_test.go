package cloudformation_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud"
	"ouro/cloud/cloudtest"
)

// begin starts to create a stack and waits until a line of its story begins so.
func (w *world) begin(name, template, line string) (id string) {
	w.t.Helper()
	out, err := w.cfn.CreateStack(w.t.Context(), &sdk.CreateStackInput{StackName: &name, TemplateBody: &template})
	if err != nil {
		w.t.Fatal(err)
	}
	w.until(*out.StackId, line)
	return *out.StackId
}

// until waits until a line of a stack's story begins so.
func (w *world) until(id, line string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains("\n"+w.story(id), "\n"+line) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.t.Fatalf("no %q in\n%s", line, w.story(id))
		}
	}
}

func waitTemplate(t testing.TB, properties map[string]any, more ...any) string {
	properties["Handle"] = ref("Handle")
	return template(t, map[string]any{"Handle": map[string]any{"Type": "AWS::CloudFormation::WaitConditionHandle"},
		"Wait": map[string]any{"Type": "AWS::CloudFormation::WaitCondition", "Properties": properties}}, more...)
}

func TestWaitCondition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.begin("s", waitTemplate(t, map[string]any{"Timeout": "60", "Count": 2}, "Outputs", map[string]any{"Data": value(getAtt("Wait", "Data"))}),
		"Wait CREATE_IN_PROGRESS: Resource creation Initiated")
	handle := w.physical("s", "Handle")
	if !strings.HasPrefix(handle, w.URL+"/cloudformation-waitcondition-us-east-1/") || w.physical("s", "Wait") != id+"/Handle" {
		t.Errorf("the handle is %s, the condition %s", handle, w.physical("s", "Wait"))
	}
	for _, signal := range []string{`{"Status":"SUCCESS","UniqueId":"a","Data":"one","Reason":"ok"}`, `{"Status":"SUCCESS","UniqueId":"a","Data":"again"}`,
		`{"Status":"SUCCESS","UniqueId":"b","Data":"two"}`} {
		put(t, handle, []byte(signal))
	}
	if s := w.settled(id); s.StackStatus != types.StackStatusCreateComplete || outputs(s)["Data"] != `{"a":"one","b":"two"}` {
		t.Errorf("%s %v\n%s", s.StackStatus, outputs(s), w.story(id))
	}
	_, err := w.cfn.UpdateStack(t.Context(), &sdk.UpdateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(waitTemplate(t, map[string]any{"Timeout": "61", "Count": 2}))})
	if err != nil {
		t.Fatal(err)
	}
	if s := w.settled(id); s.StackStatus != types.StackStatusUpdateRollbackComplete || !strings.Contains(w.story(id), "Update to resource type AWS::CloudFormation::WaitCondition is not supported.") {
		t.Errorf("%s\n%s", s.StackStatus, w.story(id))
	}
	w.delete("s")
}

func TestWaitConditionFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct{ timeout, signal, want string }{
		"timeout": {"1", "", "WaitCondition timed out. Received 0 conditions when expecting 1"},
		"failure": {"60", `{"Status":"FAILURE","UniqueId":"i-1","Reason":"no disk"}`, "WaitCondition received failed message: 'no disk' for uniqueId: i-1"},
		"garbage": {"60", `hello`, "Unparsable WaitCondition data"},
	} {
		id := w.begin(name, waitTemplate(t, map[string]any{"Timeout": c.timeout}), "Wait CREATE_IN_PROGRESS: Resource creation Initiated")
		if c.signal != "" {
			put(t, w.physical(name, "Handle"), []byte(c.signal))
		}
		if s := w.settled(id); s.StackStatus != types.StackStatusRollbackComplete || !strings.Contains(w.story(id), "Wait CREATE_FAILED: "+c.want) {
			t.Errorf("%s: %s, want %q\n%s", name, s.StackStatus, c.want, w.story(id))
		}
	}
	for want, properties := range map[string]map[string]any{
		"Property Timeout must be a number of seconds between 1 and 43200.": {"Timeout": "0"},
		"#/Count: expected an Integer, found: String":                       {"Timeout": "1", "Count": "many"},
		"Property Count must be a positive number.":                         {"Timeout": "1", "Count": "0"},
	} {
		name := fmt.Sprint("s", len(want))
		if w.create(name, waitTemplate(t, properties)); !strings.Contains(w.story(name), want) {
			t.Errorf("want %q in\n%s", want, w.story(name))
		}
	}
}

// signal sends a signal to the resource R.
func (w *world) signal(stack, unique string, status types.ResourceSignalStatus) {
	w.t.Helper()
	_, err := w.cfn.SignalResource(w.t.Context(), &sdk.SignalResourceInput{StackName: &stack, LogicalResourceId: aws.String("R"), UniqueId: &unique, Status: status})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestCreationPolicy(t *testing.T) {
	t.Parallel()
	const ok, bad = types.ResourceSignalStatusSuccess, types.ResourceSignalStatusFailure
	type sent struct {
		unique string
		status types.ResourceSignalStatus
	}
	for name, c := range map[string]struct {
		kind    string
		policy  map[string]any
		signals []sent
		want    string // the reason of a failure
	}{
		"instance": {"AWS::EC2::Instance", map[string]any{"ResourceSignal": map[string]any{"Timeout": "PT1M"}}, []sent{{"i-1", ok}}, ""},
		"group":    {"AWS::AutoScaling::AutoScalingGroup", map[string]any{"ResourceSignal": map[string]any{"Count": 2, "Timeout": "PT1H1M1S"}}, []sent{{"i-1", ok}, {"i-1", ok}, {"i-2", ok}}, ""},
		"some of a group": {"AWS::AutoScaling::AutoScalingGroup", map[string]any{"ResourceSignal": map[string]any{"Count": "3"},
			"AutoScalingCreationPolicy": map[string]any{"MinSuccessfulInstancesPercent": 60}}, []sent{{"i-1", ok}, {"i-2", bad}, {"i-3", ok}}, ""},
		"condition": {"AWS::CloudFormation::WaitCondition", map[string]any{"ResourceSignal": map[string]any{"Timeout": "PT1M"}}, []sent{{"i-1", ok}}, ""},
		"timeout":   {"AWS::EC2::Instance", map[string]any{"ResourceSignal": map[string]any{"Timeout": "PT1S"}}, nil, "Failed to receive 1 resource signal(s) within the specified duration"},
		"failure":   {"AWS::EC2::Instance", map[string]any{"ResourceSignal": map[string]any{}}, []sent{{"i-1", bad}}, "Received FAILURE signal with UniqueId i-1"},
		"failing group": {"AWS::AutoScaling::AutoScalingGroup", map[string]any{"ResourceSignal": map[string]any{"Count": 2}}, []sent{{"i-1", bad}},
			"Received 1 FAILURE signal(s) out of 2. Unable to satisfy 100% MinSuccessfulInstancesPercent requirement"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.begin("s", template(t, map[string]any{"R": map[string]any{"Type": c.kind, "CreationPolicy": c.policy, "Properties": sizes[c.kind]}}), "R CREATE_IN_PROGRESS: Resource creation Initiated")
			for _, s := range c.signals {
				w.signal("s", s.unique, s.status)
			}
			s, story := w.settled(id), w.story(id)
			if c.want == "" && s.StackStatus != types.StackStatusCreateComplete || c.want != "" && !strings.Contains(story, "R CREATE_FAILED: "+c.want) {
				t.Errorf("%s, want %q\n%s", s.StackStatus, c.want, story)
			}
			for _, s := range c.signals {
				if !strings.Contains(story, fmt.Sprintf("R CREATE_IN_PROGRESS: Received %s signal with UniqueId %s", s.status, s.unique)) {
					t.Errorf("no news of %s in\n%s", s.unique, story)
				}
			}
		})
	}
}

// sizes are what a group has to say.
var sizes = map[string]map[string]any{
	"AWS::AutoScaling::AutoScalingGroup": {"MinSize": 1, "MaxSize": "2"}, "AWS::EC2::Instance": {}, "AWS::CloudFormation::WaitCondition": {},
}

// TestWaitResume ends the process while resources wait for signals.
func TestWaitResume(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	begin := func() *world {
		c := cloudtest.StartWith(t, cloud.Options{Dir: dir})
		return &world{c, t, sdk.NewFromConfig(c.Config)}
	}
	w := begin()
	one := w.begin("one", waitTemplate(t, map[string]any{"Timeout": "60", "Count": 2}), "Wait CREATE_IN_PROGRESS: Resource creation Initiated")
	two := w.begin("two", template(t, map[string]any{"R": map[string]any{"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": sizes["AWS::AutoScaling::AutoScalingGroup"],
		"CreationPolicy": map[string]any{"ResourceSignal": map[string]any{"Count": 2}}}}), "R CREATE_IN_PROGRESS: Resource creation Initiated")
	handle := w.physical("one", "Handle")
	put(t, handle, []byte(`{"Status":"SUCCESS","UniqueId":"a","Data":"one"}`))
	w.signal("two", "i-1", types.ResourceSignalStatusSuccess)
	group := w.physical("two", "R")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = begin()
	defer w.Close() //nolint:errcheck // the test is over
	to, err := url.Parse(handle)
	if err != nil {
		t.Fatal(err)
	}
	put(t, w.URL+to.RequestURI(), []byte(`{"Status":"SUCCESS","UniqueId":"b","Data":"two"}`))
	w.signal("two", "i-2", types.ResourceSignalStatusSuccess)
	for _, id := range []string{one, two} {
		if s := w.settled(id); s.StackStatus != types.StackStatusCreateComplete {
			t.Errorf("%s\n%s", s.StackStatus, w.story(id))
		}
	}
	if got := w.physical("two", "R"); got != group {
		t.Errorf("the group is %s, was %s", got, group)
	}
}

// TestForeignHandle: a condition hears no signals to another account's handle.
func TestForeignHandle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("s", template(t, map[string]any{"Wait": map[string]any{"Type": "AWS::CloudFormation::WaitCondition", "Properties": map[string]any{"Timeout": "1",
		"Handle": w.URL + "/cloudformation-waitcondition-us-east-1/arn:aws:cloudformation:us-east-1:" + member + ":stack/theirs/1/Handle"}}}))
	if want := "Property Handle must be the URL of an AWS::CloudFormation::WaitConditionHandle."; !strings.Contains(w.story("s"), want) {
		t.Errorf("want %q in\n%s", want, w.story("s"))
	}
}
