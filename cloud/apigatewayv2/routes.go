package apigatewayv2

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	apigw "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"ouro/cloud/executeapi"
	"ouro/regex"
)

const defaultKey = "$default" // the route for all that no other takes

var routeKey = regex.New(`^(ANY|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT) (/|(/([A-Za-z0-9._~!$&'()*,;=:@%-]+|\{[A-Za-z0-9._-]+\}))*(/\{[A-Za-z0-9._-]+\+\})?/?)$`)

// checkRoute holds a route against its API, and fills in what it does not say.
func checkRoute(a *api, r *types.Route) error {
	key := aws.ToString(r.RouteKey)
	if key != defaultKey && !routeKey().MatchString(key) {
		return badRequest("The provided route key is not formatted properly for HTTP protocol. Format should be \"<HTTP METHOD> /<RESOURCE PATH>\" or \"$default\"")
	}
	for id, other := range a.Routes {
		if *other.RouteKey == key && id != aws.ToString(r.RouteId) {
			return conflict("Route with key %s already exists for this API", key)
		}
	}
	if r.Target != nil {
		if id, ok := strings.CutPrefix(*r.Target, "integrations/"); !ok || a.Integrations[id].IntegrationId == nil {
			return badRequest("Route target must be an integration of the API in the form integrations/<id>, not %s", *r.Target)
		}
	}
	switch r.AuthorizationType {
	case "":
		r.AuthorizationType = types.AuthorizationTypeNone
	case types.AuthorizationTypeNone:
	case types.AuthorizationTypeCustom:
		if _, err := executeapi.Part(a.Authorizers, "authorizer", r.AuthorizerId); err != nil {
			return badRequest("Invalid authorizer specified for the route %s", key)
		}
	case types.AuthorizationTypeAwsIam, types.AuthorizationTypeJwt:
		return badRequest("routes with the authorization type %s are not supported by the local cloud; CUSTOM, with a Lambda authorizer, is", r.AuthorizationType)
	default:
		return badRequest("Invalid authorization type %s", r.AuthorizationType)
	}
	if aws.ToBool(r.ApiKeyRequired) || len(r.RequestModels) > 0 || len(r.RequestParameters) > 0 {
		return badRequest("API keys, models and request parameters are not supported for HTTP APIs")
	}
	r.ApiKeyRequired = aws.Bool(false)
	return nil
}

// CreateRoute makes a route.
func (s *Service) CreateRoute(ctx context.Context, in *apigw.CreateRouteInput) (*apigw.CreateRouteOutput, error) {
	r := types.Route{}
	executeapi.Fill(&r, in)
	_, err := s.change(ctx, in.ApiId, func(a *api) error {
		if err := checkRoute(a, &r); err != nil {
			return err
		}
		r.RouteId = aws.String(executeapi.NewID(7))
		a.Routes[*r.RouteId] = r
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &apigw.CreateRouteOutput{}
	executeapi.Fill(out, &r)
	return out, nil
}

// GetRoute gives a route.
func (s *Service) GetRoute(ctx context.Context, in *apigw.GetRouteInput) (*apigw.GetRouteOutput, error) {
	a, err := s.apis.Find(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	r, err := executeapi.Part(a.Routes, "Route", in.RouteId)
	out := &apigw.GetRouteOutput{}
	executeapi.Fill(out, &r)
	return out, err
}

// GetRoutes lists the routes of an API.
func (s *Service) GetRoutes(ctx context.Context, in *apigw.GetRoutesInput) (*apigw.GetRoutesOutput, error) {
	a, err := s.apis.Find(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	items, next, err := page(a.Routes, in.NextToken, in.MaxResults)
	return &apigw.GetRoutesOutput{Items: items, NextToken: next}, err
}

// UpdateRoute changes a route.
func (s *Service) UpdateRoute(ctx context.Context, in *apigw.UpdateRouteInput) (*apigw.UpdateRouteOutput, error) {
	out := &apigw.UpdateRouteOutput{}
	_, err := s.change(ctx, in.ApiId, func(a *api) error {
		r, err := executeapi.Part(a.Routes, "Route", in.RouteId)
		if err != nil {
			return err
		}
		executeapi.Fill(&r, in)
		if err := checkRoute(a, &r); err != nil {
			return err
		}
		a.Routes[*r.RouteId] = r
		executeapi.Fill(out, &r)
		return nil
	})
	return out, err
}

// DeleteRoute deletes a route.
func (s *Service) DeleteRoute(ctx context.Context, in *apigw.DeleteRouteInput) (*apigw.DeleteRouteOutput, error) {
	_, err := s.change(ctx, in.ApiId, func(a *api) error {
		_, err := executeapi.Part(a.Routes, "Route", in.RouteId)
		delete(a.Routes, aws.ToString(in.RouteId))
		return err
	})
	return &apigw.DeleteRouteOutput{}, err
}
