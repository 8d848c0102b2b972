package stackset

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// DetectStackSetDrift compares the resources of all instances with the template.
func (s *Sets) DetectStackSetDrift(ctx context.Context, in *cloudformation.DetectStackSetDriftInput) (*cloudformation.DetectStackSetDriftOutput, error) {
	v, err := s.findActive(ctx, in.StackSetName, in.CallAs)
	if err != nil {
		return nil, err
	}
	targets, err := s.some(ctx, v, nil, nil, nil)
	if err != nil {
		return nil, err
	}
	op := operation{ID: aws.ToString(in.OperationId), Action: types.StackSetOperationActionDetectDrift, Preferences: in.OperationPreferences, Targets: targets}
	id, err := s.begin(ctx, v, op, nothing)
	return &cloudformation.DetectStackSetDriftOutput{OperationId: &id}, err
}

// detect detects the drift of one instance's stack.
func (w *work) detect(ctx context.Context, client *cloudformation.Client, i *instance) error {
	if i.StackID == "" {
		return errors.New("the instance has no stack")
	}
	begun, err := client.DetectStackDrift(ctx, &cloudformation.DetectStackDriftInput{StackName: &i.StackID})
	if err != nil {
		return said(err)
	}
	for wait := firstWait; ; wait = longer(wait) {
		out, err := client.DescribeStackDriftDetectionStatus(ctx, &cloudformation.DescribeStackDriftDetectionStatusInput{StackDriftDetectionId: begun.StackDriftDetectionId})
		if err != nil {
			return said(err)
		}
		switch out.DetectionStatus {
		case types.StackDriftDetectionStatusDetectionComplete:
			i.Drift, i.DriftChecked = out.StackDriftStatus, w.s.host.Now()
			return nil
		case types.StackDriftDetectionStatusDetectionFailed:
			return errors.New(aws.ToString(out.DetectionStatusReason))
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// driftOf sums up what the detections found in the instances of a set; nil if
// there was none.
func driftOf(list []instance) *types.StackSetDriftDetectionDetails {
	d := &types.StackSetDriftDetectionDetails{DriftStatus: types.StackSetDriftStatusInSync, DriftDetectionStatus: types.StackSetDriftDetectionStatusCompleted}
	var inSync, drifted int32
	for _, i := range list {
		if i.DriftChecked.IsZero() {
			continue
		}
		if d.LastDriftCheckTimestamp == nil || i.DriftChecked.After(*d.LastDriftCheckTimestamp) {
			d.LastDriftCheckTimestamp = &i.DriftChecked
		}
		if i.Drift == types.StackDriftStatusDrifted {
			d.DriftStatus = types.StackSetDriftStatusDrifted
			drifted++
		} else {
			inSync++
		}
	}
	if d.LastDriftCheckTimestamp == nil {
		return nil
	}
	d.TotalStackInstancesCount, d.InSyncStackInstancesCount, d.DriftedStackInstancesCount = aws.Int32(int32(len(list))), &inSync, &drifted
	return d
}

// Waits for what happens in a stack: short ones first, for what is quick.
const firstWait = 5 * time.Millisecond

func longer(wait time.Duration) time.Duration { return min(wait*3/2, time.Second) }

func pause(ctx context.Context, wait time.Duration) error {
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
