package codebuild

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// record is a build as it is kept.
type record struct {
	Build   types.Build
	Project types.Project       // as the build runs it: with the overrides applied
	Input   api.StartBuildInput // for RetryBuild
	Caller  door.Caller         // account and region; nothing of who called
	// Pipeline is set for a build that CodePipeline feeds: its source and
	// artifacts lie in S3 although the project's type is CODEPIPELINE.
	Pipeline bool
	Service  string  `json:",omitempty"` // the other AWS service that has started the build for itself, with a role of its own
	Part     *member // set for a build of a batch
	Origin   *origin `json:",omitempty"` // the webhook event that started it
}

// token makes a request that is repeated give the build that it has started
// already.
type token struct {
	BuildID string
	Request string // what was asked for, hashed
	Expires time.Time
}

// tokenLife is how long AWS honours an idempotency token.
const tokenLife = 5 * time.Minute

// recentKey sorts builds newest first.
func recentKey(b *types.Build) string {
	return fmt.Sprintf("%019d-%s", math.MaxInt64-b.StartTime.UnixNano(), *b.Id)
}

// historyKey sorts the builds of a project newest first.
func historyKey(b *types.Build) string {
	return historyPrefix(*b.ProjectName) + fmt.Sprintf("%010d-%s", math.MaxInt32-*b.BuildNumber, *b.Id)
}

func historyPrefix(projectName string) string { return projectName + "/" }

// insert keeps a new build and its places in the lists; ctx is that of a
// transaction.
func (s *Service) insert(ctx context.Context, scope store.Scope, rec record) error {
	id := *rec.Build.Id
	if err := s.builds.Insert(ctx, scope, id, rec); err != nil {
		return err
	}
	if err := s.recent.Insert(ctx, scope, recentKey(&rec.Build), id); err != nil {
		return err
	}
	return s.history.Insert(ctx, scope, historyKey(&rec.Build), id)
}

// remove takes a build out of all tables; ctx is that of a transaction.
func (s *Service) remove(ctx context.Context, scope store.Scope, b *types.Build) error {
	if err := s.builds.Delete(ctx, scope, *b.Id); err != nil {
		return err
	}
	if err := s.recent.Delete(ctx, scope, recentKey(b)); err != nil {
		return err
	}
	return s.history.Delete(ctx, scope, historyKey(b))
}

// beginPhase appends a phase that starts at t.
func beginPhase(b *types.Build, phase types.BuildPhaseType, t time.Time) {
	b.CurrentPhase = aws.String(string(phase))
	b.Phases = append(b.Phases, types.BuildPhase{PhaseType: phase, StartTime: &t})
}

// endPhase ends the newest phase.
func endPhase(b *types.Build, status types.StatusType, t time.Time, contexts ...types.PhaseContext) {
	p := &b.Phases[len(b.Phases)-1]
	p.PhaseStatus = status
	p.EndTime = &t
	p.DurationInSeconds = aws.Int64(int64(t.Sub(*p.StartTime) / time.Second))
	p.Contexts = contexts
}

// complete ends the build itself.
func complete(b *types.Build, status types.StatusType, t time.Time) {
	beginPhase(b, types.BuildPhaseTypeCompleted, t)
	b.BuildStatus = status
	b.BuildComplete = true
	b.EndTime = &t
}
