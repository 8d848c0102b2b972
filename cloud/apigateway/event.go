package apigateway

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/cloud/executeapi"
)

// event is what functions get of a call.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
func (c *call) event() map[string]any {
	e := c.request()
	e["body"], e["isBase64Encoded"] = c.TextBody(c.isBinary)
	return e
}

// request is the event without the body, as authorizers get it too.
func (c *call) request() map[string]any {
	headers := c.Headers()
	return map[string]any{
		"resource": c.resource.Path, "path": executeapi.Unescaped(c.inStage), "httpMethod": c.Request.Method,
		"headers": executeapi.Values(headers, executeapi.Last), "multiValueHeaders": executeapi.Multi(headers),
		"queryStringParameters": executeapi.Values(c.query(), executeapi.Last), "multiValueQueryStringParameters": executeapi.Multi(c.query()),
		"pathParameters": executeapi.OrNil(c.parameters), "stageVariables": executeapi.OrNil(c.stage.Variables),
		"requestContext": c.context(),
	}
}

func (c *call) context() map[string]any {
	identity := map[string]any{"sourceIp": c.SourceIP, "userAgent": c.Request.UserAgent()}
	for _, name := range []string{"accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType",
		"cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId", "user", "userArn"} {
		identity[name] = nil // nobody signs
	}
	context := map[string]any{
		"accountId": c.Account, "apiId": c.API, "deploymentId": c.stage.DeploymentId, "domainName": c.Domain, "domainPrefix": c.API,
		"requestId": c.ID, "extendedRequestId": c.ID, "httpMethod": c.Request.Method, "path": executeapi.Unescaped(c.Path), "protocol": c.Request.Proto,
		"requestTime": c.Time(), "requestTimeEpoch": c.Started.UnixMilli(), "resourceId": c.resource.Id, "resourcePath": c.resource.Path,
		"stage": c.Stage, "identity": identity,
	}
	if c.authority != nil {
		said := map[string]any{}
		for name, v := range c.authority {
			said[name] = executeapi.Text(v)
		}
		context["authorizer"] = said
	}
	return context
}

// writeLog writes the line for a call, where the stage asks for one.
func (c *call) writeLog(a executeapi.Answer) {
	l := c.stage.AccessLogSettings
	if l == nil || l.DestinationArn == nil || l.Format == nil {
		return
	}
	line := executeapi.Format(*l.Format, func(name string) string { return c.variable(name, a) })
	c.service.logs.Write(c.Exchange, *l.DestinationArn, line)
}

// variable is the value of $context.NAME.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
func (c *call) variable(name string, a executeapi.Answer) string {
	if key, ok := strings.CutPrefix(name, "authorizer."); ok && key != "error" {
		return executeapi.Text(c.authority[key])
	}
	number := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	message := "null"
	if c.log.refusal.message != "" {
		message = strconv.Quote(c.log.refusal.message)
	}
	values := map[string]string{
		"accountId": c.Account, "apiId": c.API, "deploymentId": aws.ToString(c.stage.DeploymentId), "domainName": c.Domain, "domainPrefix": c.API,
		"requestId": c.ID, "extendedRequestId": c.ID, "httpMethod": c.Request.Method, "path": executeapi.Unescaped(c.Path), "protocol": c.Request.Proto,
		"requestTime": c.Time(), "requestTimeEpoch": strconv.FormatInt(c.Started.UnixMilli(), 10),
		"resourceId": aws.ToString(c.resource.Id), "resourcePath": aws.ToString(c.resource.Path), "stage": c.Stage,
		"identity.sourceIp": c.SourceIP, "identity.userAgent": c.Request.UserAgent(),
		"status": number(int64(a.Status)), "responseLength": strconv.Itoa(len(a.Body)),
		"responseLatency": strconv.FormatInt(c.service.host.Now().Sub(c.Started).Milliseconds(), 10),
		"error.message":   c.log.refusal.message, "error.messageString": message, "error.responseType": string(c.log.refusal.kind),
		"integrationErrorMessage": c.log.integration, "integration.error": c.log.integration,
		"integrationLatency": number(c.log.latency.Milliseconds()), "integration.latency": number(c.log.latency.Milliseconds()),
		"integrationStatus": number(int64(c.log.integrationStatus)), "integration.status": number(int64(c.log.integrationStatus)),
		"authorizer.error": c.log.authorizer,
	}
	return values[name]
}
