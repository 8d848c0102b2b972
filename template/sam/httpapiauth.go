package sam

import (
	"slices"
	"strconv"
	"strings"
)

// badAuth notes what is wrong with Auth.
func (a *httpAPI) badAuth(format string, args ...any) {
	a.invalid(a.get("Auth"), a.id, format, args...)
}

// checkAuth notes what makes it impossible to add any Auth.
func (a *httpAPI) checkAuth() {
	if !a.body.isTrue() {
		a.badAuth("Auth works only with inline OpenApi specified in the 'DefinitionBody' property.")
		return
	}
	for key := range a.auth.members() {
		if !slices.Contains([]string{"Authorizers", "DefaultAuthorizer", "EnableIamAuthorizer"}, key.text) {
			a.badAuth("Invalid value for 'Auth' property")
			return
		}
	}
	if !isHTTPDefinition(a.body) {
		a.badAuth("Unable to add Auth configuration because 'DefinitionBody' does not contain a valid OpenApi definition.")
	}
}

// addAuth says in the definition who may call the API.
func (a *httpAPI) addAuth() {
	if !a.auth.isTrue() {
		return
	}
	if a.checkAuth(); a.failed {
		return
	}
	authorizers := a.authorizers()
	schemes := newDict()
	for _, au := range authorizers {
		if a.failed {
			return
		}
		schemes.setKey(au.name, au.scheme(a))
	}
	byDefault := a.auth.get("DefaultAuthorizer")
	if byDefault.get("Ref").scalar() == "AWS::NoValue" {
		byDefault = nil
	}
	switch {
	case a.failed:
		return
	case byDefault.isTrue() && !byDefault.isText():
		a.badAuth("Property 'Auth.DefaultAuthorizer' should be a string.")
		return
	case byDefault.isTrue() && !schemes.has(byDefault.text):
		a.badAuth("Unable to set DefaultAuthorizer because '%s' was not defined in 'Authorizers'.", byDefault.text)
		return
	}
	a.edit(func(d *definition) error {
		if err := d.addSchemes(schemes); err != nil || !byDefault.isTrue() {
			return err
		}
		scopes := listValue()
		for _, au := range authorizers {
			if own := au.get("AuthorizationScopes"); au.name.text == byDefault.text && !own.isNull() {
				scopes = own
			}
		}
		for path := range d.paths.members() {
			if err := d.setDefaultHTTPAuthorizer(path.text, byDefault, scopes); err != nil {
				return err
			}
		}
		return nil
	})
}

// httpAuthorizer is a member of Auth's Authorizers of an HTTP API, or IAM.
type httpAuthorizer struct {
	*value // what the template says of it, nil for IAM
	name   *value
}

// authorizers are the authorizers of the API: IAM if it is turned on, and
// those that are defined.
func (a *httpAPI) authorizers() []*httpAuthorizer {
	var out []*httpAuthorizer
	if iam := a.auth.get("EnableIamAuthorizer"); iam.isBool() && iam.isTrue() {
		out = append(out, &httpAuthorizer{name: lit(iamAuthorizer)})
	}
	defined := a.auth.get("Authorizers")
	if !defined.isTrue() {
		return out
	}
	if !defined.isMap() {
		a.badAuth("Property 'Auth.Authorizers' should be a map.")
		return nil
	}
	for name, v := range defined.members() {
		switch {
		case !v.isMap():
			a.badAuth("Property 'Auth.Authorizers.%s' should be a map.", name.text)
		case v.has("OpenIdConnectUrl"):
			a.badAuth("'OpenIdConnectUrl' is no longer a supported property for authorizer '%s'. Please refer to the AWS SAM documentation.", name.text)
		default:
			au := &httpAuthorizer{name: name, value: v}
			if message := au.mistake(); message != "" {
				a.badAuth("%s", message)
			}
			out = append(out, au)
		}
	}
	return out
}

// authorizerProperties are what an HTTP API's authorizer may say: the ones of
// JWT authorizers and those of Lambda authorizers.
var authorizerProperties = []struct {
	name string
	jwt  bool
	only string // how a mistake calls the kind it is for
}{
	{"AuthorizationScopes", true, "OAuth2 Authorizer"},
	{"JwtConfiguration", true, "OAuth2 Authorizer"},
	{"IdentitySource", true, "OAuth2 Authorizer. For Lambda Authorizer, use the 'Identity' property instead"},
	{"FunctionArn", false, "Lambda Authorizer"},
	{"FunctionInvokeRole", false, "Lambda Authorizer"},
	{"Identity", false, "Lambda Authorizer"},
	{"AuthorizerPayloadFormatVersion", false, "Lambda Authorizer"},
	{"EnableSimpleResponses", false, "Lambda Authorizer"},
	{"EnableFunctionDefaultPermissions", false, "Lambda Authorizer"},
}

// mistake is what is wrong with an authorizer, "" when nothing is.
func (au *httpAuthorizer) mistake() string {
	jwt := au.get("JwtConfiguration")
	if jwt.isTrue() && !jwt.isMap() {
		return "Property 'JwtConfiguration' should be a map."
	}
	if scopes := au.get("AuthorizationScopes"); !scopes.isNull() && !scopes.isList() {
		return "AuthorizationScopes must be a list."
	}
	for _, p := range authorizerProperties {
		given := !au.get(p.name).isNull() && (p.name != "JwtConfiguration" || jwt.isTrue())
		if given && p.jwt != jwt.isTrue() {
			return p.name + " is only supported for " + p.only + "."
		}
	}
	missing := ""
	switch {
	case jwt.isTrue() && !au.get("IdentitySource").isTrue():
		return au.name.text + " OAuth2 Authorizer must define 'IdentitySource'."
	case jwt.isTrue():
	case !au.get("FunctionArn").isTrue():
		missing = "FunctionArn"
	case !au.get("AuthorizerPayloadFormatVersion").isTrue():
		missing = "AuthorizerPayloadFormatVersion"
	}
	if missing != "" {
		return au.name.text + " Lambda Authorizer must define '" + missing + "'."
	}
	if allow := au.get("EnableFunctionDefaultPermissions"); !allow.isNull() && !allow.isBool() {
		return "Property 'Authorizers." + au.name.text + ".EnableFunctionDefaultPermissions' should be a boolean."
	}
	return ""
}

// scheme is the authorizer as a security scheme of the definition.
func (au *httpAuthorizer) scheme(a *httpAPI) *value {
	if au.value == nil {
		return plainOf("type", lit("apiKey"), "name", lit("Authorization"), "in", lit("header"), extAuthType, lit("awsSigv4"))
	}
	if jwt := au.get("JwtConfiguration"); jwt.isTrue() {
		lower := newDict()
		for key, v := range jwt.members() {
			lower.set(strings.ToLower(key.text), v)
		}
		return plainOf("type", lit("oauth2"), extAuthorizer, plainOf(
			"jwtConfiguration", lower, "identitySource", au.get("IdentitySource"), "type", lit("jwt")))
	}
	return plainOf("type", lit("apiKey"), "name", lit("Unused"), "in", lit("header"), extAuthorizer, au.lambda(a))
}

// httpIdentitySources are the parts of a request that an identity may be made of.
var httpIdentitySources = [][2]string{
	{"Headers", "$request.header."}, {"QueryStrings", "$request.querystring."},
	{"StageVariables", "$stageVariables."}, {"Context", "$context."},
}

// lambda is what API Gateway has to know to ask a function.
func (au *httpAuthorizer) lambda(a *httpAPI) *value {
	uri := "arn:" + a.options.Partition + ":apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${__FunctionArn__}/invocations"
	out := plainOf("type", lit("request"), "authorizerUri",
		plainOf("Fn::Sub", listValue(lit(uri), plainOf("__FunctionArn__", au.get("FunctionArn")))))
	if role := au.get("FunctionInvokeRole"); role.isTrue() && role.scalar() != noAuthorizer {
		out.set("authorizerCredentials", role)
	}
	if identity := au.get("Identity"); identity.isTrue() {
		if every := identity.get("ReauthorizeEvery"); !every.isNull() {
			out.set("authorizerResultTtlInSeconds", every)
		}
		out.set("identitySource", au.identity(a, identity))
	}
	out.set("authorizerPayloadFormatVersion", au.get("AuthorizerPayloadFormatVersion"))
	if simple := au.get("EnableSimpleResponses"); simple.isTrue() {
		out.set("enableSimpleResponses", simple)
	}
	return out
}

// identity is what tells callers apart, as a list.
func (au *httpAuthorizer) identity(a *httpAPI, identity *value) *value {
	out := listValue()
	wrong := func(path, should string) {
		a.invalid(a.get("Auth"), a.id, "Property '%s' should be a %s.", path, should)
	}
	if !identity.isMap() {
		wrong("Auth.Authorizers."+au.name.text+".Identity", "map")
		return out
	}
	for _, kind := range httpIdentitySources {
		list := identity.get(kind[0])
		if !list.isTrue() {
			continue
		}
		path := "Authorizers." + au.name.text + ".Identity." + kind[0]
		if !list.isList() {
			wrong(path, "list")
			return out
		}
		for i, item := range list.items {
			if !item.isText() {
				wrong(path+"["+strconv.Itoa(i)+"]", "string")
				return out
			}
			out.items = append(out.items, givenText(kind[1]+item.text))
		}
	}
	return out
}

// allowAuthorizers lets API Gateway invoke the functions that authorize, where
// that is asked for.
func (a *httpAPI) allowAuthorizers() {
	if a.failed || !a.auth.isTrue() {
		return
	}
	for _, au := range a.authorizers() {
		if function := au.get("FunctionArn"); function.isTrue() && au.get("EnableFunctionDefaultPermissions").isTrue() {
			a.add(a.resource, a.id+au.name.text+"AuthorizerPermission", "AWS::Lambda::Permission",
				authorizerPermission(a.pos(), function.node(a.node.Pos), a.id))
		}
	}
}

// authorizerPermission lets an API of API Gateway's version 2 invoke the
// function that authorizes its callers.
func authorizerPermission(p at, function *node, api string) *node {
	const arn = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/authorizers/*"
	return p.obj("Action", "lambda:InvokeFunction", "FunctionName", function, "Principal", "apigateway.amazonaws.com",
		"SourceArn", p.sub(arn, "__ApiId__", p.ref(api)))
}
