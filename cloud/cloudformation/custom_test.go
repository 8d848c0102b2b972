package cloudformation_test

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/google/go-cmp/cmp"

	"ouro/cloud"
	"ouro/cloud/cloudtest"
)

func customResource(token any, properties ...any) map[string]any {
	p := map[string]any{"ServiceToken": token}
	for i := 0; i+1 < len(properties); i += 2 {
		p[properties[i].(string)] = properties[i+1]
	}
	return map[string]any{"Type": "Custom::Thing", "Properties": p}
}

func getAtt(id, attribute string) map[string]any {
	return map[string]any{"Fn::GetAtt": []any{id, attribute}}
}

func value(v any) map[string]any { return map[string]any{"Value": v} }

func TestCustomResource(t *testing.T) {
	t.Parallel()
	w, f := customWorld(t)
	var last asked
	token := f.custom(t, "keeper", func(q asked) answer {
		last = q
		return answer{PhysicalResourceId: "thing-" + q.ResourceProperties["Name"].(string), Data: map[string]any{"Url": "http://x", "Deep": map[string]any{"N": 7}}}
	})
	body := func(name string, size int) string {
		return template(t, map[string]any{"Thing": customResource(token, "Name", name, "Size", size, "On", true, "List", []any{1, map[string]any{"a": false}})},
			"Outputs", map[string]any{"Ref": value(ref("Thing")), "Url": value(getAtt("Thing", "Url")), "Deep": value(getAtt("Thing", "Deep.N"))})
	}
	s := w.create("s", body("a", 1))
	if diff := cmp.Diff(map[string]string{"Ref": "thing-a", "Url": "http://x", "Deep": "7"}, outputs(s)); diff != "" || s.StackStatus != types.StackStatusCreateComplete {
		t.Fatalf("%s %s\n%s", s.StackStatus, diff, w.story("s"))
	}
	if diff := cmp.Diff(map[string]any{"ServiceToken": token, "Name": "a", "Size": "1", "On": "true", "List": []any{"1", map[string]any{"a": "false"}}}, last.ResourceProperties); diff != "" {
		t.Errorf("properties: %s", diff)
	}
	if last.ResourceType != "Custom::Thing" || last.StackId != *s.StackId || last.ServiceToken != token {
		t.Errorf("the function was asked %+v", last)
	}
	w.update("s", body("a", 2))
	if last.RequestType != "Update" || last.PhysicalResourceId != "thing-a" || last.OldResourceProperties["Size"] != "1" || last.ResourceProperties["Size"] != "2" {
		t.Errorf("the function was asked %+v", last)
	}
	if got := w.update("s", body("b", 2)); outputs(got)["Ref"] != "thing-b" {
		t.Errorf("after a replacement: %v\n%s", outputs(got), w.story("s"))
	}
	if last.ResourceProperties["Name"] != "a" {
		t.Errorf("the old one was deleted with the properties %v", last.ResourceProperties)
	}
	w.delete("s")
	want := []string{"Create Thing", "Update Thing thing-a", "Update Thing thing-a", "Delete Thing thing-a", "Delete Thing thing-b"}
	if diff := cmp.Diff(want, f.requests()); diff != "" {
		t.Errorf("requests (-want +got): %s", diff)
	}
}

func TestCustomFailures(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)
	for name, c := range map[string]struct {
		answer answer
		want   string // the reason
		then   string // the request that takes it back
	}{
		"failed":          {answer{Status: "FAILED", Reason: "no room", PhysicalResourceId: "half"}, "Received response status [FAILED] from custom resource. Message returned: no room (RequestId: ", "Delete Thing half"},
		"no physical id":  {answer{}, "Invalid PhysicalResourceId", ""},
		"too long":        {answer{PhysicalResourceId: "x", Data: map[string]any{"a": long}}, "Response object is too long.", ""},
		"no JSON":         {answer{text: "oops"}, "Invalid response object: ", ""},
		"no status":       {answer{Status: "MAYBE", PhysicalResourceId: "x"}, "Invalid response object: Value of property Status must be SUCCESS or FAILED", "Delete Thing x"},
		"nothing at all":  {answer{silent: true}, "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [", ""},
		"missing answers": {answer{PhysicalResourceId: "x"}, "CustomResource attribute error: Vendor response doesn't contain Url attribute in object arn:aws:cloudformation:us-east-1:000000000000:stack/s/", "Delete Thing x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, f := customWorld(t)
			token := f.custom(t, "keeper", func(q asked) answer {
				if q.RequestType == "Delete" {
					return answer{PhysicalResourceId: q.PhysicalResourceId}
				}
				return c.answer
			})
			s := w.create("s", template(t, map[string]any{
				"Thing": customResource(token, "ServiceTimeout", 1), "P": parameter(getAtt("Thing", "Url"))}))
			if story := w.story("s"); s.StackStatus != types.StackStatusRollbackComplete || !strings.Contains(story, c.want) {
				t.Errorf("%s, want %q in\n%s", s.StackStatus, c.want, story)
			}
			got := f.requests()
			if len(got) != 2 || !strings.HasPrefix(got[1], "Delete Thing s-Thing-") && got[1] != c.then {
				t.Errorf("requests: %q, want %q at the end", got, c.then)
			}
		})
	}
}

// TestCustomRefused is what is refused before anybody is asked.
func TestCustomRefused(t *testing.T) {
	t.Parallel()
	w, f := customWorld(t)
	token := f.custom(t, "keeper", func(q asked) answer { return answer{PhysicalResourceId: "x"} })
	for name, c := range map[string]struct {
		resource map[string]any
		want     string
	}{
		"no token":       {map[string]any{"Type": "AWS::CloudFormation::CustomResource"}, "Property ServiceToken cannot be empty."},
		"another token":  {customResource("arn:aws:sqs:us-east-1:000000000000:q"), "Invalid service token."},
		"no function":    {customResource(token + "less"), "Function not found: " + token + "less"},
		"no topic":       {customResource("arn:aws:sns:us-east-1:000000000000:none"), "Topic does not exist"},
		"a long timeout": {customResource(token, "ServiceTimeout", 3601), "#/ServiceTimeout: 3601 is not an integer between 1 and 3600"},
	} {
		id := strings.ReplaceAll(name, " ", "-")
		s := w.create(id, template(t, map[string]any{"Thing": c.resource}))
		if story := w.story(id); s.StackStatus != types.StackStatusRollbackComplete || !strings.Contains(story, c.want) {
			t.Errorf("%s: %s, want %q in\n%s", name, s.StackStatus, c.want, story)
		}
	}
	if got := f.requests(); len(got) != 0 {
		t.Errorf("requests: %q", got)
	}
	w.create("s", template(t, map[string]any{"Thing": customResource(token)}))
	w.update("s", template(t, map[string]any{"Thing": customResource(token + "2")}))
	if story := w.story("s"); !strings.Contains(story, "Thing UPDATE_FAILED: Modifying service token is not allowed.") {
		t.Errorf("another token:\n%s", story)
	}
}

// TestNoFunction asks a function that is not there.
func TestNoFunction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const function, want = "arn:aws:lambda:us-east-1:000000000000:function:f", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f"
	if w.create("s", template(t, map[string]any{"Thing": customResource(function)})); !strings.Contains(w.story("s"), want) {
		t.Errorf("want %q in\n%s", want, w.story("s"))
	}
}

func TestCustomNoEcho(t *testing.T) {
	t.Parallel()
	w, f := customWorld(t)
	token := f.custom(t, "keeper", func(q asked) answer {
		return answer{PhysicalResourceId: "x", NoEcho: true, Data: map[string]any{"Password": "hunter2"}}
	})
	body := func(description string) string {
		return template(t, map[string]any{"Thing": customResource(token),
			"P": parameter(map[string]any{"Fn::Sub": "pw=${Thing.Password}"}, "Name", "p", "Description", description)}, "Outputs", map[string]any{"Pw": value(getAtt("Thing", "Password"))})
	}
	s := w.create("s", body("one"))
	if got := w.parameters()["p"]; got != "pw=hunter2" {
		t.Errorf("the parameter is %q", got)
	}
	if got := outputs(s)["Pw"]; got != "****" {
		t.Errorf("the output is %q", got)
	}
	events, err := w.cfn.DescribeStackEvents(t.Context(), &sdk.DescribeStackEventsInput{StackName: s.StackId})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events.StackEvents {
		if strings.Contains(aws.ToString(e.ResourceProperties), "hunter2") {
			t.Errorf("an event shows %s", *e.ResourceProperties)
		}
	}
	_, err = w.cfn.CreateChangeSet(t.Context(), &sdk.CreateChangeSetInput{StackName: aws.String("s"), ChangeSetName: aws.String("c"), TemplateBody: aws.String(body("two"))})
	if err != nil {
		t.Fatal(err)
	}
	in := &sdk.DescribeChangeSetInput{StackName: aws.String("s"), ChangeSetName: aws.String("c"), IncludePropertyValues: aws.Bool(true)}
	if err := sdk.NewChangeSetCreateCompleteWaiter(w.cfn, func(o *sdk.ChangeSetCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Millisecond, time.Millisecond
	}).Wait(t.Context(), in, time.Minute); err != nil {
		t.Fatal(err)
	}
	set, err := w.cfn.DescribeChangeSet(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if shown, _ := json.Marshal(set); bytes.Contains(shown, []byte("hunter2")) || !bytes.Contains(shown, []byte("two")) {
		t.Errorf("the change set shows %s", shown)
	}
}

// TestCustomRollback takes updates back, one that kept the physical id and one
// that changed it.
func TestCustomRollback(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		physical func(size string) string
		want     []string
	}{
		"in place": {func(string) string { return "x" }, []string{"Create Thing", "Update Thing x", "Update Thing x"}},
		"moved":    {func(size string) string { return "x" + size }, []string{"Create Thing", "Update Thing x1", "Update Thing x2", "Delete Thing x2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, f := customWorld(t)
			var sizes []string
			token := f.custom(t, "keeper", func(q asked) answer {
				size := q.ResourceProperties["Size"].(string)
				sizes = append(sizes, size)
				return answer{PhysicalResourceId: c.physical(size), Data: map[string]any{"Size": size}}
			})
			w.create("s", template(t, map[string]any{"Thing": customResource(token, "Size", 1)}, "Outputs", map[string]any{"Size": value(getAtt("Thing", "Size"))}))
			s := w.update("s", template(t, map[string]any{"Thing": customResource(token, "Size", 2), "Bad": broken("Thing")}, "Outputs", map[string]any{"Size": value(getAtt("Thing", "Size"))}))
			if s.StackStatus != types.StackStatusUpdateRollbackComplete || outputs(s)["Size"] != "1" || w.physical("s", "Thing") != c.physical("1") {
				t.Errorf("%s %v %s\n%s", s.StackStatus, outputs(s), w.physical("s", "Thing"), w.story("s"))
			}
			if diff := cmp.Diff(c.want, f.requests()); diff != "" {
				t.Errorf("requests (-want +got): %s", diff)
			}
			if sizes[2] != "1" {
				t.Errorf("the update was taken back to size %s", sizes[2])
			}
		})
	}
}

// TestCustomCancelled lets another resource fail while a custom one is being made.
func TestCustomCancelled(t *testing.T) {
	t.Parallel()
	w, f := customWorld(t)
	token := f.custom(t, "keeper", func(q asked) answer {
		return answer{silent: q.RequestType == "Create", PhysicalResourceId: q.PhysicalResourceId}
	})
	fail := f.custom(t, "fail", func(q asked) answer { return answer{Status: "FAILED", Reason: "no"} })
	s := w.create("s", template(t, map[string]any{"Thing": customResource(token), "Bad": customResource(fail, "After", "x")}), func(in *sdk.CreateStackInput) { in.OnFailure = types.OnFailureRollback })
	story := w.story("s")
	if !strings.Contains(story, "Thing CREATE_FAILED: Resource creation cancelled") {
		t.Errorf("%s\n%s", s.StackStatus, story)
	}
	if got := strings.Join(f.requests(), "\n"); !strings.Contains(got, "Delete Thing s-Thing-") {
		t.Errorf("requests: %s", got)
	}
}

// TestCustomResume ends the process while a custom resource thinks. The next one
// waits on; where no answer can reach it by the old URL, it gives a new one.
func TestCustomResume(t *testing.T) {
	t.Parallel()
	for name, moved := range map[string]bool{"at the same address": false, "at another address": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &functions{}
			received := make(chan asked, 10)
			var begun atomic.Pointer[world]
			token := f.custom(t, "keeper", func(q asked) answer {
				w := begun.Swap(nil)
				received <- q
				for w != nil && listens(w) { // the first one returns when its cloud has begun to close
					time.Sleep(time.Millisecond)
				}
				return answer{silent: true}
			})
			options := cloud.Options{Dir: t.TempDir(), Services: map[string]any{"lambda": f}}
			begin := func(address string) *world {
				l, err := net.Listen("tcp", address)
				if err != nil {
					t.Fatal(err)
				}
				s, err := cloud.Start(t.Context(), l, options)
				if err != nil {
					t.Fatal(err)
				}
				c := &cloudtest.Cloud{Server: s, Dir: options.Dir, Config: aws.Config{
					Region: "us-east-1", BaseEndpoint: &s.URL, Credentials: credentials.NewStaticCredentialsProvider("000000000000", "test", "")}}
				return &world{c, t, sdk.NewFromConfig(c.Config)}
			}
			first := begin("127.0.0.1:0")
			begun.Store(first)
			out, err := first.cfn.CreateStack(t.Context(), &sdk.CreateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(template(t,
				map[string]any{"Thing": customResource(token)}, "Outputs", map[string]any{"A": value(getAtt("Thing", "A"))}))})
			if err != nil {
				t.Fatal(err)
			}
			next := func(w *world) asked {
				select {
				case q := <-received:
					return q
				case <-time.After(time.Minute):
					t.Fatalf("the function was not asked:\n%s", w.story(*out.StackId))
					return asked{}
				}
			}
			q := next(first)
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			address, requests := strings.TrimPrefix(first.URL, "http://"), 1
			if moved {
				address, requests = "127.0.0.1:0", 2
			}
			w := begin(address)
			defer w.Close() //nolint:errcheck // the test is over
			if moved {
				again := next(w)
				if again.RequestId != q.RequestId || !strings.HasPrefix(again.ResponseURL, w.URL) {
					t.Errorf("asked again as %+v", again)
				}
				q = again
			}
			reply(t, q.ResponseURL, q, answer{PhysicalResourceId: "x", Data: map[string]any{"A": "b"}})
			if s := w.settled(*out.StackId); s.StackStatus != types.StackStatusCreateComplete || outputs(s)["A"] != "b" {
				t.Errorf("%s\n%s", s.StackStatus, w.story(*out.StackId))
			}
			if got := f.requests(); len(got) != requests {
				t.Errorf("requests: %q", got)
			}
		})
	}
}

// listens says whether a cloud takes connections still.
func listens(w *world) bool {
	c, err := net.Dial("tcp", strings.TrimPrefix(w.URL, "http://"))
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// TestCustomByTopic asks a custom resource through an SNS topic, whose HTTP
// subscriber answers.
func TestCustomByTopic(t *testing.T) {
	t.Parallel()
	w, f := customWorld(t)
	var subjects sync.Map
	confirmed := make(chan bool, 1)
	subscriber := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var m struct{ Type, SubscribeURL, Message, Subject string }
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		if m.Type == "SubscriptionConfirmation" {
			res, err := http.Get(m.SubscribeURL)
			if err != nil {
				t.Error(err)
				return
			}
			res.Body.Close()
			confirmed <- true
			return
		}
		subjects.Store(m.Subject, true)
		f.answer(t, []byte(m.Message), func(q asked) answer { return answer{PhysicalResourceId: "by-topic"} })
	}))
	t.Cleanup(subscriber.Close)
	w.create("topic", template(t, map[string]any{"Topic": map[string]any{"Type": "AWS::SNS::Topic", "Properties": map[string]any{
		"Subscription": []any{map[string]any{"Protocol": "http", "Endpoint": subscriber.URL}}}}}, "Outputs", map[string]any{"Arn": value(ref("Topic"))}))
	select {
	case <-confirmed:
	case <-time.After(time.Minute):
		t.Fatal("the subscription was not confirmed")
	}
	s := w.create("s", template(t, map[string]any{"Thing": customResource(outputs(w.describe("topic"))["Arn"])}, "Outputs", map[string]any{"Ref": value(ref("Thing"))}))
	if s.StackStatus != types.StackStatusCreateComplete || outputs(s)["Ref"] != "by-topic" {
		t.Errorf("%s\n%s", s.StackStatus, w.story("s"))
	}
	if _, ok := subjects.Load("AWS CloudFormation custom resource request"); !ok {
		t.Error("the subject is another one")
	}
	w.delete("s")
	if diff := cmp.Diff([]string{"Create Thing", "Delete Thing by-topic"}, f.requests()); diff != "" {
		t.Errorf("requests (-want +got): %s", diff)
	}
}
