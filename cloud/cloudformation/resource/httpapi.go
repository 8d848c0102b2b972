package resource

import (
	"context"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// httpAPIKinds are the types of HTTP APIs.
func httpAPIKinds() []*Kind {
	return []*Kind{
		{Type: "AWS::ApiGatewayV2::Api", Replace: []string{"ProtocolType"}, Create: createHTTPAPI, Update: updateHTTPAPI, Delete: deleteHTTPAPI},
		memberOf("Route", "RouteId", nil,
			func(ctx context.Context, c *apigatewayv2.Client, in *apigatewayv2.CreateRouteInput) (*string, error) {
				out, err := c.CreateRoute(ctx, in)
				return idOf(err, func() *string { return out.RouteId }), err
			},
			func(ctx context.Context, c *apigatewayv2.Client, in *apigatewayv2.UpdateRouteInput, id string) error {
				in.RouteId = &id
				if in.AuthorizationType == "" { // which an update takes for no change
					in.AuthorizationType = types.AuthorizationTypeNone
				}
				_, err := c.UpdateRoute(ctx, in)
				return err
			},
			func(ctx context.Context, c *apigatewayv2.Client, api, id string) error {
				_, err := c.DeleteRoute(ctx, &apigatewayv2.DeleteRouteInput{ApiId: &api, RouteId: &id})
				return err
			}),
		memberOf("Integration", "IntegrationId", nil,
			func(ctx context.Context, c *apigatewayv2.Client, in *apigatewayv2.CreateIntegrationInput) (*string, error) {
				out, err := c.CreateIntegration(ctx, in)
				return idOf(err, func() *string { return out.IntegrationId }), err
			},
			func(ctx context.Context, c *apigatewayv2.Client, in *apigatewayv2.UpdateIntegrationInput, id string) error {
				in.IntegrationId = &id
				_, err := c.UpdateIntegration(ctx, in)
				return err
			},
			func(ctx context.Context, c *apigatewayv2.Client, api, id string) error {
				_, err := c.DeleteIntegration(ctx, &apigatewayv2.DeleteIntegrationInput{ApiId: &api, IntegrationId: &id})
				return err
			}),
		memberOf("Authorizer", "AuthorizerId", nil,
			func(ctx context.Context, c *apigatewayv2.Client, in *apigatewayv2.CreateAuthorizerInput) (*string, error) {
				out, err := c.CreateAuthorizer(ctx, in)
				return idOf(err, func() *string { return out.AuthorizerId }), err
			},
			func(ctx context.Context, c *apigatewayv2.Client, in *apigatewayv2.UpdateAuthorizerInput, id string) error {
				in.AuthorizerId = &id
				_, err := c.UpdateAuthorizer(ctx, in)
				return err
			},
			func(ctx context.Context, c *apigatewayv2.Client, api, id string) error {
				_, err := c.DeleteAuthorizer(ctx, &apigatewayv2.DeleteAuthorizerInput{ApiId: &api, AuthorizerId: &id})
				return err
			}),
		memberOf("Deployment", "DeploymentId", []string{"StageName"},
			func(ctx context.Context, c *apigatewayv2.Client, in *apigatewayv2.CreateDeploymentInput) (*string, error) {
				out, err := c.CreateDeployment(ctx, in)
				return idOf(err, func() *string { return out.DeploymentId }), err
			},
			func(ctx context.Context, c *apigatewayv2.Client, in *apigatewayv2.UpdateDeploymentInput, id string) error {
				in.DeploymentId = &id
				_, err := c.UpdateDeployment(ctx, in)
				return err
			},
			func(ctx context.Context, c *apigatewayv2.Client, api, id string) error {
				_, err := c.DeleteDeployment(ctx, &apigatewayv2.DeleteDeploymentInput{ApiId: &api, DeploymentId: &id})
				return err
			}),
		httpStageKind(),
	}
}

// idOf is an answer's id, if there is an answer.
func idOf(err error, id func() *string) *string {
	if err != nil {
		return nil
	}
	return id()
}

// memberOf is the kind of what belongs to an API and is named by an id that
// the service gives. Properties in passive are not told to updates.
func memberOf[C, U any](name, idAttribute string, passive []string,
	create func(context.Context, *apigatewayv2.Client, *C) (*string, error),
	update func(context.Context, *apigatewayv2.Client, *U, string) error,
	remove func(ctx context.Context, c *apigatewayv2.Client, api, id string) error,
) *Kind {
	result := func(id string) Result { return Result{Physical: id, Attributes: map[string]any{idAttribute: id}} }
	return &Kind{
		Type: "AWS::ApiGatewayV2::" + name, Replace: []string{"ApiId"}, Untagged: true,
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := new(C)
			if err := Bind(r.Properties, in); err != nil {
				return Result{}, err
			}
			id, err := create(ctx, Client(r.Clients, apigatewayv2.NewFromConfig), in)
			if err != nil {
				return Result{}, err
			}
			return result(*id), nil
		},
		Update: func(ctx context.Context, r *Request) (Result, error) {
			in := new(U)
			if err := Bind(r.Properties, in, passive...); err != nil {
				return Result{}, err
			}
			Clear(in, r.Former, r.Properties, passive...)
			return result(r.Physical), update(ctx, Client(r.Clients, apigatewayv2.NewFromConfig), in, r.Physical)
		},
		Delete: func(ctx context.Context, r *Request) error {
			return gone(remove(ctx, Client(r.Clients, apigatewayv2.NewFromConfig), r.Text("ApiId"), r.Physical))
		},
	}
}

// apiElsewhere are the properties of an API that its document stands beside.
var apiElsewhere = []string{"Body", "BodyS3Location", "FailOnWarnings", "BasePath", "Tags"}

func createHTTPAPI(ctx context.Context, r *Request) (Result, error) {
	client := Client(r.Clients, apigatewayv2.NewFromConfig)
	body, err := apiBody(ctx, r)
	if err != nil {
		return Result{}, err
	}
	if r.Retry {
		made, err := findHTTPAPI(ctx, client, r)
		switch {
		case err != nil:
			return Result{}, err
		case made != nil && body != nil:
			r.Physical = *made.ApiId
			return updateHTTPAPI(ctx, r)
		case made != nil:
			return httpAPIResult(*made.ApiId, made.ApiEndpoint), nil
		}
	}
	in := &apigatewayv2.CreateApiInput{}
	if body != nil { // as with a REST API, the document comes after the tags
		in.Name, in.ProtocolType = aws.String(r.Tags["aws:cloudformation:logical-id"]), types.ProtocolTypeHttp
	} else if err := Bind(r.Properties, in, apiElsewhere...); err != nil {
		return Result{}, err
	}
	in.Tags = r.allTags()
	out, err := client.CreateApi(ctx, in)
	if err != nil {
		return Result{}, err
	}
	r.Physical = aws.ToString(out.ApiId)
	if body != nil {
		return updateHTTPAPI(ctx, r)
	}
	return httpAPIResult(r.Physical, out.ApiEndpoint), nil
}

func updateHTTPAPI(ctx context.Context, r *Request) (Result, error) {
	client := Client(r.Clients, apigatewayv2.NewFromConfig)
	body, err := apiBody(ctx, r)
	if err != nil {
		return Result{}, err
	}
	if body != nil {
		in := &apigatewayv2.ReimportApiInput{ApiId: &r.Physical, Body: body}
		if err := Bind(only(r.Properties, "FailOnWarnings", "BasePath"), in); err != nil {
			return Result{}, err
		}
		if _, err := client.ReimportApi(ctx, in); err != nil {
			return Result{}, err
		}
	}
	if r.Former["CorsConfiguration"] != nil && r.Properties["CorsConfiguration"] == nil && body == nil {
		if _, err := client.DeleteCorsConfiguration(ctx, &apigatewayv2.DeleteCorsConfigurationInput{ApiId: &r.Physical}); err != nil {
			return Result{}, err
		}
	}
	set, drop := r.tagChanges()
	if body != nil {
		set = r.allTags() // over those of the document
	}
	if len(drop) > 0 {
		arn := apiARN(r)
		if _, err := client.UntagResource(ctx, &apigatewayv2.UntagResourceInput{ResourceArn: &arn, TagKeys: drop}); err != nil {
			return Result{}, err
		}
	}
	if err := settleHTTPAPI(ctx, client, r, set); err != nil {
		return Result{}, err
	}
	out, err := client.GetApi(ctx, &apigatewayv2.GetApiInput{ApiId: &r.Physical})
	if err != nil {
		return Result{}, err
	}
	return httpAPIResult(r.Physical, out.ApiEndpoint), nil
}

// settleHTTPAPI puts the other properties over what the document says, and sets
// tags.
func settleHTTPAPI(ctx context.Context, client *apigatewayv2.Client, r *Request, tags map[string]string) error {
	in := &apigatewayv2.UpdateApiInput{ApiId: &r.Physical}
	if err := Bind(r.Properties, in, append([]string{"ProtocolType"}, apiElsewhere...)...); err != nil {
		return err
	}
	if len(r.Former) > 0 {
		Clear(in, r.Former, r.Properties, append([]string{"ProtocolType", "CorsConfiguration"}, apiElsewhere...)...)
		// What a quick create made is not to be made anew.
		for _, name := range []string{"Target", "RouteKey", "CredentialsArn"} {
			if r.Text(name) != text(r.Former[name]) {
				continue
			}
			switch name {
			case "Target":
				in.Target = nil
			case "RouteKey":
				in.RouteKey = nil
			case "CredentialsArn":
				in.CredentialsArn = nil
			}
		}
	}
	if _, err := client.UpdateApi(ctx, in); err != nil {
		return err
	}
	if len(tags) == 0 {
		return nil
	}
	arn := apiARN(r)
	_, err := client.TagResource(ctx, &apigatewayv2.TagResourceInput{ResourceArn: &arn, Tags: tags})
	return err
}

func deleteHTTPAPI(ctx context.Context, r *Request) error {
	_, err := Client(r.Clients, apigatewayv2.NewFromConfig).DeleteApi(ctx, &apigatewayv2.DeleteApiInput{ApiId: &r.Physical})
	return gone(err)
}

func apiARN(r *Request) string {
	return "arn:" + r.Partition + ":apigateway:" + r.Region + "::/apis/" + r.Physical
}

func httpAPIResult(id string, endpoint *string) Result {
	return Result{Physical: id, Attributes: map[string]any{"ApiId": id, "ApiEndpoint": aws.ToString(endpoint)}}
}

const maxBody = 6 << 20 // of an OpenAPI document, in bytes

// apiBody is the OpenAPI document of an API, given or in a bucket; nil if there
// is none.
func apiBody(ctx context.Context, r *Request) (*string, error) {
	if body := r.Properties["Body"]; body != nil {
		return aws.String(document(body)), nil
	}
	at := object(r.Properties["BodyS3Location"])
	if at == nil {
		return nil, nil
	}
	in := &s3.GetObjectInput{Bucket: aws.String(text(at["Bucket"])), Key: aws.String(text(at["Key"]))}
	if v := text(at["Version"]); v != "" {
		in.VersionId = &v
	}
	out, err := Client(r.Clients, s3.NewFromConfig).GetObject(ctx, in)
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	b, err := io.ReadAll(io.LimitReader(out.Body, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxBody {
		return nil, Sayf("The OpenAPI document s3://%s/%s has more than %d bytes", *in.Bucket, *in.Key, maxBody)
	}
	return aws.String(string(b)), nil
}
