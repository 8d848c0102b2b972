package apigateway

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	apigw "github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"ouro/cloud/executeapi"
	"ouro/regex"
)

// checkAuthorizer holds an authorizer against what the local cloud serves, and
// fills in what it does not say.
func checkAuthorizer(z *types.Authorizer) error {
	token := z.Type == types.AuthorizerTypeToken
	switch {
	case z.Type == types.AuthorizerTypeCognitoUserPools:
		return badRequest("Authorizers of the type COGNITO_USER_POOLS are not supported by the local cloud; Lambda authorizers (TOKEN, REQUEST) are")
	case !token && z.Type != types.AuthorizerTypeRequest:
		return badRequest("Invalid authorizer type specified. Valid options are TOKEN, REQUEST, COGNITO_USER_POOLS")
	case aws.ToString(z.Name) == "":
		return badRequest("Authorizer name cannot be empty")
	}
	if z.AuthorizerResultTtlInSeconds == nil {
		z.AuthorizerResultTtlInSeconds = aws.Int32(300)
	}
	if n := *z.AuthorizerResultTtlInSeconds; n < 0 || n > 3600 {
		return badRequest("Authorizer result TTL must be between 0 and 3600 seconds")
	}
	if _, ok := executeapi.FunctionARN(aws.ToString(z.AuthorizerUri)); !ok && !strings.Contains(aws.ToString(z.AuthorizerUri), "${stageVariables.") {
		return badRequest("Invalid Authorizer URI: %s. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation.", aws.ToString(z.AuthorizerUri))
	}
	sources := identitySources(z)
	if len(sources) == 0 && (token || *z.AuthorizerResultTtlInSeconds > 0) {
		return badRequest("Identity source is required for authorizers of the type TOKEN, and where results are cached")
	}
	for _, source := range sources {
		header := strings.HasPrefix(source, "method.request.header.")
		other := strings.HasPrefix(source, "method.request.querystring.") || strings.HasPrefix(source, "stageVariables.") || strings.HasPrefix(source, "context.")
		if !header && (token || !other) {
			return badRequest("Invalid identity source: %s", source)
		}
	}
	if _, err := regex.Java(aws.ToString(z.IdentityValidationExpression)); err != nil {
		return badRequest("Invalid identity validation expression: %s", err)
	}
	if z.AuthType == nil {
		z.AuthType = aws.String("custom")
	}
	return nil
}

// identitySources are where an authorizer finds who calls.
func identitySources(z *types.Authorizer) []string {
	var out []string
	for _, s := range strings.Split(aws.ToString(z.IdentitySource), ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// addAuthorizer gives an API an authorizer.
func (a *api) addAuthorizer(z *types.Authorizer) error {
	if err := checkAuthorizer(z); err != nil {
		return err
	}
	for _, other := range a.Authorizers {
		if *other.Name == *z.Name {
			return badRequest("Authorizer name must be unique. Authorizer %s already exists in this RestApi.", *z.Name)
		}
	}
	z.Id = aws.String(executeapi.NewID(6))
	a.Authorizers[*z.Id] = *z
	return nil
}

// CreateAuthorizer makes an authorizer.
func (s *Service) CreateAuthorizer(ctx context.Context, in *apigw.CreateAuthorizerInput) (*apigw.CreateAuthorizerOutput, error) {
	z := types.Authorizer{}
	executeapi.Fill(&z, in)
	_, err := s.change(ctx, in.RestApiId, func(a *api) error { return a.addAuthorizer(&z) })
	return told[apigw.CreateAuthorizerOutput](&z, err)
}

// GetAuthorizer gives an authorizer.
func (s *Service) GetAuthorizer(ctx context.Context, in *apigw.GetAuthorizerInput) (*apigw.GetAuthorizerOutput, error) {
	a, err := s.apis.Find(ctx, in.RestApiId)
	if err != nil {
		return nil, err
	}
	z, err := executeapi.Part(a.Authorizers, "Authorizer", in.AuthorizerId)
	return told[apigw.GetAuthorizerOutput](&z, err)
}

// GetAuthorizers lists the authorizers of an API.
func (s *Service) GetAuthorizers(ctx context.Context, in *apigw.GetAuthorizersInput) (*apigw.GetAuthorizersOutput, error) {
	a, err := s.apis.Find(ctx, in.RestApiId)
	if err != nil {
		return nil, err
	}
	items, next := page(a.Authorizers, in.Position, in.Limit)
	return &apigw.GetAuthorizersOutput{Items: items, Position: next}, nil
}

// UpdateAuthorizer changes an authorizer.
func (s *Service) UpdateAuthorizer(ctx context.Context, in *apigw.UpdateAuthorizerInput) (*apigw.UpdateAuthorizerOutput, error) {
	var z types.Authorizer
	_, err := s.change(ctx, in.RestApiId, func(a *api) (err error) {
		if z, err = executeapi.Part(a.Authorizers, "Authorizer", in.AuthorizerId); err != nil {
			return err
		}
		if err := patch(&z, in.PatchOperations, "name", "type", "authType", "authorizerUri", "authorizerCredentials",
			"identitySource", "identityValidationExpression", "authorizerResultTtlInSeconds"); err != nil {
			return err
		}
		if err := checkAuthorizer(&z); err != nil {
			return err
		}
		a.Authorizers[*z.Id] = z
		return nil
	})
	return told[apigw.UpdateAuthorizerOutput](&z, err)
}

// DeleteAuthorizer deletes an authorizer that no method uses.
func (s *Service) DeleteAuthorizer(ctx context.Context, in *apigw.DeleteAuthorizerInput) (*apigw.DeleteAuthorizerOutput, error) {
	_, err := s.change(ctx, in.RestApiId, func(a *api) error {
		if _, err := executeapi.Part(a.Authorizers, "Authorizer", in.AuthorizerId); err != nil {
			return err
		}
		for _, r := range a.Resources {
			for verb, m := range r.ResourceMethods {
				if aws.ToString(m.AuthorizerId) == *in.AuthorizerId {
					return conflict("Cannot delete authorizer '%s', is referenced in method: %s %s", *in.AuthorizerId, verb, *r.Path)
				}
			}
		}
		delete(a.Authorizers, *in.AuthorizerId)
		return nil
	})
	return &apigw.DeleteAuthorizerOutput{}, err
}

// FlushStageAuthorizersCache has authorizers asked again.
func (s *Service) FlushStageAuthorizersCache(ctx context.Context, in *apigw.FlushStageAuthorizersCacheInput) (*apigw.FlushStageAuthorizersCacheOutput, error) {
	a, err := s.apis.Find(ctx, in.RestApiId)
	if err != nil {
		return nil, err
	}
	if _, err := executeapi.Part(a.Stages, "stage", in.StageName); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.granted {
		if strings.HasPrefix(name, fmt.Sprintf("[%q %q ", *in.RestApiId, *in.StageName)) {
			delete(s.granted, name)
		}
	}
	return &apigw.FlushStageAuthorizersCacheOutput{}, nil
}
