package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// How an entity uses a managed policy.
const (
	attached   = "attached"
	asBoundary = "boundary"
)

// use is that an entity uses a managed policy: the other direction of what the
// entity's record says. Its id begins with the policy's ARN.
type use struct {
	How    string
	Family string
	Name   string
	ID     string
}

func useID(policyARN, how string, f family, e entity) string {
	return strings.Join([]string{policyARN, how, f.word, id(e.Name)}, " ")
}

func (s *Service) setUse(ctx context.Context, policyARN, how string, f family, e entity) error {
	return s.uses.Put(ctx, door.CallerFrom(ctx).GlobalScope(), useID(policyARN, how, f, e), use{How: how, Family: f.word, Name: e.Name, ID: e.ID})
}

func (s *Service) dropUse(ctx context.Context, policyARN, how string, f family, e entity) error {
	return s.uses.Delete(ctx, door.CallerFrom(ctx).GlobalScope(), useID(policyARN, how, f, e))
}

// usesOf are a policy's uses.
func (s *Service) usesOf(ctx context.Context, policyARN string) ([]use, error) {
	list, err := s.uses.List(ctx, door.CallerFrom(ctx).GlobalScope(), store.Query{Prefix: policyARN + " "})
	return each(list, func(e store.Entry[use]) use { return e.Value }), err
}

// allUses are the uses of every policy, by its ARN.
func (s *Service) allUses(ctx context.Context) (map[string][]use, error) {
	list, err := s.uses.List(ctx, door.CallerFrom(ctx).GlobalScope(), store.Query{})
	uses := map[string][]use{}
	for _, e := range list {
		policyARN, _, _ := strings.Cut(e.ID, " ")
		uses[policyARN] = append(uses[policyARN], e.Value)
	}
	return uses, err
}

// ListEntitiesForPolicy lists who uses a managed policy.
func (s *Service) ListEntitiesForPolicy(ctx context.Context, in *iam.ListEntitiesForPolicyInput) (*iam.ListEntitiesForPolicyOutput, error) {
	if _, err := s.policy(ctx, in.PolicyArn); err != nil {
		return nil, err
	}
	uses, err := s.usesOf(ctx, *in.PolicyArn)
	if err != nil {
		return nil, err
	}
	uses, err = s.filterUses(ctx, in, uses)
	if err != nil {
		return nil, err
	}
	sortKey := func(u use) string { return u.Family + " " + id(u.Name) + " " + u.How }
	slices.SortFunc(uses, func(a, b use) int { return strings.Compare(sortKey(a), sortKey(b)) })
	p, err := page(uses, sortKey, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iam.ListEntitiesForPolicyOutput{
		PolicyGroups: []types.PolicyGroup{}, PolicyRoles: []types.PolicyRole{}, PolicyUsers: []types.PolicyUser{},
		Marker: p.marker, IsTruncated: p.truncated,
	}
	for _, u := range p.items {
		switch u.Family {
		case s.groups.word:
			out.PolicyGroups = append(out.PolicyGroups, types.PolicyGroup{GroupName: aws.String(u.Name), GroupId: aws.String(u.ID)})
		case s.roles.word:
			out.PolicyRoles = append(out.PolicyRoles, types.PolicyRole{RoleName: aws.String(u.Name), RoleId: aws.String(u.ID)})
		case s.users.word:
			out.PolicyUsers = append(out.PolicyUsers, types.PolicyUser{UserName: aws.String(u.Name), UserId: aws.String(u.ID)})
		}
	}
	return out, nil
}

// filterUses leaves the uses that the request asks for.
func (s *Service) filterUses(ctx context.Context, in *iam.ListEntitiesForPolicyInput, uses []use) ([]use, error) {
	families := map[string]family{s.groups.word: s.groups, s.roles.word: s.roles, s.users.word: s.users}
	var list []use
	for _, u := range uses {
		f := families[u.Family]
		if in.EntityFilter != "" && string(in.EntityFilter) != f.title {
			continue
		}
		if in.PolicyUsageFilter != "" && (in.PolicyUsageFilter == types.PolicyUsageTypePermissionsBoundary) != (u.How == asBoundary) {
			continue
		}
		if in.PathPrefix != nil {
			e, err := f.get(ctx, &u.Name)
			if err != nil {
				return nil, err
			}
			if !strings.HasPrefix(e.Path, *in.PathPrefix) {
				continue
			}
		}
		list = append(list, u)
	}
	return list, nil
}
