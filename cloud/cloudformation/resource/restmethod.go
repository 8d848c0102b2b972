package resource

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
)

func restResourceKind() *Kind {
	return &Kind{
		Type: "AWS::ApiGateway::Resource", Replace: []string{"ParentId", "PathPart", "RestApiId"}, Untagged: true,
		Create: func(ctx context.Context, r *Request) (Result, error) {
			in := &apigateway.CreateResourceInput{}
			if err := Bind(r.Properties, in); err != nil {
				return Result{}, err
			}
			out, err := restClient(r).CreateResource(ctx, in)
			if err == nil {
				return restID(*out.Id, "ResourceId"), nil
			}
			if id := restResourceMade(ctx, r, in); id != "" {
				return restID(id, "ResourceId"), nil
			}
			return Result{}, err
		},
		Update: func(_ context.Context, r *Request) (Result, error) { return restID(r.Physical, "ResourceId"), nil },
		Delete: func(ctx context.Context, r *Request) error {
			_, err := restClient(r).DeleteResource(ctx, &apigateway.DeleteResourceInput{RestApiId: aws.String(r.Text("RestApiId")), ResourceId: &r.Physical})
			return gone(err)
		},
	}
}

func restID(id, attribute string) Result {
	return Result{Physical: id, Attributes: map[string]any{attribute: id}}
}

// restResourceMade is the id of a resource that a process made that died.
func restResourceMade(ctx context.Context, r *Request, in *apigateway.CreateResourceInput) string {
	if !r.Retry {
		return ""
	}
	pages := apigateway.NewGetResourcesPaginator(restClient(r), &apigateway.GetResourcesInput{RestApiId: in.RestApiId, Limit: aws.Int32(500)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return ""
		}
		for _, other := range page.Items {
			if aws.ToString(other.ParentId) == aws.ToString(in.ParentId) && aws.ToString(other.PathPart) == aws.ToString(in.PathPart) {
				return *other.Id
			}
		}
	}
	return ""
}

// restMethodKind is the kind of methods. One is changed by making it anew: what
// is called are deployments, which do not see that.
func restMethodKind() *Kind {
	return &Kind{
		Type: "AWS::ApiGateway::Method", Replace: []string{"HttpMethod", "ResourceId", "RestApiId"}, Untagged: true,
		Create: func(ctx context.Context, r *Request) (Result, error) {
			if r.Retry {
				if err := deleteRestMethod(ctx, r); err != nil {
					return Result{}, err
				}
			}
			return putRestMethod(ctx, r)
		},
		Update: func(ctx context.Context, r *Request) (Result, error) {
			if err := deleteRestMethod(ctx, r); err != nil {
				return Result{}, err
			}
			return putRestMethod(ctx, r)
		},
		Delete: deleteRestMethod,
	}
}

func deleteRestMethod(ctx context.Context, r *Request) error {
	_, err := restClient(r).DeleteMethod(ctx, &apigateway.DeleteMethodInput{
		RestApiId: aws.String(r.Text("RestApiId")), ResourceId: aws.String(r.Text("ResourceId")), HttpMethod: aws.String(r.Text("HttpMethod"))})
	return gone(err)
}

func putRestMethod(ctx context.Context, r *Request) (Result, error) {
	client := restClient(r)
	in := &apigateway.PutMethodInput{AuthorizationType: aws.String("NONE")}
	if err := Bind(r.Properties, in, "Integration", "MethodResponses"); err != nil {
		return Result{}, err
	}
	if _, err := client.PutMethod(ctx, in); err != nil {
		return Result{}, err
	}
	r.Physical = strings.Join([]string{*in.RestApiId, *in.ResourceId, *in.HttpMethod}, "|")
	for _, one := range list(r.Properties["MethodResponses"]) {
		put := &apigateway.PutMethodResponseInput{RestApiId: in.RestApiId, ResourceId: in.ResourceId, HttpMethod: in.HttpMethod}
		if err := Bind(object(one), put); err != nil {
			return Result{}, err
		}
		if _, err := client.PutMethodResponse(ctx, put); err != nil {
			return Result{}, err
		}
	}
	said := object(r.Properties["Integration"])
	if said == nil {
		return Result{Physical: r.Physical}, nil
	}
	does := &apigateway.PutIntegrationInput{RestApiId: in.RestApiId, ResourceId: in.ResourceId, HttpMethod: in.HttpMethod}
	if err := Bind(said, does, "IntegrationResponses"); err != nil {
		return Result{}, err
	}
	if _, err := client.PutIntegration(ctx, does); err != nil {
		return Result{}, err
	}
	for _, one := range list(said["IntegrationResponses"]) {
		put := &apigateway.PutIntegrationResponseInput{RestApiId: in.RestApiId, ResourceId: in.ResourceId, HttpMethod: in.HttpMethod}
		if err := Bind(object(one), put); err != nil {
			return Result{}, err
		}
		if _, err := client.PutIntegrationResponse(ctx, put); err != nil {
			return Result{}, err
		}
	}
	return Result{Physical: r.Physical}, nil
}
