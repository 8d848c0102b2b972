package sam

import (
	"slices"

	"ouro/regex"
)

var statusCode = regex.New(`^[0-9]{1,3}$`)

// authNames are what Auth of a REST API may say.
var authNames = []string{
	"Authorizers", "DefaultAuthorizer", "InvokeRole", "AddDefaultAuthorizerToCorsPreflight",
	"AddApiKeyRequiredToCorsPreflight", "ApiKeyRequired", "ResourcePolicy", "UsagePlan",
}

// addAuth says in the definition who may call the API.
func (a *restAPI) addAuth() {
	if !a.auth.isTrue() {
		return
	}
	wrong := func(format string, args ...any) { a.invalid(a.get("Auth"), a.id, format, args...) }
	if !a.body.isTrue() {
		wrong("Auth works only with inline Swagger specified in 'DefinitionBody' property.")
		return
	}
	for key := range a.auth.members() {
		if !slices.Contains(authNames, key.text) {
			wrong("Invalid value for 'Auth' property")
			return
		}
	}
	if !isRestDefinition(a.body) {
		wrong("Unable to add Auth configuration because 'DefinitionBody' does not contain a valid Swagger definition.")
		return
	}
	authorizers := a.authorizers(true)
	schemes := newDict()
	for _, au := range authorizers {
		scheme := au.scheme(a)
		if a.failed {
			return
		}
		schemes.setKey(au.name, scheme)
	}
	byDefault := a.auth.get("DefaultAuthorizer")
	if len(authorizers) > 0 && byDefault.isTrue() {
		switch {
		case !byDefault.isText():
			wrong("DefaultAuthorizer is not a string.")
		case byDefault.text != iamAuthorizer && !schemes.has(byDefault.text):
			wrong("Unable to set DefaultAuthorizer because '%s' was not defined in 'Authorizers'.", byDefault.text)
		}
	}
	if a.failed {
		return
	}
	a.edit(func(d *definition) error {
		if len(authorizers) > 0 {
			if err := d.addSchemes(schemes); err != nil {
				return err
			}
			if err := a.defaultAuthorizer(d, authorizers); err != nil {
				return err
			}
		}
		if err := a.defaultKey(d); err != nil {
			return err
		}
		return a.addResourcePolicy(d)
	})
	a.toOpenAPI3()
}

// unlessSaid is a switch of Auth that is on unless it is turned off.
func (a *restAPI) unlessSaid(name string) bool {
	v := a.auth.get(name)
	return v == nil || v.isTrue()
}

func (a *restAPI) defaultAuthorizer(d *definition, authorizers []*restAuthorizer) error {
	name := a.auth.get("DefaultAuthorizer")
	if !name.isTrue() {
		return nil
	}
	known := map[string]bool{iamAuthorizer: true}
	scopes := listValue()
	for _, au := range authorizers {
		known[au.name.text] = true
		if own := au.get("AuthorizationScopes"); au.name.text == name.text && !own.isNull() {
			scopes = own
		}
	}
	preflight := a.unlessSaid("AddDefaultAuthorizerToCorsPreflight")
	for path := range d.paths.members() {
		if err := d.setDefaultAuthorizer(path.text, name, scopes, known, preflight); err != nil {
			return err
		}
	}
	return nil
}

func (a *restAPI) defaultKey(d *definition) error {
	if !a.auth.get("ApiKeyRequired").isTrue() {
		return nil
	}
	if err := d.addKeyScheme(); err != nil {
		return err
	}
	preflight := a.unlessSaid("AddApiKeyRequiredToCorsPreflight")
	for path := range d.paths.members() {
		if err := d.setDefaultKey(path.text, preflight); err != nil {
			return err
		}
	}
	return nil
}

func (a *restAPI) addResourcePolicy(d *definition) error {
	policy := a.auth.get("ResourcePolicy")
	if !policy.isTrue() {
		return nil
	}
	if !policy.isMap() {
		return mistakef("ResourcePolicy must be a map (ResourcePolicyStatement).")
	}
	stage := fromNode(a.get("StageName"))
	if stage.isText() {
		stage = a.stageName(a.resource)
	}
	for path := range d.paths.members() {
		if err := d.addPolicy(policy, path, stage); err != nil {
			return err
		}
	}
	if statements := policy.get("CustomStatements"); statements.isTrue() {
		d.addCustomStatements(statements)
	}
	return nil
}

// allowAuthorizers lets API Gateway invoke the functions that authorize.
func (a *restAPI) allowAuthorizers() {
	if !a.auth.isTrue() {
		return
	}
	p := a.pos()
	for _, au := range a.authorizers(false) {
		function := au.get("FunctionArn")
		if !function.isTrue() || au.get("DisableFunctionDefaultPermissions").isTrue() {
			continue
		}
		arn := "arn:" + a.options.Partition + ":execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/authorizers/*"
		a.add(a.resource, a.id+au.name.text+"AuthorizerPermission", "AWS::Lambda::Permission", p.obj(
			"Action", "lambda:InvokeFunction", "FunctionName", function.node(a.node.Pos), "Principal", "apigateway.amazonaws.com",
			"SourceArn", p.sub(arn, "__ApiId__", p.ref(a.id))))
	}
}

// gatewayResponseNames are what a member of GatewayResponses may say.
var gatewayResponseNames = []string{"ResponseParameters", "ResponseTemplates", "StatusCode"}

// addGatewayResponses says in the definition how API Gateway answers itself.
func (a *restAPI) addGatewayResponses() {
	all := fromNode(a.get("GatewayResponses"))
	if !all.isTrue() {
		return
	}
	n := a.get("GatewayResponses")
	wrong := func(format string, args ...any) { a.invalid(n, a.id, format, args...) }
	if !a.body.isTrue() {
		wrong("GatewayResponses works only with inline Swagger specified in 'DefinitionBody' property.")
		return
	}
	for name, response := range all.members() {
		switch {
		case response.isIntrinsic():
			wrong("Unable to set GatewayResponses attribute because intrinsic functions are not supported for this field.")
		case !response.isMap():
			wrong("Invalid property type '%s' for GatewayResponses. Expected an object of type 'GatewayResponse'.", pythonType(response))
		}
		for key := range response.members() {
			if !slices.Contains(gatewayResponseNames, key.text) {
				wrong("Invalid property '%s' in 'GatewayResponses' property '%s'.", key.text, name.text)
			}
		}
	}
	if a.failed {
		return
	}
	if !isRestDefinition(a.body) {
		wrong("Unable to add Auth configuration because 'DefinitionBody' does not contain a valid Swagger definition.")
		return
	}
	responses := newDict()
	for name, response := range all.members() {
		r := a.gatewayResponse(name.text, response)
		if a.failed {
			return
		}
		responses.setKey(name, r)
	}
	a.edit(func(d *definition) error {
		for name, r := range responses.members() {
			d.responses.setKey(name, r)
		}
		return nil
	})
}

// pythonType is the name of a value's type in Python, which SAM's messages show.
func pythonType(v *value) string {
	switch {
	case v.isNull():
		return "NoneType"
	case v.isText():
		return "Py27UniStr"
	case v.isMap():
		return "dict"
	case v.isList():
		return "list"
	case v.isBool():
		return "bool"
	}
	return "int"
}

// parameterPrefixes are the kinds of parameters of a gateway's response and how
// a definition names them.
var parameterPrefixes = [][2]string{{"Headers", "header."}, {"Paths", "path."}, {"QueryStrings", "querystring."}}

// gatewayResponse is a member of GatewayResponses as definitions say it.
func (a *restAPI) gatewayResponse(name string, response *value) *value {
	where := a.get("GatewayResponses").Get(name)
	parameters := response.get("ResponseParameters")
	if parameters.isTrue() && !parameters.isMap() {
		a.invalid(where, a.id, "Property 'GatewayResponses.%s.ResponseParameters' should be a map.", name)
		return nil
	}
	for key := range parameters.members() {
		if !slices.ContainsFunc(parameterPrefixes, func(p [2]string) bool { return p[0] == key.text }) {
			a.invalid(where, a.id, "Invalid gateway response parameter '%s'", key.text)
			return nil
		}
	}
	status := response.get("StatusCode")
	if status.isTrue() && !statusCode().MatchString(versionText(status)) {
		a.invalid(where, a.id, "Property 'StatusCode' must be numeric")
		return nil
	}
	out := newDict()
	prefixed := newDict()
	for _, kind := range parameterPrefixes {
		members := parameters.get(kind[0])
		if members != nil && !members.isMap() {
			a.invalid(where, a.id, "Property 'ResponseParameters.%s' should be a map.", kind[0])
			return nil
		}
		for key, v := range members.members() {
			prefixed.setKey(givenText("gatewayresponse."+kind[1]+key.text), v)
		}
	}
	out.set("responseParameters", prefixed)
	out.set("responseTemplates", orDict(response.get("ResponseTemplates")))
	if status.isTrue() {
		out.set("statusCode", lit(versionText(status)))
	}
	return out
}
