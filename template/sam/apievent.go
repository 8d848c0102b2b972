package sam

import (
	"fmt"
	"strings"

	"ouro/regex"
)

// apiEventKinds are the types of function events that are about APIs.
func apiEventKinds(typ string) (eventKind, bool) {
	switch typ {
	case "Api":
		return restEventKind, true
	case "HttpApi":
		return httpEventKind, true
	}
	return eventKind{}, false
}

var restEventKind = eventKind{
	properties: []property{
		{name: "Path", shape: aString, required: true},
		{name: "Method", shape: aString, required: true},
		{name: "RestApiId", shape: aString, required: true},
		{name: "Stage", shape: aString},
		{name: "Auth", shape: aMap},
		{name: "RequestModel", shape: aMap},
		{name: "RequestParameters", shape: aList},
		{name: "TimeoutInMillis", shape: anInt},
		{name: "ResponseTransferMode", shape: aString},
	},
	translate: restEvent,
	check:     checkRestRoute,
}

// checkRestRoute refuses events whose API is not in the template.
func checkRestRoute(c *context, e *event) { c.restRoute(e) }

// restRoute is an event of a function or state machine as a route of a REST API.
type restRoute struct {
	*event
	api          *resource // nil for an API that is not in the template
	stage        *value    // what the route's policies and permission say of the stage
	path, method *value
	auth         *value
}

// restEvent lets a REST API invoke a function.
func restEvent(c *context, e *event) {
	r := c.restRoute(e)
	if c.failed {
		return
	}
	r.stage = c.stageName(r.api)
	c.allowRoute(r)
	if b := c.bodyOf(r.api.id); b != nil && r.api.typ == restType.typ && b.value != nil {
		if b.managed || truthy(r.api.get("MergeDefinitions")) {
			c.addRestRoute(r, b)
		}
		c.overrideAuth(r, b)
	}
}

// restRoute reads what events of functions and state machines have in common.
func (c *context) restRoute(e *event) *restRoute {
	id := apiID(e.get("RestApiId"))
	r := &restRoute{
		event: e, api: c.find(id), auth: fromNode(e.get("Auth")),
		path: fromNode(e.get("Path")), method: fromNode(e.get("Method")),
	}
	if !r.path.isText() || !r.method.isText() {
		c.badEvent(e, "Property 'Path' should be a string.")
		return r
	}
	r.method.text = strings.ToLower(r.method.text)
	switch {
	case r.api == nil:
		c.badEvent(e, "RestApiId property of Api event must reference a valid resource in the same template.")
	case r.api.props != nil && !isMap(r.api.props):
		c.invalid(r.api.props, id, "Attribute 'Properties' should be a map.")
	case isString(r.api.get("StageName")) && r.api.get("StageName").Text == "":
		c.invalid(r.api.node, id, "StageName cannot be empty.")
	}
	return r
}

// stageName is the name of an API's stage, as permissions say it in their
// logical ids.
func (c *context) stageName(api *resource) *value {
	stage := fromNode(api.get("StageName"))
	if !stage.isText() {
		return lit("Stage")
	}
	if b := c.bodyOf(api.id); b != nil {
		stage.given = !b.implicit
	}
	return stage
}

var trailingSlash = regex.New(`^(.+)/$`)

// allowRoute lets API Gateway invoke the function for the route.
func (c *context) allowRoute(r *restRoute) {
	method := strings.ToUpper(r.method.text)
	if method == "ANY" {
		method = "*"
	}
	path := starred(trailingSlash().ReplaceAllString(r.path.text, "$1"))
	arn := fmt.Sprintf("arn:%s:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/${__Stage__}/%s%s", c.options.Partition, method, path)
	c.permission(r.event, r.event.id, r.stage.text, "apigateway.amazonaws.com",
		"SourceArn", r.pos().sub(arn, "__ApiId__", clone(r.get("RestApiId")), "__Stage__", "*"))
}

// addRestRoute adds the route to the API's definition.
func (c *context) addRestRoute(r *restRoute, b *body) {
	body := b.value
	merge := truthy(r.api.get("MergeDefinitions"))
	if merge {
		body = restType.skeleton()
	}
	d := c.openRoute(r, body)
	if c.failed {
		return
	}
	if r.auth.isTrue() && !r.auth.isMap() {
		c.badEvent(r.event, "Property 'Auth' should be a map.")
		return
	}
	apiAuth := fromNode(r.api.get("Auth"))
	if apiAuth.isTrue() && !apiAuth.isMap() {
		c.invalid(r.api.get("Auth"), r.api.id, "Property 'Auth' should be a map.")
		return
	}
	stream := r.event.get("ResponseTransferMode").Scalar() == "RESPONSE_STREAM"
	uri := c.invocationURI(r.calls.arn, c.options.Partition, stream)
	c.check(r.node, d.addFunction(r.path, r.method, r.condition(), uri, c.credentials(r.auth, apiAuth), stream))
	if !c.failed && r.auth.isTrue() {
		c.routeAuth(r, d)
	}
	if timeout := fromNode(r.event.get("TimeoutInMillis")); !c.failed && timeout.isTrue() {
		c.check(r.node, d.setIntegration(r.path, r.method, "timeoutInMillis", timeout))
	}
	c.requestModel(r, d)
	c.requestParameters(r, d)
	if c.failed {
		return
	}
	if !merge {
		b.value = d.done()
		return
	}
	if !b.isMap() {
		c.invalid(r.api.node, r.api.id, "Property 'DefinitionBody' should be a map.")
		return
	}
	b.value = c.mergeRoute(r, b.value, d)
}

// openRoute opens the definition that a route is added to.
func (c *context) openRoute(r *restRoute, body *value) *definition {
	if !c.mayEdit(r.node, body) {
		return nil
	}
	d, err := editRest(body)
	if err != nil {
		c.refuse(r.node, "%s", err)
		return nil
	}
	there, err := d.hasIntegration(r.path, r.method)
	if err != nil {
		c.refuse(r.node, "%s", err)
	} else if there {
		c.badEvent(r.event, "API method \"%s\" defined multiple times for path \"%s\".", r.method.text, r.path.text)
	}
	return d
}

// check refuses the template for a mistake in a definition.
func (c *context) check(where *node, err error) {
	if err != nil {
		c.refuse(where, "%s", err)
	}
}

// condition is the Condition of the resource that an event belongs to.
func (e *event) condition() *value { return fromNode(e.owner.node.Get("Condition")) }

// invocationURI is where API Gateway sends requests for a function.
func (c *context) invocationURI(function *node, partition string, stream bool) *value {
	version, action := "2015-03-31", "invocations"
	if stream {
		version, action = "2021-11-15", "response-streaming-invocations"
	}
	name, arg := function.Function()
	reference := arg.Scalar()
	if name == "Fn::GetAtt" {
		reference = getAttPath(arg)
	}
	uri := lit("arn:" + partition + ":apigateway:${AWS::Region}:lambda:path/" + version + "/functions/${" + reference + "}/" + action)
	uri.given = name == "Fn::GetAtt"
	return dictOf("Fn::Sub", uri)
}

// credentials are the role with which API Gateway invokes a function for
// requests that IAM authorizes: one that is named, or the caller's own.
func (c *context) credentials(auth, apiAuth *value) *value {
	byIAM := auth.get("Authorizer").scalar() == iamAuthorizer ||
		apiAuth.get("DefaultAuthorizer").scalar() == iamAuthorizer && !auth.isTrue()
	if !byIAM {
		return nil
	}
	role := invokeRole(auth)
	if role == nil {
		role = invokeRole(apiAuth)
	}
	switch {
	case role == nil || role.scalar() == "CALLER_CREDENTIALS":
		return lit("arn:" + c.options.Partition + ":iam::*:user/*")
	case role.scalar() == noAuthorizer:
		return nil
	}
	return role
}

// invokeRole is the InvokeRole of an Auth, NONE if it is there and empty.
func invokeRole(auth *value) *value {
	role := auth.get("InvokeRole")
	if role != nil && !role.isTrue() {
		return lit(noAuthorizer)
	}
	return role
}

// mergeRoute lays a generated route over the definition in the template.
func (c *context) mergeRoute(r *restRoute, source *value, d *definition) *value {
	merged := source.copyMap()
	paths := merged.get("paths")
	if !paths.isTrue() {
		paths = newDict()
	}
	item := paths.get(r.path.text)
	bad := func(what string) *value {
		c.invalid(r.api.node, r.api.id, "Property 'DefinitionBody' is invalid: %s should be a map", what)
		return source
	}
	switch {
	case !paths.isMap():
		return bad("It")
	case !item.isNull() && !item.isMap():
		return bad("The value of '" + r.path.text + "'")
	}
	own := item.get(r.method.text)
	if own.isTrue() && !own.isMap() {
		c.invalid(r.api.node, r.api.id, "Property 'DefinitionBody.paths.%s.%s' should be a map.", r.path.text, r.method.text)
		return source
	}
	operation := newPlain()
	if own.isMap() {
		operation.update(own)
	}
	operation.update(d.done().get("paths").get(r.path.text).get(methodKey(r.method).text))
	if item.isNull() {
		item = newPlain()
		paths.setKey(r.path, item)
	}
	item.setKey(r.method, operation)
	return merged
}

// overrideAuth gives a route of a definition in the template the event's Auth.
func (c *context) overrideAuth(r *restRoute, b *body) {
	if c.failed || !r.auth.get("OverrideApiAuth").isTrue() {
		return
	}
	if !r.auth.get("Authorizer").isTrue() && !r.auth.get("ApiKeyRequired").isTrue() && !r.auth.get("ResourcePolicy").isTrue() {
		c.badEvent(r.event, "Must define one of: Authorizer, ApiKeyRequired or ResourcePolicy when using the OverrideApiAuth property.")
		return
	}
	if !c.mayEdit(r.node, b.value) {
		return
	}
	d, err := editRest(b.value)
	if err != nil {
		c.refuse(r.node, "%s", err)
		return
	}
	if c.routeAuth(r, d); !c.failed {
		b.value = d.done()
	}
}
