package sam

import (
	"slices"

	"ouro/regex"
)

// routeAuth gives a route what its event's Auth demands.
func (c *context) routeAuth(r *restRoute, d *definition) {
	wrong := func(format string, args ...any) { c.badEvent(r.event, format, args...) }
	apiAuth := fromNode(c.resolve(r.api.get("Auth")))
	authorizer := r.auth.get("Authorizer")
	known := apiAuth.get("Authorizers")
	if authorizer.isTrue() {
		if known.isTrue() && !known.isMap() {
			c.invalid(r.api.get("Auth"), r.api.id, "Property 'Auth.Authorizers' should be a map.")
			return
		}
		if message := checkAuthorizer(r, authorizer, apiAuth); message != "" {
			wrong("%s", message)
			return
		}
	}
	scopes := r.auth.get("AuthorizationScopes")
	if scopes.isTrue() && !scopes.isList() {
		wrong("Property 'Auth.AuthorizationScopes' should be a list.")
		return
	}
	if scopes.isTrue() && !authorizer.isTrue() {
		wrong("AuthorizationScopes works only when Authorizer is set")
		return
	}
	key := r.auth.get("ApiKeyRequired")
	if !key.isNull() && !key.isTrue() && !apiAuth.get("ApiKeyRequired").isTrue() {
		wrong("Unable to set ApiKeyRequired [False] on API method [%s] for path [%s] because the related API does not specify any ApiKeyRequired.", r.method.text, r.path.text)
		return
	}
	if authorizer.isTrue() {
		c.check(r.node, d.setAuthorizer(r.path, r.method, authorizer, scopesOf(authorizer.scalar(), known, scopes)))
	}
	if !c.failed && !key.isNull() {
		c.check(r.node, d.setKey(r.path, r.method, key.isTrue()))
	}
	if policy := r.auth.get("ResourcePolicy"); !c.failed && policy.isTrue() {
		if !policy.isMap() {
			c.invalid(r.node, r.event.name, "Property 'Auth.ResourcePolicy' should be a map.")
			return
		}
		c.check(r.node, d.addPolicy(policy, r.path, r.stage))
		if statements := policy.get("CustomStatements"); statements.isTrue() {
			d.addCustomStatements(statements)
		}
	}
}

// checkAuthorizer is why a route cannot have an authorizer, "" when it can.
func checkAuthorizer(r *restRoute, authorizer, apiAuth *value) string {
	name, known := authorizer.scalar(), apiAuth.get("Authorizers")
	prefix := "Unable to set Authorizer [" + said(authorizer) + "] on API method [" + r.method.text + "] for path [" + r.path.text + "]"
	switch {
	case name == iamAuthorizer:
	case name == noAuthorizer && !apiAuth.get("DefaultAuthorizer").isTrue():
		return "Unable to set Authorizer on API method [" + r.method.text + "] for path [" + r.path.text +
			"] because 'NONE' is only a valid value when a DefaultAuthorizer on the API is specified."
	case name == noAuthorizer:
	case !known.isTrue():
		return prefix + " because the related API does not define any Authorizers."
	case !authorizer.isText() || !known.isMap():
		return prefix + ". The method authorizer must be a string with a corresponding dict entry in the api authorizer."
	case !known.get(name).isTrue():
		return prefix + " because it wasn't defined in the API's Authorizers."
	}
	return ""
}

// scopesOf are the scopes that a route demands of an authorizer: its own, or
// else those of the authorizer.
func scopesOf(authorizer string, known, own *value) *value {
	if authorizer == noAuthorizer || !known.isTrue() || known.get(authorizer).isNull() {
		return listValue()
	}
	if !own.isNull() {
		return own
	}
	if scopes := known.get(authorizer).get("AuthorizationScopes"); !scopes.isNull() {
		return scopes
	}
	return listValue()
}

// requestModel makes a route demand a model of its requests' bodies.
func (c *context) requestModel(r *restRoute, d *definition) {
	model := fromNode(r.event.get("RequestModel"))
	name := model.get("Model")
	if c.failed || !model.isTrue() || model.isMap() && !name.isTrue() {
		return
	}
	wrong := func(why string) {
		c.badEvent(r.event, "Unable to set RequestModel [%s] on API method [%s] for path [%s] because %s", said(name), r.method.text, r.path.text, why)
	}
	models := fromNode(r.api.get("Models"))
	switch {
	case !model.isMap():
		c.badEvent(r.event, "Property 'RequestModel' should be a map.")
	case !models.isTrue():
		wrong("the related API does not define any Models.")
	case !models.isMap():
		wrong("the related API Models defined is of invalid type.")
	case !name.isText():
		wrong("the related API does not contain valid Models.")
	case !models.get(name.text).isTrue():
		wrong("it wasn't defined in the API's Models.")
	}
	if c.failed {
		return
	}
	c.check(r.node, d.addRequestModel(r.path, r.method, name.text, model.get("Required")))
	body, parameters := model.get("ValidateBody"), model.get("ValidateParameters")
	if c.failed || body.isNull() && parameters.isNull() {
		return
	}
	for _, v := range []*value{body, parameters} {
		if !v.isNull() && !v.isBool() {
			c.badEvent(r.event, "Unable to set Validator to RequestModel [%s] on API method [%s] for path [%s] ValidateBody and ValidateParameters must be a boolean type, strings or intrinsics are not supported.",
				name.text, r.method.text, r.path.text)
			return
		}
	}
	c.check(r.node, d.addValidator(r.path, r.method, body.isTrue(), parameters.isTrue()))
}

var requestParameterName = regex.New(`^method\.request\.(querystring|path|header)\.`)

// requestParameters declares the parameters of a route's requests.
func (c *context) requestParameters(r *restRoute, d *definition) {
	all := fromNode(r.event.get("RequestParameters"))
	if c.failed || !all.isTrue() {
		return
	}
	wrong := func(why string) { c.badEvent(r.event, "Invalid value for 'RequestParameters' property. %s", why) }
	var parameters []requestParameter
	for _, item := range all.items {
		p := requestParameter{name: item, required: boolValue(false), caching: boolValue(false)}
		var settings *value
		if item.isMap() {
			for name, v := range item.members() {
				p.name, settings = name, v
				break
			}
		}
		if !p.name.isText() {
			wrong("Property must be either a string or an object")
			return
		}
		if !requestParameterName().MatchString(p.name.text) {
			wrong("Keys must be in the format 'method.request.[querystring|path|header].{value}', e.g 'method.request.header.Authorization'.")
			return
		}
		if item.isMap() && !p.set(settings) {
			wrong("Values must be an object, e.g { Required: true, Caching: false }")
			return
		}
		parameters = append(parameters, p)
	}
	c.check(r.node, d.addRequestParameters(r.path, r.method, parameters))
}

// set takes a parameter's settings over, if they are right.
func (p *requestParameter) set(settings *value) bool {
	if !settings.isMap() {
		return false
	}
	for key, v := range settings.members() {
		if !slices.Contains([]string{"Required", "Caching"}, key.text) {
			return false
		}
		if key.text == "Required" {
			p.required = v
		} else {
			p.caching = v
		}
	}
	return true
}
