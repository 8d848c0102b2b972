package apigateway_test

import (
	"os/exec"
	"strings"
	"testing"

	"ouro/cloud/cloudtest"
	"ouro/cloud/cloudtest/tool"
)

// TestCLI asks with the unmodified AWS CLI, for REST APIs and HTTP APIs.
func TestCLI(t *testing.T) {
	t.Parallel()
	tool.Find(t, "aws")
	c := cloudtest.New(t)
	run := func(line string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "aws", append(strings.Fields(line), "--output", "text", "--endpoint-url", c.URL, "--region", "us-east-1")...)
		cmd.Env = append(cmd.Environ(), "AWS_ACCESS_KEY_ID=000000000000", "AWS_SECRET_ACCESS_KEY=test")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("aws %s: %v\n%s", line, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	id, root, _ := strings.Cut(run("apigateway create-rest-api --name r --tags a=1 --query [id,rootResourceId]"), "\t")
	method := " --rest-api-id " + id + " --resource-id " + root + " --http-method GET"
	run("apigateway put-method --authorization-type NONE" + method)
	run(`apigateway put-integration --type MOCK --request-templates {"application/json":"{\"statusCode\":200}"}` + method)
	run("apigateway put-integration-response --status-code 200 --selection-pattern=" + method)
	run("apigateway create-deployment --stage-name live --rest-api-id " + id)
	run("apigateway update-stage --stage-name live --patch-operations op=replace,path=/variables/v,value=1 --rest-api-id " + id)
	for line, want := range map[string]string{
		"apigateway get-stages --query item[].variables.v --rest-api-id " + id:                            "1",
		"apigateway get-resources --query items[].path --rest-api-id " + id:                               "/",
		"apigateway get-tags --query tags.a --resource-arn arn:aws:apigateway:us-east-1::/restapis/" + id: "1",
		"apigatewayv2 create-api --name h --protocol-type HTTP --query Name":                              "h",
	} {
		if got := run(line); got != want {
			t.Errorf("aws %s: %q, want %q", line, got, want)
		}
	}
	if got := run("apigatewayv2 get-apis --query Items[].Name"); got != "h" {
		t.Errorf("HTTP APIs: %s", got)
	}
	w := &world{Cloud: c, t: t}
	w.call("GET", id+"/live", "", 200, "")
}
