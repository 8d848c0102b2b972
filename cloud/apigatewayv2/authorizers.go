package apigatewayv2

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	apigw "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"ouro/cloud/executeapi"
)

// checkAuthorizer holds an authorizer against what the local cloud serves, and
// fills in what it does not say.
func checkAuthorizer(z *types.Authorizer) error {
	switch {
	case z.AuthorizerType == types.AuthorizerTypeJwt:
		return badRequest("JWT authorizers are not supported by the local cloud; Lambda authorizers (REQUEST) are")
	case z.AuthorizerType != types.AuthorizerTypeRequest:
		return badRequest("Invalid authorizer type %s", z.AuthorizerType)
	case aws.ToString(z.Name) == "":
		return badRequest("Name is required")
	case aws.ToInt32(z.AuthorizerResultTtlInSeconds) < 0 || aws.ToInt32(z.AuthorizerResultTtlInSeconds) > 3600:
		return badRequest("AuthorizerResultTtlInSeconds must be between 0 and 3600")
	}
	if _, ok := executeapi.FunctionARN(aws.ToString(z.AuthorizerUri)); !ok {
		return badRequest("Invalid Authorizer URI: %s", aws.ToString(z.AuthorizerUri))
	}
	switch aws.ToString(z.AuthorizerPayloadFormatVersion) {
	case "1.0", "2.0":
	default:
		return badRequest("AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizers")
	}
	for _, source := range z.IdentitySource {
		if !beginsWith(source, "$request.header.", "$request.querystring.", "$context.", "$stageVariables.") {
			return badRequest("Invalid identity source: %s", source)
		}
	}
	return nil
}

func beginsWith(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if len(s) > len(p) && strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// CreateAuthorizer makes an authorizer.
func (s *Service) CreateAuthorizer(ctx context.Context, in *apigw.CreateAuthorizerInput) (*apigw.CreateAuthorizerOutput, error) {
	z := types.Authorizer{}
	executeapi.Fill(&z, in)
	_, err := s.change(ctx, in.ApiId, func(a *api) error {
		if err := checkAuthorizer(&z); err != nil {
			return err
		}
		z.AuthorizerId = aws.String(executeapi.NewID(6))
		a.Authorizers[*z.AuthorizerId] = z
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &apigw.CreateAuthorizerOutput{}
	executeapi.Fill(out, &z)
	return out, nil
}

// GetAuthorizer gives an authorizer.
func (s *Service) GetAuthorizer(ctx context.Context, in *apigw.GetAuthorizerInput) (*apigw.GetAuthorizerOutput, error) {
	a, err := s.apis.Find(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	z, err := executeapi.Part(a.Authorizers, "Authorizer", in.AuthorizerId)
	out := &apigw.GetAuthorizerOutput{}
	executeapi.Fill(out, &z)
	return out, err
}

// GetAuthorizers lists the authorizers of an API.
func (s *Service) GetAuthorizers(ctx context.Context, in *apigw.GetAuthorizersInput) (*apigw.GetAuthorizersOutput, error) {
	a, err := s.apis.Find(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	items, next, err := page(a.Authorizers, in.NextToken, in.MaxResults)
	return &apigw.GetAuthorizersOutput{Items: items, NextToken: next}, err
}

// UpdateAuthorizer changes an authorizer.
func (s *Service) UpdateAuthorizer(ctx context.Context, in *apigw.UpdateAuthorizerInput) (*apigw.UpdateAuthorizerOutput, error) {
	out := &apigw.UpdateAuthorizerOutput{}
	_, err := s.change(ctx, in.ApiId, func(a *api) error {
		z, err := executeapi.Part(a.Authorizers, "Authorizer", in.AuthorizerId)
		if err != nil {
			return err
		}
		executeapi.Fill(&z, in)
		if err := checkAuthorizer(&z); err != nil {
			return err
		}
		a.Authorizers[*z.AuthorizerId] = z
		executeapi.Fill(out, &z)
		return nil
	})
	return out, err
}

// DeleteAuthorizer deletes an authorizer that no route uses.
func (s *Service) DeleteAuthorizer(ctx context.Context, in *apigw.DeleteAuthorizerInput) (*apigw.DeleteAuthorizerOutput, error) {
	_, err := s.change(ctx, in.ApiId, func(a *api) error {
		if _, err := executeapi.Part(a.Authorizers, "Authorizer", in.AuthorizerId); err != nil {
			return err
		}
		for _, r := range a.Routes {
			if aws.ToString(r.AuthorizerId) == *in.AuthorizerId {
				return conflict("Cannot delete authorizer '%s', it is referenced by route '%s'", *in.AuthorizerId, *r.RouteKey)
			}
		}
		delete(a.Authorizers, *in.AuthorizerId)
		return nil
	})
	return &apigw.DeleteAuthorizerOutput{}, err
}

// ResetAuthorizersCache has authorizers asked again.
func (s *Service) ResetAuthorizersCache(ctx context.Context, in *apigw.ResetAuthorizersCacheInput) (*apigw.ResetAuthorizersCacheOutput, error) {
	if _, err := s.apis.Find(ctx, in.ApiId); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.granted {
		if strings.HasPrefix(name, fmt.Sprintf("[%q %q ", *in.ApiId, aws.ToString(in.StageName))) {
			delete(s.granted, name)
		}
	}
	return &apigw.ResetAuthorizersCacheOutput{}, nil
}
