package lambda_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ouro/cloud/cloudtest/tool"
)

// TestCLI drives the service with the AWS CLI as it is.
func TestCLI(t *testing.T) {
	t.Parallel()
	tool.Find(t, "python3")
	w, dir := newWorld(t), t.TempDir()
	cli := tool.NewAWS(t, w.URL, "lambda")
	cli.Dir = dir
	for name, b := range map[string][]byte{
		"f.zip":  zipped(t, map[string]string{"app.py": "import lib\ndef handler(event, context):\n    return {'lib': lib.NAME, 'a': event['a']}\n"}),
		"p.json": []byte(`{"a":7}`),
		"l.zip":  zipped(t, map[string]string{"python/lib.py": "NAME = 'one'\n"}),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ args, want string }{
		{"publish-layer-version --layer-name lib --zip-file fileb://l.zip --compatible-runtimes python3.12 --query LayerVersionArn", prefix + "layer:lib:1"},
		{"create-function --function-name f --runtime python3.12 --handler app.handler --role " + w.role + " --zip-file fileb://f.zip --timeout 60 --layers " + prefix + "layer:lib:1 --query State", "Active"},
		{"invoke --function-name f --payload fileb://p.json out.json --query ExecutedVersion", "$LATEST"},
		{"publish-version --function-name f --query Version", "1"},
		{"list-layer-versions --layer-name lib --query LayerVersions[0].Version", "1"},
		{"get-layer-version-by-arn --arn " + prefix + "layer:lib:1 --query Version", "1"},
		{"invoke --function-name none out2.json", "An error occurred (ResourceNotFoundException) when calling the Invoke operation: Function not found: " + prefix + "function:none"},
	} {
		got, _ := cli.Try(strings.Split(c.args, " ")...) // errors are told by what it says
		if !strings.Contains(got, c.want) {
			t.Errorf("aws lambda %s\nsays %s\nwant %s", c.args, got, c.want)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "out.json")); err != nil || string(b) != `{"lib": "one", "a": 7}` {
		t.Errorf("the answer is %s, %v", b, err)
	}
}
