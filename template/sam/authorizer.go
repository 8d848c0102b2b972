package sam

import (
	"strconv"
	"strings"
)

// restAuthorizer is a member of Auth's Authorizers of a REST API, or IAM.
type restAuthorizer struct {
	*value // what the template says of it, nil for IAM
	name   *value
}

// authorizers are the authorizers of the API: IAM if it is the default and
// withIAM is set, and those that are defined.
func (a *restAPI) authorizers(withIAM bool) []*restAuthorizer {
	var out []*restAuthorizer
	if withIAM && a.auth.get("DefaultAuthorizer").scalar() == iamAuthorizer {
		out = append(out, &restAuthorizer{name: a.auth.get("DefaultAuthorizer")})
	}
	defined := a.auth.get("Authorizers")
	if !defined.isTrue() {
		return out
	}
	wrong := func(path, should string) {
		a.invalid(a.get("Auth"), a.id, "Property '%s' should be a %s.", path, should)
	}
	if !defined.isMap() {
		wrong("Auth.Authorizers", "map")
		return nil
	}
	all := newDict()
	for _, iam := range out {
		all.setKey(iam.name, nullValue())
	}
	for name, v := range defined.members() {
		if !v.isMap() {
			wrong("Auth.Authorizers."+name.text, "map")
			return nil
		}
		all.setKey(name, v)
	}
	out = nil
	for name, v := range all.members() {
		au := &restAuthorizer{name: name, value: v}
		if !v.isMap() {
			au.value = nil
		} else if message := au.mistake(); message != "" {
			a.invalid(a.get("Auth"), a.id, "%s", message)
			return nil
		}
		out = append(out, au)
	}
	return out
}

// mistake is what is wrong with an authorizer, "" when nothing is.
func (au *restAuthorizer) mistake() string {
	payload, identity := au.get("FunctionPayloadType"), au.get("Identity")
	switch {
	case !payload.isNull() && payload.scalar() != "TOKEN" && payload.scalar() != "REQUEST":
		return au.name.text + " Authorizer has invalid 'FunctionPayloadType': " + said(payload) + "."
	case payload.scalar() == "REQUEST" && identity.isTrue() && !identity.isMap():
		return "Property 'Authorizer." + au.name.text + ".Identity' should be a map."
	case payload.scalar() == "REQUEST" && !hasIdentity(identity):
		return au.name.text + " Authorizer must specify Identity with at least one of Headers, QueryStrings, StageVariables, or Context."
	}
	if scopes := au.get("AuthorizationScopes"); !scopes.isNull() && !scopes.isList() {
		return "Property 'Authorizers." + au.name.text + ".AuthorizationScopes' should be a list."
	}
	if disable := au.get("DisableFunctionDefaultPermissions"); !disable.isNull() && !disable.isBool() {
		return "Property 'Authorizers." + au.name.text + ".DisableFunctionDefaultPermissions' should be a boolean."
	}
	return ""
}

// hasIdentity tells whether an identity says what tells callers apart. Results
// that are not cached need none.
func hasIdentity(identity *value) bool {
	for _, kind := range identitySources {
		if identity.get(kind[0]).isTrue() {
			return true
		}
	}
	ttl, err := strconv.Atoi(identity.get("ReauthorizeEvery").scalar())
	return err == nil && ttl <= 0
}

// identitySources are the parts of a request that an identity may be made of.
var identitySources = [][2]string{
	{"Headers", "method.request.header."}, {"QueryStrings", "method.request.querystring."},
	{"StageVariables", "stageVariables."}, {"Context", "context."},
}

// scheme is the authorizer as a security scheme of the definition.
func (au *restAuthorizer) scheme(a *restAPI) *value {
	const cognito = "cognito_user_pools"
	scheme := dictOf("type", lit("apiKey"), "name", lit("Unused"), "in", lit("header"))
	request := au.get("FunctionPayloadType").scalar() == "REQUEST"
	pool := au.get("UserPoolArn")
	if au.value == nil || pool.isTrue() || !request {
		scheme.set("name", au.header(a))
	}
	switch {
	case au.value == nil:
		scheme.set(extAuthType, lit("awsSigv4"))
		return scheme
	case pool.isTrue():
		scheme.set(extAuthType, lit(cognito))
		scheme.set(extAuthorizer, dictOf("type", lit(cognito), "providerARNs", listOrOne(pool)))
	default:
		scheme.set(extAuthType, lit("custom"))
		scheme.set(extAuthorizer, au.lambda(a, request))
	}
	if expression := au.get("Identity").get("ValidationExpression"); expression.isTrue() && (pool.isTrue() || !request) {
		scheme.get(extAuthorizer).set("identityValidationExpression", expression)
	}
	return scheme
}

// header is the header that identifies callers.
func (au *restAuthorizer) header(a *restAPI) *value {
	identity := au.get("Identity")
	if identity.isTrue() && !identity.isMap() {
		a.invalid(a.get("Auth"), a.id, "Auth.Authorizers.<Authorizer>.Identity must be a dict (LambdaTokenAuthorizationIdentity, LambdaRequestAuthorizationIdentity or CognitoAuthorizationIdentity).")
		return nil
	}
	if header := identity.get("Header"); header.isTrue() {
		return header
	}
	return lit("Authorization")
}

// lambda is what API Gateway has to know to ask a function.
func (au *restAuthorizer) lambda(a *restAPI, request bool) *value {
	typ := "token"
	if request {
		typ = "request"
	}
	function := au.get("FunctionArn")
	if function == nil {
		function = nullValue()
	}
	uri := "arn:" + a.options.Partition + ":apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${__FunctionArn__}/invocations"
	out := dictOf("type", lit(typ), "authorizerUri", plainOf("Fn::Sub", listValue(lit(uri), plainOf("__FunctionArn__", function))))
	if every := au.get("Identity").get("ReauthorizeEvery"); !every.isNull() {
		out.set("authorizerResultTtlInSeconds", every)
	}
	if role := au.get("FunctionInvokeRole"); role.isTrue() && role.scalar() != noAuthorizer {
		out.set("authorizerCredentials", role)
	}
	if !request {
		return out
	}
	var sources []string
	for _, kind := range identitySources {
		list := au.get("Identity").get(kind[0])
		path := "Auth.Authorizers." + au.name.text + ".Identity." + kind[0]
		if list.isTrue() && !list.isList() {
			a.invalid(a.get("Auth"), a.id, "Property '%s' should be a list.", path)
			return nil
		}
		if !list.isTrue() {
			continue
		}
		for i, item := range list.items {
			if !item.isText() {
				a.invalid(a.get("Auth"), a.id, "Property '%s[%d]' should be a string.", path, i)
				return nil
			}
			sources = append(sources, kind[1]+item.text)
		}
	}
	if len(sources) > 0 {
		out.set("identitySource", givenText(strings.Join(sources, ", ")))
	}
	return out
}
