package cloudformation_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	ssmapi "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"
)

// TestContinueUpdateRollback fails a rollback and goes on with it, with and
// without the resource that it failed on.
func TestContinueUpdateRollback(t *testing.T) {
	t.Parallel()
	for name, skip := range map[string][]string{"mended": nil, "skipped": {"A"}} {
		t.Run(name, func(t *testing.T) {
			var broke atomic.Bool
			w, end := life(t, t.TempDir(), func(_ context.Context, name string, in any) error {
				put, ok := in.(*ssmapi.PutParameterInput)
				if ok && (*put.Value == "bad" || broke.Load() && name == "a" && *put.Value == "1") {
					return fmt.Errorf("the parameter store is not well")
				}
				return nil
			})
			defer end()
			w.create("s", template(t, map[string]any{"A": parameter("1", "Name", "a"), "B": parameter("1", "Name", "b")}))
			broke.Store(true)
			s := w.update("s", template(t, map[string]any{"A": parameter("2", "Name", "a"), "B": parameter("bad", "Name", "b", "!DependsOn", "A")}))
			if s.StackStatus != types.StackStatusUpdateRollbackFailed {
				t.Fatalf("%s\n%s", s.StackStatus, w.story("s"))
			}
			_, err := w.cfn.UpdateStack(t.Context(), &sdk.UpdateStackInput{StackName: aws.String("s"), UsePreviousTemplate: aws.Bool(true)})
			refused(t, err, "ValidationError", "is in UPDATE_ROLLBACK_FAILED state and can not be updated.")
			broke.Store(skip != nil)
			if _, err := w.cfn.ContinueUpdateRollback(t.Context(), &sdk.ContinueUpdateRollbackInput{StackName: aws.String("s"), ResourcesToSkip: skip}); err != nil {
				t.Fatal(err)
			}
			if s := w.settled("s"); s.StackStatus != types.StackStatusUpdateRollbackComplete {
				t.Fatalf("%s\n%s", s.StackStatus, w.story("s"))
			}
			if diff := cmp.Diff(map[string]string{"a": "1", "b": "1"}, w.parameters()); diff != "" {
				t.Errorf("parameters (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCancelUpdate(t *testing.T) {
	t.Parallel()
	met, proceed := make(chan struct{}), make(chan struct{})
	w, end := life(t, t.TempDir(), func(_ context.Context, _ string, in any) error {
		if put, ok := in.(*ssmapi.PutParameterInput); ok && *put.Value == "slow" {
			close(met)
			<-proceed
		}
		return nil
	})
	defer end()
	w.create("s", template(t, chain("1", "2")))
	before := w.parameters()
	if _, err := w.cfn.UpdateStack(t.Context(), &sdk.UpdateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(template(t, chain("slow", "3")))}); err != nil {
		t.Fatal(err)
	}
	<-met
	_, err := w.cfn.DeleteStack(t.Context(), &sdk.DeleteStackInput{StackName: aws.String("s")})
	refused(t, err, "ValidationError", "cannot be deleted while in status UPDATE_IN_PROGRESS")
	if _, err := w.cfn.CancelUpdateStack(t.Context(), &sdk.CancelUpdateStackInput{StackName: aws.String("s")}); err != nil {
		t.Fatal(err)
	}
	close(proceed)
	if s := w.settled("s"); s.StackStatus != types.StackStatusUpdateRollbackComplete || !strings.Contains(w.story("s"), "s UPDATE_ROLLBACK_IN_PROGRESS: User Initiated") {
		t.Errorf("%s\n%s", s.StackStatus, w.story("s"))
	}
	if diff := cmp.Diff(before, w.parameters()); diff != "" {
		t.Errorf("parameters (-before +after):\n%s", diff)
	}
}

// TestRole has a stack made with the permissions of a role, which stays with it.
func TestRole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudformation.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	role, err := iam.NewFromConfig(w.Config).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("deploy"), AssumeRolePolicyDocument: &trust})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := iam.NewFromConfig(w.Config).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("deploy"), PolicyName: aws.String("p"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:*","Resource":"*"}]}`)}); err != nil {
		t.Fatal(err)
	}
	body := template(t, map[string]any{"P": parameter("1")})
	s := w.create("s", body, func(in *sdk.CreateStackInput) { in.RoleARN = role.Role.Arn })
	if s.StackStatus != types.StackStatusCreateComplete || aws.ToString(s.RoleARN) != *role.Role.Arn {
		t.Errorf("%s with role %s\n%s", s.StackStatus, aws.ToString(s.RoleARN), w.story("s"))
	}
	s = w.update("s", template(t, map[string]any{"P": parameter("2")}))
	if aws.ToString(s.RoleARN) != *role.Role.Arn {
		t.Errorf("after an update the role is %q", aws.ToString(s.RoleARN))
	}
	_, err = w.cfn.CreateStack(t.Context(), &sdk.CreateStackInput{StackName: aws.String("t"), TemplateBody: &body, RoleARN: aws.String("arn:aws:iam::000000000000:role/none")})
	refused(t, err, "ValidationError", "Role arn:aws:iam::000000000000:role/none is invalid or cannot be assumed")
}
