package function_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"ouro/function"
	"ouro/layer"
	"ouro/stack"
)

// results is a transport that keeps what CodePipeline is told of jobs.
type results struct {
	sync.Mutex
	told map[string]any
}

func (r *results) Do(q *http.Request) (*http.Response, error) {
	if !strings.Contains(q.Header.Get("X-Amz-Target"), ".PutJob") {
		return http.DefaultClient.Do(q)
	}
	r.Lock()
	defer r.Unlock()
	r.told = map[string]any{}
	if err := json.NewDecoder(q.Body).Decode(&r.told); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: q}, nil
}

// job runs an action on artifacts in the bucket artifacts, and gives what
// CodePipeline was told.
func (w *world) job(name, parameters, token string, inputs, outputs []string) map[string]any {
	w.Helper()
	artifacts := func(keys []string) []any {
		list := []any{}
		for _, key := range keys {
			list = append(list, map[string]any{"name": key, "location": map[string]any{"s3Location": map[string]any{"bucketName": "artifacts", "objectKey": key}}})
		}
		return list
	}
	body := text(w.T, map[string]any{"CodePipeline.job": map[string]any{"id": "job-1", "data": map[string]any{
		"actionConfiguration": map[string]any{"configuration": map[string]any{"FunctionName": "f", "UserParameters": parameters}},
		"inputArtifacts":      artifacts(inputs), "outputArtifacts": artifacts(outputs), "continuationToken": token,
		"artifactCredentials": map[string]any{"accessKeyId": "000000000000", "secretAccessKey": "x", "sessionToken": ""},
	}}})
	r := &results{}
	cfg := w.cloud.Config
	cfg.HTTPClient = r
	h, err := function.New(name, cfg)
	if err != nil {
		w.Fatal(err)
	}
	if _, err := h(w.Context(), body); err != nil {
		w.Fatal(err)
	}
	return r.told
}

func failure(told map[string]any) string {
	details, _ := told["failureDetails"].(map[string]any)
	message, _ := details["message"].(string)
	return message
}

func TestActions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bucket("artifacts")
	t.Run("layer.template", func(t *testing.T) { testTemplate(t, &world{t, w.cloud, w.buckets, w.clients}) })
	t.Run("stack.export", func(t *testing.T) { testExport(t, &world{t, w.cloud, w.buckets, w.clients}) })
	t.Run("layer.pipeline", func(t *testing.T) { testPipelines(t, &world{t, w.cloud, w.buckets, w.clients}) })
	t.Run("what is wrong", func(t *testing.T) {
		w := &world{t, w.cloud, w.buckets, w.clients}
		for name, parameters := range map[string]string{"stack.export": "{", "layer.prune": `{"layer":"no/name","keep":"2"}`, "layer.template": "{}", "layer.pipeline": "{}"} {
			if told := w.job(name, parameters, "", nil, nil); failure(told) == "" {
				t.Errorf("%s told %v", name, told)
			}
		}
	})
}

// built is the artifact of a build of a layer.
func built(t *testing.T, name, content string) []byte {
	t.Helper()
	from, out := t.TempDir(), t.TempDir()
	write(t, from, "python/lib.py", content)
	if _, err := layer.Build(t.Context(), layer.Work{Manifest: layer.Manifest{Layer: name, Runtimes: []string{"python3.13"}, License: "MIT"}, From: from, Out: out}); err != nil {
		t.Fatal(err)
	}
	return zipped(t, map[string]string{"layer.zip": read(t, out, "layer.zip"), "layer.json": read(t, out, "layer.json")})
}

func testTemplate(t *testing.T, w *world) {
	w.put("artifacts", "Built", built(t, "common", "x = 1\n"))
	parameters := `{"layer":"common","accounts":["111122223333",""],"organization":""}`
	told := w.job("layer.template", parameters, "", []string{"Built"}, []string{"Template"})
	variables, _ := told["outputVariables"].(map[string]any)
	content, _ := variables["Content"].(string)
	if len(content) != 64 {
		t.Fatalf("CodePipeline was told %v", told)
	}
	first := unzipped(t, w.get("artifacts", "Template"))["template.json"]
	for _, want := range []string{"AWS::Lambda::LayerVersion", `"Principal": "111122223333"`, "layers/common/" + content + ".zip", `"LicenseInfo": "MIT"`, "/ouro/layers/common/latest"} {
		if !strings.Contains(first, want) {
			t.Errorf("the template has no %s:\n%s", want, first)
		}
	}
	if files := unzipped(t, w.get("artifacts", layer.ContentKey("common", content))); files["python/lib.py"] != "x = 1\n" {
		t.Errorf("the layer holds %v", files)
	}
	w.put("artifacts", "Built", built(t, "common", "x = 1\n"))
	w.job("layer.template", parameters, "", []string{"Built"}, []string{"Again"})
	if again := unzipped(t, w.get("artifacts", "Again"))["template.json"]; again != first {
		t.Errorf("the same content made another template:\n%s", again)
	}
	if told := w.job("layer.template", `{"layer":"other"}`, "", []string{"Built"}, []string{"Template"}); !strings.Contains(failure(told), `"other"`) {
		t.Errorf("another layer was taken: %v", told)
	}
	tampered := unzipped(t, built(t, "common", "x = 1\n"))
	tampered["layer.zip"] = string(zipped(t, map[string]string{"python/lib.py": "import evil\n"}))
	w.put("artifacts", "Built", zipped(t, tampered))
	if told := w.job("layer.template", parameters, "", []string{"Built"}, []string{"Template"}); !strings.Contains(failure(told), "its manifest says") {
		t.Errorf("another content was taken: %v", told)
	}
}

// What an earlier creation left, which can only be deleted, needs no hand.
func testPipelines(t *testing.T, w *world) {
	api, parameters := cloudformation.NewFromConfig(w.cloud.Config), ssm.NewFromConfig(w.cloud.Config)
	name := layer.PipelineStack("again")
	made, err := api.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: &name, TemplateBody: aws.String(
		`{"Resources": {"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": "not a name", "Value": "x"}}}}`)})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := stack.Wait(t.Context(), api, name); err != nil || s.StackStatus != cfntypes.StackStatusRollbackComplete {
		t.Fatalf("%+v: %v", s, err)
	}
	for _, p := range []string{"bucket", "code", "architecture", "role/build", "role/pipeline", "role/versions", "role/trigger", "role/pipelines", "function/seed"} {
		if _, err := parameters.PutParameter(t.Context(), &ssm.PutParameterInput{Name: aws.String("/ouro/layers/_/" + p), Value: w.role("p-" + strings.ReplaceAll(p, "/", "-")), Type: ssmtypes.ParameterTypeString}); err != nil {
			t.Fatal(err)
		}
	}
	w.put("artifacts", "Source", zipped(t, map[string]string{"layers.yaml": "layers: [again]", "none.yaml": "layer: [again]"}))
	if told := w.job("layer.pipeline", `{"path":"none.yaml"}`, "", []string{"Source"}, nil); !strings.Contains(failure(told), `no "layers"`) {
		t.Errorf("a list that is none: %v", told)
	}
	told := w.job("layer.pipeline", "", "", []string{"Source"}, nil)
	for told["continuationToken"] == "clearing" {
		if _, err := stack.Wait(t.Context(), api, aws.ToString(made.StackId)); err != nil {
			t.Fatal(err)
		}
		told = w.job("layer.pipeline", "", "clearing", []string{"Source"}, nil)
	}
	if told["continuationToken"] != "following" {
		t.Fatalf("CodePipeline was told %v", told)
	}
	s, err := stack.Wait(t.Context(), api, name)
	if err != nil || aws.ToString(s.StackId) == aws.ToString(made.StackId) {
		t.Fatalf("the stack is %+v: %v", s, err)
	}
	// There is no such function, and this job does not try for ever.
	if told := w.job("layer.pipeline", "", "following", []string{"Source"}, nil); !strings.Contains(failure(told), name+" is ROLLBACK_COMPLETE") {
		t.Errorf("CodePipeline was told %v", told)
	}
}

const exportedTemplate = `{"Parameters": {"Count": {"Type": "Number", "Default": 0}, "Image": {"Type": "String"}, "Word": {"Type": "String", "NoEcho": true}},
 "Resources": {"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Image"}}}}}`

func testExport(t *testing.T, w *world) {
	api := cloudformation.NewFromConfig(w.cloud.Config)
	parameter := func(k, v string) cfntypes.Parameter { return cfntypes.Parameter{ParameterKey: &k, ParameterValue: &v} }
	if _, err := api.CreateStack(t.Context(), &cloudformation.CreateStackInput{
		StackName: aws.String("service"), TemplateBody: aws.String(exportedTemplate), Parameters: []cfntypes.Parameter{parameter("Image", "old"), parameter("Word", "hidden")},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := stack.Wait(t.Context(), api, "service"); err != nil {
		t.Fatal(err)
	}
	told := w.job("stack.export", `{"stack":"service","parameters":{"Image":"new"},"atLeast":{"Count":2}}`, "", nil, []string{"Exported"})
	files := unzipped(t, w.get("artifacts", "Exported"))
	var configuration struct{ Parameters map[string]string }
	if err := json.Unmarshal([]byte(files["configuration.json"]), &configuration); err != nil {
		t.Fatalf("%v: %v", told, err)
	}
	p := configuration.Parameters
	if files["template.json"] != exportedTemplate || len(p) != 2 || p["Image"] != "new" || p["Count"] != "2" {
		t.Errorf("the artifact holds %v", files)
	}
	w.job("stack.export", `{"stack":"service","atLeast":{"Count":-1}}`, "", nil, []string{"Exported"})
	files = unzipped(t, w.get("artifacts", "Exported"))
	if err := json.Unmarshal([]byte(files["configuration.json"]), &configuration); err != nil || configuration.Parameters["Count"] != "0" {
		t.Errorf("a number that is enough becomes another: %v %v", files, err)
	}
	for parameters, want := range map[string]string{
		`{"stack":"none"}`: `no stack "none"`, `{"stack":"service","paramters":{}}`: `"paramters"`, `{"stack":"service","parameters":{"Nope":"1"}}`: "no parameter Nope", `{"stack":"service","atLeast":{"Image":1}}`: "no number",
	} {
		if told := w.job("stack.export", parameters, "", nil, []string{"Exported"}); !strings.Contains(failure(told), want) {
			t.Errorf("%s told %v", parameters, told)
		}
	}
	if bytes.Contains(w.get("artifacts", "Exported"), []byte("hidden")) {
		t.Error("a secret was exported")
	}
}
