package sam

// apiState is what a run knows of APIs.
type apiState struct {
	bodies     map[string]*body  // by the API's logical id
	tables     bool              // whether SAM's order is that of Python 2.7's tables
	order      *value            // keys are the logical ids of all resources, in SAM's order
	events     map[string]*value // keys are the names of a resource's events, in SAM's order
	names      map[string]string // of functions with a name of their own, by the API that they serve
	recordSets map[string]*made  // groups of Route 53's records, by their logical ids
	sharedPlan sharedPlan
	copied     int // values of definitions that were copied so far
}

// Bounds on the work for definitions: API Gateway takes a few hundred resources
// an API, and 500 functions with a route each copy some ten million values.
const (
	maxPaths       = 5000
	maxDefinitions = 50_000_000
)

// mayEdit tells whether a definition may be edited once more, which copies it.
// When it may not, the template is refused.
func (c *context) mayEdit(where *node, v *value) bool {
	c.apis.copied += v.size()
	if c.apis.copied > maxDefinitions {
		c.refuse(where, "Its API definitions are too large for so many events.")
		return false
	}
	return true
}

// body is an API's definition while events add to it.
type body struct {
	*value
	managed  bool // made by the transform, whole
	implicit bool // so is the API itself
}

// bodyOf is the definition of the API of that logical id, nil when it has none.
func (c *context) bodyOf(id string) *body { return c.apis.bodies[id] }

// setBody replaces an API's definition.
func (c *context) setBody(id string, v *value) { c.apis.bodies[id].value = v }

// apiType is what REST and HTTP APIs differ in as far as events go.
type apiType struct {
	typ          string // of the resource
	event        string // type of its events
	idName       string // how events name their API
	implicit     string // logical id of the API for events that name none
	anyCondition string // of that API, when several conditions decide about it
	valid        func(*value) bool
	edit         func(*value) (*definition, error)
	skeleton     func() *value
}

var restType = apiType{
	typ: "AWS::Serverless::Api", event: "Api", idName: "RestApiId",
	implicit: "ServerlessRestApi", anyCondition: "ServerlessRestApiCondition",
	valid: isRestDefinition, edit: editRest,
	skeleton: func() *value { return emptyDefinition("swagger", "2.0") },
}

var httpType = apiType{
	typ: "AWS::Serverless::HttpApi", event: "HttpApi", idName: "ApiId",
	implicit: "ServerlessHttpApi", anyCondition: "ServerlessHttpApiCondition",
	valid: isHTTPDefinition, edit: editHTTP,
	skeleton: func() *value { return emptyDefinition("openapi", "3.0.1") },
}

// emptyDefinition is a definition without paths.
func emptyDefinition(format, version string) *value {
	title := plainOf("Ref", lit("AWS::StackName"))
	return dictOf(format, lit(version), "info", dictOf("version", lit("1.0"), "title", title), "paths", newDict())
}

// defaultDefinitions gives APIs that say nothing of their routes an empty
// definition, which events fill.
func defaultDefinitions(c *context) {
	c.apis = apiState{
		bodies: map[string]*body{}, events: map[string]*value{}, names: map[string]string{},
		recordSets: map[string]*made{}, tables: tableOrdered(c),
	}
	c.apis.order = c.newOrder()
	for _, key := range c.resources.Keys {
		c.apis.order.set(key.Text, nullValue())
	}
	for _, t := range []apiType{restType, httpType} {
		for r := range c.all(t.typ) {
			if r.typ != t.typ {
				continue
			}
			b := &body{}
			switch {
			case truthy(r.get("DefinitionBody")):
				b.value = fromNode(r.get("DefinitionBody"))
			case !truthy(r.get("DefinitionUri")):
				b.value, b.managed = t.skeleton(), true
			}
			c.apis.bodies[r.id] = b
		}
	}
}

// newOrder is a map for its keys, in SAM's order.
func (c *context) newOrder() *value {
	if c.apis.tables {
		return newDict()
	}
	return newPlain()
}

// ids are the logical ids of all resources in the order in which SAM goes
// through them. It shows where routes of several functions meet in one API.
func (c *context) ids() []string {
	if !c.apis.tables {
		return keysOf(c.resources)
	}
	var out []string
	for key := range c.apis.order.members() {
		out = append(out, key.text)
	}
	for _, id := range keysOf(c.resources) {
		if !c.apis.order.has(id) {
			out = append(out, id)
		}
	}
	return out
}

func keysOf(n *node) []string {
	var out []string
	for key := range entries(n) {
		out = append(out, key)
	}
	return out
}

// eventNames are the names of a resource's events in the order in which SAM
// goes through them before it sorts them.
func (c *context) eventNames(r *resource) []string {
	keys := keysOf(r.get("Events"))
	names := c.apis.events[r.id]
	switch {
	case !c.apis.tables:
		return keys
	case names == nil:
		return listed(keys)
	}
	var out []string
	for name := range names.members() {
		out = append(out, name.text)
	}
	return out
}

// listed is tableOrder's answer as keys.
func listed(keys []string) []string {
	var out []string
	for _, i := range tableOrder(keys) {
		out = append(out, keys[i])
	}
	return out
}

// fixDefinitions brings definitions that the transform made in line with the
// OpenApiVersion of their API, which Globals may have set.
func fixDefinitions(c *context) {
	for r := range c.all(restType.typ) {
		version := r.get("OpenApiVersion")
		b := c.bodyOf(r.id)
		if b == nil || !b.managed || !isOpenAPI3(fromNode(version)) {
			continue
		}
		v := fromNode(version)
		if !v.isText() {
			v = lit(versionText(v))
			set(r.props, "OpenApiVersion", at(version.Pos).text(v.text))
		}
		b.set("openapi", v)
		if b.get("swagger").isTrue() {
			b.remove("swagger")
		}
	}
}

// apiID is the logical id that an event names an API by, "" when it is no
// plain reference. An id may be a string too.
func apiID(n *node) string {
	if to := n.Get("Ref"); to != nil {
		n = to
	}
	if isString(n) {
		return n.Text
	}
	return ""
}

// functionNames are the names of the functions that serve an API, run
// together: when one of them changes, SAM deploys the API anew.
func (c *context) functionNames() {
	for r := range c.all("AWS::Serverless::Function") {
		name := fromNode(c.resolve(r.get("FunctionName")))
		if !name.isTrue() {
			continue
		}
		said := name.text
		if !name.isText() {
			said = name.python()
		}
		for _, event := range c.eventNames(r) {
			n := r.get("Events").Get(event)
			if get(n, "Type").Scalar() == restType.event {
				if id := apiID(dig(n, "Properties", restType.idName)); id != "" {
					c.apis.names[id] += said
				}
			}
		}
	}
}
