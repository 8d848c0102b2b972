package codebuild

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// credential is what CodeBuild signs in to a source provider with. There is
// one for each provider in an account and region, as on AWS. The token is
// never answered, and kept sealed.
type credential struct {
	Info     types.SourceCredentialsInfo
	Username string
	Sealed   string // the token
}

// authTypes are how one signs in to each provider
// (https://docs.aws.amazon.com/codebuild/latest/userguide/access-tokens.html).
// OAUTH is made in AWS's console alone.
var authTypes = map[types.ServerType][]types.AuthType{
	types.ServerTypeGithub:            {types.AuthTypePersonalAccessToken, types.AuthTypeCodeconnections, types.AuthTypeSecretsManager},
	types.ServerTypeGithubEnterprise:  {types.AuthTypePersonalAccessToken, types.AuthTypeCodeconnections, types.AuthTypeSecretsManager},
	types.ServerTypeBitbucket:         {types.AuthTypeBasicAuth, types.AuthTypePersonalAccessToken, types.AuthTypeCodeconnections, types.AuthTypeSecretsManager},
	types.ServerTypeGitlab:            {types.AuthTypePersonalAccessToken, types.AuthTypeCodeconnections, types.AuthTypeSecretsManager},
	types.ServerTypeGitlabSelfManaged: {types.AuthTypePersonalAccessToken, types.AuthTypeCodeconnections, types.AuthTypeSecretsManager},
}

// resourceForms is what the token of an authorization type has to look like
// that is no token but the name of one.
var resourceForms = map[types.AuthType]struct{ service, resource, words string }{
	types.AuthTypeCodeconnections: {"codeconnections,codestar-connections", "connection/", "the ARN of a connection"},
	types.AuthTypeSecretsManager:  {"secretsmanager", "secret:", "the ARN of a secret"},
}

func checkCredential(in *api.ImportSourceCredentialsInput) error {
	switch {
	case aws.ToString(in.Token) == "":
		return invalid("Access token is required")
	case !slices.Contains(in.ServerType.Values(), in.ServerType):
		return invalid("Invalid server type: %s", in.ServerType)
	case !slices.Contains(in.AuthType.Values(), in.AuthType):
		return invalid("Invalid auth type: %s", in.AuthType)
	case in.AuthType == types.AuthTypeOauth:
		return invalid("Invalid auth type: an OAUTH connection is not supported by the API and must be created using the console")
	case !slices.Contains(authTypes[in.ServerType], in.AuthType):
		return invalid("Invalid auth type: %s is not supported for server type %s", in.AuthType, in.ServerType)
	case in.AuthType == types.AuthTypeBasicAuth && aws.ToString(in.Username) == "":
		return invalid("Username is required for auth type BASIC_AUTH")
	case in.AuthType != types.AuthTypeBasicAuth && aws.ToString(in.Username) != "":
		return invalid("Username is not valid for auth type %s", in.AuthType)
	}
	if form, ok := resourceForms[in.AuthType]; ok && !names(*in.Token, form.service, form.resource) {
		return invalid("Invalid token: for auth type %s it must be %s", in.AuthType, form.words)
	}
	return nil
}

// names tells whether an ARN is of one of the services, and of that resource.
func names(arn, services, resource string) bool {
	parts := strings.SplitN(arn, ":", 6)
	return len(parts) == 6 && parts[0] == "arn" && slices.Contains(strings.Split(services, ","), parts[2]) && strings.HasPrefix(parts[5], resource)
}

// ImportSourceCredentials keeps a provider's credentials.
func (s *Service) ImportSourceCredentials(ctx context.Context, in *api.ImportSourceCredentialsInput) (*api.ImportSourceCredentialsOutput, error) {
	if err := checkCredential(in); err != nil {
		return nil, err
	}
	caller := door.CallerFrom(ctx)
	id := strings.ToLower(string(in.ServerType))
	box, err := s.box()
	if err != nil {
		return nil, err
	}
	c := credential{
		Info: types.SourceCredentialsInfo{
			Arn:        aws.String(caller.ResourceARN("codebuild", "token/"+id)),
			AuthType:   in.AuthType,
			ServerType: in.ServerType,
		},
		Username: aws.ToString(in.Username),
		Sealed:   box.Seal([]byte(*in.Token), credentialBind(caller, id)),
	}
	if _, ok := resourceForms[in.AuthType]; ok {
		c.Info.Resource = in.Token // an ARN, no secret
	}
	write := s.sources.Put
	if in.ShouldOverwrite != nil && !*in.ShouldOverwrite {
		write = s.sources.Insert
	}
	switch err := write(ctx, caller.Scope(), id, c); {
	case errors.Is(err, store.ErrExists):
		return nil, &types.ResourceAlreadyExistsException{Message: aws.String(fmt.Sprintf("Access token with server type %s already exists. Delete its source credential and try again.", in.ServerType))}
	case err != nil:
		return nil, err
	}
	return &api.ImportSourceCredentialsOutput{Arn: c.Info.Arn}, nil
}

func credentialBind(caller door.Caller, id string) string {
	return "codebuild/" + caller.Account + "/" + caller.Region + "/" + id
}

// ListSourceCredentials tells which providers have credentials.
func (s *Service) ListSourceCredentials(ctx context.Context, _ *api.ListSourceCredentialsInput) (*api.ListSourceCredentialsOutput, error) {
	entries, err := s.sources.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	out := &api.ListSourceCredentialsOutput{SourceCredentialsInfos: []types.SourceCredentialsInfo{}}
	for _, e := range entries {
		out.SourceCredentialsInfos = append(out.SourceCredentialsInfos, e.Value.Info)
	}
	return out, err
}

// DeleteSourceCredentials forgets a provider's credentials.
func (s *Service) DeleteSourceCredentials(ctx context.Context, in *api.DeleteSourceCredentialsInput) (*api.DeleteSourceCredentialsOutput, error) {
	caller := door.CallerFrom(ctx)
	arn := aws.ToString(in.Arn)
	id, ok := strings.CutPrefix(arn, caller.ResourceARN("codebuild", "token/"))
	if !ok {
		return nil, invalid("Invalid source credentials ARN: %s", arn)
	}
	switch err := s.sources.Delete(ctx, caller.Scope(), id); {
	case errors.Is(err, store.ErrNotFound):
		return nil, notFound("Could not find access token for ARN: %s", arn)
	case err != nil:
		return nil, err
	}
	return &api.DeleteSourceCredentialsOutput{Arn: in.Arn}, nil
}

// signing is how a build signs in to a provider.
type signing struct{ user, token, connection string }

// signIn finds how to sign in to the provider of a source: as the source
// itself says, else as the account does. Without either it is anonymous.
func (r *run) signIn(ctx context.Context, s *types.ProjectSource) (signing, error) {
	if arn := connectionOf(s.Auth); arn != "" {
		return signing{connection: arn}, nil
	}
	if s.Auth != nil && s.Auth.Type == types.SourceAuthTypeSecretsManager {
		return r.signInWith(ctx, s.Type, aws.ToString(s.Auth.Resource))
	}
	caller, id := r.rec.Caller, strings.ToLower(string(s.Type))
	c, err := r.s.sources.Get(ctx, caller.Scope(), id)
	if errors.Is(err, store.ErrNotFound) {
		return signing{}, nil
	} else if err != nil {
		return signing{}, fmt.Errorf("reading the source credentials for %s: %w", s.Type, err)
	}
	box, err := r.s.box()
	if err != nil {
		return signing{}, err
	}
	token, err := box.Unseal(c.Sealed, credentialBind(caller, id))
	switch {
	case err != nil:
		return signing{}, err
	case c.Info.AuthType == types.AuthTypeCodeconnections:
		return signing{connection: string(token)}, nil
	case c.Info.AuthType == types.AuthTypeSecretsManager:
		return r.signInWith(ctx, s.Type, string(token))
	}
	return signing{user: signInName(s.Type, c.Username), token: string(token)}, nil
}

// signInWith reads a token from Secrets Manager, as the build's role.
// https://docs.aws.amazon.com/codebuild/latest/userguide/asm-create-secret.html
func (r *run) signInWith(ctx context.Context, kind types.SourceType, secret string) (signing, error) {
	out, err := secretsmanager.NewFromConfig(r.role.config).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &secret})
	if err != nil {
		return signing{}, failf("CLIENT_ERROR", "reading the source credentials in secret %s: %v", secret, err)
	}
	var value struct{ ServerType, AuthType, Token, Username string }
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &value); err != nil || value.Token == "" {
		return signing{}, failf("CLIENT_ERROR", "secret %s does not hold source credentials: it must be a JSON object with ServerType, AuthType and Token", secret)
	}
	if value.ServerType != "" && value.ServerType != string(kind) {
		return signing{}, failf("CLIENT_ERROR", "secret %s holds source credentials for %s, and the source is of the type %s", secret, value.ServerType, kind)
	}
	return signing{user: signInName(kind, value.Username), token: value.Token}, nil
}

// signInName is the user name that goes with a token where the provider's user
// is not asked for.
func signInName(kind types.SourceType, user string) string {
	if user != "" {
		return user
	}
	switch kind {
	case types.SourceTypeGitlab, types.SourceTypeGitlabSelfManaged:
		return "oauth2"
	case types.SourceTypeBitbucket:
		return "x-token-auth"
	}
	return "x-access-token"
}
