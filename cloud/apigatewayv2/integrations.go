package apigatewayv2

import (
	"context"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	apigw "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"ouro/cloud/executeapi"
)

// checkIntegration holds an integration against what the local cloud serves,
// and fills in what it does not say.
func checkIntegration(i *types.Integration) error {
	uri := aws.ToString(i.IntegrationUri)
	switch {
	case i.IntegrationSubtype != nil:
		return badRequest("integrations with services of AWS (IntegrationSubtype %s) are not supported by the local cloud", *i.IntegrationSubtype)
	case i.ConnectionType == types.ConnectionTypeVpcLink:
		return badRequest("private integrations (VPC_LINK) are not supported by the local cloud")
	case len(i.RequestParameters) > 0, len(i.ResponseParameters) > 0:
		return badRequest("parameter mapping is not supported by the local cloud")
	case i.TimeoutInMillis != nil && (*i.TimeoutInMillis < 50 || *i.TimeoutInMillis > 30000):
		return badRequest("Timeout should be between 50 ms and 30000 ms")
	}
	if i.ConnectionType == "" {
		i.ConnectionType = types.ConnectionTypeInternet
	}
	if i.TimeoutInMillis == nil {
		i.TimeoutInMillis = aws.Int32(30000)
	}
	switch i.IntegrationType {
	case types.IntegrationTypeAwsProxy:
		if _, ok := executeapi.FunctionARN(uri); !ok && !strings.Contains(uri, "${stageVariables.") {
			return badRequest("Invalid function ARN or invalid uri")
		}
		if v := aws.ToString(i.PayloadFormatVersion); v != "1.0" && v != "2.0" {
			return badRequest("PayloadFormatVersion is a required parameter")
		}
		if i.IntegrationMethod == nil {
			i.IntegrationMethod = aws.String("POST")
		}
	case types.IntegrationTypeHttpProxy:
		u, err := url.Parse(strings.NewReplacer("{", "", "}", "", "+", "").Replace(uri))
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return badRequest("Invalid HTTP endpoint specified for URI")
		}
		if i.IntegrationMethod == nil {
			return badRequest("HttpMethod must be specified for HTTP_PROXY integrations")
		}
		if i.PayloadFormatVersion == nil {
			i.PayloadFormatVersion = aws.String("1.0")
		}
	default:
		return badRequest("integrations of the type %s are not supported for HTTP APIs; AWS_PROXY and HTTP_PROXY are", i.IntegrationType)
	}
	return nil
}

// CreateIntegration makes an integration.
func (s *Service) CreateIntegration(ctx context.Context, in *apigw.CreateIntegrationInput) (*apigw.CreateIntegrationOutput, error) {
	i := types.Integration{}
	executeapi.Fill(&i, in)
	_, err := s.change(ctx, in.ApiId, func(a *api) error {
		if err := checkIntegration(&i); err != nil {
			return err
		}
		i.IntegrationId = aws.String(executeapi.NewID(7))
		a.Integrations[*i.IntegrationId] = i
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &apigw.CreateIntegrationOutput{}
	executeapi.Fill(out, &i)
	return out, nil
}

// GetIntegration gives an integration.
func (s *Service) GetIntegration(ctx context.Context, in *apigw.GetIntegrationInput) (*apigw.GetIntegrationOutput, error) {
	a, err := s.apis.Find(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	i, err := executeapi.Part(a.Integrations, "Integration", in.IntegrationId)
	out := &apigw.GetIntegrationOutput{}
	executeapi.Fill(out, &i)
	return out, err
}

// GetIntegrations lists the integrations of an API.
func (s *Service) GetIntegrations(ctx context.Context, in *apigw.GetIntegrationsInput) (*apigw.GetIntegrationsOutput, error) {
	a, err := s.apis.Find(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	items, next, err := page(a.Integrations, in.NextToken, in.MaxResults)
	return &apigw.GetIntegrationsOutput{Items: items, NextToken: next}, err
}

// UpdateIntegration changes an integration.
func (s *Service) UpdateIntegration(ctx context.Context, in *apigw.UpdateIntegrationInput) (*apigw.UpdateIntegrationOutput, error) {
	out := &apigw.UpdateIntegrationOutput{}
	_, err := s.change(ctx, in.ApiId, func(a *api) error {
		i, err := executeapi.Part(a.Integrations, "Integration", in.IntegrationId)
		if err != nil {
			return err
		}
		executeapi.Fill(&i, in)
		if err := checkIntegration(&i); err != nil {
			return err
		}
		a.Integrations[*i.IntegrationId] = i
		executeapi.Fill(out, &i)
		return nil
	})
	return out, err
}

// DeleteIntegration deletes an integration that no route uses.
func (s *Service) DeleteIntegration(ctx context.Context, in *apigw.DeleteIntegrationInput) (*apigw.DeleteIntegrationOutput, error) {
	_, err := s.change(ctx, in.ApiId, func(a *api) error {
		if _, err := executeapi.Part(a.Integrations, "Integration", in.IntegrationId); err != nil {
			return err
		}
		for _, r := range a.Routes {
			if aws.ToString(r.Target) == "integrations/"+*in.IntegrationId {
				return conflict("Cannot delete Integration '%s' because it is referenced by route '%s'", *in.IntegrationId, *r.RouteKey)
			}
		}
		delete(a.Integrations, *in.IntegrationId)
		return nil
	})
	return &apigw.DeleteIntegrationOutput{}, err
}
