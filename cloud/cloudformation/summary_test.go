package cloudformation_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestSummary tells what a template asks for and contains.
func TestSummary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const body = `
AWSTemplateFormatVersion: "2010-09-09"
Description: two of them
Metadata: {Made: by hand}
Parameters:
  Size: {Type: String, Default: s, AllowedValues: [s, l], Description: how large, NoEcho: true}
Resources:
  B: {Type: AWS::S3::Bucket}
  A: {Type: AWS::S3::Bucket}
  R: {Type: AWS::IAM::Role, Properties: {RoleName: r, AssumeRolePolicyDocument: {}}}
`
	out, err := w.cfn.GetTemplateSummary(t.Context(), &cloudformation.GetTemplateSummaryInput{TemplateBody: aws.String(body)})
	if err != nil {
		t.Fatal(err)
	}
	want := &cloudformation.GetTemplateSummaryOutput{
		Version: aws.String("2010-09-09"), Description: aws.String("two of them"), Metadata: aws.String(`{"Made":"by hand"}`),
		Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}, CapabilitiesReason: aws.String("The following resource(s) require capabilities: [AWS::IAM::Role]"),
		Parameters: []types.ParameterDeclaration{{ParameterKey: aws.String("Size"), ParameterType: aws.String("String"), DefaultValue: aws.String("s"),
			Description: aws.String("how large"), NoEcho: aws.Bool(true), ParameterConstraints: &types.ParameterConstraints{AllowedValues: []string{"s", "l"}}}},
		ResourceTypes: []string{"AWS::IAM::Role", "AWS::S3::Bucket"},
		ResourceIdentifierSummaries: []types.ResourceIdentifierSummary{
			{ResourceType: aws.String("AWS::IAM::Role"), LogicalResourceIds: []string{"R"}, ResourceIdentifiers: []string{"RoleName"}},
			{ResourceType: aws.String("AWS::S3::Bucket"), LogicalResourceIds: []string{"B", "A"}, ResourceIdentifiers: []string{"BucketName"}}},
	}
	ignore := cmpopts.IgnoreFields(cloudformation.GetTemplateSummaryOutput{}, "ResultMetadata")
	if diff := cmp.Diff(want, out, ignore, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(cloudformation.GetTemplateSummaryOutput{}, types.ParameterDeclaration{},
		types.ParameterConstraints{}, types.ResourceIdentifierSummary{})); diff != "" {
		t.Errorf("the summary (-want +got):\n%s", diff)
	}
	unknown := &cloudformation.GetTemplateSummaryInput{TemplateBody: aws.String(`{"Resources": {"X": {"Type": "My::Own::Type"}}}`),
		TemplateSummaryConfig: &types.TemplateSummaryConfig{TreatUnrecognizedResourceTypesAsWarnings: aws.Bool(true)}}
	if out, err := w.cfn.GetTemplateSummary(t.Context(), unknown); err != nil || !cmp.Equal(out.Warnings.UnrecognizedResourceTypes, []string{"My::Own::Type"}) {
		t.Errorf("a type that nobody knows gives %v, %v", out, err)
	}
	w.changeSet("review", "c", types.ChangeSetTypeCreate, template(t, map[string]any{"P": parameter("1")}))
	_, err = w.cfn.GetTemplateSummary(t.Context(), &cloudformation.GetTemplateSummaryInput{StackName: aws.String("review")})
	refused(t, err, "ValidationError", "GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.")
	_, err = w.cfn.GetTemplateSummary(t.Context(), &cloudformation.GetTemplateSummaryInput{StackName: aws.String("review"), TemplateBody: aws.String(body)})
	refused(t, err, "ValidationError", "Exactly one of StackName, TemplateBody, TemplateURL, and StackSetName must be specified.")
}

// TestEvents asks for the events of one operation, and for failures.
func TestEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, name := t.Context(), aws.String("s")
	w.create("s", template(t, map[string]any{"P": parameter("1", "Name", "p")}))
	updated, err := w.cfn.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: name, TemplateBody: aws.String(template(t, map[string]any{"P": parameter("2", "Name", "p"), "Bad": broken("P")}))})
	if err != nil {
		t.Fatal(err)
	}
	s := w.settled("s")
	if len(s.LastOperations) != 1 || s.LastOperations[0].OperationType != types.OperationTypeUpdateStack || *s.LastOperations[0].OperationId != *updated.OperationId {
		t.Errorf("the last operations are %v", s.LastOperations)
	}
	events := func(in *cloudformation.DescribeEventsInput) (lines []string) {
		out, err := w.cfn.DescribeEvents(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range out.OperationEvents {
			lines = append(lines, string(e.EventType)+" "+*e.LogicalResourceId+" "+string(e.ResourceStatus))
		}
		return lines
	}
	all := events(&cloudformation.DescribeEventsInput{OperationId: updated.OperationId})
	if all[len(all)-1] != "STACK_EVENT s UPDATE_IN_PROGRESS" || all[0] != "STACK_EVENT s UPDATE_ROLLBACK_COMPLETE" {
		t.Errorf("the events of the update are %v", all)
	}
	failed := events(&cloudformation.DescribeEventsInput{StackName: name, Filters: &types.EventFilter{FailedEvents: aws.Bool(true)}})
	if diff := cmp.Diff([]string{"PROVISIONING_ERROR Bad CREATE_FAILED"}, failed); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
}

// TestEventTimes compares the times of events: in milliseconds, as clients
// read them, each is later than the one before.
func TestEventTimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for value := range 2 {
		resources := map[string]any{}
		for i := range 20 {
			resources[fmt.Sprintf("P%d", i)] = parameter(fmt.Sprint(value))
		}
		if body := template(t, resources); value == 0 {
			w.create("s", body)
		} else {
			w.update("s", body)
		}
	}
	out, err := w.cfn.DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{StackName: aws.String("s")})
	if err != nil || len(out.StackEvents) < 80 {
		t.Fatalf("%d events, %v", len(out.StackEvents), err)
	}
	for i, next := range out.StackEvents[:len(out.StackEvents)-1] { // newest first
		if ev := out.StackEvents[i+1]; ev.Timestamp.UnixMilli() >= next.Timestamp.UnixMilli() {
			t.Errorf("%s %s at %v, %s %s at %v", *ev.LogicalResourceId, ev.ResourceStatus, ev.Timestamp, *next.LogicalResourceId, next.ResourceStatus, next.Timestamp)
		}
	}
}

// TestReadings asks for what else there is to be told.
func TestReadings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	limits, err := w.cfn.DescribeAccountLimits(ctx, &cloudformation.DescribeAccountLimitsInput{})
	if err != nil || len(limits.AccountLimits) != 3 || *limits.AccountLimits[0].Name != "StackLimit" {
		t.Errorf("limits are %v, %v", limits, err)
	}
	cost, err := w.cfn.EstimateTemplateCost(ctx, &cloudformation.EstimateTemplateCostInput{TemplateBody: aws.String(leaf),
		Parameters: []types.Parameter{{ParameterKey: aws.String("Value"), ParameterValue: aws.String("1")}}})
	if err != nil || !strings.HasPrefix(aws.ToString(cost.Url), "http://calculator.s3.amazonaws.com/calc5.html?key=cloudformation/") {
		t.Errorf("the estimate is %v, %v", cost, err)
	}
	w.create("s", template(t, map[string]any{"P": parameter("1")}))
	for name, c := range map[string]struct {
		do            func(context.Context) error
		code, message string
	}{
		"an export that nobody imports": {func(ctx context.Context) error {
			_, err := w.cfn.ListImports(ctx, &cloudformation.ListImportsInput{ExportName: aws.String("E")})
			return err
		}, "ValidationError", "Export 'E' is not imported by any stack."},
		"a template of nothing": {func(ctx context.Context) error {
			_, err := w.cfn.GetTemplate(ctx, &cloudformation.GetTemplateInput{})
			return err
		}, "ValidationError", "StackName is required if ChangeSetName is not specified."},
		"a stage that is none": {func(ctx context.Context) error {
			_, err := w.cfn.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: aws.String("s"), TemplateStage: "Half"})
			return err
		}, "ValidationError", "Value 'Half' at 'templateStage' failed to satisfy constraint: Member must satisfy enum value set: [Original, Processed]"},
		"a change set of no stack": {func(ctx context.Context) error {
			_, err := w.cfn.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{ChangeSetName: aws.String("c")})
			return err
		}, "ValidationError", "StackName must be specified if ChangeSetName is not specified as an ARN."},
		"an update to cancel": {func(ctx context.Context) error {
			_, err := w.cfn.CancelUpdateStack(ctx, &cloudformation.CancelUpdateStackInput{StackName: aws.String("s")})
			return err
		}, "ValidationError", "CancelUpdateStack cannot be called from current stack status"},
		"a signal too late": {func(ctx context.Context) error {
			_, err := w.cfn.SignalResource(ctx, &cloudformation.SignalResourceInput{StackName: aws.String("s"), LogicalResourceId: aws.String("P"), UniqueId: aws.String("1"), Status: types.ResourceSignalStatusSuccess})
			return err
		}, "ValidationError", "is in CREATE_COMPLETE state and cannot be signaled"},
		"an operation that is not here": {func(ctx context.Context) error {
			_, err := w.cfn.StartResourceScan(ctx, &cloudformation.StartResourceScanInput{})
			return err
		}, "InvalidAction", "StartResourceScan"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, c.do(ctx), c.code, c.message) })
	}
}
