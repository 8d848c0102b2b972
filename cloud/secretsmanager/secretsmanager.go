// Package secretsmanager is AWS Secrets Manager: secrets with versions and
// staging labels, their deletion with a window to think again, and random
// passwords.
//
// Values are sealed in the state directory. KMS keys are named, not used.
// Resource policies are checked to be policies and kept. Rotation, replicas in
// other regions and secrets of external partners are refused.
package secretsmanager

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"ouro/cloud/door"
	"ouro/cloud/seal"
	"ouro/cloud/store"
)

// Service is AWS Secrets Manager.
type Service struct {
	host    door.Host
	secrets store.Table[secret]
	values  store.Table[value]
	box     func() (*seal.Box, error)
}

// New makes the service. The key for the values is made when it is first
// needed.
func New(host door.Host) *Service {
	st := host.Store()
	return &Service{
		host:    host,
		secrets: store.NewTable[secret](st, "secretsmanager", "secret"),
		values:  store.NewTable[value](st, "secretsmanager", "value"),
		box:     sync.OnceValues(func() (*seal.Box, error) { return seal.Open(st.Dir("seal")) }),
	}
}

// secret is all about a secret but its values.
type secret struct {
	Name, ARN   string
	Description string
	KMSKeyID    string
	Policy      string
	Tags        map[string]string
	Created     time.Time
	Changed     time.Time
	Deletion    time.Time // when it goes for good; zero if nobody deleted it
	Versions    []version // oldest first
}

// version is a value's label; the value lies beside it under the same id.
type version struct {
	ID      string
	Created time.Time
	Stages  []string
}

// value is a secret's value, sealed.
type value struct {
	Binary bool
	Sealed string
}

// valueID is a value's name in the store; secrets' names hold no "|".
func valueID(name, version string) string { return name + "|" + version }

func notFound(format string, args ...any) error {
	return &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf("Secrets Manager can't find the specified "+format, args...))}
}

func invalid(format string, args ...any) error {
	return &types.InvalidParameterException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func invalidRequest(format string, args ...any) error {
	return &types.InvalidRequestException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// suffixLetters are what the random end of a secret's ARN is made of.
const suffixLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func secretARN(c door.Caller, name string) string {
	return c.ResourceARN("secretsmanager", "secret:"+name+"-"+randomText(suffixLetters, 6))
}

// randomText is n letters, each one as likely as the others.
func randomText(letters string, n int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = letters[randomBelow(len(letters))]
	}
	return string(text)
}

func randomBelow(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // the system's randomness never fails
	}
	return int(i.Int64())
}

// names gives the names that a secret of that id may have: the id itself, or
// for an ARN its last part with and without the random end.
func names(id string) []string {
	_, name, isARN := strings.Cut(id, ":secret:")
	if !isARN || !strings.HasPrefix(id, "arn:") {
		return []string{id}
	}
	if end := len(name) - 7; end > 0 && name[end] == '-' {
		return []string{name[:end], name}
	}
	return []string{name}
}

// find gives the secret of that name, ARN, or ARN without its random end. One
// that is being deleted is found; one whose time is up is not.
func (s *Service) find(ctx context.Context, id *string) (secret, error) {
	for _, name := range names(aws.ToString(id)) {
		found, err := s.secrets.Get(ctx, door.CallerFrom(ctx).Scope(), name)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil || (s.alive(found) && found.answersTo(aws.ToString(id))) {
			return found, err
		}
	}
	return secret{}, notFound("secret.")
}

// alive says that a secret's time is not up. Those whose time is up lie in the
// store until their name is used again.
func (s *Service) alive(of secret) bool {
	return of.Deletion.IsZero() || s.host.Now().Before(of.Deletion)
}

func (of secret) answersTo(id string) bool {
	return id == of.Name || id == of.ARN || id+"-" == of.ARN[:len(of.ARN)-6]
}

// usable is find for operations that a secret that is being deleted refuses.
func (s *Service) usable(ctx context.Context, id *string) (secret, error) {
	found, err := s.find(ctx, id)
	if err == nil && !found.Deletion.IsZero() {
		err = invalidRequest("You can't perform this operation on the secret because it was marked for deletion.")
	}
	return found, err
}

// change changes a usable secret. The function may write values, by the
// context that it gets.
func (s *Service) change(ctx context.Context, id *string, f func(context.Context, *secret) error) (secret, error) {
	var changed secret
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		found, err := s.usable(ctx, id)
		if err != nil {
			return err
		}
		if err := f(ctx, &found); err != nil {
			return err
		}
		changed = found
		return s.secrets.Put(ctx, door.CallerFrom(ctx).Scope(), found.Name, found)
	})
	return changed, err
}
