package cloudformation_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// TestBusy refuses a second operation on a stack, in AWS's words.
func TestBusy(t *testing.T) {
	t.Parallel()
	met, proceed := make(chan struct{}), make(chan struct{})
	var waiting atomic.Bool
	w, end := life(t, t.TempDir(), func(context.Context, string, any) error {
		if waiting.CompareAndSwap(true, false) {
			close(met)
			<-proceed
		}
		return nil
	})
	defer end()
	ctx, name := t.Context(), aws.String("s")
	body := func(value string) *string { return aws.String(template(t, map[string]any{"P": parameter(value)})) }
	update := func(value string) error {
		_, err := w.cfn.UpdateStack(ctx, &sdk.UpdateStackInput{StackName: name, TemplateBody: body(value)})
		return err
	}
	waiting.Store(true)
	out, err := w.cfn.CreateStack(ctx, &sdk.CreateStackInput{StackName: name, TemplateBody: body("1")})
	if err != nil {
		t.Fatal(err)
	}
	<-met
	refused(t, update("2"), "ValidationError", "Stack:"+*out.StackId+" is in CREATE_IN_PROGRESS state and can not be updated.")
	close(proceed)
	w.settled("s")
	met, proceed = make(chan struct{}), make(chan struct{})
	waiting.Store(true)
	if err := update("2"); err != nil {
		t.Fatal(err)
	}
	<-met
	refused(t, update("3"), "ValidationError", "Stack:"+*out.StackId+" is in UPDATE_IN_PROGRESS state and can not be updated.")
	_, err = w.cfn.CreateStack(ctx, &sdk.CreateStackInput{StackName: name, TemplateBody: body("1")})
	refused(t, err, "AlreadyExistsException", "Stack [s] already exists")
	close(proceed)
	w.settled("s")
}

// TestTimeout gives up a creation that takes longer than TimeoutInMinutes; the
// time goes on while the cloud is off.
func TestTimeout(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	met, after := death("slow")
	w, end := life(t, dir, after)
	out, err := w.cfn.CreateStack(t.Context(), &sdk.CreateStackInput{StackName: aws.String("s"), TimeoutInMinutes: aws.Int32(5),
		TemplateBody: aws.String(template(t, map[string]any{"Slow": parameter("1", "Name", "slow"), "Next": parameter("1", "!DependsOn", "Slow")}))})
	if err != nil {
		t.Fatal(err)
	}
	<-met
	end()
	w, end = lifeAt(t, dir, nothing, func() time.Time { return time.Now().Add(10 * time.Minute) })
	defer end()
	s := w.settled(*out.StackId)
	if s.StackStatus != types.StackStatusRollbackComplete || aws.ToInt32(s.TimeoutInMinutes) != 5 {
		t.Errorf("%s", s.StackStatus)
	}
	if story := w.story(*out.StackId); !strings.Contains(story, "s ROLLBACK_IN_PROGRESS: Stack creation time exceeded the specified timeout. Rollback requested by user.") {
		t.Errorf("events:\n%s", story)
	}
	if left := w.parameters(); len(left) > 0 {
		t.Errorf("parameters are left: %v", left)
	}
}
