package sam

import (
	"slices"
	"strings"
)

// webSocket is an AWS::Serverless::WebSocketApi being rewritten.
type webSocket struct {
	*context
	*resource
	auth   *node
	routes *node
	tag    string // by which SAM marks what it made
}

// translateWebSocket makes a WebSocket API with its routes, integrations and
// stage, and what goes with them: permissions, an authorizer, a domain.
func translateWebSocket(c *context, r *resource) {
	r = withoutAttributes(r)
	w := &webSocket{context: c, resource: r, auth: c.resolve(r.get("Auth")), routes: c.resolve(r.get("Routes")), tag: "websocketapi:createdBy"}
	domain := fromNode(c.resolve(r.get("Domain")))
	if w.check(domain); c.failed {
		return
	}
	p := r.pos()
	name := r.get("Name")
	if name == nil {
		name = p.text(r.id)
	}
	tags := p.obj()
	if truthy(r.get("Tags")) {
		tags = clone(r.get("Tags"))
	}
	set(tags, w.tag, p.text("SAM"))
	props := p.obj("Name", clone(name), "ProtocolType", "WEBSOCKET", "Tags", tags)
	copySet(props, r, "ApiKeySelectionExpression", "Description", "DisableExecuteApiEndpoint", "DisableSchemaValidation",
		"IpAddressType", "RouteSelectionExpression")
	c.addMain(r, r.id, "AWS::ApiGatewayV2::Api", props)

	var propagated *node
	if truthy(r.get("Tags")) && truthy(r.get("PropagateTags")) {
		propagated = tags
	}
	v2 := &apiV2{context: c, resource: r, domain: domain, createdBy: w.tag, tags: propagated, alone: true}
	v2.makeDomain()
	var routes []string
	for key, route := range entries(w.routes) {
		if c.failed {
			return
		}
		routes = append(routes, w.makeRoute(key, route))
	}
	w.makeStage(routes, propagated)
}

// withoutAttributes is r with no attribute but DependsOn: AWS's transform loses
// the condition and the policies of WebSocket APIs.
func withoutAttributes(r *resource) *resource {
	bare := *r
	bare.node = r.pos().obj()
	if on := r.node.Get("DependsOn"); on != nil {
		set(bare.node, "DependsOn", on)
	}
	return &bare
}

// check refuses properties that do not go together.
func (w *webSocket) check(domain *value) {
	wrong := func(where *node, format string, args ...any) { w.invalid(where, w.id, format, args...) }
	address := w.get("IpAddressType")
	switch {
	case !truthy(w.routes):
		wrong(w.node, "WebSocket API must have at least one route.")
	case address != nil && !isFunction(address) && !slices.Contains([]string{"ipv4", "dualstack"}, address.Text):
		wrong(address, "IpAddressType must be 'ipv4' or 'dualstack'.")
	case domain.get("MutualTlsAuthentication").isTrue():
		wrong(w.get("Domain"), "Mutual TLS domain name association is not supported for Websocket APIs.")
	case truthy(w.auth) && !has(w.routes, "$connect"):
		wrong(w.auth, "Authorization is only available if there is a $connect route.")
	case w.get("StageName").Scalar() == defaultPath:
		wrong(w.get("StageName"), "Stages cannot be named $default for WebSocket APIs.")
	}
}

// routeID is the part of logical ids that stands for a route.
func (w *webSocket) routeID(key string) string {
	plain := strings.TrimPrefix(key, "$")
	special := slices.Contains([]string{"$connect", "$disconnect", "$default"}, key)
	if !special && !isAlphanumeric(key) {
		w.invalid(w.routes, w.id, "Route key '%s' must be alphanumeric. Only $connect, $disconnect, and $default special routes are supported.", key)
		return ""
	}
	return w.id + strings.ToUpper(plain[:1]) + strings.ToLower(plain[1:])
}

// makeRoute makes a route, its integration and its permission, and gives the
// route's logical id.
func (w *webSocket) makeRoute(key string, route *node) string {
	base := w.routeID(key)
	if w.failed {
		return ""
	}
	p := at(route.Pos)
	props := p.obj("RouteKey", key, "ApiId", p.ref(w.id), "Target", p.join("/", "integrations", p.ref(base+"Integration")))
	for _, name := range []string{"ApiKeyRequired", "ModelSelectionExpression", "OperationName", "RequestModels", "RouteResponseSelectionExpression"} {
		if v := get(route, name); v != nil {
			set(props, name, clone(v))
		}
	}
	if parameters := get(route, "RequestParameters"); truthy(parameters) {
		if key != "$connect" {
			w.invalid(parameters, w.id, "Request parameters are only supported for the $connect route in WebSocket APIs.")
			return ""
		}
		set(props, "RequestParameters", clone(parameters))
	}
	w.add(w.resource, base+"Route", "AWS::ApiGatewayV2::Route", props)
	if w.authorize(key, props); w.failed {
		return ""
	}
	function := route.Get("FunctionArn")
	if function == nil {
		w.invalid(route, w.id, "Route must have associated function.")
		return ""
	}
	uri := "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${FunctionArn}/invocations"
	w.add(w.resource, base+"Integration", "AWS::ApiGatewayV2::Integration", p.obj("ApiId", p.ref(w.id), "IntegrationType", "AWS_PROXY",
		"IntegrationUri", p.sub(uri, "FunctionArn", clone(function)), "TimeoutInMillis", clone(get(route, "IntegrationTimeout"))))
	w.add(w.resource, base+"Permission", "AWS::Lambda::Permission", p.obj("Action", "lambda:InvokeFunction",
		"FunctionName", clone(function), "Principal", "apigateway.amazonaws.com", "SourceArn", w.sourceARN(p, key)))
	return base + "Route"
}

// sourceARN is the route as permissions name it.
func (w *webSocket) sourceARN(p at, key string) *node {
	api := "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${" + w.id + ".ApiId}/"
	if stage := w.stageName(); isString(stage) {
		return p.sub(api + stage.Text + "/" + key)
	}
	return p.sub(api+"${__StageName__}/"+key, "__StageName__", clone(w.stageName()))
}

func (w *webSocket) stageName() *node {
	if name := w.get("StageName"); name != nil {
		return name
	}
	return w.pos().text("default")
}

// authorize says who may connect.
func (w *webSocket) authorize(key string, route *node) {
	if !truthy(w.auth) {
		return
	}
	typ, function := get(w.auth, "AuthType").Scalar(), get(w.auth, "AuthArn")
	wrong := func(message string) { w.invalid(w.auth, w.id, "%s", message) }
	switch upper := strings.ToUpper(typ); {
	case typ == "":
		wrong("AuthType must be specified for additional auth configurations.")
	case !slices.Contains([]string{noAuthorizer, iamAuthorizer, "CUSTOM"}, upper):
		wrong("AuthType is not one of AWS_IAM, CUSTOM or NONE.")
	case upper == "CUSTOM" && !truthy(function):
		wrong("AuthArn must be specified if AuthType is CUSTOM.")
	case upper != "CUSTOM" && len(w.auth.Keys) > 1:
		wrong("No additional configurations supported for AuthType " + upper + ".")
	}
	if w.failed || key != "$connect" {
		return
	}
	p := at(w.auth.Pos)
	if typ != "CUSTOM" {
		if typ != iamAuthorizer {
			typ = noAuthorizer
		}
		set(route, "AuthorizationType", p.text(typ))
		return
	}
	id := w.id + "ConnectAuthorizer"
	set(route, "AuthorizationType", p.text(typ))
	set(route, "AuthorizerId", p.ref(id))
	name := get(w.auth, "Name")
	if !truthy(name) {
		name = p.text(id)
	}
	uri := "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${AuthArn}/invocations"
	w.add(w.resource, id, "AWS::ApiGatewayV2::Authorizer", p.obj("ApiId", p.ref(w.id), "AuthorizerType", "REQUEST", "Name", clone(name),
		"AuthorizerUri", p.sub(uri, "AuthArn", clone(function)), "AuthorizerCredentialsArn", clone(get(w.auth, "InvokeRole")),
		"IdentitySource", clone(get(w.auth, "IdentitySource"))))
	if !truthy(get(w.auth, "InvokeRole")) {
		w.add(w.resource, w.id+"AuthorizerPermission", "AWS::Lambda::Permission", authorizerPermission(p, clone(function), w.id))
	}
}

// makeStage makes the API's stage. Settings of routes need the routes first.
func (w *webSocket) makeStage(routes []string, tags *node) {
	p := w.pos()
	name := w.stageName()
	id := w.id + "Stage"
	switch {
	case name.Scalar() == "default":
		id = w.id + "DefaultStage"
	case isString(name):
		id = w.id + name.Text + "Stage"
	}
	props := p.obj("ApiId", p.ref(w.id), "StageName", clone(name), "AutoDeploy", true, "Tags", p.obj(w.tag, "SAM"))
	if tags != nil {
		set(props, "Tags", clone(tags))
	}
	copySet(props, w.resource, "StageVariables", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings")
	m := w.add(w.resource, id, "AWS::ApiGatewayV2::Stage", props)
	if truthy(w.get("RouteSettings")) {
		set(m.attributes, "DependsOn", p.texts(routes...))
	}
}
