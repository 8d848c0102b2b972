package apigatewayv2

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"ouro/cloud/executeapi"
)

func checkCors(c *types.Cors) error {
	if c == nil {
		return nil
	}
	if aws.ToBool(c.AllowCredentials) && slices.Contains(c.AllowOrigins, "*") {
		return badRequest("Allow-Origins cannot contain * when Allow-Credentials is true")
	}
	if n := aws.ToInt32(c.MaxAge); n < -1 || n > 86400 {
		return badRequest("Max-Age must be between -1 and 86400")
	}
	for _, o := range c.AllowOrigins {
		if o != "*" && !strings.HasPrefix(o, "http://") && !strings.HasPrefix(o, "https://") && !strings.Contains(o, "://") {
			return badRequest("Invalid format for origin. Origin should have a scheme: %s", o)
		}
	}
	return nil
}

// cors tells a browser what the API allows. Where CORS is configured, what the
// integration says of it does not count.
func (c *call) cors(a *executeapi.Answer) {
	conf := c.config.Cors
	if conf == nil {
		return
	}
	for name := range a.Header {
		if strings.HasPrefix(name, "Access-Control-") {
			a.Header.Del(name)
		}
	}
	origin := c.Request.Header.Get("Origin")
	if origin == "" || !slices.ContainsFunc(conf.AllowOrigins, func(o string) bool { return allows(o, origin) }) {
		return
	}
	allowed := origin
	if slices.Contains(conf.AllowOrigins, "*") {
		allowed = "*"
	}
	set := func(name, value string) {
		if value != "" {
			a.Header.Set(name, value)
		}
	}
	set("Access-Control-Allow-Origin", allowed)
	set("Access-Control-Expose-Headers", strings.Join(conf.ExposeHeaders, ","))
	if allowed != "*" {
		a.Header.Add("Vary", "Origin")
	}
	if aws.ToBool(conf.AllowCredentials) {
		set("Access-Control-Allow-Credentials", "true")
	}
	if !c.isPreflight() {
		return
	}
	set("Access-Control-Allow-Methods", strings.Join(conf.AllowMethods, ","))
	set("Access-Control-Allow-Headers", strings.Join(conf.AllowHeaders, ","))
	if conf.MaxAge != nil {
		set("Access-Control-Max-Age", strconv.Itoa(int(*conf.MaxAge)))
	}
}

// allows compares an origin with one of those allowed: *, https://*, or itself.
func allows(pattern, origin string) bool {
	if start, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(origin, start)
	}
	return strings.EqualFold(pattern, origin)
}
