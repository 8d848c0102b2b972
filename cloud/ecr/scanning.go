package ecr

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"ouro/cloud/door"
	"ouro/cloud/policy"
	"ouro/cloud/store"
)

// PutImageScanningConfiguration keeps whether images are scanned as they are
// pushed. None are.
func (s *Service) PutImageScanningConfiguration(ctx context.Context, in *ecr.PutImageScanningConfigurationInput) (*ecr.PutImageScanningConfigurationOutput, error) {
	if in.ImageScanningConfiguration == nil {
		return nil, badParameter("imageScanningConfiguration", "must not be null")
	}
	scope, r, err := s.change(ctx, in.RegistryId, in.RepositoryName, "PutImageScanningConfiguration", func(r *repository) error {
		r.ScanOnPush = in.ImageScanningConfiguration.ScanOnPush
		return nil
	})
	return &ecr.PutImageScanningConfigurationOutput{RegistryId: &scope.Account, RepositoryName: &r.Name, ImageScanningConfiguration: in.ImageScanningConfiguration}, err
}

// StartImageScan is refused: there is nothing here that knows vulnerabilities.
func (s *Service) StartImageScan(ctx context.Context, in *ecr.StartImageScanInput) (*ecr.StartImageScanOutput, error) {
	if _, _, err := s.scanned(ctx, in.RegistryId, in.RepositoryName, in.ImageId, "StartImageScan"); err != nil {
		return nil, err
	}
	return nil, unsupported("The local cloud does not scan images: it has no list of vulnerabilities")
}

// DescribeImageScanFindings finds no scan.
func (s *Service) DescribeImageScanFindings(ctx context.Context, in *ecr.DescribeImageScanFindingsInput) (*ecr.DescribeImageScanFindingsOutput, error) {
	scope, i, err := s.scanned(ctx, in.RegistryId, in.RepositoryName, in.ImageId, "DescribeImageScanFindings")
	if err != nil {
		return nil, err
	}
	return nil, refuse("ScanNotFound", "Image scan does not exist for the image with '{imageDigest:'%s', imageTag:'%s'}' in the repository with name '%s' in the registry with id '%s'",
		i.Digest, cmp.Or(aws.ToString(in.ImageId.ImageTag), "null"), aws.ToString(in.RepositoryName), scope.Account)
}

func (s *Service) scanned(ctx context.Context, registryID, name *string, id *types.ImageIdentifier, action string) (store.Scope, image, error) {
	scope, r, err := s.find(ctx, registryID, name, action)
	if err != nil {
		return scope, image{}, err
	}
	if id == nil {
		return scope, image{}, badParameter("imageId", "must not be null")
	}
	i, err := s.mustFind(ctx, scope, r.Name, *id)
	return scope, i, err
}

// Bounds of a registry's scanning configuration.
const maxScanRules, maxScanNames = 2, 25

// PutRegistryScanningConfiguration keeps which images the registry scans. None
// are.
func (s *Service) PutRegistryScanningConfiguration(ctx context.Context, in *ecr.PutRegistryScanningConfigurationInput) (*ecr.PutRegistryScanningConfigurationOutput, error) {
	kind := in.ScanType
	if kind == "" {
		kind = types.ScanTypeBasic
	}
	if !slices.Contains(kind.Values(), kind) {
		return nil, badParameter("scanType", "must be BASIC or ENHANCED")
	}
	if len(in.Rules) > maxScanRules {
		return nil, badParameter("rules", "must have length less than or equal to %d", maxScanRules)
	}
	for _, r := range in.Rules {
		if !slices.Contains(r.ScanFrequency.Values(), r.ScanFrequency) || kind == types.ScanTypeBasic && r.ScanFrequency == types.ScanFrequencyContinuousScan {
			return nil, badParameter("scanFrequency", "must be SCAN_ON_PUSH or MANUAL, or for ENHANCED scans CONTINUOUS_SCAN")
		}
		for _, f := range r.RepositoryFilters {
			if f.FilterType != types.ScanningRepositoryFilterTypeWildcard || aws.ToString(f.Filter) == "" {
				return nil, badParameter("repositoryFilters", "a filter is of the type WILDCARD and not empty")
			}
		}
	}
	err := s.set(ctx, func(r *registry) error {
		r.Scanning = &scanning{Type: kind, Rules: in.Rules}
		return nil
	})
	return &ecr.PutRegistryScanningConfigurationOutput{RegistryScanningConfiguration: &types.RegistryScanningConfiguration{ScanType: kind, Rules: in.Rules}}, err
}

// configuration is the registry's scanning configuration.
func (r registry) configuration() *types.RegistryScanningConfiguration {
	out := &types.RegistryScanningConfiguration{ScanType: types.ScanTypeBasic, Rules: []types.RegistryScanningRule{}}
	if r.Scanning != nil {
		out.ScanType, out.Rules = r.Scanning.Type, r.Scanning.Rules
	}
	return out
}

// GetRegistryScanningConfiguration gives the registry's scanning configuration.
func (s *Service) GetRegistryScanningConfiguration(ctx context.Context, _ *ecr.GetRegistryScanningConfigurationInput) (*ecr.GetRegistryScanningConfigurationOutput, error) {
	r, err := s.registry(ctx)
	return &ecr.GetRegistryScanningConfigurationOutput{RegistryId: aws.String(door.CallerFrom(ctx).Account), ScanningConfiguration: r.configuration()}, err
}

// BatchGetRepositoryScanningConfiguration tells how often images of
// repositories would be scanned.
func (s *Service) BatchGetRepositoryScanningConfiguration(ctx context.Context, in *ecr.BatchGetRepositoryScanningConfigurationInput) (*ecr.BatchGetRepositoryScanningConfigurationOutput, error) {
	if n := len(in.RepositoryNames); n == 0 || n > maxScanNames {
		return nil, badParameter("repositoryNames", "must have length between 1 and %d", maxScanNames)
	}
	reg, err := s.registry(ctx)
	if err != nil {
		return nil, err
	}
	out := &ecr.BatchGetRepositoryScanningConfigurationOutput{
		ScanningConfigurations: []types.RepositoryScanningConfiguration{}, Failures: []types.RepositoryScanningConfigurationFailure{},
	}
	for _, name := range in.RepositoryNames {
		scope, r, err := s.find(ctx, nil, &name, "BatchGetRepositoryScanningConfiguration")
		switch {
		case isCode(err, "RepositoryNotFound"):
			out.Failures = append(out.Failures, types.RepositoryScanningConfigurationFailure{RepositoryName: &name,
				FailureCode: types.ScanningConfigurationFailureCodeRepositoryNotFound, FailureReason: aws.String("REPOSITORY_NOT_FOUND")})
		case err != nil:
			return nil, err
		default:
			out.ScanningConfigurations = append(out.ScanningConfigurations, reg.scans(scope, r))
		}
	}
	return out, nil
}

// scans tells how often the registry scans a repository, and which of its
// filters say so. Without rules, the repository's own setting counts.
func (r registry) scans(scope store.Scope, of repository) types.RepositoryScanningConfiguration {
	out := types.RepositoryScanningConfiguration{
		RepositoryName: &of.Name, RepositoryArn: aws.String(arnOf(scope, of.Name)), ScanFrequency: types.ScanFrequencyManual,
		AppliedScanFilters: []types.ScanningRepositoryFilter{},
	}
	if of.ScanOnPush {
		out.ScanFrequency = types.ScanFrequencyScanOnPush
	}
	for _, rule := range r.configuration().Rules {
		for _, f := range rule.RepositoryFilters {
			pattern := *f.Filter
			if !strings.Contains(pattern, "*") {
				pattern = "*" + pattern + "*" // as AWS reads it
			}
			if policy.Like(pattern, of.Name) {
				out.ScanFrequency = rule.ScanFrequency
				out.AppliedScanFilters = append(out.AppliedScanFilters, f)
			}
		}
	}
	out.ScanOnPush = out.ScanFrequency == types.ScanFrequencyScanOnPush
	return out
}
