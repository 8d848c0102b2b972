package codepipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	smithy "github.com/aws/smithy-go"
)

// cloudFormation does one operation on a stack or a change set.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
type cloudFormation struct{}

// deployment is the action at work.
type deployment struct {
	*job
	client *cloudformation.Client
	stack  string // its name
}

// modes are the action modes.
var modes = map[string]func(*deployment, context.Context) (*cftypes.Stack, error){
	"CREATE_UPDATE":      (*deployment).createUpdate,
	"REPLACE_ON_FAILURE": (*deployment).replaceOnFailure,
	"CHANGE_SET_REPLACE": (*deployment).replaceChangeSet,
	"CHANGE_SET_EXECUTE": (*deployment).executeChangeSet,
	"DELETE_ONLY":        (*deployment).deleteOnly,
}

func (cloudFormation) run(ctx context.Context, j *job) (*outcome, error) {
	mode, ok := modes[j.config["ActionMode"]]
	if !ok {
		return nil, failed(types.FailureTypeConfigurationError, "the action mode %q of action %q is unknown", j.config["ActionMode"], j.record.Name)
	}
	name, err := j.need("StackName")
	if err != nil {
		return nil, err
	}
	d := &deployment{job: j, client: cloudformation.NewFromConfig(j.as), stack: name}
	stack, err := mode(d, ctx)
	if err != nil {
		return nil, err
	}
	return d.finish(ctx, stack)
}

// finish writes the stack's outputs as variables and, if wanted, as the output
// artifact.
func (d *deployment) finish(ctx context.Context, stack *cftypes.Stack) (*outcome, error) {
	out := &outcome{variables: map[string]string{}, none: true, summary: d.summary(stack)}
	if stack != nil {
		for _, o := range stack.Outputs {
			out.variables[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
		}
	}
	file := d.config["OutputFileName"]
	if file == "" || len(d.record.Outputs) == 0 {
		return out, nil
	}
	content, err := json.Marshal(out.variables)
	if err != nil {
		return nil, fmt.Errorf("writing the outputs of stack %q: %w", d.stack, err)
	}
	out.none = false
	return out, d.writeArtifact(ctx, d.record.Outputs[0], file, content)
}

func (d *deployment) summary(stack *cftypes.Stack) string {
	if stack == nil {
		return "Deployment succeeded: stack " + d.stack
	}
	return "Deployment succeeded: stack " + d.stack + " is in status " + string(stack.StackStatus)
}

// describe gives the stack, or nil if there is none.
func (d *deployment) describe(ctx context.Context, stack string) (*cftypes.Stack, error) {
	out, err := d.client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stack})
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "ValidationError" && strings.HasSuffix(api.ErrorMessage(), "does not exist") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(out.Stacks) == 0 {
		return nil, nil
	}
	return &out.Stacks[0], nil
}

const stackPause = 500 * time.Millisecond

// settled waits until no operation runs on the stack and gives it; nil if there
// is none. AWS's action fails when somebody else's operation is under way. Here
// one is waited for, since a pipeline that updates itself starts anew from
// within the update of its own stack: the new execution comes to that stack
// while its update is still cleaning up.
func (d *deployment) settled(ctx context.Context, stack string) (*cftypes.Stack, error) {
	for since := time.Now(); ; {
		found, err := d.describe(ctx, stack)
		if err != nil || found == nil || !busy(found.StackStatus) {
			return found, err
		}
		if err := pause(ctx, since, stackPause); err != nil {
			return nil, err
		}
	}
}

// busy tells whether an operation runs on a stack of that status. In
// REVIEW_IN_PROGRESS a stack waits for its first change set to be executed.
func busy(s cftypes.StackStatus) bool {
	return strings.HasSuffix(string(s), "_IN_PROGRESS") && s != cftypes.StackStatusReviewInProgress
}

// noStackYet tells whether the next operation must create the stack.
func noStackYet(s *cftypes.Stack) bool {
	return s == nil || s.StackStatus == cftypes.StackStatusReviewInProgress || s.StackStatus == cftypes.StackStatusDeleteComplete
}

func (d *deployment) createUpdate(ctx context.Context) (*cftypes.Stack, error) {
	if d.record.ExternalID != "" {
		return d.follow(ctx)
	}
	t, err := d.template(ctx)
	if err != nil {
		return nil, err
	}
	stack, err := d.settled(ctx, d.stack)
	if err != nil {
		return nil, err
	}
	if noStackYet(stack) {
		return d.create(ctx, t)
	}
	return d.update(ctx, t, stack)
}

func (d *deployment) create(ctx context.Context, t *templateInput) (*cftypes.Stack, error) {
	out, err := d.client.CreateStack(ctx, &cloudformation.CreateStackInput{
		StackName: &d.stack, TemplateBody: t.body, TemplateURL: t.url, Parameters: t.parameters, Tags: t.tags,
		Capabilities: t.capabilities, RoleARN: t.role, StackPolicyBody: t.policy, ClientRequestToken: &d.record.ID,
	})
	if err != nil {
		return nil, err
	}
	return d.begun(ctx, aws.ToString(out.StackId))
}

func (d *deployment) update(ctx context.Context, t *templateInput, stack *cftypes.Stack) (*cftypes.Stack, error) {
	out, err := d.client.UpdateStack(ctx, &cloudformation.UpdateStackInput{
		StackName: &d.stack, TemplateBody: t.body, TemplateURL: t.url, Parameters: t.parameters, Tags: t.tags,
		Capabilities: t.capabilities, RoleARN: t.role, StackPolicyBody: t.policy, ClientRequestToken: &d.record.ID,
	})
	var api smithy.APIError
	if errors.As(err, &api) && strings.Contains(api.ErrorMessage(), "No updates are to be performed") {
		return stack, nil
	}
	if err != nil {
		return nil, err
	}
	return d.begun(ctx, aws.ToString(out.StackId))
}

// begun keeps which stack's operation the action has started, and follows it.
func (d *deployment) begun(ctx context.Context, id string) (*cftypes.Stack, error) {
	if err := d.started(ctx, id, stackURL(d.caller.Region, id)); err != nil {
		return nil, err
	}
	return d.follow(ctx)
}

func (d *deployment) follow(ctx context.Context) (*cftypes.Stack, error) {
	stack, err := d.settled(ctx, d.record.ExternalID)
	switch {
	case err != nil:
		return nil, err
	case stack == nil:
		return nil, failed(types.FailureTypeJobFailed, "The stack %s was deleted while the action was following it", d.stack)
	case stack.StackStatus == cftypes.StackStatusCreateComplete, stack.StackStatus == cftypes.StackStatusUpdateComplete, stack.StackStatus == cftypes.StackStatusImportComplete:
		return stack, nil
	}
	return nil, d.stackFailure(ctx, stack)
}

// replaceable are the statuses from which REPLACE_ON_FAILURE deletes a stack
// before it creates it again.
var replaceable = map[cftypes.StackStatus]bool{
	cftypes.StackStatusRollbackComplete: true, cftypes.StackStatusRollbackFailed: true, cftypes.StackStatusCreateFailed: true,
	cftypes.StackStatusDeleteFailed: true, cftypes.StackStatusUpdateRollbackFailed: true,
}

func (d *deployment) replaceOnFailure(ctx context.Context) (*cftypes.Stack, error) {
	if d.record.ExternalID == "" {
		stack, err := d.settled(ctx, d.stack)
		if err != nil {
			return nil, err
		}
		if stack != nil && replaceable[stack.StackStatus] {
			if err := d.delete(ctx, stack); err != nil {
				return nil, err
			}
		}
	}
	return d.createUpdate(ctx)
}

func (d *deployment) deleteOnly(ctx context.Context) (*cftypes.Stack, error) {
	stack, err := d.settled(ctx, d.stack)
	if err != nil || stack == nil {
		return nil, err
	}
	id := aws.ToString(stack.StackId)
	if err := d.started(ctx, id, stackURL(d.caller.Region, id)); err != nil {
		return nil, err
	}
	return nil, d.delete(ctx, stack)
}

// delete deletes the stack and waits until it is gone.
func (d *deployment) delete(ctx context.Context, stack *cftypes.Stack) error {
	_, err := d.client.DeleteStack(ctx, &cloudformation.DeleteStackInput{
		StackName: stack.StackId, RoleARN: optional(d.config["RoleArn"]), ClientRequestToken: aws.String(d.record.ID + "-delete"),
	})
	if err != nil {
		return err
	}
	gone, err := d.settled(ctx, aws.ToString(stack.StackId))
	if err != nil || gone == nil || gone.StackStatus == cftypes.StackStatusDeleteComplete {
		return err
	}
	return d.stackFailure(ctx, gone)
}
