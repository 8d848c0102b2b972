package apigatewayv2

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/cloud/executeapi"
)

// writeLog writes the line for a call, where the stage asks for one.
func (c *call) writeLog(a executeapi.Answer) {
	l := c.stage.AccessLogSettings
	if l == nil {
		return
	}
	line := executeapi.Format(aws.ToString(l.Format), func(name string) string { return c.variable(name, a) })
	c.service.logs.Write(c.Exchange, aws.ToString(l.DestinationArn), line)
}

// variable is the value of $context.NAME.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
func (c *call) variable(name string, a executeapi.Answer) string {
	if key, ok := strings.CutPrefix(name, "authorizer."); ok && key != "error" {
		return executeapi.Text(c.authority[key])
	}
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	millis := strconv.FormatInt(c.log.latency.Milliseconds(), 10)
	if c.log.latency == 0 {
		millis = ""
	}
	quoted := ""
	if c.log.problem != "" {
		quoted = strconv.Quote(c.log.problem)
	}
	values := map[string]string{
		"accountId": c.Account, "apiId": c.API, "awsEndpointRequestId": "", "domainName": c.Domain, "domainPrefix": c.API,
		"extendedRequestId": c.ID, "requestId": c.ID, "httpMethod": c.Request.Method, "path": executeapi.Unescaped(c.Path), "protocol": c.Request.Proto,
		"requestTime": c.Time(), "requestTimeEpoch": strconv.FormatInt(c.Started.UnixMilli(), 10), "stage": c.Stage,
		"routeKey": aws.ToString(c.match.route.RouteKey), "status": number(a.Status), "responseLength": strconv.Itoa(len(a.Body)),
		"responseLatency":   strconv.FormatInt(c.service.host.Now().Sub(c.Started).Milliseconds(), 10),
		"identity.sourceIp": c.SourceIP, "identity.userAgent": c.Request.UserAgent(),
		"error.message": c.log.problem, "error.messageString": quoted, "error.responseType": strings.ToUpper(strings.ReplaceAll(c.log.problem, " ", "_")),
		"integrationErrorMessage": c.log.integration, "integration.error": c.log.integration, "integrationLatency": millis, "integration.latency": millis,
		"integrationStatus": number(c.log.integrationStatus), "integration.status": number(c.log.integrationStatus),
		"integration.integrationStatus": number(c.log.integrationStatus), "authorizer.error": c.log.authorizer,
	}
	return values[name]
}
