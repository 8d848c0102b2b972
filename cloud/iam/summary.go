package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// GetAccountSummary counts what is in the account, and tells the quotas that
// are kept here.
func (s *Service) GetAccountSummary(ctx context.Context, _ *iam.GetAccountSummaryInput) (*iam.GetAccountSummaryOutput, error) {
	scope := door.CallerFrom(ctx).GlobalScope()
	counts := map[string]int32{
		"AssumeRolePolicySizeQuota":         longestTrust,
		"AccessKeysPerUserQuota":            mostKeys,
		"AttachedPoliciesPerGroupQuota":     mostAttached,
		"AttachedPoliciesPerRoleQuota":      mostAttached,
		"AttachedPoliciesPerUserQuota":      mostAttached,
		"GroupPolicySizeQuota":              int32(s.groups.inline),
		"GroupsPerUserQuota":                mostGroups,
		"PolicySizeQuota":                   longestManaged,
		"RolePolicySizeQuota":               int32(s.roles.inline),
		"UserPolicySizeQuota":               int32(s.users.inline),
		"VersionsPerPolicyQuota":            mostVersions,
		"AccountMFAEnabled":                 0,
		"AccountAccessKeysPresent":          0,
		"AccountSigningCertificatesPresent": 0,
		"MFADevices":                        0,
		"MFADevicesInUse":                   0,
		"Providers":                         0,
		"ServerCertificates":                0,
	}
	for name, f := range map[string]family{"Users": s.users, "Groups": s.groups, "Roles": s.roles} {
		list, err := f.list(ctx, nil)
		if err != nil {
			return nil, err
		}
		counts[name] = int32(len(list))
	}
	policies, err := s.policies.List(ctx, scope, store.Query{})
	if err != nil {
		return nil, err
	}
	profiles, err := s.profiles.List(ctx, scope, store.Query{})
	if err != nil {
		return nil, err
	}
	counts["Policies"], counts["InstanceProfiles"] = int32(len(policies)), int32(len(profiles))
	for _, p := range policies {
		counts["PolicyVersionsInUse"] += int32(len(p.Value.Versions))
	}
	return &iam.GetAccountSummaryOutput{SummaryMap: counts}, nil
}
