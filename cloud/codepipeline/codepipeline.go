// Package codepipeline is AWS CodePipeline: pipelines, their versions, and the
// engine that really runs their executions.
//
// An execution is data (records.go): every change of it is one turn (turn.go),
// which reads the pipeline's records, changes them, writes them at once, and
// only then acts: starts actions, tells EventBridge. What a turn has written
// outlives the process; [Service.Resume] takes up the actions that were in
// progress. Where an execution goes next is decided in one place, advance.go,
// from the definition laid out as a plan (plan.go).
//
// What an action does is a runner, one file for each kind (source_*.go,
// build_*.go, deploy_*.go, approval_*.go); kinds.go is the table of all kinds
// that AWS knows, with the runners of those that run here. A kind without a
// runner can be declared, and its action fails with a sentence that says so.
//
// What starts an execution by itself: sources that are polled (poll.go), rules
// for pushes and pull requests with the filters of triggers (rules.go,
// triggers*.go), and webhooks (webhook*.go).
//
// Conditions of stages are checked by rules (conditions.go, checks.go), which are
// run and recorded as actions are. What EventBridge is to be told is written in
// the same turn as the change (outbox.go).
//
// Actions that others do are jobs (work.go, jobs.go): a worker polls for them,
// or a function is called with them, and each answers with a result.
package codepipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/door"
	"ouro/cloud/seal"
	"ouro/cloud/store"
)

// principal is how the service calls others for itself.
const principal = "codepipeline.amazonaws.com"

// Service is AWS CodePipeline.
type Service struct {
	host        door.Host
	pipelines   store.Table[pipeline]
	definitions store.Table[types.PipelineDeclaration] // NAME/VERSION
	executions  store.Table[execution]                 // NAME/NUMBER, newest first
	numbers     store.Table[int64]                     // NAME/EXECUTION ID
	actions     store.Table[action]                    // NAME/NUMBER/ORDER
	starts      store.Table[string]                    // NAME/CLIENT TOKEN: execution id
	webhooks    store.Table[webhook]                   // NAME
	outbox      store.Table[event]                     // what EventBridge has not got yet, in order
	types       store.Table[actionType]                // OWNER/CATEGORY/PROVIDER/VERSION
	jobs        store.Table[jobPlace]                  // ID
	queue       store.Table[string]                    // ACTION TYPE/TIME/ID of jobs that wait for a worker: id

	box    func() (*seal.Box, error) // of the secrets in definitions
	github string                    // the address of GitHub's API
	lines  lines
	events announcer
	poll   poller
}

// New makes the service. Executions that a former process left in progress go
// on when Resume is called.
func New(host door.Host) *Service {
	st := host.Store()
	s := &Service{
		host:        host,
		pipelines:   store.NewTable[pipeline](st, "codepipeline", "pipeline"),
		definitions: store.NewTable[types.PipelineDeclaration](st, "codepipeline", "definition"),
		executions:  store.NewTable[execution](st, "codepipeline", "execution"),
		numbers:     store.NewTable[int64](st, "codepipeline", "number"),
		actions:     store.NewTable[action](st, "codepipeline", "action"),
		starts:      store.NewTable[string](st, "codepipeline", "start"),
		webhooks:    store.NewTable[webhook](st, "codepipeline", "webhook"),
		outbox:      store.NewTable[event](st, "codepipeline", "outbox"),
		types:       store.NewTable[actionType](st, "codepipeline", "actiontype"),
		jobs:        store.NewTable[jobPlace](st, "codepipeline", "job"),
		queue:       store.NewTable[string](st, "codepipeline", "queue"),
	}
	s.box = sync.OnceValues(func() (*seal.Box, error) { return seal.Open(st.Dir("seal")) })
	s.github = gitHubAPI
	s.lines.byName = map[lineKey]*line{}
	s.events.service = s
	s.poll.service, s.poll.patience = s, pollPatience
	s.poll.watched = map[lineKey][]watch{}
	return s
}

// Resume takes up the executions that a former process left in progress, and
// watches the sources that are polled.
func (s *Service) Resume(ctx context.Context) error {
	all, err := s.pipelines.All(ctx, store.Query{})
	if err != nil {
		return fmt.Errorf("reading pipelines: %w", err)
	}
	if err := s.events.resume(ctx); err != nil {
		return err
	}
	var failed []error
	for _, p := range all {
		err := s.turn(ctx, p.Scope, p.ID, func(t *turn) error {
			t.takeUp()
			s.poll.watch(lineKey{p.Scope, p.ID}, t.plan)
			return nil
		})
		if err != nil {
			failed = append(failed, fmt.Errorf("taking up pipeline %q: %w", p.ID, err))
		}
	}
	return errors.Join(failed...)
}

// self is the service as a caller in a pipeline's account.
func self(scope store.Scope, region string) door.Caller {
	if region == "" {
		region = scope.Region
	}
	return door.Caller{Account: scope.Account, Region: region, Service: principal}
}
