package cloudformation_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// drift detects the drift of a stack and waits for the end.
func (w *world) drift(name string, only ...string) *cloudformation.DescribeStackDriftDetectionStatusOutput {
	w.t.Helper()
	begun, err := w.cfn.DetectStackDrift(w.t.Context(), &cloudformation.DetectStackDriftInput{StackName: &name, LogicalResourceIds: only})
	if err != nil {
		w.t.Fatal(err)
	}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-tick.C {
		out, err := w.cfn.DescribeStackDriftDetectionStatus(w.t.Context(), &cloudformation.DescribeStackDriftDetectionStatusInput{StackDriftDetectionId: begun.StackDriftDetectionId})
		if err != nil {
			w.t.Fatal(err)
		}
		if out.DetectionStatus != types.StackDriftDetectionStatusDetectionInProgress {
			return out
		}
	}
	w.t.Fatal("the detection does not end")
	return nil
}

func TestDrift(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	w.create("drifting", template(t, map[string]any{
		"Colour": parameter("blue", "Name", "colour", "Description", "of the door"),
		"Secret": parameter(ref("Word"), "Name", "secret"),
		"Log":    map[string]any{"Type": "AWS::Logs::LogGroup", "Properties": map[string]any{"LogGroupName": "log", "RetentionInDays": "7"}},
		"Bucket": map[string]any{"Type": "AWS::S3::Bucket", "Properties": map[string]any{"BucketName": "drifting-bucket", "VersioningConfiguration": map[string]any{"Status": "Enabled"}}},
		"Role": map[string]any{"Type": "AWS::IAM::Role", "Properties": map[string]any{"Path": "/door/", "AssumeRolePolicyDocument": map[string]any{
			"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Principal": map[string]any{"Service": []any{"ec2.amazonaws.com"}}, "Action": "sts:AssumeRole"}}}}},
		"Queue":  map[string]any{"Type": "AWS::SQS::Queue", "Properties": map[string]any{"QueueName": "line", "DelaySeconds": "5"}},
		"Handle": map[string]any{"Type": "AWS::CloudFormation::WaitConditionHandle"},
	}, "Parameters", map[string]any{"Word": map[string]any{"Type": "String", "Default": "sesame", "NoEcho": true}}))

	if got := w.drift("drifting"); got.StackDriftStatus != types.StackDriftStatusInSync || aws.ToInt32(got.DriftedStackResourceCount) != 0 {
		t.Errorf("an untouched stack is %s: %s", got.StackDriftStatus, w.drifts("drifting"))
	}
	if got := w.describe("drifting").DriftInformation; got.StackDriftStatus != types.StackDriftStatusInSync || got.LastCheckTimestamp == nil {
		t.Errorf("the stack says %+v", got)
	}

	for _, name := range []string{"colour", "secret"} {
		if _, err := ssm.NewFromConfig(w.Config).PutParameter(ctx, &ssm.PutParameterInput{Name: &name, Value: aws.String("green"), Overwrite: aws.Bool(true), Description: aws.String("of the door")}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s3.NewFromConfig(w.Config, func(o *s3.Options) { o.UsePathStyle = true }).PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: aws.String("drifting-bucket"),
		VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusSuspended}}); err != nil {
		t.Fatal(err)
	}
	if _, err := cloudcontrol.NewFromConfig(w.Config).UpdateResource(ctx, &cloudcontrol.UpdateResourceInput{TypeName: aws.String("AWS::SQS::Queue"),
		Identifier: aws.String(w.physical("drifting", "Queue")), PatchDocument: aws.String(`[{"op":"replace","path":"/DelaySeconds","value":9}]`)}); err != nil {
		t.Fatal(err)
	}
	if _, err := cloudwatchlogs.NewFromConfig(w.Config).DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String("log")}); err != nil {
		t.Fatal(err)
	}
	if got := w.drift("drifting"); got.StackDriftStatus != types.StackDriftStatusDrifted || aws.ToInt32(got.DriftedStackResourceCount) != 5 {
		t.Errorf("a changed stack is %s, %d", got.StackDriftStatus, aws.ToInt32(got.DriftedStackResourceCount))
	}
	want := map[string]string{
		"Bucket": "MODIFIED /VersioningConfiguration/Status NOT_EQUAL Enabled Suspended",
		"Colour": "MODIFIED /Value NOT_EQUAL blue green",
		"Log":    "DELETED",
		"Queue":  "MODIFIED /DelaySeconds NOT_EQUAL 5 9",
		"Role":   "IN_SYNC",
		"Secret": "MODIFIED /Value NOT_EQUAL **** ****",
	}
	got := w.drifts("drifting")
	for id, line := range want {
		if got[id] != line {
			t.Errorf("%s is %q, want %q", id, got[id], line)
		}
	}
	if len(got) != len(want) {
		t.Errorf("drifts are %v", got)
	}
	one, err := w.cfn.DetectStackResourceDrift(ctx, &cloudformation.DetectStackResourceDriftInput{StackName: aws.String("drifting"), LogicalResourceId: aws.String("Colour")})
	if err != nil || one.StackResourceDrift.StackResourceDriftStatus != types.StackResourceDriftStatusModified {
		t.Errorf("one resource: %v, %v", one, err)
	}
	_, err = w.cfn.DetectStackResourceDrift(ctx, &cloudformation.DetectStackResourceDriftInput{StackName: aws.String("drifting"), LogicalResourceId: aws.String("Handle")})
	refused(t, err, "ValidationError", "Drift detection is not supported for resource type AWS::CloudFormation::WaitConditionHandle")
	_, err = w.cfn.DetectStackDrift(ctx, &cloudformation.DetectStackDriftInput{StackName: aws.String("none")})
	refused(t, err, "ValidationError", "does not exist")
}

// drifts are what the last detection found, by logical id.
func (w *world) drifts(name string) map[string]string {
	w.t.Helper()
	out, err := w.cfn.DescribeStackResourceDrifts(w.t.Context(), &cloudformation.DescribeStackResourceDriftsInput{StackName: &name})
	if err != nil {
		w.t.Fatal(err)
	}
	m := map[string]string{}
	for _, d := range out.StackResourceDrifts {
		line := string(d.StackResourceDriftStatus)
		for _, p := range d.PropertyDifferences {
			line += " " + *p.PropertyPath + " " + string(p.DifferenceType) + " " + *p.ExpectedValue + " " + *p.ActualValue
		}
		m[*d.LogicalResourceId] = line
	}
	return m
}
