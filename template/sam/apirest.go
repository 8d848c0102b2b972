package sam

import (
	"net/url"
	"slices"
	"strings"

	"ouro/regex"
	"ouro/template"
)

// restAPI is an AWS::Serverless::Api being rewritten.
type restAPI struct {
	edited
	auth, domain *value
}

var openAPIVersion = regex.New(`^[23](\.\d)(\.\d)?$`)

// translateRest makes a REST API, its deployment and its stage, and what goes
// with them: permissions, a domain, a usage plan.
func translateRest(c *context, r *resource) {
	a := &restAPI{edited: c.toEdit(r, editRest), auth: fromNode(c.resolve(r.get("Auth"))), domain: fromNode(c.resolve(r.get("Domain")))}
	if a.checkDefinition(); c.failed {
		return
	}
	props := r.pos().obj()
	copySet(props, r, "MinimumCompressionSize")
	copyTrue(props, r, "FailOnWarnings", "Name", "Description", "Mode", "ApiKeySourceType", "Policy", "SecurityPolicy", "EndpointAccessMode")
	binary := c.resolve(r.get("BinaryMediaTypes"))
	if binary != nil {
		set(props, "BinaryMediaTypes", clone(binary))
	}
	a.setEndpoint(props)
	for _, step := range []func(){
		a.addCors, a.addAuth, a.addGatewayResponses,
		func() { a.addBinaryMediaTypes(binary) },
		a.addModels, a.disableEndpoint, a.toOpenAPI3,
	} {
		if step(); c.failed {
			return
		}
	}
	uri := r.get("DefinitionUri")
	switch {
	case truthy(uri):
		location := c.definitionLocation(r, uri)
		if c.failed {
			return
		}
		set(props, "BodyS3Location", location)
		a.body = newDict()
		for key, v := range entries(location) {
			a.body.set(key, fromNode(v))
		}
	case a.body.isTrue():
		set(props, "Body", a.body.node(r.node.Pos))
	}
	c.addMain(r, r.id, "AWS::ApiGateway::RestApi", props)
	if a.makeDomain(); c.failed {
		return
	}
	stage := a.makeStage()
	a.allowAuthorizers()
	a.makeUsagePlan(stage)
	if truthy(r.get("PropagateTags")) {
		c.propagate(r, r.get("Tags"))
	}
}

// checkDefinition refuses properties that do not go together.
func (a *restAPI) checkDefinition() {
	uri, version := a.get("DefinitionUri"), a.get("OpenApiVersion")
	switch {
	case truthy(uri) && a.body.isTrue():
		a.invalid(uri, a.id, "Specify either 'DefinitionUri' or 'DefinitionBody' property and not both.")
	case truthy(uri) && truthy(a.get("MergeDefinitions")):
		a.invalid(uri, a.id, "Cannot set 'MergeDefinitions' to True when using `DefinitionUri`.")
	case truthy(version) && !openAPIVersion().MatchString(versionText(fromNode(version))):
		a.invalid(version, a.id, "The OpenApiVersion value must be of the format '3.0.0'.")
	}
}

// setEndpoint says how the API is reached. Partitions without edge-optimized
// endpoints have regional ones unless told otherwise.
func (a *restAPI) setEndpoint(props *node) {
	p := a.pos()
	config := a.get("EndpointConfiguration")
	switch partition := a.options.Partition; {
	case truthy(config):
	case strings.HasPrefix(partition, "aws-iso"), slices.Contains([]string{"aws-us-gov", "aws-cn", "aws-eusc"}, partition):
		config = p.text("REGIONAL")
	default:
		return
	}
	typ := get(config, "Type")
	if !truthy(typ) {
		typ = config
	}
	endpoint := p.obj("Types", p.list(clone(typ)))
	set(props, "Parameters", p.obj("endpointConfigurationTypes", clone(typ)))
	set(props, "EndpointConfiguration", endpoint)
	if typ == config {
		return
	}
	if has(config, "VPCEndpointIds") && has(config, "VpcEndpointIds") {
		a.invalid(config, a.id, "'VPCEndpointIds' and 'VpcEndpointIds' cannot be used together in EndpointConfiguration.")
		return
	}
	for _, name := range []string{"VPCEndpointIds", "VpcEndpointIds"} {
		if has(config, name) {
			set(endpoint, "VpcEndpointIds", clone(config.Get(name)))
		}
	}
	if has(config, "IpAddressType") {
		set(endpoint, "IpAddressType", clone(config.Get("IpAddressType")))
	}
}

// definitionLocation is DefinitionUri as a place in S3.
func (c *context) definitionLocation(r *resource, uri *node) *node {
	p := at(uri.Pos)
	bucket, key, version := uri.Get("Bucket"), uri.Get("Key"), uri.Get("Version")
	if isMap(uri) {
		if !truthy(bucket) || !truthy(key) {
			c.invalid(uri, r.id, "'DefinitionUri' requires Bucket and Key properties to be specified.")
			return nil
		}
		return p.obj("Bucket", clone(bucket), "Key", clone(key), "Version", clone(version))
	}
	u, err := url.Parse(uri.Text)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.Path == "" {
		c.invalid(uri, r.id, "'DefinitionUri' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter.")
		return nil
	}
	out := p.obj("Bucket", u.Host, "Key", strings.TrimLeft(u.Path, "/"))
	if versions := u.Query()["versionId"]; len(versions) == 1 {
		set(out, "Version", p.text(versions[0]))
	}
	return out
}

func (a *restAPI) addBinaryMediaTypes(types *node) {
	if truthy(types) && a.body.isTrue() {
		a.edit(func(d *definition) error {
			d.addBinaryMediaTypes(fromNode(types))
			return nil
		})
	}
}

func (a *restAPI) addModels() {
	models := fromNode(a.get("Models"))
	if !models.isTrue() {
		return
	}
	wrong := func(message string) { a.invalid(a.get("Models"), a.id, "%s", message) }
	switch {
	case !a.body.isTrue():
		wrong("Models works only with inline Swagger specified in 'DefinitionBody' property.")
		return
	case !isRestDefinition(a.body):
		wrong("Unable to add Models definitions because 'DefinitionBody' does not contain a valid Swagger definition.")
		return
	}
	for _, model := range models.members() {
		if !model.isMap() {
			wrong("Invalid value for 'Models' property")
			return
		}
	}
	a.edit(func(d *definition) error { return d.addModels(models) })
	a.toOpenAPI3()
}

// toOpenAPI3 writes what Swagger 2.0 and OpenAPI 3 write differently as the
// latter wants it, if the API is to be OpenAPI 3.
func (a *restAPI) toOpenAPI3() {
	version := fromNode(a.get("OpenApiVersion"))
	if own := a.body.get("openapi"); version == nil && !own.isNull() {
		version = own
	}
	if !a.body.isMap() || !a.body.get("swagger").isNull() || !version.isTrue() || !isOpenAPI3(version) {
		return
	}
	for _, move := range [][2]string{{"securityDefinitions", "securitySchemes"}, {"definitions", "schemas"}} {
		if moved := a.body.get(move[0]); moved.isTrue() {
			components := orDict(a.body.get("components"))
			if !components.isMap() {
				a.refuse(a.node, "Invalid OpenAPI definition: The value of 'components' should be a map.")
				return
			}
			components.set(move[1], moved)
			a.body.set("components", components)
			a.body.remove(move[0])
		}
	}
	paths := a.body.get("paths")
	if !paths.isTrue() {
		return
	}
	if !paths.isMap() {
		a.refuse(a.node, "Value of paths must be a dictionary according to Swagger spec.")
		return
	}
	for path, item := range paths.members() {
		if !item.isMap() {
			a.refuse(a.node, "Value of '%s' path must be a dictionary according to Swagger spec.", path.text)
			return
		}
		if options := item.get("options"); options.isTrue() {
			if err := optionsToOpenAPI3(path.text, options); err != nil {
				a.refuse(a.node, "%s", err)
				return
			}
		}
	}
}

// optionsToOpenAPI3 is toOpenAPI3 for the answer to preflight requests.
func optionsToOpenAPI3(path string, options *value) error {
	if !options.isMap() {
		return mistakef("Value of options method for path %s must be a dictionary according to Swagger spec.", path)
	}
	options.remove("consumes")
	options.remove("produces")
	responses := options.get("responses")
	if responses.isNull() {
		return nil
	}
	bad := func(what string) error {
		return mistakef("Invalid responses in options method for path %s: %s.", path, what)
	}
	if !responses.isMap() {
		return bad("It should be a map")
	}
	ok := responses.get("200")
	if !ok.isNull() && !ok.isMap() {
		return bad("The value of '200' should be a map")
	}
	headers := ok.get("headers")
	if !headers.isTrue() {
		return nil
	}
	if headers.kind != template.Map {
		return mistakef("Value of response's headers in options method for path %s must be a dictionary according to Swagger spec.", path)
	}
	for name, header := range headers.members() {
		headers.set(name.text, dictOf("schema", header))
	}
	return nil
}
