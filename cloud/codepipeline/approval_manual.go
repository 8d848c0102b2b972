package codepipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/door"
)

// manualApproval waits until somebody approves or rejects (PutApprovalResult),
// or its time is up. It sends no message to the topic that NotificationArn
// names, for the local cloud has no SNS.
type manualApproval struct{}

func (manualApproval) run(ctx context.Context, j *job) (*outcome, error) {
	if topic := j.config["NotificationArn"]; topic != "" {
		j.service.host.Log().Warn("an approval waits, and the local cloud has no SNS to tell its topic", "pipeline", j.key.name, "action", j.record.Name, "topic", topic)
	}
	<-ctx.Done()
	if errors.Is(context.Cause(ctx), errTimedOut) {
		return nil, failed(types.FailureTypeJobFailed, "The approval request has expired.")
	}
	return nil, ctx.Err()
}

// PutApprovalResult approves or rejects a manual approval that waits.
func (s *Service) PutApprovalResult(ctx context.Context, in *codepipeline.PutApprovalResultInput) (*codepipeline.PutApprovalResultOutput, error) {
	if in.Result == nil || !slices.Contains(in.Result.Status.Values(), in.Result.Status) {
		return nil, constraint("null", "result.status", "Member must satisfy enum value set: [Approved, Rejected]")
	}
	var at time.Time
	err := s.change(ctx, in.PipelineName, func(t *turn) error {
		a, err := t.approval(in)
		if err != nil {
			return err
		}
		at = t.now
		t.decide(a, *in.Result, door.CallerFrom(ctx).ARN)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codepipeline.PutApprovalResultOutput{ApprovedAt: &at}, nil
}

// approval finds the approval that waits with the token.
func (t *turn) approval(in *codepipeline.PutApprovalResultInput) (*action, error) {
	i := t.plan.stageIndex(aws.ToString(in.StageName))
	if i < 0 {
		return nil, noStage(t.pipe.Name, in.StageName)
	}
	decl, _ := t.plan.stages[i].action(aws.ToString(in.ActionName))
	if decl == nil {
		return nil, &types.ActionNotFoundException{Message: aws.String(fmt.Sprintf(
			"Stage '%s' of pipeline '%s' does not have an action with name '%s'", *in.StageName, t.pipe.Name, aws.ToString(in.ActionName)))}
	}
	key := t.pipe.stage(*in.StageName).Actions[*in.ActionName]
	for _, a := range t.actions {
		if a.Token != "" && a.Token == aws.ToString(in.Token) && a.Stage == *in.StageName && a.Name == *in.ActionName {
			return a, nil
		}
	}
	if a := t.actions[key]; a != nil && a.Status == types.ActionExecutionStatusInProgress {
		return nil, &types.InvalidApprovalTokenException{Message: aws.String("Invalid approval token")}
	}
	return nil, &types.ApprovalAlreadyCompletedException{Message: aws.String("The approval action has already been approved or rejected.")}
}

func (t *turn) decide(a *action, result types.ApprovalResult, by string) {
	e := t.executions[a.Number]
	summary := aws.ToString(result.Summary)
	if result.Status == types.ApprovalStatusApproved {
		t.conclude(e, a, &outcome{summary: summary}, nil)
	} else {
		t.conclude(e, a, nil, failed(types.FailureTypeJobFailed, "Approval rejected by %s", by))
		a.Summary = summary
	}
	a.UpdatedBy = by
	t.calledOff = append(t.calledOff, a.ID)
}
