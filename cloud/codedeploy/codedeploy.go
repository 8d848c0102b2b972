// Package codedeploy is AWS CodeDeploy on the local cloud. It keeps
// applications, deployment groups, configurations, revisions and on-premises
// instances, and deploys for real.
//
// An on-premises instance is a folder of this machine,
// STATE/instances/ACCOUNT/REGION/NAME: it is the instance's root folder, to
// which the destinations of appspec files lead. Scripts of hooks are processes
// of this machine that begin in that folder and find its path in
// OURO_INSTANCE_ROOT. What they leave running goes on, as on a server of one's
// own, also when the local cloud ends; a hook that is under way when the local
// cloud dies, dies with it, and its event has failed.
//
// Lambda deployments shift the weights of aliases. ECS deployments are blue/green
// ones of the services that Cloud Control records: they change what the records
// of the service, its listeners and their rules say, and no task runs. EC2
// instances and Auto Scaling groups the local cloud does not have, and says so.
//
// A deployment's alarms are watched while it runs, with the group's service
// role: one in the state ALARM stops it.
package codedeploy

import (
	"context"
	"sync"
	"time"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// Options are what a Service needs besides its host. The zero value is usable.
type Options struct {
	// Second is how long a second of a hook's timeout lasts, 0: a second.
	Second time.Duration
	// Minute is how long a minute between shifts of traffic, and of the waits of
	// blue/green deployments, lasts, 0: a minute.
	Minute time.Duration
}

// Service is AWS CodeDeploy.
type Service struct {
	host         door.Host
	options      Options
	applications store.Table[application]
	groups       store.Table[group]      // by APPLICATION/GROUP
	configs      store.Table[config]     // of customers, by name
	revisions    store.Table[revision]   // by APPLICATION/HASH
	instances    store.Table[instance]   // on premises, by name
	deployments  store.Table[deployment] // by id
	targets      store.Table[target]     // by DEPLOYMENT/TARGET
	hooks        store.Table[execution]  // that are functions, by execution id

	mu      sync.Mutex
	agents  sync.Map      // root folder of an instance → *sync.Mutex of who deploys to it
	changed chan struct{} // closed when a stop, a continuation or the answer of a hook comes in
}

// New makes the service; host keeps its records.
func New(host door.Host, o Options) *Service {
	if o.Second == 0 {
		o.Second = time.Second
	}
	if o.Minute == 0 {
		o.Minute = time.Minute
	}
	st := host.Store()
	return &Service{
		host:         host,
		options:      o,
		applications: store.NewTable[application](st, "codedeploy", "application"),
		groups:       store.NewTable[group](st, "codedeploy", "group"),
		configs:      store.NewTable[config](st, "codedeploy", "config"),
		revisions:    store.NewTable[revision](st, "codedeploy", "revision"),
		instances:    store.NewTable[instance](st, "codedeploy", "instance"),
		deployments:  store.NewTable[deployment](st, "codedeploy", "deployment"),
		targets:      store.NewTable[target](st, "codedeploy", "target"),
		hooks:        store.NewTable[execution](st, "codedeploy", "hook"),
		changed:      make(chan struct{}),
	}
}

// Resume takes up the deployments that an earlier process did not finish.
func (s *Service) Resume(ctx context.Context) error { return s.takeUp(ctx) }

// news is closed when a stop, a continuation or the answer of a hook comes in
// next.
func (s *Service) news() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// tell closes news.
func (s *Service) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

// now is the time in CodeDeploy's precision.
func (s *Service) now() *time.Time {
	t := s.host.Now().Truncate(time.Millisecond)
	return &t
}
