// Package apigateway is Amazon API Gateway's REST APIs: resources, methods,
// integrations with Lambda functions (AWS_PROXY), HTTP servers (HTTP_PROXY) and
// static answers (MOCK), deployments, stages, Lambda authorizers, gateway
// responses, throttling, access logs, and APIs made from OpenAPI documents. What
// it makes is served: see package executeapi for the addresses.
//
// Refused are integrations with mapping templates (AWS, HTTP), private
// integrations, IAM and Cognito authorization, API keys, request validation,
// caches and canaries. Resource policies are kept and not enforced.
package apigateway

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"ouro/cloud/door"
	"ouro/cloud/executeapi"
	"ouro/cloud/store"
)

// Service is API Gateway's REST APIs.
type Service struct {
	host     door.Host
	apis     executeapi.Records[api]
	accounts store.Table[account]
	throttle executeapi.Throttle
	logs     *executeapi.AccessLog

	mu      sync.Mutex
	granted map[string]grant // what authorizers said, while it counts
}

// New makes the service.
func New(host door.Host) *Service {
	return &Service{
		host: host, apis: executeapi.NewRecords[api](host, "apigateway"), accounts: store.NewTable[account](host.Store(), "apigateway", "account"),
		logs: executeapi.NewAccessLog(host), granted: map[string]grant{},
	}
}

// api is all about an API.
type api struct {
	types.RestApi
	config
	Stages      map[string]types.Stage
	Deployments map[string]deployment
}

// config is what a deployment freezes: what an API does.
type config struct {
	Resources   map[string]types.Resource
	Authorizers map[string]types.Authorizer
	Responses   map[string]types.GatewayResponse // API Gateway's own, by type
	Binary      []string                         // media types
}

// deployment is an API as it was at one time.
type deployment struct {
	types.Deployment
	Config config
}

func notFound(format string, args ...any) error {
	return &types.NotFoundException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func badRequest(format string, args ...any) error {
	return &types.BadRequestException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func conflict(format string, args ...any) error {
	return &types.ConflictException{Message: aws.String(fmt.Sprintf(format, args...))}
}

// change changes an API.
func (s *Service) change(ctx context.Context, id *string, f func(*api) error) (api, error) {
	return s.apis.Change(ctx, id, func(a *api) error {
		a.fillIn()
		return f(a)
	})
}

// fillIn makes the maps that JSON left out.
func (a *api) fillIn() {
	executeapi.Make(&a.Resources)
	executeapi.Make(&a.Authorizers)
	executeapi.Make(&a.Responses)
	executeapi.Make(&a.Stages)
	executeapi.Make(&a.Deployments)
}

// page cuts the members after a position to at most limit of them.
func page[T any](all map[string]T, position *string, limit *int32) (items []T, next *string) {
	most := 25
	if limit != nil {
		most = min(max(int(*limit), 1), 500)
	}
	return executeapi.Page(all, aws.ToString(position), most)
}

// told fills an SDK output from what there is.
func told[Out any](what any, err error) (*Out, error) {
	if err != nil {
		return nil, err
	}
	out := new(Out)
	executeapi.Fill(out, what)
	return out, nil
}
