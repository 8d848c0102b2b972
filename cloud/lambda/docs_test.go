package lambda_test

import (
	"flag"
	"reflect"
	"testing"

	lambdaapi "github.com/aws/aws-sdk-go-v2/service/lambda"

	"ouro/cloud/cloudtest"
	"ouro/cloud/lambda"
)

var update = flag.Bool("update", false, "write the page anew")

// limited is what operations do not do that AWS's do.
var limited = map[string]string{
	"CreateFunction":                  "file systems, code signing, capacity providers, tenants and durable functions are refused; VPC, tracing and SnapStart are recorded",
	"UpdateFunctionConfiguration":     "as CreateFunction",
	"UpdateFunctionCode":              "as CreateFunction",
	"Invoke":                          "container images and runtimes that this machine lacks are refused; the concurrency of an account is not diminished by reservations",
	"InvokeWithResponseStream":        "as Invoke",
	"PutProvisionedConcurrencyConfig": "recorded",
	"PutRuntimeManagementConfig":      "recorded: a runtime has one version",
	"PutFunctionRecursionConfig":      "recorded: loops are not looked for",
	"PutFunctionEventInvokeConfig":    "queues are taken as destinations, and nothing is delivered to them",
	"CreateEventSourceMapping":        "refused: there are no queues and no streams",
	"GetEventSourceMapping":           "there is none",
	"UpdateEventSourceMapping":        "there is none",
	"DeleteEventSourceMapping":        "there is none",
	"ListEventSourceMappings":         "always empty",
	"CreateCodeSigningConfig":         "refused: there is no code signing",
	"GetCodeSigningConfig":            "there is none",
	"PutFunctionCodeSigningConfig":    "there is none",
	"ListCodeSigningConfigs":          "always empty",
	"CreateFunctionUrlConfig":         "see above",
	"TagResource":                     "functions only",
	"UntagResource":                   "functions only",
	"ListTags":                        "functions only",
	"PublishVersion":                  "$LATEST.PUBLISHED is refused",
}

// TestPage keeps docs/lambda.md true to the operations that are there.
func TestPage(t *testing.T) {
	t.Parallel()
	operations := cloudtest.Operations(t, reflect.TypeFor[*lambda.Service](), reflect.TypeFor[*lambdaapi.Client](), map[string]map[string]string{"limited": limited})
	cloudtest.Page(t, "../../docs/lambda.md", introduction+operations, *update)
}

const introduction = `# Lambda's API on the local cloud

Functions are made, published and invoked by the same API as on AWS. How they run is in [functions.md](functions.md).

` + "`go test ./cloud/lambda -run TestPage -update`" + ` writes this page.

## What is worth knowing

- *A function is Active at once*, and so is what an update made of it. Waiters of clients need not wait.
- *Roles are real*: a function's role has to exist and to trust lambda.amazonaws.com; its process gets a session of it.
- *Code* comes in the request (50 MB) or from S3, by a version if one is named, and may unpack to 250 MB together with its layers. Archives that lead out of
  their folder are refused. What is stored is kept once for each content, and removed when nothing has it any more.
- *Not run* are functions of container images (PackageType Image): they are kept, their StateReason says so, and Invoke answers InvalidRuntimeException.
  Extensions do not run either: those of layers are not started, and what registers one is refused with a sentence. SnapStart is recorded, with the
  OptimizationStatus Off. Provisioned concurrency is recorded and READY; no process is started for it.
- *Environments and waiting events are encrypted* in the state directory.
- *PublishVersion makes a version only if something changed*: other code, settings or variables.
- *Asynchronous events* are in the store before Invoke answers, and go on after a kill. A function that fails is tried twice more, after one and two
  minutes; one that is throttled is tried again for six hours. Of each function 16 events run at once, the others
  wait in the store. What becomes of an event goes to SNS topics, functions, event buses and buckets; dead letters go to topics. SQS is not there: such a
  destination is logged as not delivered.
- *Permissions* are asked for where another service or another account calls: EventBridge and SNS need a statement in the function's policy. Conditions on
  the caller's account are judged; those on the source's ARN count for the caller.
- *Concurrency*: what is reserved for a function is the most that it gets; above it, Invoke answers TooManyRequestsException.
- *Function URLs* are http://ID.lambda-url.REGION.localhost:PORT/, which browsers and curl find on this machine; for programs that do not resolve such names
  there is http://127.0.0.1:PORT/_lambda/url/ID/. The function's policy has to allow lambda:InvokeFunctionUrl; a URL of the type AWS_IAM takes any
  signature. Web pages of other origins than this machine are kept away, whatever the URL's CORS settings say.
- *Layers* that are deleted stay with the functions that have them; their numbers are not given out again.

## Operations

Operations that are not there answer with the status 501 and a sentence.

| operation | |
|---|---|
`
