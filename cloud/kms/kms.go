// Package kms is AWS Key Management Service: symmetric keys, RSA and elliptic
// curve keys that encrypt or sign, HMAC keys, aliases, grants, rotation, and
// deletion with a window to think again.
//
// The cryptography is real: what one key encrypted opens only with that key and
// the same encryption context. Key material is sealed in the state directory.
// The keys of AWS's own services appear when their aliases (alias/aws/s3) are
// first used.
//
// Key policies are checked to be policies and kept; grants are kept. Neither is
// enforced, as the local cloud enforces no permissions. Custom key stores,
// imported key material, keys of several regions, key agreement, and the curves
// and schemes that Go's standard library lacks are refused.
package kms

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"ouro/cloud/door"
	"ouro/cloud/seal"
	"ouro/cloud/store"
	"ouro/cloud/wire"
)

// Service is AWS Key Management Service.
type Service struct {
	host    door.Host
	keys    store.Table[key]
	aliases store.Table[alias]
	grants  store.Table[grant]
	box     func() (*seal.Box, error)
}

// New makes the service. The key under which key material is sealed is made
// when it is first needed.
func New(host door.Host) *Service {
	st := host.Store()
	return &Service{
		host:    host,
		keys:    store.NewTable[key](st, "kms", "key"),
		aliases: store.NewTable[alias](st, "kms", "alias"),
		grants:  store.NewTable[grant](st, "kms", "grant"),
		box:     sync.OnceValues(func() (*seal.Box, error) { return seal.Open(st.Dir("seal")) }),
	}
}

// key is all about a key.
type key struct {
	ID, ARN     string
	Account     string
	Description string
	Policy      string
	Spec        types.KeySpec
	Usage       types.KeyUsageType
	Manager     types.KeyManagerType
	Tags        map[string]string
	Created     time.Time
	Disabled    bool
	Deletion    time.Time // when it goes for good; zero if nobody asked for it
	Materials   []material
	Rotation    rotation
}

// material is what a key encrypts or signs with. Rotation adds one; the last
// one is in use, and the others go on decrypting what they encrypted.
type material struct {
	ID       string // 64 hexadecimal digits
	Sealed   string
	Since    time.Time
	Demanded bool // by RotateKeyOnDemand
}

// rotation is whether a key is rotated by itself, and when next.
type rotation struct {
	Enabled bool
	Days    int32
	Next    time.Time
}

// Resume erases the keys whose time was up while nobody looked.
func (s *Service) Resume(ctx context.Context) error {
	all, err := s.keys.All(ctx, store.Query{})
	if err != nil {
		return err
	}
	for _, e := range all {
		if s.alive(e.Value) {
			continue
		}
		if err := s.erase(ctx, e.Scope, e.Value); err != nil {
			return err
		}
	}
	return nil
}

// alive tells that a key's time is not up.
func (s *Service) alive(k key) bool {
	return k.Deletion.IsZero() || s.host.Now().Before(k.Deletion)
}

func (k key) state() types.KeyState {
	switch {
	case !k.Deletion.IsZero():
		return types.KeyStatePendingDeletion
	case k.Disabled:
		return types.KeyStateDisabled
	}
	return types.KeyStateEnabled
}

func notFound(format string, args ...any) error {
	return &types.NotFoundException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func unsupported(format string, args ...any) error {
	return &types.UnsupportedOperationException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func validation(format string, args ...any) error {
	return &wire.Error{Code: "ValidationException", Message: fmt.Sprintf(format, args...), Status: 400}
}

// dry ends an operation that only asks whether it would succeed.
func dry(run *bool) error {
	if aws.ToBool(run) {
		return &types.DryRunOperationException{Message: aws.String("The request would have succeeded, but the DryRun option is set.")}
	}
	return nil
}
