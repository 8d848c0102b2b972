package codebuild

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

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

// ImportSourceCredentials keeps a provider's credentials.
func (s *Service) ImportSourceCredentials(ctx context.Context, in *api.ImportSourceCredentialsInput) (*api.ImportSourceCredentialsOutput, error) {
	switch {
	case aws.ToString(in.Token) == "":
		return nil, invalid("Access token is required")
	case !slices.Contains(in.AuthType.Values(), in.AuthType):
		return nil, invalid("Invalid auth type: %s", in.AuthType)
	case !slices.Contains(in.ServerType.Values(), in.ServerType):
		return nil, invalid("Invalid server type: %s", in.ServerType)
	case in.AuthType == types.AuthTypeBasicAuth && aws.ToString(in.Username) == "":
		return nil, invalid("Username is required for auth type BASIC_AUTH")
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
		Sealed:   box.Seal([]byte(*in.Token), "codebuild/"+caller.Account+"/"+caller.Region+"/"+id),
	}
	if in.AuthType == types.AuthTypeCodeconnections || in.AuthType == types.AuthTypeSecretsManager {
		c.Info.Resource = in.Token // an ARN, no secret
	}
	write := s.sources.Put
	if in.ShouldOverwrite != nil && !*in.ShouldOverwrite {
		write = s.sources.Insert
	}
	switch err := write(ctx, caller.Scope(), id, c); {
	case errors.Is(err, store.ErrExists):
		return nil, &types.ResourceAlreadyExistsException{Message: aws.String("Source credentials already exist: " + *c.Info.Arn)}
	case err != nil:
		return nil, err
	}
	return &api.ImportSourceCredentialsOutput{Arn: c.Info.Arn}, nil
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
