package kms

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/cloud/wire"
	"ouro/regex"
)

var keyID = regex.New(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// place is where a key or alias is, and what it is called there.
type place struct {
	store.Scope
	name string // a key's id, or alias/…
}

// locate reads the four ways in which requests name a key: its id, its ARN, an
// alias and an alias's ARN.
func locate(c door.Caller, id string) (place, error) {
	if !strings.HasPrefix(id, "arn:") {
		return place{c.Scope(), id}, nil
	}
	parts := strings.SplitN(id, ":", 6)
	if len(parts) != 6 || parts[2] != "kms" {
		return place{}, &types.InvalidArnException{Message: aws.String("Invalid arn " + id)}
	}
	if parts[3] != c.Region {
		return place{}, &types.InvalidArnException{Message: aws.String("Invalid arn " + parts[3])}
	}
	return place{store.Scope{Account: parts[4], Region: parts[3]}, strings.TrimPrefix(parts[5], "key/")}, nil
}

// find gives the key that a request names.
func (s *Service) find(ctx context.Context, id *string) (key, error) {
	caller := door.CallerFrom(ctx)
	if aws.ToString(id) == "" {
		return key{}, validation("1 validation error detected: Value at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1")
	}
	at, err := locate(caller, *id)
	if err != nil {
		return key{}, err
	}
	if strings.HasPrefix(at.name, "alias/") {
		return s.aliased(ctx, at)
	}
	if !keyID().MatchString(at.name) {
		return key{}, notFound("Invalid keyId '%s'", *id)
	}
	k, err := s.keys.Get(ctx, at.Scope, at.name)
	if errors.Is(err, store.ErrNotFound) || err == nil && !s.alive(k) {
		return key{}, notFound("Key '%s' does not exist", keyARN(caller, at.Scope, at.name))
	}
	return k, err
}

// aliased gives the key behind an alias. Those of AWS's services are made when
// somebody first asks for them.
func (s *Service) aliased(ctx context.Context, at place) (key, error) {
	missing := notFound("Alias %s is not found.", aliasARN(door.CallerFrom(ctx), at))
	a, err := s.aliases.Get(ctx, at.Scope, at.name)
	if service, ours := strings.CutPrefix(at.name, "alias/aws/"); errors.Is(err, store.ErrNotFound) && ours && slices.Contains(awsAliases, service) {
		return s.createManaged(ctx, at.Scope, service)
	}
	if errors.Is(err, store.ErrNotFound) {
		return key{}, missing
	}
	if err != nil {
		return key{}, err
	}
	k, err := s.keys.Get(ctx, at.Scope, a.Target)
	if errors.Is(err, store.ErrNotFound) || err == nil && !s.alive(k) {
		return key{}, missing
	}
	return k, err
}

// usable is find for operations that need the key's material.
func (s *Service) usable(ctx context.Context, id *string, usage types.KeyUsageType, operation string) (key, error) {
	k, err := s.find(ctx, id)
	if err != nil {
		return k, err
	}
	return k, k.check(usage, operation)
}

func (k key) check(usage types.KeyUsageType, operation string) error {
	switch k.state() {
	case types.KeyStateDisabled:
		return &types.DisabledException{Message: aws.String(k.ARN + " is disabled.")}
	case types.KeyStatePendingDeletion:
		return k.pending()
	}
	if k.Usage != usage {
		return &types.InvalidKeyUsageException{Message: aws.String(fmt.Sprintf("%s key usage is %s which is not valid for %s.", k.ARN, k.Usage, operation))}
	}
	return nil
}

func (k key) pending() error {
	return &types.KMSInvalidStateException{Message: aws.String(k.ARN + " is pending deletion.")}
}

// change changes a key that is not about to be deleted.
func (s *Service) change(ctx context.Context, id *string, action string, f func(*key) error) (key, error) {
	k, err := s.find(ctx, id)
	if err != nil {
		return k, err
	}
	if err := k.manageable(ctx, action); err != nil {
		return k, err
	}
	return s.keys.Update(ctx, k.scope(), k.ID, func(k *key) error {
		if !k.Deletion.IsZero() {
			return k.pending()
		}
		return f(k)
	})
}

// manageable tells whether the caller may change anything about the key. Keys
// of AWS's services change by nobody's wish, and keys of other accounts are
// used and not managed, whatever their policies say.
func (k key) manageable(ctx context.Context, action string) error {
	if k.Manager != types.KeyManagerTypeAws && k.Account == door.CallerFrom(ctx).Account {
		return nil
	}
	return &wire.Error{Code: "AccessDeniedException", Status: 400, Message: fmt.Sprintf(
		"User: %s is not authorized to perform: kms:%s on resource: %s because no resource-based policy allows the kms:%s action",
		door.CallerFrom(ctx).ARN, action, k.ARN, action)}
}

func (k key) scope() store.Scope {
	parts := strings.SplitN(k.ARN, ":", 6)
	return store.Scope{Account: parts[4], Region: parts[3]}
}

func keyARN(c door.Caller, at store.Scope, id string) string {
	return "arn:" + c.Partition() + ":kms:" + at.Region + ":" + at.Account + ":key/" + id
}

func aliasARN(c door.Caller, at place) string {
	return "arn:" + c.Partition() + ":kms:" + at.Region + ":" + at.Account + ":" + at.name
}
