package codepipeline

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// maxVariables is how many bytes the output variables of an action may have
// together.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const maxVariables = 122_880

// PutJobSuccessResult ends a job well: with it the action, or, with a
// continuation token, only this job, and a next one follows.
func (s *Service) PutJobSuccessResult(ctx context.Context, in *codepipeline.PutJobSuccessResultInput) (*codepipeline.PutJobSuccessResultOutput, error) {
	place, err := s.place(ctx, in.JobId)
	if err != nil {
		return nil, err
	}
	if err := checkOutputs(in.OutputVariables); err != nil {
		return nil, err
	}
	err = s.succeed(ctx, place, &success{*in.JobId, in.ContinuationToken, in.CurrentRevision, in.ExecutionDetails, in.OutputVariables})
	if err != nil {
		return nil, err
	}
	return &codepipeline.PutJobSuccessResultOutput{}, nil
}

func checkOutputs(variables map[string]string) error {
	size := 0
	for name, value := range variables {
		if !spacePattern().MatchString(name) {
			return constraint(name, "outputVariables", `Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [A-Za-z0-9@\-_]+]`)
		}
		size += len(name) + len(value)
	}
	if size > maxVariables {
		return &types.OutputVariablesSizeExceededException{Message: aws.String(fmt.Sprintf("The output variables have %d bytes together, more than %d", size, maxVariables))}
	}
	return nil
}

// success is a job's good end.
type success struct {
	job       string
	token     *string
	revision  *types.CurrentRevision
	details   *types.ExecutionDetails
	variables map[string]string
}

func (s *Service) succeed(ctx context.Context, place *jobPlace, how *success) error {
	if d := how.details; d != nil && d.PercentComplete != nil && (*d.PercentComplete < 0 || *d.PercentComplete > 100) {
		return constraint(strconv.Itoa(int(*d.PercentComplete)), "executionDetails.percentComplete", "Member must have value between 0 and 100")
	}
	k, err := s.kind(ctx, place.jobs(), &place.Type)
	if err != nil {
		return err
	}
	var next *work
	err = s.jobTurn(ctx, place, how.job, func(t *turn, a *action) error {
		if err := taken(a.Work); err != nil {
			return err
		}
		how.tell(a, k, place.Region)
		a.Work.Status, a.Updated = types.JobStatusSucceeded, t.now
		if token := aws.ToString(how.token); token != "" {
			next = s.next(token)
			a.Work = next
			return nil
		}
		t.calledOff = append(t.calledOff, a.ID)
		t.conclude(t.executions[a.Number], a, how.outcome(a, k, place.Region), nil)
		return nil
	})
	if err != nil || next == nil {
		return err
	}
	if err := s.know(ctx, place, next); err != nil {
		return err
	}
	if k == nil || k.run != (jobWorker{}) {
		return nil // the action itself goes on with the next job
	}
	return s.offer(ctx, place, next)
}

// taken refuses a result for a job that nobody has taken.
func taken(w *work) error {
	if w.Status == types.JobStatusInProgress {
		return nil
	}
	return &types.InvalidJobStateException{Message: aws.String(fmt.Sprintf("The job '%s' is in status %s: acknowledge it first", w.Job, w.Status))}
}

// tell shows what a worker says of its execution.
func (how *success) tell(a *action, k *kind, region string) {
	d := how.details
	if d == nil {
		return
	}
	a.Percent = d.PercentComplete
	if s := aws.ToString(d.Summary); s != "" {
		a.Summary = s
	}
	a.external(aws.ToString(d.ExternalExecutionId), k, region)
}

// external keeps the id that a worker has given to the action, and its page.
func (a *action) external(id string, k *kind, region string) {
	if id == "" {
		return
	}
	a.ExternalID = id
	if k != nil && k.settings != nil {
		a.ExternalURL = a.fill(k.settings.ExecutionUrlTemplate, region)
	}
}

func (how *success) outcome(a *action, k *kind, region string) *outcome {
	out := &outcome{summary: a.Summary, variables: how.variables}
	if r := how.revision; r != nil {
		out.revision = &revision{ID: aws.ToString(r.Revision), Summary: aws.ToString(r.RevisionSummary)}
		if k != nil && k.settings != nil {
			out.revision.URL = a.fill(k.settings.RevisionUrlTemplate, region)
		}
	}
	return out
}

// PutJobFailureResult ends a job and its action badly.
func (s *Service) PutJobFailureResult(ctx context.Context, in *codepipeline.PutJobFailureResultInput) (*codepipeline.PutJobFailureResultOutput, error) {
	place, err := s.place(ctx, in.JobId)
	if err != nil {
		return nil, err
	}
	if err := s.fail(ctx, place, *in.JobId, in.FailureDetails); err != nil {
		return nil, err
	}
	return &codepipeline.PutJobFailureResultOutput{}, nil
}

func (s *Service) fail(ctx context.Context, place *jobPlace, id string, why *types.FailureDetails) error {
	switch {
	case why == nil:
		return constraint("null", "failureDetails", "Member must not be null")
	case !slices.Contains(why.Type.Values(), why.Type):
		return constraint(string(why.Type), "failureDetails.type", "Member must satisfy enum value set: [JobFailed, ConfigurationError, PermissionError, RevisionOutOfSync, RevisionUnavailable, SystemUnavailable]")
	case aws.ToString(why.Message) == "" || len(*why.Message) > 5000:
		return constraint(aws.ToString(why.Message), "failureDetails.message", "Member must have length between 1 and 5000")
	}
	k, err := s.kind(ctx, place.jobs(), &place.Type)
	if err != nil {
		return err
	}
	return s.jobTurn(ctx, place, id, func(t *turn, a *action) error {
		if err := taken(a.Work); err != nil {
			return err
		}
		a.Work.Status = types.JobStatusFailed
		a.external(aws.ToString(why.ExternalExecutionId), k, place.Region)
		t.calledOff = append(t.calledOff, a.ID)
		t.conclude(t.executions[a.Number], a, nil, failed(why.Type, "%s", *why.Message))
		return nil
	})
}
