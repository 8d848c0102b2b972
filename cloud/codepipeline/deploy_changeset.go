package codepipeline

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// replaceChangeSet makes a change set in the place of the one of that name. One
// without changes is a success.
func (d *deployment) replaceChangeSet(ctx context.Context) (*cftypes.Stack, error) {
	name, err := d.need("ChangeSetName")
	if err != nil {
		return nil, err
	}
	if d.record.ExternalID == "" {
		id, err := d.createChangeSet(ctx, name)
		if err != nil {
			return nil, err
		}
		if err := d.started(ctx, id, stackURL(d.caller.Region, id)); err != nil {
			return nil, err
		}
	}
	set, err := d.changeSet(ctx, d.record.ExternalID)
	switch {
	case err != nil:
		return nil, err
	case set == nil:
		return nil, failed(types.FailureTypeJobFailed, "The change set %s was deleted while the action was following it", name)
	case set.Status == cftypes.ChangeSetStatusCreateComplete || unchanged(set):
		return d.describe(ctx, d.stack)
	}
	return nil, failed(types.FailureTypeJobFailed, "Change set %s of stack %s has status %s: %s", name, d.stack, set.Status, aws.ToString(set.StatusReason))
}

func (d *deployment) createChangeSet(ctx context.Context, name string) (string, error) {
	t, err := d.template(ctx)
	if err != nil {
		return "", err
	}
	stack, err := d.settled(ctx, d.stack)
	if err != nil {
		return "", err
	}
	kind := cftypes.ChangeSetTypeUpdate
	if noStackYet(stack) {
		kind = cftypes.ChangeSetTypeCreate
	}
	if stack != nil {
		if err := d.deleteChangeSet(ctx, name); err != nil {
			return "", err
		}
	}
	out, err := d.client.CreateChangeSet(ctx, &cloudformation.CreateChangeSetInput{
		StackName: &d.stack, ChangeSetName: &name, ChangeSetType: kind, TemplateBody: t.body, TemplateURL: t.url,
		Parameters: t.parameters, Tags: t.tags, Capabilities: t.capabilities, RoleARN: t.role, ClientToken: &d.record.ID,
	})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.Id), nil
}

func (d *deployment) deleteChangeSet(ctx context.Context, name string) error {
	_, err := d.client.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{StackName: &d.stack, ChangeSetName: &name})
	if noChangeSet(err) {
		return nil
	}
	return err
}

func noChangeSet(err error) bool {
	var none *cftypes.ChangeSetNotFoundException
	return errors.As(err, &none)
}

// changeSet waits until the change set is made or failed, and gives it; nil if
// there is none.
func (d *deployment) changeSet(ctx context.Context, name string) (*cloudformation.DescribeChangeSetOutput, error) {
	for since := time.Now(); ; {
		set, err := d.client.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{ChangeSetName: &name, StackName: &d.stack})
		switch {
		case noChangeSet(err):
			return nil, nil
		case err != nil:
			return nil, err
		case set.Status != cftypes.ChangeSetStatusCreatePending && set.Status != cftypes.ChangeSetStatusCreateInProgress:
			return set, nil
		}
		if err := pause(ctx, since, stackPause); err != nil {
			return nil, err
		}
	}
}

// unchanged tells whether a change set failed for there is nothing to change.
func unchanged(set *cloudformation.DescribeChangeSetOutput) bool {
	reason := aws.ToString(set.StatusReason)
	return set.Status == cftypes.ChangeSetStatusFailed &&
		(strings.Contains(reason, "didn't contain changes") || strings.Contains(reason, "No updates are to be performed"))
}

// executeChangeSet executes the change set that an earlier action has made.
// For one without changes there is nothing to do.
func (d *deployment) executeChangeSet(ctx context.Context) (*cftypes.Stack, error) {
	if d.record.ExternalID != "" {
		return d.follow(ctx)
	}
	name, err := d.need("ChangeSetName")
	if err != nil {
		return nil, err
	}
	set, err := d.changeSet(ctx, name)
	switch {
	case err != nil:
		return nil, err
	case set == nil:
		return nil, failed(types.FailureTypeJobFailed, "ChangeSet [%s] does not exist", name)
	case unchanged(set):
		return d.describe(ctx, d.stack)
	}
	if _, err := d.settled(ctx, d.stack); err != nil {
		return nil, err
	}
	_, err = d.client.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{
		ChangeSetName: set.ChangeSetId, StackName: &d.stack, ClientRequestToken: &d.record.ID,
	})
	if err != nil {
		return nil, err
	}
	return d.begun(ctx, aws.ToString(set.StackId))
}
