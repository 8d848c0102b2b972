package sam

// httpAPI is an AWS::Serverless::HttpApi being rewritten.
type httpAPI struct {
	edited
	auth, domain *value
	tags         *node // the user's and SAM's own
}

// translateHTTP makes an HTTP API and its stage, and what goes with them:
// permissions and a domain.
func translateHTTP(c *context, r *resource) {
	a := &httpAPI{edited: c.toEdit(r, editHTTP), auth: fromNode(r.get("Auth")), domain: fromNode(c.resolve(r.get("Domain"))), tags: clone(r.get("Tags"))}
	uri := r.get("DefinitionUri")
	if truthy(uri) && a.body.isTrue() {
		c.invalid(uri, r.id, "Specify either 'DefinitionUri' or 'DefinitionBody' property and not both.")
		return
	}
	for _, step := range []func(){a.addCors, a.addAuth, a.addTags, a.disableEndpoint, a.addTitle, a.addDescription, a.moveDefaultPath} {
		if step(); c.failed {
			return
		}
	}
	props := r.pos().obj()
	copyTrue(props, r, "FailOnWarnings")
	switch {
	case truthy(uri):
		location := c.definitionLocation(r, uri)
		if c.failed {
			return
		}
		set(props, "BodyS3Location", location)
	case a.body.isTrue():
		set(props, "Body", a.body.node(r.node.Pos))
	default:
		c.invalid(r.node, r.id, "'DefinitionUri' or 'DefinitionBody' are required properties of an 'AWS::Serverless::HttpApi'. "+
			"Add a value for one of these properties or add a 'HttpApi' event to an 'AWS::Serverless::Function'.")
		return
	}
	c.addMain(r, r.id, "AWS::ApiGatewayV2::Api", props)
	v2 := &apiV2{context: c, resource: r, domain: a.domain, createdBy: "httpapi:createdBy", tags: a.userTags()}
	v2.makeDomain()
	a.allowAuthorizers()
	a.makeStage()
}

// userTags are the tags with SAM's own if the template has any, else nil: only
// then do parts of the API get the template's.
func (a *httpAPI) userTags() *node {
	if a.get("Tags") == nil || a.body == nil {
		return nil
	}
	return a.tags
}

// addTags writes the tags into the definition, which is where HTTP APIs have
// them.
func (a *httpAPI) addTags() {
	given := truthy(a.tags)
	switch {
	case given && !a.body.isTrue():
		a.invalid(a.tags, a.id, "Tags works only with inline OpenApi specified in the 'DefinitionBody' property.")
		return
	case !a.body.isTrue():
		return
	case given && !isHTTPDefinition(a.body):
		a.invalid(a.tags, a.id, "Unable to add `Tags` because 'DefinitionBody' does not contain a valid OpenApi definition.")
		return
	case !isHTTPDefinition(a.body):
		return
	}
	if !given {
		a.tags = a.pos().obj()
	}
	set(a.tags, "httpapi:createdBy", a.pos().text("SAM"))
	a.edit(func(d *definition) error { return d.addTags(fromNode(a.tags)) })
}

// addTags adds tags to an HTTP API's definition.
func (d *definition) addTags(tags *value) error {
	if !d.tags.isList() {
		return mistakef("Tags in OpenApi DefinitionBody needs to be a list. %s is a %s not a list.", said(d.tags), pythonType(d.tags))
	}
	have := byName(d.tags.items)
	for name, v := range tags.members() {
		tag := have[name.text]
		if tag == nil {
			tag = dictOf("name", name)
			d.tags.items = append(d.tags.items, tag)
		}
		tag.set(extTagValue, v)
	}
	return nil
}

// info is a member of the definition's info; false when there is no telling.
func (a *httpAPI) info(property, name string, end string) (*value, bool) {
	if !a.body.isTrue() {
		a.invalid(a.get(property), a.id, "%s works only with inline OpenApi specified in the 'DefinitionBody' property.", property)
		return nil, false
	}
	info := a.body.get("info")
	if !info.isNull() && !info.isMap() {
		a.invalid(a.get(property), a.id, "Invalid 'DefinitionBody': The value of 'info' should be a map%s", end)
		return nil, false
	}
	return info.get(name), true
}

func (a *httpAPI) addTitle() {
	name := a.get("Name")
	if !truthy(name) {
		return
	}
	title, ok := a.info("Name", "title", ".")
	if !ok {
		return
	}
	if !equal(title, plainOf("Ref", lit("AWS::StackName"))) {
		a.invalid(name, a.id, "Unable to set Name because it is already defined within inline OpenAPI specified in the 'DefinitionBody' property.")
		return
	}
	a.edit(func(d *definition) error {
		d.info.set("title", fromNode(name))
		return nil
	})
}

func (a *httpAPI) addDescription() {
	description := a.get("Description")
	if !truthy(description) {
		return
	}
	own, ok := a.info("Description", "description", "'.")
	if !ok {
		return
	}
	if own.isTrue() {
		a.invalid(description, a.id, "Unable to set Description because it is already defined within inline OpenAPI specified in the 'DefinitionBody' property.")
		return
	}
	a.edit(func(d *definition) error {
		d.info.set("description", fromNode(description))
		return nil
	})
}

// moveDefaultPath writes $default as a path: API Gateway warns of it otherwise,
// and FailOnWarnings makes that an error.
func (a *httpAPI) moveDefaultPath() {
	paths := a.body.get("paths")
	if truthy(a.get("FailOnWarnings")) && paths.has(defaultPath) {
		paths.set("/"+defaultPath, paths.remove(defaultPath))
	}
}

// makeStage makes the API's stage, $default unless it has a name.
func (a *httpAPI) makeStage() {
	p := a.pos()
	name := a.get("StageName")
	if !truthy(name) {
		name = p.text(defaultPath)
	}
	id := a.id + stageSuffix(name)
	if name.Scalar() == defaultPath {
		id = a.id + "ApiGatewayDefaultStage"
	}
	props := p.obj("ApiId", p.ref(a.id), "StageName", clone(name), "AutoDeploy", true, "Tags", clone(a.tags))
	copySet(props, a.resource, "StageVariables", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings")
	a.add(a.resource, id, "AWS::ApiGatewayV2::Stage", props)
}
