package resource

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
)

// restAsked makes a reader of a call whose answer has the names of the
// properties, but for those that more gives.
func restAsked[In, Out any](call func(*apigateway.Client, context.Context, *In, ...func(*apigateway.Options)) (*Out, error),
	in func(r *Request, api *string) *In, more func(r *Request, out *Out) map[string]any) reader {
	return func(ctx context.Context, r *Request) ([]any, error) {
		out, err := call(restClient(r), ctx, in(r, aws.String(r.Text("RestApiId"))))
		if err != nil {
			return nil, err
		}
		own := map[string]any{}
		if more != nil {
			own = more(r, out)
		}
		own["RestApiId"] = r.Text("RestApiId")
		return []any{own, out}, nil
	}
}

// restReaders are the readers of API Gateway's REST APIs.
func restReaders() map[string]reader {
	return map[string]reader{
		"AWS::ApiGateway::RestApi": restAsked((*apigateway.Client).GetRestApi, func(r *Request, _ *string) *apigateway.GetRestApiInput {
			return &apigateway.GetRestApiInput{RestApiId: &r.Physical}
		}, func(_ *Request, out *apigateway.GetRestApiOutput) map[string]any {
			return map[string]any{"ApiKeySourceType": out.ApiKeySource}
		}),
		"AWS::ApiGateway::Resource": restAsked((*apigateway.Client).GetResource, func(r *Request, api *string) *apigateway.GetResourceInput {
			return &apigateway.GetResourceInput{RestApiId: api, ResourceId: &r.Physical}
		}, nil),
		"AWS::ApiGateway::Method": restAsked((*apigateway.Client).GetMethod, func(r *Request, api *string) *apigateway.GetMethodInput {
			return &apigateway.GetMethodInput{RestApiId: api, ResourceId: aws.String(r.Text("ResourceId")), HttpMethod: aws.String(r.Text("HttpMethod"))}
		}, methodAsWritten),
		"AWS::ApiGateway::Deployment": restAsked((*apigateway.Client).GetDeployment, func(r *Request, api *string) *apigateway.GetDeploymentInput {
			return &apigateway.GetDeploymentInput{RestApiId: api, DeploymentId: &r.Physical}
		}, nil),
		"AWS::ApiGateway::Stage": restAsked((*apigateway.Client).GetStage, func(r *Request, api *string) *apigateway.GetStageInput {
			return &apigateway.GetStageInput{RestApiId: api, StageName: &r.Physical}
		}, stageAsWritten),
		"AWS::ApiGateway::Authorizer": restAsked((*apigateway.Client).GetAuthorizer, func(r *Request, api *string) *apigateway.GetAuthorizerInput {
			return &apigateway.GetAuthorizerInput{RestApiId: api, AuthorizerId: &r.Physical}
		}, nil),
		"AWS::ApiGateway::GatewayResponse": restAsked((*apigateway.Client).GetGatewayResponse, func(r *Request, api *string) *apigateway.GetGatewayResponseInput {
			return &apigateway.GetGatewayResponseInput{RestApiId: api, ResponseType: types.GatewayResponseType(r.Text("ResponseType"))}
		}, nil),
		"AWS::ApiGateway::Account": restAsked((*apigateway.Client).GetAccount, func(*Request, *string) *apigateway.GetAccountInput { return &apigateway.GetAccountInput{} }, nil),
	}
}

// methodAsWritten is what a template says otherwise than the API does.
func methodAsWritten(r *Request, m *apigateway.GetMethodOutput) map[string]any {
	own := map[string]any{"MethodResponses": inOrder(list(r.Properties["MethodResponses"]), m.MethodResponses)}
	i := m.MethodIntegration
	if i == nil {
		return own
	}
	said := object(r.Properties["Integration"])
	own["Integration"] = map[string]any{
		"Type": i.Type, "Uri": i.Uri, "IntegrationHttpMethod": i.HttpMethod, "Credentials": i.Credentials, "ConnectionType": i.ConnectionType,
		"ContentHandling": i.ContentHandling, "PassthroughBehavior": i.PassthroughBehavior, "RequestParameters": i.RequestParameters,
		"RequestTemplates": i.RequestTemplates, "TimeoutInMillis": i.TimeoutInMillis,
		"IntegrationResponses": inOrder(list(said["IntegrationResponses"]), i.IntegrationResponses),
	}
	return own
}

// inOrder are responses in the order in which the template has their status
// codes, and then those that it has not.
func inOrder[T any](wanted []any, have map[string]T) []any {
	out, rest := []any{}, maps.Clone(have)
	for _, one := range wanted {
		status := text(object(one)["StatusCode"])
		if v, ok := rest[status]; ok {
			out = append(out, v)
			delete(rest, status)
		}
	}
	for _, status := range slices.Sorted(maps.Keys(rest)) {
		out = append(out, rest[status])
	}
	return out
}

// stageAsWritten is what a template says otherwise than the API does.
func stageAsWritten(r *Request, st *apigateway.GetStageOutput) map[string]any {
	settings := []any{}
	for _, one := range list(r.Properties["MethodSettings"]) {
		m := object(one)
		// The API has the path and the method in one key, without the first slash.
		key := strings.TrimPrefix(slices.Collect(maps.Keys(methodSettings(map[string]any{"MethodSettings": []any{m}})))[0], "/")
		if s, ok := st.MethodSettings[key]; ok {
			settings = append(settings, map[string]any{
				"ResourcePath": m["ResourcePath"], "HttpMethod": m["HttpMethod"], "MetricsEnabled": s.MetricsEnabled, "LoggingLevel": s.LoggingLevel,
				"DataTraceEnabled": s.DataTraceEnabled, "ThrottlingBurstLimit": s.ThrottlingBurstLimit, "ThrottlingRateLimit": s.ThrottlingRateLimit,
				"CachingEnabled": s.CachingEnabled, "CacheTtlInSeconds": s.CacheTtlInSeconds, "CacheDataEncrypted": s.CacheDataEncrypted,
			})
		}
	}
	return map[string]any{"MethodSettings": settings, "AccessLogSetting": st.AccessLogSettings}
}

// restFinders find them for an import. The account's settings have no identity
// of their own.
func restFinders() map[string]finder {
	finders := map[string]finder{}
	for name, read := range restReaders() {
		if name == "AWS::ApiGateway::Account" {
			continue
		}
		finders[name] = func(ctx context.Context, cfg aws.Config, id string) (string, error) {
			names, physical := Identifier(name), id
			if name == "AWS::ApiGateway::GatewayResponse" {
				names = []string{"RestApiId", "ResponseType"}
			}
			r := &Request{Clients: &Clients{Config: cfg}, Properties: map[string]any{}}
			parts := strings.Split(id, "|")
			if len(parts) != len(names) {
				return "", errAbsent
			}
			for i, part := range parts {
				r.Properties[names[i]] = part
				if len(parts) == 2 && names[i] != "RestApiId" && names[i] != "ResponseType" {
					physical = part
				}
			}
			r.Physical = physical
			_, err := read(ctx, r)
			return physical, err
		}
	}
	return finders
}
