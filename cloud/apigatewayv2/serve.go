package apigatewayv2

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"ouro/cloud/executeapi"
)

// call is one call of an API, on its way.
type call struct {
	*executeapi.Exchange
	service   *Service
	stage     types.Stage
	config    config
	inStage   string // the path without the stage
	match     match
	authority map[string]any // what the authorizer said
	log       logged
}

// logged is what only access logs tell of a call.
type logged struct {
	problem           string // of API Gateway's own answer
	integration       string // what went wrong there
	integrationStatus int
	latency           time.Duration
	authorizer        string
}

// ServeAPI answers a call.
func (s *Service) ServeAPI(w http.ResponseWriter, r *http.Request, at executeapi.Place) {
	a, err := s.apis.At(r.Context(), at)
	if err != nil || aws.ToBool(a.DisableExecuteApiEndpoint) {
		executeapi.WriteMessage(w, http.StatusNotFound, "Not Found")
		return
	}
	x, err := executeapi.Begin(s.host, r, at)
	w.Header().Set("Apigw-Requestid", x.ID)
	if errors.Is(err, executeapi.ErrTooLarge) {
		executeapi.WriteMessage(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	}
	if err != nil {
		executeapi.WriteMessage(w, http.StatusBadRequest, "Bad Request")
		return
	}
	c := &call{Exchange: x, service: s}
	if !c.pickStage(a) {
		executeapi.WriteMessage(w, http.StatusNotFound, "Not Found")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), executeapi.MaxTime)
	defer cancel()
	answer := c.answer(ctx)
	c.cors(&answer)
	answer.Write(w)
	c.writeLog(answer)
}

// pickStage finds the stage that a path begins with, or the default one.
func (c *call) pickStage(a api) bool {
	first, rest, _ := strings.Cut(strings.TrimPrefix(c.Path, "/"), "/")
	name, inStage := first, "/"+rest
	st, ok := a.Stages[name]
	if !ok || name == defaultStage {
		name, inStage = defaultStage, c.Path
		if st, ok = a.Stages[name]; !ok {
			return false
		}
	}
	d, ok := a.Deployments[aws.ToString(st.DeploymentId)]
	c.Stage, c.stage, c.inStage, c.config = name, st, inStage, d.Config
	return ok
}

// answer is the whole way of a call.
func (c *call) answer(ctx context.Context) executeapi.Answer {
	if c.isPreflight() {
		return executeapi.Answer{Status: http.StatusNoContent, Header: http.Header{}}
	}
	var ok bool
	if c.match, ok = c.config.route(c.Request.Method, c.inStage); !ok {
		return c.refuse(http.StatusNotFound, "Not Found")
	}
	if !c.admitted() {
		return c.refuse(http.StatusTooManyRequests, "Too Many Requests")
	}
	if status := c.authorize(ctx); status != 0 {
		return c.refuse(status, map[int]string{401: "Unauthorized", 403: "Forbidden", 500: "Internal Server Error"}[status])
	}
	_, id, _ := strings.Cut(aws.ToString(c.match.route.Target), "/")
	i, ok := c.config.Integrations[id]
	if !ok { // a route without a target
		return c.refuse(http.StatusInternalServerError, "Internal Server Error")
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(*i.TimeoutInMillis)*time.Millisecond)
	defer cancel()
	started := time.Now()
	answer, err := c.integrate(ctx, i)
	c.log.latency = time.Since(started)
	if err == nil {
		c.log.integrationStatus = answer.Status
		return answer
	}
	c.log.integration = err.Error()
	if ctx.Err() != nil {
		return c.refuse(http.StatusServiceUnavailable, "Service Unavailable")
	}
	return c.refuse(http.StatusInternalServerError, "Internal Server Error")
}

func (c *call) integrate(ctx context.Context, i types.Integration) (executeapi.Answer, error) {
	uri := executeapi.Substitute(aws.ToString(i.IntegrationUri), c.stage.StageVariables)
	if i.IntegrationType == types.IntegrationTypeHttpProxy {
		return executeapi.Forward(ctx, c.Exchange, aws.ToString(i.IntegrationMethod), uri, c.match.parameters)
	}
	event, form := c.eventV1(), executeapi.Form1
	if aws.ToString(i.PayloadFormatVersion) == "2.0" {
		event, form = c.eventV2(), executeapi.Form2
	}
	payload, err := executeapi.Invoke(ctx, c.service.host, c.Scope, uri, aws.ToString(i.CredentialsArn), event)
	if err != nil {
		return executeapi.Answer{}, err
	}
	return executeapi.FromFunction(payload, form, "text/plain;charset=UTF-8")
}

// refuse is API Gateway's own answer.
func (c *call) refuse(status int, message string) executeapi.Answer {
	c.log.problem = message
	return executeapi.Message(status, message)
}

// admitted takes a token for the call, where the stage limits its routes.
func (c *call) admitted() bool {
	key := aws.ToString(c.match.route.RouteKey)
	limits, of := c.stage.DefaultRouteSettings, "stage"
	if own, ok := c.stage.RouteSettings[key]; ok && own.ThrottlingRateLimit != nil {
		limits, of = &own, key
	}
	if limits == nil || limits.ThrottlingRateLimit == nil {
		return true
	}
	burst := float64(aws.ToInt32(limits.ThrottlingBurstLimit))
	if limits.ThrottlingBurstLimit == nil {
		burst = max(*limits.ThrottlingRateLimit, 1)
	}
	return c.service.throttle.Take(c.API+"/"+c.Stage+"/"+of, *limits.ThrottlingRateLimit, burst, c.service.host.Now())
}

// query is the parameters behind the path.
func (c *call) query() url.Values { return c.Request.URL.Query() }
