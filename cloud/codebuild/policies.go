package codebuild

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// resourcePolicy says with whom a project or a report group is shared. It is
// kept and told, and lets nobody in: on the local cloud an account reaches its
// own projects only.
type resourcePolicy struct {
	ARN, Document string
	Changed       time.Time
}

// maxPolicy is IAM's bound for policies of resources.
const maxPolicy = 20480

func (s *Service) policies() store.Table[resourcePolicy] {
	return store.NewTable[resourcePolicy](s.host.Store(), "codebuild", "policy")
}

// PutResourcePolicy keeps the policy of a project or a report group.
func (s *Service) PutResourcePolicy(ctx context.Context, in *api.PutResourcePolicyInput) (*api.PutResourcePolicyOutput, error) {
	if err := s.sharable(ctx, aws.ToString(in.ResourceArn)); err != nil {
		return nil, err
	}
	if _, err := principals(aws.ToString(in.Policy)); err != nil {
		return nil, err
	}
	kept := resourcePolicy{ARN: *in.ResourceArn, Document: *in.Policy, Changed: s.now()}
	if err := s.policies().Put(ctx, door.CallerFrom(ctx).Scope(), kept.ARN, kept); err != nil {
		return nil, err
	}
	return &api.PutResourcePolicyOutput{ResourceArn: in.ResourceArn}, nil
}

// sharable checks that an ARN is of a project or a report group of the caller.
func (s *Service) sharable(ctx context.Context, arn string) error {
	caller := door.CallerFrom(ctx)
	if name, ok := strings.CutPrefix(arn, caller.ResourceARN("codebuild", "project/")); ok {
		_, err := s.project(ctx, name)
		return err
	}
	name, err := groupName(caller, arn)
	if err != nil {
		return invalid("Invalid resource ARN: %s is neither a project nor a report group of the account", arn)
	}
	if _, err = s.groups.Get(ctx, caller.Scope(), name); errors.Is(err, store.ErrNotFound) {
		return notFound("Report group does not exist: %s", arn)
	}
	return err
}

// principals reads the accounts and identities that a policy names.
func principals(document string) ([]string, error) {
	if len(document) > maxPolicy {
		return nil, invalid("Invalid policy: it has more than %d characters", maxPolicy)
	}
	var policy struct {
		Statement []struct {
			Effect    string
			Principal struct{ AWS texts }
			Action    texts
			Resource  texts
		}
	}
	if err := json.Unmarshal([]byte(document), &policy); err != nil || len(policy.Statement) == 0 {
		return nil, invalid("Invalid policy: it must be a JSON object with a list of statements")
	}
	var all []string
	for _, st := range policy.Statement {
		if st.Effect == "" || len(st.Principal.AWS) == 0 || len(st.Action) == 0 || len(st.Resource) == 0 {
			return nil, invalid("Invalid policy: every statement must have Effect, Principal, Action and Resource")
		}
		all = append(all, st.Principal.AWS...)
	}
	return all, nil
}

// texts is a string or a list of strings.
type texts []string

func (t *texts) UnmarshalJSON(body []byte) error {
	var one string
	if json.Unmarshal(body, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(body, (*[]string)(t))
}

// GetResourcePolicy tells the policy of a project or a report group.
func (s *Service) GetResourcePolicy(ctx context.Context, in *api.GetResourcePolicyInput) (*api.GetResourcePolicyOutput, error) {
	if err := s.sharable(ctx, aws.ToString(in.ResourceArn)); err != nil {
		return nil, err
	}
	kept, err := s.policies().Get(ctx, door.CallerFrom(ctx).Scope(), *in.ResourceArn)
	if errors.Is(err, store.ErrNotFound) {
		return nil, notFound("Resource policy does not exist: %s", *in.ResourceArn)
	}
	return &api.GetResourcePolicyOutput{Policy: &kept.Document}, err
}

// DeleteResourcePolicy forgets the policy; one that is not there is gone.
func (s *Service) DeleteResourcePolicy(ctx context.Context, in *api.DeleteResourcePolicyInput) (*api.DeleteResourcePolicyOutput, error) {
	arn, caller := aws.ToString(in.ResourceArn), door.CallerFrom(ctx)
	if !strings.HasPrefix(arn, caller.ResourceARN("codebuild", "")) {
		return nil, invalid("Invalid resource ARN: %s", arn)
	}
	return &api.DeleteResourcePolicyOutput{}, s.dropPolicy(ctx, caller, arn)
}

func (s *Service) dropPolicy(ctx context.Context, caller door.Caller, arn string) error {
	err := s.policies().Delete(ctx, caller.Scope(), arn)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// ListSharedProjects gives the ARNs of projects of other accounts whose
// policies name the caller's.
func (s *Service) ListSharedProjects(ctx context.Context, in *api.ListSharedProjectsInput) (*api.ListSharedProjectsOutput, error) {
	arns, next, err := s.shared(ctx, ":project/", in.SortBy, in.SortOrder, in.MaxResults, in.NextToken)
	return &api.ListSharedProjectsOutput{Projects: arns, NextToken: next}, err
}

// ListSharedReportGroups gives the ARNs of report groups of other accounts
// whose policies name the caller's.
func (s *Service) ListSharedReportGroups(ctx context.Context, in *api.ListSharedReportGroupsInput) (*api.ListSharedReportGroupsOutput, error) {
	arns, next, err := s.shared(ctx, ":report-group/", in.SortBy, in.SortOrder, in.MaxResults, in.NextToken)
	return &api.ListSharedReportGroupsOutput{ReportGroups: arns, NextToken: next}, err
}

func (s *Service) shared(ctx context.Context, kind string, by types.SharedResourceSortByType, order types.SortOrderType, size *int32, token *string) ([]string, *string, error) {
	caller := door.CallerFrom(ctx)
	switch {
	case by != "" && !slices.Contains(by.Values(), by):
		return nil, nil, invalid("Invalid sort by: %s", by)
	case order != "" && !slices.Contains(order.Values(), order):
		return nil, nil, invalid("Invalid sort order: %s", order)
	case size != nil && (*size < 1 || *size > pageSize):
		return nil, nil, invalid("Invalid max results: %d, it must be between 1 and %d", *size, pageSize)
	}
	kept, err := s.policies().All(ctx, store.Query{})
	if err != nil {
		return nil, nil, err
	}
	kept = slices.DeleteFunc(kept, func(e store.ScopedEntry[resourcePolicy]) bool {
		named, err := principals(e.Value.Document)
		return err != nil || e.Scope.Account == caller.Account || e.Scope.Region != caller.Region || !strings.Contains(e.ID, kind) ||
			!slices.ContainsFunc(named, func(p string) bool { return p == caller.Account || strings.Contains(p, "::"+caller.Account+":") })
	})
	slices.SortFunc(kept, func(a, b store.ScopedEntry[resourcePolicy]) int {
		if by == types.SharedResourceSortByTypeModifiedTime {
			return cmp.Or(a.Value.Changed.Compare(b.Value.Changed), cmp.Compare(a.ID, b.ID))
		}
		return cmp.Compare(a.ID, b.ID)
	})
	if order == types.SortOrderTypeDescending {
		slices.Reverse(kept)
	}
	arns := make([]string, len(kept))
	for i, e := range kept {
		arns[i] = e.ID
	}
	return pagedBy(arns, token, int(cmp.Or(aws.ToInt32(size), pageSize)))
}
