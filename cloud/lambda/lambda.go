// Package lambda is AWS Lambda on the local cloud: functions with their
// versions, aliases, layers and permissions, and their invocation, at once, in
// the background or through a URL.
//
// Functions run as processes of this machine (package runner). Their code lies
// unpacked below the state directory, once for each content. An asynchronous
// event is in the store before Invoke answers, and leaves it when the function
// took it or it was given up, so that the death of the process loses none; it
// may be given twice, as on AWS.
//
// What differs from AWS: a function is Active at once. Container images are
// stored and reported, and refused when they are invoked. Event source
// mappings, code signing, file systems, capacity providers and durable
// functions are refused. Provisioned concurrency, SnapStart, VPC and tracing
// settings are recorded and change nothing.
package lambda

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"ouro/cloud/door"
	"ouro/cloud/lambda/runner"
	"ouro/cloud/seal"
	"ouro/cloud/store"
)

// Service is AWS Lambda.
type Service struct {
	host        door.Host
	functions   store.Table[function]    // by name
	versions    store.Table[version]     // by NAME:VERSION, see versionKey
	aliases     store.Table[alias]       // by NAME:ALIAS
	policies    store.Table[permissions] // by NAME:QUALIFIER, of layers LAYER:VERSION
	layers      store.Table[layer]       // by NAME:VERSION, see versionKey
	newest      store.Table[int64]       // number of a layer's newest version, by its name
	deliveries  store.Table[delivery]    // NAME:QUALIFIER → how asynchronous events are treated
	urls        store.Table[functionURL] // by NAME:QUALIFIER
	addresses   store.Table[string]      // id of a URL → ACCOUNT/REGION/NAME:QUALIFIER
	provisioned store.Table[provision]   // by NAME:QUALIFIER
	queue       store.Table[event]       // asynchronous events, see line
	box         func() (*seal.Box, error)
	archives    *archives
	pool        func() (*runner.Pool, error) // made at the first invocation
	started     atomic.Bool                  // pool was called
	places      places
	plans       plans
	lines       lines
	pauses      [2]time.Duration // before an asynchronous event's second and third attempt
}

// Options are what a Service needs besides its host. The zero value is usable.
type Options struct {
	// Pause is how long the second attempt of an asynchronous event waits, 0:
	// a minute as on AWS. The third one waits twice as long.
	Pause time.Duration
}

// New makes the service; host keeps its records.
func New(host door.Host, o Options) *Service {
	if o.Pause == 0 {
		o.Pause = time.Minute
	}
	st := host.Store()
	s := &Service{
		host:        host,
		policies:    store.NewTable[permissions](st, "lambda", "policy"),
		newest:      store.NewTable[int64](st, "lambda", "newestlayer"),
		deliveries:  store.NewTable[delivery](st, "lambda", "eventinvokeconfig"),
		urls:        store.NewTable[functionURL](st, "lambda", "url"),
		addresses:   store.NewTable[string](st, "lambda", "address"),
		provisioned: store.NewTable[provision](st, "lambda", "provisioned"),
		box:         sync.OnceValues(func() (*seal.Box, error) { return seal.Open(st.Dir("seal")) }),
		archives:    &archives{dir: st.Dir("lambda"), busy: map[string]int{}},
		queue:       store.NewTable[event](st, "lambda", "event"),
		lines:       lines{open: map[line]chan struct{}{}},
		places:      places{taken: map[string]int{}},
		pauses:      [2]time.Duration{o.Pause, 2 * o.Pause},
	}
	s.functions = store.NewTable[function](st, "lambda", "function").Counted(&s.plans.changes)
	s.versions = store.NewTable[version](st, "lambda", "version").Counted(&s.plans.changes)
	s.aliases = store.NewTable[alias](st, "lambda", "alias").Counted(&s.plans.changes)
	s.layers = store.NewTable[layer](st, "lambda", "layer").Counted(&s.plans.changes)
	s.pool = sync.OnceValues(s.pools)
	return s
}

// Resume removes code that no function and no layer has any more, and takes up
// the asynchronous events that an earlier process did not finish.
func (s *Service) Resume(ctx context.Context) error {
	if err := s.sweep(ctx); err != nil {
		return err
	}
	return s.resumeEvents(ctx)
}

// now is the time in the precision in which Lambda tells it.
func (s *Service) now() string { return s.host.Now().Format("2006-01-02T15:04:05.000-0700") }

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
