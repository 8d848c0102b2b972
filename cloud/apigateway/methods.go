package apigateway

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	apigw "github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"ouro/cloud/executeapi"
	"ouro/regex"
)

var verbs = []string{"GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY"}

// status is a status code of a response.
var status = regex.New(`^[1-5]\d\d$`)

// checkMethod holds a method against its API and what the local cloud serves.
func (a *api) checkMethod(m *types.Method) error {
	switch {
	case !slices.Contains(verbs, aws.ToString(m.HttpMethod)):
		return badRequest("Invalid HttpMethod specified. Valid options are %s", strings.Join(verbs, ","))
	case aws.ToBool(m.ApiKeyRequired):
		return badRequest("API keys are not supported by the local cloud: a method that requires one would answer nobody")
	case m.RequestValidatorId != nil:
		return badRequest("Request validators are not supported by the local cloud")
	}
	m.ApiKeyRequired = aws.Bool(false)
	switch kind := aws.ToString(m.AuthorizationType); kind {
	case "NONE":
		m.AuthorizerId = nil
	case "CUSTOM":
		if _, ok := a.Authorizers[aws.ToString(m.AuthorizerId)]; !ok {
			return badRequest("Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.")
		}
	case "AWS_IAM", "COGNITO_USER_POOLS":
		return badRequest("Methods with the authorization type %s are not supported by the local cloud; CUSTOM, with a Lambda authorizer, is", kind)
	default:
		return badRequest("Invalid authorization type specified. Valid options are NONE,AWS_IAM,CUSTOM,COGNITO_USER_POOLS")
	}
	return nil
}

// method gives a method of a resource.
func (a *api) method(resource, verb *string) (types.Method, error) {
	r, err := executeapi.Part(a.Resources, "Resource", resource)
	if err != nil {
		return types.Method{}, err
	}
	return executeapi.Part(r.ResourceMethods, "Method", verb)
}

func (a *api) setMethod(resource string, m types.Method) {
	r := a.Resources[resource]
	if r.ResourceMethods == nil {
		r.ResourceMethods = map[string]types.Method{}
	}
	r.ResourceMethods[*m.HttpMethod] = m
	a.Resources[resource] = r
}

// changeMethod changes a method that is there.
func (s *Service) changeMethod(ctx context.Context, id, resource, verb *string, f func(*api, *types.Method) error) (types.Method, error) {
	var m types.Method
	_, err := s.change(ctx, id, func(a *api) (err error) {
		if m, err = a.method(resource, verb); err != nil {
			return err
		}
		if err := f(a, &m); err != nil {
			return err
		}
		a.setMethod(*resource, m)
		return nil
	})
	return m, err
}

// PutMethod makes a method.
func (s *Service) PutMethod(ctx context.Context, in *apigw.PutMethodInput) (*apigw.PutMethodOutput, error) {
	m := types.Method{ApiKeyRequired: &in.ApiKeyRequired}
	executeapi.Fill(&m, in)
	_, err := s.change(ctx, in.RestApiId, func(a *api) error {
		r, err := executeapi.Part(a.Resources, "Resource", in.ResourceId)
		if err != nil {
			return err
		}
		if err := a.checkMethod(&m); err != nil {
			return err
		}
		if _, exists := r.ResourceMethods[*m.HttpMethod]; exists {
			return conflict("Method already exists for this resource")
		}
		a.setMethod(*in.ResourceId, m)
		return nil
	})
	return told[apigw.PutMethodOutput](&m, err)
}

// GetMethod gives a method.
func (s *Service) GetMethod(ctx context.Context, in *apigw.GetMethodInput) (*apigw.GetMethodOutput, error) {
	a, err := s.apis.Find(ctx, in.RestApiId)
	if err != nil {
		return nil, err
	}
	m, err := a.method(in.ResourceId, in.HttpMethod)
	return told[apigw.GetMethodOutput](&m, err)
}

// UpdateMethod changes a method.
func (s *Service) UpdateMethod(ctx context.Context, in *apigw.UpdateMethodInput) (*apigw.UpdateMethodOutput, error) {
	m, err := s.changeMethod(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(a *api, m *types.Method) error {
		if err := patch(m, in.PatchOperations, "authorizationType", "authorizerId", "authorizationScopes", "apiKeyRequired",
			"operationName", "requestParameters", "requestModels", "requestValidatorId"); err != nil {
			return err
		}
		return a.checkMethod(m)
	})
	return told[apigw.UpdateMethodOutput](&m, err)
}

// DeleteMethod deletes a method.
func (s *Service) DeleteMethod(ctx context.Context, in *apigw.DeleteMethodInput) (*apigw.DeleteMethodOutput, error) {
	_, err := s.change(ctx, in.RestApiId, func(a *api) error {
		if _, err := a.method(in.ResourceId, in.HttpMethod); err != nil {
			return err
		}
		delete(a.Resources[*in.ResourceId].ResourceMethods, *in.HttpMethod)
		return nil
	})
	return &apigw.DeleteMethodOutput{}, err
}

const noStatus = "Response status code" // in the sentence about a missing response

// PutMethodResponse declares a response of a method.
func (s *Service) PutMethodResponse(ctx context.Context, in *apigw.PutMethodResponseInput) (*apigw.PutMethodResponseOutput, error) {
	r := types.MethodResponse{}
	executeapi.Fill(&r, in)
	_, err := s.changeMethod(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(_ *api, m *types.Method) error {
		if !status().MatchString(aws.ToString(r.StatusCode)) {
			return badRequest("Invalid HTTP status code: %s", aws.ToString(r.StatusCode))
		}
		if _, exists := m.MethodResponses[*r.StatusCode]; exists {
			return conflict("Response already exists for this resource")
		}
		if m.MethodResponses == nil {
			m.MethodResponses = map[string]types.MethodResponse{}
		}
		m.MethodResponses[*r.StatusCode] = r
		return nil
	})
	return told[apigw.PutMethodResponseOutput](&r, err)
}

// GetMethodResponse gives a declared response of a method.
func (s *Service) GetMethodResponse(ctx context.Context, in *apigw.GetMethodResponseInput) (*apigw.GetMethodResponseOutput, error) {
	a, err := s.apis.Find(ctx, in.RestApiId)
	if err != nil {
		return nil, err
	}
	m, err := a.method(in.ResourceId, in.HttpMethod)
	if err != nil {
		return nil, err
	}
	r, err := executeapi.Part(m.MethodResponses, noStatus, in.StatusCode)
	return told[apigw.GetMethodResponseOutput](&r, err)
}

// UpdateMethodResponse changes a declared response of a method.
func (s *Service) UpdateMethodResponse(ctx context.Context, in *apigw.UpdateMethodResponseInput) (*apigw.UpdateMethodResponseOutput, error) {
	var r types.MethodResponse
	_, err := s.changeMethod(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(_ *api, m *types.Method) (err error) {
		if r, err = executeapi.Part(m.MethodResponses, noStatus, in.StatusCode); err != nil {
			return err
		}
		if err := patch(&r, in.PatchOperations, "responseModels", "responseParameters"); err != nil {
			return err
		}
		m.MethodResponses[*in.StatusCode] = r
		return nil
	})
	return told[apigw.UpdateMethodResponseOutput](&r, err)
}

// DeleteMethodResponse deletes a declared response of a method.
func (s *Service) DeleteMethodResponse(ctx context.Context, in *apigw.DeleteMethodResponseInput) (*apigw.DeleteMethodResponseOutput, error) {
	_, err := s.changeMethod(ctx, in.RestApiId, in.ResourceId, in.HttpMethod, func(_ *api, m *types.Method) error {
		_, err := executeapi.Part(m.MethodResponses, noStatus, in.StatusCode)
		delete(m.MethodResponses, aws.ToString(in.StatusCode))
		return err
	})
	return &apigw.DeleteMethodResponseOutput{}, err
}
