// Package ssm is the Parameter Store of AWS Systems Manager, and nothing else
// of that service.
//
// Values of type SecureString are sealed in the state directory and shown only
// to requests that ask for decryption; others get the sealed text, as on AWS
// they get the ciphertext. KMS keys are named, not used.
//
// Of the public parameters below /aws/service, those that name a machine image
// are there: they answer with an image id that is made from the parameter's
// name, always the same, so that templates which look an image up can be
// deployed. No such image exists, as instances are recorded and not run.
//
// Parameter policies (expiration and notices of it) are refused.
package ssm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"ouro/cloud/door"
	"ouro/cloud/seal"
	"ouro/cloud/store"
)

// Service is the Parameter Store.
type Service struct {
	host       door.Host
	parameters store.Table[parameter]
	versions   store.Table[version]
	box        func() (*seal.Box, error)
}

// New makes the service. The key for SecureStrings is made when it is first
// needed.
func New(host door.Host) *Service {
	st := host.Store()
	return &Service{
		host:       host,
		parameters: store.NewTable[parameter](st, "ssm", "parameter"),
		versions:   store.NewTable[version](st, "ssm", "parameter-version"),
		box:        sync.OnceValues(func() (*seal.Box, error) { return seal.Open(st.Dir("seal")) }),
	}
}

// parameter is what does not change with the versions, and the newest version.
type parameter struct {
	Name string
	Tags map[string]string
	Now  version // without labels, which only the version's own record has
}

// version is one value that a parameter has or had.
type version struct {
	Number         int64
	Type           types.ParameterType
	Value          string // sealed if the type is SecureString
	KeyID          string
	Description    string
	AllowedPattern string
	DataType       string
	Tier           types.ParameterTier
	Labels         []string
	Modified       time.Time
	ModifiedBy     string // an ARN
}

// versionID sorts a parameter's versions by number; names hold no "|".
func versionID(name string, number int64) string { return fmt.Sprintf("%s|%019d", name, number) }

func parameterARN(c door.Caller, name string) string {
	return c.ResourceARN("ssm", "parameter/"+strings.TrimPrefix(name, "/"))
}

// named is the parameter's name in a request, which may be an ARN.
func named(nameOrARN string) string {
	if !strings.HasPrefix(nameOrARN, "arn:") {
		return nameOrARN
	}
	_, name, _ := strings.Cut(nameOrARN, ":parameter/")
	if strings.Contains(name, "/") {
		return "/" + name
	}
	return name
}

// find gives a parameter by name or ARN. An ARN does not tell whether a name
// of one level began with a slash; either is found.
func (s *Service) find(ctx context.Context, nameOrARN string) (parameter, error) {
	scope, name := door.CallerFrom(ctx).Scope(), named(nameOrARN)
	p, err := s.parameters.Get(ctx, scope, name)
	if errors.Is(err, store.ErrNotFound) && strings.HasPrefix(nameOrARN, "arn:") {
		p, err = s.parameters.Get(ctx, scope, "/"+strings.TrimPrefix(name, "/"))
	}
	if errors.Is(err, store.ErrNotFound) {
		return p, notFound(nameOrARN)
	}
	return p, err
}

func notFound(name string) error {
	return &types.ParameterNotFound{Message: aws.String(fmt.Sprintf("Parameter %s not found.", name))}
}

// history gives a parameter's versions, oldest first. The newest is in the
// parameter's own record, since most never have another one.
func (s *Service) history(ctx context.Context, p parameter) ([]version, error) {
	if p.Now.Number == 1 {
		return []version{p.Now}, nil
	}
	entries, err := s.versions.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{Prefix: p.Name + "|"})
	versions := make([]version, 0, len(entries)+1)
	for _, e := range entries {
		versions = append(versions, e.Value)
	}
	return append(versions, p.Now), err
}

// keep writes a version of a parameter where it belongs.
func (s *Service) keep(ctx context.Context, p *parameter, v version) error {
	scope := door.CallerFrom(ctx).Scope()
	if v.Number < p.Now.Number {
		return s.versions.Put(ctx, scope, versionID(p.Name, v.Number), v)
	}
	p.Now = v
	return s.parameters.Put(ctx, scope, p.Name, *p)
}

// seal is the value as it is kept.
func (s *Service) seal(arn string, v version, plain string) (string, error) {
	if v.Type != types.ParameterTypeSecureString {
		return plain, nil
	}
	box, err := s.box()
	if err != nil {
		return "", err
	}
	return box.Seal([]byte(plain), arn), nil
}

// reveal is the value as it was put, or as it is kept if it is not to be
// decrypted.
func (s *Service) reveal(arn string, v version, decrypt *bool) (string, error) {
	if v.Type != types.ParameterTypeSecureString || !aws.ToBool(decrypt) {
		return v.Value, nil
	}
	box, err := s.box()
	if err != nil {
		return "", err
	}
	plain, err := box.Unseal(v.Value, arn)
	return string(plain), err
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
