package codebuild

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

// override changes p to what a StartBuild request asks for. What p points to
// is copied before it is changed.
func override(p *types.Project, in *api.StartBuildInput) {
	source, environment, artifacts := *p.Source, *p.Environment, *p.Artifacts
	p.Source, p.Environment, p.Artifacts = &source, &environment, &artifacts

	overrideSource(p, in)
	overrideEnvironment(&environment, in)
	if in.ArtifactsOverride != nil {
		artifacts = *in.ArtifactsOverride
	}
	replaceAll(&p.SecondaryArtifacts, in.SecondaryArtifactsOverride)
	p.SecondaryArtifacts = slices.Clone(p.SecondaryArtifacts)
	replace(&p.AutoRetryLimit, in.AutoRetryLimitOverride)
	replace(&p.Cache, in.CacheOverride)
	replace(&p.EncryptionKey, in.EncryptionKeyOverride)
	replace(&p.LogsConfig, in.LogsConfigOverride)
	replace(&p.QueuedTimeoutInMinutes, in.QueuedTimeoutInMinutesOverride)
	replace(&p.ServiceRole, in.ServiceRoleOverride)
	replace(&p.TimeoutInMinutes, in.TimeoutInMinutesOverride)
}

func overrideSource(p *types.Project, in *api.StartBuildInput) {
	s := p.Source
	if in.SourceTypeOverride != "" {
		// The buildspec stays the project's; the rest described another source.
		*s = types.ProjectSource{Type: in.SourceTypeOverride, Buildspec: s.Buildspec, InsecureSsl: s.InsecureSsl, Location: s.Location, GitCloneDepth: s.GitCloneDepth}
		if s.Type == types.SourceTypeNoSource {
			s.Location = nil
		}
	}
	replace(&s.Location, in.SourceLocationOverride)
	replace(&s.Buildspec, in.BuildspecOverride)
	replace(&s.Auth, in.SourceAuthOverride)
	replace(&s.BuildStatusConfig, in.BuildStatusConfigOverride)
	replace(&s.GitCloneDepth, in.GitCloneDepthOverride)
	replace(&s.GitSubmodulesConfig, in.GitSubmodulesConfigOverride)
	replace(&s.InsecureSsl, in.InsecureSslOverride)
	replace(&s.ReportBuildStatus, in.ReportBuildStatusOverride)
	replace(&p.SourceVersion, in.SourceVersion)
	replaceAll(&p.SecondarySources, in.SecondarySourcesOverride)
	replaceAll(&p.SecondarySourceVersions, in.SecondarySourcesVersionOverride)
}

func overrideEnvironment(e *types.ProjectEnvironment, in *api.StartBuildInput) {
	if in.EnvironmentTypeOverride != "" {
		e.Type = in.EnvironmentTypeOverride
	}
	if in.ComputeTypeOverride != "" {
		e.ComputeType = in.ComputeTypeOverride
	}
	if in.ImagePullCredentialsTypeOverride != "" {
		e.ImagePullCredentialsType = in.ImagePullCredentialsTypeOverride
	}
	replace(&e.Image, in.ImageOverride)
	replace(&e.Certificate, in.CertificateOverride)
	replace(&e.Fleet, in.FleetOverride)
	replace(&e.PrivilegedMode, in.PrivilegedModeOverride)
	replace(&e.RegistryCredential, in.RegistryCredentialOverride)
	e.EnvironmentVariables = mergeVariables(e.EnvironmentVariables, in.EnvironmentVariablesOverride)
}

// mergeVariables gives base with the variables of over in place of those of
// the same name, the others of over at the end.
func mergeVariables(base, over []types.EnvironmentVariable) []types.EnvironmentVariable {
	out := slices.Clone(base)
	for _, v := range over {
		at := slices.IndexFunc(out, func(o types.EnvironmentVariable) bool { return aws.ToString(o.Name) == aws.ToString(v.Name) })
		if at >= 0 {
			out[at] = v
		} else {
			out = append(out, v)
		}
	}
	return out
}
