package resource

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
)

func httpStageKind() *Kind {
	return &Kind{
		Type: "AWS::ApiGatewayV2::Stage", Replace: []string{"ApiId", "StageName"},
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &apigatewayv2.CreateStageInput{}
			if err := bindStage(r, in); err != nil {
				return Result{}, err
			}
			in.Tags = r.allTags()
			_, err := Client(r.Clients, apigatewayv2.NewFromConfig).CreateStage(ctx, in)
			if err != nil && !(r.Retry && strings.Contains(code(err), "Conflict")) {
				return Result{}, err
			}
			return stageResult(r), nil
		},
		Update: func(ctx context.Context, r *Request) (Result, error) {
			client := Client(r.Clients, apigatewayv2.NewFromConfig)
			in := &apigatewayv2.UpdateStageInput{}
			if err := bindStage(r, in); err != nil {
				return Result{}, err
			}
			Clear(in, r.Former, r.Properties, "Tags", "AccessPolicyId", "AccessLogSettings", "RouteSettings", "AutoDeploy", "DeploymentId")
			if r.Former["AutoDeploy"] != nil && in.AutoDeploy == nil {
				in.AutoDeploy = aws.Bool(false)
			}
			if r.Former["AccessLogSettings"] != nil && in.AccessLogSettings == nil {
				if _, err := client.DeleteAccessLogSettings(ctx, &apigatewayv2.DeleteAccessLogSettingsInput{ApiId: in.ApiId, StageName: in.StageName}); err != nil {
					return Result{}, err
				}
			}
			for key := range object(r.Former["RouteSettings"]) {
				if object(r.Properties["RouteSettings"])[key] != nil {
					continue
				}
				if _, err := client.DeleteRouteSettings(ctx, &apigatewayv2.DeleteRouteSettingsInput{ApiId: in.ApiId, StageName: in.StageName, RouteKey: &key}); err != nil {
					return Result{}, err
				}
			}
			_, err := client.UpdateStage(ctx, in)
			return stageResult(r), err
		},
		Delete: func(ctx context.Context, r *Request) error {
			_, err := Client(r.Clients, apigatewayv2.NewFromConfig).DeleteStage(ctx, &apigatewayv2.DeleteStageInput{
				ApiId: aws.String(r.Text("ApiId")), StageName: &r.Physical})
			return gone(err)
		},
	}
}

func bindStage(r *Request, in any) error {
	return Bind(r.Properties, in, "Tags", "AccessPolicyId")
}

func stageResult(r *Request) Result {
	return Result{Physical: r.Text("StageName"), Attributes: map[string]any{"Id": r.Text("StageName")}}
}
