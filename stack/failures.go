package stack

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Failure is a resource that failed.
type Failure struct {
	Stack     string               `json:"stack"`
	LogicalID string               `json:"logicalId"`
	Type      string               `json:"type"`
	Status    types.ResourceStatus `json:"status"`
	Reason    string               `json:"reason"`
	Time      time.Time            `json:"time"`
}

// maxFailures and maxDepth bound what Failures looks at: the first failures
// are the ones that matter, and nested stacks that deep are a circle.
const (
	maxFailures = 20
	maxDepth    = 8
)

// Failures are the resources of a stack that failed by themselves between from
// and to, oldest first, those of nested stacks in the place of the nested stack.
// There are none if there is no such stack.
func Failures(ctx context.Context, api API, id string, from, to time.Time) ([]Failure, error) {
	return failures(ctx, api, id, from, to, 0)
}

func failures(ctx context.Context, api API, id string, from, to time.Time, depth int) ([]Failure, error) {
	var failed []types.StackEvent
	err := eachEvent(ctx, api, id, func(e types.StackEvent) error {
		at := aws.ToTime(e.Timestamp)
		own := aws.ToString(e.PhysicalResourceId) == aws.ToString(e.StackId)
		switch {
		case at.After(to):
			return nil
		case at.Before(from):
			return errEnough
		case !own && failure(e) != "":
			failed = append(failed, e)
			if len(failed) > maxFailures { // the newest are what follows from the others
				failed = failed[1:]
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		if strings.HasSuffix(message(err), "does not exist") {
			return nil, nil
		}
		return nil, err
	}
	var list []Failure
	for _, e := range slices.Backward(failed) {
		inner, err := innerFailures(ctx, api, e, from, to, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, inner...)
		if len(list) >= maxFailures {
			return list[:maxFailures], nil
		}
	}
	return list, nil
}

// innerFailures are those of a nested stack that failed, or else the failure
// itself.
func innerFailures(ctx context.Context, api API, e types.StackEvent, from, to time.Time, depth int) ([]Failure, error) {
	if id := aws.ToString(e.PhysicalResourceId); aws.ToString(e.ResourceType) == "AWS::CloudFormation::Stack" && id != "" && depth < maxDepth {
		inner, err := failures(ctx, api, id, from, to, depth+1)
		if err != nil || len(inner) > 0 {
			return inner, err
		}
	}
	return []Failure{{
		Stack: aws.ToString(e.StackName), LogicalID: aws.ToString(e.LogicalResourceId), Type: aws.ToString(e.ResourceType),
		Status: e.ResourceStatus, Reason: aws.ToString(e.ResourceStatusReason), Time: aws.ToTime(e.Timestamp),
	}}, nil
}
