package apigatewayv2

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"ouro/cloud/executeapi"
)

// grant is what an authorizer answered, and until when it counts. A policy is
// judged for each call, since another route may call for another answer.
type grant struct {
	payload []byte
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
	allowed, err := c.ask(ctx, z, identity)
	if err != nil {
		c.log.authorizer = err.Error()
		return http.StatusInternalServerError
	}
	if !allowed {
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

// ask tells whether the authorizer's function lets the call pass. The function
// is called unless what it answered to the same identity still counts.
func (c *call) ask(ctx context.Context, z types.Authorizer, identity []string) (allowed bool, err error) {
	s, ttl := c.service, time.Duration(aws.ToInt32(z.AuthorizerResultTtlInSeconds))*time.Second
	name := fmt.Sprintf("%q", append([]string{c.API, c.Stage, *z.AuthorizerId}, identity...))
	s.mu.Lock()
	g, known := s.granted[name]
	s.mu.Unlock()
	if known = known && ttl > 0 && len(identity) > 0 && s.host.Now().Before(g.until); !known {
		g.until = s.host.Now().Add(ttl)
		g.payload, err = executeapi.Invoke(ctx, s.host, c.Scope, *z.AuthorizerUri, aws.ToString(z.AuthorizerCredentialsArn), c.question(z, identity))
		if err != nil {
			return false, err
		}
	}
	if allowed, c.authority, err = c.judge(z, g.payload); err != nil || known {
		return allowed, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.granted) >= maxGrants {
		clear(s.granted)
	}
	s.granted[name] = g
	return allowed, nil
}

// judge reads an authorizer's answer: whether it allows the call, and what it
// says of the caller.
func (c *call) judge(z types.Authorizer, payload []byte) (bool, map[string]any, error) {
	if !aws.ToBool(z.EnableSimpleResponses) {
		verdict, said, err := executeapi.Judge(payload, c.routeARN())
		return verdict == executeapi.Allowed, said, err
	}
	var simple struct {
		IsAuthorized bool           `json:"isAuthorized"`
		Context      map[string]any `json:"context"`
	}
	err := json.Unmarshal(payload, &simple)
	return simple.IsAuthorized, simple.Context, err
}

// routeARN names what is called, by the method and path of the call, whatever
// the key of its route: policies allow and deny by them.
func (c *call) routeARN() string {
	return c.ARN(c.Request.Method + executeapi.Unescaped(c.inStage))
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
