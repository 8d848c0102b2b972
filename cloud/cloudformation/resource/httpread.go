package resource

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
)

// asked makes a reader of a call whose answer has the names of the properties.
func asked[In, Out any](call func(*apigatewayv2.Client, context.Context, *In, ...func(*apigatewayv2.Options)) (*Out, error), in func(api, id *string) *In) reader {
	return func(ctx context.Context, r *Request) ([]any, error) {
		out, err := call(Client(r.Clients, apigatewayv2.NewFromConfig), ctx, in(aws.String(r.Text("ApiId")), &r.Physical))
		if err != nil {
			return nil, err
		}
		return []any{map[string]any{"ApiId": r.Text("ApiId")}, out}, nil
	}
}

// httpReaders are the readers of API Gateway's HTTP APIs.
func httpReaders() map[string]reader {
	return map[string]reader{
		"AWS::ApiGatewayV2::Api": asked((*apigatewayv2.Client).GetApi, func(_, id *string) *apigatewayv2.GetApiInput { return &apigatewayv2.GetApiInput{ApiId: id} }),
		"AWS::ApiGatewayV2::Stage": asked((*apigatewayv2.Client).GetStage, func(api, id *string) *apigatewayv2.GetStageInput {
			return &apigatewayv2.GetStageInput{ApiId: api, StageName: id}
		}),
		"AWS::ApiGatewayV2::Route": asked((*apigatewayv2.Client).GetRoute, func(api, id *string) *apigatewayv2.GetRouteInput {
			return &apigatewayv2.GetRouteInput{ApiId: api, RouteId: id}
		}),
		"AWS::ApiGatewayV2::Integration": asked((*apigatewayv2.Client).GetIntegration, func(api, id *string) *apigatewayv2.GetIntegrationInput {
			return &apigatewayv2.GetIntegrationInput{ApiId: api, IntegrationId: id}
		}),
	}
}

// httpFinders find them for an import, by the API's id and their own.
func httpFinders() map[string]finder {
	finders := map[string]finder{}
	for name, read := range httpReaders() {
		finders[name] = func(ctx context.Context, cfg aws.Config, id string) (string, error) {
			api, own, within := strings.Cut(id, "|")
			if !within {
				own = api
			}
			_, err := read(ctx, &Request{Clients: &Clients{Config: cfg}, Physical: own, Properties: map[string]any{"ApiId": api}})
			return own, err
		}
	}
	return finders
}
