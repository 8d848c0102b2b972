package cloudformation_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

func (w *world) stackSet(name string) error {
	w.t.Helper()
	_, err := w.cfn.CreateStackSet(w.t.Context(), &cloudformation.CreateStackSetInput{
		StackSetName: &name, TemplateBody: aws.String(template(w.t, map[string]any{"P": parameter("v", "Name", name)})),
	})
	return err
}

// TestOperationIDsOfTwoSets: an operation's id is its set's own, and so are the
// results under it.
func TestOperationIDsOfTwoSets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, set := range []string{"first", "second"} {
		if err := w.stackSet(set); err != nil {
			t.Fatal(err)
		}
		_, err := w.cfn.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{
			StackSetName: &set, OperationId: aws.String("same"), Accounts: []string{fmt.Sprintf("%012d", i+1)}, Regions: []string{"us-east-1"}})
		if err != nil {
			t.Fatal(err)
		}
		w.operation(set, "same")
	}
	for i, set := range []string{"first", "second"} {
		out, err := w.cfn.ListStackSetOperationResults(t.Context(), &cloudformation.ListStackSetOperationResultsInput{StackSetName: &set, OperationId: aws.String("same")})
		if err != nil || len(out.Summaries) != 1 || *out.Summaries[0].Account != fmt.Sprintf("%012d", i+1) {
			t.Errorf("the results of %s: %+v, %v", set, out, err)
		}
	}
}

// TestStackSetNamesAreTakenOnce by requests at the same time.
func TestStackSetNamesAreTakenOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { errs[i] = w.stackSet("one") })
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		switch {
		case err == nil:
			made++
		case !strings.Contains(err.Error(), "NameAlreadyExistsException"):
			t.Error(err)
		}
	}
	if made != 1 {
		t.Errorf("%d sets were made of one name", made)
	}
}

// TestTargetsOfStackSets: what names no region is none, and a set has no more
// targets than CloudFormation works on.
func TestTargetsOfStackSets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.stackSet("wide"); err != nil {
		t.Fatal(err)
	}
	var accounts, regions []string
	for i := range 4_000 {
		accounts = append(accounts, fmt.Sprintf("%012d", i))
	}
	for i := range 30 {
		regions = append(regions, fmt.Sprintf("us-east-%d", i))
	}
	for _, c := range []struct {
		accounts, regions []string
		want              string
	}{
		{accounts[:1], []string{"us-east-1/x"}, "at 'regions' failed to satisfy constraint"},
		{accounts, regions, "more than 100000 stack instances"},
	} {
		_, err := w.cfn.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{StackSetName: aws.String("wide"), Accounts: c.accounts, Regions: c.regions,
			OperationPreferences: &types.StackSetOperationPreferences{}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d accounts, regions %v: %v", len(c.accounts), c.regions, err)
		}
	}
}

// TestSecretsOfStackSets: the values of NoEcho parameters reach the stacks, but
// are shown nowhere and lie readable nowhere.
func TestSecretsOfStackSets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stackSetRoles()
	ctx, set := t.Context(), aws.String("secretive")
	parameters := func(value string) []types.Parameter {
		return []types.Parameter{{ParameterKey: aws.String("Secret"), ParameterValue: &value}}
	}
	body := template(t, map[string]any{"P": parameter(ref("Secret"), "Name", "told")}, "Parameters", map[string]any{"Secret": map[string]any{"Type": "String", "NoEcho": true}})
	if _, err := w.cfn.CreateStackSet(ctx, &cloudformation.CreateStackSetInput{StackSetName: set, TemplateBody: &body, Parameters: parameters("of-the-set")}); err != nil {
		t.Fatal(err)
	}
	for region, overrides := range map[string][]types.Parameter{"us-east-1": nil, "eu-west-1": parameters("of-the-instance")} {
		out, err := w.cfn.CreateStackInstances(ctx, &cloudformation.CreateStackInstancesInput{StackSetName: set, Accounts: []string{member}, Regions: []string{region}, ParameterOverrides: overrides})
		if err != nil {
			t.Fatal(err)
		}
		if s := w.operation(*set, *out.OperationId); s != types.StackSetOperationStatusSucceeded {
			t.Errorf("%s: %s", region, s)
		}
		want := map[string]string{"us-east-1": "of-the-set", "eu-west-1": "of-the-instance"}[region]
		got, err := ssm.NewFromConfig(w.as(member, region)).GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("told")})
		if err != nil || *got.Parameter.Value != want {
			t.Errorf("%s: %+v, %v", region, got, err)
		}
	}
	described, err := w.cfn.DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{StackSetName: set})
	if err != nil || *described.StackSet.Parameters[0].ParameterValue != "****" {
		t.Errorf("the set shows %+v, %v", described, err)
	}
	instance, err := w.cfn.DescribeStackInstance(ctx, &cloudformation.DescribeStackInstanceInput{StackSetName: set, StackInstanceAccount: aws.String(member), StackInstanceRegion: aws.String("eu-west-1")})
	if err != nil || *instance.StackInstance.ParameterOverrides[0].ParameterValue != "****" {
		t.Errorf("the instance shows %+v, %v", instance, err)
	}
	if _, err := w.cfn.UpdateStackSet(ctx, &cloudformation.UpdateStackSetInput{StackSetName: set, UsePreviousTemplate: aws.Bool(true),
		Parameters: []types.Parameter{{ParameterKey: aws.String("Secret"), UsePreviousValue: aws.Bool(true)}}}); err != nil {
		t.Errorf("with the value that it had: %v", err)
	}
}
