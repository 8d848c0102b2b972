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

func restDeploymentKind() *Kind {
	return &Kind{
		Type: "AWS::ApiGateway::Deployment", Replace: []string{"DeploymentCanarySettings", "RestApiId"}, Untagged: true,
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &apigateway.CreateDeploymentInput{}
			if err := Bind(r.Properties, in, "StageDescription"); err != nil {
				return Result{}, err
			}
			if said := object(r.Properties["StageDescription"]); said != nil {
				if err := Bind(only(said, "Variables", "CacheClusterEnabled", "CacheClusterSize", "TracingEnabled"), in); err != nil {
					return Result{}, err
				}
				if d := text(said["Description"]); d != "" {
					in.StageDescription = &d
				}
			}
			out, err := restClient(r).CreateDeployment(ctx, in)
			if err != nil {
				return Result{}, err
			}
			return restID(*out.Id, "DeploymentId"), nil
		},
		Update: func(ctx context.Context, r *Request) (Result, error) {
			ops := patches(r.Former, r.Properties, map[string]string{"Description": "/description"})
			_, err := restClient(r).UpdateDeployment(ctx, &apigateway.UpdateDeploymentInput{RestApiId: aws.String(r.Text("RestApiId")), DeploymentId: &r.Physical, PatchOperations: ops})
			return restID(r.Physical, "DeploymentId"), err
		},
		Delete: deleteRestDeployment,
	}
}

// deleteRestDeployment deletes a deployment, and the stage that was made along
// with it if that still serves it.
func deleteRestDeployment(ctx context.Context, r *Request) error {
	client, api := restClient(r), aws.String(r.Text("RestApiId"))
	if name := r.Text("StageName"); name != "" {
		st, err := client.GetStage(ctx, &apigateway.GetStageInput{RestApiId: api, StageName: &name})
		if gone(err) != nil {
			return err
		}
		if err == nil && aws.ToString(st.DeploymentId) == r.Physical {
			if _, err := client.DeleteStage(ctx, &apigateway.DeleteStageInput{RestApiId: api, StageName: &name}); gone(err) != nil {
				return err
			}
		}
	}
	_, err := client.DeleteDeployment(ctx, &apigateway.DeleteDeploymentInput{RestApiId: api, DeploymentId: &r.Physical})
	return gone(err)
}

// stageElsewhere are the properties of a stage that only updates can set.
var stageElsewhere = []string{"Tags", "AccessLogSetting", "MethodSettings"}

func restStageKind() *Kind {
	result := func(r *Request) Result { return Result{Physical: r.Text("StageName")} }
	return &Kind{
		Type: "AWS::ApiGateway::Stage", Replace: []string{"RestApiId", "StageName"},
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &apigateway.CreateStageInput{Tags: r.allTags()}
			if err := Bind(r.Properties, in, stageElsewhere...); err != nil {
				return Result{}, err
			}
			if _, err := restClient(r).CreateStage(ctx, in); err != nil && !(r.Retry && strings.Contains(code(err), "Conflict")) {
				return Result{}, err
			}
			r.Physical = r.Text("StageName")
			return result(r), patchRestStage(ctx, r, stagePatches(nil, only(r.Properties, stageElsewhere...)))
		},
		Update: func(ctx context.Context, r *Request) (Result, error) {
			if err := Bind(r.Properties, &apigateway.CreateStageInput{}, stageElsewhere...); err != nil {
				return Result{}, err // which names what is not supported
			}
			arn := restARN(&Request{Partition: r.Partition, Region: r.Region, Physical: r.Text("RestApiId") + "/stages/" + r.Physical})
			set, drop := r.tagChanges()
			if len(drop) > 0 {
				if _, err := restClient(r).UntagResource(ctx, &apigateway.UntagResourceInput{ResourceArn: &arn, TagKeys: drop}); err != nil {
					return Result{}, err
				}
			}
			if len(set) > 0 {
				if _, err := restClient(r).TagResource(ctx, &apigateway.TagResourceInput{ResourceArn: &arn, Tags: set}); err != nil {
					return Result{}, err
				}
			}
			return result(r), patchRestStage(ctx, r, stagePatches(r.Former, r.Properties))
		},
		Delete: func(ctx context.Context, r *Request) error {
			_, err := restClient(r).DeleteStage(ctx, &apigateway.DeleteStageInput{RestApiId: aws.String(r.Text("RestApiId")), StageName: &r.Physical})
			return gone(err)
		},
	}
}

func patchRestStage(ctx context.Context, r *Request, ops []types.PatchOperation) error {
	if len(ops) == 0 {
		return nil
	}
	_, err := restClient(r).UpdateStage(ctx, &apigateway.UpdateStageInput{RestApiId: aws.String(r.Text("RestApiId")), StageName: &r.Physical, PatchOperations: ops})
	return err
}

// stagePatches are what brings a stage from what it was to what it is.
func stagePatches(was, is map[string]any) []types.PatchOperation {
	ops := patches(was, is, map[string]string{"DeploymentId": "/deploymentId", "Description": "/description", "DocumentationVersion": "/documentationVersion",
		"TracingEnabled": "/tracingEnabled", "CacheClusterEnabled": "/cacheClusterEnabled", "CacheClusterSize": "/cacheClusterSize"})
	ops = append(ops, patches(object(was["AccessLogSetting"]), object(is["AccessLogSetting"]),
		map[string]string{"DestinationArn": "/accessLogSettings/destinationArn", "Format": "/accessLogSettings/format"})...)
	before, after := object(was["Variables"]), object(is["Variables"])
	paths := map[string]string{}
	for _, all := range []map[string]any{before, after} {
		for name := range all {
			paths[name] = "/variables/" + escaped(name)
		}
	}
	ops = append(ops, patches(before, after, paths)...)
	old, now := methodSettings(was), methodSettings(is)
	for _, key := range slices.Sorted(maps.Keys(old)) {
		if now[key] == nil {
			ops = append(ops, types.PatchOperation{Op: types.OpRemove, Path: &key})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(now)) {
		paths := map[string]string{}
		for name, path := range settingPaths {
			paths[name] = key + path
		}
		for _, op := range patches(old[key], now[key], paths) {
			if op.Op == types.OpReplace { // a setting that is not said any more stays: there is no operation for that
				ops = append(ops, op)
			}
		}
	}
	return ops
}

// settingPaths are where the settings of a method stand.
var settingPaths = map[string]string{
	"MetricsEnabled": "/metrics/enabled", "LoggingLevel": "/logging/loglevel", "DataTraceEnabled": "/logging/dataTrace",
	"ThrottlingBurstLimit": "/throttling/burstLimit", "ThrottlingRateLimit": "/throttling/rateLimit",
	"CachingEnabled": "/caching/enabled", "CacheTtlInSeconds": "/caching/ttlInSeconds", "CacheDataEncrypted": "/caching/dataEncrypted",
}

// methodSettings are a stage's, by the path of their resource and method.
func methodSettings(properties map[string]any) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, one := range list(properties["MethodSettings"]) {
		m := object(one)
		path := text(m["ResourcePath"])
		if path == "" {
			path = "/*"
		}
		out[path+"/"+text(m["HttpMethod"])] = m
	}
	return out
}

func restAuthorizerKind() *Kind {
	return &Kind{
		Type: "AWS::ApiGateway::Authorizer", Replace: []string{"RestApiId"}, Untagged: true,
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &apigateway.CreateAuthorizerInput{}
			if err := Bind(r.Properties, in); err != nil {
				return Result{}, err
			}
			out, err := restClient(r).CreateAuthorizer(ctx, in)
			if err != nil {
				return Result{}, err
			}
			return restID(*out.Id, "AuthorizerId"), nil
		},
		Update: func(ctx context.Context, r *Request) (Result, error) {
			ops := patches(r.Former, r.Properties, map[string]string{"Name": "/name", "Type": "/type", "AuthType": "/authType", "AuthorizerUri": "/authorizerUri",
				"AuthorizerCredentials": "/authorizerCredentials", "IdentitySource": "/identitySource",
				"IdentityValidationExpression": "/identityValidationExpression", "AuthorizerResultTtlInSeconds": "/authorizerResultTtlInSeconds"})
			_, err := restClient(r).UpdateAuthorizer(ctx, &apigateway.UpdateAuthorizerInput{RestApiId: aws.String(r.Text("RestApiId")), AuthorizerId: &r.Physical, PatchOperations: ops})
			return restID(r.Physical, "AuthorizerId"), err
		},
		Delete: func(ctx context.Context, r *Request) error {
			_, err := restClient(r).DeleteAuthorizer(ctx, &apigateway.DeleteAuthorizerInput{RestApiId: aws.String(r.Text("RestApiId")), AuthorizerId: &r.Physical})
			return gone(err)
		},
	}
}

func gatewayResponseKind() *Kind {
	put := func(ctx context.Context, r *Request) (Result, error) {
		in := &apigateway.PutGatewayResponseInput{}
		if err := Bind(r.Properties, in); err != nil {
			return Result{}, err
		}
		_, err := restClient(r).PutGatewayResponse(ctx, in)
		return restID(r.Text("RestApiId")+"|"+r.Text("ResponseType"), "Id"), err
	}
	return &Kind{
		Type: "AWS::ApiGateway::GatewayResponse", Replace: []string{"RestApiId", "ResponseType"}, Untagged: true, Create: put, Update: put,
		Delete: func(ctx context.Context, r *Request) error {
			_, err := restClient(r).DeleteGatewayResponse(ctx, &apigateway.DeleteGatewayResponseInput{
				RestApiId: aws.String(r.Text("RestApiId")), ResponseType: types.GatewayResponseType(r.Text("ResponseType"))})
			return gone(err)
		},
	}
}

// restAccountKind is the kind of the account's settings, which stay when the
// resource goes.
func restAccountKind() *Kind {
	set := func(ctx context.Context, r *Request) (Result, error) {
		op := types.PatchOperation{Op: types.OpReplace, Path: aws.String("/cloudwatchRoleArn"), Value: aws.String(r.Text("CloudWatchRoleArn"))}
		_, err := restClient(r).UpdateAccount(ctx, &apigateway.UpdateAccountInput{PatchOperations: []types.PatchOperation{op}})
		return restID(r.StackName+"-"+r.LogicalID, "Id"), err
	}
	return &Kind{Type: "AWS::ApiGateway::Account", Untagged: true, Create: set, Update: set, Delete: func(context.Context, *Request) error { return nil }}
}
