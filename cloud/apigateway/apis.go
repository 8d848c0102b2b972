package apigateway

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	apigw "github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"ouro/cloud/executeapi"
)

// CreateRestApi makes an API.
func (s *Service) CreateRestApi(ctx context.Context, in *apigw.CreateRestApiInput) (*apigw.CreateRestApiOutput, error) {
	a := api{}
	if in.CloneFrom != nil {
		from, err := s.apis.Find(ctx, in.CloneFrom)
		if err != nil {
			return nil, err
		}
		a.config, a.RootResourceId = from.config, from.RootResourceId
	}
	a.fillIn()
	executeapi.Fill(&a.RestApi, in)
	if err := s.add(ctx, &a); err != nil {
		return nil, err
	}
	return told[apigw.CreateRestApiOutput](&a.RestApi, nil)
}

// check holds an API against the rules, and fills in what it does not say.
func (a *api) check() error {
	if err := executeapi.CheckTags(a.Tags); err != nil {
		return err
	}
	if aws.ToString(a.Name) == "" {
		return badRequest("Name cannot be empty")
	}
	if n := aws.ToInt32(a.MinimumCompressionSize); n < 0 || n > 10485760 {
		return badRequest("Invalid minimum compression size, must be between 0 and 10485760")
	}
	if a.ApiKeySource == "" {
		a.ApiKeySource = types.ApiKeySourceTypeHeader
	}
	if e := a.EndpointConfiguration; e == nil || len(e.Types) == 0 {
		a.EndpointConfiguration = &types.EndpointConfiguration{Types: []types.EndpointType{types.EndpointTypeEdge}}
	}
	for _, t := range a.EndpointConfiguration.Types {
		if !slices.Contains(t.Values(), t) {
			return badRequest("Invalid EndpointTypes specified. Valid options are EDGE,REGIONAL,PRIVATE")
		}
	}
	if a.EndpointConfiguration.IpAddressType == "" {
		a.EndpointConfiguration.IpAddressType = types.IpAddressTypeIpv4
	}
	a.Binary = a.BinaryMediaTypes
	return nil
}

// root gives an API its root resource, if it has none.
func (a *api) root() {
	if a.RootResourceId == nil {
		a.RootResourceId = aws.String(executeapi.NewID(10))
		a.Resources[*a.RootResourceId] = types.Resource{Id: a.RootResourceId, Path: aws.String("/")}
	}
}

// add keeps a new API, under an id that no other has.
func (s *Service) add(ctx context.Context, a *api) error {
	if err := a.check(); err != nil {
		return err
	}
	a.root()
	a.CreatedDate, a.ApiStatus = aws.Time(s.host.Now()), types.ApiStatusAvailable
	return s.apis.Add(ctx, a, func(id string) { a.Id = &id })
}

// GetRestApi tells all about an API itself.
func (s *Service) GetRestApi(ctx context.Context, in *apigw.GetRestApiInput) (*apigw.GetRestApiOutput, error) {
	a, err := s.apis.Find(ctx, in.RestApiId)
	return told[apigw.GetRestApiOutput](&a.RestApi, err)
}

// GetRestApis lists the APIs of the account and region.
func (s *Service) GetRestApis(ctx context.Context, in *apigw.GetRestApisInput) (*apigw.GetRestApisOutput, error) {
	apis, err := s.apis.All(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]types.RestApi{}
	for id, a := range apis {
		all[id] = a.RestApi
	}
	items, next := page(all, in.Position, in.Limit)
	return &apigw.GetRestApisOutput{Items: items, Position: next}, nil
}

// UpdateRestApi changes an API itself.
func (s *Service) UpdateRestApi(ctx context.Context, in *apigw.UpdateRestApiInput) (*apigw.UpdateRestApiOutput, error) {
	a, err := s.change(ctx, in.RestApiId, func(a *api) error {
		if err := patch(&a.RestApi, in.PatchOperations, "name", "description", "policy", "apiKeySource", "binaryMediaTypes",
			"minimumCompressionSize", "disableExecuteApiEndpoint", "endpointConfiguration", "securityPolicy", "endpointAccessMode", "version"); err != nil {
			return err
		}
		return a.check()
	})
	return told[apigw.UpdateRestApiOutput](&a.RestApi, err)
}

// DeleteRestApi deletes an API with all that belongs to it.
func (s *Service) DeleteRestApi(ctx context.Context, in *apigw.DeleteRestApiInput) (*apigw.DeleteRestApiOutput, error) {
	return &apigw.DeleteRestApiOutput{}, s.apis.Remove(ctx, in.RestApiId)
}
