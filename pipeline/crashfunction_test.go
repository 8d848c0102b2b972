package pipeline_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/stack"
)

// patient is a function that tells what it was asked, and answers when it is
// let go.
const patient = `import cfnresponse, os, urllib.request
def handler(event, context):
    at = os.environ["AT"] + "/" + event["RequestType"]
    urllib.request.urlopen(at + "/began").read()
    if "ResponseURL" in event:
        cfnresponse.send(event, context, cfnresponse.SUCCESS, {}, "thing")
    else:
        urllib.request.urlopen(at + "/done").read()
`

// ward is who patient functions tell.
type ward struct {
	*httptest.Server
	mu   sync.Mutex
	told map[string]bool
	free chan struct{} // closed when those that began are let go
}

func newWard(t *testing.T) *ward {
	w := &ward{told: map[string]bool{}, free: make(chan struct{})}
	w.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.told[r.URL.Path] = true
		free := w.free
		w.mu.Unlock()
		select {
		case <-free:
		case <-r.Context().Done(): // the function was killed
		}
	}))
	t.Cleanup(w.Close)
	return w
}

// heard tells whether a function said that.
func (w *ward) heard(path string) func() bool {
	return func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.told[path]
	}
}

// hold has functions wait from now on, until they are let go.
func (w *ward) hold() (release func()) {
	free := make(chan struct{})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.free = free
	return func() { close(free) }
}

// patientStack is the template of a stack with a custom resource that the
// patient function looks after.
func patientStack(t *testing.T, at, version string) *string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"Resources": map[string]any{
		"Role": map[string]any{"Type": "AWS::IAM::Role", "Properties": map[string]any{"AssumeRolePolicyDocument": map[string]any{
			"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": "lambda.amazonaws.com"}}},
		}}},
		"Patient": map[string]any{"Type": "AWS::Lambda::Function", "Properties": map[string]any{
			"FunctionName": "patient", "Runtime": "python3.13", "Handler": "index.handler", "Timeout": 60, "Code": map[string]any{"ZipFile": patient},
			"Role": map[string]any{"Fn::GetAtt": "Role.Arn"}, "Environment": map[string]any{"Variables": map[string]any{"AT": at}},
		}},
		"Thing": map[string]any{"Type": "Custom::Thing", "Properties": map[string]any{
			"ServiceToken": map[string]any{"Fn::GetAtt": "Patient.Arn"}, "ServiceTimeout": 45, "Version": version,
		}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return aws.String(string(body))
}

// TestKilledInAFunction kills the cloud while a function looks after a custom
// resource, and has another event to handle. The next cloud, at the same address
// or at another one, ends what the stack began.
func TestKilledInAFunction(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("Python is not installed")
	}
	state, ward := t.TempDir(), newWard(t)
	at := ward.URL
	name, capabilities := aws.String("patient"), []cfntypes.Capability{cfntypes.CapabilityCapabilityIam}
	for _, step := range []struct {
		kind  string
		moved bool
		want  cfntypes.StackStatus
		begin func(*cloudformation.Client) error
	}{
		{"Create", true, cfntypes.StackStatusCreateComplete, func(api *cloudformation.Client) error {
			_, err := api.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: name, TemplateBody: patientStack(t, at, "1"), Capabilities: capabilities})
			return err
		}},
		{"Update", false, cfntypes.StackStatusUpdateComplete, func(api *cloudformation.Client) error {
			_, err := api.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: name, TemplateBody: patientStack(t, at, "2"), Capabilities: capabilities})
			return err
		}},
		{"Delete", true, "", func(api *cloudformation.Client) error {
			_, err := api.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: name})
			return err
		}},
	} {
		release := ward.hold()
		first := startLocal(t, state)
		if err := step.begin(cloudformation.NewFromConfig(first.cfg)); err != nil {
			t.Fatal(err)
		}
		until(t, "the function is asked to "+step.kind, ward.heard("/"+step.kind+"/began"))
		event := "Event" + step.kind
		_, err := lambda.NewFromConfig(first.cfg).Invoke(t.Context(), &lambda.InvokeInput{
			FunctionName: name, InvocationType: lambdatypes.InvocationTypeEvent, Payload: []byte(`{"RequestType": "` + event + `"}`)})
		if err != nil {
			t.Fatal(err)
		}
		until(t, "the function has the event", ward.heard("/"+event+"/began"))
		first.kill(t)
		release()

		address := "127.0.0.1:0"
		if !step.moved {
			address = strings.TrimPrefix(*first.cfg.BaseEndpoint, "http://")
		}
		second := startLocalAt(t, state, address)
		api := cloudformation.NewFromConfig(second.cfg)
		var s *cfntypes.Stack
		until(t, "the stack's operation is over", func() bool {
			var err error
			s, err = stack.Describe(t.Context(), api, *name)
			return err == nil && (s == nil || !stack.InProgress(s.StackStatus))
		})
		if s == nil && step.want != "" || s != nil && s.StackStatus != step.want {
			t.Fatalf("after the kill in %s: %+v, want %q", step.kind, s, step.want)
		}
		if step.want != "" {
			until(t, "the event is handled", ward.heard("/"+event+"/done"))
		}
		second.kill(t)
	}
}
