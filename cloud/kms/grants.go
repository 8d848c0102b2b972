package kms

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// grant is a permission on a key that was given away. Its record is named by
// the key's id and its own.
type grant struct {
	Entry types.GrantListEntry
	Token string
}

// CreateGrant gives a principal permissions on a key. The same request with
// the same name gives the same grant.
func (s *Service) CreateGrant(ctx context.Context, in *kms.CreateGrantInput) (*kms.CreateGrantOutput, error) {
	k, err := s.find(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	switch {
	case k.state() == types.KeyStateDisabled:
		return nil, &types.DisabledException{Message: aws.String(k.ARN + " is disabled.")}
	case k.state() == types.KeyStatePendingDeletion:
		return nil, k.pending()
	case aws.ToString(in.GranteePrincipal) == "" || len(in.Operations) == 0:
		return nil, validation("A grant needs a GranteePrincipal and Operations.")
	}
	for _, o := range in.Operations {
		if !slices.Contains(o.Values(), o) {
			return nil, validation("1 validation error detected: Value '%s' at 'operations' failed to satisfy constraint: Member must satisfy enum value set: %v", o, o.Values())
		}
	}
	if err := dry(in.DryRun); err != nil {
		return nil, err
	}
	caller := door.CallerFrom(ctx)
	g := grant{Token: token(), Entry: types.GrantListEntry{
		KeyId: &k.ARN, GrantId: aws.String(randomHex(32)), Name: in.Name, CreationDate: aws.Time(s.host.Now()),
		GranteePrincipal: in.GranteePrincipal, RetiringPrincipal: in.RetiringPrincipal,
		IssuingAccount: aws.String("arn:" + caller.Partition() + ":iam::" + caller.Account + ":root"),
		Operations:     in.Operations, Constraints: in.Constraints,
	}}
	err = s.host.Store().Decided(ctx, func(ctx context.Context) error {
		was, err := s.grantsOf(ctx, k)
		if err != nil {
			return err
		}
		for _, w := range was {
			if in.Name != nil && aws.ToString(w.Entry.Name) == *in.Name {
				if !w.same(g) {
					continue
				}
				g = w
				return nil
			}
		}
		return s.grants.Insert(ctx, k.scope(), k.ID+"|"+*g.Entry.GrantId, g)
	})
	if err != nil {
		return nil, err
	}
	return &kms.CreateGrantOutput{GrantId: g.Entry.GrantId, GrantToken: &g.Token}, nil
}

func (g grant) same(other grant) bool {
	a, b := g.Entry, other.Entry
	return aws.ToString(a.GranteePrincipal) == aws.ToString(b.GranteePrincipal) && aws.ToString(a.RetiringPrincipal) == aws.ToString(b.RetiringPrincipal) &&
		slices.Equal(a.Operations, b.Operations) && reflect.DeepEqual(a.Constraints, b.Constraints)
}

// token is a grant token: opaque, and nobody else's.
func token() string {
	b := make([]byte, 96)
	rand.Read(b) // never fails
	return base64.StdEncoding.EncodeToString(b)
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// grantsOf gives the grants of a key, oldest first.
func (s *Service) grantsOf(ctx context.Context, k key) ([]grant, error) {
	entries, err := s.grants.List(ctx, k.scope(), store.Query{Prefix: k.ID + "|"})
	list := make([]grant, 0, len(entries))
	for _, e := range entries {
		list = append(list, e.Value)
	}
	return list, err
}

// ListGrants lists the grants of a key.
func (s *Service) ListGrants(ctx context.Context, in *kms.ListGrantsInput) (*kms.ListGrantsOutput, error) {
	k, err := s.find(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	all, err := s.grantsOf(ctx, k)
	if err != nil {
		return nil, err
	}
	list := []types.GrantListEntry{}
	for _, g := range all {
		if in.GrantId != nil && *in.GrantId != *g.Entry.GrantId ||
			in.GranteePrincipal != nil && *in.GranteePrincipal != *g.Entry.GranteePrincipal {
			continue
		}
		list = append(list, g.Entry)
	}
	list, next, err := page(list, func(g types.GrantListEntry) string { return *g.GrantId }, in.Marker, in.Limit, 50, 100)
	return &kms.ListGrantsOutput{Grants: list, NextMarker: next, Truncated: next != nil}, err
}

// ListRetirableGrants lists the grants that a principal may retire.
func (s *Service) ListRetirableGrants(ctx context.Context, in *kms.ListRetirableGrantsInput) (*kms.ListRetirableGrantsOutput, error) {
	all, err := s.grants.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, err
	}
	list := []types.GrantListEntry{}
	for _, e := range all {
		if by := e.Value.Entry.RetiringPrincipal; by != nil && *by == aws.ToString(in.RetiringPrincipal) {
			list = append(list, e.Value.Entry)
		}
	}
	list, next, err := page(list, func(g types.GrantListEntry) string { return *g.KeyId + *g.GrantId }, in.Marker, in.Limit, 50, 100)
	return &kms.ListRetirableGrantsOutput{Grants: list, NextMarker: next, Truncated: next != nil}, err
}

// RevokeGrant takes a permission back.
func (s *Service) RevokeGrant(ctx context.Context, in *kms.RevokeGrantInput) (*kms.RevokeGrantOutput, error) {
	return &kms.RevokeGrantOutput{}, s.endGrant(ctx, in.KeyId, in.GrantId, in.DryRun)
}

// RetireGrant ends a permission by those whom it names: by its token, or by key and id.
func (s *Service) RetireGrant(ctx context.Context, in *kms.RetireGrantInput) (*kms.RetireGrantOutput, error) {
	if in.GrantToken == nil {
		return &kms.RetireGrantOutput{}, s.endGrant(ctx, in.KeyId, in.GrantId, in.DryRun)
	}
	all, err := s.grants.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if e.Value.Token == *in.GrantToken {
			return &kms.RetireGrantOutput{}, s.endGrant(ctx, e.Value.Entry.KeyId, e.Value.Entry.GrantId, in.DryRun)
		}
	}
	return nil, &types.InvalidGrantTokenException{Message: aws.String("The grant token is not valid.")}
}

func (s *Service) endGrant(ctx context.Context, id, grantID *string, dryRun *bool) error {
	k, err := s.find(ctx, id)
	if err != nil {
		return err
	}
	name := k.ID + "|" + aws.ToString(grantID)
	missing := notFound("Grant ID %s not found", aws.ToString(grantID))
	if _, err := s.grants.Get(ctx, k.scope(), name); errors.Is(err, store.ErrNotFound) {
		return missing
	} else if err != nil {
		return err
	}
	if err := dry(dryRun); err != nil {
		return err
	}
	if err := s.grants.Delete(ctx, k.scope(), name); errors.Is(err, store.ErrNotFound) {
		return missing
	} else if err != nil {
		return err
	}
	return nil
}
