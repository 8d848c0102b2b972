package stack

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Resources are the resources that a stack has made and still has; none of a
// stack that is not there. DescribeStackResources, which tells the same, stops
// at a hundred.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResources.html
func Resources(ctx context.Context, api cloudformation.ListStackResourcesAPIClient, name string) ([]types.StackResourceSummary, error) {
	var all []types.StackResourceSummary
	pages := cloudformation.NewListStackResourcesPaginator(api, &cloudformation.ListStackResourcesInput{StackName: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			if strings.HasSuffix(message(err), "does not exist") {
				return nil, nil
			}
			return nil, fmt.Errorf("listing the resources of stack %q: %w", name, err)
		}
		for _, r := range page.StackResourceSummaries {
			gone := r.ResourceStatus == types.ResourceStatusDeleteComplete || r.ResourceStatus == types.ResourceStatusDeleteSkipped
			if !gone && aws.ToString(r.PhysicalResourceId) != "" {
				all = append(all, r)
			}
		}
	}
	return all, nil
}
