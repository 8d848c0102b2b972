package cloudformation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

const member = "111111111111"

// stackSetRoles makes the two roles that a stack set works with.
func (w *world) stackSetRoles() {
	w.t.Helper()
	trust := func(principal string) *string {
		return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"}]}`)
	}
	for account, role := range map[string]*iam.CreateRoleInput{
		"000000000000": {RoleName: aws.String("AWSCloudFormationStackSetAdministrationRole"), AssumeRolePolicyDocument: trust(`{"Service":"cloudformation.amazonaws.com"}`)},
		member:         {RoleName: aws.String("AWSCloudFormationStackSetExecutionRole"), AssumeRolePolicyDocument: trust(`{"AWS":"000000000000"}`)},
	} {
		if _, err := iam.NewFromConfig(w.as(account, "us-east-1")).CreateRole(w.t.Context(), role); err != nil {
			w.t.Fatal(err)
		}
	}
}

// as is the configuration of another account's client in a region.
func (w *world) as(account, region string) aws.Config {
	cfg := w.Config.Copy()
	cfg.Region, cfg.Credentials = region, credentials.NewStaticCredentialsProvider(account, "test", "")
	return cfg
}

// operation waits for the end of a stack set's operation.
func (w *world) operation(set, id string) types.StackSetOperationStatus {
	w.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-tick.C {
		out, err := w.cfn.DescribeStackSetOperation(w.t.Context(), &cloudformation.DescribeStackSetOperationInput{StackSetName: &set, OperationId: &id})
		if err != nil {
			w.t.Fatal(err)
		}
		if s := out.StackSetOperation.Status; s != types.StackSetOperationStatusRunning && s != types.StackSetOperationStatusQueued && s != types.StackSetOperationStatusStopping {
			return s
		}
	}
	w.t.Fatalf("operation %s of %s does not end", id, set)
	return ""
}

// instances are the instances of a set, one a line: account region status detail.
func (w *world) instances(set string) string {
	w.t.Helper()
	out, err := w.cfn.ListStackInstances(w.t.Context(), &cloudformation.ListStackInstancesInput{StackSetName: &set})
	if err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	for _, i := range out.Summaries {
		lines = append(lines, fmt.Sprintf("%s %s %s %s", *i.Account, *i.Region, i.Status, i.StackInstanceStatus.DetailedStatus))
	}
	return strings.Join(lines, "\n")
}

func TestStackSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, set := t.Context(), aws.String("everywhere")
	body := func(value any) *string {
		return aws.String(template(t, map[string]any{"P": parameter(value, "Name", "colour")},
			"Parameters", map[string]any{"Colour": map[string]any{"Type": "String", "Default": "red"}}))
	}
	colours := func() (got []string) {
		for _, region := range []string{"eu-west-1", "us-east-1"} {
			out, err := ssm.NewFromConfig(w.as(member, region)).GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("colour")})
			if err != nil {
				got = append(got, "-")
				continue
			}
			got = append(got, *out.Parameter.Value)
		}
		return got
	}
	made, err := w.cfn.CreateStackSet(ctx, &cloudformation.CreateStackSetInput{StackSetName: set, TemplateBody: body(ref("Colour"))})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(*made.StackSetId, "everywhere:") {
		t.Errorf("id is %s", *made.StackSetId)
	}
	_, err = w.cfn.CreateStackSet(ctx, &cloudformation.CreateStackSetInput{StackSetName: set, TemplateBody: body("x")})
	refused(t, err, "NameAlreadyExistsException", "already exists")

	// Without the roles an operation fails, and says which role it misses.
	create := &cloudformation.CreateStackInstancesInput{StackSetName: set, Accounts: []string{member}, Regions: []string{"us-east-1", "eu-west-1"}}
	out, err := w.cfn.CreateStackInstances(ctx, create)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.operation(*set, *out.OperationId); got != types.StackSetOperationStatusFailed {
		t.Errorf("without roles: %s", got)
	}
	if got, want := w.instances(*set), member+" eu-west-1 OUTDATED CANCELLED\n"+member+" us-east-1 OUTDATED FAILED"; got != want {
		t.Errorf("instances are\n%s\nwant\n%s", got, want)
	}
	results, err := w.cfn.ListStackSetOperationResults(ctx, &cloudformation.ListStackSetOperationResultsInput{StackSetName: set, OperationId: out.OperationId,
		Filters: []types.OperationResultFilter{{Name: types.OperationResultFilterNameOperationResultStatus, Values: aws.String("FAILED")}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(results.Summaries) != 1 || !strings.Contains(*results.Summaries[0].StatusReason, "should have 'AWSCloudFormationStackSetAdministrationRole' role") {
		t.Errorf("results are %+v", results.Summaries)
	}

	w.stackSetRoles()
	create.OperationId = nil // the client filled it in
	create.ParameterOverrides = []types.Parameter{{ParameterKey: aws.String("Colour"), ParameterValue: aws.String("blue")}}
	if out, err = w.cfn.CreateStackInstances(ctx, create); err != nil {
		t.Fatal(err)
	}
	if got := w.operation(*set, *out.OperationId); got != types.StackSetOperationStatusSucceeded {
		t.Fatalf("with roles: %s", got)
	}
	if got := colours(); !slices.Equal(got, []string{"blue", "blue"}) {
		t.Errorf("parameters are %v", got)
	}

	// An update of one instance's overrides, then of the set.
	updated, err := w.cfn.UpdateStackInstances(ctx, &cloudformation.UpdateStackInstancesInput{StackSetName: set, Accounts: []string{member}, Regions: []string{"eu-west-1"}})
	if err != nil {
		t.Fatal(err)
	}
	w.operation(*set, *updated.OperationId)
	if got := colours(); !slices.Equal(got, []string{"red", "blue"}) {
		t.Errorf("after the overrides were dropped in one region: %v", got)
	}
	changed, err := w.cfn.UpdateStackSet(ctx, &cloudformation.UpdateStackSetInput{StackSetName: set, TemplateBody: body("green"), OperationId: aws.String("paint")})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.operation(*set, *changed.OperationId); got != types.StackSetOperationStatusSucceeded || *changed.OperationId != "paint" {
		t.Errorf("update %s: %s", *changed.OperationId, got)
	}
	if got := colours(); !slices.Equal(got, []string{"green", "green"}) {
		t.Errorf("after the update: %v", got)
	}
	_, err = w.cfn.DeleteStackSet(ctx, &cloudformation.DeleteStackSetInput{StackSetName: set})
	refused(t, err, "StackSetNotEmptyException", "StackSet is not empty")

	// Somebody paints one of them over.
	if _, err := ssm.NewFromConfig(w.as(member, "eu-west-1")).PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("colour"), Value: aws.String("green!"), Overwrite: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	drift, err := w.cfn.DetectStackSetDrift(ctx, &cloudformation.DetectStackSetDriftInput{StackSetName: set})
	if err != nil {
		t.Fatal(err)
	}
	w.operation(*set, *drift.OperationId)
	described, err := w.cfn.DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{StackSetName: set})
	if err != nil {
		t.Fatal(err)
	}
	if d := described.StackSet.StackSetDriftDetectionDetails; d == nil || d.DriftStatus != types.StackSetDriftStatusDrifted || *d.DriftedStackInstancesCount != 1 || *d.InSyncStackInstancesCount != 1 {
		t.Errorf("drift is %+v", d)
	}

	// One is let go, the other deleted with its stack.
	for region, retain := range map[string]bool{"eu-west-1": true, "us-east-1": false} {
		gone, err := w.cfn.DeleteStackInstances(ctx, &cloudformation.DeleteStackInstancesInput{StackSetName: set, Accounts: []string{member}, Regions: []string{region}, RetainStacks: &retain})
		if err != nil {
			t.Fatal(err)
		}
		w.operation(*set, *gone.OperationId)
	}
	if got := colours(); !slices.Equal(got, []string{"green!", "-"}) || w.instances(*set) != "" {
		t.Errorf("after deletion: %v, instances %q", got, w.instances(*set))
	}
	if _, err := w.cfn.DeleteStackSet(ctx, &cloudformation.DeleteStackSetInput{StackSetName: set}); err != nil {
		t.Fatal(err)
	}
	_, err = w.cfn.DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{StackSetName: set})
	refused(t, err, "StackSetNotFoundException", "StackSet everywhere not found")
	ops, err := w.cfn.ListStackSetOperations(ctx, &cloudformation.ListStackSetOperationsInput{StackSetName: made.StackSetId})
	if err != nil {
		t.Fatal(err)
	}
	if len(ops.Summaries) != 7 || ops.Summaries[6].Action != types.StackSetOperationActionCreate {
		t.Errorf("operations are %+v", ops.Summaries)
	}
}

// A failure within the tolerance does not end an operation.
func TestStackSetTolerance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stackSetRoles()
	ctx, set := t.Context(), aws.String("tolerant")
	// What has that name already cannot be made again.
	if _, err := ssm.NewFromConfig(w.as(member, "eu-west-1")).PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("taken"), Value: aws.String("x"), Type: "String"}); err != nil {
		t.Fatal(err)
	}
	body := template(t, map[string]any{"P": parameter("1", "Name", "taken")})
	if _, err := w.cfn.CreateStackSet(ctx, &cloudformation.CreateStackSetInput{StackSetName: set, TemplateBody: &body}); err != nil {
		t.Fatal(err)
	}
	out, err := w.cfn.CreateStackInstances(ctx, &cloudformation.CreateStackInstancesInput{StackSetName: set, Accounts: []string{member}, Regions: []string{"us-east-1", "eu-west-1", "eu-west-2"},
		OperationPreferences: &types.StackSetOperationPreferences{FailureToleranceCount: aws.Int32(1), RegionOrder: []string{"eu-west-1", "us-east-1"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.operation(*set, *out.OperationId); got != types.StackSetOperationStatusSucceeded {
		t.Errorf("operation is %s", got)
	}
	want := member + " eu-west-1 OUTDATED FAILED\n" + member + " eu-west-2 CURRENT SUCCEEDED\n" + member + " us-east-1 CURRENT SUCCEEDED"
	if got := w.instances(*set); got != want {
		t.Errorf("instances are\n%s\nwant\n%s", got, want)
	}
	i, err := w.cfn.DescribeStackInstance(ctx, &cloudformation.DescribeStackInstanceInput{StackSetName: set, StackInstanceAccount: aws.String(member), StackInstanceRegion: aws.String("eu-west-1")})
	if err != nil {
		t.Fatal(err)
	}
	if got := aws.ToString(i.StackInstance.StatusReason); !strings.Contains(got, "ResourceLogicalId:P, ResourceType:AWS::SSM::Parameter") {
		t.Errorf("reason is %q", got)
	}
}

func TestStackSetRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	body := template(t, map[string]any{"P": parameter(ref("Must"))}, "Parameters", map[string]any{"Must": map[string]any{"Type": "String"}})
	role := template(t, map[string]any{"R": map[string]any{"Type": "AWS::IAM::Role", "Properties": map[string]any{"AssumeRolePolicyDocument": map[string]any{}}}})
	for name, test := range map[string]struct {
		change        func(*cloudformation.CreateStackSetInput)
		code, message string
	}{
		"name": {func(in *cloudformation.CreateStackSetInput) { in.StackSetName = aws.String("1st") }, "ValidationError", "at 'stackSetName' failed to satisfy constraint"},
		"organization": {func(in *cloudformation.CreateStackSetInput) {
			in.PermissionModel = types.PermissionModelsServiceManaged
		}, "ValidationError", "You must enable organizations access to operate a service managed stack set"},
		"no template": {func(in *cloudformation.CreateStackSetInput) { in.TemplateBody = nil }, "ValidationError", "Exactly one of"},
		"no value":    {func(in *cloudformation.CreateStackSetInput) {}, "ValidationError", "Parameters: [Must] must have values"},
		"unknown value": {func(in *cloudformation.CreateStackSetInput) {
			in.Parameters = []types.Parameter{{ParameterKey: aws.String("X"), ParameterValue: aws.String("1")}}
		}, "ValidationError", "Parameters: [X] do not exist in the template"},
		"capability": {func(in *cloudformation.CreateStackSetInput) { in.TemplateBody = &role }, "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]"},
	} {
		in := &cloudformation.CreateStackSetInput{StackSetName: aws.String("set"), TemplateBody: &body}
		test.change(in)
		_, err := w.cfn.CreateStackSet(ctx, in)
		t.Log(name)
		refused(t, err, test.code, test.message)
	}
}
