package kms

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// CreateKey makes a key.
func (s *Service) CreateKey(ctx context.Context, in *kms.CreateKeyInput) (*kms.CreateKeyOutput, error) {
	caller := door.CallerFrom(ctx)
	k, err := wanted(in)
	if err != nil {
		return nil, err
	}
	k.ID, k.Account, k.Created = s.host.NewID(), caller.Account, s.host.Now()
	k.ARN = keyARN(caller, caller.Scope(), k.ID)
	if k.Policy == "" {
		k.Policy = defaultPolicy(caller)
	}
	if err := checkPolicy(k.Policy); err != nil {
		return nil, err
	}
	if k.Tags, err = tagged(nil, in.Tags); err != nil {
		return nil, err
	}
	if err := s.addMaterial(&k, false); err != nil {
		return nil, err
	}
	if err := s.keys.Insert(ctx, caller.Scope(), k.ID, k); err != nil {
		return nil, err
	}
	return &kms.CreateKeyOutput{KeyMetadata: k.metadata()}, nil
}

// wanted is the key that a request describes.
func wanted(in *kms.CreateKeyInput) (key, error) {
	k := key{Description: aws.ToString(in.Description), Policy: aws.ToString(in.Policy), Usage: in.KeyUsage, Manager: types.KeyManagerTypeCustomer}
	k.Spec = in.KeySpec
	if k.Spec == "" {
		//lint:ignore SA1019 older clients send it
		k.Spec = types.KeySpec(in.CustomerMasterKeySpec)
	}
	if k.Spec == "" {
		k.Spec = types.KeySpecSymmetricDefault
	}
	switch {
	case in.Origin != "" && in.Origin != types.OriginTypeAwsKms, in.CustomKeyStoreId != nil, in.XksKeyId != nil:
		return k, unsupported("keys whose material comes from outside (imported, or of a custom key store) are not supported by the local cloud")
	case aws.ToBool(in.MultiRegion):
		return k, unsupported("multi-Region keys are not supported by the local cloud")
	case !slices.Contains(k.Spec.Values(), k.Spec):
		return k, validation("1 validation error detected: Value '%s' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: %v", k.Spec, k.Spec.Values())
	case len(k.Description) > 8192:
		return k, validation("1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to 8192")
	}
	kind, ok := kinds[k.Spec]
	if !ok {
		return k, unsupported("keys of the spec %s are not supported by the local cloud", k.Spec)
	}
	if k.Usage == "" && k.Spec != types.KeySpecSymmetricDefault {
		return k, validation("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")
	}
	if k.Usage == "" {
		k.Usage = types.KeyUsageTypeEncryptDecrypt
	}
	if !slices.Contains(kind.usages, k.Usage) {
		if k.Usage == types.KeyUsageTypeKeyAgreement {
			return k, unsupported("key agreement is not supported by the local cloud")
		}
		return k, validation("KeyUsage %s is not compatible with KeySpec %s", k.Usage, k.Spec)
	}
	return k, nil
}

// metadata is the key as the API tells it.
func (k key) metadata() *types.KeyMetadata {
	kind := kinds[k.Spec]
	m := &types.KeyMetadata{
		AWSAccountId: &k.Account, KeyId: &k.ID, Arn: &k.ARN, CreationDate: &k.Created, Description: &k.Description,
		Enabled: k.state() == types.KeyStateEnabled, KeyState: k.state(), KeyUsage: k.Usage, KeySpec: k.Spec,
		//lint:ignore SA1019 AWS still tells it
		CustomerMasterKeySpec: types.CustomerMasterKeySpec(k.Spec), KeyManager: k.Manager,
		Origin: types.OriginTypeAwsKms, MultiRegion: aws.Bool(false),
	}
	switch k.Usage {
	case types.KeyUsageTypeEncryptDecrypt:
		m.EncryptionAlgorithms = kind.encryption
	case types.KeyUsageTypeSignVerify:
		m.SigningAlgorithms = kind.signing
	case types.KeyUsageTypeGenerateVerifyMac:
		m.MacAlgorithms = kind.mac
	}
	if k.Spec == types.KeySpecSymmetricDefault {
		m.CurrentKeyMaterialId = aws.String(k.current().ID)
	}
	if !k.Deletion.IsZero() {
		m.DeletionDate = &k.Deletion
	}
	return m
}

// DescribeKey tells all about a key but its material.
func (s *Service) DescribeKey(ctx context.Context, in *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error) {
	k, err := s.find(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	return &kms.DescribeKeyOutput{KeyMetadata: k.metadata()}, nil
}

// ListKeys lists the keys of the account and region.
func (s *Service) ListKeys(ctx context.Context, in *kms.ListKeysInput) (*kms.ListKeysOutput, error) {
	entries, err := s.keys.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, err
	}
	list := []types.KeyListEntry{}
	for _, e := range entries {
		if s.alive(e.Value) {
			list = append(list, types.KeyListEntry{KeyId: aws.String(e.ID), KeyArn: aws.String(e.Value.ARN)})
		}
	}
	list, next, err := page(list, func(k types.KeyListEntry) string { return *k.KeyId }, in.Marker, in.Limit, 100, 1000)
	return &kms.ListKeysOutput{Keys: list, NextMarker: next, Truncated: next != nil}, err
}

// UpdateKeyDescription changes what a key says of itself.
func (s *Service) UpdateKeyDescription(ctx context.Context, in *kms.UpdateKeyDescriptionInput) (*kms.UpdateKeyDescriptionOutput, error) {
	_, err := s.change(ctx, in.KeyId, "UpdateKeyDescription", func(k *key) error {
		k.Description = aws.ToString(in.Description)
		return nil
	})
	return &kms.UpdateKeyDescriptionOutput{}, err
}

// EnableKey lets a key be used again.
func (s *Service) EnableKey(ctx context.Context, in *kms.EnableKeyInput) (*kms.EnableKeyOutput, error) {
	_, err := s.change(ctx, in.KeyId, "EnableKey", func(k *key) error {
		k.Disabled = false
		return nil
	})
	return &kms.EnableKeyOutput{}, err
}

// DisableKey keeps a key from being used.
func (s *Service) DisableKey(ctx context.Context, in *kms.DisableKeyInput) (*kms.DisableKeyOutput, error) {
	_, err := s.change(ctx, in.KeyId, "DisableKey", func(k *key) error {
		k.Disabled = true
		return nil
	})
	return &kms.DisableKeyOutput{}, err
}

// ScheduleKeyDeletion has a key go after 7 to 30 days.
func (s *Service) ScheduleKeyDeletion(ctx context.Context, in *kms.ScheduleKeyDeletionInput) (*kms.ScheduleKeyDeletionOutput, error) {
	days := int32(30)
	if in.PendingWindowInDays != nil {
		days = *in.PendingWindowInDays
	}
	if days < 7 || days > 30 {
		return nil, validation("PendingWindowInDays must be between 7 and 30 (inclusive).")
	}
	k, err := s.change(ctx, in.KeyId, "ScheduleKeyDeletion", func(k *key) error {
		k.Deletion = s.host.Now().Add(time.Duration(days) * 24 * time.Hour)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &kms.ScheduleKeyDeletionOutput{KeyId: &k.ARN, DeletionDate: &k.Deletion, KeyState: k.state(), PendingWindowInDays: &days}, nil
}

// CancelKeyDeletion takes a deletion back; the key is disabled then.
func (s *Service) CancelKeyDeletion(ctx context.Context, in *kms.CancelKeyDeletionInput) (*kms.CancelKeyDeletionOutput, error) {
	k, err := s.find(ctx, in.KeyId)
	if err == nil {
		err = k.manageable(ctx, "CancelKeyDeletion")
	}
	if err != nil {
		return nil, err
	}
	k, err = s.keys.Update(ctx, k.scope(), k.ID, func(k *key) error {
		if k.Deletion.IsZero() {
			return &types.KMSInvalidStateException{Message: aws.String(fmt.Sprintf("%s is not pending deletion.", k.ARN))}
		}
		k.Deletion, k.Disabled = time.Time{}, true
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &kms.CancelKeyDeletionOutput{KeyId: &k.ARN}, nil
}

// erase removes a key with its aliases and grants.
func (s *Service) erase(ctx context.Context, at store.Scope, k key) error {
	return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		aliases, err := s.aliases.List(ctx, at, store.Query{})
		if err != nil {
			return err
		}
		for _, a := range aliases {
			if a.Value.Target != k.ID {
				continue
			}
			if err := s.aliases.Delete(ctx, at, a.ID); err != nil {
				return err
			}
		}
		grants, err := s.grants.List(ctx, at, store.Query{Prefix: k.ID + "|"})
		if err != nil {
			return err
		}
		for _, g := range grants {
			if err := s.grants.Delete(ctx, at, g.ID); err != nil {
				return err
			}
		}
		if err := s.keys.Delete(ctx, at, k.ID); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return nil
	})
}
