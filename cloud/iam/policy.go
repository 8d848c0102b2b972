package iam

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"ouro/cloud/accesskey"
	"ouro/cloud/door"
	"ouro/cloud/policy"
	"ouro/cloud/store"
)

const longestManaged = 6144

// managed is a managed policy: the account's own, or one of AWS's.
type managed struct {
	Name        string
	Path        string
	ID          string
	Description string            `json:",omitempty"`
	Tags        map[string]string `json:",omitempty"`
	Versions    []version         // oldest first
	Default     string
	Last        int // number of the newest version ever made
	Created     time.Time
	Updated     time.Time

	ofAWS bool
}

// version is one of a managed policy's documents.
type version struct {
	ID       string // v1, v2, …
	Document string
	Created  time.Time
}

func (p managed) version(id string) (version, bool) {
	i := slices.IndexFunc(p.Versions, func(v version) bool { return v.ID == id })
	if i < 0 {
		return version{}, false
	}
	return p.Versions[i], true
}

func (p managed) arn(caller door.Caller) *string {
	if p.ofAWS {
		return aws.String("arn:" + caller.Partition() + ":iam::aws:policy" + p.Path + p.Name)
	}
	return globalARN(caller, "policy"+p.Path+p.Name)
}

// policyID is a managed policy's name in the store, from its ARN; ok is false
// for what is no ARN of the account's policies.
func policyID(caller door.Caller, policyARN *string) (name string, ok bool) {
	path, ok := strings.CutPrefix(aws.ToString(policyARN), *globalARN(caller, "policy/"))
	return id(path[strings.LastIndexByte(path, '/')+1:]), ok && path != ""
}

// policy gives a managed policy by its ARN.
func (s *Service) policy(ctx context.Context, policyARN *string) (managed, error) {
	if err := checkPolicyARN(policyARN); err != nil {
		return managed{}, err
	}
	caller := door.CallerFrom(ctx)
	if p, ok := policyOfAWS(caller, *policyARN); ok {
		return p, nil
	}
	name, ok := policyID(caller, policyARN)
	if !ok {
		return managed{}, noSuch("Policy %s was not found.", *policyARN)
	}
	p, err := s.policies.Get(ctx, caller.GlobalScope(), name)
	if err == store.ErrNotFound || err == nil && *p.arn(caller) != *policyARN {
		return managed{}, noSuch("Policy %s was not found.", *policyARN)
	}
	return p, err
}

func checkPolicyARN(policyARN *string) error {
	text := aws.ToString(policyARN)
	at, err := arn.Parse(text)
	if err != nil || at.Service != "iam" || !strings.HasPrefix(at.Resource, "policy/") {
		return invalid("ARN %s is not valid.", text)
	}
	return nil
}

// updatePolicy changes one of the account's managed policies.
func (s *Service) updatePolicy(ctx context.Context, policyARN *string, change func(*managed) error) (managed, error) {
	var p managed
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) (err error) {
		if p, err = s.policy(ctx, policyARN); err != nil {
			return err
		}
		if p.ofAWS {
			return &types.UnmodifiableEntityException{Message: aws.String("Policy " + *policyARN + " is managed by AWS and cannot be modified.")}
		}
		if err := change(&p); err != nil {
			return err
		}
		return s.policies.Put(ctx, door.CallerFrom(ctx).GlobalScope(), id(p.Name), p)
	})
	return p, err
}

// CreatePolicy makes a managed policy with its first version.
func (s *Service) CreatePolicy(ctx context.Context, in *iam.CreatePolicyInput) (*iam.CreatePolicyOutput, error) {
	if err := checkName("policyName", in.PolicyName, 128); err != nil {
		return nil, err
	}
	path, err := checkPath("path", in.Path)
	if err != nil {
		return nil, err
	}
	if err := checkDocument(in.PolicyDocument, policy.Managed, longestManaged, "PolicySize"); err != nil {
		return nil, err
	}
	tags, err := withTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	now := s.now()
	p := managed{
		Name: *in.PolicyName, Path: path, ID: accesskey.NewID("ANPA"), Description: aws.ToString(in.Description), Tags: tags,
		Versions: []version{{ID: "v1", Document: *in.PolicyDocument, Created: now}}, Default: "v1", Last: 1, Created: now, Updated: now,
	}
	caller := door.CallerFrom(ctx)
	err = s.policies.Insert(ctx, caller.GlobalScope(), id(p.Name), p)
	if err == store.ErrExists {
		err = exists("A policy called %s already exists. Duplicate names are not allowed.", p.Name)
	}
	if err != nil {
		return nil, err
	}
	out := policyOut(caller, p, nil)
	return &iam.CreatePolicyOutput{Policy: &out}, nil
}

// policyOut is the record as the API tells it, with what uses the policy.
func policyOut(caller door.Caller, p managed, uses []use) types.Policy {
	out := types.Policy{
		Arn: p.arn(caller), PolicyName: aws.String(p.Name), PolicyId: aws.String(p.ID), Path: aws.String(p.Path),
		Description: optional(p.Description), DefaultVersionId: aws.String(p.Default), IsAttachable: true, Tags: tagList(p.Tags),
		AttachmentCount: aws.Int32(0), PermissionsBoundaryUsageCount: aws.Int32(0),
		CreateDate: aws.Time(p.Created), UpdateDate: aws.Time(p.Updated),
	}
	for _, u := range uses {
		if u.How == asBoundary {
			*out.PermissionsBoundaryUsageCount++
		} else {
			*out.AttachmentCount++
		}
	}
	return out
}

// GetPolicy gives a managed policy without its document.
func (s *Service) GetPolicy(ctx context.Context, in *iam.GetPolicyInput) (*iam.GetPolicyOutput, error) {
	p, err := s.policy(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	uses, err := s.usesOf(ctx, *in.PolicyArn)
	if err != nil {
		return nil, err
	}
	out := policyOut(door.CallerFrom(ctx), p, uses)
	return &iam.GetPolicyOutput{Policy: &out}, nil
}

// DeletePolicy deletes a policy that nothing uses and that has no version left
// but the default one.
func (s *Service) DeletePolicy(ctx context.Context, in *iam.DeletePolicyInput) (*iam.DeletePolicyOutput, error) {
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		p, err := s.updatePolicy(ctx, in.PolicyArn, func(p *managed) error { return nil })
		if err != nil {
			return err
		}
		uses, err := s.usesOf(ctx, *in.PolicyArn)
		switch {
		case err != nil:
			return err
		case len(uses) > 0:
			return conflict("Cannot delete a policy attached to entities.")
		case len(p.Versions) > 1:
			return conflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		return s.policies.Delete(ctx, door.CallerFrom(ctx).GlobalScope(), id(p.Name))
	})
	return &iam.DeletePolicyOutput{}, err
}

// ListPolicies lists managed policies by name: the account's own, and those of
// AWS that are known here or in use.
func (s *Service) ListPolicies(ctx context.Context, in *iam.ListPoliciesInput) (*iam.ListPoliciesOutput, error) {
	caller := door.CallerFrom(ctx)
	all, err := s.allPolicies(ctx, in.Scope)
	if err != nil {
		return nil, err
	}
	uses, err := s.allUses(ctx)
	if err != nil {
		return nil, err
	}
	var list []types.Policy
	for _, p := range all {
		out := policyOut(caller, p, uses[*p.arn(caller)])
		out.Tags, out.Description = nil, nil // as AWS's lists
		if picks(in, out) {
			list = append(list, out)
		}
	}
	p, err := page(list, func(p types.Policy) string { return id(*p.PolicyName) + " " + *p.Arn }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	policies := each(p.items, func(p types.Policy) types.Policy { return p })
	return &iam.ListPoliciesOutput{Policies: policies, Marker: p.marker, IsTruncated: p.truncated}, nil
}

func picks(in *iam.ListPoliciesInput, p types.Policy) bool {
	switch {
	case !strings.HasPrefix(*p.Path, aws.ToString(in.PathPrefix)):
		return false
	case in.PolicyUsageFilter == types.PolicyUsageTypePermissionsBoundary:
		return *p.PermissionsBoundaryUsageCount > 0
	}
	return !in.OnlyAttached || *p.AttachmentCount > 0
}

// allPolicies are the policies of the scope, sorted by name, then ARN.
func (s *Service) allPolicies(ctx context.Context, which types.PolicyScopeType) ([]managed, error) {
	caller := door.CallerFrom(ctx)
	var list []managed
	if which != types.PolicyScopeTypeAws {
		own, err := s.policies.List(ctx, caller.GlobalScope(), store.Query{})
		if err != nil {
			return nil, err
		}
		for _, e := range own {
			list = append(list, e.Value)
		}
	}
	if which != types.PolicyScopeTypeLocal {
		uses, err := s.allUses(ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, policiesOfAWS(caller, uses)...)
	}
	slices.SortFunc(list, func(a, b managed) int {
		return strings.Compare(id(a.Name)+" "+*a.arn(caller), id(b.Name)+" "+*b.arn(caller))
	})
	return list, nil
}

// versionNumber is the number in a version's id.
func versionNumber(id string) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(id, "v"))
	return n
}
