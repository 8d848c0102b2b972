package apigateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"ouro/cloud/executeapi"
	"ouro/regex"
)

// grant is what an authorizer said, and until when it counts. Its policy is
// read anew for each method that is called.
type grant struct {
	payload []byte
	until   time.Time
}

const maxGrants = 1_000 // that are remembered

// authorize asks the method's authorizer. If it does not let the caller in, it
// gives what to refuse with.
func (c *call) authorize(ctx context.Context) (r refusal, ok bool) {
	if aws.ToString(c.method.AuthorizationType) != "CUSTOM" {
		return refusal{}, true
	}
	z, ok := c.config.Authorizers[aws.ToString(c.method.AuthorizerId)]
	if !ok {
		return authorizerOdd, false
	}
	identity, ok := c.identity(z)
	if !ok {
		return unauthorized, false
	}
	payload, err := c.ask(ctx, z, identity)
	if err != nil {
		c.log.authorizer = err.Error()
		if errors.Is(err, errUnauthorized) {
			return unauthorized, false
		}
		return authorizerFell, false
	}
	verdict, said, err := executeapi.Judge(payload, c.methodARN())
	if err != nil {
		c.log.authorizer = err.Error()
		return authorizerOdd, false
	}
	c.authority = said
	switch verdict {
	case executeapi.Allowed:
		return refusal{}, true
	case executeapi.Denied:
		return explicitDenied, false
	}
	return denied, false
}

// identity gives the values of the identity sources; ok is false if one is
// missing, or not as it should be.
func (c *call) identity(z types.Authorizer) (values []string, ok bool) {
	for _, source := range identitySources(&z) {
		v := c.mapped(source)
		if v == "" {
			return nil, false
		}
		values = append(values, v)
	}
	if pattern := aws.ToString(z.IdentityValidationExpression); pattern != "" && z.Type == types.AuthorizerTypeToken {
		fits, err := regex.Java(pattern)
		if err != nil {
			return nil, false
		}
		if ok, err := fits(strings.Join(values, ",")); err != nil || !ok {
			return nil, false
		}
	}
	return values, true
}

// errUnauthorized is what a function means that fails with this very word.
var errUnauthorized = errors.New("Unauthorized")

// ask calls the authorizer's function, unless what it said still counts.
func (c *call) ask(ctx context.Context, z types.Authorizer, identity []string) ([]byte, error) {
	s, ttl := c.service, time.Duration(aws.ToInt32(z.AuthorizerResultTtlInSeconds))*time.Second
	name := fmt.Sprintf("%q", append([]string{c.API, c.Stage, *z.Id}, identity...))
	cached := ttl > 0 && len(identity) > 0
	if cached {
		s.mu.Lock()
		g, ok := s.granted[name]
		s.mu.Unlock()
		if ok && s.host.Now().Before(g.until) {
			return g.payload, nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, maxMillis*time.Millisecond)
	defer cancel()
	uri := executeapi.Substitute(*z.AuthorizerUri, c.stage.Variables)
	payload, err := executeapi.Invoke(ctx, s.host, c.Scope, uri, aws.ToString(z.AuthorizerCredentials), c.question(z, identity))
	var failed *executeapi.FunctionError
	if errors.As(err, &failed) && failed.Message == errUnauthorized.Error() {
		return nil, errUnauthorized
	}
	if err != nil {
		return nil, err
	}
	if cached {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.granted) >= maxGrants {
			clear(s.granted)
		}
		s.granted[name] = grant{payload, s.host.Now().Add(ttl)}
	}
	return payload, nil
}

func (c *call) methodARN() string { return c.ARN(c.Request.Method + executeapi.Unescaped(c.inStage)) }

// question is the event for an authorizer.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
func (c *call) question(z types.Authorizer, identity []string) map[string]any {
	if z.Type == types.AuthorizerTypeToken {
		return map[string]any{"type": "TOKEN", "authorizationToken": strings.Join(identity, ","), "methodArn": c.methodARN()}
	}
	e := c.request()
	e["type"], e["methodArn"] = "REQUEST", c.methodARN()
	return e
}
