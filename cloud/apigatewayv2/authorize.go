package apigatewayv2

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"ouro/cloud/executeapi"
)

// grant is what an authorizer said, and until when it counts.
type grant struct {
	allowed bool
	context map[string]any
	until   time.Time
}

const maxGrants = 1_000 // that are remembered

// authorize asks the route's authorizer. It gives the status to refuse with, or
// 0.
func (c *call) authorize(ctx context.Context) int {
	if c.match.route.AuthorizationType != types.AuthorizationTypeCustom {
		return 0
	}
	z, ok := c.config.Authorizers[aws.ToString(c.match.route.AuthorizerId)]
	if !ok {
		return http.StatusInternalServerError
	}
	identity, ok := c.identity(z.IdentitySource)
	if !ok {
		return http.StatusUnauthorized
	}
	g, err := c.ask(ctx, z, identity)
	if err != nil {
		c.log.authorizer = err.Error()
		return http.StatusInternalServerError
	}
	c.authority = g.context
	if !g.allowed {
		return http.StatusForbidden
	}
	return 0
}

// identity gives the values of the identity sources; ok is false if one is
// missing.
func (c *call) identity(sources []string) (values []string, ok bool) {
	for _, source := range sources {
		var v string
		switch {
		case strings.HasPrefix(source, "$request.header."):
			v = c.Headers().Get(strings.TrimPrefix(source, "$request.header."))
		case strings.HasPrefix(source, "$request.querystring."):
			v = c.query().Get(strings.TrimPrefix(source, "$request.querystring."))
		case strings.HasPrefix(source, "$stageVariables."):
			v = c.stage.StageVariables[strings.TrimPrefix(source, "$stageVariables.")]
		default:
			v = c.variable(strings.TrimPrefix(source, "$context."), executeapi.Answer{})
		}
		if v == "" {
			return nil, false
		}
		values = append(values, v)
	}
	return values, true
}

// ask calls the authorizer's function, unless what it said still counts.
func (c *call) ask(ctx context.Context, z types.Authorizer, identity []string) (grant, error) {
	s, ttl := c.service, time.Duration(aws.ToInt32(z.AuthorizerResultTtlInSeconds))*time.Second
	name := strings.Join(append([]string{c.API, c.Stage, *z.AuthorizerId}, identity...), "/")
	if ttl > 0 && len(identity) > 0 {
		s.mu.Lock()
		g, ok := s.granted[name]
		s.mu.Unlock()
		if ok && s.host.Now().Before(g.until) {
			return g, nil
		}
	}
	payload, err := executeapi.Invoke(ctx, s.host, c.Scope, *z.AuthorizerUri, aws.ToString(z.AuthorizerCredentialsArn), c.question(z, identity))
	if err != nil {
		return grant{}, err
	}
	g := grant{until: s.host.Now().Add(ttl)}
	if aws.ToBool(z.EnableSimpleResponses) {
		var simple struct {
			IsAuthorized bool           `json:"isAuthorized"`
			Context      map[string]any `json:"context"`
		}
		if err := json.Unmarshal(payload, &simple); err != nil {
			return g, err
		}
		g.allowed, g.context = simple.IsAuthorized, simple.Context
	} else if g.allowed, g.context, err = executeapi.Judge(payload, c.routeARN()); err != nil {
		return g, err
	}
	if ttl > 0 && len(identity) > 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.granted) >= maxGrants {
			clear(s.granted)
		}
		s.granted[name] = g
	}
	return g, nil
}

func (c *call) routeARN() string {
	key := aws.ToString(c.match.route.RouteKey)
	if verb, path, ok := strings.Cut(key, " "); ok {
		key = verb + path
	}
	return c.ARN(key)
}

// question is the event for an authorizer.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
func (c *call) question(z types.Authorizer, identity []string) map[string]any {
	if aws.ToString(z.AuthorizerPayloadFormatVersion) == "2.0" {
		e := c.eventV2()
		delete(e, "body")
		delete(e, "isBase64Encoded")
		e["type"], e["routeArn"], e["identitySource"] = "REQUEST", c.routeARN(), identity
		return e
	}
	e := c.eventV1()
	for _, name := range []string{"body", "isBase64Encoded", "multiValueHeaders", "multiValueQueryStringParameters"} {
		delete(e, name)
	}
	joined := strings.Join(identity, ",")
	e["type"], e["methodArn"], e["identitySource"], e["authorizationToken"] = "REQUEST", c.routeARN(), joined, joined
	return e
}
