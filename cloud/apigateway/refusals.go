package apigateway

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	apigw "github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"ouro/cloud/executeapi"
)

// refusal is an answer of API Gateway's own.
type refusal struct {
	kind    types.GatewayResponseType
	status  int
	err     string // in the header X-Amzn-Errortype
	message string
	body    string // with %s for the message in quotes
}

const (
	compact = `{"message":%s}`
	spaced  = `{"message": %s}` // as answers about integrations are written
	capital = `{"Message":%s}`  // as those about policies are
)

// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
var (
	noRoute        = refusal{types.GatewayResponseTypeMissingAuthenticationToken, 403, "MissingAuthenticationTokenException", "Missing Authentication Token", compact}
	noStage        = refusal{"", 403, "ForbiddenException", "Forbidden", compact}
	tooLarge       = refusal{types.GatewayResponseTypeRequestTooLarge, 413, "RequestTooLargeException", "Request Too Long", compact}
	throttled      = refusal{types.GatewayResponseTypeThrottled, 429, "TooManyRequestsException", "Too Many Requests", compact}
	unauthorized   = refusal{types.GatewayResponseTypeUnauthorized, 401, "UnauthorizedException", "Unauthorized", compact}
	denied         = refusal{types.GatewayResponseTypeAccessDenied, 403, "AccessDeniedException", "User is not authorized to access this resource", capital}
	explicitDenied = refusal{types.GatewayResponseTypeAccessDenied, 403, "AccessDeniedException", "User is not authorized to access this resource with an explicit deny", capital}
	authorizerFell = refusal{types.GatewayResponseTypeAuthorizerFailure, 500, "AuthorizerFailureException", "", compact}
	authorizerOdd  = refusal{types.GatewayResponseTypeAuthorizerConfigurationError, 500, "AuthorizerConfigurationException", "", compact}
	wrongMedia     = refusal{types.GatewayResponseTypeUnsupportedMediaType, 415, "BadRequestException", "Unsupported Media Type", spaced}
	misconfigured  = refusal{types.GatewayResponseTypeApiConfigurationError, 500, "InternalServerErrorException", "Internal server error", spaced}
	malformed      = refusal{types.GatewayResponseTypeDefault5xx, 502, "InternalServerErrorException", "Internal server error", spaced}
	unreachable    = refusal{types.GatewayResponseTypeIntegrationFailure, 504, "InternalServerErrorException", "Network error communicating with endpoint", spaced}
	timedOut       = refusal{types.GatewayResponseTypeIntegrationTimeout, 504, "InternalServerErrorException", "Endpoint request timed out", spaced}
	badRequestBody = refusal{types.GatewayResponseTypeDefault4xx, 400, "BadRequestException", "Bad Request", compact}
)

// refuse is API Gateway's own answer, as the API says that it is to be.
func (c *call) refuse(r refusal) executeapi.Answer {
	c.log.refusal = r
	own, custom := c.config.Responses[string(r.kind)]
	if group := map[bool]types.GatewayResponseType{true: types.GatewayResponseTypeDefault4xx, false: types.GatewayResponseTypeDefault5xx}[r.status < 500]; !custom && r.kind != "" {
		own = c.config.Responses[string(group)]
	}
	a := executeapi.Answer{Status: r.status, Header: http.Header{"Content-Type": {"application/json"}}}
	a.Header.Set("X-Amzn-Errortype", r.err)
	a.Body = []byte(strings.Replace(r.body, "%s", c.variable("error.messageString", a), 1))
	if n, err := strconv.Atoi(aws.ToString(own.StatusCode)); err == nil {
		a.Status = n
	}
	for name, from := range own.ResponseParameters {
		if name, ok := strings.CutPrefix(name, "gatewayresponse.header."); ok {
			a.Header.Set(name, oneLine(c.mapped(from)))
		}
	}
	if media, text, ok := pickTemplate(own.ResponseTemplates, c.Request.Header.Get("Accept")); ok {
		a.Header.Set("Content-Type", media)
		a.Body = []byte(c.render(text, a))
	}
	return a
}

func oneLine(s string) string { return strings.NewReplacer("\r", " ", "\n", " ").Replace(s) }

// standard are the answers that APIs have without saying so.
func standard(kind types.GatewayResponseType) types.GatewayResponse {
	g := types.GatewayResponse{ResponseType: kind, DefaultResponse: true, ResponseTemplates: map[string]string{"application/json": `{"message":$context.error.messageString}`}}
	for _, r := range []refusal{noRoute, tooLarge, throttled, unauthorized, denied, authorizerFell, authorizerOdd, wrongMedia, misconfigured, unreachable, timedOut} {
		if r.kind == kind {
			g.StatusCode = aws.String(strconv.Itoa(r.status))
		}
	}
	return g
}

func known(kind types.GatewayResponseType) error {
	for _, k := range kind.Values() {
		if k == kind {
			return nil
		}
	}
	return notFound("Invalid response type specified")
}

func checkGatewayResponse(g *types.GatewayResponse) error {
	if g.StatusCode != nil && !status().MatchString(*g.StatusCode) {
		return badRequest("Invalid HTTP status code: %s", *g.StatusCode)
	}
	for name := range g.ResponseParameters {
		if !strings.HasPrefix(name, "gatewayresponse.header.") {
			return badRequest("Invalid mapping expression specified: %s", name)
		}
	}
	if g.ResponseTemplates == nil {
		g.ResponseTemplates = standard(g.ResponseType).ResponseTemplates
	}
	return checkTemplates(g.ResponseTemplates)
}

// PutGatewayResponse sets an answer of API Gateway's own.
func (s *Service) PutGatewayResponse(ctx context.Context, in *apigw.PutGatewayResponseInput) (*apigw.PutGatewayResponseOutput, error) {
	g := types.GatewayResponse{}
	executeapi.Fill(&g, in)
	_, err := s.change(ctx, in.RestApiId, func(a *api) error {
		if err := known(g.ResponseType); err != nil {
			return err
		}
		if err := checkGatewayResponse(&g); err != nil {
			return err
		}
		a.Responses[string(g.ResponseType)] = g
		return nil
	})
	return told[apigw.PutGatewayResponseOutput](&g, err)
}

// gatewayResponse is what an API says, or what holds without that.
func (a *api) gatewayResponse(kind types.GatewayResponseType) types.GatewayResponse {
	if g, ok := a.Responses[string(kind)]; ok {
		return g
	}
	return standard(kind)
}

// GetGatewayResponse gives an answer of API Gateway's own.
func (s *Service) GetGatewayResponse(ctx context.Context, in *apigw.GetGatewayResponseInput) (*apigw.GetGatewayResponseOutput, error) {
	a, err := s.apis.Find(ctx, in.RestApiId)
	if err == nil {
		err = known(in.ResponseType)
	}
	g := a.gatewayResponse(in.ResponseType)
	return told[apigw.GetGatewayResponseOutput](&g, err)
}

// GetGatewayResponses lists API Gateway's own answers.
func (s *Service) GetGatewayResponses(ctx context.Context, in *apigw.GetGatewayResponsesInput) (*apigw.GetGatewayResponsesOutput, error) {
	a, err := s.apis.Find(ctx, in.RestApiId)
	if err != nil {
		return nil, err
	}
	all := map[string]types.GatewayResponse{}
	for _, kind := range types.GatewayResponseType("").Values() {
		all[string(kind)] = a.gatewayResponse(kind)
	}
	items, next := page(all, in.Position, in.Limit)
	return &apigw.GetGatewayResponsesOutput{Items: items, Position: next}, nil
}

// UpdateGatewayResponse changes an answer of API Gateway's own.
func (s *Service) UpdateGatewayResponse(ctx context.Context, in *apigw.UpdateGatewayResponseInput) (*apigw.UpdateGatewayResponseOutput, error) {
	var g types.GatewayResponse
	_, err := s.change(ctx, in.RestApiId, func(a *api) error {
		if err := known(in.ResponseType); err != nil {
			return err
		}
		g = a.gatewayResponse(in.ResponseType)
		g.DefaultResponse = false
		if err := patch(&g, in.PatchOperations, "statusCode", "responseParameters", "responseTemplates"); err != nil {
			return err
		}
		if err := checkGatewayResponse(&g); err != nil {
			return err
		}
		a.Responses[string(g.ResponseType)] = g
		return nil
	})
	return told[apigw.UpdateGatewayResponseOutput](&g, err)
}

// DeleteGatewayResponse brings the standard answer back.
func (s *Service) DeleteGatewayResponse(ctx context.Context, in *apigw.DeleteGatewayResponseInput) (*apigw.DeleteGatewayResponseOutput, error) {
	_, err := s.change(ctx, in.RestApiId, func(a *api) error {
		if _, ok := a.Responses[string(in.ResponseType)]; !ok {
			return notFound("Gateway response type not defined on api")
		}
		delete(a.Responses, string(in.ResponseType))
		return nil
	})
	return &apigw.DeleteGatewayResponseOutput{}, err
}
