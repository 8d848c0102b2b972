package sts

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"ouro/cloud/door"
)

// GetSessionToken gives temporary credentials of the caller's own identity.
func (s *Service) GetSessionToken(ctx context.Context, in *sts.GetSessionTokenInput) (*sts.GetSessionTokenOutput, error) {
	if err := check(within("durationSeconds", in.DurationSeconds, shortest, longestSession)); err != nil {
		return nil, err
	}
	caller, err := s.longTerm(ctx, "GetSessionToken")
	if err != nil {
		return nil, err
	}
	if in.SerialNumber != nil || in.TokenCode != nil {
		return nil, refused("MultiFactorAuthentication failed with invalid MFA one time pass code. ")
	}
	v := session{Account: caller.Account, ARN: caller.ARN, UserID: caller.UserID}
	credentials, err := s.issue(ctx, v, duration(caller, in.DurationSeconds))
	if err != nil {
		return nil, err
	}
	return &sts.GetSessionTokenOutput{Credentials: credentials}, nil
}

// GetFederationToken gives temporary credentials of a federated user.
func (s *Service) GetFederationToken(ctx context.Context, in *sts.GetFederationTokenInput) (*sts.GetFederationTokenOutput, error) {
	name := aws.ToString(in.Name)
	err := check(
		minLength("name", name, 2), maxLength("name", name, 32), pattern("name", name, sessionName()),
		within("durationSeconds", in.DurationSeconds, shortest, longestSession),
	)
	if err != nil {
		return nil, err
	}
	if err := checkSessionPolicy(in.Policy); err != nil {
		return nil, err
	}
	caller, err := s.longTerm(ctx, "GetFederationToken")
	if err != nil {
		return nil, err
	}
	v := session{
		Account: caller.Account,
		ARN:     "arn:" + caller.Partition() + ":sts::" + caller.Account + ":federated-user/" + name,
		UserID:  caller.Account + ":" + name,
		Tags:    tags(in.Tags),
	}
	credentials, err := s.issue(ctx, v, duration(caller, in.DurationSeconds))
	if err != nil {
		return nil, err
	}
	return &sts.GetFederationTokenOutput{
		Credentials:   credentials,
		FederatedUser: &types.FederatedUser{Arn: aws.String(v.ARN), FederatedUserId: aws.String(v.UserID)},
	}, nil
}

// longTerm is the caller, who must not have come with temporary credentials.
func (s *Service) longTerm(ctx context.Context, action string) (door.Caller, error) {
	caller := door.CallerFrom(ctx)
	if caller.Service != "" || caller.ARN == "" {
		return caller, denied(caller, action, "*")
	}
	_, temporary, err := s.Identify(ctx, caller.AccessKey)
	if err == nil && (temporary || isRoleSession(caller)) {
		err = refused("Cannot call " + action + " with session credentials")
	}
	return caller, err
}

// duration is how long a session of a user lasts: 12 hours unless told
// otherwise; an account's root gets an hour at most.
func duration(caller door.Caller, seconds *int32) time.Duration {
	lasting := time.Duration(longestRole) * time.Second
	if seconds != nil {
		lasting = time.Duration(*seconds) * time.Second
	}
	if strings.HasSuffix(caller.ARN, ":root") {
		lasting = min(lasting, hour*time.Second)
	}
	return lasting
}

// AssumeRoleWithWebIdentity refuses every token: accounts of the local cloud
// have no identity providers, and it says so as AWS says it of such an account.
func (s *Service) AssumeRoleWithWebIdentity(_ context.Context, in *sts.AssumeRoleWithWebIdentityInput) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	issuer, ok := tokenIssuer(aws.ToString(in.WebIdentityToken))
	if !ok {
		return nil, &types.InvalidIdentityTokenException{Message: aws.String("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")}
	}
	return nil, &types.InvalidIdentityTokenException{Message: aws.String("No OpenIDConnect provider found in your account for " + issuer)}
}

// tokenIssuer reads who issued a token, without checking its signature.
func tokenIssuer(token string) (string, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", false
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", false
	}
	var v struct {
		Issuer string `json:"iss"`
	}
	return v.Issuer, json.Unmarshal(claims, &v) == nil
}
