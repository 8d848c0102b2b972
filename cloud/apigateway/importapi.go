package apigateway

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	apigw "github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"ouro/cloud/executeapi"
)

// ImportRestApi makes an API from an OpenAPI document.
func (s *Service) ImportRestApi(ctx context.Context, in *apigw.ImportRestApiInput) (*apigw.ImportRestApiOutput, error) {
	a := api{}
	a.fillIn()
	a.root()
	if err := a.importDocument(in.Body, in.Parameters, in.FailOnWarnings); err != nil {
		return nil, err
	}
	err := s.add(ctx, &a)
	return told[apigw.ImportRestApiOutput](&a.RestApi, err)
}

// PutRestApi puts what a document says in the place of what an API does
// (overwrite), or over it (merge). Its stages and deployments stay.
func (s *Service) PutRestApi(ctx context.Context, in *apigw.PutRestApiInput) (*apigw.PutRestApiOutput, error) {
	a, err := s.change(ctx, in.RestApiId, func(a *api) error {
		if in.Mode != types.PutModeMerge {
			a.config, a.BinaryMediaTypes, a.Policy = config{}, nil, nil
			a.fillIn()
			a.Resources[*a.RootResourceId] = types.Resource{Id: a.RootResourceId, Path: aws.String("/")}
		}
		a.Warnings = nil
		if err := a.importDocument(in.Body, in.Parameters, in.FailOnWarnings); err != nil {
			return err
		}
		return a.check()
	})
	return told[apigw.PutRestApiOutput](&a.RestApi, err)
}

// importDocument adds what a document describes to an API.
func (a *api) importDocument(body []byte, parameters map[string]string, strict bool) error {
	doc, err := executeapi.ReadDocument(body)
	if err != nil {
		return badRequest("Invalid OpenAPI input: %s", err)
	}
	info := doc.Part("info")
	for member, to := range map[string]**string{"title": &a.Name, "description": &a.Description, "version": &a.Version} {
		if v := info.Text(member); v != "" {
			*to = &v
		}
	}
	if aws.ToString(a.Name) == "" {
		return badRequest("Invalid OpenAPI input: the document's info has no title")
	}
	if media := doc.Texts("x-amazon-apigateway-binary-media-types"); media != nil {
		a.BinaryMediaTypes = media
	}
	if v := doc.Text("x-amazon-apigateway-api-key-source"); v != "" {
		a.ApiKeySource = types.ApiKeySourceType(strings.ToUpper(v))
	}
	if p := doc.Part("x-amazon-apigateway-policy"); len(p) > 0 {
		b, err := json.Marshal(p)
		if err != nil {
			return badRequest("Invalid OpenAPI input: %s", err)
		}
		a.Policy = aws.String(string(b))
	}
	if n, err := strconv.ParseInt(doc.Text("x-amazon-apigateway-minimum-compression-size"), 10, 32); err == nil {
		a.MinimumCompressionSize = aws.Int32(int32(n))
	}
	if t := parameters["endpointConfigurationTypes"]; t != "" {
		a.EndpointConfiguration = &types.EndpointConfiguration{}
		for _, one := range strings.Split(t, ",") {
			a.EndpointConfiguration.Types = append(a.EndpointConfiguration.Types, types.EndpointType(one))
		}
	}
	for _, place := range append(doc.Parts("servers"), doc) {
		if v := place.Part("x-amazon-apigateway-endpoint-configuration").Text("disableExecuteApiEndpoint"); v != "" {
			a.DisableExecuteApiEndpoint = v == "true"
		}
	}
	if err := a.importResponses(doc.Part("x-amazon-apigateway-gateway-responses")); err != nil {
		return err
	}
	for _, o := range doc.Operations() {
		if err := a.importMethod(doc, o); err != nil {
			return err
		}
	}
	if strict && len(a.Warnings) > 0 {
		return badRequest("Warnings found during import:\n\t%s", strings.Join(a.Warnings, "\n\t"))
	}
	return nil
}

// resourceAt gives the resource of a path; it makes those that are missing.
func (a *api) resourceAt(path string) (types.Resource, error) {
	path = strings.TrimSuffix(path, "/")
	if path == "" {
		return a.Resources[*a.RootResourceId], nil
	}
	for _, r := range a.Resources {
		if *r.Path == path {
			return r, nil
		}
	}
	cut := strings.LastIndexByte(path, '/')
	if cut < 0 {
		return types.Resource{}, badRequest("Invalid OpenAPI input: the path %s does not begin with a slash", path)
	}
	parent, err := a.resourceAt(path[:cut])
	if err != nil {
		return parent, err
	}
	return a.addResource(parent.Id, aws.String(path[cut+1:]))
}

// importMethod makes a method with its integration, and its authorizer if no
// other method has made it.
func (a *api) importMethod(doc executeapi.Document, o executeapi.Operation) error {
	r, err := a.resourceAt(o.Path)
	if err != nil {
		return err
	}
	m := types.Method{HttpMethod: aws.String(o.Method), AuthorizationType: aws.String("NONE"), MethodResponses: map[string]types.MethodResponse{}}
	if name := o.Text("operationId"); name != "" {
		m.OperationName = &name
	}
	for code := range o.Part("responses") {
		if status().MatchString(code) {
			m.MethodResponses[code] = types.MethodResponse{StatusCode: aws.String(code)}
		}
	}
	if v := o.Text("x-amazon-apigateway-request-validator") + doc.Text("x-amazon-apigateway-request-validator"); v != "" {
		m.RequestValidatorId = &v // which the method's check refuses
	}
	if i := o.Integration(); len(i) == 0 {
		a.Warnings = append(a.Warnings, fmt.Sprintf("%s %s has no x-amazon-apigateway-integration.", o.Method, o.Path))
	} else if err := importIntegration(i, *r.Id, &m); err != nil {
		return err
	}
	if scheme := doc.Security(o); scheme != "" && scheme != "NONE" {
		if err := a.importAuthorizer(doc, scheme, &m); err != nil {
			return err
		}
	}
	if err := a.checkMethod(&m); err != nil {
		return err
	}
	a.setMethod(*r.Id, m)
	return nil
}

// texts are the members of an object as text.
func texts(d executeapi.Document) map[string]string {
	out := map[string]string{}
	for name := range d {
		out[name] = d.Text(name)
	}
	return out
}

func importIntegration(doc executeapi.Document, resource string, m *types.Method) error {
	text := func(name string) *string {
		if v := doc.Text(name); v != "" {
			return &v
		}
		return nil
	}
	i := types.Integration{
		Type: types.IntegrationType(strings.ToUpper(doc.Text("type"))), Uri: text("uri"), HttpMethod: text("httpMethod"), Credentials: text("credentials"),
		ConnectionType: types.ConnectionType(doc.Text("connectionType")), PassthroughBehavior: text("passthroughBehavior"),
		ContentHandling: types.ContentHandlingStrategy(doc.Text("contentHandling")), CacheNamespace: &resource,
		RequestParameters: texts(doc.Part("requestParameters")), RequestTemplates: texts(doc.Part("requestTemplates")),
		ResponseTransferMode: types.ResponseTransferMode(strings.ToUpper(doc.Text("responseTransferMode"))),
		IntegrationResponses: map[string]types.IntegrationResponse{},
	}
	if t := doc.Text("timeoutInMillis"); t != "" {
		n, err := strconv.ParseInt(t, 10, 32)
		if err != nil {
			return badRequest("Invalid timeoutInMillis %s", t)
		}
		i.TimeoutInMillis = int32(n)
	}
	for pattern := range doc.Part("responses") {
		said := doc.Part("responses").Part(pattern)
		r := types.IntegrationResponse{
			StatusCode: aws.String(said.Text("statusCode")), ContentHandling: types.ContentHandlingStrategy(said.Text("contentHandling")),
			ResponseParameters: texts(said.Part("responseParameters")), ResponseTemplates: texts(said.Part("responseTemplates")),
		}
		if pattern != "default" {
			r.SelectionPattern = &pattern
		}
		if err := checkResponse(&r); err != nil {
			return err
		}
		i.IntegrationResponses[*r.StatusCode] = r
	}
	if err := checkIntegration(&i); err != nil {
		return err
	}
	m.MethodIntegration = &i
	return nil
}

// importAuthorizer has a method ask the authorizer of a security scheme.
func (a *api) importAuthorizer(doc executeapi.Document, scheme string, m *types.Method) error {
	m.AuthorizationType = aws.String("CUSTOM")
	for _, z := range a.Authorizers {
		if *z.Name == scheme {
			m.AuthorizerId = z.Id
			return nil
		}
	}
	d := doc.Schemes().Part(scheme)
	said := d.Part("x-amazon-apigateway-authorizer")
	switch {
	case d.Text("x-amazon-apigateway-authtype") == "awsSigv4":
		m.AuthorizationType = aws.String("AWS_IAM")
		return nil // the method's check has the sentence
	case len(said) == 0 && d.Text("name") == "x-api-key":
		m.AuthorizationType, m.ApiKeyRequired = aws.String("NONE"), aws.Bool(true)
		return nil // this too
	case len(said) == 0:
		return badRequest("the security scheme %s has no x-amazon-apigateway-authorizer", scheme)
	}
	z := types.Authorizer{Name: &scheme, Type: types.AuthorizerType(strings.ToUpper(said.Text("type"))), AuthorizerUri: aws.String(said.Text("authorizerUri"))}
	for member, to := range map[string]**string{"authorizerCredentials": &z.AuthorizerCredentials, "identitySource": &z.IdentitySource,
		"identityValidationExpression": &z.IdentityValidationExpression} {
		if v := said.Text(member); v != "" {
			*to = &v
		}
	}
	if z.Type == types.AuthorizerTypeToken && z.IdentitySource == nil {
		z.IdentitySource = aws.String("method.request.header." + d.Text("name"))
	}
	if v := d.Text("x-amazon-apigateway-authtype"); v != "" {
		z.AuthType = &v
	}
	if n, err := strconv.Atoi(said.Text("authorizerResultTtlInSeconds")); err == nil {
		z.AuthorizerResultTtlInSeconds = aws.Int32(int32(n))
	}
	err := a.addAuthorizer(&z)
	m.AuthorizerId = z.Id
	return err
}

// importResponses sets API Gateway's own answers.
func (a *api) importResponses(doc executeapi.Document) error {
	for _, name := range doc.Names() {
		said := doc.Part(name)
		g := types.GatewayResponse{ResponseType: types.GatewayResponseType(strings.ToUpper(name)), ResponseParameters: texts(said.Part("responseParameters"))}
		if err := known(g.ResponseType); err != nil {
			return badRequest("Invalid OpenAPI input: there is no gateway response %s", name)
		}
		if v := said.Text("statusCode"); v != "" {
			g.StatusCode = &v
		}
		if t := texts(said.Part("responseTemplates")); len(t) > 0 {
			g.ResponseTemplates = t
		}
		if err := checkGatewayResponse(&g); err != nil {
			return err
		}
		a.Responses[string(g.ResponseType)] = g
	}
	return nil
}
