package apigateway

import (
	"context"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	apigw "github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"ouro/cloud/executeapi"
	"ouro/regex"
)

const maxMillis = 29_000 // that an integration may take

// checkIntegration holds an integration against what the local cloud serves,
// and fills in what it does not say.
func checkIntegration(i *types.Integration) error {
	switch {
	case i.ConnectionType == types.ConnectionTypeVpcLink:
		return badRequest("Private integrations (VPC_LINK) are not supported by the local cloud")
	case i.ResponseTransferMode == types.ResponseTransferModeStream:
		return badRequest("Streamed responses (responseTransferMode STREAM) are not supported by the local cloud")
	case i.TimeoutInMillis != 0 && (i.TimeoutInMillis < 50 || i.TimeoutInMillis > maxMillis):
		return badRequest("Timeout should be between 50 ms and 29000 ms")
	}
	if i.TimeoutInMillis == 0 {
		i.TimeoutInMillis = maxMillis
	}
	switch b := strings.ToUpper(aws.ToString(i.PassthroughBehavior)); b {
	case "":
		i.PassthroughBehavior = aws.String("WHEN_NO_MATCH")
	case "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER":
		i.PassthroughBehavior = &b
	default:
		return badRequest("Invalid passthrough behavior specified. Valid options are WHEN_NO_MATCH, WHEN_NO_TEMPLATES, NEVER")
	}
	switch i.Type {
	case types.IntegrationTypeMock:
		return checkTemplates(i.RequestTemplates)
	case types.IntegrationTypeAwsProxy:
		return checkFunction(i)
	case types.IntegrationTypeHttpProxy:
		return checkServer(i)
	case types.IntegrationTypeAws, types.IntegrationTypeHttp:
		return badRequest("Integrations of the type %s, which map requests and answers by templates, are not supported by the local cloud; AWS_PROXY, HTTP_PROXY and MOCK are", i.Type)
	}
	return badRequest("Invalid integration type specified. Valid options are HTTP, MOCK, AWS_PROXY, AWS, HTTP_PROXY")
}

func checkFunction(i *types.Integration) error {
	uri := aws.ToString(i.Uri)
	if aws.ToString(i.HttpMethod) == "" {
		return badRequest("Enumeration value for HttpMethod must be non-empty")
	}
	if _, ok := executeapi.FunctionARN(uri); ok || strings.Contains(uri, ":lambda:path/") && strings.Contains(uri, "${stageVariables.") {
		return nil
	}
	if strings.HasPrefix(uri, "arn:") {
		return badRequest("AWS_PROXY integrations of the local cloud are with Lambda functions: arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations")
	}
	return badRequest("Invalid ARN specified in the request")
}

func checkServer(i *types.Integration) error {
	u, err := url.Parse(strings.NewReplacer("{", "", "}", "", "+", "", "$", "").Replace(aws.ToString(i.Uri)))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return badRequest("Invalid HTTP endpoint specified for URI")
	}
	if aws.ToString(i.HttpMethod) == "" {
		return badRequest("Enumeration value for HttpMethod must be non-empty")
	}
	for to, from := range i.RequestParameters {
		if _, ok := strings.CutPrefix(to, "integration.request."); !ok || strings.HasPrefix(from, "method.request.body") {
			return badRequest("Invalid mapping expression specified: %s from %s; the local cloud maps paths, query strings and headers, and fixed values in single quotes", to, from)
		}
	}
	return nil
}

// dynamic is what of a mapping template is more than text and variables of the
// context and the stage.
var dynamic = regex.New(`\$!?\{?(input|util|[A-Za-z_]+)\b|#(set|if|elseif|else|end|foreach|macro|parse|include|stop|break|define|evaluate)\b|#\*|##`)

// checkTemplates refuses mapping templates that would have to be computed.
func checkTemplates(templates map[string]string) error {
	for media, t := range templates {
		for _, found := range dynamic().FindAllString(t, -1) {
			name := strings.TrimLeft(found, "$!{")
			if name != "context" && name != "stageVariables" {
				return badRequest("The mapping template for %s is not supported by the local cloud: %s; templates are fixed text with $context and $stageVariables", media, found)
			}
		}
	}
	return nil
}

// PutIntegration has a method do something.
func (s *Service) PutIntegration(ctx context.Context, in *apigw.PutIntegrationInput) (*apigw.PutIntegrationOutput, error) {
	i := types.Integration{}
	executeapi.Fill(&i, in)
	i.HttpMethod, i.TimeoutInMillis = in.IntegrationHttpMethod, aws.ToInt32(in.TimeoutInMillis)
	if i.CacheNamespace == nil {
		i.CacheNamespace = in.ResourceId
	}
	_, err := s.changeMethod(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(_ *api, m *types.Method) error {
		if err := checkIntegration(&i); err != nil {
			return err
		}
		if m.MethodIntegration != nil {
			i.IntegrationResponses = m.MethodIntegration.IntegrationResponses
		}
		m.MethodIntegration = &i
		return nil
	})
	return told[apigw.PutIntegrationOutput](&i, err)
}

// integration gives what a method does.
func integration(m types.Method, err error) (*types.Integration, error) {
	if err == nil && m.MethodIntegration == nil {
		err = notFound("Invalid Integration identifier specified")
	}
	return m.MethodIntegration, err
}

// changeIntegration changes what a method does.
func (s *Service) changeIntegration(ctx context.Context, id, resource, verb *string, f func(*types.Integration) error) (*types.Integration, error) {
	m, err := s.changeMethod(ctx, id, resource, verb, func(_ *api, m *types.Method) error {
		i, err := integration(*m, nil)
		if err != nil {
			return err
		}
		if err := f(i); err != nil {
			return err
		}
		return checkIntegration(i)
	})
	return m.MethodIntegration, err
}

// getIntegration gives what a method of an API does.
func (s *Service) getIntegration(ctx context.Context, id, resource, verb *string) (*types.Integration, error) {
	a, err := s.apis.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	return integration(a.method(resource, verb))
}

// GetIntegration tells what a method does.
func (s *Service) GetIntegration(ctx context.Context, in *apigw.GetIntegrationInput) (*apigw.GetIntegrationOutput, error) {
	i, err := s.getIntegration(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	return told[apigw.GetIntegrationOutput](i, err)
}

// UpdateIntegration changes what a method does.
func (s *Service) UpdateIntegration(ctx context.Context, in *apigw.UpdateIntegrationInput) (*apigw.UpdateIntegrationOutput, error) {
	i, err := s.changeIntegration(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(i *types.Integration) error {
		return patch(i, in.PatchOperations, "uri", "httpMethod", "credentials", "passthroughBehavior", "requestParameters", "requestTemplates",
			"timeoutInMillis", "contentHandling", "connectionType", "cacheNamespace", "cacheKeyParameters", "tlsConfig", "responseTransferMode")
	})
	return told[apigw.UpdateIntegrationOutput](i, err)
}

// DeleteIntegration has a method do nothing.
func (s *Service) DeleteIntegration(ctx context.Context, in *apigw.DeleteIntegrationInput) (*apigw.DeleteIntegrationOutput, error) {
	_, err := s.changeMethod(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(_ *api, m *types.Method) error {
		_, err := integration(*m, nil)
		m.MethodIntegration = nil
		return err
	})
	return &apigw.DeleteIntegrationOutput{}, err
}

func checkResponse(r *types.IntegrationResponse) error {
	if !status().MatchString(aws.ToString(r.StatusCode)) {
		return badRequest("Invalid HTTP status code: %s", aws.ToString(r.StatusCode))
	}
	if _, err := regex.Java(aws.ToString(r.SelectionPattern)); err != nil {
		return badRequest("Invalid selection pattern %s: %s", aws.ToString(r.SelectionPattern), err)
	}
	for name := range r.ResponseParameters {
		if !strings.HasPrefix(name, "method.response.header.") {
			return badRequest("Invalid mapping expression specified: %s", name)
		}
	}
	return checkTemplates(r.ResponseTemplates)
}

// PutIntegrationResponse says how a method answers.
func (s *Service) PutIntegrationResponse(ctx context.Context, in *apigw.PutIntegrationResponseInput) (*apigw.PutIntegrationResponseOutput, error) {
	r := types.IntegrationResponse{}
	executeapi.Fill(&r, in)
	_, err := s.changeIntegration(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(i *types.Integration) error {
		if err := checkResponse(&r); err != nil {
			return err
		}
		if i.IntegrationResponses == nil {
			i.IntegrationResponses = map[string]types.IntegrationResponse{}
		}
		i.IntegrationResponses[*r.StatusCode] = r
		return nil
	})
	return told[apigw.PutIntegrationResponseOutput](&r, err)
}

// GetIntegrationResponse tells how a method answers.
func (s *Service) GetIntegrationResponse(ctx context.Context, in *apigw.GetIntegrationResponseInput) (*apigw.GetIntegrationResponseOutput, error) {
	i, err := s.getIntegration(ctx, in.RestApiId, in.ResourceId, in.HttpMethod)
	if err != nil {
		return nil, err
	}
	r, err := executeapi.Part(i.IntegrationResponses, noStatus, in.StatusCode)
	return told[apigw.GetIntegrationResponseOutput](&r, err)
}

// UpdateIntegrationResponse changes how a method answers.
func (s *Service) UpdateIntegrationResponse(ctx context.Context, in *apigw.UpdateIntegrationResponseInput) (*apigw.UpdateIntegrationResponseOutput, error) {
	var r types.IntegrationResponse
	_, err := s.changeIntegration(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(i *types.Integration) (err error) {
		if r, err = executeapi.Part(i.IntegrationResponses, noStatus, in.StatusCode); err != nil {
			return err
		}
		if err := patch(&r, in.PatchOperations, "selectionPattern", "responseParameters", "responseTemplates", "contentHandling"); err != nil {
			return err
		}
		i.IntegrationResponses[*in.StatusCode] = r
		return checkResponse(&r)
	})
	return told[apigw.UpdateIntegrationResponseOutput](&r, err)
}

// DeleteIntegrationResponse deletes one of a method's answers.
func (s *Service) DeleteIntegrationResponse(ctx context.Context, in *apigw.DeleteIntegrationResponseInput) (*apigw.DeleteIntegrationResponseOutput, error) {
	_, err := s.changeIntegration(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(i *types.Integration) error {
		_, err := executeapi.Part(i.IntegrationResponses, noStatus, in.StatusCode)
		delete(i.IntegrationResponses, aws.ToString(in.StatusCode))
		return err
	})
	return &apigw.DeleteIntegrationResponseOutput{}, err
}
