package kms

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

const (
	usualPeriod   = 365 // days between rotations
	maxOnDemand   = 25  // rotations on demand in the life of a key
	leastPeriod   = 90
	longestPeriod = 2560
)

// rotates tells whether keys of this kind can be rotated.
func (k key) rotates() error {
	if k.Spec != types.KeySpecSymmetricDefault {
		return unsupported("%s key spec is %s which is not valid for rotation.", k.ARN, k.Spec)
	}
	if k.Disabled {
		return &types.DisabledException{Message: aws.String(k.ARN + " is disabled.")}
	}
	return nil
}

// EnableKeyRotation has a key get new material every so many days. It does at
// its first use after that time.
func (s *Service) EnableKeyRotation(ctx context.Context, in *kms.EnableKeyRotationInput) (*kms.EnableKeyRotationOutput, error) {
	days := in.RotationPeriodInDays
	if days != nil && (*days < leastPeriod || *days > longestPeriod) {
		return nil, validation("1 validation error detected: Value '%d' at 'rotationPeriodInDays' failed to satisfy constraint: Member must have value between %d and %d", *days, leastPeriod, longestPeriod)
	}
	_, err := s.change(ctx, in.KeyId, "EnableKeyRotation", func(k *key) error {
		if err := k.rotates(); err != nil {
			return err
		}
		if k.Rotation.Enabled && days == nil {
			return nil
		}
		r := rotation{Enabled: true, Days: usualPeriod}
		if days != nil {
			r.Days = *days
		}
		r.Next = s.host.Now().AddDate(0, 0, int(r.Days))
		k.Rotation = r
		return nil
	})
	return &kms.EnableKeyRotationOutput{}, err
}

// DisableKeyRotation leaves a key with the material that it has.
func (s *Service) DisableKeyRotation(ctx context.Context, in *kms.DisableKeyRotationInput) (*kms.DisableKeyRotationOutput, error) {
	_, err := s.change(ctx, in.KeyId, "DisableKeyRotation", func(k *key) error {
		if err := k.rotates(); err != nil {
			return err
		}
		k.Rotation = rotation{}
		return nil
	})
	return &kms.DisableKeyRotationOutput{}, err
}

// GetKeyRotationStatus tells whether and when a key rotates.
func (s *Service) GetKeyRotationStatus(ctx context.Context, in *kms.GetKeyRotationStatusInput) (*kms.GetKeyRotationStatusOutput, error) {
	k, err := s.find(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	if k.Spec != types.KeySpecSymmetricDefault {
		return nil, k.rotates()
	}
	out := &kms.GetKeyRotationStatusOutput{KeyId: &k.ARN, KeyRotationEnabled: k.Rotation.Enabled && k.state() != types.KeyStatePendingDeletion}
	if out.KeyRotationEnabled {
		out.RotationPeriodInDays, out.NextRotationDate = &k.Rotation.Days, &k.Rotation.Next
	}
	return out, nil
}

// RotateKeyOnDemand gives a key new material at once.
func (s *Service) RotateKeyOnDemand(ctx context.Context, in *kms.RotateKeyOnDemandInput) (*kms.RotateKeyOnDemandOutput, error) {
	k, err := s.change(ctx, in.KeyId, "RotateKeyOnDemand", func(k *key) error {
		if err := k.rotates(); err != nil {
			return err
		}
		demanded := 0
		for _, m := range k.Materials {
			if m.Demanded {
				demanded++
			}
		}
		if demanded >= maxOnDemand {
			return &types.LimitExceededException{Message: aws.String("The key was rotated on demand as often as keys can be.")}
		}
		return s.addMaterial(k, true)
	})
	if err != nil {
		return nil, err
	}
	return &kms.RotateKeyOnDemandOutput{KeyId: &k.ARN}, nil
}

// ListKeyRotations lists when a key got new material.
func (s *Service) ListKeyRotations(ctx context.Context, in *kms.ListKeyRotationsInput) (*kms.ListKeyRotationsOutput, error) {
	k, err := s.find(ctx, in.KeyId)
	if err != nil {
		return nil, err
	}
	if k.Spec != types.KeySpecSymmetricDefault {
		return nil, k.rotates()
	}
	list := []types.RotationsListEntry{}
	for i, m := range k.Materials {
		first, last := i == 0, i == len(k.Materials)-1
		if first && in.IncludeKeyMaterial != types.IncludeKeyMaterialAllKeyMaterial {
			continue // it was no rotation
		}
		e := types.RotationsListEntry{KeyId: &k.ARN, KeyMaterialId: aws.String(m.ID), KeyMaterialState: types.KeyMaterialStateNonCurrent}
		if last {
			e.KeyMaterialState = types.KeyMaterialStateCurrent
		}
		if !first {
			e.RotationDate, e.RotationType = aws.Time(m.Since), types.RotationTypeAutomatic
			if m.Demanded {
				e.RotationType = types.RotationTypeOnDemand
			}
		}
		list = append(list, e)
	}
	return &kms.ListKeyRotationsOutput{Rotations: list}, nil
}
