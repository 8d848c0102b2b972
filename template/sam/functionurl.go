package sam

import (
	"slices"

	"ouro/template"
)

// corsTypes are the properties of FunctionUrlConfig's Cors and what they are.
var corsTypes = map[string]struct {
	kind template.Kind
	said string
}{
	"AllowOrigins":     {template.List, "list"},
	"AllowMethods":     {template.List, "list"},
	"AllowCredentials": {template.Bool, "bool"},
	"AllowHeaders":     {template.List, "list"},
	"ExposeHeaders":    {template.List, "list"},
	"MaxAge":           {template.Number, "int"},
}

// functionURL makes the function's own address, and lets everybody use it when
// it asks for no authentication.
func (c *context) functionURL(r *resource, calls target) {
	config := r.get("FunctionUrlConfig")
	if !truthy(config) {
		return
	}
	if !isFunction(config) {
		c.checkURL(r, config)
	}
	p := at(config.Pos)
	auth := get(config, "AuthType")
	props := p.obj("AuthType", clone(auth), "TargetFunctionArn", clone(calls.name), "InvokeMode", clone(get(config, "InvokeMode")))
	if cors := get(config, "Cors"); truthy(cors) {
		set(props, "Cors", clone(cors))
	}
	c.add(r, r.id+"Url", "AWS::Lambda::Url", props)
	if auth.Scalar() != "NONE" {
		return
	}
	c.add(r, r.id+"UrlPublicPermissions", "AWS::Lambda::Permission", p.obj("Action", "lambda:InvokeFunctionUrl",
		"FunctionName", clone(calls.name), "Principal", "*", "FunctionUrlAuthType", "NONE"))
	c.add(r, r.id+"URLInvokeAllowPublicAccess", "AWS::Lambda::Permission", p.obj("Action", "lambda:InvokeFunction",
		"FunctionName", clone(calls.name), "Principal", "*", "InvokedViaFunctionUrl", true))
}

func (c *context) checkURL(r *resource, config *node) {
	auth := get(config, "AuthType")
	if !isFunction(auth) && !slices.Contains([]string{"AWS_IAM", "NONE"}, auth.Scalar()) {
		c.invalid(config, r.id, "AuthType is required to configure function property `FunctionUrlConfig`. Please provide either AWS_IAM or NONE.")
	}
	cors := get(config, "Cors")
	if !truthy(cors) || isFunction(cors) {
		return
	}
	if !isMap(cors) {
		c.invalid(cors, r.id, "Property 'FunctionUrlConfig.Cors' should be a map.")
	}
	for name, v := range entries(cors) {
		want, ok := corsTypes[name]
		if !ok {
			c.invalid(v, r.id, "%s is not a valid property for configuring Cors.", name)
		} else if !isFunction(v) && v.Kind != want.kind {
			c.invalid(v, r.id, "%s must be of type %s.", name, want.said)
		}
	}
}
