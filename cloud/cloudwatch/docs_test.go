package cloudwatch_test

import (
	"flag"
	"reflect"
	"testing"

	api "github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"ouro/cloud/cloudtest"
	"ouro/cloud/cloudwatch"
)

var update = flag.Bool("update", false, "write the page anew")

// limited is what operations do not do that AWS's do.
var limited = map[string]string{
	"GetMetricData":       "expressions (metric math, Metrics Insights) are refused; of statistics there are the simple ones and percentiles",
	"GetMetricStatistics": "of extended statistics there are percentiles; data of more than 15 days ago are gone",
	"ListMetrics":         "accounts that are linked for observability are not there",
	"PutCompositeAlarm":   "suppressors of actions and the function AT_LEAST are refused",
	"PutMetricAlarm":      "alarms on metric math, on anomalies, on queries and on extended statistics that are no percentiles are kept, and never evaluated",
	"PutMetricData":       "entities are refused",
	"TagResource":         "alarms alone",
}

// TestPage keeps docs/cloudwatch.md true to the operations that are there.
func TestPage(t *testing.T) {
	t.Parallel()
	rows := cloudtest.Operations(t, reflect.TypeFor[*cloudwatch.Service](), reflect.TypeFor[*api.Client](), map[string]map[string]string{"limited": limited})
	cloudtest.Page(t, "../../docs/cloudwatch.md", docsIntroduction+rows, *update)
}

const docsIntroduction = `# CloudWatch on the local cloud

` + "`go test ./cloud/cloudwatch -run TestPage -update`" + ` writes this page.

Metrics that callers put, and alarms that are really evaluated from them. (CloudWatch Logs is a service of its own, and is there too.)

` + "```sh" + `
export AWS_ENDPOINT_URL=http://127.0.0.1:4566
aws cloudwatch put-metric-alarm --alarm-name errors --namespace Shop --metric-name Errors --statistic Sum --period 60 \
  --evaluation-periods 1 --threshold 5 --comparison-operator GreaterThanThreshold --treat-missing-data notBreaching
aws cloudwatch put-metric-data --namespace Shop --metric-name Errors --value 9
aws cloudwatch describe-alarm-history --alarm-name errors        # within the next minute: OK to ALARM
aws cloudwatch set-alarm-state --alarm-name errors --state-value ALARM --state-reason rehearsal   # or at once, until the next evaluation
` + "```" + `

## Metrics

Data of seconds (` + "`StorageResolution` 1" + `) and minutes are kept for 15 days, by metric and unit, with their values, so that percentiles are right; data given as
statistic sets have none, as on AWS.

*AWS's services send no metrics of their own here*: no ` + "`AWS/Lambda`, no `AWS/ECS`" + `. An alarm on such a metric has no data, and is INSUFFICIENT_DATA, or what it treats
missing data as. Try what hangs on it with ` + "`set-alarm-state`" + `.

## Alarms

An alarm is evaluated when it is put, and then every minute, those with periods of less than a minute every ten seconds, over a window of whole minutes (or ten
seconds) that slides; a set state lasts at least as long. Where data are missing the alarm looks two periods further back, as in AWS's example; what is then
still missing is treated as the alarm says, by AWS's tables. A restart goes on where it was.

An alarm on metric math, on anomalies, on queries or on another extended statistic than a percentile is kept, so that templates with one can be deployed. Nobody
evaluates it: it is INSUFFICIENT_DATA, for a reason that says so, until ` + "`set-alarm-state`" + ` sets another state, which stays.

A change of state is in the alarm's history; EventBridge hears ` + "`CloudWatch Alarm State Change`" + `; and the alarm's actions are executed: SNS topics get AWS's message (a topic's
own policy has to let ` + "`cloudwatch.amazonaws.com`" + ` in, the default one does), Lambda functions AWS's event (their policies have to let
` + "`lambda.alarms.cloudwatch.amazonaws.com`" + ` in). Actions of every other kind (EC2, Auto Scaling, Systems Manager) are kept, and told in the history as failed.

Who watches alarms here: [CodeDeploy](codedeploy.md), which stops a deployment and rolls it back, and [CloudFormation](cloudformation.md), whose rollback triggers they are.

## Operations

Operations that are not there answer with AWS's error for an operation that is not known.

| operation | |
|---|---|
`
