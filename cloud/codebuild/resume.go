package codebuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/store"
	"ouro/cloud/stray"
)

// lost is what a build shows that was in progress when the local cloud died.
const lost = "The build's host was lost: the local cloud ended while the build ran"

// clearAway ends the builds of a process that was killed. Their processes die
// with it by themselves, but for those that have left their group.
func (s *Service) clearAway(ctx context.Context) error {
	kept, err := s.builds.All(ctx, store.Query{})
	if err != nil {
		return fmt.Errorf("looking for builds in progress: %w", err)
	}
	var markers, uuids []string
	for _, e := range kept {
		if !e.Value.Build.BuildComplete {
			_, uuid, _ := strings.Cut(e.ID, ":")
			uuids = append(uuids, uuid)
			markers = append(markers, "CODEBUILD_BUILD_ARN="+*e.Value.Build.Arn+"\x00")
		}
	}
	if len(markers) > 0 {
		stray.Kill(markers...)
	}
	var ended []record
	for _, e := range kept {
		if e.Value.Build.BuildComplete {
			continue
		}
		rec, err := s.builds.Update(ctx, e.Scope, e.ID, func(rec *record) error {
			s.lose(&rec.Build)
			return nil
		})
		if err != nil {
			return fmt.Errorf("ending build %q: %w", e.ID, err)
		}
		ended = append(ended, rec)
	}
	if len(ended) > 0 {
		s.host.Go("codebuild telling of lost builds", func(context.Context) { s.tellLost(ended) })
	}
	return errors.Join(s.clearContainers(uuids), s.removeFolders(), s.forgetTokens(ctx), s.clearReports(ctx))
}

// lose ends a build as AWS ends one whose host is gone.
func (s *Service) lose(b *types.Build) {
	now := s.now()
	if p := &b.Phases[len(b.Phases)-1]; p.EndTime == nil {
		endPhase(b, types.StatusTypeFault, now, types.PhaseContext{StatusCode: aws.String("INTERNAL_SERVICE_ERROR"), Message: aws.String(lost)})
	}
	complete(b, types.StatusTypeFault, now)
}

func (s *Service) tellLost(ended []record) {
	for _, rec := range ended {
		e := startEvents(s, rec.Caller)
		e.state(rec)
		e.close()
	}
}

// removeFolders deletes what builds of earlier processes have left on disk.
func (s *Service) removeFolders() error {
	root := s.host.Store().Dir("builds")
	entries, err := os.ReadDir(root)
	if err != nil {
		return fmt.Errorf("looking for folders of builds: %w", err)
	}
	for _, e := range entries {
		removeTree(filepath.Join(root, e.Name()))
	}
	return nil
}

// forgetTokens deletes idempotency tokens that no longer count.
func (s *Service) forgetTokens(ctx context.Context) error {
	tokens, err := s.tokens.All(ctx, store.Query{})
	if err != nil {
		return fmt.Errorf("looking for expired tokens: %w", err)
	}
	for _, t := range tokens {
		if s.now().After(t.Value.Expires) {
			if err := s.tokens.Delete(ctx, t.Scope, t.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("deleting an expired token: %w", err)
			}
		}
	}
	return nil
}
