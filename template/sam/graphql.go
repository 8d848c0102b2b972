package sam

import "strconv"

var graphQLKind = kind{
	turn:      otherTurn,
	translate: translateGraphQL,
	properties: []property{
		{name: "Name", shape: anything, literal: true},
		{name: "Tags", shape: aMap, literal: true},
		{name: "XrayEnabled", shape: anything, literal: true},
		{name: "Auth", shape: aMap, literal: true, required: true},
		{name: "SchemaInline", shape: aString, literal: true},
		{name: "SchemaUri", shape: aString, literal: true},
		{name: "Logging", shape: either(aMap, aBool), literal: true},
		{name: "DataSources", shape: aMap, literal: true},
		{name: "Functions", shape: aMap, literal: true},
		{name: "Resolvers", shape: aMap, literal: true},
		{name: "ApiKeys", shape: aMap, literal: true},
		{name: "DomainName", shape: aMap, literal: true},
		{name: "Cache", shape: aMap, literal: true},
		{name: "Visibility", shape: anything, literal: true},
		{name: "OwnerContact", shape: anything, literal: true},
		{name: "IntrospectionConfig", shape: anything, literal: true},
		{name: "QueryDepthLimit", shape: anything, literal: true},
		{name: "ResolverCountLimit", shape: anything, literal: true},
	},
}

// graphQL is an AWS::Serverless::GraphQLApi being rewritten.
type graphQL struct {
	*context
	*resource
	sources map[string]*node // names of data sources, by what the template calls them
	steps   map[string]*node // ids of functions, by what the template calls them
}

// translateGraphQL makes an API of AppSync with its schema, data sources,
// functions and resolvers.
func translateGraphQL(c *context, r *resource) {
	g := &graphQL{context: c, resource: r, sources: map[string]*node{}, steps: map[string]*node{}}
	wrong := graphQLForm.mistake(r.props, "")
	if logging := r.get("Logging"); wrong == "" && isMap(logging) {
		wrong = loggingForm.mistake(logging, "Logging")
	}
	if wrong != "" {
		c.invalid(r.props, r.id, "Property '%s' is invalid.", wrong)
		return
	}
	for _, step := range []func(){
		g.makeAPI, g.makeSchema, g.makeKeys, g.makeCache, g.makeSources, g.makeDomain, g.makeSteps, g.makeResolvers,
	} {
		if step(); c.failed {
			return
		}
	}
}

// make makes a part of the API, which has all attributes of the template's
// resource.
func (g *graphQL) make(suffix, typ string, props *node) *made {
	return g.addMain(g.resource, g.id+suffix, "AWS::AppSync::"+typ, props)
}

// apiID is how parts name their API.
func (g *graphQL) apiID() *node { return g.pos().getAtt(g.id, "ApiId") }

func (g *graphQL) makeAPI() {
	p := g.pos()
	props := p.obj("Name", g.id)
	copyTrue(props, g.resource, "Name", "Visibility", "OwnerContact", "IntrospectionConfig", "QueryDepthLimit", "ResolverCountLimit")
	copySet(props, g.resource, "XrayEnabled")
	tags := p.obj()
	if given := g.get("Tags"); given != nil {
		tags = clone(given)
	}
	set(tags, "graphqlapi:createdBy", p.text("SAM"))
	set(props, "Tags", p.node(tagList(tags)))
	authorizers := g.authenticate(props)
	if g.failed {
		return
	}
	g.make("", "GraphQLApi", props)
	for i, function := range authorizers {
		g.connect(g.id+"ToLambdaAuthConnector"+strconv.Itoa(i+1),
			p.obj("Type", "AWS::AppSync::GraphQLApi", "Arn", p.ref(g.id), "ResourceId", g.apiID()),
			p.obj("Type", "AWS::Lambda::Function", "Arn", function), "Write")
	}
	g.log(props)
}

// connect lets one resource use another, as a connector would.
func (g *graphQL) connect(id string, source, destination *node, permissions ...string) {
	p := g.pos()
	translateConnector(g.context, &resource{id: id, typ: connectorType, node: p.obj(),
		props: p.obj("Source", source, "Destination", destination, "Permissions", p.texts(permissions...))})
}

// authorizerConfigs are the ways of telling who calls that need more to know:
// the member that the template has for it, and AppSync's.
var authorizerConfigs = map[string][2]string{
	"AWS_LAMBDA":                {"LambdaAuthorizer", "LambdaAuthorizerConfig"},
	"OPENID_CONNECT":            {"OpenIDConnect", "OpenIDConnectConfig"},
	"AMAZON_COGNITO_USER_POOLS": {"UserPool", "UserPoolConfig"},
}

// authenticate says who may call, and gives the functions that are asked.
func (g *graphQL) authenticate(props *node) []*node {
	auth := g.get("Auth")
	p := at(auth.Pos)
	var functions []*node
	one := func(into, auth *node, path string) {
		ways := 0
		for _, name := range []string{"LambdaAuthorizer", "OpenIDConnect", "UserPool"} {
			if get(auth, name) != nil {
				ways++
			}
		}
		if ways > 1 {
			g.invalid(auth, g.id, "%s has more than one authentication configuration defined.", path)
			return
		}
		typ := get(auth, "Type")
		set(into, "AuthenticationType", clone(typ))
		names, needed := authorizerConfigs[typ.Text]
		if !needed {
			return
		}
		config := clone(get(auth, names[0]))
		if config == nil {
			g.invalid(auth, g.id, "'%s' must be defined if type is '%s'.", names[0], typ.Text)
			return
		}
		if path != "'Auth'" || into != props {
			if typ.Text == "AMAZON_COGNITO_USER_POOLS" {
				remove(config, "DefaultAction")
			}
		}
		if typ.Text == "AWS_LAMBDA" {
			functions = append(functions, clone(get(config, "AuthorizerUri")))
		}
		set(into, names[1], config)
	}
	one(props, auth, "'Auth'")
	if more := get(auth, "Additional"); truthy(more) {
		list := p.list()
		for i, way := range more.Items {
			path := "'Auth.Additional." + strconv.Itoa(i) + "'"
			if i == 0 {
				path = "'Auth'" // so AWS's transform counts
			}
			list.Items = append(list.Items, p.obj())
			one(list.Items[i], way, path)
		}
		set(props, "AdditionalAuthenticationProviders", list)
	}
	return functions
}

// log says what AppSync logs, by default everything, with a role of its own.
func (g *graphQL) log(props *node) {
	logging := g.get("Logging")
	if isBool(logging) && !truthy(logging) {
		return
	}
	p := g.pos()
	config := p.obj("FieldLogLevel", "ALL")
	for _, name := range []string{"ExcludeVerboseContent", "FieldLogLevel", "CloudWatchLogsRoleArn"} {
		if v := get(logging, name); truthy(v) {
			set(config, name, clone(v))
		}
	}
	set(props, "LogConfig", config)
	if has(config, "CloudWatchLogsRoleArn") {
		return
	}
	role := g.id + "CloudWatchRole"
	set(config, "CloudWatchLogsRoleArn", p.getAtt(role, "Arn"))
	g.addMain(g.resource, role, "AWS::IAM::Role", p.obj(
		"AssumeRolePolicyDocument", trusts(p, "appsync.amazonaws.com"),
		"ManagedPolicyArns", p.list(p.sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AWSAppSyncPushToCloudWatchLogs"))))
}

func (g *graphQL) makeSchema() {
	inline, uri := g.get("SchemaInline"), g.get("SchemaUri")
	switch {
	case !truthy(inline) && !truthy(uri):
		g.invalid(g.node, g.id, "One of 'SchemaInline' or 'SchemaUri' must be set.")
	case truthy(inline) && truthy(uri):
		g.invalid(uri, g.id, "Both 'SchemaInline' and 'SchemaUri' cannot be defined at the same time.")
	default:
		g.make("Schema", "GraphQLSchema", g.pos().obj("ApiId", g.apiID(), "Definition", clone(inline), "DefinitionS3Location", clone(uri)))
	}
}

func (g *graphQL) makeKeys() {
	for name, key := range entries(g.get("ApiKeys")) {
		g.make(name, "ApiKey", at(key.Pos).obj("ApiId", g.apiID(), "ApiKeyId", clone(get(key, "ApiKeyId")),
			"Description", clone(get(key, "Description")), "Expires", clone(get(key, "ExpiresOn"))))
	}
}

func (g *graphQL) makeCache() {
	cache := g.get("Cache")
	if cache == nil {
		return
	}
	props := at(cache.Pos).obj("ApiId", g.apiID())
	for key, v := range entries(cache) {
		set(props, key, clone(v))
	}
	g.make("ApiCache", "ApiCache", props)
}

func (g *graphQL) makeDomain() {
	domain := g.get("DomainName")
	if domain == nil {
		return
	}
	p := at(domain.Pos)
	g.make("DomainName", "DomainName", clone(domain))
	g.make("DomainNameApiAssociation", "DomainNameApiAssociation", p.obj("ApiId", g.apiID(), "DomainName", p.ref(g.id+"DomainName")))
}

// codeOf is the code of a function or a resolver: text, or a place in S3.
func (g *graphQL) codeOf(name string, n *node) (inline, uri *node) {
	inline, uri = get(n, "InlineCode"), get(n, "CodeUri")
	if truthy(inline) && truthy(uri) {
		g.invalid(n, name, "Both 'InlineCode' and 'CodeUri' cannot be defined at the same time.")
	}
	return clone(inline), clone(uri)
}

// runtimeOf is the runtime of a function or a resolver.
func (g *graphQL) runtimeOf(name string, n *node) *node {
	runtime := get(n, "Runtime")
	if runtime == nil {
		g.invalid(n, name, "'Runtime' must be defined as a property in %s.", name)
		return nil
	}
	return at(runtime.Pos).obj("Name", clone(get(runtime, "Name")), "RuntimeVersion", clone(get(runtime, "Version")))
}
