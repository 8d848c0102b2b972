package apigatewayv2

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	apigw "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"ouro/cloud/executeapi"
)

// CreateApi makes an API; with a target also a route to it, and a stage.
func (s *Service) CreateApi(ctx context.Context, in *apigw.CreateApiInput) (*apigw.CreateApiOutput, error) {
	switch {
	case in.ProtocolType == types.ProtocolTypeWebsocket:
		return nil, badRequest("WebSocket APIs are not supported by the local cloud")
	case in.ProtocolType != types.ProtocolTypeHttp:
		return nil, badRequest("Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]")
	case aws.ToString(in.Name) == "":
		return nil, badRequest("Name is required")
	case in.RouteKey != nil && in.Target == nil, in.CredentialsArn != nil && in.Target == nil:
		return nil, badRequest("A target is required for quick create")
	}
	if err := checkCors(in.CorsConfiguration); err != nil {
		return nil, err
	}
	a := api{}
	executeapi.Fill(&a.Api, in)
	a.Cors = in.CorsConfiguration
	a.fillIn()
	if in.Target != nil {
		if err := s.quick(&a, in); err != nil {
			return nil, err
		}
	}
	if err := s.add(ctx, &a); err != nil {
		return nil, err
	}
	out := &apigw.CreateApiOutput{}
	executeapi.Fill(out, &a.Api)
	return out, nil
}

// add keeps a new API, under an id that no other has.
func (s *Service) add(ctx context.Context, a *api) error {
	if err := executeapi.CheckTags(a.Tags); err != nil {
		return err
	}
	a.CreatedDate = aws.Time(s.host.Now())
	if a.RouteSelectionExpression == nil {
		a.RouteSelectionExpression = aws.String("$request.method $request.path")
	}
	if a.ApiKeySelectionExpression == nil {
		a.ApiKeySelectionExpression = aws.String("$request.header.x-api-key")
	}
	a.DisableExecuteApiEndpoint = aws.Bool(aws.ToBool(a.DisableExecuteApiEndpoint))
	a.IpAddressType = types.IpAddressTypeIpv4
	executeapi.Make(&a.Tags)
	s.autoDeploy(a)
	return s.apis.Add(ctx, a, func(id string) { a.ApiId, a.ApiEndpoint = &id, aws.String(executeapi.URL(s.host, id)) })
}

// quick gives an API the route, integration and stage of a quick create.
func (s *Service) quick(a *api, in *apigw.CreateApiInput) error {
	i := types.Integration{
		IntegrationType: types.IntegrationTypeHttpProxy, IntegrationMethod: aws.String("ANY"), PayloadFormatVersion: aws.String("1.0"),
		IntegrationUri: in.Target, CredentialsArn: in.CredentialsArn, ApiGatewayManaged: aws.Bool(true),
	}
	if strings.HasPrefix(*in.Target, "arn:") {
		i.IntegrationType, i.IntegrationMethod, i.PayloadFormatVersion = types.IntegrationTypeAwsProxy, aws.String("POST"), aws.String("2.0")
	}
	if err := checkIntegration(&i); err != nil {
		return err
	}
	i.IntegrationId = aws.String(executeapi.NewID(7))
	r := types.Route{RouteKey: in.RouteKey, Target: aws.String("integrations/" + *i.IntegrationId), ApiGatewayManaged: aws.Bool(true)}
	if r.RouteKey == nil {
		r.RouteKey = aws.String(defaultKey)
	}
	a.Integrations[*i.IntegrationId] = i
	if err := checkRoute(a, &r); err != nil {
		return err
	}
	r.RouteId = aws.String(executeapi.NewID(7))
	a.Routes[*r.RouteId] = r
	now := s.host.Now()
	a.Stages[defaultStage] = types.Stage{StageName: aws.String(defaultStage), AutoDeploy: aws.Bool(true), ApiGatewayManaged: aws.Bool(true),
		CreatedDate: &now, LastUpdatedDate: &now, DefaultRouteSettings: &types.RouteSettings{DetailedMetricsEnabled: aws.Bool(false)}}
	return nil
}

// GetApi tells all about an API itself.
func (s *Service) GetApi(ctx context.Context, in *apigw.GetApiInput) (*apigw.GetApiOutput, error) {
	a, err := s.apis.Find(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	out := &apigw.GetApiOutput{}
	executeapi.Fill(out, &a.Api)
	return out, nil
}

// GetApis lists the APIs of the account and region.
func (s *Service) GetApis(ctx context.Context, in *apigw.GetApisInput) (*apigw.GetApisOutput, error) {
	apis, err := s.apis.All(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]types.Api{}
	for id, a := range apis {
		all[id] = a.Api
	}
	items, next, err := page(all, in.NextToken, in.MaxResults)
	return &apigw.GetApisOutput{Items: items, NextToken: next}, err
}

// UpdateApi changes an API itself.
func (s *Service) UpdateApi(ctx context.Context, in *apigw.UpdateApiInput) (*apigw.UpdateApiOutput, error) {
	if err := checkCors(in.CorsConfiguration); err != nil {
		return nil, err
	}
	a, err := s.change(ctx, in.ApiId, func(a *api) error {
		if in.Target != nil || in.RouteKey != nil || in.CredentialsArn != nil {
			return badRequest("changing what a quick create made is not supported by the local cloud; update its integration and its route")
		}
		executeapi.Fill(&a.Api, in)
		if in.CorsConfiguration != nil {
			a.Cors = in.CorsConfiguration
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &apigw.UpdateApiOutput{}
	executeapi.Fill(out, &a.Api)
	return out, nil
}

// DeleteApi deletes an API with all that belongs to it.
func (s *Service) DeleteApi(ctx context.Context, in *apigw.DeleteApiInput) (*apigw.DeleteApiOutput, error) {
	return &apigw.DeleteApiOutput{}, s.apis.Remove(ctx, in.ApiId)
}

// DeleteCorsConfiguration leaves CORS to the integrations.
func (s *Service) DeleteCorsConfiguration(ctx context.Context, in *apigw.DeleteCorsConfigurationInput) (*apigw.DeleteCorsConfigurationOutput, error) {
	_, err := s.change(ctx, in.ApiId, func(a *api) error {
		a.CorsConfiguration, a.Cors = nil, nil
		return nil
	})
	return &apigw.DeleteCorsConfigurationOutput{}, err
}
