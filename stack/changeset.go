package stack

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// ChangeSetID is the ARN of the change set of that name, or of that ARN; empty
// if there is none.
func ChangeSetID(ctx context.Context, api PreviewAPI, stack, name string) (string, error) {
	out, err := api.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{StackName: optional(stack), ChangeSetName: &name})
	none := (*types.ChangeSetNotFoundException)(nil)
	if errors.As(err, &none) || err != nil && strings.HasSuffix(message(err), "does not exist") {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("describing change set %q of stack %q: %w", name, stack, err)
	}
	return aws.ToString(out.ChangeSetId), nil
}

// ReadChangeSet tells what the change set with that ARN would change.
func ReadChangeSet(ctx context.Context, api PreviewAPI, id string) (*Changes, error) {
	out, err := api.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{ChangeSetName: &id})
	if err != nil {
		return nil, fmt.Errorf("describing change set %q: %w", id, err)
	}
	s, err := Describe(ctx, api, aws.ToString(out.StackId))
	if err != nil {
		return nil, err
	}
	return describeChanges(ctx, api, id, s == nil || s.StackStatus == types.StackStatusReviewInProgress)
}
