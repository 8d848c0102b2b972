package apigateway_test

import (
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	api "github.com/aws/aws-sdk-go-v2/service/apigateway"
	apiv2 "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"

	"ouro/cloud/apigateway"
	"ouro/cloud/apigatewayv2"
	"ouro/cloud/cloudtest"
)

var update = flag.Bool("update", false, "write the page's tables anew")

// limited is what operations do not do that AWS's do.
var limited = map[string]string{
	"CreateDeployment":  "canaries and cache clusters are refused",
	"CreateAuthorizer":  "Cognito user pools are refused",
	"CreateRestApi":     "resource policies and endpoint types are kept, and change nothing",
	"CreateStage":       "canaries and cache clusters are refused",
	"ImportRestApi":     "models are not kept; what the operations refuse is refused here too",
	"PutIntegration":    "AWS_PROXY with functions, HTTP_PROXY and MOCK; templates are fixed text with $context and $stageVariables",
	"PutMethod":         "NONE and CUSTOM; API keys and request validators are refused",
	"PutRestApi":        "as ImportRestApi",
	"UpdateIntegration": "as PutIntegration",
	"UpdateMethod":      "as PutMethod",
	"UpdateStage":       "caches, canaries and client certificates are refused; levels of execution logs are kept, and nothing is logged",
}

var limitedV2 = map[string]string{
	"CreateApi":         "WebSocket APIs are refused",
	"CreateAuthorizer":  "Lambda authorizers",
	"CreateIntegration": "AWS_PROXY with functions, and HTTP_PROXY; parameter mapping is refused",
	"CreateRoute":       "NONE and CUSTOM",
	"UpdateApi":         "what a quick create made is changed by its parts",
}

var absent = map[string]string{"UpdateResource": "resources do not move"}

// TestPage keeps the tables of docs/apis.md true to the operations that are there.
func TestPage(t *testing.T) {
	t.Parallel()
	const file, mark = "../../docs/apis.md", "## Operations of REST APIs\n"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	introduction, _, _ := strings.Cut(string(page), mark)
	const head = "\n| operation | |\n|---|---|\n"
	text := introduction + mark + head +
		cloudtest.Operations(t, reflect.TypeFor[*apigateway.Service](), reflect.TypeFor[*api.Client](), map[string]map[string]string{"limited": limited, "refused": absent}) +
		"\n## Operations of HTTP APIs\n" + head +
		cloudtest.Operations(t, reflect.TypeFor[*apigatewayv2.Service](), reflect.TypeFor[*apiv2.Client](), map[string]map[string]string{"limited": limitedV2})
	cloudtest.Page(t, file, text, *update)
}
