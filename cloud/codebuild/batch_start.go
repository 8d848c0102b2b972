package codebuild

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// StartBuildBatch starts a batch build of a project.
//
// A batch that CodePipeline feeds finds its source where the request's source
// override says, and puts artifacts where the artifacts overrides say: the
// combined ones in the primary, or, uncombined, in the secondary artifacts
// that are called IDENTIFIER and IDENTIFIER_SECONDARY after the builds that
// make them, as the output artifacts of a pipeline's action are.
func (s *Service) StartBuildBatch(ctx context.Context, in *api.StartBuildBatchInput) (*api.StartBuildBatchOutput, error) {
	b, err := s.startBatch(ctx, in)
	if err != nil {
		return nil, err
	}
	return &api.StartBuildBatchOutput{BuildBatch: &b.Batch}, nil
}

func (s *Service) startBatch(ctx context.Context, in *api.StartBuildBatchInput) (batch, error) {
	name := projectName(aws.ToString(in.ProjectName))
	if name == "" {
		return batch{}, invalid("Project name is required")
	}
	plain := *in
	plain.IdempotencyToken = nil
	request, err := fingerprint(plain)
	if err != nil {
		return batch{}, err
	}
	caller := door.CallerFrom(ctx)
	var b batch
	key := tokenOf("StartBuildBatch", in.IdempotencyToken)
	// A batch that the store has is found among those in progress.
	s.batches.mu.Lock()
	defer s.batches.mu.Unlock()
	earlier := ""
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if earlier, err = s.earlier(ctx, caller, key, request); err != nil || earlier != "" {
			return err
		}
		p, err := s.projects.Get(ctx, caller.Scope(), name)
		if errors.Is(err, store.ErrNotFound) {
			return notFound("Project cannot be found: %s", caller.ResourceARN("codebuild", "project/"+name))
		} else if err != nil {
			return err
		}
		p.Batches++
		if b, err = s.newBatch(caller, &p, in, originFrom(ctx)); err != nil {
			return err
		}
		if err := s.keepToken(ctx, caller.Scope(), key, request, *b.Batch.Id); err != nil {
			return err
		}
		if err := s.projects.Put(ctx, caller.Scope(), name, p); err != nil {
			return err
		}
		return s.batches.kept.Insert(ctx, caller.Scope(), *b.Batch.Id, b)
	})
	switch {
	case err != nil:
		return b, err
	case earlier != "":
		return s.getBatch(ctx, earlier)
	}
	answer := b
	answer.Batch.Phases = slices.Clone(answer.Batch.Phases)
	s.launchBatch(b)
	return answer, nil
}

// tokenOf keeps the idempotency tokens of an operation apart from those of
// the others.
func tokenOf(operation string, token *string) *string {
	if token == nil {
		return nil
	}
	return aws.String(operation + " " + *token)
}

// keepToken remembers what a request with a token has started; ctx is that of
// a transaction.
func (s *Service) keepToken(ctx context.Context, scope store.Scope, key *string, request, id string) error {
	if key == nil {
		return nil
	}
	return s.tokens.Put(ctx, scope, *key, token{BuildID: id, Request: request, Expires: s.now().Add(tokenLife)})
}

// newBatch makes the batch that a request asks for. What a batch shows is
// what a single build with the same overrides would; from is the event that
// it starts for, or nil.
func (s *Service) newBatch(caller door.Caller, p *project, in *api.StartBuildBatchInput, from *origin) (batch, error) {
	if err := checkBatchReport(p.Project.Source.Type, in); err != nil {
		return batch{}, err
	}
	like := project{Project: p.Project, Builds: p.Batches}
	like.Project.BuildBatchConfig = batchConfig(p.Project.BuildBatchConfig, in.BuildBatchConfigOverride)
	rec, err := s.newRecord(caller, &like, asBuild(in))
	if err != nil {
		return batch{}, err
	}
	if err := checkBatchRequest(caller, &rec.Project, in); err != nil {
		return batch{}, err
	}
	from.mark(&rec)
	of := rec.Build
	b := types.BuildBatch{
		Arn:                     aws.String(caller.ResourceARN("codebuild", "build-batch/"+*of.Id)),
		Artifacts:               of.Artifacts,
		BuildBatchConfig:        rec.Project.BuildBatchConfig,
		BuildBatchNumber:        of.BuildNumber,
		BuildBatchStatus:        types.StatusTypeInProgress,
		BuildTimeoutInMinutes:   of.TimeoutInMinutes,
		Cache:                   of.Cache,
		EncryptionKey:           of.EncryptionKey,
		Environment:             of.Environment,
		FileSystemLocations:     of.FileSystemLocations,
		Id:                      of.Id,
		Initiator:               of.Initiator,
		LogConfig:               rec.Project.LogsConfig,
		ProjectName:             of.ProjectName,
		QueuedTimeoutInMinutes:  of.QueuedTimeoutInMinutes,
		ResolvedSourceVersion:   of.ResolvedSourceVersion,
		SecondaryArtifacts:      of.SecondaryArtifacts,
		SecondarySources:        of.SecondarySources,
		SecondarySourceVersions: of.SecondarySourceVersions,
		ServiceRole:             of.ServiceRole,
		Source:                  of.Source,
		SourceVersion:           of.SourceVersion,
		StartTime:               of.StartTime,
		VpcConfig:               of.VpcConfig,
	}
	beginBatchPhase(&b, types.BuildBatchPhaseTypeSubmitted, *of.StartTime)
	rec.Build, rec.Input = types.Build{}, api.StartBuildInput{} // each build has its own
	return batch{Batch: b, record: rec}, nil
}
