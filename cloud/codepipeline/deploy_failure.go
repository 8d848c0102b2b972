package codepipeline

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// stackFailure tells why the operation failed that has left the stack as it is:
// its status, and the first resource that failed with its reason, if the role
// may read the stack's events.
func (d *deployment) stackFailure(ctx context.Context, stack *cftypes.Stack) error {
	text := fmt.Sprintf("The stack %s did not deploy: its status is %s", d.stack, stack.StackStatus)
	if reason := aws.ToString(stack.StackStatusReason); reason != "" {
		text += " (" + strings.TrimSpace(reason) + ")"
	}
	first, err := d.firstFailure(ctx, aws.ToString(stack.StackId))
	if err == nil && first != nil {
		text += fmt.Sprintf(". Resource %s (%s) has status %s: %s",
			aws.ToString(first.LogicalResourceId), aws.ToString(first.ResourceType), first.ResourceStatus, aws.ToString(first.ResourceStatusReason))
	}
	return failed(types.FailureTypeJobFailed, "%s", text)
}

// firstFailure is the earliest failed event of the stack's last operation, or
// nil. Events come newest first; the operation begins where the stack itself
// went into CREATE, UPDATE or DELETE_IN_PROGRESS.
func (d *deployment) firstFailure(ctx context.Context, stack string) (*cftypes.StackEvent, error) {
	var first *cftypes.StackEvent
	pages := cloudformation.NewDescribeStackEventsPaginator(d.client, &cloudformation.DescribeStackEventsInput{StackName: &stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, ev := range page.StackEvents {
			isStack := aws.ToString(ev.PhysicalResourceId) == stack
			switch {
			case isStack && operationStart[ev.ResourceStatus]:
				return first, nil
			case !isStack && strings.HasSuffix(string(ev.ResourceStatus), "_FAILED") && !strings.Contains(aws.ToString(ev.ResourceStatusReason), "cancelled"):
				first = &ev
			}
		}
	}
	return first, nil
}

var operationStart = map[cftypes.ResourceStatus]bool{
	cftypes.ResourceStatusCreateInProgress: true, cftypes.ResourceStatusUpdateInProgress: true, cftypes.ResourceStatusDeleteInProgress: true,
}
