// Package codebuild is AWS CodeBuild on the local cloud. It keeps projects,
// builds, reports and source credentials, and runs builds as processes of this
// machine: a build has a folder, a home and an environment of its own, calls
// the cloud with the credentials of its project's service role, and everything
// that it starts ends with it.
//
// The project's image is a name only, commands find the programs of this
// machine, unless Options.Containers names a container engine. Webhooks start
// builds for what happens in the repositories of CodeConnections, and for what
// providers deliver. Fleets and sandboxes the local cloud does not have, and
// says so (absent.go).
package codebuild

import (
	"context"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
	"ouro/cloud/seal"
	"ouro/cloud/store"
)

// Options are what a Service needs besides its host. The zero value is usable.
type Options struct {
	// Executable is the program that builds find as "ouro" on their PATH;
	// empty: none.
	Executable string
	// Containers is the program of a container engine, docker or podman, which
	// runs builds in their projects' images; empty: builds are processes of
	// this machine.
	Containers string
	// Environ is the machine's environment, of which builds get the PATH and
	// the settings of proxies and certificates; nil: os.Environ().
	Environ []string
	// Concurrent is how many builds run at once, 0: four for each CPU. Others
	// wait in the phase QUEUED.
	Concurrent int
	// Minute is how long a minute of a timeout lasts, 0: a minute.
	Minute time.Duration
	// Grace is how long commands may take to end after SIGTERM, 0: 3 s.
	Grace time.Duration
}

// Service is AWS CodeBuild.
type Service struct {
	host      door.Host
	options   Options
	projects  store.Table[project]
	builds    store.Table[record]
	recent    store.Table[string] // ids of builds, newest first
	history   store.Table[string] // ids of builds by project, newest first
	tokens    store.Table[token]
	sources   store.Table[credential]
	groups    store.Table[types.ReportGroup]
	reports   store.Table[types.Report]         // by GROUP:UUID, as the next two
	cases     store.Table[[]types.TestCase]     // of reports
	coverages store.Table[[]types.CodeCoverage] // of reports
	resets    store.Table[int]                  // how often a project's cache was invalidated
	batches   *batches
	queue     *queue
	toolbox   func() (string, error)    // made at the first build
	box       func() (*seal.Box, error) // for what must not lie open in the store

	mu   sync.Mutex
	live map[string]*run // builds in progress, by ARN
}

// New makes the service; host keeps its records.
func New(host door.Host, o Options) *Service {
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	if o.Concurrent == 0 {
		o.Concurrent = 4 * runtime.NumCPU()
	}
	if o.Minute == 0 {
		o.Minute = time.Minute
	}
	if o.Grace == 0 {
		o.Grace = 3 * time.Second
	}
	st := host.Store()
	s := &Service{
		host:      host,
		options:   o,
		projects:  store.NewTable[project](st, "codebuild", "project"),
		builds:    store.NewTable[record](st, "codebuild", "build"),
		recent:    store.NewTable[string](st, "codebuild", "recent"),
		history:   store.NewTable[string](st, "codebuild", "history"),
		tokens:    store.NewTable[token](st, "codebuild", "token"),
		sources:   store.NewTable[credential](st, "codebuild", "credential"),
		groups:    store.NewTable[types.ReportGroup](st, "codebuild", "reportgroup"),
		reports:   store.NewTable[types.Report](st, "codebuild", "report"),
		cases:     store.NewTable[[]types.TestCase](st, "codebuild", "testcases"),
		coverages: store.NewTable[[]types.CodeCoverage](st, "codebuild", "coverages"),
		resets:    store.NewTable[int](st, "codebuild", "cachereset"),
		batches:   newBatches(st),
		queue:     newQueue(o.Concurrent),
		live:      map[string]*run{},
	}
	s.box = sync.OnceValues(func() (*seal.Box, error) { return seal.Open(st.Dir("seal")) })
	s.toolbox = sync.OnceValues(s.makeToolbox)
	return s
}

// minutes is the length of n minutes of a timeout, n being nil meaning fallback.
func (s *Service) minutes(n *int32, fallback int32) time.Duration {
	if n != nil {
		fallback = *n
	}
	return time.Duration(fallback) * s.options.Minute
}

// now is the time in CodeBuild's precision.
func (s *Service) now() time.Time { return s.host.Now().Truncate(time.Millisecond) }

// running is the build in progress with the ARN, or nil.
func (s *Service) running(arn string) *run {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live[arn]
}

// Resume ends what a killed process left behind: processes of builds, their
// folders, and builds that claim to be in progress. Batch builds go on.
func (s *Service) Resume(ctx context.Context) error {
	if err := s.clearAway(ctx); err != nil {
		return err
	}
	return s.resumeBatches(ctx)
}
