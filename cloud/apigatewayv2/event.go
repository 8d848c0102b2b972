package apigatewayv2

import (
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/cloud/executeapi"
)

// isBinary tells which bodies events hold as base64: all but these.
func isBinary(media string) bool {
	if media == "" || strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+xml") {
		return false
	}
	switch media {
	case "application/json", "application/xml", "application/javascript":
		return false
	}
	return true
}

// eventV2 is the event of payload format 2.0.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func (c *call) eventV2() map[string]any {
	body, encoded := c.TextBody(isBinary)
	e := map[string]any{
		"version": "2.0", "routeKey": c.match.route.RouteKey, "rawPath": executeapi.Unescaped(c.Path), "rawQueryString": c.Request.URL.RawQuery,
		"headers": c.lowerHeaders(), "requestContext": c.contextV2(), "isBase64Encoded": encoded,
	}
	optional := map[string]any{
		"cookies": c.cookies(), "queryStringParameters": executeapi.Values(c.query(), executeapi.Joined), "body": body,
		"pathParameters": executeapi.OrNil(c.match.parameters), "stageVariables": executeapi.OrNil(c.stage.StageVariables),
	}
	for name, value := range optional {
		if value != nil {
			e[name] = value
		}
	}
	return e
}

func (c *call) contextV2() map[string]any {
	context := map[string]any{
		"accountId": c.Account, "apiId": c.API, "domainName": c.Domain, "domainPrefix": c.API, "requestId": c.ID,
		"routeKey": c.match.route.RouteKey, "stage": c.Stage, "time": c.Time(), "timeEpoch": c.Started.UnixMilli(),
		"http": map[string]any{
			"method": c.Request.Method, "path": executeapi.Unescaped(c.Path), "protocol": c.Request.Proto,
			"sourceIp": c.SourceIP, "userAgent": c.Request.UserAgent(),
		},
	}
	if c.authority != nil {
		context["authorizer"] = map[string]any{"lambda": c.authority}
	}
	return context
}

// lowerHeaders are the headers as format 2.0 has them: in lower case, several
// values with commas between, and without cookies, which stand apart.
func (c *call) lowerHeaders() map[string]string {
	out := map[string]string{}
	for name, values := range c.Headers() {
		if name != "Cookie" {
			out[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	return out
}

func (c *call) cookies() any {
	var list []string
	for _, line := range c.Request.Header.Values("Cookie") {
		for _, cookie := range strings.Split(line, ";") {
			list = append(list, strings.TrimSpace(cookie))
		}
	}
	if list == nil {
		return nil
	}
	return list
}

// eventV1 is the event of payload format 1.0.
func (c *call) eventV1() map[string]any {
	body, encoded := c.TextBody(isBinary)
	headers := c.Headers()
	resource := aws.ToString(c.match.route.RouteKey)
	if _, path, ok := strings.Cut(resource, " "); ok {
		resource = path
	}
	return map[string]any{
		"version": "1.0", "resource": resource, "path": executeapi.Unescaped(c.Path), "httpMethod": c.Request.Method,
		"headers": executeapi.Values(headers, executeapi.Last), "multiValueHeaders": executeapi.Multi(headers),
		"queryStringParameters": executeapi.Values(c.query(), executeapi.Last), "multiValueQueryStringParameters": executeapi.Multi(c.query()),
		"pathParameters": executeapi.OrNil(c.match.parameters), "stageVariables": executeapi.OrNil(c.stage.StageVariables),
		"requestContext": c.contextV1(resource), "body": body, "isBase64Encoded": encoded,
	}
}

func (c *call) contextV1(resource string) map[string]any {
	context := map[string]any{
		"accountId": c.Account, "apiId": c.API, "domainName": c.Domain, "domainPrefix": c.API,
		"requestId": c.ID, "extendedRequestId": c.ID, "httpMethod": c.Request.Method, "path": executeapi.Unescaped(c.Path), "protocol": c.Request.Proto,
		"requestTime": c.Time(), "requestTimeEpoch": c.Started.UnixMilli(), "resourceId": c.match.route.RouteKey, "resourcePath": resource,
		"stage": c.Stage, "identity": map[string]any{"sourceIp": c.SourceIP, "userAgent": c.Request.UserAgent()},
	}
	if c.authority != nil {
		context["authorizer"] = c.authority
	}
	return context
}

// isPreflight tells a browser's question whether it may call from another
// origin, which API Gateway answers itself where it is told about CORS.
func (c *call) isPreflight() bool {
	h := c.Request.Header
	return c.config.Cors != nil && c.Request.Method == http.MethodOptions && h.Get("Origin") != "" && h.Get("Access-Control-Request-Method") != ""
}
