package sam

import "strings"

// makeSources makes the data sources, each with a role unless it brings one.
func (g *graphQL) makeSources() {
	sources := g.get("DataSources")
	for name, source := range entries(get(sources, "DynamoDb")) {
		g.tableSource(name, source)
	}
	for name, source := range entries(get(sources, "Lambda")) {
		g.functionSource(name, source)
	}
}

// source makes a data source. connector names what lets its role reach the
// target, as far as permissions say.
func (g *graphQL) source(name string, n, props *node, id, connector string, target *node, permissions ...string) {
	p := at(n.Pos)
	set(props, "ApiId", g.apiID())
	set(props, "Name", p.text(name))
	if given := get(n, "Name"); truthy(given) {
		set(props, "Name", clone(given))
	}
	if description := get(n, "Description"); description != nil {
		set(props, "Description", clone(description))
	}
	g.make(id, "DataSource", props)
	id = g.id + id
	g.sources[name] = p.getAtt(id, "Name")
	if role := get(n, "ServiceRoleArn"); truthy(role) {
		set(props, "ServiceRoleArn", clone(role))
		return
	}
	g.addMain(g.resource, id+"Role", "AWS::IAM::Role", p.obj("AssumeRolePolicyDocument", trusts(p, "appsync.amazonaws.com")))
	set(props, "ServiceRoleArn", p.getAtt(id+"Role", "Arn"))
	typ := "AWS::Lambda::Function"
	if strings.HasSuffix(connector, "Table") {
		typ = "AWS::DynamoDB::Table"
	}
	g.connect(id+connector+"Connector",
		p.obj("Type", "AWS::AppSync::DataSource", "Arn", p.getAtt(id, "DataSourceArn"), "RoleName", p.ref(id+"Role")),
		p.obj("Type", typ, "Arn", target), permissions...)
}

func (g *graphQL) tableSource(name string, n *node) {
	p := at(n.Pos)
	config := p.obj("AwsRegion", p.ref("AWS::Region"), "TableName", clone(get(n, "TableName")))
	if region := get(n, "Region"); truthy(region) {
		set(config, "AwsRegion", clone(region))
	}
	for _, flag := range []string{"UseCallerCredentials", "Versioned"} {
		if v := get(n, flag); truthy(v) {
			set(config, flag, clone(v))
		}
	}
	if sync := get(n, "DeltaSync"); sync != nil {
		set(config, "DeltaSyncConfig", clone(sync))
	}
	table := clone(get(n, "TableArn"))
	if !truthy(table) {
		table = p.sub("arn:${AWS::Partition}:dynamodb:${__Region__}:${AWS::AccountId}:table/${__TableName__}",
			"__TableName__", clone(get(n, "TableName")), "__Region__", clone(get(config, "AwsRegion")))
	}
	permissions := []string{"Read", "Write"}
	if given := get(n, "Permissions"); truthy(given) {
		permissions = nil
		for _, permission := range given.Items {
			permissions = append(permissions, permission.Text)
		}
	}
	g.source(name, n, p.obj("Type", "AMAZON_DYNAMODB", "DynamoDBConfig", config), name+"DynamoDBDataSource", "ToTable", table, permissions...)
}

func (g *graphQL) functionSource(name string, n *node) {
	p := at(n.Pos)
	function := get(n, "FunctionArn")
	g.source(name, n, p.obj("Type", "AWS_LAMBDA", "LambdaConfig", p.obj("LambdaFunctionArn", clone(function))),
		name+"LambdaDataSource", "ToLambda", clone(function), "Write")
}

// makeSteps makes the functions, of which resolvers are put together.
func (g *graphQL) makeSteps() {
	for name, n := range entries(g.get("Functions")) {
		if g.failed {
			return
		}
		p := at(n.Pos)
		if id := get(n, "Id"); truthy(id) {
			if others := len(n.Keys); others != 1 {
				g.invalid(n, name, "'Id' cannot be defined with other properties in Function.")
			}
			g.steps[name] = clone(id)
			continue
		}
		inline, uri := g.codeOf(name, n)
		if !g.failed && !truthy(inline) && !truthy(uri) {
			g.invalid(n, name, "One of 'InlineCode' or 'CodeUri' must be set.")
		}
		source := g.sourceOf(name, n)
		runtime := g.runtimeOf(name, n)
		props := p.obj("ApiId", g.apiID(), "Name", name, "Code", inline, "CodeS3Location", uri, "DataSourceName", source, "Runtime", runtime,
			"MaxBatchSize", clone(get(n, "MaxBatchSize")), "Description", clone(get(n, "Description")), "SyncConfig", clone(get(n, "Sync")))
		if given := get(n, "Name"); truthy(given) {
			set(props, "Name", clone(given))
		}
		g.make(name, "FunctionConfiguration", props)
		g.steps[name] = p.getAtt(g.id+name, "FunctionId")
	}
}

// sourceOf is the name of a function's data source. NONE is one that the API
// gets for all of its functions.
func (g *graphQL) sourceOf(name string, n *node) *node {
	source := get(n, "DataSource")
	switch {
	case !truthy(source):
		g.invalid(n, name, "'DataSource' must be set.")
		return nil
	case !isString(source):
		return clone(source)
	case strings.EqualFold(source.Text, "none"):
		const none = "NoneDataSource"
		if g.sources[none] == nil {
			p := g.pos()
			g.make(none, "DataSource", p.obj("ApiId", g.apiID(), "Name", g.id+none, "Type", "NONE"))
			g.sources[none] = p.getAtt(g.id+none, "Name")
		}
		return clone(g.sources[none])
	case g.sources[source.Text] != nil:
		return clone(g.sources[source.Text])
	}
	g.invalid(source, name, "Either define DataSource '%s' in 'DataSources' or use intrinsic function like GetAtt, ImportValue, Sub or another one to reference a DataSource defined outside of this GraphQLApi resource.", source.Text)
	return nil
}

// passOn is the code of resolvers that have none: it passes on what the last
// function gave.
const passOn = `
export function request(ctx) {
    return {};
}

export function response(ctx) {
    return ctx.prev.result;
}
`

// makeResolvers makes the resolvers: pipelines of functions.
func (g *graphQL) makeResolvers() {
	for typ, resolvers := range entries(g.get("Resolvers")) {
		for name, n := range entries(resolvers) {
			if g.failed {
				return
			}
			g.resolver(typ, name, n)
		}
	}
}

func (g *graphQL) resolver(typ, name string, n *node) {
	p := at(n.Pos)
	inline, uri := g.codeOf(name, n)
	var runtime *node
	if truthy(inline) || truthy(uri) {
		runtime = g.runtimeOf(name, n)
	} else {
		inline, runtime = p.text(passOn), p.obj("Name", "APPSYNC_JS", "RuntimeVersion", "1.0.0")
	}
	pipeline := get(n, "Pipeline")
	if !truthy(pipeline) {
		g.invalid(n, name, "Resolver '%s' must have Pipeline defined. Unit resolvers are not supported. If you need a Unit resolver you can use AppSync resource.", name)
		return
	}
	steps := p.list()
	for _, step := range pipeline.Items {
		id := g.steps[step.Text]
		if id == nil {
			g.invalid(step, name, "Function '%s' does not exist.", step.Text)
			return
		}
		steps.Items = append(steps.Items, clone(id))
	}
	props := p.obj("ApiId", g.apiID(), "TypeName", typ, "FieldName", name, "Kind", "PIPELINE", "Code", inline, "CodeS3Location", uri,
		"Runtime", runtime, "PipelineConfig", p.obj("Functions", steps), "CachingConfig", clone(get(n, "Caching")))
	if field := get(n, "FieldName"); truthy(field) {
		set(props, "FieldName", clone(field))
	}
	if size := get(n, "MaxBatchSize"); truthy(size) {
		set(props, "MaxBatchSize", clone(size))
	}
	m := g.make(typ+name, "Resolver", props)
	set(m.attributes, "DependsOn", p.texts(g.id+"Schema"))
}
