package apigatewayv2

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	apigw "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"ouro/cloud/door"
	"ouro/cloud/executeapi"
	"ouro/cloud/store"
)

const service = "apigatewayv2" // in the directory of APIs

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
	c := door.CallerFrom(ctx)
	a.CreatedDate = aws.Time(s.host.Now())
	if a.RouteSelectionExpression == nil {
		a.RouteSelectionExpression = aws.String("$request.method $request.path")
	}
	if a.ApiKeySelectionExpression == nil {
		a.ApiKeySelectionExpression = aws.String("$request.header.x-api-key")
	}
	a.DisableExecuteApiEndpoint = aws.Bool(aws.ToBool(a.DisableExecuteApiEndpoint))
	a.IpAddressType = types.IpAddressTypeIpv4
	if a.Tags == nil {
		a.Tags = map[string]string{}
	}
	s.autoDeploy(a)
	for {
		id := executeapi.NewID(10)
		a.ApiId, a.ApiEndpoint = &id, aws.String(executeapi.URL(s.host, id))
		err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
			if err := s.directory.Add(ctx, executeapi.Place{Scope: c.Scope(), API: id, Service: service}); err != nil {
				return err
			}
			return s.apis.Insert(ctx, c.Scope(), id, *a)
		})
		if !errors.Is(err, store.ErrExists) {
			return err
		}
	}
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
	a, err := s.find(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	out := &apigw.GetApiOutput{}
	executeapi.Fill(out, &a.Api)
	return out, nil
}

// GetApis lists the APIs of the account and region.
func (s *Service) GetApis(ctx context.Context, in *apigw.GetApisInput) (*apigw.GetApisOutput, error) {
	entries, err := s.apis.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, err
	}
	all := map[string]types.Api{}
	for _, e := range entries {
		all[e.ID] = e.Value.Api
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
	c := door.CallerFrom(ctx)
	err := s.host.Store().Decided(ctx, func(ctx context.Context) error {
		if _, err := s.find(ctx, in.ApiId); err != nil {
			return err
		}
		if err := s.directory.Remove(ctx, *in.ApiId); err != nil {
			return err
		}
		return s.apis.Delete(ctx, c.Scope(), *in.ApiId)
	})
	return &apigw.DeleteApiOutput{}, err
}

// DeleteCorsConfiguration leaves CORS to the integrations.
func (s *Service) DeleteCorsConfiguration(ctx context.Context, in *apigw.DeleteCorsConfigurationInput) (*apigw.DeleteCorsConfigurationOutput, error) {
	_, err := s.change(ctx, in.ApiId, func(a *api) error {
		a.CorsConfiguration, a.Cors = nil, nil
		return nil
	})
	return &apigw.DeleteCorsConfigurationOutput{}, err
}

// tagged finds what an ARN means: arn:aws:apigateway:REGION::/apis/API, or with
// /stages/NAME behind it.
func tagged(arn *string) (id, stage string, err error) {
	_, path, ok := strings.Cut(aws.ToString(arn), "::/")
	parts := strings.Split(path, "/")
	switch {
	case ok && len(parts) == 2 && parts[0] == "apis":
		return parts[1], "", nil
	case ok && len(parts) == 4 && parts[0] == "apis" && parts[2] == "stages":
		return parts[1], parts[3], nil
	}
	return "", "", badRequest("Invalid ARN specified in the request: %s", aws.ToString(arn))
}

// changeTags changes the tags of an API or a stage.
func (s *Service) changeTags(ctx context.Context, arn *string, f func(map[string]string)) error {
	id, stage, err := tagged(arn)
	if err != nil {
		return err
	}
	_, err = s.change(ctx, &id, func(a *api) error {
		if stage == "" {
			a.Tags = clone(a.Tags)
			f(a.Tags)
			return nil
		}
		st, err := part(a.Stages, "stage", &stage)
		if err != nil {
			return err
		}
		st.Tags = clone(st.Tags)
		f(st.Tags)
		a.Stages[stage] = st
		return nil
	})
	return err
}

func clone(tags map[string]string) map[string]string {
	if tags == nil {
		return map[string]string{}
	}
	return maps.Clone(tags)
}

// TagResource sets tags of an API or a stage.
func (s *Service) TagResource(ctx context.Context, in *apigw.TagResourceInput) (*apigw.TagResourceOutput, error) {
	return &apigw.TagResourceOutput{}, s.changeTags(ctx, in.ResourceArn, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

// UntagResource takes tags of an API or a stage away.
func (s *Service) UntagResource(ctx context.Context, in *apigw.UntagResourceInput) (*apigw.UntagResourceOutput, error) {
	return &apigw.UntagResourceOutput{}, s.changeTags(ctx, in.ResourceArn, func(tags map[string]string) {
		for _, k := range in.TagKeys {
			delete(tags, k)
		}
	})
}

// GetTags gives the tags of an API or a stage.
func (s *Service) GetTags(ctx context.Context, in *apigw.GetTagsInput) (*apigw.GetTagsOutput, error) {
	id, stage, err := tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	a, err := s.find(ctx, &id)
	if err != nil || stage == "" {
		return &apigw.GetTagsOutput{Tags: a.Tags}, err
	}
	st, err := part(a.Stages, "stage", &stage)
	return &apigw.GetTagsOutput{Tags: clone(st.Tags)}, err
}
