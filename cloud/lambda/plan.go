package lambda

import (
	"context"
	"sync"

	"ouro/cloud/lambda/runner"
	"ouro/cloud/store"
)

// plan is all that an invocation has to know of its target. Plans are shared,
// and never changed.
type plan struct {
	version  version
	alias    *alias // that the target's qualifier names, or nil
	reserved *int32
	function runner.Function
	archives []code // of the function and its layers
	unfit    error  // why it cannot run
}

// plans keeps those that were made since functions, their versions, aliases and
// layers were last written.
type plans struct {
	changes store.Counter
	mu      sync.Mutex
	at      uint64
	made    map[target]*plan
}

func (p *plans) get(at uint64, t target) *plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at != at {
		return nil
	}
	return p.made[t]
}

// put keeps a plan that was begun at that count.
func (p *plans) put(at uint64, t target, made *plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.made == nil || p.at < at {
		p.at, p.made = at, map[target]*plan{}
	}
	if p.at == at {
		p.made[t] = made
	}
}

// forget drops all plans. Nobody makes any meanwhile: see archives.keep.
func (p *plans) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made = nil
}

// plan finds out about a target; what has been answered to a writer is in it.
func (s *Service) plan(ctx context.Context, t target) (*plan, error) {
	s.archives.keep.RLock()
	defer s.archives.keep.RUnlock()
	return s.kept(ctx, t)
}

// kept is plan for those who hold s.archives.keep.
func (s *Service) kept(ctx context.Context, t target) (*plan, error) {
	at := s.plans.changes.Count()
	if have := s.plans.get(at, t); have != nil {
		return have, nil
	}
	made, err := s.newPlan(ctx, t)
	if err == nil {
		s.plans.put(at, t, made)
	}
	return made, err
}

func (s *Service) newPlan(ctx context.Context, t target) (*plan, error) {
	p := &plan{}
	var err error
	if p.version, p.alias, err = s.lookup(ctx, t); err != nil {
		return nil, err
	}
	f, err := s.find(ctx, t)
	if err != nil {
		return nil, err
	}
	p.reserved = f.Reserved
	if p.function, p.unfit = s.runnable(t.scope, p.version); p.unfit != nil {
		return p, nil
	}
	p.archives = []code{p.version.Code}
	for _, l := range p.version.Config.Layers {
		have, err := s.layerCode(ctx, *l.Arn)
		if err != nil {
			return nil, err
		}
		p.archives = append(p.archives, have)
	}
	folders := make([]string, len(p.archives))
	for i, c := range p.archives {
		if folders[i], err = s.archives.open(ctx, c); err != nil {
			return nil, err
		}
	}
	p.function.Task, p.function.Layers = folders[0], folders[1:]
	return p, nil
}

// prepare finds what runs now. Its code stays until it is released.
func (s *Service) prepare(ctx context.Context, t target) (p *plan, release func(), err error) {
	s.archives.keep.RLock()
	defer s.archives.keep.RUnlock()
	p, err = s.kept(ctx, t)
	if err == nil && p.alias != nil && len(p.alias.Weights) > 0 {
		p, err = s.kept(ctx, target{t.scope, t.name, p.alias.pick()})
	}
	if err == nil {
		err = p.unfit
	}
	if err != nil {
		return p, nil, err
	}
	return p, s.archives.hold(p.archives...), nil
}
