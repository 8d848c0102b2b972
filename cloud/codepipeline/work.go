package codepipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/store"
)

// work is what an action has a worker do: one job after the other, until one
// ends without asking for a next.
type work struct {
	Job      string // id of the newest job
	Status   types.JobStatus
	Opened   time.Time
	Nonce    string    `json:",omitempty"` // of the worker that the job was given to
	Given    time.Time `json:",omitzero"`
	Token    string    `json:",omitempty"` // the continuation token that the job got
	Continue bool      `json:",omitempty"` // whether the job is one that another has asked for
}

// jobPlace is which action a job belongs to.
type jobPlace struct {
	Scope    store.Scope // of the pipeline
	Pipeline string
	Action   string // the key of its record
	Region   string // of the action, where workers find its jobs
	Type     types.ActionTypeId
}

func (p *jobPlace) jobs() store.Scope { return store.Scope{Account: p.Scope.Account, Region: p.Region} }

// jobWorker is an action that waits for a worker to poll for its job and to
// put a result.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-create-custom-action.html
type jobWorker struct{}

func (jobWorker) run(ctx context.Context, j *job) (*outcome, error) {
	if err := j.openJob(ctx); err != nil {
		return nil, err
	}
	if err := j.service.offer(ctx, j.place(), j.record.Work); err != nil {
		return nil, err
	}
	var err error
	if j.kind.jobLimit == 0 {
		<-ctx.Done()
		err = ctx.Err()
	}
	for err == nil {
		err = j.answered(ctx)
	}
	if errors.Is(context.Cause(ctx), errTimedOut) {
		err = failed(types.FailureTypeJobFailed, "The job %s timed out: no job worker completed it within %s", j.record.Work.Job, j.kind.timeout(j.record.Declaration))
	}
	return nil, err
}

// answered waits until the newest job is another one. A job that takes longer
// than its action type allows fails the action.
func (j *job) answered(ctx context.Context) error {
	for id, since := j.record.Work.Job, time.Now(); ; {
		a, err := j.service.actions.Get(ctx, j.key.scope, j.recordK)
		if err != nil {
			return err
		}
		if j.record = a; a.Work.Job != id {
			return nil
		}
		if limit := j.kind.jobLimit; limit > 0 && j.service.host.Now().Sub(a.Work.Opened) > limit {
			return failed(types.FailureTypeJobFailed, "The job %s did not end within its action type's timeout of %s", id, limit)
		}
		if err := pause(ctx, since, jobPause); err != nil {
			return err
		}
	}
}

// openJob makes the action's first job, if it has none.
func (j *job) openJob(ctx context.Context) error {
	if j.record.Work != nil {
		return nil
	}
	return j.save(ctx, func(a *action) {
		a.Work = &work{Job: j.service.host.NewID(), Status: types.JobStatusQueued, Opened: j.service.host.Now()}
	})
}

// next is the job that follows one which asked for a continuation.
func (s *Service) next(token string) *work {
	return &work{Job: s.host.NewID(), Status: types.JobStatusQueued, Opened: s.host.Now(), Token: token, Continue: true}
}

func (j *job) place() *jobPlace {
	return &jobPlace{j.key.scope, j.key.name, j.recordK, j.caller.Region, *j.record.Declaration.ActionTypeId}
}

// know keeps where a job belongs, for the answers to it.
func (s *Service) know(ctx context.Context, p *jobPlace, w *work) error {
	if err := s.jobs.Put(ctx, p.jobs(), w.Job, *p); err != nil {
		return fmt.Errorf("writing job %s: %w", w.Job, err)
	}
	return nil
}

// offer puts a job where workers poll for it. Doing it twice is as once.
func (s *Service) offer(ctx context.Context, p *jobPlace, w *work) error {
	if w.Status != types.JobStatusQueued && w.Status != types.JobStatusDispatched {
		return nil
	}
	return s.host.Store().Atomically(context.WithoutCancel(ctx), func(ctx context.Context) error {
		if err := s.know(ctx, p, w); err != nil {
			return err
		}
		return s.queue.Put(ctx, p.jobs(), queueKey(&p.Type, w), w.Job)
	})
}

// dropJobs deletes the jobs of a pipeline, which lie in the regions of its
// actions.
func (s *Service) dropJobs(ctx context.Context, key lineKey) error {
	versions, err := s.definitions.List(ctx, key.scope, store.Query{Prefix: key.name + "/"})
	if err != nil {
		return err
	}
	scopes := map[store.Scope]bool{}
	for _, v := range versions {
		for _, st := range v.Value.Stages {
			for _, a := range st.Actions {
				scopes[actionScope(key.scope, &a)] = true
			}
		}
	}
	for scope := range scopes {
		jobs, err := s.jobs.List(ctx, scope, store.Query{})
		if err != nil {
			return err
		}
		gone := map[string]bool{}
		for _, j := range jobs {
			if j.Value.Scope == key.scope && j.Value.Pipeline == key.name {
				gone[j.ID], err = true, errors.Join(err, s.jobs.Delete(ctx, scope, j.ID))
			}
		}
		waiting, queueErr := s.queue.List(ctx, scope, store.Query{})
		for _, w := range waiting {
			if gone[w.Value] {
				err = errors.Join(err, s.queue.Delete(ctx, scope, w.ID))
			}
		}
		if err := errors.Join(err, queueErr); err != nil {
			return fmt.Errorf("deleting the jobs of pipeline %q: %w", key.name, err)
		}
	}
	return nil
}

// queueKey sorts the jobs of a type by age.
func queueKey(id *types.ActionTypeId, w *work) string {
	return fmt.Sprintf("%s/%020d/%s", typeKey(id), w.Opened.UnixNano(), w.Job)
}

// fill fills a URL template of an action type in.
func (a *action) fill(template *string, region string) string {
	return urlVariable().ReplaceAllStringFunc(aws.ToString(template), func(v string) string {
		switch name := v[1 : len(v)-1]; {
		case name == "ExternalExecutionId":
			return a.ExternalID
		case name == "Region":
			return region
		case len(name) > len("Config:"):
			return a.Resolved[name[len("Config:"):]]
		}
		return v
	})
}
