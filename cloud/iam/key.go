package iam

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"ouro/cloud/accesskey"
	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/cloud/wire"
)

const mostKeys = 2

// key is an access key of a user. Its secret is told once and not kept.
type key struct {
	UserID  string
	Status  types.StatusType
	Created time.Time
}

// Identify tells whose access key an id is, without a region; ok is false for
// ids that CreateAccessKey did not give. An inactive key gives AWS's error.
func (s *Service) Identify(ctx context.Context, accessKeyID string) (caller door.Caller, ok bool, err error) {
	account, ok := accesskey.Account(accessKeyID)
	if !ok {
		return door.Caller{}, false, nil
	}
	caller = door.Caller{Account: account, AccessKey: accessKeyID}
	k, err := s.keys.Get(ctx, caller.GlobalScope(), accessKeyID)
	if err == store.ErrNotFound {
		return door.Caller{}, false, nil
	}
	if err != nil {
		return door.Caller{}, false, err
	}
	if k.Status != types.StatusTypeActive {
		return door.Caller{}, false, &wire.Error{Code: "InvalidClientTokenId", Message: "The security token included in the request is invalid.", Status: 403}
	}
	ctx = door.WithCaller(ctx, caller)
	users, err := s.users.list(ctx, nil)
	for _, user := range users {
		if user.ID == k.UserID {
			caller.ARN, caller.UserID = *s.users.arn(caller, user), user.ID
			return caller, true, nil
		}
	}
	return door.Caller{}, false, err
}

// keyOwner is the user that a request about access keys names, or who calls.
func (s *Service) keyOwner(ctx context.Context, name *string) (entity, error) {
	if name == nil {
		own, isUser := userName(door.CallerFrom(ctx))
		if !isUser {
			return entity{}, invalid("Must specify userName when calling with non-User credentials")
		}
		name = &own
	}
	return s.users.get(ctx, name)
}

// keysOf are a user's keys, by id.
func (s *Service) keysOf(ctx context.Context, user entity) ([]store.Entry[key], error) {
	all, err := s.keys.List(ctx, door.CallerFrom(ctx).GlobalScope(), store.Query{})
	if err != nil {
		return nil, err
	}
	var list []store.Entry[key]
	for _, e := range all {
		if e.Value.UserID == user.ID {
			list = append(list, e)
		}
	}
	return list, nil
}

// CreateAccessKey gives a user an access key, of which there may be two.
func (s *Service) CreateAccessKey(ctx context.Context, in *iam.CreateAccessKeyInput) (*iam.CreateAccessKeyOutput, error) {
	caller := door.CallerFrom(ctx)
	k := key{Status: types.StatusTypeActive, Created: s.now()}
	keyID := accesskey.New("AKIA", caller.Account)
	var user entity
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) (err error) {
		if user, err = s.keyOwner(ctx, in.UserName); err != nil {
			return err
		}
		have, err := s.keysOf(ctx, user)
		if err != nil {
			return err
		}
		if len(have) >= mostKeys {
			return limit("Cannot exceed quota for AccessKeysPerUser: %d", mostKeys)
		}
		k.UserID = user.ID
		return s.keys.Insert(ctx, caller.GlobalScope(), keyID, k)
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateAccessKeyOutput{AccessKey: &types.AccessKey{
		AccessKeyId: aws.String(keyID), SecretAccessKey: aws.String(accesskey.NewSecret()),
		UserName: aws.String(user.Name), Status: k.Status, CreateDate: aws.Time(k.Created),
	}}, nil
}

// ListAccessKeys lists a user's access keys, without their secrets.
func (s *Service) ListAccessKeys(ctx context.Context, in *iam.ListAccessKeysInput) (*iam.ListAccessKeysOutput, error) {
	user, err := s.keyOwner(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	list, err := s.keysOf(ctx, user)
	if err != nil {
		return nil, err
	}
	p, err := page(list, func(e store.Entry[key]) string { return e.ID }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	keys := each(p.items, func(e store.Entry[key]) types.AccessKeyMetadata {
		return types.AccessKeyMetadata{
			AccessKeyId: aws.String(e.ID), UserName: aws.String(user.Name), Status: e.Value.Status, CreateDate: aws.Time(e.Value.Created),
		}
	})
	return &iam.ListAccessKeysOutput{AccessKeyMetadata: keys, Marker: p.marker, IsTruncated: p.truncated}, nil
}

// UpdateAccessKey makes an access key active or inactive.
func (s *Service) UpdateAccessKey(ctx context.Context, in *iam.UpdateAccessKeyInput) (*iam.UpdateAccessKeyOutput, error) {
	if in.Status != types.StatusTypeActive && in.Status != types.StatusTypeInactive {
		return nil, violated("status", string(in.Status), "satisfy enum value set: [Active, Inactive]")
	}
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if err := s.ownsKey(ctx, in.UserName, in.AccessKeyId); err != nil {
			return err
		}
		_, err := s.keys.Update(ctx, door.CallerFrom(ctx).GlobalScope(), *in.AccessKeyId, func(k *key) error {
			k.Status = in.Status
			return nil
		})
		return err
	})
	return &iam.UpdateAccessKeyOutput{}, err
}

// DeleteAccessKey deletes an access key.
func (s *Service) DeleteAccessKey(ctx context.Context, in *iam.DeleteAccessKeyInput) (*iam.DeleteAccessKeyOutput, error) {
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if err := s.ownsKey(ctx, in.UserName, in.AccessKeyId); err != nil {
			return err
		}
		return s.keys.Delete(ctx, door.CallerFrom(ctx).GlobalScope(), *in.AccessKeyId)
	})
	return &iam.DeleteAccessKeyOutput{}, err
}

// ownsKey is the error if the key is not the user's.
func (s *Service) ownsKey(ctx context.Context, name, keyID *string) error {
	user, err := s.keyOwner(ctx, name)
	if err != nil {
		return err
	}
	k, err := s.keys.Get(ctx, door.CallerFrom(ctx).GlobalScope(), aws.ToString(keyID))
	if err == store.ErrNotFound || err == nil && k.UserID != user.ID {
		return noSuch("The Access Key with id %s cannot be found.", aws.ToString(keyID))
	}
	return err
}

// GetAccessKeyLastUsed tells whose a key is. When it was last used is not
// recorded, and is told as AWS tells it of keys that never were.
func (s *Service) GetAccessKeyLastUsed(ctx context.Context, in *iam.GetAccessKeyLastUsedInput) (*iam.GetAccessKeyLastUsedOutput, error) {
	caller := door.CallerFrom(ctx)
	k, err := s.keys.Get(ctx, caller.GlobalScope(), aws.ToString(in.AccessKeyId))
	if err == store.ErrNotFound {
		return nil, noSuch("The Access Key with id %s cannot be found.", aws.ToString(in.AccessKeyId))
	}
	if err != nil {
		return nil, err
	}
	users, err := s.users.list(ctx, nil)
	if err != nil {
		return nil, err
	}
	out := &iam.GetAccessKeyLastUsedOutput{AccessKeyLastUsed: &types.AccessKeyLastUsed{Region: aws.String("N/A"), ServiceName: aws.String("N/A")}}
	for _, user := range users {
		if user.ID == k.UserID {
			out.UserName = aws.String(user.Name)
		}
	}
	return out, nil
}
