package ecr

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"ouro/cloud/door"
	"ouro/cloud/policy"
	"ouro/regex"
)

var filterPattern = regex.New(`^[0-9a-zA-Z._*-]{1,128}$`)

// Bounds of the filters that except tags from a repository's mutability.
const maxFilters, maxWildcards = 5, 2

// mutabilityOf reads whether tags can be moved, and which ones are excepted.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
func mutabilityOf(m types.ImageTagMutability, filters []types.ImageTagMutabilityExclusionFilter) (types.ImageTagMutability, []types.ImageTagMutabilityExclusionFilter, error) {
	if m == "" {
		m = types.ImageTagMutabilityMutable
	}
	excepts := m == types.ImageTagMutabilityImmutableWithExclusion || m == types.ImageTagMutabilityMutableWithExclusion
	switch {
	case !slices.Contains(m.Values(), m):
		return m, nil, badParameter("imageTagMutability", "must be one of MUTABLE, IMMUTABLE, MUTABLE_WITH_EXCLUSION and IMMUTABLE_WITH_EXCLUSION")
	case excepts && len(filters) == 0:
		return m, nil, badParameter("imageTagMutabilityExclusionFilters", "%s needs filters", m)
	case !excepts && len(filters) > 0:
		return m, nil, badParameter("imageTagMutabilityExclusionFilters", "%s takes no filters", m)
	case len(filters) > maxFilters:
		return m, nil, badParameter("imageTagMutabilityExclusionFilters", "at most %d filters", maxFilters)
	}
	for _, f := range filters {
		text := aws.ToString(f.Filter)
		if f.FilterType != types.ImageTagMutabilityExclusionFilterTypeWildcard || !filterPattern().MatchString(text) || strings.Count(text, "*") > maxWildcards {
			return m, nil, badParameter("imageTagMutabilityExclusionFilters", "a filter is of the type WILDCARD, and has 1 to 128 letters, digits and characters of . _ * -, at most %d of them *", maxWildcards)
		}
	}
	return m, filters, nil
}

// fixes tells whether a tag of the repository stays with its image.
func (r repository) fixes(tag string) bool {
	excepted := slices.ContainsFunc(r.Exclusions, func(f types.ImageTagMutabilityExclusionFilter) bool { return policy.Like(*f.Filter, tag) })
	switch r.Mutability {
	case types.ImageTagMutabilityImmutable, types.ImageTagMutabilityImmutableWithExclusion:
		return !excepted
	}
	return excepted
}

// PutImageTagMutability sets whether tags can be moved.
func (s *Service) PutImageTagMutability(ctx context.Context, in *ecr.PutImageTagMutabilityInput) (*ecr.PutImageTagMutabilityOutput, error) {
	m, filters, err := mutabilityOf(in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters)
	if err != nil {
		return nil, err
	}
	scope, r, err := s.change(ctx, in.RegistryId, in.RepositoryName, "PutImageTagMutability", func(r *repository) error {
		r.Mutability, r.Exclusions = m, filters
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.PutImageTagMutabilityOutput{RegistryId: &scope.Account, RepositoryName: &r.Name, ImageTagMutability: m, ImageTagMutabilityExclusionFilters: filters}, nil
}

// accountSettings are the names of settings, their values, the default first.
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutAccountSetting.html
var accountSettings = map[string][]string{
	"BASIC_SCAN_TYPE_VERSION": {"AWS_NATIVE", "CLAIR"},
	"REGISTRY_POLICY_SCOPE":   {"V2", "V1"},
	blobMounting:              {"DISABLED", enabled},
}

// blobMounting is the setting that lets pushes take layers from another
// repository of the registry.
const blobMounting, enabled = "BLOB_MOUNTING", "ENABLED"

// setting is the value of an account's setting.
func (r registry) setting(name string) string {
	if v := r.Settings[name]; v != "" {
		return v
	}
	return accountSettings[name][0]
}

// registry gives what the caller's account has set.
func (s *Service) registry(ctx context.Context) (registry, error) {
	r, err := s.registries.Get(ctx, door.CallerFrom(ctx).Scope(), registryID)
	return r, missing(err, nil)
}

// set changes what the caller's account has set.
func (s *Service) set(ctx context.Context, how func(*registry) error) error {
	return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		r, err := s.registry(ctx)
		if err != nil {
			return err
		}
		if err := how(&r); err != nil {
			return err
		}
		return s.registries.Put(ctx, door.CallerFrom(ctx).Scope(), registryID, r)
	})
}

func settingNamed(name *string) (string, error) {
	if n := aws.ToString(name); accountSettings[n] != nil {
		return n, nil
	}
	return "", badParameter("name", "must be BASIC_SCAN_TYPE_VERSION, REGISTRY_POLICY_SCOPE or BLOB_MOUNTING")
}

// GetAccountSetting gives a setting of the account.
func (s *Service) GetAccountSetting(ctx context.Context, in *ecr.GetAccountSettingInput) (*ecr.GetAccountSettingOutput, error) {
	name, err := settingNamed(in.Name)
	if err != nil {
		return nil, err
	}
	r, err := s.registry(ctx)
	return &ecr.GetAccountSettingOutput{Name: &name, Value: aws.String(r.setting(name))}, err
}

// PutAccountSetting sets a setting of the account.
func (s *Service) PutAccountSetting(ctx context.Context, in *ecr.PutAccountSettingInput) (*ecr.PutAccountSettingOutput, error) {
	name, err := settingNamed(in.Name)
	if err != nil {
		return nil, err
	}
	value := aws.ToString(in.Value)
	if !slices.Contains(accountSettings[name], value) {
		return nil, badParameter("value", "must be one of %s", strings.Join(accountSettings[name], ", "))
	}
	err = s.set(ctx, func(r *registry) error {
		if r.Settings == nil {
			r.Settings = map[string]string{}
		}
		r.Settings[name] = value
		return nil
	})
	return &ecr.PutAccountSettingOutput{Name: &name, Value: &value}, err
}

// DescribeRegistry tells of the caller's registry. It replicates nowhere.
func (s *Service) DescribeRegistry(ctx context.Context, _ *ecr.DescribeRegistryInput) (*ecr.DescribeRegistryOutput, error) {
	return &ecr.DescribeRegistryOutput{
		RegistryId:               aws.String(door.CallerFrom(ctx).Account),
		ReplicationConfiguration: &types.ReplicationConfiguration{Rules: []types.ReplicationRule{}},
	}, nil
}

// PutReplicationConfiguration takes a configuration without rules.
func (s *Service) PutReplicationConfiguration(_ context.Context, in *ecr.PutReplicationConfigurationInput) (*ecr.PutReplicationConfigurationOutput, error) {
	if c := in.ReplicationConfiguration; c != nil && len(c.Rules) > 0 {
		return nil, unsupported("The local cloud does not replicate images: push them to each registry")
	}
	return &ecr.PutReplicationConfigurationOutput{ReplicationConfiguration: &types.ReplicationConfiguration{Rules: []types.ReplicationRule{}}}, nil
}
