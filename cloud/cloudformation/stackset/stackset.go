// Package stackset is CloudFormation's StackSets: one template that is kept as
// a stack in many accounts and regions of the local cloud.
//
// A stack set does its work as it does on AWS: CloudFormation assumes the
// administration role in the set's account, with that the execution role in the
// account of each instance, and calls CloudFormation there. Both roles have to
// exist (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-prereqs-self-managed.html).
// Sets whose permissions are service-managed need AWS Organizations, which the
// local cloud does not have; they are refused as in an account without it.
package stackset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/cloud/wire"
)

const service = "cloudformation"

// Sets are the operations on stack sets. CloudFormation's service embeds them.
type Sets struct {
	host  door.Host
	fetch Fetch
	vault Vault

	sets       store.Table[set]       // NAME:UUID
	instances  store.Table[instance]  // UUID/ACCOUNT/REGION
	operations store.Table[operation] // UUID/ID
	results    store.Table[result]    // UUID/ID/ACCOUNT/REGION

	mu      sync.Mutex
	running map[string]bool // by the set's UUID
}

// Fetch reads the template under an S3 URL with the permissions of the caller.
type Fetch func(ctx context.Context, cfg aws.Config, url string) (string, error)

// New makes the operations.
func New(host door.Host, fetch Fetch, vault Vault) *Sets {
	s := host.Store()
	return &Sets{
		host: host, fetch: fetch, vault: vault, running: map[string]bool{},
		sets:       store.NewTable[set](s, service, "stackset"),
		instances:  store.NewTable[instance](s, service, "stackinstance"),
		operations: store.NewTable[operation](s, service, "stacksetoperation"),
		results:    store.NewTable[result](s, service, "stacksetresult"),
	}
}

// set is a stack set, living or deleted.
type set struct {
	Name, UUID, ARN string
	Status          types.StackSetStatus
	Description     string
	Created         time.Time
	Revision        revision
	Managed         bool   `json:",omitempty"` // managed execution: operations queue
	Token           string `json:",omitempty"`
}

// revision is what the instances of a set are made from.
type revision struct {
	Template     string
	URL          string `json:",omitempty"` // where a template lies that is too large for a request
	Parameters   []ledger.Parameter
	Hidden       []string `json:",omitempty"` // the template's NoEcho parameters
	Tags         []types.Tag
	Capabilities []types.Capability
	AdminRole    string // ARN
	ExecRole     string // name
}

func (s *set) id() string { return s.Name + ":" + s.UUID }

// instance is a stack of a set in one account and region.
type instance struct {
	Account, Region string
	StackName       string
	StackID         string                    `json:",omitempty"`
	Status          types.StackInstanceStatus // CURRENT, OUTDATED, INOPERABLE
	Detailed        types.StackInstanceDetailedStatus
	Reason          string             `json:",omitempty"`
	Overrides       []ledger.Parameter `json:",omitempty"`
	Operation       string             // the last one
	Drift           types.StackDriftStatus
	DriftChecked    time.Time `json:",omitzero"`
}

// operation is work on a set, under way or ended.
type operation struct {
	ID, Set       string // Set is NAME:UUID
	Action        types.StackSetOperationAction
	Status        types.StackSetOperationStatus
	Reason        string `json:",omitempty"`
	Number        int    // counts the operations of the set
	Created       time.Time
	Ended         time.Time                           `json:",omitzero"`
	Preferences   *types.StackSetOperationPreferences `json:",omitempty"`
	Retain        bool                                `json:",omitempty"`
	Targets       []target
	Overrides     []ledger.Parameter `json:",omitempty"`
	SetsOverrides bool               `json:",omitempty"`
	Admin, Exec   string
	Caller        door.Caller
	Failed        int `json:",omitempty"`
}

// target is where an operation works.
type target struct{ Account, Region string }

// key is the target's name below that of a set, or of an operation.
func (t target) key(of string) string { return of + "/" + t.Account + "/" + t.Region }

// result is what came of an operation for one target.
type result struct {
	Account, Region string
	Status          types.StackSetOperationResultStatus
	Reason          string `json:",omitempty"`
}

func invalid(format string, a ...any) error {
	return &wire.Error{Code: "ValidationError", Message: fmt.Sprintf(format, a...), Status: 400}
}

// find finds a living set by name, or any set by its id, for a caller that acts
// for itself.
func (s *Sets) find(ctx context.Context, nameOrID *string, as types.CallAs) (set, error) {
	if err := asSelf(as); err != nil {
		return set{}, err
	}
	name, scope := aws.ToString(nameOrID), door.CallerFrom(ctx).Scope()
	if name == "" {
		return set{}, invalid("1 validation error detected: Value null at 'stackSetName' failed to satisfy constraint: Member must not be null")
	}
	if _, arn, ok := strings.Cut(name, ":stackset/"); ok {
		name = arn
	}
	if strings.Contains(name, ":") {
		found, err := s.sets.Get(ctx, scope, name)
		if errors.Is(err, store.ErrNotFound) {
			return found, notFound(name)
		}
		return found, err
	}
	all, err := s.sets.List(ctx, scope, store.Query{Prefix: name + ":"})
	if err != nil {
		return set{}, err
	}
	for _, e := range all {
		if e.Value.Status == types.StackSetStatusActive {
			return e.Value, nil
		}
	}
	return set{}, notFound(name)
}

func notFound(name string) error {
	return &types.StackSetNotFoundException{Message: aws.String(fmt.Sprintf("StackSet %s not found", name))}
}

// findActive is find for operations that deleted sets do not take part in.
func (s *Sets) findActive(ctx context.Context, nameOrID *string, as types.CallAs) (set, error) {
	found, err := s.find(ctx, nameOrID, as)
	if err == nil && found.Status != types.StackSetStatusActive {
		return found, notFound(aws.ToString(nameOrID))
	}
	return found, err
}

// page cuts a page out of a list; the token is where the next one begins.
func page[T any](all []T, token *string, most *int32) ([]T, *string, error) {
	start := 0
	if token != nil {
		n, err := strconv.Atoi(*token)
		if err != nil || n < 0 || n > len(all) {
			return nil, nil, invalid("The specified nextToken is invalid")
		}
		start = n
	}
	size := 100
	if n := int(aws.ToInt32(most)); n > 0 && n < size {
		size = n
	}
	end := min(start+size, len(all))
	some := append([]T{}, all[start:end]...) // not nil, which would leave the list out
	if end < len(all) {
		return some, aws.String(strconv.Itoa(end)), nil
	}
	return some, nil, nil
}

// DescribeStackSet describes a set.
func (s *Sets) DescribeStackSet(ctx context.Context, in *cloudformation.DescribeStackSetInput) (*cloudformation.DescribeStackSetOutput, error) {
	found, err := s.find(ctx, in.StackSetName, in.CallAs)
	if err != nil {
		return nil, err
	}
	list, err := s.instancesOf(ctx, found)
	if err != nil {
		return nil, err
	}
	out := types.StackSet{
		StackSetName: &found.Name, StackSetId: aws.String(found.id()), StackSetARN: &found.ARN, Status: found.Status,
		TemplateBody: &found.Revision.Template, Parameters: shown(found.Revision.Parameters), Capabilities: found.Revision.Capabilities,
		Tags: found.Revision.Tags, AdministrationRoleARN: &found.Revision.AdminRole, ExecutionRoleName: &found.Revision.ExecRole,
		PermissionModel: types.PermissionModelsSelfManaged, ManagedExecution: &types.ManagedExecution{Active: &found.Managed},
	}
	if found.Description != "" {
		out.Description = &found.Description
	}
	for _, i := range list {
		if !slices.Contains(out.Regions, i.Region) {
			out.Regions = append(out.Regions, i.Region)
		}
	}
	slices.Sort(out.Regions)
	out.StackSetDriftDetectionDetails = driftOf(list)
	return &cloudformation.DescribeStackSetOutput{StackSet: &out}, nil
}

// ListStackSets lists the sets of an account and region.
func (s *Sets) ListStackSets(ctx context.Context, in *cloudformation.ListStackSetsInput) (*cloudformation.ListStackSetsOutput, error) {
	if err := asSelf(in.CallAs); err != nil {
		return nil, err
	}
	all, err := s.sets.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, err
	}
	var list []types.StackSetSummary
	for _, e := range all {
		v := e.Value
		if in.Status != "" && in.Status != v.Status {
			continue
		}
		list = append(list, types.StackSetSummary{
			StackSetName: &v.Name, StackSetId: aws.String(v.id()), Description: optional(v.Description), Status: v.Status,
			PermissionModel: types.PermissionModelsSelfManaged, ManagedExecution: &types.ManagedExecution{Active: &v.Managed},
			DriftStatus: types.StackDriftStatusNotChecked,
		})
	}
	out := &cloudformation.ListStackSetsOutput{}
	out.Summaries, out.NextToken, err = page(list, in.NextToken, in.MaxResults)
	return out, err
}

// DeleteStackSet deletes a set without instances.
func (s *Sets) DeleteStackSet(ctx context.Context, in *cloudformation.DeleteStackSetInput) (*cloudformation.DeleteStackSetOutput, error) {
	found, err := s.findActive(ctx, in.StackSetName, in.CallAs)
	if err != nil {
		return nil, err
	}
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if found, err = s.findActive(ctx, aws.String(found.id()), types.CallAsSelf); err != nil {
			return err
		}
		if err := s.idle(ctx, found); err != nil {
			return err
		}
		list, err := s.instancesOf(ctx, found)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			return &types.StackSetNotEmptyException{Message: aws.String("StackSet is not empty")}
		}
		found.Status = types.StackSetStatusDeleted
		return s.sets.Put(ctx, door.CallerFrom(ctx).Scope(), found.id(), found)
	})
	return &cloudformation.DeleteStackSetOutput{}, err
}

// asSelf refuses to act for an organization, of which the caller would have to
// be a delegated administrator.
func asSelf(as types.CallAs) error {
	if as == types.CallAsDelegatedAdmin {
		return invalid("Account is not registered as a delegated administrator: the local cloud has no organizations")
	}
	return nil
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
