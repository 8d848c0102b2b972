package apigatewayv2

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	apigw "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"ouro/cloud/executeapi"
)

// ImportApi makes an API from an OpenAPI document.
func (s *Service) ImportApi(ctx context.Context, in *apigw.ImportApiInput) (*apigw.ImportApiOutput, error) {
	a, err := imported(in.Body, in.FailOnWarnings)
	if err != nil {
		return nil, err
	}
	if err := s.add(ctx, &a); err != nil {
		return nil, err
	}
	out := &apigw.ImportApiOutput{}
	executeapi.Fill(out, &a.Api)
	return out, nil
}

// ReimportApi puts what a document says in the place of what an API does. Its
// stages and deployments stay, and its tags, to which the document may add.
func (s *Service) ReimportApi(ctx context.Context, in *apigw.ReimportApiInput) (*apigw.ReimportApiOutput, error) {
	next, err := imported(in.Body, in.FailOnWarnings)
	if err != nil {
		return nil, err
	}
	a, err := s.change(ctx, in.ApiId, func(a *api) error {
		a.config = next.config
		a.fillIn()
		next.Tags = executeapi.Retag(a.Tags, next.Tags, nil)
		executeapi.Fill(&a.Api, &next.Api)
		a.Description, a.CorsConfiguration, a.Warnings = next.Description, next.CorsConfiguration, next.Warnings
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &apigw.ReimportApiOutput{}
	executeapi.Fill(out, &a.Api)
	return out, nil
}

// imported is the API that a document describes.
func imported(body *string, strict *bool) (api, error) {
	doc, err := executeapi.ReadDocument([]byte(aws.ToString(body)))
	if err != nil {
		return api{}, badRequest("Invalid OpenAPI input: %s", err)
	}
	a := api{}
	a.fillIn()
	info := doc.Part("info")
	if info.Text("title") == "" {
		return a, badRequest("Invalid OpenAPI input: the document's info has no title")
	}
	a.Name, a.ProtocolType, a.Tags = aws.String(info.Text("title")), types.ProtocolTypeHttp, doc.Tags()
	if d := info.Text("description"); d != "" {
		a.Description = &d
	}
	if v := info.Text("version"); v != "" {
		a.Version = &v
	}
	for _, server := range doc.Parts("servers") {
		a.DisableExecuteApiEndpoint = aws.Bool(server.Part("x-amazon-apigateway-endpoint-configuration").Text("disableExecuteApiEndpoint") == "true")
	}
	if err := a.importCors(doc); err != nil {
		return a, err
	}
	for _, o := range doc.Operations() {
		if err := a.importRoute(doc, o); err != nil {
			return a, err
		}
	}
	if aws.ToBool(strict) && len(a.Warnings) > 0 {
		return a, badRequest("Warnings found during import:\n\t%s", strings.Join(a.Warnings, "\n\t"))
	}
	return a, nil
}

// importRoute makes a route with its integration, and its authorizer if no
// other route has made it.
func (a *api) importRoute(doc executeapi.Document, o executeapi.Operation) error {
	r := types.Route{RouteId: aws.String(executeapi.NewID(7)), RouteKey: aws.String(o.Method + " " + o.Path)}
	if o.Path == "/"+defaultKey {
		r.RouteKey = aws.String(defaultKey)
	}
	if name := o.Text("operationId"); name != "" {
		r.OperationName = &name
	}
	if i := o.Integration(); len(i) == 0 {
		a.Warnings = append(a.Warnings, fmt.Sprintf("Unable to create an integration for route %s: it has no x-amazon-apigateway-integration.", *r.RouteKey))
	} else if err := a.importIntegration(i, &r); err != nil {
		return err
	}
	if scheme := doc.Security(o); scheme != "" && scheme != "NONE" {
		if err := a.importAuthorizer(doc, scheme, &r); err != nil {
			return err
		}
	}
	if err := checkRoute(a, &r); err != nil {
		return err
	}
	a.Routes[*r.RouteId] = r
	return nil
}

func (a *api) importIntegration(doc executeapi.Document, r *types.Route) error {
	text := func(name string) *string {
		if v := doc.Text(name); v != "" {
			return &v
		}
		return nil
	}
	i := types.Integration{
		IntegrationId: aws.String(executeapi.NewID(7)), IntegrationType: types.IntegrationType(strings.ToUpper(doc.Text("type"))),
		IntegrationUri: text("uri"), IntegrationMethod: text("httpMethod"), PayloadFormatVersion: text("payloadFormatVersion"),
		CredentialsArn: text("credentials"), Description: text("description"), IntegrationSubtype: text("integrationSubtype"),
		ConnectionType: types.ConnectionType(doc.Text("connectionType")),
	}
	if len(doc.Part("requestParameters")) > 0 || len(doc.Part("responseParameters")) > 0 {
		return badRequest("parameter mapping is not supported by the local cloud")
	}
	if t := doc.Text("timeoutInMillis"); t != "" {
		n, err := strconv.ParseInt(t, 10, 32)
		if err != nil {
			return badRequest("Invalid timeoutInMillis %s", t)
		}
		i.TimeoutInMillis = aws.Int32(int32(n))
	}
	if i.PayloadFormatVersion == nil {
		i.PayloadFormatVersion = aws.String("1.0")
	}
	if err := checkIntegration(&i); err != nil {
		return err
	}
	a.Integrations[*i.IntegrationId] = i
	r.Target = aws.String("integrations/" + *i.IntegrationId)
	return nil
}

// importAuthorizer has a route ask the authorizer of a security scheme.
func (a *api) importAuthorizer(doc executeapi.Document, scheme string, r *types.Route) error {
	r.AuthorizationType = types.AuthorizationTypeCustom
	for _, z := range a.Authorizers {
		if *z.Name == scheme {
			r.AuthorizerId = z.AuthorizerId
			return nil
		}
	}
	d := doc.Schemes().Part(scheme)
	if d.Text("x-amazon-apigateway-authtype") == "awsSigv4" {
		r.AuthorizationType = types.AuthorizationTypeAwsIam
		return nil // the route's check has the sentence
	}
	said := d.Part("x-amazon-apigateway-authorizer")
	if len(said) == 0 {
		return badRequest("the security scheme %s of route %s has no x-amazon-apigateway-authorizer", scheme, *r.RouteKey)
	}
	z := types.Authorizer{
		AuthorizerId: aws.String(executeapi.NewID(6)), Name: &scheme, AuthorizerType: types.AuthorizerType(strings.ToUpper(said.Text("type"))),
		AuthorizerUri: aws.String(said.Text("authorizerUri")), IdentitySource: sources(said.Texts("identitySource")),
		AuthorizerPayloadFormatVersion: aws.String(said.Text("authorizerPayloadFormatVersion")),
		EnableSimpleResponses:          aws.Bool(said.Text("enableSimpleResponses") == "true"),
	}
	if v := said.Text("authorizerCredentials"); v != "" {
		z.AuthorizerCredentialsArn = &v
	}
	if n, err := strconv.Atoi(said.Text("authorizerResultTtlInSeconds")); err == nil {
		z.AuthorizerResultTtlInSeconds = aws.Int32(int32(n))
	}
	if err := checkAuthorizer(&z); err != nil {
		return err
	}
	a.Authorizers[*z.AuthorizerId] = z
	r.AuthorizerId = z.AuthorizerId
	return nil
}

// sources are identity sources, of which a document also writes several in one
// text.
func sources(list []string) []string {
	var out []string
	for _, text := range list {
		for _, s := range strings.Split(text, ",") {
			out = append(out, strings.TrimSpace(s))
		}
	}
	return out
}

func (a *api) importCors(doc executeapi.Document) error {
	said, ok := doc["x-amazon-apigateway-cors"]
	if !ok {
		return nil
	}
	if said == true { // as SAM writes it for "all"
		a.Cors = &types.Cors{AllowOrigins: []string{"*"}}
	} else {
		d := doc.Part("x-amazon-apigateway-cors")
		a.Cors = &types.Cors{
			AllowOrigins: d.Texts("allowOrigins"), AllowMethods: d.Texts("allowMethods"),
			AllowHeaders: d.Texts("allowHeaders"), ExposeHeaders: d.Texts("exposeHeaders"),
		}
		if d.Text("allowCredentials") != "" {
			a.Cors.AllowCredentials = aws.Bool(d.Text("allowCredentials") == "true")
		}
		if n, err := strconv.Atoi(d.Text("maxAge")); err == nil {
			a.Cors.MaxAge = aws.Int32(int32(n))
		}
	}
	a.CorsConfiguration = a.Cors
	return checkCors(a.Cors)
}
