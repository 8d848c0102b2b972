package codebuild

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
)

// checkBatchConfig says what CodeBuild would refuse about a project's
// configuration of batches.
func checkBatchConfig(caller door.Caller, p *types.Project) error {
	c := p.BuildBatchConfig
	if c == nil {
		return nil
	}
	if c.ServiceRole != nil {
		if err := checkRole(caller, &types.Project{ServiceRole: c.ServiceRole}); err != nil {
			return err
		}
	}
	if n := c.TimeoutInMins; n != nil && (*n < minTimeout || *n > maxTimeout) {
		return invalid("Invalid batch timeout: %d, it must be between %d and %d minutes", *n, minTimeout, maxTimeout)
	}
	if mode := c.BatchReportMode; mode != "" && !slices.Contains(mode.Values(), mode) {
		return invalid("Invalid batch report mode: %s", mode)
	}
	if c.Restrictions == nil {
		return nil
	}
	if n := c.Restrictions.MaximumBuildsAllowed; n != nil && (*n < 1 || *n > maxBatchBuilds) {
		return invalid("Invalid batch restrictions: maximum builds allowed is %d, it must be between 1 and %d", *n, maxBatchBuilds)
	}
	for _, kind := range c.Restrictions.ComputeTypesAllowed {
		if kind := types.ComputeType(kind); !slices.Contains(kind.Values(), kind) {
			return invalid("Invalid batch restrictions: unknown compute type %s", kind)
		}
	}
	return nil
}

// reporting are the sources whose providers can be told how a batch went.
var reporting = []types.SourceType{types.SourceTypeGithub, types.SourceTypeGithubEnterprise, types.SourceTypeBitbucket}

// checkBatchReport refuses to tell the status of a batch to a provider that
// does not take it. Some of these take that of single builds.
func checkBatchReport(source types.SourceType, in *api.StartBuildBatchInput) error {
	if in.SourceTypeOverride != "" {
		source = in.SourceTypeOverride
	}
	if aws.ToBool(in.ReportBuildBatchStatusOverride) && !slices.Contains(reporting, source) {
		return invalid("Invalid report build batch status: the source type %s has no provider that takes the status of a batch build", source)
	}
	return nil
}

// checkBatchRequest refuses what a request asks for and cannot have; p is the
// project with the request's overrides.
func checkBatchRequest(caller door.Caller, p *types.Project, in *api.StartBuildBatchInput) error {
	if p.BuildBatchConfig.ServiceRole == nil {
		return invalid("Batch service role is required: the project %s has no batch configuration with a service role", *p.Name)
	}
	return checkBatchConfig(caller, p)
}

// asBuild is the request for a single build with the same overrides.
func asBuild(in *api.StartBuildBatchInput) *api.StartBuildInput {
	return &api.StartBuildInput{
		ProjectName:                      in.ProjectName,
		ArtifactsOverride:                in.ArtifactsOverride,
		BuildspecOverride:                in.BuildspecOverride,
		CacheOverride:                    in.CacheOverride,
		CertificateOverride:              in.CertificateOverride,
		DebugSessionEnabled:              in.DebugSessionEnabled,
		ComputeTypeOverride:              in.ComputeTypeOverride,
		EncryptionKeyOverride:            in.EncryptionKeyOverride,
		EnvironmentTypeOverride:          in.EnvironmentTypeOverride,
		EnvironmentVariablesOverride:     in.EnvironmentVariablesOverride,
		GitCloneDepthOverride:            in.GitCloneDepthOverride,
		GitSubmodulesConfigOverride:      in.GitSubmodulesConfigOverride,
		ImageOverride:                    in.ImageOverride,
		ImagePullCredentialsTypeOverride: in.ImagePullCredentialsTypeOverride,
		InsecureSslOverride:              in.InsecureSslOverride,
		LogsConfigOverride:               in.LogsConfigOverride,
		PrivilegedModeOverride:           in.PrivilegedModeOverride,
		QueuedTimeoutInMinutesOverride:   in.QueuedTimeoutInMinutesOverride,
		RegistryCredentialOverride:       in.RegistryCredentialOverride,
		ReportBuildStatusOverride:        in.ReportBuildBatchStatusOverride,
		SecondaryArtifactsOverride:       in.SecondaryArtifactsOverride,
		SecondarySourcesOverride:         in.SecondarySourcesOverride,
		SecondarySourcesVersionOverride:  in.SecondarySourcesVersionOverride,
		ServiceRoleOverride:              in.ServiceRoleOverride,
		SourceAuthOverride:               in.SourceAuthOverride,
		SourceLocationOverride:           in.SourceLocationOverride,
		SourceTypeOverride:               in.SourceTypeOverride,
		SourceVersion:                    in.SourceVersion,
		TimeoutInMinutesOverride:         in.BuildTimeoutInMinutesOverride,
	}
}
