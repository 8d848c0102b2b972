package codebuild

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
	"ouro/regex"
)

// Bounds that AWS sets
// (https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html).
const (
	minTimeout, maxTimeout             = 5, 2160 // minutes
	minQueuedTimeout, maxQueuedTimeout = 5, 480  // minutes
	maxSecondary                       = 12      // sources, artifacts
	maxTags                            = 50
)

var projectNameForm = regex.New(`^[A-Za-z0-9][A-Za-z0-9_-]{1,149}$`)

// checkProject says what CodeBuild would refuse about p.
func checkProject(caller door.Caller, p *types.Project) error {
	name := aws.ToString(p.Name)
	if name == "" {
		return invalid("Project name is required")
	}
	if !projectNameForm().MatchString(name) {
		return invalid("Invalid project name: %s must begin with a letter or number and have 2 to 150 letters, numbers, dashes and underscores", name)
	}
	for _, check := range []func(door.Caller, *types.Project) error{
		checkSource, checkArtifacts, checkCache, checkPipeline, checkEnvironment, checkRole, checkNumbers, checkBatchConfig, checkOrigin, checkAround,
	} {
		if err := check(caller, p); err != nil {
			return err
		}
	}
	return nil
}

func checkSource(_ door.Caller, p *types.Project) error {
	if p.Source == nil {
		return invalid("Project source is required")
	}
	if err := sourceError(p.Source); err != nil {
		return err
	}
	if p.Source.Type == types.SourceTypeNoSource && !isInline(aws.ToString(p.Source.Buildspec)) && !isARN(aws.ToString(p.Source.Buildspec)) {
		return invalid("Invalid project source: a buildspec must be specified when the source type is NO_SOURCE")
	}
	if len(p.SecondarySources) > maxSecondary {
		return invalid("Invalid secondary sources: there can be at most %d", maxSecondary)
	}
	seen := map[string]bool{}
	for i := range p.SecondarySources {
		id := aws.ToString(p.SecondarySources[i].SourceIdentifier)
		if id == "" {
			return invalid("Source identifier is required for secondary sources")
		}
		if seen[id] {
			return invalid("Duplicate source identifier: %s", id)
		}
		seen[id] = true
		if err := sourceError(&p.SecondarySources[i]); err != nil {
			return err
		}
	}
	return nil
}

func sourceError(s *types.ProjectSource) error {
	if s.Type == "" {
		return invalid("Project source type is required")
	}
	if !slices.Contains(s.Type.Values(), s.Type) {
		return invalid("Invalid type provided: Project source type")
	}
	if s.Type != types.SourceTypeCodepipeline && s.Type != types.SourceTypeNoSource && aws.ToString(s.Location) == "" {
		return invalid("Project source location is required")
	}
	if s.Type == types.SourceTypeNoSource && aws.ToString(s.Location) != "" {
		return invalid("Invalid project source: source type NO_SOURCE should have null location")
	}
	return nil
}

func checkArtifacts(_ door.Caller, p *types.Project) error {
	if p.Artifacts == nil {
		return invalid("Project artifacts is required")
	}
	if err := artifactsError(p.Artifacts); err != nil {
		return err
	}
	if len(p.SecondaryArtifacts) > maxSecondary {
		return invalid("Invalid secondary artifacts: there can be at most %d", maxSecondary)
	}
	seen := map[string]bool{}
	for i := range p.SecondaryArtifacts {
		id := aws.ToString(p.SecondaryArtifacts[i].ArtifactIdentifier)
		if id == "" {
			return invalid("Artifact identifier is required for secondary artifacts")
		}
		if seen[id] {
			return invalid("Duplicate artifact identifier: %s", id)
		}
		seen[id] = true
		if err := artifactsError(&p.SecondaryArtifacts[i]); err != nil {
			return err
		}
	}
	return nil
}

func artifactsError(a *types.ProjectArtifacts) error {
	switch {
	case !slices.Contains(a.Type.Values(), a.Type):
		return invalid("Invalid type provided: Artifact type")
	case a.Type == types.ArtifactsTypeNoArtifacts && aws.ToString(a.Location) != "":
		return invalid("Invalid artifacts: artifact type NO_ARTIFACTS should have null location")
	case a.Type == types.ArtifactsTypeNoArtifacts && aws.ToString(a.Name) != "":
		return invalid("Invalid artifacts: artifact type NO_ARTIFACTS should have null output name")
	case a.Type == types.ArtifactsTypeS3 && aws.ToString(a.Location) == "":
		return invalid("Invalid artifacts: artifact type S3 should have a location")
	case a.Packaging != "" && !slices.Contains(a.Packaging.Values(), a.Packaging):
		return invalid("Invalid artifacts: unknown packaging %s", a.Packaging)
	case a.NamespaceType != "" && !slices.Contains(a.NamespaceType.Values(), a.NamespaceType):
		return invalid("Invalid artifacts: unknown namespace type %s", a.NamespaceType)
	}
	return nil
}

func checkCache(_ door.Caller, p *types.Project) error {
	c := p.Cache
	switch {
	case c == nil:
		return nil
	case !slices.Contains(c.Type.Values(), c.Type):
		return invalid("Invalid cache: unknown type %s", c.Type)
	case c.Type == types.CacheTypeS3 && aws.ToString(c.Location) == "":
		return invalid("Invalid cache: location is required for the type S3")
	case c.Type == types.CacheTypeLocal && len(c.Modes) == 0:
		return invalid("Invalid cache: at least one mode is required for the type LOCAL")
	}
	for _, m := range c.Modes {
		if !slices.Contains(m.Values(), m) {
			return invalid("Invalid cache: unknown mode %s", m)
		}
	}
	return nil
}

func checkPipeline(_ door.Caller, p *types.Project) error {
	if (p.Source.Type == types.SourceTypeCodepipeline) != (p.Artifacts.Type == types.ArtifactsTypeCodepipeline) {
		return invalid("Invalid input: when using CodePipeline both sourceType, and artifactType must be set to: CODEPIPELINE")
	}
	return nil
}

func checkEnvironment(_ door.Caller, p *types.Project) error {
	e := p.Environment
	switch {
	case e == nil:
		return invalid("Project environment is required")
	case !slices.Contains(e.Type.Values(), e.Type):
		return invalid("Invalid type provided: %s", e.Type)
	case !slices.Contains(e.ComputeType.Values(), e.ComputeType):
		return invalid("Invalid compute type provided: %s", e.ComputeType)
	case aws.ToString(e.Image) == "":
		return invalid("Project environment image is required")
	}
	return variablesError(e.EnvironmentVariables)
}

func variablesError(variables []types.EnvironmentVariable) error {
	seen := map[string]bool{}
	for _, v := range variables {
		name := aws.ToString(v.Name)
		switch {
		case name == "":
			return invalid("Environment variable name is required")
		case v.Type != "" && !slices.Contains(v.Type.Values(), v.Type):
			return invalid("Invalid type of environment variable %s: %s", name, v.Type)
		case strings.ContainsAny(name, "=\x00") || strings.ContainsRune(aws.ToString(v.Value), 0):
			return invalid("Invalid environment variable: %q", name)
		case seen[name]:
			return invalid("Duplicate environment variable: %s", name)
		}
		seen[name] = true
	}
	return nil
}

var roleForm = regex.New(`^arn:aws[a-z-]*:iam::(\d{12}):role/.+`)

func checkRole(caller door.Caller, p *types.Project) error {
	role := aws.ToString(p.ServiceRole)
	if role == "" {
		return invalid("Service role is required")
	}
	m := roleForm().FindStringSubmatch(role)
	if m == nil {
		return invalid("Invalid service role")
	}
	if m[1] != caller.Account {
		return invalid("Invalid service role: Service role account ID does not match caller's account")
	}
	return nil
}

func checkNumbers(_ door.Caller, p *types.Project) error {
	if n := p.TimeoutInMinutes; n != nil && (*n < minTimeout || *n > maxTimeout) {
		return invalid("Invalid timeout: %d, it must be between %d and %d minutes", *n, minTimeout, maxTimeout)
	}
	if n := p.QueuedTimeoutInMinutes; n != nil && (*n < minQueuedTimeout || *n > maxQueuedTimeout) {
		return invalid("Invalid queued timeout: %d, it must be between %d and %d minutes", *n, minQueuedTimeout, maxQueuedTimeout)
	}
	if n := p.ConcurrentBuildLimit; n != nil && *n < 1 {
		return invalid("Invalid concurrent build limit: %d, it must be at least 1", *n)
	}
	if n := p.AutoRetryLimit; n != nil && (*n < 0 || *n > 10) {
		return invalid("Invalid auto retry limit: %d, it must be between 0 and 10", *n)
	}
	if len(p.Tags) > maxTags {
		return invalid("Invalid tags: there can be at most %d", maxTags)
	}
	return nil
}
