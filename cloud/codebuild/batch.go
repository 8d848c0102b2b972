package codebuild

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/buildspec"
	"ouro/cloud/door"
	"ouro/cloud/store"
)

// batch is a batch build as it is kept
// (https://docs.aws.amazon.com/codebuild/latest/userguide/batch-build.html).
// Its groups, with what is known of their builds, are in Batch.BuildGroups.
type batch struct {
	Batch    types.BuildBatch
	record   // what its builds begin with: a single build's, with the overrides of the request
	FastFail bool
	Plan     map[string]planned // by identifier of the group; nil until the batch specification is read
	Pinned   string             // the version of the source that all builds fetch
	Stopping bool               // StopBuildBatch was called
}

// planned is what a build of a batch changes in the project, and its place in
// a fanout.
type planned struct {
	Input         api.StartBuildInput
	Shard, Shards int
}

// member says which build of which batch a build is.
type member struct {
	Batch         string // ARN
	Identifier    string
	Shard, Shards int
}

// batchSpec is the group that AWS adds to those of the buildspec. Its build
// downloads the source and reads the batch specification.
const batchSpec = "DOWNLOAD_SOURCE"

// plans tells whether the build reads the batch specification.
func (p *member) plans() bool { return p != nil && p.Identifier == batchSpec }

// batches are the batch builds of a service.
type batches struct {
	kept store.Table[batch]

	mu   sync.Mutex
	live map[string]*batchRun // in progress, by ARN
}

func newBatches(st *store.Store) *batches {
	return &batches{kept: store.NewTable[batch](st, "codebuild", "batch"), live: map[string]*batchRun{}}
}

// running is the batch in progress with the ARN, or nil.
func (b *batches) running(arn string) *batchRun {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.live[arn]
}

// defaults of a batch whose project says nothing, and bounds that AWS sets.
const (
	defaultBatchTimeout = 480 // minutes
	maxBatchBuilds      = buildspec.MaxBuilds
)

// batchConfig is the project's configuration of batches with what a request
// changes in it, and what AWS fills in.
func batchConfig(project, over *types.ProjectBuildBatchConfig) *types.ProjectBuildBatchConfig {
	config := types.ProjectBuildBatchConfig{
		Restrictions:  &types.BatchRestrictions{MaximumBuildsAllowed: aws.Int32(maxBatchBuilds)},
		TimeoutInMins: aws.Int32(defaultBatchTimeout),
	}
	for _, c := range []*types.ProjectBuildBatchConfig{project, over} {
		if c == nil {
			continue
		}
		replace(&config.ServiceRole, c.ServiceRole)
		replace(&config.CombineArtifacts, c.CombineArtifacts)
		replace(&config.TimeoutInMins, c.TimeoutInMins)
		if c.BatchReportMode != "" {
			config.BatchReportMode = c.BatchReportMode
		}
		if r := c.Restrictions; r != nil {
			merged := *config.Restrictions
			replace(&merged.MaximumBuildsAllowed, r.MaximumBuildsAllowed)
			replaceAll(&merged.ComputeTypesAllowed, r.ComputeTypesAllowed)
			replaceAll(&merged.FleetsAllowed, r.FleetsAllowed)
			config.Restrictions = &merged
		}
	}
	return &config
}

// getBatch is the batch with the id or ARN, as it is at this moment.
func (s *Service) getBatch(ctx context.Context, idOrARN string) (batch, error) {
	id := buildID(idOrARN)
	if id == "" {
		return batch{}, invalid("Build batch ID is required")
	}
	if name, uuid, ok := strings.Cut(id, ":"); !ok || name == "" || uuid == "" {
		return batch{}, invalid("Invalid build batch ID provided")
	}
	b, err := s.batches.kept.Get(ctx, door.CallerFrom(ctx).Scope(), id)
	if errors.Is(err, store.ErrNotFound) {
		return b, notFound("Build batch %s does not exist", idOrARN)
	}
	return b, err
}

// beginBatchPhase appends a phase that starts at t.
func beginBatchPhase(b *types.BuildBatch, kind types.BuildBatchPhaseType, t time.Time) {
	b.CurrentPhase = aws.String(string(kind))
	b.Phases = append(b.Phases, types.BuildBatchPhase{PhaseType: kind, StartTime: &t})
}

// endBatchPhase ends the newest phase.
func endBatchPhase(b *types.BuildBatch, status types.StatusType, t time.Time, contexts ...types.PhaseContext) {
	p := &b.Phases[len(b.Phases)-1]
	p.PhaseStatus, p.EndTime, p.Contexts = status, &t, contexts
	p.DurationInSeconds = aws.Int64(int64(t.Sub(*p.StartTime) / time.Second))
}

// attempt is where the phases of the newest attempt begin: those before it
// were left behind by RetryBuildBatch.
func attempt(b *types.BuildBatch) int {
	at := len(b.Phases) - 1
	for at > 0 && b.Phases[at].PhaseType != types.BuildBatchPhaseTypeSubmitted {
		at--
	}
	return at
}

// groupOf is the batch's group with the identifier, or nil.
func groupOf(b *types.BuildBatch, identifier string) *types.BuildGroup {
	for i := range b.BuildGroups {
		if *b.BuildGroups[i].Identifier == identifier {
			return &b.BuildGroups[i]
		}
	}
	return nil
}

// variables tell the commands of a build which build of a batch it is. The
// last two are for codebuild-tests-run.
func (p *member) variables() []string {
	if p == nil {
		return nil
	}
	return append([]string{"CODEBUILD_BATCH_BUILD_IDENTIFIER=" + p.Identifier}, p.shard()...)
}
