package sam

import (
	"strings"

	"ouro/regex"
)

var httpEventKind = eventKind{
	properties: []property{
		{name: "Path", shape: aString},
		{name: "Method", shape: aString},
		{name: "ApiId", shape: aString},
		{name: "Stage", shape: aString},
		{name: "Auth", shape: aMap},
		{name: "TimeoutInMillis", shape: anInt},
		{name: "RouteSettings", shape: aMap},
		{name: "PayloadFormatVersion", shape: aString},
	},
	translate: httpEvent,
}

// httpRoute is an event of a function as a route of an HTTP API.
type httpRoute struct {
	*event
	api          *resource
	body         *body
	path, method *value
	auth         *value
}

// httpEvent lets an HTTP API invoke a function.
func httpEvent(c *context, e *event) {
	r := &httpRoute{
		event: e, api: c.find(apiID(e.get("ApiId"))), auth: fromNode(e.get("Auth")),
		path: fromNode(e.get("Path")), method: fromNode(e.get("Method")),
	}
	if r.api == nil {
		c.badEvent(e, "ApiId must be a valid reference to an 'AWS::Serverless::HttpApi' resource in same template.")
		return
	}
	r.method.text = strings.ToLower(r.method.text)
	if r.path.text == defaultPath && r.method.text == extAnyMethod {
		r.path.given, r.method.given = false, false // the event said nothing
	}
	r.body = c.bodyOf(r.api.id)
	if c.allowHTTPRoute(r); c.failed {
		return
	}
	if r.body != nil && r.body.value != nil {
		c.addHTTPRoute(r)
	}
}

var httpPathParameter = regex.New(`\{([a-zA-Z0-9._-]+|proxy\+)\}`)

// allowHTTPRoute lets API Gateway invoke the function for the route, unless
// the permission of the default route covers it.
func (c *context) allowHTTPRoute(r *httpRoute) {
	path := trailingSlash().ReplaceAllString(r.path.text, "$1")
	var d *definition
	if r.body != nil && r.body.isTrue() {
		var err error
		if d, err = editHTTP(r.body.value); err != nil {
			c.invalid(r.api.node, r.api.id, "Structure of the SAM template is invalid. %s", err)
			return
		}
	}
	if path == defaultPath {
		path = ""
	} else if d != nil {
		covered, err := d.invokes(lit(defaultPath), lit(extAnyMethod), r.calls.id)
		if c.check(r.node, err); covered || err != nil {
			return
		}
	}
	path = httpPathParameter().ReplaceAllString(path, "*")
	method := strings.ToUpper(r.method.text)
	if r.method.text == "any" || r.method.text == extAnyMethod {
		method = "*"
	}
	route := "/" + method + path
	if r.method.text == "any" && path == "/"+defaultPath {
		route = path
	}
	arn := "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/${__Stage__}" + route
	c.permission(r.event, r.event.id, "", "apigateway.amazonaws.com",
		"SourceArn", r.pos().sub(arn, "__ApiId__", r.get("ApiId"), "__Stage__", "*"))
}

var functionReference = regex.New(`[A-Za-z0-9]+\.Arn`)

// invokes tells whether a route calls the function of that logical id, in
// every case that conditions distinguish.
func (d *definition) invokes(path, method *value, function string) (bool, error) {
	there, err := d.hasIntegration(path, method)
	if !there || err != nil {
		return false, err
	}
	all := true
	err = d.at(path, method, func(op *value) error {
		integration := op.get(extIntegration)
		if !integration.isMap() {
			return notDict(extIntegration)
		}
		uri := integration.get("uri")
		if !uri.isMap() {
			all = false
			return nil
		}
		uris, err := eachContent(uri)
		for _, uri := range uris {
			all = all && functionReference().FindString(uri.get("Fn::Sub").scalar()) == function+".Arn"
		}
		return err
	})
	return all, err
}

// addHTTPRoute adds the route to the API's definition.
func (c *context) addHTTPRoute(r *httpRoute) {
	body := r.body.value
	hashed := r.api.typ == restType.typ // an OpenAPI definition fits a REST API too
	if hashed {
		body = body.clone()
	}
	d, err := editHTTP(body)
	if err != nil {
		c.refuse(r.node, "%s", err)
		return
	}
	if r.body.managed {
		there, err := d.hasIntegration(r.path, r.method)
		if c.check(r.node, err); there {
			c.badEvent(r.event, "API method '%s' defined multiple times for path '%s'.", r.method.text, r.path.text)
		}
	}
	if c.failed {
		return
	}
	uri := c.invocationURI(r.calls.arn, "${AWS::Partition}", false)
	c.check(r.node, d.addHTTPFunction(r.path, r.method, r.condition(), uri))
	if !c.failed && r.auth.isTrue() {
		c.httpRouteAuth(r, d)
	}
	if c.failed {
		return
	}
	if timeout := fromNode(r.event.get("TimeoutInMillis")); timeout.isTrue() {
		c.check(r.node, d.setIntegration(r.path, r.method, "timeoutInMillis", timeout))
	}
	if names := pathParameters(r.path.text); len(names) > 0 {
		c.check(r.node, d.addPathParameters(r.path, r.method, names))
	}
	if version := fromNode(r.event.get("PayloadFormatVersion")); version.isTrue() {
		c.check(r.node, d.setIntegration(r.path, r.method, "payloadFormatVersion", version))
	}
	if c.failed {
		return
	}
	r.body.value = d.done()
	if hashed {
		r.body.value = r.body.value.clone()
	}
}

var inBraces = regex.New(`\{(.*?)\}`)

// pathParameters are the names in a path's braces.
func pathParameters(path string) []string {
	var out []string
	for _, match := range inBraces().FindAllStringSubmatch(path, -1) {
		out = append(out, match[1])
	}
	return out
}

// httpRouteAuth gives a route what its event's Auth demands.
func (c *context) httpRouteAuth(r *httpRoute, d *definition) {
	wrong := func(format string, args ...any) { c.badEvent(r.event, format, args...) }
	apiAuth := fromNode(r.api.props.Get("Auth"))
	if apiAuth == nil {
		apiAuth = newDict()
	}
	if !apiAuth.isMap() {
		c.invalid(r.api.node, r.api.id, "Property 'Auth' should be a map.")
		return
	}
	authorizer := r.auth.get("Authorizer")
	if !authorizer.isTrue() {
		if authorizer = apiAuth.get("DefaultAuthorizer"); !authorizer.isTrue() {
			wrong("'Auth' section requires either an explicit 'Authorizer' set or a 'DefaultAuthorizer' configured on the HttpApi.")
			return
		}
	}
	iam := apiAuth.get("EnableIamAuthorizer")
	known := apiAuth.get("Authorizers")
	if !apiAuth.isTrue() {
		known = apiAuth
	}
	route := "on API method [" + r.method.text + "] for path [" + r.path.text + "]"
	name := authorizer.scalar()
	switch {
	case name == iamAuthorizer && iam.isBool() && iam.isTrue():
	case name == noAuthorizer && !apiAuth.get("DefaultAuthorizer").isTrue():
		wrong("Unable to set Authorizer %s because 'NONE' is only a valid value when a DefaultAuthorizer on the API is specified.", route)
	case name == noAuthorizer:
	case !authorizer.isText() || !known.isMap():
		wrong("Unable to set Authorizer [%s] %s. The method authorizer must be a string with a corresponding dict entry in the api authorizer.", said(authorizer), route)
	case !known.isTrue():
		wrong("Unable to set Authorizer [%s] %s because the related API does not define any Authorizers.", name, route)
	case !known.get(name).isTrue():
		wrong("Unable to set Authorizer [%s] %s because it wasn't defined in the API's Authorizers.", name, route)
	}
	scopes := r.auth.get("AuthorizationScopes")
	if scopes.isTrue() && !scopes.isList() {
		wrong("Unable to set Authorizer %s because 'AuthorizationScopes' must be a list of strings.", route)
	}
	if c.failed {
		return
	}
	demanded := listValue()
	if name != noAuthorizer && name != iamAuthorizer {
		if !known.get(name).isMap() {
			c.refuse(r.node, "Type of authorizer '%s' must be a dictionary", name)
			return
		}
		if own := known.get(name).get("AuthorizationScopes"); own.isTrue() {
			demanded = own
		}
		if scopes.isTrue() {
			demanded = scopes
		}
	}
	c.check(r.node, d.setAuthorizer(r.path, r.method, authorizer, demanded))
}
