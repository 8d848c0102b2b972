package codebuild

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// StartBuild starts a build of a project.
func (s *Service) StartBuild(ctx context.Context, in *api.StartBuildInput) (*api.StartBuildOutput, error) {
	b, err := s.start(ctx, in, nil)
	if err != nil {
		return nil, err
	}
	return &api.StartBuildOutput{Build: b}, nil
}

// RetryBuild starts a build like an earlier one, with the project as it is
// now.
func (s *Service) RetryBuild(ctx context.Context, in *api.RetryBuildInput) (*api.RetryBuildOutput, error) {
	rec, err := s.build(ctx, aws.ToString(in.Id))
	if err != nil {
		return nil, err
	}
	if !rec.Build.BuildComplete {
		return nil, invalid("Build %s cannot be retried while it is in progress", *rec.Build.Id)
	}
	if err := errOfBatch(&rec); err != nil {
		return nil, err
	}
	ctx = withOrigin(ctx, rec.Origin)
	again := rec.Input
	again.IdempotencyToken = in.IdempotencyToken
	b, err := s.start(ctx, &again, nil)
	if err != nil {
		return nil, err
	}
	return &api.RetryBuildOutput{Build: b}, nil
}

// start keeps a new build and sets it going. retry is set when the build
// repeats a failed one by itself, otherwise nil.
func (s *Service) start(ctx context.Context, in *api.StartBuildInput, retry *repetition) (*types.Build, error) {
	name := projectName(aws.ToString(in.ProjectName))
	if name == "" {
		return nil, invalid("Project name is required")
	}
	caller := door.CallerFrom(ctx)
	plain := *in
	plain.IdempotencyToken = nil
	request, err := fingerprint(plain)
	if err != nil {
		return nil, err
	}
	if retry == nil {
		done, err := s.withinLimit(ctx, name, in.IdempotencyToken, request)
		if err != nil {
			return nil, err
		}
		defer done()
	}
	var rec record
	var earlier string
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if earlier, err = s.earlier(ctx, caller, in.IdempotencyToken, request); err != nil || earlier != "" {
			return err
		}
		p, err := s.projects.Get(ctx, caller.Scope(), name)
		if errors.Is(err, store.ErrNotFound) {
			return notFound("Project cannot be found: %s", caller.ResourceARN("codebuild", "project/"+name))
		} else if err != nil {
			return err
		}
		p.Builds++
		if rec, err = s.newRecord(caller, &p, in); err != nil {
			return err
		}
		originFrom(ctx).mark(&rec)
		retry.apply(&rec)
		if in.IdempotencyToken != nil {
			t := token{BuildID: *rec.Build.Id, Request: request, Expires: s.now().Add(tokenLife)}
			if err := s.tokens.Put(ctx, caller.Scope(), *in.IdempotencyToken, t); err != nil {
				return err
			}
		}
		if err := s.projects.Put(ctx, caller.Scope(), name, p); err != nil {
			return err
		}
		return s.insert(ctx, caller.Scope(), rec)
	})
	if err != nil {
		return nil, err
	}
	if earlier != "" {
		rec, err := s.build(ctx, earlier)
		return &rec.Build, err
	}
	answer := rec.Build
	answer.Phases = slices.Clone(answer.Phases)
	s.launch(rec)
	return &answer, nil
}

// earlier is the id of the build that the same token has started, "" for
// none.
func (s *Service) earlier(ctx context.Context, caller door.Caller, key *string, request string) (string, error) {
	if key == nil {
		return "", nil
	}
	t, err := s.tokens.Get(ctx, caller.Scope(), *key)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "", nil
	case err != nil:
		return "", err
	case s.now().After(t.Expires):
		return "", nil
	case t.Request != request:
		return "", invalid("Parameter mismatch: the idempotency token %s was used with other parameters", *key)
	}
	return t.BuildID, nil
}

// fingerprint hashes what a request, without its token, asks for.
func fingerprint(request any) (string, error) {
	body, err := json.Marshal(request)
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), err
}

// repetition is what a build that repeats a failed one by itself takes over.
type repetition struct {
	config    types.AutoRetryConfig
	initiator *string
}

// apply marks the build as a repetition, or, when there is none, as the first
// of those that the project's retry limit allows.
func (p *repetition) apply(rec *record) {
	if p != nil {
		rec.Build.AutoRetryConfig, rec.Build.Initiator = &p.config, p.initiator
	} else if limit := rec.Project.AutoRetryLimit; aws.ToInt32(limit) > 0 {
		rec.Build.AutoRetryConfig = &types.AutoRetryConfig{AutoRetryLimit: limit, AutoRetryNumber: aws.Int32(0)}
	}
}

// newRecord makes the build that a request asks for.
func (s *Service) newRecord(caller door.Caller, p *project, in *api.StartBuildInput) (record, error) {
	rec := record{
		Project:  p.Project,
		Input:    *in,
		Caller:   door.Caller{Account: caller.Account, Region: caller.Region},
		Pipeline: p.Project.Source.Type == types.SourceTypeCodepipeline,
	}
	if in.ServiceRoleOverride != nil {
		rec.Service = caller.Service
	}
	if err := checkOverrides(rec.Pipeline, in); err != nil {
		return rec, err
	}
	override(&rec.Project, in)
	check := rec.Project
	if rec.Pipeline { // fed from S3, so that source and artifacts no longer match the project's rule
		check.Source, check.Artifacts = p.Project.Source, p.Project.Artifacts
	}
	if err := checkProject(caller, &check); err != nil {
		return rec, err
	}
	fillDefaults(caller, &rec.Project)
	rec.Build = s.newBuild(caller, &rec, p.Builds)
	return rec, nil
}

func checkOverrides(pipeline bool, in *api.StartBuildInput) error {
	if aws.ToBool(in.DebugSessionEnabled) {
		return invalid("Invalid debug session: builds of the local cloud run on this machine, and have no session to debug them in")
	}
	if pipeline && in.SourceTypeOverride == "" {
		return invalid("Invalid source: a project whose source type is CODEPIPELINE is started by a pipeline, or with a source type override")
	}
	for i := range in.SecondarySourcesOverride {
		if err := sourceError(&in.SecondarySourcesOverride[i]); err != nil {
			return err
		}
	}
	if in.ArtifactsOverride != nil {
		if err := artifactsError(in.ArtifactsOverride); err != nil {
			return err
		}
	}
	return variablesError(in.EnvironmentVariablesOverride)
}

func (s *Service) newBuild(caller door.Caller, rec *record, number int64) types.Build {
	p := &rec.Project
	uuid := s.host.NewID()
	id := *p.Name + ":" + uuid
	now := s.now()
	b := types.Build{
		Arn:                     aws.String(caller.ResourceARN("codebuild", "build/"+id)),
		Artifacts:               buildArtifacts(p.Artifacts, uuid),
		BuildNumber:             aws.Int64(number),
		BuildStatus:             types.StatusTypeInProgress,
		Cache:                   p.Cache,
		EncryptionKey:           p.EncryptionKey,
		Environment:             p.Environment,
		FileSystemLocations:     p.FileSystemLocations,
		Id:                      &id,
		Initiator:               aws.String(initiator(caller, rec.Pipeline)),
		Logs:                    plannedLogs(caller, p, uuid, s.host.Endpoint()),
		ProjectName:             p.Name,
		QueuedTimeoutInMinutes:  p.QueuedTimeoutInMinutes,
		SecondarySources:        p.SecondarySources,
		SecondarySourceVersions: p.SecondarySourceVersions,
		ServiceRole:             p.ServiceRole,
		Source:                  p.Source,
		SourceVersion:           p.SourceVersion,
		StartTime:               &now,
		TimeoutInMinutes:        p.TimeoutInMinutes,
		VpcConfig:               p.VpcConfig,
	}
	for i := range p.SecondaryArtifacts {
		b.SecondaryArtifacts = append(b.SecondaryArtifacts, *buildArtifacts(&p.SecondaryArtifacts[i], uuid))
	}
	if rec.Pipeline {
		// A pipeline's build shows the project's type, and where the input is
		// as its source version.
		b.Source = &types.ProjectSource{Type: types.SourceTypeCodepipeline, Buildspec: p.Source.Buildspec, InsecureSsl: aws.Bool(false)}
		b.ResolvedSourceVersion = p.SourceVersion
		b.SourceVersion = aws.String("arn:" + caller.Partition() + ":s3:::" + strings.TrimPrefix(aws.ToString(p.Source.Location), "arn:"+caller.Partition()+":s3:::"))
	}
	beginPhase(&b, types.BuildPhaseTypeSubmitted, now)
	endPhase(&b, types.StatusTypeSucceeded, now)
	beginPhase(&b, types.BuildPhaseTypeQueued, now)
	return b
}

// pipelineSession begins the name of the session in which a pipeline starts
// builds; the pipeline's name follows.
const pipelineSession = "codepipeline-"

// initiator says who started a build: a user's name, ROLE/SESSION, or
// codepipeline/NAME.
func initiator(caller door.Caller, pipeline bool) string {
	resource := caller.ARN[strings.LastIndexByte(caller.ARN, ':')+1:]
	kind, name, _ := strings.Cut(resource, "/")
	if kind == "assumed-role" {
		session := name[strings.LastIndexByte(name, '/')+1:]
		if pipelineName, ok := strings.CutPrefix(session, pipelineSession); ok && pipeline {
			return "codepipeline/" + pipelineName
		}
		return name
	}
	if name == "" {
		return kind // root
	}
	return name[strings.LastIndexByte(name, '/')+1:]
}
