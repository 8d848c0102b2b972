package codepipeline

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/door"
)

// manualApproval tells the topic that NotificationArn names, if any, and waits
// until somebody approves or rejects (PutApprovalResult), or its time is up.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals.html
type manualApproval struct{}

func (manualApproval) run(ctx context.Context, j *job) (*outcome, error) {
	if topic := j.config["NotificationArn"]; topic != "" && !j.record.Told {
		if err := j.tellTopic(ctx, topic); err != nil {
			return nil, absent(err, "SNS")
		}
		if err := j.save(ctx, func(a *action) { a.Told = true }); err != nil {
			return nil, err
		}
	}
	<-ctx.Done()
	if errors.Is(context.Cause(ctx), errTimedOut) {
		return nil, failed(types.FailureTypeJobFailed, "The approval request has expired.")
	}
	return nil, ctx.Err()
}

// maxApprovalSummary is how long the comment of a decision may be.
const maxApprovalSummary = 512

// PutApprovalResult approves or rejects a manual approval that waits.
func (s *Service) PutApprovalResult(ctx context.Context, in *codepipeline.PutApprovalResultInput) (*codepipeline.PutApprovalResultOutput, error) {
	switch r := in.Result; {
	case r == nil:
		return nil, constraint("null", "result", "Member must not be null")
	case !slices.Contains(r.Status.Values(), r.Status):
		return nil, constraint(string(r.Status), "result.status", "Member must satisfy enum value set: [Approved, Rejected]")
	case len(aws.ToString(r.Summary)) > maxApprovalSummary:
		return nil, constraint(*r.Summary, "result.summary", "Member must have length less than or equal to 512")
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
	if _, err := t.declared(in.StageName, in.ActionName); err != nil {
		return nil, err
	}
	key := t.pipe.stage(*in.StageName).Actions[*in.ActionName]
	for _, a := range t.actions {
		if a.Token != "" && a.Token == aws.ToString(in.Token) && a.Stage == *in.StageName && a.Name == *in.ActionName {
			return a, nil
		}
	}
	if a := t.actions[key]; key == "" || a != nil && a.Status == types.ActionExecutionStatusInProgress {
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
