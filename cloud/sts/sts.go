// Package sts is AWS STS: it tells callers who they are, and gives out
// temporary credentials.
//
// Whether a role may be assumed is decided by its trust policy, as on AWS;
// identity policies are not evaluated, so that a trust in an account is a trust
// in everybody in it. An account's root may assume roles that trust it, which
// AWS forbids: root is who everybody is that comes to the local cloud without
// an identity. Secrets and tokens are given out and not kept: the door checks
// no signatures.
package sts

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"ouro/cloud/accesskey"
	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/cloud/wire"
)

// Service is AWS STS.
type Service struct {
	host     door.Host
	sessions store.Table[session]
}

// session is whose credentials were given out under an access key id. It lives
// in no account, so that a key leads to it.
type session struct {
	Account        string
	ARN            string
	UserID         string
	Expires        time.Time
	SourceIdentity string            `json:",omitempty"`
	Tags           map[string]string `json:",omitempty"`
}

// anywhere is the scope of sessions.
var anywhere = store.Scope{}

// New makes the service.
func New(host door.Host) *Service {
	return &Service{host: host, sessions: store.NewTable[session](host.Store(), "sts", "session")}
}

// Resume forgets the sessions that expired while nobody looked.
func (s *Service) Resume(ctx context.Context) error {
	all, err := s.sessions.List(ctx, anywhere, store.Query{})
	if err != nil {
		return err
	}
	now := s.host.Now()
	return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		for _, e := range all {
			// For a while an expired key is told so; later it is unknown.
			if now.Sub(e.Value.Expires) < 24*time.Hour {
				continue
			}
			if err := s.sessions.Delete(ctx, anywhere, e.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// Identify tells whose session an access key id belongs to, without a region;
// ok is false for ids that are no session's. An expired one gives AWS's error.
func (s *Service) Identify(ctx context.Context, accessKeyID string) (caller door.Caller, ok bool, err error) {
	if _, ok := accesskey.Account(accessKeyID); !ok {
		return door.Caller{}, false, nil // most clients of one machine invent theirs
	}
	v, err := s.sessions.Get(ctx, anywhere, accessKeyID)
	if err == store.ErrNotFound {
		return door.Caller{}, false, nil
	}
	if err != nil {
		return door.Caller{}, false, err
	}
	if !s.host.Now().Before(v.Expires) {
		return door.Caller{}, false, &wire.Error{Code: "ExpiredToken", Message: "The security token included in the request is expired", Status: 403}
	}
	return door.Caller{Account: v.Account, ARN: v.ARN, UserID: v.UserID, AccessKey: accessKeyID}, true, nil
}

// issue gives out credentials for the session, which last that long.
func (s *Service) issue(ctx context.Context, v session, lasting time.Duration) (*types.Credentials, error) {
	v.Expires = s.host.Now().Add(lasting).UTC().Truncate(time.Second)
	id := accesskey.New("ASIA", v.Account)
	if err := s.sessions.Insert(ctx, anywhere, id, v); err != nil {
		return nil, err
	}
	return &types.Credentials{
		AccessKeyId:     aws.String(id),
		SecretAccessKey: aws.String(accesskey.NewSecret()),
		SessionToken:    aws.String(accesskey.NewToken()),
		Expiration:      aws.Time(v.Expires),
	}, nil
}

// GetCallerIdentity tells who calls.
func (s *Service) GetCallerIdentity(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	caller := door.CallerFrom(ctx)
	if caller.ARN == "" {
		return nil, denied(caller, "GetCallerIdentity", "*")
	}
	return &sts.GetCallerIdentityOutput{
		Account: aws.String(caller.Account), Arn: aws.String(caller.ARN), UserId: aws.String(caller.UserID),
	}, nil
}

// GetAccessKeyInfo tells which account an access key belongs to.
func (s *Service) GetAccessKeyInfo(_ context.Context, in *sts.GetAccessKeyInfoInput) (*sts.GetAccessKeyInfoOutput, error) {
	id := aws.ToString(in.AccessKeyId)
	if err := check(
		minLength("accessKeyId", id, 16), maxLength("accessKeyId", id, 128), pattern("accessKeyId", id, word()),
	); err != nil {
		return nil, err
	}
	account, ok := accesskey.Account(id)
	if !ok {
		return nil, invalid("Invalid value for accessKeyId: " + id)
	}
	return &sts.GetAccessKeyInfoOutput{Account: aws.String(account)}, nil
}
