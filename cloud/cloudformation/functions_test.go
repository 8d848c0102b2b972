package cloudformation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/cloudtest"
)

// functions stands where Lambda is: functions are Go functions of the test.
type functions struct {
	mu   sync.Mutex
	by   map[string]func(event []byte) []byte
	seen []string // the requests of custom resources: type, logical id, physical id
}

func (f *functions) define(name string, run func(event []byte) []byte) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.by == nil {
		f.by = map[string]func([]byte) []byte{}
	}
	f.by[name] = run
	return "arn:aws:lambda:us-east-1:000000000000:function:" + name
}

func (f *functions) Invoke(_ context.Context, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	f.mu.Lock()
	name := (*in.FunctionName)[strings.LastIndexByte(*in.FunctionName, ':')+1:]
	run, ok := f.by[name]
	f.mu.Unlock()
	if !ok {
		return nil, &lambdatypes.ResourceNotFoundException{Message: aws.String("Function not found: " + *in.FunctionName)}
	}
	out := run(in.Payload)
	if in.InvocationType == lambdatypes.InvocationTypeEvent {
		return &lambda.InvokeOutput{StatusCode: 202}, nil
	}
	return &lambda.InvokeOutput{StatusCode: 200, Payload: out}, nil
}

// asked is a request that a custom resource got.
type asked struct {
	RequestType, ServiceToken, ResponseURL, StackId, RequestId, LogicalResourceId, PhysicalResourceId, ResourceType string
	ResourceProperties, OldResourceProperties                                                                       map[string]any
}

// answer is what it puts, unless text is given.
type answer struct {
	Status, Reason, PhysicalResourceId, StackId, RequestId, LogicalResourceId string
	NoEcho                                                                    bool
	Data                                                                      map[string]any
	text                                                                      string
	silent                                                                    bool
}

// custom defines a function that looks after custom resources.
func (f *functions) custom(t testing.TB, name string, decide func(asked) answer) string {
	return f.define(name, func(event []byte) []byte {
		f.answer(t, event, decide)
		return nil
	})
}

// reply puts an answer as cfn-response does: with an empty content type.
func reply(t testing.TB, to string, q asked, a answer) {
	a.StackId, a.RequestId, a.LogicalResourceId = q.StackId, q.RequestId, q.LogicalResourceId
	if a.Status == "" {
		a.Status = "SUCCESS"
	}
	body, err := json.Marshal(a)
	if err != nil {
		t.Error(err)
	}
	if a.text != "" {
		body = []byte(a.text)
	}
	put(t, to, body)
}

func put(t testing.TB, to string, body []byte) {
	r, err := http.NewRequest(http.MethodPut, to, bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	r.Header["Content-Type"] = []string{""}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return
	}
	defer res.Body.Close()
	if res.StatusCode != 200 {
		b, _ := io.ReadAll(res.Body)
		t.Errorf("putting an answer: %s\n%s", res.Status, b)
	}
}

func (f *functions) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.seen...)
}

// customWorld is a world with functions.
func customWorld(t testing.TB) (*world, *functions) {
	f := &functions{}
	c := cloudtest.NewWith(t, map[string]any{"lambda": f})
	return &world{c, t, sdk.NewFromConfig(c.Config)}, f
}

func (f *functions) answer(t testing.TB, event []byte, decide func(asked) answer) {
	var q asked
	if err := json.Unmarshal(event, &q); err != nil {
		t.Error(err)
	}
	f.mu.Lock()
	f.seen = append(f.seen, strings.TrimSpace(q.RequestType+" "+q.LogicalResourceId+" "+q.PhysicalResourceId))
	f.mu.Unlock()
	a := decide(q)
	if a.silent {
		return
	}
	reply(t, q.ResponseURL, q, a)
}
