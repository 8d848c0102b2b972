// Package apigatewayv2 is Amazon API Gateway's HTTP APIs: routes, integrations
// with Lambda functions (payload formats 1.0 and 2.0) and HTTP servers, stages
// that are deployed by hand or by themselves, Lambda authorizers, CORS,
// throttling, access logs, and APIs made from OpenAPI documents. What it makes
// is served: see package executeapi for the addresses.
//
// Refused are WebSocket APIs, JWT and IAM authorization, integrations with
// other services of AWS and with private networks, parameter mapping, custom
// domain names, and exports.
package apigatewayv2

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"ouro/cloud/door"
	"ouro/cloud/executeapi"
)

// Service is API Gateway's HTTP APIs.
type Service struct {
	host     door.Host
	apis     executeapi.Records[api]
	throttle executeapi.Throttle
	logs     *executeapi.AccessLog

	mu      sync.Mutex
	granted map[string]grant // what authorizers said, while it counts
}

// New makes the service.
func New(host door.Host) *Service {
	return &Service{
		host: host, apis: executeapi.NewRecords[api](host, "apigatewayv2"),
		logs: executeapi.NewAccessLog(host), granted: map[string]grant{},
	}
}

// api is all about an API.
type api struct {
	types.Api
	config
	Stages      map[string]types.Stage
	Deployments map[string]deployment
}

// config is what a deployment freezes: what an API does.
type config struct {
	Routes       map[string]types.Route
	Integrations map[string]types.Integration
	Authorizers  map[string]types.Authorizer
	Cors         *types.Cors
}

// deployment is an API as it was at one time.
type deployment struct {
	types.Deployment
	Config config
}

func (c config) clone() config {
	return config{maps.Clone(c.Routes), maps.Clone(c.Integrations), maps.Clone(c.Authorizers), c.Cors}
}

func badRequest(format string, args ...any) error {
	return &types.BadRequestException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func conflict(format string, args ...any) error {
	return &types.ConflictException{Message: aws.String(fmt.Sprintf(format, args...))}
}

// change changes an API, and deploys it to the stages that deploy themselves.
func (s *Service) change(ctx context.Context, id *string, f func(*api) error) (api, error) {
	return s.apis.Change(ctx, id, func(a *api) error {
		a.fillIn()
		if err := f(a); err != nil {
			return err
		}
		s.autoDeploy(a)
		return nil
	})
}

// fillIn makes the maps that JSON left out.
func (a *api) fillIn() {
	executeapi.Make(&a.Routes)
	executeapi.Make(&a.Integrations)
	executeapi.Make(&a.Authorizers)
	executeapi.Make(&a.Stages)
	executeapi.Make(&a.Deployments)
}

// page cuts the members after a token to at most limit of them.
func page[T any](all map[string]T, token, limit *string) (items []T, next *string, err error) {
	most := 100
	if limit != nil {
		if _, err := fmt.Sscan(*limit, &most); err != nil || most < 1 {
			return nil, nil, badRequest("Invalid maxResults: %s", *limit)
		}
	}
	items, next = executeapi.Page(all, aws.ToString(token), most)
	return items, next, nil
}
