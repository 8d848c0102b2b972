package codebuild

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// project is a build project as it is kept.
type project struct {
	Project types.Project
	Builds  int64     // number of the newest build
	Batches int64     // number of the newest batch build
	Hook    *hookKeys `json:",omitempty"` // of Project.Webhook
}

// Timeouts of a project that says nothing, in minutes.
const (
	defaultTimeout       = 60
	defaultQueuedTimeout = 480
)

func invalid(format string, args ...any) error {
	return &types.InvalidInputException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func notFound(format string, args ...any) error {
	return &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf(format, args...))}
}

// CreateProject keeps a new project.
func (s *Service) CreateProject(ctx context.Context, in *api.CreateProjectInput) (*api.CreateProjectOutput, error) {
	caller := door.CallerFrom(ctx)
	now := s.now()
	p := types.Project{
		Arn:                     aws.String(caller.ResourceARN("codebuild", "project/"+aws.ToString(in.Name))),
		Artifacts:               in.Artifacts,
		AutoRetryLimit:          in.AutoRetryLimit,
		Badge:                   &types.ProjectBadge{BadgeEnabled: aws.ToBool(in.BadgeEnabled)},
		BuildBatchConfig:        in.BuildBatchConfig,
		Cache:                   in.Cache,
		ConcurrentBuildLimit:    in.ConcurrentBuildLimit,
		Created:                 &now,
		Description:             in.Description,
		EncryptionKey:           in.EncryptionKey,
		Environment:             in.Environment,
		FileSystemLocations:     in.FileSystemLocations,
		LastModified:            &now,
		LogsConfig:              in.LogsConfig,
		Name:                    in.Name,
		ProjectVisibility:       types.ProjectVisibilityTypePrivate,
		QueuedTimeoutInMinutes:  in.QueuedTimeoutInMinutes,
		SecondaryArtifacts:      in.SecondaryArtifacts,
		SecondarySourceVersions: in.SecondarySourceVersions,
		SecondarySources:        in.SecondarySources,
		ServiceRole:             in.ServiceRole,
		Source:                  in.Source,
		SourceVersion:           in.SourceVersion,
		Tags:                    in.Tags,
		TimeoutInMinutes:        in.TimeoutInMinutes,
		VpcConfig:               in.VpcConfig,
	}
	if err := checkProject(caller, &p); err != nil {
		return nil, err
	}
	fillDefaults(caller, &p)
	switch err := s.projects.Insert(ctx, caller.Scope(), *p.Name, project{Project: p}); {
	case errors.Is(err, store.ErrExists):
		return nil, &types.ResourceAlreadyExistsException{Message: aws.String("Project already exists: " + *p.Arn)}
	case err != nil:
		return nil, err
	}
	made, err := s.described(caller, project{Project: p})
	return &api.CreateProjectOutput{Project: &made}, err
}

// UpdateProject replaces what the request names and leaves the rest.
func (s *Service) UpdateProject(ctx context.Context, in *api.UpdateProjectInput) (*api.UpdateProjectOutput, error) {
	caller := door.CallerFrom(ctx)
	name := aws.ToString(in.Name)
	if name == "" {
		return nil, invalid("Project name is required")
	}
	hadHook := false
	updated, err := s.projects.Update(ctx, caller.Scope(), name, func(kept *project) error {
		p := kept.Project
		applyUpdate(&p, in)
		if hadHook = kept.Hook != nil; hadHook && p.Source.Type != kept.Project.Source.Type {
			kept.Hook, p.Webhook = nil, nil // it was one of the former provider
		}
		if err := checkProject(caller, &p); err != nil {
			return err
		}
		fillDefaults(caller, &p)
		now := s.now()
		p.LastModified = &now
		kept.Project = p
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, notFound("Project does not exist: %s", caller.ResourceARN("codebuild", "project/"+name))
	} else if err != nil {
		return nil, err
	}
	switch {
	case updated.Hook != nil:
		err = s.putHookRule(ctx, caller, &updated.Project)
	case hadHook:
		err = s.dropHookRule(ctx, caller, name)
	}
	if err != nil {
		return nil, err
	}
	p, err := s.described(caller, updated)
	return &api.UpdateProjectOutput{Project: &p}, err
}

// replace sets *to to v unless v is nil.
func replace[T any](to **T, v *T) {
	if v != nil {
		*to = v
	}
}

func replaceAll[T any](to *[]T, v []T) {
	if v != nil {
		*to = v
	}
}

func applyUpdate(p *types.Project, in *api.UpdateProjectInput) {
	replace(&p.Artifacts, in.Artifacts)
	replace(&p.AutoRetryLimit, in.AutoRetryLimit)
	replace(&p.BuildBatchConfig, in.BuildBatchConfig)
	replace(&p.Cache, in.Cache)
	replace(&p.Description, in.Description)
	replace(&p.EncryptionKey, in.EncryptionKey)
	replace(&p.Environment, in.Environment)
	replace(&p.LogsConfig, in.LogsConfig)
	replace(&p.QueuedTimeoutInMinutes, in.QueuedTimeoutInMinutes)
	replace(&p.ServiceRole, in.ServiceRole)
	replace(&p.Source, in.Source)
	replace(&p.SourceVersion, in.SourceVersion)
	replace(&p.TimeoutInMinutes, in.TimeoutInMinutes)
	replace(&p.VpcConfig, in.VpcConfig)
	replaceAll(&p.FileSystemLocations, in.FileSystemLocations)
	replaceAll(&p.SecondaryArtifacts, in.SecondaryArtifacts)
	replaceAll(&p.SecondarySourceVersions, in.SecondarySourceVersions)
	replaceAll(&p.SecondarySources, in.SecondarySources)
	replaceAll(&p.Tags, in.Tags)
	if in.BadgeEnabled != nil {
		p.Badge = &types.ProjectBadge{BadgeEnabled: *in.BadgeEnabled}
	}
	if in.ConcurrentBuildLimit != nil {
		p.ConcurrentBuildLimit = in.ConcurrentBuildLimit
		if *in.ConcurrentBuildLimit == -1 { // AWS's way of taking the limit away
			p.ConcurrentBuildLimit = nil
		}
	}
}

// DeleteProject forgets a project; its builds stay. Deleting what is not
// there succeeds, as on AWS.
func (s *Service) DeleteProject(ctx context.Context, in *api.DeleteProjectInput) (*api.DeleteProjectOutput, error) {
	if aws.ToString(in.Name) == "" {
		return nil, invalid("Project name is required")
	}
	caller, name := door.CallerFrom(ctx), projectName(*in.Name)
	p, err := s.projects.Get(ctx, caller.Scope(), name)
	if err == nil {
		err = s.projects.Delete(ctx, caller.Scope(), name)
	}
	if err == nil {
		err = s.dropPolicy(ctx, caller, *p.Project.Arn)
	}
	if err == nil && p.Hook != nil {
		err = s.dropHookRule(ctx, caller, name)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return &api.DeleteProjectOutput{}, nil
}

// projectName takes a name, or the ARN that AWS takes in its place.
func projectName(nameOrARN string) string {
	if strings.HasPrefix(nameOrARN, "arn:") {
		return nameOrARN[strings.LastIndexByte(nameOrARN, '/')+1:]
	}
	return nameOrARN
}

// fillDefaults sets what AWS answers for members that a request left out.
func fillDefaults(caller door.Caller, p *types.Project) {
	if p.TimeoutInMinutes == nil {
		p.TimeoutInMinutes = aws.Int32(defaultTimeout)
	}
	if p.QueuedTimeoutInMinutes == nil {
		p.QueuedTimeoutInMinutes = aws.Int32(defaultQueuedTimeout)
	}
	if p.EncryptionKey == nil {
		p.EncryptionKey = aws.String(defaultKey(caller))
	}
	if p.Cache == nil {
		p.Cache = &types.ProjectCache{Type: types.CacheTypeNoCache}
	}
	if e := p.Environment; e.ImagePullCredentialsType == "" {
		e.ImagePullCredentialsType = types.ImagePullCredentialsTypeCodebuild
	}
	if e := p.Environment; e.PrivilegedMode == nil {
		e.PrivilegedMode = aws.Bool(false)
	}
	for i := range p.Environment.EnvironmentVariables {
		if v := &p.Environment.EnvironmentVariables[i]; v.Type == "" {
			v.Type = types.EnvironmentVariableTypePlaintext
		}
	}
	fillArtifacts(p.Artifacts, aws.ToString(p.Name))
	for i := range p.SecondaryArtifacts {
		fillArtifacts(&p.SecondaryArtifacts[i], aws.ToString(p.SecondaryArtifacts[i].ArtifactIdentifier))
	}
	if p.Source.InsecureSsl == nil {
		p.Source.InsecureSsl = aws.Bool(false)
	}
}

func fillArtifacts(a *types.ProjectArtifacts, name string) {
	if a.Type != types.ArtifactsTypeS3 {
		if a.Type == types.ArtifactsTypeCodepipeline && a.Name == nil {
			a.Name, a.Packaging, a.EncryptionDisabled = &name, types.ArtifactPackagingNone, aws.Bool(false)
		}
		return
	}
	if aws.ToString(a.Name) == "" {
		a.Name = &name
	}
	if a.NamespaceType == "" {
		a.NamespaceType = types.ArtifactNamespaceNone
	}
	if a.Packaging == "" {
		a.Packaging = types.ArtifactPackagingNone
	}
	if a.EncryptionDisabled == nil {
		a.EncryptionDisabled = aws.Bool(false)
	}
	if a.OverrideArtifactName == nil {
		a.OverrideArtifactName = aws.Bool(false)
	}
}

func defaultKey(caller door.Caller) string {
	return caller.ResourceARN("kms", "alias/aws/s3")
}
