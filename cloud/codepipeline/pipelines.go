package codepipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// CreatePipeline makes a pipeline and runs it for the first time.
func (s *Service) CreatePipeline(ctx context.Context, in *codepipeline.CreatePipelineInput) (*codepipeline.CreatePipelineOutput, error) {
	caller := door.CallerFrom(ctx)
	if err := validate(in.Pipeline, caller.Region); err != nil {
		return nil, err
	}
	if err := s.checkActions(ctx, in.Pipeline); err != nil {
		return nil, err
	}
	tags, err := checkTags(in.Tags)
	if err != nil {
		return nil, err
	}
	def := settle(*in.Pipeline, 1)
	key := lineKey{caller.Scope(), aws.ToString(def.Name)}
	if err := s.keepSecrets(ctx, key.scope, &def, nil); err != nil {
		return nil, err
	}
	if err := s.checkRoles(ctx, caller, &def); err != nil {
		return nil, err
	}
	if _, err := s.pipelines.Get(ctx, key.scope, key.name); err == nil {
		return nil, nameInUse(key) // before the rules of that pipeline are touched
	}
	if err := s.putRules(ctx, key, newPlan(&def)); err != nil {
		return nil, err
	}
	if err := s.insert(ctx, key, caller, def, tags); err != nil {
		return nil, err
	}
	err = s.turn(ctx, key.scope, key.name, func(t *turn) error {
		t.begin(types.TriggerTypeCreatePipeline, caller.ARN, nil, nil)
		s.poll.watch(key, t.plan)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &codepipeline.CreatePipelineOutput{Pipeline: masked(def), Tags: in.Tags}, nil
}

func (s *Service) insert(ctx context.Context, key lineKey, caller door.Caller, def types.PipelineDeclaration, tags map[string]string) error {
	now := s.host.Now()
	p := pipeline{
		Name: key.name, ARN: caller.ResourceARN("codepipeline", key.name), Version: 1,
		Created: now, Updated: now, Tags: tags, Stages: map[string]*stage{},
	}
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if err := s.pipelines.Insert(ctx, key.scope, key.name, p); err != nil {
			return err
		}
		return s.definitions.Put(ctx, key.scope, definitionKey(key.name, 1), def)
	})
	if errors.Is(err, store.ErrExists) {
		return nameInUse(key)
	}
	return err
}

func nameInUse(key lineKey) error {
	return &types.PipelineNameInUseException{Message: aws.String(fmt.Sprintf(
		"A pipeline with the name '%s' already exists in account '%s'", key.name, key.scope.Account))}
}

// settle gives the definition as it is kept: with its version and AWS's
// defaults.
func settle(def types.PipelineDeclaration, version int32) types.PipelineDeclaration {
	def.Version = &version
	if def.ExecutionMode == "" {
		def.ExecutionMode = types.ExecutionModeSuperseded
	}
	if def.PipelineType == "" {
		def.PipelineType = types.PipelineTypeV1
	}
	def.Stages = append([]types.StageDeclaration{}, def.Stages...)
	for i, st := range def.Stages {
		st.Actions = append([]types.ActionDeclaration{}, st.Actions...)
		for n, a := range st.Actions {
			a.RunOrder = aws.Int32(runOrder(a))
			st.Actions[n] = a
		}
		def.Stages[i] = st
	}
	return def
}

// checkRoles checks that the service can take the pipeline's role.
func (s *Service) checkRoles(ctx context.Context, caller door.Caller, def *types.PipelineDeclaration) error {
	role := aws.ToString(def.RoleArn)
	cfg := s.host.Assume(self(caller.Scope(), ""), role, sessionName(aws.ToString(def.Name)))
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return invalidStructure("CodePipeline is not authorized to perform AssumeRole on role %s", role)
	}
	return nil
}

// GetPipeline gives a version of a pipeline's definition, the newest unless
// told otherwise. Secrets in it are masked.
func (s *Service) GetPipeline(ctx context.Context, in *codepipeline.GetPipelineInput) (*codepipeline.GetPipelineOutput, error) {
	p, err := s.find(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	version := p.Version
	if in.Version != nil {
		version = *in.Version
	}
	def, err := s.definitions.Get(ctx, door.CallerFrom(ctx).Scope(), definitionKey(p.Name, version))
	if errors.Is(err, store.ErrNotFound) {
		return nil, &types.PipelineVersionNotFoundException{Message: aws.String(fmt.Sprintf(
			"Pipeline '%s' does not have a version %d", p.Name, version))}
	}
	if err != nil {
		return nil, err
	}
	return &codepipeline.GetPipelineOutput{
		Pipeline: masked(def),
		Metadata: &types.PipelineMetadata{PipelineArn: &p.ARN, Created: &p.Created, Updated: &p.Updated},
	}, nil
}

// find gets the pipeline of that name in the caller's account and region.
func (s *Service) find(ctx context.Context, name *string) (pipeline, error) {
	caller := door.CallerFrom(ctx)
	if err := checkName(aws.ToString(name), "name"); err != nil {
		return pipeline{}, err
	}
	p, err := s.pipelines.Get(ctx, caller.Scope(), *name)
	if errors.Is(err, store.ErrNotFound) {
		err = noPipeline(caller, *name)
	}
	return p, err
}

func noPipeline(caller door.Caller, name string) error {
	return &types.PipelineNotFoundException{Message: aws.String(fmt.Sprintf(
		"Account '%s' does not have a pipeline with name '%s'", caller.Account, name))}
}

// change is a turn for an operation: without the pipeline it gives AWS's error.
func (s *Service) change(ctx context.Context, name *string, change func(*turn) error) error {
	caller := door.CallerFrom(ctx)
	if err := checkName(aws.ToString(name), "pipelineName"); err != nil {
		return err
	}
	err := s.turn(ctx, caller.Scope(), *name, change)
	if errors.Is(err, errNoPipeline) {
		return noPipeline(caller, *name)
	}
	return err
}

// UpdatePipeline puts a new version of a pipeline in force. Executions under
// way are cancelled, for the definition that they follow is no longer in
// force: their actions are abandoned, and what those have started in other
// services goes on there.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineExecution.html
func (s *Service) UpdatePipeline(ctx context.Context, in *codepipeline.UpdatePipelineInput) (*codepipeline.UpdatePipelineOutput, error) {
	caller := door.CallerFrom(ctx)
	if err := validate(in.Pipeline, caller.Region); err != nil {
		return nil, err
	}
	if err := s.checkActions(ctx, in.Pipeline); err != nil {
		return nil, err
	}
	key := lineKey{caller.Scope(), *in.Pipeline.Name}
	p, err := s.pipelines.Get(ctx, key.scope, key.name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, noPipelineToUpdate(caller, key.name)
	}
	if err != nil {
		return nil, err
	}
	old, err := s.definitions.Get(ctx, key.scope, definitionKey(key.name, p.Version))
	if err != nil {
		return nil, err
	}
	def := settle(*in.Pipeline, 0)
	if err := s.keepSecrets(ctx, key.scope, &def, &old); err != nil {
		return nil, err
	}
	if err := s.checkRoles(ctx, caller, &def); err != nil {
		return nil, err
	}
	if err := s.putRules(ctx, key, newPlan(&def)); err != nil {
		return nil, err
	}
	err = s.turn(ctx, key.scope, key.name, func(t *turn) error {
		t.replace(&def)
		s.poll.watch(key, t.plan)
		return nil
	})
	if errors.Is(err, errNoPipeline) {
		return nil, noPipelineToUpdate(caller, key.name)
	}
	if err != nil {
		return nil, err
	}
	if err := s.dropRules(ctx, key, newPlan(&old), newPlan(&def)); err != nil {
		return nil, err
	}
	return &codepipeline.UpdatePipelineOutput{Pipeline: masked(def)}, nil
}

func noPipelineToUpdate(caller door.Caller, name string) error {
	return &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf(
		"The account with id '%s' does not include a pipeline with the name '%s'", caller.Account, name))}
}

// replace puts a new definition in force. One that says the same as the old one
// gets a version, too, but the executions under way still follow it.
func (t *turn) replace(def *types.PipelineDeclaration) {
	if !sameDefinition(*def, *t.plan.definition) {
		for _, number := range slices.Clone(t.pipe.Active) {
			t.cancel(t.executions[number])
		}
	}
	t.pipe.Version++
	t.pipe.Updated = t.now
	def.Version = aws.Int32(t.pipe.Version)
	former := t.plan.mode
	t.definition, t.plan = def, newPlan(def)
	t.pipe.changeMode(former, t.plan.mode)
	maps.DeleteFunc(t.pipe.Stages, func(name string, _ *stage) bool { return t.plan.stageIndex(name) < 0 })
	for _, st := range t.plan.stages {
		kept := t.pipe.stage(st.name)
		maps.DeleteFunc(kept.Actions, func(name, _ string) bool { a, _ := st.action(name); return a == nil })
	}
}

// changeMode keeps the state of the stages in PARALLEL mode apart from that in
// the others: after a change it is as it was in the new mode last. Transitions
// stay as they are.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html#troubleshooting-execution-mode-displayedstate
func (p *pipeline) changeMode(from, to types.ExecutionMode) {
	if (from == types.ExecutionModeParallel) == (to == types.ExecutionModeParallel) {
		return
	}
	p.Stages, p.Aside = p.Aside, p.Stages
	for name, st := range p.Aside {
		p.stage(name).Transition = st.Transition
	}
}

// sameDefinition compares definitions but for their versions.
func sameDefinition(a, b types.PipelineDeclaration) bool {
	a.Version, b.Version = nil, nil
	left, errA := json.Marshal(a)
	right, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(left, right)
}

// DeletePipeline takes a pipeline away with its history. One that is not there
// is deleted already.
func (s *Service) DeletePipeline(ctx context.Context, in *codepipeline.DeletePipelineInput) (*codepipeline.DeletePipelineOutput, error) {
	if err := checkName(aws.ToString(in.Name), "name"); err != nil {
		return nil, err
	}
	key := lineKey{door.CallerFrom(ctx).Scope(), *in.Name}
	var last *plan
	err := s.turn(ctx, key.scope, key.name, func(t *turn) error {
		for _, number := range slices.Clone(t.pipe.Active) {
			t.cancel(t.executions[number])
		}
		last = t.plan
		return nil
	})
	if errors.Is(err, errNoPipeline) {
		return &codepipeline.DeletePipelineOutput{}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := s.dropRules(ctx, key, last, nil); err != nil {
		return nil, err
	}
	if err := s.dropProjects(ctx, key, last); err != nil {
		return nil, err
	}
	return &codepipeline.DeletePipelineOutput{}, s.remove(ctx, key)
}

// remove deletes all records of a pipeline, and calls off what was started since
// its executions were cancelled.
func (s *Service) remove(ctx context.Context, key lineKey) error {
	l := s.lines.hold(key)
	defer s.lines.release(key)
	l.turns.Lock()
	defer l.turns.Unlock()
	s.poll.watch(key, nil)
	for _, callOff := range l.running {
		callOff()
	}
	return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if err := s.dropJobs(ctx, key); err != nil {
			return err
		}
		if err := s.pipelines.Delete(ctx, key.scope, key.name); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return errors.Join(
			purge(ctx, s.definitions, key), purge(ctx, s.executions, key), purge(ctx, s.numbers, key),
			purge(ctx, s.actions, key), purge(ctx, s.starts, key),
		)
	})
}

// purge deletes the records of a table that belong to a pipeline.
func purge[T any](ctx context.Context, table store.Table[T], key lineKey) error {
	list, err := table.List(ctx, key.scope, store.Query{Prefix: key.name + "/"})
	for _, e := range list {
		err = errors.Join(err, table.Delete(ctx, key.scope, e.ID))
	}
	return err
}

// ListPipelines gives the pipelines of the account and region by name.
func (s *Service) ListPipelines(ctx context.Context, in *codepipeline.ListPipelinesInput) (*codepipeline.ListPipelinesOutput, error) {
	page, err := newPage(in.MaxResults, in.NextToken, 1000)
	if err != nil {
		return nil, err
	}
	scope := door.CallerFrom(ctx).Scope()
	list, err := s.pipelines.List(ctx, scope, page.query(""))
	if err != nil {
		return nil, err
	}
	out := &codepipeline.ListPipelinesOutput{Pipelines: []types.PipelineSummary{}}
	list, out.NextToken = cutPage(page, list)
	for _, e := range list {
		p := e.Value
		def, err := s.definitions.Get(ctx, scope, definitionKey(p.Name, p.Version))
		if err != nil {
			return nil, err
		}
		out.Pipelines = append(out.Pipelines, types.PipelineSummary{
			Name: &p.Name, Version: &p.Version, Created: &p.Created, Updated: &p.Updated,
			PipelineType: def.PipelineType, ExecutionMode: def.ExecutionMode,
		})
	}
	return out, nil
}
