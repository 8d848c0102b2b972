package cloudwatch_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"

	"ouro/cloud/cloudtest"
	"ouro/cloud/cloudtest/tool"
)

// TestCLI drives the service with the AWS CLI as it is.
func TestCLI(t *testing.T) {
	t.Parallel()
	cli := tool.NewAWS(t, cloudtest.New(t).URL, "cloudwatch")
	for _, step := range []struct{ args, want string }{
		{"put-metric-alarm --alarm-name errors --namespace Shop --metric-name Errors --statistic Sum --period 60 --evaluation-periods 1 --threshold 0 --comparison-operator GreaterThanThreshold --dimensions Name=Stage,Value=prod --treat-missing-data ignore --tags Key=team,Value=a", ""},
		{"put-metric-data --namespace Shop --metric-name Errors --value 3 --unit Count --dimensions Stage=prod", ""},
		{"list-metrics --namespace Shop --query Metrics[0].[MetricName,Dimensions[0].Value] --output text", "Errors\tprod"},
		{"describe-alarms --alarm-name-prefix err --query MetricAlarms[].[AlarmName,Threshold,ActionsEnabled,Dimensions[0].Name] --output text", "errors\t0\tTrue\tStage"},
		{"set-alarm-state --alarm-name errors --state-value ALARM --state-reason test", ""},
		{"describe-alarm-history --alarm-name errors --history-item-type StateUpdate --query AlarmHistoryItems[].HistorySummary --output text", "Alarm updated from INSUFFICIENT_DATA to ALARM"},
		{"put-composite-alarm --alarm-name any --alarm-rule ALARM(errors)", ""},
		{"describe-alarms --alarm-types CompositeAlarm --query CompositeAlarms[].[AlarmName,StateValue] --output text", "any\tALARM"},
		{"set-alarm-state --alarm-name none --state-value OK --state-reason x", "An error occurred (ResourceNotFound) when calling the SetAlarmState operation"},
		{"put-metric-data --namespace AWS/X --metric-name Errors --value 3", "An error occurred (InvalidParameterValue) when calling the PutMetricData operation: The value AWS/ for parameter Namespace is invalid."},
		{"put-metric-alarm --alarm-name a --namespace Shop --metric-name Errors --statistic Sum --period 7 --evaluation-periods 1 --threshold 0 --comparison-operator GreaterThanThreshold", "An error occurred (ValidationError) when calling the PutMetricAlarm operation: Metric Period must be 10, 20, 30 or a multiple of 60"},
		{"delete-alarms --alarm-names any errors", ""},
	} {
		if got, _ := cli.Try(strings.Fields(step.args)...); got != step.want && (step.want == "" || !strings.Contains(got, step.want)) {
			t.Errorf("aws cloudwatch %s\nsays %s\nwant %s", step.args, got, step.want)
		}
	}
}

// TestBoto drives the service with boto3, with a body that it packs.
func TestBoto(t *testing.T) {
	t.Parallel()
	python := tool.Find(t, "python3", "-c", "import boto3")
	c := cloudtest.New(t)
	const script = `
import boto3, datetime
cw = boto3.client('cloudwatch')
cw.put_metric_data(Namespace='Shop', MetricData=[{'MetricName': 'Latency%03d' % i, 'Values': [float(i), -2.5], 'Counts': [1, 3], 'StorageResolution': 1} for i in range(900)])
print(sum(len(p['Metrics']) for p in cw.get_paginator('list_metrics').paginate(Namespace='Shop')))
end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=1)
q = {'Id': 'm', 'MetricStat': {'Metric': {'Namespace': 'Shop', 'MetricName': 'Latency007'}, 'Period': 86400, 'Stat': 'Minimum'}}
print([v for p in cw.get_paginator('get_metric_data').paginate(MetricDataQueries=[q], StartTime=end - datetime.timedelta(days=1), EndTime=end) for v in p['MetricDataResults'][0]['Values']])
for i in range(60):
    cw.put_metric_alarm(AlarmName='a%02d' % i, Namespace='Shop', MetricName='Latency007', Statistic='Average', Period=60, EvaluationPeriods=1, Threshold=1.5, ComparisonOperator='LessThanThreshold')
print(sum(len(p['MetricAlarms']) for p in cw.get_paginator('describe_alarms').paginate()))
try:
    cw.describe_alarms(NextToken='!')
except cw.exceptions.InvalidNextToken as e:
    print(e)
cw.get_waiter('alarm_exists').wait(AlarmNames=['a00'], WaiterConfig={'MaxAttempts': 1})
`
	const want = "900\n[-2.5]\n60\nAn error occurred (InvalidNextToken) when calling the DescribeAlarms operation: Invalid NextToken"
	cmd := exec.CommandContext(t.Context(), python, "-c", script)
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+c.URL, "AWS_ACCESS_KEY_ID=000000000000", "AWS_SECRET_ACCESS_KEY=x", "AWS_DEFAULT_REGION=us-east-1")
	if got, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(got)) != want {
		t.Errorf("boto3 says %s, %v\nwant %s", got, err, want)
	}
}

// TestProtocols speaks each of the protocols by hand, without a signature.
func TestProtocols(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	do := func(path, body string, header ...string) (int, http.Header, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, res.Header, string(b)
	}
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	alarm := "&AlarmName=q&Namespace=N&MetricName=M&Statistic=Sum&Period=60&EvaluationPeriods=1&Threshold=1.5&ComparisonOperator=LessThanThreshold&OKActions.member.1=arn:aws:sns:us-east-1:000000000000:t"
	if status, _, body := do("/", "Action=PutMetricAlarm&Version=2010-08-01"+alarm, form...); status != 200 || !strings.Contains(body, "PutMetricAlarmResponse") {
		t.Errorf("query: %d %s", status, body)
	}
	if status, _, body := do("/", "Action=DescribeAlarms&Version=2010-08-01", form...); status != 200 || !strings.Contains(body, "<member>arn:aws:sns:us-east-1:000000000000:t</member>") || !strings.Contains(body, "<Threshold>1.5</Threshold>") {
		t.Errorf("query: %d %s", status, body)
	}
	if status, header, body := do("/", "Action=PutMetricData&Version=2010-08-01&Namespace=N", form...); status != 400 || !strings.Contains(body, "<Type>Sender</Type><Code>MissingParameter</Code>") {
		t.Errorf("query: %d %v %s", status, header, body)
	}
	target := func(op string) []string {
		return []string{"X-Amz-Target", "GraniteServiceVersion20100801." + op, "Content-Type", "application/x-amz-json-1.0"}
	}
	if status, header, body := do("/", "{}", target("DescribeAlarms")...); status != 200 || header.Get("Content-Type") != "application/x-amz-json-1.0" || !strings.Contains(body, `"AlarmName":"q"`) {
		t.Errorf("JSON: %d %v %s", status, header, body)
	}
	if status, header, body := do("/", `{"Namespace":"N"}`, target("PutMetricData")...); status != 400 || header.Get("X-Amzn-Query-Error") != "MissingParameter;Sender" || !strings.Contains(body, "MissingRequiredParameterException") {
		t.Errorf("JSON: %d %v %s", status, header, body)
	}
	path, smithy := "/service/GraniteServiceVersion20100801/operation/", []string{"Smithy-Protocol", "rpc-v2-cbor", "Content-Type", "application/cbor"}
	status, header, body := do(path+"DescribeAlarms", "", smithy...)
	v, err := cbor.Decode([]byte(body))
	if status != 200 || err != nil || header.Get("Smithy-Protocol") != "rpc-v2-cbor" {
		t.Fatalf("CBOR: %d %v %v", status, header, err)
	}
	one := v.(cbor.Map)["MetricAlarms"].(cbor.List)[0].(cbor.Map)
	if _, isTime := one["StateUpdatedTimestamp"].(*cbor.Tag); !isTime || one["AlarmName"] != cbor.String("q") || one["Threshold"] != cbor.Float64(1.5) || one["Period"] != cbor.Uint(60) || one["ActionsEnabled"] != cbor.Bool(true) {
		t.Errorf("CBOR: %#v", one)
	}
	packed := func(b []byte) string {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		if _, err := z.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if status, header, body = do(path+"DeleteAlarms", packed(cbor.Encode(cbor.Map{"AlarmNames": cbor.List{cbor.String("x")}})), append(smithy, "Content-Encoding", "gzip")...); status != 404 || header.Get("X-Amzn-Query-Error") != "ResourceNotFound;Sender" || !strings.Contains(body, "com.amazonaws.cloudwatch#ResourceNotFound") {
		t.Errorf("CBOR: %d %v %q", status, header, body)
	}
	if status, _, body = do(path+"PutMetricData", packed(make([]byte, 2<<20)), append(smithy, "Content-Encoding", "gzip")...); status != 413 {
		t.Errorf("too much: %d %q", status, body)
	}
	big, err := json.Marshal(map[string]string{"Namespace": strings.Repeat("n", 2<<20)})
	if err != nil {
		t.Fatal(err)
	}
	if status, _, body := do("/", string(big), target("PutMetricData")...); status != 413 {
		t.Errorf("too much: %d %s", status, body)
	}
}
