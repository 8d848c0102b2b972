package cloudformation_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// TestEmptyLists asks for lists of nothing. They are answered as empty lists,
// not left out: a program in Python takes response["Exports"] for granted.
func TestEmptyLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ask := func(name string, answer func(ctx context.Context) (any, error), fields ...string) {
		t.Helper()
		out, err := answer(t.Context())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		for _, field := range fields {
			if list := reflect.Indirect(reflect.ValueOf(out)).FieldByName(field); list.IsNil() || list.Len() > 0 {
				t.Errorf("%s: %s is %v, nil %t", name, field, list, list.IsNil())
			}
		}
	}
	ask("stacks", func(ctx context.Context) (any, error) {
		return w.cfn.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{})
	}, "Stacks")
	ask("summaries", func(ctx context.Context) (any, error) {
		return w.cfn.ListStacks(ctx, &cloudformation.ListStacksInput{})
	}, "StackSummaries")
	ask("exports", func(ctx context.Context) (any, error) {
		return w.cfn.ListExports(ctx, &cloudformation.ListExportsInput{})
	}, "Exports")
	ask("types", func(ctx context.Context) (any, error) {
		return w.cfn.ListTypes(ctx, &cloudformation.ListTypesInput{})
	}, "TypeSummaries")
	ask("stack sets", func(ctx context.Context) (any, error) {
		return w.cfn.ListStackSets(ctx, &cloudformation.ListStackSetsInput{})
	}, "Summaries")

	body := `{"Resources":{"W":{"Type":"AWS::CloudFormation::WaitConditionHandle"},"P":{"Type":"AWS::SSM::Parameter","Properties":{"Type":"String","Value":"1"}}}}`
	s := aws.String(*w.create("s", body).StackName)
	ask("a stack", func(context.Context) (any, error) { return w.describe("s"), nil }, "Tags", "NotificationARNs")
	ask("a template", func(ctx context.Context) (any, error) {
		return w.cfn.ValidateTemplate(ctx, &cloudformation.ValidateTemplateInput{TemplateBody: &body})
	}, "Parameters")
	ask("change sets", func(ctx context.Context) (any, error) {
		return w.cfn.ListChangeSets(ctx, &cloudformation.ListChangeSetsInput{StackName: s})
	}, "Summaries")
	w.changeSet("s", "c", types.ChangeSetTypeUpdate, body)
	ask("a change set", func(ctx context.Context) (any, error) {
		return w.cfn.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{StackName: s, ChangeSetName: aws.String("c")})
	}, "Changes", "NotificationARNs")
	ask("drifts", func(ctx context.Context) (any, error) {
		return w.cfn.DescribeStackResourceDrifts(ctx, &cloudformation.DescribeStackResourceDriftsInput{StackName: s})
	}, "StackResourceDrifts")
	ask("a resource in sync", func(ctx context.Context) (any, error) {
		out, err := w.cfn.DetectStackResourceDrift(ctx, &cloudformation.DetectStackResourceDriftInput{StackName: s, LogicalResourceId: aws.String("P")})
		if err != nil {
			return nil, err
		}
		return out.StackResourceDrift, nil
	}, "PropertyDifferences")

	set := aws.String("set")
	if _, err := w.cfn.CreateStackSet(t.Context(), &cloudformation.CreateStackSetInput{StackSetName: set, TemplateBody: &body}); err != nil {
		t.Fatal(err)
	}
	ask("instances", func(ctx context.Context) (any, error) {
		return w.cfn.ListStackInstances(ctx, &cloudformation.ListStackInstancesInput{StackSetName: set})
	}, "Summaries")
	ask("operations", func(ctx context.Context) (any, error) {
		return w.cfn.ListStackSetOperations(ctx, &cloudformation.ListStackSetOperationsInput{StackSetName: set})
	}, "Summaries")
}
