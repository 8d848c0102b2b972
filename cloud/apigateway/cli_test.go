package apigateway_test

import (
	"strings"
	"testing"

	"ouro/cloud/cloudtest"
	"ouro/cloud/cloudtest/tool"
)

// TestCLI asks with the unmodified AWS CLI, for REST APIs and HTTP APIs.
func TestCLI(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	cli := tool.NewAWS(t, c.URL)
	run := func(line string) string {
		t.Helper()
		return cli.Run(strings.Fields(line)...)
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
