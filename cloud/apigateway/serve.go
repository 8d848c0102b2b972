package apigateway

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"ouro/cloud/executeapi"
)

// call is one call of an API, on its way.
type call struct {
	*executeapi.Exchange
	service    *Service
	stage      types.Stage
	config     config
	inStage    string // the path without the stage
	resource   types.Resource
	method     types.Method
	parameters map[string]string // of the path
	authority  map[string]any    // what the authorizer said
	log        logged
}

// logged is what only access logs and answers of API Gateway's own tell.
type logged struct {
	refusal           refusal
	integration       string // what went wrong there
	integrationStatus int
	latency           time.Duration
	authorizer        string
}

// ServeAPI answers a call.
func (s *Service) ServeAPI(w http.ResponseWriter, r *http.Request, at executeapi.Place) {
	x, begun := executeapi.Begin(s.host, r, at)
	c := &call{Exchange: x, service: s}
	w.Header().Set("X-Amzn-Requestid", x.ID)
	w.Header().Set("X-Amz-Apigw-Id", x.ID)
	a, err := s.apis.At(r.Context(), at)
	if err != nil || a.DisableExecuteApiEndpoint || !c.pickStage(a) {
		c.refuse(noStage).Write(w)
		return
	}
	answer := c.answer(r.Context(), begun)
	answer.Write(w)
	c.writeLog(answer)
}

// pickStage finds the stage that a path begins with.
func (c *call) pickStage(a api) bool {
	name, rest, _ := strings.Cut(strings.TrimPrefix(c.Path, "/"), "/")
	st, ok := a.Stages[name]
	c.Stage, c.stage, c.inStage, c.config = name, st, "/"+rest, a.Deployments[aws.ToString(st.DeploymentId)].Config
	return ok
}

// answer is the whole way of a call.
func (c *call) answer(ctx context.Context, begun error) executeapi.Answer {
	switch {
	case errors.Is(begun, executeapi.ErrTooLarge):
		return c.refuse(tooLarge)
	case begun != nil:
		return c.refuse(badRequestBody)
	case !c.route():
		return c.refuse(noRoute)
	case !c.admitted():
		return c.refuse(throttled)
	}
	if r, ok := c.authorize(ctx); !ok {
		return c.refuse(r)
	}
	i := c.method.MethodIntegration
	ctx, cancel := context.WithTimeout(ctx, time.Duration(i.TimeoutInMillis)*time.Millisecond)
	defer cancel()
	started := time.Now()
	answer, err := c.integrate(ctx, i)
	c.log.latency = time.Since(started)
	var r refusal
	switch {
	case err == nil:
		c.log.integrationStatus = answer.Status
		return answer
	case ctx.Err() != nil:
		r = timedOut
	case errors.Is(err, executeapi.ErrFunction), errors.Is(err, executeapi.ErrMalformed):
		r = malformed
	case errors.Is(err, errMedia):
		r = wrongMedia
	case i.Type == types.IntegrationTypeHttpProxy:
		r = unreachable
	default:
		r = misconfigured
	}
	c.log.integration = err.Error()
	return c.refuse(r)
}

// route finds the method for a call: of the resources whose path fits, the one
// that says the most of it, if it has the method, or any.
func (c *call) route() bool {
	best, found := "", false
	for _, id := range slices.Sorted(maps.Keys(c.config.Resources)) {
		r := c.config.Resources[id]
		if len(r.ResourceMethods) == 0 {
			continue
		}
		parameters, rank, ok := executeapi.MatchPath(*r.Path, c.inStage)
		if ok && (!found || rank > best) {
			best, found = rank, true
			c.resource, c.parameters = r, parameters
		}
	}
	for _, verb := range []string{c.Request.Method, "ANY"} {
		if m, ok := c.resource.ResourceMethods[verb]; ok {
			c.method = m
			return true
		}
	}
	return false
}

// accountRate is how many calls a second an account may make, where a stage
// says only how many at once.
const accountRate = 10_000

// admitted takes a token for the call, where the stage limits its methods.
func (c *call) admitted() bool {
	key := settingKey(*c.resource.Path + "/" + *c.method.HttpMethod)
	if *c.resource.Path == "/" {
		key = *c.method.HttpMethod
	}
	limits, ok := c.stage.MethodSettings[key]
	if !ok {
		key = "*/*"
		limits, ok = c.stage.MethodSettings[key]
	}
	if !ok || limits.ThrottlingRateLimit == unlimited && limits.ThrottlingBurstLimit == unlimited {
		return true
	}
	rate, burst := limits.ThrottlingRateLimit, float64(limits.ThrottlingBurstLimit)
	if rate == unlimited {
		rate = accountRate
	}
	if burst == unlimited {
		burst = max(rate, 1)
	}
	return c.service.throttle.Take(c.API+"/"+c.Stage+"/"+key, rate, burst, c.service.host.Now())
}

// query is the parameters behind the path.
func (c *call) query() url.Values { return c.Request.URL.Query() }
