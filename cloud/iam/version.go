package iam

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"ouro/cloud/policy"
)

const mostVersions = 5

func (p managed) versionOut(v version, withDocument bool) types.PolicyVersion {
	out := types.PolicyVersion{VersionId: aws.String(v.ID), IsDefaultVersion: v.ID == p.Default, CreateDate: aws.Time(v.Created)}
	if withDocument {
		out.Document = encode(v.Document)
	}
	return out
}

func noVersion(policyARN *string, id string) error {
	return noSuch("Policy %s version %s does not exist or is not attachable.", aws.ToString(policyARN), id)
}

// CreatePolicyVersion adds a version.
func (s *Service) CreatePolicyVersion(ctx context.Context, in *iam.CreatePolicyVersionInput) (*iam.CreatePolicyVersionOutput, error) {
	if err := checkDocument(in.PolicyDocument, policy.Managed, longestManaged, "PolicySize"); err != nil {
		return nil, err
	}
	var added version
	p, err := s.updatePolicy(ctx, in.PolicyArn, func(p *managed) error {
		if len(p.Versions) >= mostVersions {
			return limit("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", mostVersions)
		}
		p.Last++
		p.Updated = s.now()
		added = version{ID: "v" + strconv.Itoa(p.Last), Document: *in.PolicyDocument, Created: p.Updated}
		p.Versions = append(p.Versions, added)
		if in.SetAsDefault {
			p.Default = added.ID
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := p.versionOut(added, false)
	return &iam.CreatePolicyVersionOutput{PolicyVersion: &out}, nil
}

// GetPolicyVersion gives a version with its document.
func (s *Service) GetPolicyVersion(ctx context.Context, in *iam.GetPolicyVersionInput) (*iam.GetPolicyVersionOutput, error) {
	p, err := s.policy(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	v, ok := p.version(aws.ToString(in.VersionId))
	switch {
	case !ok:
		return nil, noVersion(in.PolicyArn, aws.ToString(in.VersionId))
	case v.Document == "":
		return nil, noSuch("The document of policy %s, which AWS manages, is not known to the local cloud.", *in.PolicyArn)
	}
	out := p.versionOut(v, true)
	return &iam.GetPolicyVersionOutput{PolicyVersion: &out}, nil
}

// ListPolicyVersions lists versions without their documents, newest first.
func (s *Service) ListPolicyVersions(ctx context.Context, in *iam.ListPolicyVersionsInput) (*iam.ListPolicyVersionsOutput, error) {
	p, err := s.policy(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	newest := slices.Clone(p.Versions)
	slices.Reverse(newest)
	// There are five at most, yet a page may hold fewer. Version numbers fall.
	part, err := page(newest, func(v version) string { return strconv.Itoa(1<<30 - versionNumber(v.ID)) }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	versions := each(part.items, func(v version) types.PolicyVersion { return p.versionOut(v, false) })
	return &iam.ListPolicyVersionsOutput{Versions: versions, Marker: part.marker, IsTruncated: part.truncated}, nil
}

// SetDefaultPolicyVersion makes a version the one in force.
func (s *Service) SetDefaultPolicyVersion(ctx context.Context, in *iam.SetDefaultPolicyVersionInput) (*iam.SetDefaultPolicyVersionOutput, error) {
	_, err := s.updatePolicy(ctx, in.PolicyArn, func(p *managed) error {
		if _, ok := p.version(aws.ToString(in.VersionId)); !ok {
			return noVersion(in.PolicyArn, aws.ToString(in.VersionId))
		}
		p.Default, p.Updated = *in.VersionId, s.now()
		return nil
	})
	return &iam.SetDefaultPolicyVersionOutput{}, err
}

// DeletePolicyVersion deletes a version that is not in force.
func (s *Service) DeletePolicyVersion(ctx context.Context, in *iam.DeletePolicyVersionInput) (*iam.DeletePolicyVersionOutput, error) {
	_, err := s.updatePolicy(ctx, in.PolicyArn, func(p *managed) error {
		v, ok := p.version(aws.ToString(in.VersionId))
		switch {
		case !ok:
			return noVersion(in.PolicyArn, aws.ToString(in.VersionId))
		case v.ID == p.Default:
			return conflict("Cannot delete the default version of a policy.")
		}
		p.Versions = slices.DeleteFunc(p.Versions, func(other version) bool { return other.ID == v.ID })
		p.Updated = s.now()
		return nil
	})
	return &iam.DeletePolicyVersionOutput{}, err
}
