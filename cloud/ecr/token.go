package ecr

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// claims are what a sealed text says that this service gave out: whom it was
// given to, for which registry or which layer, and until when.
type claims struct {
	Scope   store.Scope // of the registry
	Account string      // of the caller
	ARN     string
	Layer   string // of the ticket of a download
	Expires time.Time
}

// What sealed texts are for, so that none is taken for another.
const bindToken, bindDownload = "ecr authorization token", "ecr download"

func (s *Service) seal(c claims, bind string) (string, error) {
	box, err := s.box()
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("writing an authorization: %w", err)
	}
	return box.Seal(text, bind), nil
}

// unseal reads a sealed text. ok is false for what is none; it may be over.
func (s *Service) unseal(text, bind string) (c claims, ok bool) {
	box, err := s.box()
	if err != nil {
		return c, false
	}
	plain, err := box.Unseal(text, bind)
	return c, err == nil && json.Unmarshal(plain, &c) == nil
}

// tokenLife is how long an authorization token can be used, as on AWS.
const tokenLife = 12 * time.Hour

// user is the name that goes with every token as password.
const user = "AWS"

// maxRegistries is how many tokens one request may ask for.
const maxRegistries = 10

// GetAuthorizationToken gives the password with which clients log in to the
// registry. It stands for the caller in the caller's region.
func (s *Service) GetAuthorizationToken(ctx context.Context, in *ecr.GetAuthorizationTokenInput) (*ecr.GetAuthorizationTokenOutput, error) {
	c := door.CallerFrom(ctx)
	//lint:ignore SA1019 clients still send it
	ids := in.RegistryIds
	if len(ids) == 0 {
		ids = []string{c.Account}
	}
	if len(ids) > maxRegistries {
		return nil, badParameter("registryIds", "must have length between 1 and %d", maxRegistries)
	}
	out := &ecr.GetAuthorizationTokenOutput{}
	expires := s.now().Add(tokenLife)
	for _, id := range ids {
		scope, err := scopeOf(ctx, &id)
		if err != nil {
			return nil, err
		}
		password, err := s.seal(claims{Scope: scope, Account: c.Account, ARN: c.ARN, Expires: expires}, bindToken)
		if err != nil {
			return nil, err
		}
		out.AuthorizationData = append(out.AuthorizationData, types.AuthorizationData{
			AuthorizationToken: aws.String(base64.StdEncoding.EncodeToString([]byte(user + ":" + password))),
			ExpiresAt:          &expires, ProxyEndpoint: aws.String(s.host.Endpoint()),
		})
	}
	return out, nil
}
