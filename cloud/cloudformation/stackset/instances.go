package stackset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/regex"
)

func (s *Sets) instancesOf(ctx context.Context, v set) ([]instance, error) {
	entries, err := s.instances.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{Prefix: v.UUID + "/"})
	if err != nil {
		return nil, fmt.Errorf("reading the instances of stack set %q: %w", v.Name, err)
	}
	list := make([]instance, len(entries))
	for i, e := range entries {
		list[i] = e.Value
	}
	return list, nil
}

var accountID = regex.New(`^[0-9]{12}$`)

// accounts are the accounts that a request names, in one of two ways.
func accounts(direct []string, targets *types.DeploymentTargets) ([]string, error) {
	if targets != nil {
		switch {
		case len(targets.OrganizationalUnitIds) > 0 || targets.AccountFilterType != "" && targets.AccountFilterType != types.AccountFilterTypeNone:
			return nil, invalid("StackSets with SELF_MANAGED permission model can only have accounts as target")
		case aws.ToString(targets.AccountsUrl) != "":
			return nil, invalid("AccountsUrl is not supported by the local cloud: name the accounts")
		case len(direct) > 0 && len(targets.Accounts) > 0:
			return nil, invalid("Accounts and DeploymentTargets cannot both be specified")
		}
		direct = append(slices.Clone(direct), targets.Accounts...)
	}
	for _, a := range direct {
		if !accountID().MatchString(a) {
			return nil, invalid("1 validation error detected: Value '[%s]' at 'accounts' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy regular expression pattern: ^[0-9]{12}$]", strings.Join(direct, ", "))
		}
	}
	return direct, nil
}

// maxInstances is how many instances a set may have
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
const maxInstances = 100_000

var regionName = regex.New(`^[a-zA-Z0-9-]{1,128}$`)

// all is every account in every region, in the order given, each once.
func all(accounts, regions []string) ([]target, error) {
	if len(accounts) == 0 {
		return nil, invalid("Accounts must be specified")
	}
	if len(regions) == 0 {
		return nil, invalid("Regions must be specified")
	}
	var targets []target
	seen := map[target]bool{}
	for _, r := range regions {
		if !regionName().MatchString(r) {
			return nil, invalid("1 validation error detected: Value '[%s]' at 'regions' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy regular expression pattern: ^[a-zA-Z0-9-]{1,128}$]", r)
		}
		for _, a := range accounts {
			t := target{a, r}
			if seen[t] {
				continue
			}
			if len(targets) == maxInstances {
				return nil, &types.LimitExceededException{Message: aws.String(fmt.Sprintf("A stack set cannot have more than %d stack instances", maxInstances))}
			}
			seen[t] = true
			targets = append(targets, t)
		}
	}
	return targets, nil
}

// some are the instances that an update is for: all, without accounts and
// regions; otherwise those that are named, which must exist.
func (s *Sets) some(ctx context.Context, v set, direct []string, where *types.DeploymentTargets, regions []string) ([]target, error) {
	named, err := accounts(direct, where)
	if err != nil {
		return nil, err
	}
	list, err := s.instancesOf(ctx, v)
	if err != nil {
		return nil, err
	}
	there, known := make([]target, len(list)), make(map[target]bool, len(list))
	for i, v := range list {
		there[i] = target{v.Account, v.Region}
		known[there[i]] = true
	}
	if len(named) == 0 && len(regions) == 0 {
		return there, nil
	}
	targets, err := all(named, regions)
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		if !known[t] {
			return nil, noInstance(v, t)
		}
	}
	return targets, nil
}

func noInstance(v set, t target) error {
	return &types.StackInstanceNotFoundException{Message: aws.String(fmt.Sprintf("Stack instance not found for StackSet %s in account %s and region %s", v.Name, t.Account, t.Region))}
}

// CreateStackInstances makes stacks of a set in accounts and regions; those
// that are there already are updated.
func (s *Sets) CreateStackInstances(ctx context.Context, in *cloudformation.CreateStackInstancesInput) (*cloudformation.CreateStackInstancesOutput, error) {
	v, targets, err := s.asked(ctx, in.StackSetName, in.CallAs, in.Accounts, in.DeploymentTargets, in.Regions)
	if err != nil {
		return nil, err
	}
	overrides, err := s.overrides(v, in.ParameterOverrides)
	if err != nil {
		return nil, err
	}
	scope := door.CallerFrom(ctx).Scope()
	op := operation{ID: aws.ToString(in.OperationId), Action: types.StackSetOperationActionCreate, Preferences: in.OperationPreferences,
		Targets: targets, Overrides: overrides, SetsOverrides: in.ParameterOverrides != nil}
	id, err := s.begin(ctx, v, op, func(ctx context.Context, v *set) error {
		for _, t := range targets {
			i := instance{Account: t.Account, Region: t.Region, StackName: "StackSet-" + v.Name + "-" + s.host.NewID(), Drift: types.StackDriftStatusNotChecked}
			i.Status, i.Detailed = types.StackInstanceStatusOutdated, types.StackInstanceDetailedStatusPending
			if err := s.instances.Insert(ctx, scope, t.key(v.UUID), i); err != nil && !errors.Is(err, store.ErrExists) {
				return err
			}
		}
		return nil
	})
	return &cloudformation.CreateStackInstancesOutput{OperationId: &id}, err
}

// asked reads what the operations on instances have in common.
func (s *Sets) asked(ctx context.Context, name *string, as types.CallAs, direct []string, where *types.DeploymentTargets, regions []string) (set, []target, error) {
	v, err := s.findActive(ctx, name, as)
	if err != nil {
		return v, nil, err
	}
	named, err := accounts(direct, where)
	if err != nil {
		return v, nil, err
	}
	targets, err := all(named, regions)
	return v, targets, err
}

// UpdateStackInstances changes the parameters of instances that differ from
// the set's. Without overrides they are the set's again.
func (s *Sets) UpdateStackInstances(ctx context.Context, in *cloudformation.UpdateStackInstancesInput) (*cloudformation.UpdateStackInstancesOutput, error) {
	v, targets, err := s.asked(ctx, in.StackSetName, in.CallAs, in.Accounts, in.DeploymentTargets, in.Regions)
	if err != nil {
		return nil, err
	}
	if _, err := s.some(ctx, v, in.Accounts, in.DeploymentTargets, in.Regions); err != nil {
		return nil, err
	}
	overrides, err := s.overrides(v, in.ParameterOverrides)
	if err != nil {
		return nil, err
	}
	op := operation{ID: aws.ToString(in.OperationId), Action: types.StackSetOperationActionUpdate, Preferences: in.OperationPreferences,
		Targets: targets, Overrides: overrides, SetsOverrides: true}
	id, err := s.begin(ctx, v, op, nothing)
	return &cloudformation.UpdateStackInstancesOutput{OperationId: &id}, err
}

// DeleteStackInstances deletes the stacks of a set in accounts and regions, or
// with RetainStacks lets them go.
func (s *Sets) DeleteStackInstances(ctx context.Context, in *cloudformation.DeleteStackInstancesInput) (*cloudformation.DeleteStackInstancesOutput, error) {
	if in.RetainStacks == nil {
		return nil, invalid("1 validation error detected: Value null at 'retainStacks' failed to satisfy constraint: Member must not be null")
	}
	v, targets, err := s.asked(ctx, in.StackSetName, in.CallAs, in.Accounts, in.DeploymentTargets, in.Regions)
	if err != nil {
		return nil, err
	}
	op := operation{ID: aws.ToString(in.OperationId), Action: types.StackSetOperationActionDelete, Preferences: in.OperationPreferences,
		Targets: targets, Retain: *in.RetainStacks}
	id, err := s.begin(ctx, v, op, nothing)
	return &cloudformation.DeleteStackInstancesOutput{OperationId: &id}, err
}

func nothing(context.Context, *set) error { return nil }

// DescribeStackInstance describes an instance.
func (s *Sets) DescribeStackInstance(ctx context.Context, in *cloudformation.DescribeStackInstanceInput) (*cloudformation.DescribeStackInstanceOutput, error) {
	v, err := s.find(ctx, in.StackSetName, in.CallAs)
	if err != nil {
		return nil, err
	}
	t := target{aws.ToString(in.StackInstanceAccount), aws.ToString(in.StackInstanceRegion)}
	i, err := s.instances.Get(ctx, door.CallerFrom(ctx).Scope(), t.key(v.UUID))
	if errors.Is(err, store.ErrNotFound) {
		return nil, noInstance(v, t)
	}
	if err != nil {
		return nil, err
	}
	out := types.StackInstance{
		Account: &i.Account, Region: &i.Region, StackSetId: aws.String(v.id()), StackId: optional(i.StackID), Status: i.Status,
		StatusReason: optional(i.Reason), ParameterOverrides: shown(i.Overrides), LastOperationId: optional(i.Operation), DriftStatus: i.Drift,
		StackInstanceStatus: &types.StackInstanceComprehensiveStatus{DetailedStatus: i.Detailed},
	}
	if !i.DriftChecked.IsZero() {
		out.LastDriftCheckTimestamp = &i.DriftChecked
	}
	return &cloudformation.DescribeStackInstanceOutput{StackInstance: &out}, nil
}

// ListStackInstances lists the instances of a set.
func (s *Sets) ListStackInstances(ctx context.Context, in *cloudformation.ListStackInstancesInput) (*cloudformation.ListStackInstancesOutput, error) {
	v, err := s.find(ctx, in.StackSetName, in.CallAs)
	if err != nil {
		return nil, err
	}
	all, err := s.instancesOf(ctx, v)
	if err != nil {
		return nil, err
	}
	var list []types.StackInstanceSummary
	for _, i := range all {
		if in.StackInstanceAccount != nil && *in.StackInstanceAccount != i.Account || in.StackInstanceRegion != nil && *in.StackInstanceRegion != i.Region || !fits(i, in.Filters) {
			continue
		}
		sum := types.StackInstanceSummary{
			Account: &i.Account, Region: &i.Region, StackSetId: aws.String(v.id()), StackId: optional(i.StackID), Status: i.Status,
			StatusReason: optional(i.Reason), LastOperationId: optional(i.Operation), DriftStatus: i.Drift,
			StackInstanceStatus: &types.StackInstanceComprehensiveStatus{DetailedStatus: i.Detailed},
		}
		if !i.DriftChecked.IsZero() {
			sum.LastDriftCheckTimestamp = &i.DriftChecked
		}
		list = append(list, sum)
	}
	out := &cloudformation.ListStackInstancesOutput{}
	out.Summaries, out.NextToken, err = page(list, in.NextToken, in.MaxResults)
	return out, err
}

func fits(i instance, filters []types.StackInstanceFilter) bool {
	for _, f := range filters {
		have := map[types.StackInstanceFilterName]string{
			types.StackInstanceFilterNameDetailedStatus:  string(i.Detailed),
			types.StackInstanceFilterNameLastOperationId: i.Operation,
			types.StackInstanceFilterNameDriftStatus:     string(i.Drift),
		}[f.Name]
		if have != aws.ToString(f.Values) {
			return false
		}
	}
	return true
}
