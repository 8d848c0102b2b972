package codepipeline

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// givenAgain is after which time a job that was given to a worker, which has
// not acknowledged it, is given to another.
const givenAgain = time.Minute

// PollForJobs gives a worker jobs that wait, oldest first.
func (s *Service) PollForJobs(ctx context.Context, in *codepipeline.PollForJobsInput) (*codepipeline.PollForJobsOutput, error) {
	k, err := s.polled(ctx, in.ActionTypeId, types.ActionOwnerCustom, in.MaxBatchSize)
	if err != nil {
		return nil, err
	}
	if err := k.checkQuery(in.QueryParam); err != nil {
		return nil, err
	}
	out := &codepipeline.PollForJobsOutput{Jobs: []types.Job{}}
	err = s.give(ctx, in.ActionTypeId, in.MaxBatchSize, in.QueryParam, func(j *job) error {
		data, err := j.data(ctx)
		if err != nil {
			return err
		}
		w := j.record.Work
		out.Jobs = append(out.Jobs, types.Job{Id: aws.String(w.Job), Nonce: aws.String(w.Nonce), AccountId: aws.String(j.key.scope.Account), Data: data})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// polled is the kind that a worker polls for.
func (s *Service) polled(ctx context.Context, id *types.ActionTypeId, owner types.ActionOwner, most *int32) (*kind, error) {
	switch {
	case id == nil:
		return nil, constraint("null", "actionTypeId", "Member must not be null")
	case most != nil && *most < 1:
		return nil, constraint(strconv.Itoa(int(*most)), "maxBatchSize", "Member must have value greater than or equal to 1")
	case id.Owner != owner:
		return nil, invalid("Jobs can be polled for action types of owner %s only, and the owner of %s is %s", owner, typeName(id), id.Owner)
	}
	if err := checkTypeID(id); err != nil {
		return nil, err
	}
	k, err := s.kind(ctx, door.CallerFrom(ctx).Scope(), id)
	if err == nil && k == nil {
		err = noActionType(id)
	}
	return k, err
}

func noActionType(id *types.ActionTypeId) error {
	return &types.ActionTypeNotFoundException{Message: aws.String("ActionType " + typeName(id) + " does not exist")}
}

// checkQuery checks that a poll names the queryable property, and only that.
func (k *kind) checkQuery(query map[string]string) error {
	for name := range query {
		if p := k.property(name); p == nil || p.flag&queryable == 0 {
			return invalid("The property '%s' of the query is not a queryable property of the action type", name)
		}
	}
	for _, p := range k.config {
		if _, ok := query[p.name]; p.flag&queryable != 0 && !ok {
			return invalid("The queryable property '%s' of the action type must be in the query", p.name)
		}
	}
	return nil
}

// defaultBatch is how many jobs a poll gives that says no number.
const defaultBatch = 1

// give gives the jobs that wait and match to a worker, each with a new nonce.
func (s *Service) give(ctx context.Context, id *types.ActionTypeId, most *int32, query map[string]string, take func(*job) error) error {
	scope := door.CallerFrom(ctx).Scope()
	limit := defaultBatch
	if most != nil {
		limit = int(*most)
	}
	waiting, err := s.queue.List(ctx, scope, store.Query{Prefix: typeKey(id) + "/"})
	if err != nil {
		return err
	}
	given := 0
	for _, e := range waiting {
		if given == limit {
			break
		}
		j, err := s.dispatch(ctx, scope, e.Value, query)
		switch {
		case errors.Is(err, errJobOver):
			err = s.unqueue(ctx, scope, e.ID)
		case err == nil && j != nil:
			given++
			err = take(j)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// errJobOver is for a job that waits no more.
var errJobOver = errors.New("the job is over")

// dispatch marks a job as given to the one who polls, and gives it; nil if it
// is not to be given now.
func (s *Service) dispatch(ctx context.Context, scope store.Scope, id string, query map[string]string) (*job, error) {
	place, err := s.jobs.Get(ctx, scope, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, errJobOver
	}
	if err != nil {
		return nil, err
	}
	chosen := false
	err = s.turn(ctx, place.Scope, place.Pipeline, func(t *turn) error {
		a := t.actions[place.Action]
		if a == nil || a.Status != types.ActionExecutionStatusInProgress || a.Work == nil || a.Work.Job != id {
			return errJobOver
		}
		w := a.Work
		if w.Status == types.JobStatusInProgress {
			return errJobOver // for those who poll
		}
		if w.Status != types.JobStatusQueued && t.now.Sub(w.Given) < givenAgain || !a.matches(query) {
			return nil
		}
		w.Status, w.Nonce, w.Given, a.Updated, chosen = types.JobStatusDispatched, s.nonce(), t.now, t.now, true
		return nil
	})
	if errors.Is(err, errNoPipeline) {
		err = errJobOver
	}
	if err != nil || !chosen {
		return nil, err
	}
	return s.jobAt(ctx, &place)
}

// nonce is a number that nobody can guess who was not told.
func (s *Service) nonce() string {
	n, err := strconv.ParseUint(strings.ReplaceAll(s.host.NewID(), "-", "")[:16], 16, 64)
	if err != nil { // an id has only these digits
		return s.host.NewID()
	}
	return strconv.FormatUint(n, 10)
}

func (a *action) matches(query map[string]string) bool {
	for name, value := range query {
		if a.Resolved[name] != value {
			return false
		}
	}
	return true
}

func (s *Service) unqueue(ctx context.Context, scope store.Scope, key string) error {
	err := s.queue.Delete(ctx, scope, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// jobAt is the job as it is now.
func (s *Service) jobAt(ctx context.Context, place *jobPlace) (*job, error) {
	a, err := s.actions.Get(ctx, place.Scope, place.Action)
	if err != nil {
		return nil, err
	}
	k, err := s.kind(ctx, place.jobs(), a.Declaration.ActionTypeId)
	if err != nil {
		return nil, err
	}
	var j *job
	err = s.view(ctx, place.Scope, place.Pipeline, func(t *turn) error {
		if err := t.loadExecution(a.Number); err != nil {
			return err
		}
		j = newJob(s, lineKey{place.Scope, place.Pipeline}, place.Action, a, t.plan, *t.executions[a.Number], k)
		return nil
	})
	return j, err
}

// place finds a job of the caller's account and region.
func (s *Service) place(ctx context.Context, id *string) (*jobPlace, error) {
	if aws.ToString(id) == "" {
		return nil, constraint("null", "jobId", "Member must not be null")
	}
	p, err := s.jobs.Get(ctx, door.CallerFrom(ctx).Scope(), *id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, noJob(id)
	}
	return &p, err
}

func noJob(id *string) error {
	return &types.JobNotFoundException{Message: aws.String(fmt.Sprintf("Job with id '%s' does not exist", aws.ToString(id)))}
}

// AcknowledgeJob takes a job: the worker that has the nonce works on it.
func (s *Service) AcknowledgeJob(ctx context.Context, in *codepipeline.AcknowledgeJobInput) (*codepipeline.AcknowledgeJobOutput, error) {
	place, err := s.place(ctx, in.JobId)
	if err != nil {
		return nil, err
	}
	status, err := s.acknowledge(ctx, place, *in.JobId, aws.ToString(in.Nonce))
	if err != nil {
		return nil, err
	}
	return &codepipeline.AcknowledgeJobOutput{Status: status}, nil
}

func (s *Service) acknowledge(ctx context.Context, place *jobPlace, id, nonce string) (types.JobStatus, error) {
	var status types.JobStatus
	var key string
	err := s.jobTurn(ctx, place, id, func(t *turn, a *action) error {
		w := a.Work
		if w.Nonce == "" || subtle.ConstantTimeCompare([]byte(w.Nonce), []byte(nonce)) == 0 {
			return &types.InvalidNonceException{Message: aws.String(fmt.Sprintf("The nonce is not valid for the job '%s'", id))}
		}
		if w.Status == types.JobStatusDispatched {
			w.Status, a.Updated = types.JobStatusInProgress, t.now
		}
		status, key = w.Status, queueKey(&place.Type, w)
		return nil
	})
	if err != nil {
		return "", err
	}
	return status, s.unqueue(ctx, place.jobs(), key)
}

// jobTurn is a turn of the pipeline for a job whose action is in progress.
func (s *Service) jobTurn(ctx context.Context, place *jobPlace, id string, do func(t *turn, a *action) error) error {
	err := s.turn(ctx, place.Scope, place.Pipeline, func(t *turn) error {
		a := t.actions[place.Action]
		if a == nil || a.Status != types.ActionExecutionStatusInProgress || a.Work == nil || a.Work.Job != id {
			return &types.InvalidJobStateException{Message: aws.String(fmt.Sprintf("The job '%s' has ended", id))}
		}
		return do(t, a)
	})
	if errors.Is(err, errNoPipeline) {
		return noJob(&id)
	}
	return err
}

// GetJobDetails gives what there is to know of a job, credentials for its
// artifacts among it.
func (s *Service) GetJobDetails(ctx context.Context, in *codepipeline.GetJobDetailsInput) (*codepipeline.GetJobDetailsOutput, error) {
	_, j, err := s.known(ctx, in.JobId)
	if err != nil {
		return nil, err
	}
	data, err := j.data(ctx)
	if err != nil {
		return nil, err
	}
	return &codepipeline.GetJobDetailsOutput{JobDetails: &types.JobDetails{Id: in.JobId, AccountId: aws.String(j.key.scope.Account), Data: data}}, nil
}

// known is the job of that id and its place.
func (s *Service) known(ctx context.Context, id *string) (*jobPlace, *job, error) {
	place, err := s.place(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	j, err := s.jobAt(ctx, place)
	if errors.Is(err, errNoPipeline) || errors.Is(err, store.ErrNotFound) {
		err = noJob(id)
	}
	return place, j, err
}
