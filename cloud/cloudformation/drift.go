package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/cloud/store"
)

// driftable are the states of stacks on which drift can be detected
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html).
var driftable = []types.StackStatus{types.StackStatusCreateComplete, types.StackStatusUpdateComplete, types.StackStatusUpdateRollbackComplete,
	types.StackStatusUpdateRollbackFailed, types.StackStatusImportComplete, types.StackStatusImportRollbackComplete}

// DetectStackDrift begins to compare the resources of a stack with their template.
func (s *Service) DetectStackDrift(ctx context.Context, in *cloudformation.DetectStackDriftInput) (*cloudformation.DetectStackDriftOutput, error) {
	caller := door.CallerFrom(ctx)
	stack, err := s.findDriftable(ctx, in.StackName)
	if err != nil {
		return nil, err
	}
	rows, err := s.rows(ctx, stack)
	if err != nil {
		return nil, err
	}
	for _, id := range in.LogicalResourceIds {
		if !slices.ContainsFunc(rows, func(r *ledger.Resource) bool { return r.LogicalID == id }) {
			return nil, invalid("Resource %s does not exist for stack %s", id, stack.Name)
		}
	}
	d := ledger.Detection{ID: s.host.NewID(), Stack: stack.ID, Status: types.StackDriftDetectionStatusDetectionInProgress, Time: s.host.Now()}
	if err := s.ledger.Detections.Insert(ctx, caller.Scope(), d.ID, d); err != nil {
		return nil, err
	}
	s.host.Go("cloudformation: detecting drift of stack "+stack.Name, func(ctx context.Context) {
		s.detect(door.WithCaller(ctx, caller), stack, rows, in.LogicalResourceIds, d)
	})
	return &cloudformation.DetectStackDriftOutput{StackDriftDetectionId: &d.ID}, nil
}

func (s *Service) findDriftable(ctx context.Context, name *string) (ledger.Stack, error) {
	stack, err := s.findLiving(ctx, name, noStack)
	if err == nil && !slices.Contains(driftable, stack.Status) {
		err = invalid("Drift detection cannot be performed on stack [%s] because it is in the status: %s", stack.ID, stack.Status)
	}
	return stack, err
}

// detect does what DetectStackDrift began. Without names it looks at all
// resources.
func (s *Service) detect(ctx context.Context, stack ledger.Stack, rows []*ledger.Resource, only []string, d ledger.Detection) {
	scope := door.CallerFrom(ctx).Scope()
	d.Status, d.Drift = types.StackDriftDetectionStatusDetectionComplete, types.StackDriftStatusInSync
	for _, row := range rows {
		if len(only) > 0 && !slices.Contains(only, row.LogicalID) {
			continue
		}
		r, err := s.detectOne(ctx, stack, row)
		if err != nil {
			d.Status, d.Reason = types.StackDriftDetectionStatusDetectionFailed, fmt.Sprintf("Failed to detect drift on resource [%s]: %v", row.LogicalID, err)
			continue
		}
		if r.Status == types.StackResourceDriftStatusModified || r.Status == types.StackResourceDriftStatusDeleted {
			d.Drift = types.StackDriftStatusDrifted
			d.Drifted++
		}
	}
	err := s.ledger.Store.Atomically(ctx, func(ctx context.Context) error {
		_, err := s.ledger.Stacks.Update(ctx, scope, stack.Key(), func(st *ledger.Stack) error {
			st.Drift, st.DriftChecked = d.Drift, d.Time
			return nil
		})
		if err != nil {
			return err
		}
		return s.ledger.Detections.Put(ctx, scope, d.ID, d)
	})
	if err != nil && ctx.Err() == nil {
		s.host.Log().Error("recording the drift of a stack", "stack", stack.Name, "error", err)
	}
}

func (s *Service) detectOne(ctx context.Context, stack ledger.Stack, row *ledger.Resource) (ledger.ResourceDrift, error) {
	caller := door.CallerFrom(ctx)
	found, err := s.engine.Drift(ctx, caller, stack, row)
	if err != nil {
		return ledger.ResourceDrift{}, err
	}
	r := ledger.ResourceDrift{LogicalID: row.LogicalID, Physical: row.Now.Physical, Type: row.Type, Time: s.host.Now(),
		Status: found.Status, Expected: found.Expected, Actual: found.Actual, Differences: found.Differences}
	if r.Status == types.StackResourceDriftStatusNotChecked {
		return r, nil // there is nothing to tell of it
	}
	return r, s.ledger.ResourceDrifts.Put(ctx, caller.Scope(), stack.UUID+"/"+row.LogicalID, r)
}

// DescribeStackDriftDetectionStatus tells how far a detection is. One that was
// under way when its process died has failed.
func (s *Service) DescribeStackDriftDetectionStatus(ctx context.Context, in *cloudformation.DescribeStackDriftDetectionStatusInput) (*cloudformation.DescribeStackDriftDetectionStatusOutput, error) {
	id := aws.ToString(in.StackDriftDetectionId)
	d, err := s.ledger.Detections.Get(ctx, door.CallerFrom(ctx).Scope(), id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, invalid("Stack drift detection [%s] does not exist", id)
	}
	if err != nil {
		return nil, err
	}
	out := &cloudformation.DescribeStackDriftDetectionStatusOutput{
		StackDriftDetectionId: &d.ID, StackId: &d.Stack, DetectionStatus: d.Status, Timestamp: &d.Time,
	}
	if d.Reason != "" {
		out.DetectionStatusReason = &d.Reason
	}
	if d.Status != types.StackDriftDetectionStatusDetectionInProgress {
		out.StackDriftStatus, out.DriftedStackResourceCount = d.Drift, &d.Drifted
	}
	return out, nil
}

// failDetections ends the detections that a process left unfinished.
func (s *Service) failDetections(ctx context.Context) error {
	all, err := s.ledger.Detections.All(ctx, store.Query{})
	if err != nil {
		return fmt.Errorf("reading unfinished drift detections: %w", err)
	}
	for _, e := range all {
		d := e.Value
		if d.Status != types.StackDriftDetectionStatusDetectionInProgress {
			continue
		}
		d.Status, d.Reason, d.Drift = types.StackDriftDetectionStatusDetectionFailed, "The detection was interrupted.", types.StackDriftStatusUnknown
		if err := s.ledger.Detections.Put(ctx, e.Scope, d.ID, d); err != nil {
			return fmt.Errorf("ending drift detection %q: %w", d.ID, err)
		}
	}
	return nil
}

// DetectStackResourceDrift compares one resource with its template.
func (s *Service) DetectStackResourceDrift(ctx context.Context, in *cloudformation.DetectStackResourceDriftInput) (*cloudformation.DetectStackResourceDriftOutput, error) {
	stack, err := s.findDriftable(ctx, in.StackName)
	if err != nil {
		return nil, err
	}
	rows, err := s.rows(ctx, stack)
	if err != nil {
		return nil, err
	}
	id := aws.ToString(in.LogicalResourceId)
	at := slices.IndexFunc(rows, func(r *ledger.Resource) bool { return r.LogicalID == id })
	if at < 0 {
		return nil, invalid("Resource %s does not exist for stack %s", id, stack.Name)
	}
	r, err := s.detectOne(ctx, stack, rows[at])
	if err != nil {
		return nil, invalid("Failed to detect drift on resource [%s]: %v", id, err)
	}
	if r.Status == types.StackResourceDriftStatusNotChecked {
		return nil, invalid("Drift detection is not supported for resource type %s", rows[at].Type)
	}
	drift := describeDrift(stack, r)
	return &cloudformation.DetectStackResourceDriftOutput{StackResourceDrift: &drift}, nil
}

func describeDrift(stack ledger.Stack, r ledger.ResourceDrift) types.StackResourceDrift {
	out := types.StackResourceDrift{
		StackId: &stack.ID, LogicalResourceId: &r.LogicalID, PhysicalResourceId: &r.Physical, ResourceType: &r.Type,
		StackResourceDriftStatus: r.Status, Timestamp: &r.Time, PropertyDifferences: append([]types.PropertyDifference{}, r.Differences...),
	}
	if r.Expected != "" {
		out.ExpectedProperties = &r.Expected
	}
	if r.Actual != "" {
		out.ActualProperties = &r.Actual
	}
	return out
}

// DescribeStackResourceDrifts tells what the last detections found.
func (s *Service) DescribeStackResourceDrifts(ctx context.Context, in *cloudformation.DescribeStackResourceDriftsInput) (*cloudformation.DescribeStackResourceDriftsOutput, error) {
	stack, err := s.findLiving(ctx, in.StackName, noStack)
	if err != nil {
		return nil, err
	}
	entries, err := s.ledger.ResourceDrifts.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{Prefix: stack.UUID + "/"})
	if err != nil {
		return nil, err
	}
	var list []types.StackResourceDrift
	for _, e := range entries {
		if f := in.StackResourceDriftStatusFilters; len(f) > 0 && !slices.Contains(f, e.Value.Status) {
			continue
		}
		list = append(list, describeDrift(stack, e.Value))
	}
	out := &cloudformation.DescribeStackResourceDriftsOutput{}
	out.StackResourceDrifts, out.NextToken, err = paged(list, in.NextToken)
	return out, err
}

// driftOut is what is told of a resource's drift in passing.
func driftOut(drifts map[string]ledger.ResourceDrift, r *ledger.Resource) *types.StackResourceDriftInformation {
	d, ok := drifts[r.LogicalID]
	if !ok || d.Physical != r.Now.Physical {
		return &types.StackResourceDriftInformation{StackResourceDriftStatus: types.StackResourceDriftStatusNotChecked}
	}
	return &types.StackResourceDriftInformation{StackResourceDriftStatus: d.Status, LastCheckTimestamp: &d.Time}
}

// resourceDrifts are what the last detections found, by logical id.
func (s *Service) resourceDrifts(ctx context.Context, stack ledger.Stack) (map[string]ledger.ResourceDrift, error) {
	entries, err := s.ledger.ResourceDrifts.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{Prefix: stack.UUID + "/"})
	drifts := make(map[string]ledger.ResourceDrift, len(entries))
	for _, e := range entries {
		drifts[strings.TrimPrefix(e.ID, stack.UUID+"/")] = e.Value
	}
	return drifts, err
}
