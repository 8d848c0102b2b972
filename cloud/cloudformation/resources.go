package cloudformation

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
)

// rows are the resources of a stack by logical id. Those that an update has
// removed are not among them; those of a deleted stack are.
func (s *Service) rows(ctx context.Context, stack ledger.Stack) ([]*ledger.Resource, error) {
	rows, err := s.ledger.ResourcesOf(ctx, door.CallerFrom(ctx).Scope(), stack.UUID)
	if err != nil {
		return nil, err
	}
	out := make([]*ledger.Resource, 0, len(rows))
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		out = append(out, rows[id])
	}
	return out, nil
}

// ListStackResources lists a stack's resources.
func (s *Service) ListStackResources(ctx context.Context, in *cloudformation.ListStackResourcesInput) (*cloudformation.ListStackResourcesOutput, error) {
	stack, err := s.find(ctx, in.StackName, noStackWithID)
	if err != nil {
		return nil, err
	}
	rows, err := s.rows(ctx, stack)
	if err != nil {
		return nil, err
	}
	page, next, err := paged(rows, in.NextToken)
	if err != nil {
		return nil, err
	}
	drifts, err := s.resourceDrifts(ctx, stack)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.ListStackResourcesOutput{NextToken: next}
	for _, r := range page {
		drift := driftOut(drifts, r)
		out.StackResourceSummaries = append(out.StackResourceSummaries, types.StackResourceSummary{
			LogicalResourceId: aws.String(r.LogicalID), PhysicalResourceId: text(r.Now.Physical), ResourceType: aws.String(r.Type),
			ResourceStatus: r.Status, ResourceStatusReason: text(r.Reason), LastUpdatedTimestamp: aws.Time(r.Time),
			DriftInformation: &types.StackResourceDriftInformationSummary{StackResourceDriftStatus: drift.StackResourceDriftStatus, LastCheckTimestamp: drift.LastCheckTimestamp},
		})
	}
	return out, nil
}

// DescribeStackResources tells of a stack's resources, all or one, or finds
// the stack that a physical resource belongs to.
func (s *Service) DescribeStackResources(ctx context.Context, in *cloudformation.DescribeStackResourcesInput) (*cloudformation.DescribeStackResourcesOutput, error) {
	stack, err := s.stackOfResource(ctx, in)
	if err != nil {
		return nil, err
	}
	rows, err := s.rows(ctx, stack)
	if err != nil {
		return nil, err
	}
	drifts, err := s.resourceDrifts(ctx, stack)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.DescribeStackResourcesOutput{}
	wanted := aws.ToString(in.LogicalResourceId)
	for _, r := range rows {
		if wanted != "" && wanted != r.LogicalID {
			continue
		}
		if len(out.StackResources) == pageSize {
			break // AWS's limit for this operation, which has no pages
		}
		out.StackResources = append(out.StackResources, types.StackResource{
			StackId: aws.String(stack.ID), StackName: aws.String(stack.Name), LogicalResourceId: aws.String(r.LogicalID),
			PhysicalResourceId: text(r.Now.Physical), ResourceType: aws.String(r.Type), ResourceStatus: r.Status,
			ResourceStatusReason: text(r.Reason), Timestamp: aws.Time(r.Time),
			DriftInformation: driftOut(drifts, r),
		})
	}
	if wanted != "" && len(out.StackResources) == 0 {
		return nil, invalid("Resource %s does not exist for stack %s", wanted, stack.Name)
	}
	return out, nil
}

func (s *Service) stackOfResource(ctx context.Context, in *cloudformation.DescribeStackResourcesInput) (ledger.Stack, error) {
	if in.StackName != nil {
		return s.find(ctx, in.StackName, noStackWithID)
	}
	physical := aws.ToString(in.PhysicalResourceId)
	if physical == "" {
		return ledger.Stack{}, invalid("One of StackName or PhysicalResourceId must be specified")
	}
	stacks, err := s.stacks(ctx, func(st ledger.Stack) bool { return st.Status != types.StackStatusDeleteComplete })
	if err != nil {
		return ledger.Stack{}, err
	}
	for _, st := range stacks {
		rows, err := s.rows(ctx, st)
		if err != nil {
			return ledger.Stack{}, err
		}
		if slices.ContainsFunc(rows, func(r *ledger.Resource) bool { return r.Now.Physical == physical }) {
			return st, nil
		}
	}
	return ledger.Stack{}, invalid("Stack for %s does not exist", physical)
}

// DescribeStackResource tells of one resource.
func (s *Service) DescribeStackResource(ctx context.Context, in *cloudformation.DescribeStackResourceInput) (*cloudformation.DescribeStackResourceOutput, error) {
	stack, err := s.find(ctx, in.StackName, "Stack '%s' does not exist")
	if err != nil {
		return nil, err
	}
	rows, err := s.ledger.ResourcesOf(ctx, door.CallerFrom(ctx).Scope(), stack.UUID)
	if err != nil {
		return nil, err
	}
	drifts, err := s.resourceDrifts(ctx, stack)
	if err != nil {
		return nil, err
	}
	r := rows[aws.ToString(in.LogicalResourceId)]
	if r == nil {
		return nil, invalid("Resource %s does not exist for stack %s", aws.ToString(in.LogicalResourceId), stack.Name)
	}
	metadata := r.Metadata
	if metadata == "" {
		metadata = "{}"
	}
	return &cloudformation.DescribeStackResourceOutput{StackResourceDetail: &types.StackResourceDetail{
		StackId: aws.String(stack.ID), StackName: aws.String(stack.Name), LogicalResourceId: aws.String(r.LogicalID),
		PhysicalResourceId: text(r.Now.Physical), ResourceType: aws.String(r.Type), ResourceStatus: r.Status,
		ResourceStatusReason: text(r.Reason), LastUpdatedTimestamp: aws.Time(r.Time), Metadata: &metadata,
		DriftInformation: driftOut(drifts, r),
	}}, nil
}
