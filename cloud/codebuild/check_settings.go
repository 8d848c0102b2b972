package codebuild

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
	"ouro/regex"
)

// More bounds that AWS sets
// (https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html).
const (
	maxDescription    = 255
	maxSubnets        = 16
	maxSecurityGroups = 5
	maxTagKey         = 127
	maxTagValue       = 255
)

var identifierForm = regex.New(`^[A-Za-z0-9_]{1,127}$`)

// checkOrigin says what CodeBuild would refuse about what a source's provider
// has to do with it.
func checkOrigin(_ door.Caller, p *types.Project) error {
	if len(aws.ToString(p.Description)) > maxDescription {
		return invalid("Invalid project description: it can have at most %d characters", maxDescription)
	}
	if err := originError(p.Source); err != nil {
		return err
	}
	known := map[string]bool{}
	for i := range p.SecondarySources {
		s := &p.SecondarySources[i]
		id := aws.ToString(s.SourceIdentifier)
		known[id] = true
		if !identifierForm().MatchString(id) {
			return invalid("Invalid source identifier: %s can contain only alphanumeric characters and underscores, and must be less than 128 characters in length", id)
		}
		if err := originError(s); err != nil {
			return err
		}
	}
	for _, v := range p.SecondarySourceVersions {
		if id := aws.ToString(v.SourceIdentifier); !known[id] {
			return invalid("Invalid secondary source version: there is no secondary source with the identifier %s", id)
		}
	}
	return nil
}

func originError(s *types.ProjectSource) error {
	_, hasWebhooks := hookEvents[s.Type]
	auth := s.Auth
	switch {
	case aws.ToBool(s.ReportBuildStatus) && !hasWebhooks:
		return invalid("Invalid project source: reportBuildStatus is not supported for source type %s", s.Type)
	case aws.ToInt32(s.GitCloneDepth) < 0:
		return invalid("Invalid git clone depth: %d", *s.GitCloneDepth)
	case auth == nil:
		return nil
	case !slices.Contains(auth.Type.Values(), auth.Type):
		return invalid("Invalid source auth type: %s", auth.Type)
	case auth.Type == types.SourceAuthTypeCodeconnections && !names(aws.ToString(auth.Resource), "codeconnections,codestar-connections", "connection/"):
		return invalid("Invalid source auth resource: %s is not the ARN of a connection", aws.ToString(auth.Resource))
	case auth.Type == types.SourceAuthTypeSecretsManager && !names(aws.ToString(auth.Resource), "secretsmanager", "secret:"):
		return invalid("Invalid source auth resource: %s is not the ARN of a secret", aws.ToString(auth.Resource))
	}
	return nil
}

// checkAround says what CodeBuild would refuse about what surrounds a build.
func checkAround(_ door.Caller, p *types.Project) error {
	if f := p.Environment.Fleet; f != nil && aws.ToString(f.FleetArn) != "" {
		return invalid("Invalid fleet: %s. %s", *f.FleetArn, noFleets)
	}
	if v := p.VpcConfig; v != nil && (aws.ToString(v.VpcId) != "" || len(v.Subnets)+len(v.SecurityGroupIds) > 0) {
		switch {
		case aws.ToString(v.VpcId) == "" || len(v.Subnets) == 0 || len(v.SecurityGroupIds) == 0:
			return invalid("Invalid vpc config: vpcId, subnets and securityGroupIds must all be specified")
		case len(v.Subnets) > maxSubnets:
			return invalid("Invalid vpc config: the maximum number of subnets is %d", maxSubnets)
		case len(v.SecurityGroupIds) > maxSecurityGroups:
			return invalid("Invalid vpc config: the maximum number of security groups is %d", maxSecurityGroups)
		}
	}
	if err := checkLogs(p.LogsConfig); err != nil {
		return err
	}
	for _, f := range p.FileSystemLocations {
		switch {
		case !slices.Contains(f.Type.Values(), f.Type):
			return invalid("Invalid file system location type: %s", f.Type)
		case !identifierForm().MatchString(aws.ToString(f.Identifier)):
			return invalid("Invalid file system location identifier: %s", aws.ToString(f.Identifier))
		case aws.ToString(f.Location) == "" || aws.ToString(f.MountPoint) == "":
			return invalid("Invalid file system location %s: location and mountPoint must be specified", *f.Identifier)
		}
	}
	return checkTags(p.Tags)
}

func checkLogs(c *types.LogsConfig) error {
	if c == nil {
		return nil
	}
	if l := c.CloudWatchLogs; l != nil && !slices.Contains(l.Status.Values(), l.Status) {
		return invalid("Invalid cloudWatchLogs status: %q", l.Status)
	}
	if l := c.S3Logs; l != nil {
		if !slices.Contains(l.Status.Values(), l.Status) {
			return invalid("Invalid s3Logs status: %q", l.Status)
		}
		if l.Status == types.LogsConfigStatusTypeEnabled && aws.ToString(l.Location) == "" {
			return invalid("Invalid s3Logs: a location is required when they are enabled")
		}
	}
	return nil
}

func checkTags(tags []types.Tag) error {
	seen := map[string]bool{}
	for _, t := range tags {
		key := aws.ToString(t.Key)
		switch {
		case key == "" || len(key) > maxTagKey || len(aws.ToString(t.Value)) > maxTagValue:
			return invalid("Invalid tag %q: a key has 1 to %d characters, a value at most %d", key, maxTagKey, maxTagValue)
		case door.SystemTag(key):
			return invalid("Invalid tag %q: keys that begin with aws: are AWS's own", key)
		case seen[key]:
			return invalid("Invalid tags: the key %q is there twice", key)
		}
		seen[key] = true
	}
	return nil
}

// tellUnhonoured has the log name what the project asks for and the local
// cloud does not do.
func (r *run) tellUnhonoured() {
	p := &r.rec.Project
	if v := p.VpcConfig; v != nil && aws.ToString(v.VpcId) != "" {
		r.log.say("VPC %s: the build runs in this machine's network", *v.VpcId)
	}
	for _, f := range p.FileSystemLocations {
		r.log.say("File system %s: the local cloud mounts none; nothing is at %s", aws.ToString(f.Location), aws.ToString(f.MountPoint))
	}
	if aws.ToBool(p.Source.ReportBuildStatus) {
		r.log.say("Build status: the local cloud tells no provider")
	}
}
