package sts_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"ouro/cloud/door"
	iamservice "ouro/cloud/iam"
	"ouro/cloud/store"
	stsservice "ouro/cloud/sts"
)

const account = "000000000000"

// cloud is STS and IAM behind a door, with a clock that the test sets.
type cloud struct {
	*door.Door
	t   *testing.T
	now time.Time
	sts *stsservice.Service
}

func start(t *testing.T) *cloud {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := &cloud{t: t, now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	c.Door = door.New(door.Options{Store: st, Now: func() time.Time { return c.now }})
	t.Cleanup(func() { c.Close(); _ = st.Close() })
	accounts := iamservice.New(c)
	c.sts = stsservice.New(c)
	for name, impl := range map[string]any{"iam": accounts, "sts": c.sts} {
		if err := c.Register(name, impl); err != nil {
			t.Fatal(err)
		}
	}
	c.Identify(c.sts.Identify)
	c.Identify(accounts.Identify)
	return c
}

// as is STS's client of that caller.
func (c *cloud) as(caller door.Caller) *sts.Client {
	caller.Account, caller.Region = account, "us-east-1"
	return sts.NewFromConfig(c.As(caller))
}

// role makes a role with that principal and condition in its trust.
func (c *cloud) role(path, name, principal, condition string) {
	c.t.Helper()
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":` + principal
	if condition != "" {
		trust += `,"Condition":` + condition
	}
	_, err := iam.NewFromConfig(c.As(door.Caller{Account: account, Region: "us-east-1"})).CreateRole(context.Background(), &iam.CreateRoleInput{
		RoleName: &name, Path: &path, AssumeRolePolicyDocument: aws.String(trust + `}]}`), MaxSessionDuration: aws.Int32(7200),
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

func assume(role, session string) *sts.AssumeRoleInput {
	return &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + account + ":role/" + role), RoleSessionName: &session}
}

func wantError(t *testing.T, what string, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), message) {
		t.Errorf("%s: got %v, want %s: %s", what, err, code, message)
	}
}

func TestGetCallerIdentity(t *testing.T) {
	t.Parallel()
	c := start(t)
	out, err := c.as(door.Caller{}).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if *out.Account != account || *out.Arn != "arn:aws:iam::000000000000:root" || *out.UserId != account {
		t.Errorf("root is %s, %s, %s", *out.Account, *out.Arn, *out.UserId)
	}
}

func TestAssumeRole(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.role("/deep/path/", "build", `{"Service":"codebuild.amazonaws.com"}`, "")
	service := c.as(door.Caller{Service: "codebuild.amazonaws.com"})
	out, err := service.AssumeRole(t.Context(), assume("deep/path/build", "run-1"))
	if err != nil {
		t.Fatal(err)
	}
	if *out.AssumedRoleUser.Arn != "arn:aws:sts::000000000000:assumed-role/build/run-1" || !strings.HasSuffix(*out.AssumedRoleUser.AssumedRoleId, ":run-1") {
		t.Errorf("assumed: %s, %s", *out.AssumedRoleUser.Arn, *out.AssumedRoleUser.AssumedRoleId)
	}
	if !out.Credentials.Expiration.Equal(c.now.Add(time.Hour)) {
		t.Errorf("expires at %s", out.Credentials.Expiration)
	}
	key := *out.Credentials.AccessKeyId

	// Through the door, the credentials are the role's session.
	cfg := c.Assume(door.Caller{Account: account, Region: "eu-west-1", Service: "codebuild.amazonaws.com"}, "arn:aws:iam::000000000000:role/deep/path/build", "run-2")
	session := sts.NewFromConfig(cfg)
	who, err := session.GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if *who.Arn != "arn:aws:sts::000000000000:assumed-role/build/run-2" || !strings.HasPrefix(*who.UserId, "AROA") {
		t.Errorf("the session is %s, %s", *who.Arn, *who.UserId)
	}
	_, err = session.GetSessionToken(t.Context(), nil)
	wantError(t, "a token for a session", err, "AccessDenied", "Cannot call GetSessionToken with session credentials")

	info, err := service.GetAccessKeyInfo(t.Context(), &sts.GetAccessKeyInfoInput{AccessKeyId: &key})
	if err != nil || *info.Account != account {
		t.Errorf("the key's account: %v, %v", info, err)
	}
	if caller, ok, err := c.sts.Identify(t.Context(), key); err != nil || !ok || caller.ARN != *out.AssumedRoleUser.Arn {
		t.Errorf("identified as %v, %v, %v", caller, ok, err)
	}
	if _, ok, err := c.sts.Identify(t.Context(), "AKIAUNKNOWN"); err != nil || ok {
		t.Errorf("a stranger is identified: %v, %v", ok, err)
	}
	c.now = c.now.Add(time.Hour)
	_, _, err = c.sts.Identify(t.Context(), key)
	wantError(t, "an expired session", err, "ExpiredToken", "The security token included in the request is expired")
	c.now = c.now.Add(48 * time.Hour)
	if err := c.sts.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := c.sts.Identify(t.Context(), key); err != nil || ok {
		t.Errorf("a session outlives its expiry: %v, %v", ok, err)
	}
}

func TestTrust(t *testing.T) {
	t.Parallel()
	c := start(t)
	codebuild := door.Caller{Service: "codebuild.amazonaws.com"}
	root := door.Caller{}
	session := door.Caller{ARN: "arn:aws:sts::000000000000:assumed-role/pipeline/x", UserID: "AROA:x"}
	for _, test := range []struct {
		name, principal, condition string
		caller                     door.Caller
		external                   string
		want                       bool
	}{
		{"service", `{"Service":["lambda.amazonaws.com","codebuild.amazonaws.com"]}`, "", codebuild, "", true},
		{"other-service", `{"Service":"codepipeline.amazonaws.com"}`, "", codebuild, "", false},
		{"root-for-service", `{"Service":"codebuild.amazonaws.com"}`, "", root, "", false},
		{"account", `{"AWS":"000000000000"}`, "", session, "", true},
		{"account-root", `{"AWS":"arn:aws:iam::000000000000:root"}`, "", root, "", true},
		{"other-account", `{"AWS":"arn:aws:iam::111111111111:root"}`, "", session, "", false},
		{"role", `{"AWS":"arn:aws:iam::000000000000:role/stages/pipeline"}`, "", session, "", true},
		{"other-role", `{"AWS":"arn:aws:iam::000000000000:role/build"}`, "", session, "", false},
		{"anyone", `"*"`, "", session, "", true},
		{"external", `"*"`, `{"StringEquals":{"sts:ExternalId":"secret"}}`, session, "secret", true},
		{"wrong-external", `"*"`, `{"StringEquals":{"sts:ExternalId":"secret"}}`, session, "other", false},
		{"no-external", `"*"`, `{"StringEquals":{"sts:ExternalId":"secret"}}`, session, "", false},
		{"source-account", `{"Service":"codebuild.amazonaws.com"}`, `{"StringEquals":{"aws:SourceAccount":"000000000000"}}`, codebuild, "", true},
		{"other-source-account", `{"Service":"codebuild.amazonaws.com"}`, `{"StringEquals":{"aws:SourceAccount":"111111111111"}}`, codebuild, "", false},
		{"source-arn", `{"Service":"codebuild.amazonaws.com"}`, `{"ArnLike":{"aws:SourceArn":"arn:aws:codebuild:*:000000000000:project/*"}}`, codebuild, "", true},
	} {
		c.role("/", test.name, test.principal, test.condition)
		in := assume(test.name, "session")
		if test.external != "" {
			in.ExternalId = &test.external
		}
		_, err := c.as(test.caller).AssumeRole(t.Context(), in)
		if test.want && err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if !test.want {
			wantError(t, test.name, err, "AccessDenied", "is not authorized to perform: sts:AssumeRole on resource: "+*in.RoleArn)
		}
	}
	_, err := c.as(session).AssumeRole(t.Context(), assume("none", "session"))
	wantError(t, "no role", err, "AccessDenied", "User: arn:aws:sts::000000000000:assumed-role/pipeline/x is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::000000000000:role/none")
	_, err = c.as(session).AssumeRole(t.Context(), assume("other/path/anyone", "session"))
	wantError(t, "another path", err, "AccessDenied", "role/other/path/anyone")
}

func TestAssumeRoleRequests(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.role("/", "r", `"*"`, "")
	seconds := func(in *sts.AssumeRoleInput, n int32) *sts.AssumeRoleInput { in.DurationSeconds = &n; return in }
	session := door.Caller{ARN: "arn:aws:sts::000000000000:assumed-role/r/x", UserID: "AROA:x"}
	for _, test := range []struct {
		name    string
		caller  door.Caller
		in      *sts.AssumeRoleInput
		code    string
		message string
	}{
		{"short", door.Caller{}, seconds(assume("r", "session"), 899), "ValidationError", "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900"},
		{"long", door.Caller{}, seconds(assume("r", "session"), 7201), "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		{"chained", session, seconds(assume("r", "session"), 3601), "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"},
		{"name", door.Caller{}, assume("r", "no spaces"), "ValidationError", "Value 'no spaces' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: "},
		{"two at once", door.Caller{}, seconds(assume("r", "x"), 1), "ValidationError", "2 validation errors detected: "},
		{"ARN", door.Caller{}, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::000000000000:user/u"), RoleSessionName: aws.String("session")}, "ValidationError", "arn:aws:iam::000000000000:user/u is invalid"},
		{"policy", door.Caller{}, &sts.AssumeRoleInput{RoleArn: assume("r", "").RoleArn, RoleSessionName: aws.String("session"), Policy: aws.String("{")}, "MalformedPolicyDocument", "Syntax errors in policy."},
		{"MFA", door.Caller{}, &sts.AssumeRoleInput{RoleArn: assume("r", "").RoleArn, RoleSessionName: aws.String("session"), SerialNumber: aws.String("123456789"), TokenCode: aws.String("123456")}, "AccessDenied", "MultiFactorAuthentication failed"},
	} {
		_, err := c.as(test.caller).AssumeRole(t.Context(), test.in)
		wantError(t, test.name, err, test.code, test.message)
	}
	out, err := c.as(door.Caller{}).AssumeRole(t.Context(), seconds(assume("r", "session"), 7200))
	if err != nil || !out.Credentials.Expiration.Equal(c.now.Add(2*time.Hour)) {
		t.Errorf("two hours: %v, %v", out, err)
	}
	_, err = c.as(door.Caller{}).AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: assume("r", "").RoleArn, RoleSessionName: aws.String("session"), WebIdentityToken: aws.String("e30.eyJpc3MiOiJodHRwczovL2V4YW1wbGUuY29tIn0.x")})
	wantError(t, "web identity", err, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://example.com")
}

func TestOwnSessions(t *testing.T) {
	t.Parallel()
	c := start(t)
	user := c.as(door.Caller{ARN: "arn:aws:iam::000000000000:user/u", UserID: "AIDA"})
	token, err := user.GetSessionToken(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !token.Credentials.Expiration.Equal(c.now.Add(12 * time.Hour)) {
		t.Errorf("a user's session expires at %s", token.Credentials.Expiration)
	}
	caller, ok, err := c.sts.Identify(t.Context(), *token.Credentials.AccessKeyId)
	if err != nil || !ok || caller.ARN != "arn:aws:iam::000000000000:user/u" {
		t.Errorf("a user's session is %v, %v, %v", caller, ok, err)
	}
	_, err = c.as(caller).GetSessionToken(t.Context(), nil)
	wantError(t, "a session's session", err, "AccessDenied", "Cannot call GetSessionToken with session credentials")
	root, err := c.as(door.Caller{}).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{DurationSeconds: aws.Int32(7200)})
	if err != nil || !root.Credentials.Expiration.Equal(c.now.Add(time.Hour)) {
		t.Errorf("root's session: %v, %v", root, err)
	}
	federated, err := user.GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: aws.String("guest")})
	if err != nil || *federated.FederatedUser.Arn != "arn:aws:sts::000000000000:federated-user/guest" {
		t.Errorf("federated: %v, %v", federated, err)
	}
}
