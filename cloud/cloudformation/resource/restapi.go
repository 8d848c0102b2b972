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

// restAPIKinds are the types of REST APIs.
func restAPIKinds() []*Kind {
	return []*Kind{
		{Type: "AWS::ApiGateway::RestApi", Create: createRestAPI, Update: updateRestAPI, Delete: func(ctx context.Context, r *Request) error {
			_, err := restClient(r).DeleteRestApi(ctx, &apigateway.DeleteRestApiInput{RestApiId: &r.Physical})
			return gone(err)
		}},
		restResourceKind(), restMethodKind(), restDeploymentKind(), restStageKind(), restAuthorizerKind(), gatewayResponseKind(), restAccountKind(),
	}
}

func restClient(r *Request) *apigateway.Client { return Client(r.Clients, apigateway.NewFromConfig) }

// restElsewhere are the properties of an API that CreateRestApi is not told as
// they are.
var restElsewhere = []string{"Body", "BodyS3Location", "FailOnWarnings", "Mode", "Parameters", "Tags", "ApiKeySourceType"}

func createRestAPI(ctx context.Context, r *Request) (Result, error) {
	client := restClient(r)
	if r.Retry {
		if err := findRestAPI(ctx, client, r); err != nil {
			return Result{}, err
		}
		if r.Physical != "" {
			return updateRestAPI(ctx, r)
		}
	}
	body, err := apiBody(ctx, r)
	if err != nil {
		return Result{}, err
	}
	in := &apigateway.CreateRestApiInput{Tags: r.allTags()}
	if body != nil {
		// An import takes no tags, and by its tags an API is found that a process made
		// which died. The document has another name for it.
		in.Name = aws.String(r.Tags["aws:cloudformation:logical-id"])
	} else {
		in.ApiKeySource = types.ApiKeySourceType(r.Text("ApiKeySourceType"))
		if err := Bind(r.Properties, in, restElsewhere...); err != nil {
			return Result{}, err
		}
	}
	out, err := client.CreateRestApi(ctx, in)
	if err != nil {
		return Result{}, err
	}
	r.Physical = *out.Id
	if body != nil {
		return updateRestAPI(ctx, r)
	}
	return restAPIResult(r.Physical, out.RootResourceId), nil
}

func updateRestAPI(ctx context.Context, r *Request) (Result, error) {
	client, former := restClient(r), r.Former
	body, err := apiBody(ctx, r)
	if err != nil {
		return Result{}, err
	}
	if body != nil {
		in := &apigateway.PutRestApiInput{RestApiId: &r.Physical, Body: []byte(*body), Mode: types.PutModeOverwrite}
		if err := Bind(only(r.Properties, "FailOnWarnings", "Parameters", "Mode"), in); err != nil {
			return Result{}, err
		}
		if _, err := client.PutRestApi(ctx, in); err != nil {
			return Result{}, err
		}
		former = nil // the document may have said otherwise
	}
	set, drop := r.tagChanges()
	if len(drop) > 0 {
		if _, err := client.UntagResource(ctx, &apigateway.UntagResourceInput{ResourceArn: aws.String(restARN(r)), TagKeys: drop}); err != nil {
			return Result{}, err
		}
	}
	if err := settleRestAPI(ctx, r, former, set); err != nil {
		return Result{}, err
	}
	out, err := client.GetRestApi(ctx, &apigateway.GetRestApiInput{RestApiId: &r.Physical})
	if err != nil {
		return Result{}, err
	}
	return restAPIResult(r.Physical, out.RootResourceId), nil
}

// settleRestAPI puts the other properties over what the document says, and sets
// tags.
func settleRestAPI(ctx context.Context, r *Request, former map[string]any, tags map[string]string) error {
	client := restClient(r)
	now, err := client.GetRestApi(ctx, &apigateway.GetRestApiInput{RestApiId: &r.Physical})
	if err != nil {
		return err
	}
	ops := patches(former, r.Properties, map[string]string{
		"Name": "/name", "Description": "/description", "Policy": "/policy", "ApiKeySourceType": "/apiKeySource", "MinimumCompressionSize": "/minimumCompressionSize",
		"DisableExecuteApiEndpoint": "/disableExecuteApiEndpoint", "SecurityPolicy": "/securityPolicy", "EndpointAccessMode": "/endpointAccessMode",
	})
	wanted := []string{}
	for _, media := range list(r.Properties["BinaryMediaTypes"]) {
		wanted = append(wanted, text(media))
	}
	for _, media := range list(former["BinaryMediaTypes"]) {
		if !slices.Contains(wanted, text(media)) {
			ops = append(ops, types.PatchOperation{Op: types.OpRemove, Path: aws.String("/binaryMediaTypes/" + escaped(text(media)))})
		}
	}
	for _, media := range wanted {
		if !slices.Contains(now.BinaryMediaTypes, media) {
			ops = append(ops, types.PatchOperation{Op: types.OpAdd, Path: aws.String("/binaryMediaTypes/" + escaped(media))})
		}
	}
	if kinds := list(object(r.Properties["EndpointConfiguration"])["Types"]); len(kinds) == 1 && text(kinds[0]) != string(now.EndpointConfiguration.Types[0]) {
		ops = append(ops, types.PatchOperation{Op: types.OpReplace, Path: aws.String("/endpointConfiguration/types/" + string(now.EndpointConfiguration.Types[0])), Value: aws.String(text(kinds[0]))})
	}
	if len(ops) > 0 {
		if _, err := client.UpdateRestApi(ctx, &apigateway.UpdateRestApiInput{RestApiId: &r.Physical, PatchOperations: ops}); err != nil {
			return err
		}
	}
	if len(tags) == 0 {
		return nil
	}
	_, err = client.TagResource(ctx, &apigateway.TagResourceInput{ResourceArn: aws.String(restARN(r)), Tags: tags})
	return err
}

func restARN(r *Request) string {
	return "arn:" + r.Partition + ":apigateway:" + r.Region + "::/restapis/" + r.Physical
}

func restAPIResult(id string, root *string) Result {
	return Result{Physical: id, Attributes: map[string]any{"RestApiId": id, "RootResourceId": aws.ToString(root)}}
}

// patches are the operations that bring properties from what they were to what
// they are; paths says where each stands.
func patches(was, is map[string]any, paths map[string]string) []types.PatchOperation {
	value := func(v any) string {
		if v == nil || isScalar(v) {
			return text(v)
		}
		return document(v)
	}
	var ops []types.PatchOperation
	for _, name := range slices.Sorted(maps.Keys(paths)) {
		before, after := value(was[name]), value(is[name])
		switch {
		case before == after:
		case after == "":
			ops = append(ops, types.PatchOperation{Op: types.OpRemove, Path: aws.String(paths[name])})
		default:
			ops = append(ops, types.PatchOperation{Op: types.OpReplace, Path: aws.String(paths[name]), Value: &after})
		}
	}
	return ops
}

// escaped is a text as a step of a JSON pointer.
func escaped(s string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(s) }
