package sam

import "strings"

// implicitAPIs makes the APIs of events that name none, and gives the routes of
// all events to those definitions that the transform makes.
func implicitAPIs(c *context) {
	for _, t := range []apiType{restType, httpType} {
		newImplicit(c, t).run()
		if len(c.problems) > 0 {
			c.fatal = true
			return
		}
	}
	c.functionNames()
}

// implicit is the step for one type of API.
type implicit struct {
	*context
	apiType
	api *resource // the API for events that name none

	// What the resources say whose events lead to an API.
	conditions map[string]map[string]map[string]string // by API, path and method; "" for none
	policies   map[string][]string                     // DeletionPolicy and UpdateReplacePolicy
}

func newImplicit(c *context, t apiType) *implicit {
	return &implicit{context: c, apiType: t, conditions: map[string]map[string]map[string]string{}, policies: map[string][]string{}}
}

func (m *implicit) run() {
	existing, existingBody := m.resources.Get(m.implicit), m.bodyOf(m.implicit)
	m.put()
	for r := range m.all(prefix) {
		if r.typ == "AWS::Serverless::Function" || r.typ == "AWS::Serverless::StateMachine" {
			m.failed = false
			m.events(r)
		}
	}
	m.failed = false
	m.keepWhile()
	m.conditionalPaths()
	if m.fatal || m.bodyOf(m.implicit).get("paths").len() > 0 {
		return
	}
	if existing != nil {
		set(m.resources, m.implicit, existing)
		m.apis.bodies[m.implicit] = existingBody
		return
	}
	remove(m.resources, m.implicit)
	m.apis.order.remove(m.implicit)
	delete(m.apis.bodies, m.implicit)
}

// put puts the implicit API into the template, over one that is there.
func (m *implicit) put() {
	p := at(m.root.Pos)
	props := p.obj()
	if m.typ == restType.typ {
		props = p.obj("StageName", "Prod")
	}
	set(m.resources, m.implicit, p.obj("Type", m.typ, "Properties", props))
	m.apis.order.set(m.implicit, nullValue())
	m.apis.bodies[m.implicit] = &body{value: m.skeleton(), managed: true, implicit: true}
	m.api = m.find(m.implicit)
}

// events goes through the events of a function or state machine.
func (m *implicit) events(r *resource) {
	all := r.get("Events")
	if !isMap(all) {
		return
	}
	if condition := r.node.Get("Condition"); truthy(condition) && !isString(condition) {
		m.refuse(condition, "Every Condition member must be a string.")
		return
	}
	names := m.apis.events[r.id]
	if names == nil {
		names = m.newOrder()
		for name := range entries(all) {
			names.set(name, nullValue())
		}
	}
	routes := m.newOrder()
	for name := range names.members() {
		if n := all.Get(name.text); isMap(n) && get(n, "Type").Scalar() == m.event {
			routes.set(name.text, nullValue())
		}
	}
	for name := range routes.members() {
		if m.eventRoute(r, name.text, all.Get(name.text)); m.failed {
			return
		}
	}
	if routes.len() > 0 {
		names.update(routes)
		m.apis.events[r.id] = names
	}
}

// eventRoute gives one event's route to its API.
func (m *implicit) eventRoute(r *resource, name string, event *node) {
	wrong := func(format string, args ...any) { m.invalidEvent(event, r.id, name, format, args...) }
	props := event.Get("Properties")
	if !truthy(props) && m.typ == restType.typ {
		return
	}
	if props == nil {
		props = at(event.Pos).obj()
		set(event, "Properties", props)
	}
	if !isMap(props) {
		wrong("Properties should be a map.")
		return
	}
	if !has(props, m.idName) {
		m.propagateTags(r)
		set(props, m.idName, at(event.Pos).ref(m.implicit))
	}
	if m.typ == httpType.typ && !truthy(props.Get("Path")) && !truthy(props.Get("Method")) {
		set(props, "Path", at(event.Pos).text(defaultPath))
		set(props, "Method", at(event.Pos).text(extAnyMethod))
	}
	path, method := get(props, "Path"), get(props, "Method")
	id := apiID(props.Get(m.idName))
	switch {
	case path == nil:
		wrong("Property 'Path' is required.")
	case method == nil:
		wrong("Property 'Method' is required.")
	case id == "":
		wrong("Property '%s' should be a string.", m.idName)
	case !isString(path):
		wrong("Property 'Path' should be a string.")
	case !isString(method):
		wrong("Property 'Method' should be a string.")
	default:
		m.note(r, id, path.Text, method.Text)
		m.route(id, path, method, wrong)
		if m.typ == httpType.typ && !m.failed && has(props, "RouteSettings") {
			m.routeSettings(r, id, props, wrong)
		}
	}
}

// note remembers what the event's resource says that its API must heed.
func (m *implicit) note(r *resource, id, path, method string) {
	paths := m.conditions[id]
	if paths == nil {
		paths = map[string]map[string]string{}
		m.conditions[id] = paths
	}
	if paths[path] == nil {
		paths[path] = map[string]string{}
	}
	paths[path][method] = r.node.Get("Condition").Scalar()
	if id == m.implicit {
		for _, policy := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
			m.policies[policy] = append(m.policies[policy], r.node.Get(policy).Scalar())
		}
	}
}

// route adds an event's path and method to the definition of its API, if the
// transform makes that.
func (m *implicit) route(id string, path, method *node, wrong func(string, ...any)) {
	api := m.find(id)
	if api == nil || api.typ == httpType.typ && m.typ != httpType.typ {
		wrong("%s must be a valid reference to an '%s' resource in same template.", m.idName, m.typ)
		return
	}
	b := m.bodyOf(id)
	if b == nil || !b.managed || !m.valid(b.value) {
		return
	}
	if !m.mayEdit(path, b.value) {
		return
	}
	d, err := m.edit(b.value)
	if err == nil {
		err = d.addPath(fromNode(path), fromNode(method))
	}
	if err != nil {
		m.refuse(path, "%s", err)
		return
	}
	m.setBody(id, d.done())
}

// routeSettings gives an event's settings of its route to the HTTP API.
func (m *implicit) routeSettings(r *resource, id string, props *node, wrong func(string, ...any)) {
	api := m.find(id)
	p := at(props.Pos)
	all, own := api.props.Get("RouteSettings"), props.Get("RouteSettings")
	if all == nil {
		all = p.obj()
		set(api.props, "RouteSettings", all)
	}
	if !isMap(all) {
		m.invalid(all, id, "Property 'RouteSettings' should be a map.")
		return
	}
	if condition := r.node.Get("Condition").Scalar(); condition != "" {
		own = p.choose(condition, own, p.noValue())
	}
	if !isMap(own) {
		wrong("Property 'RouteSettings' should be a map.")
		return
	}
	route := strings.ToUpper(props.Get("Method").Text) + " " + props.Get("Path").Text
	if props.Get("Method").Text == extAnyMethod {
		route = props.Get("Path").Text
	}
	settings := all.Get(route)
	if settings == nil {
		settings = p.obj()
		set(all, route, settings)
	}
	for key, v := range entries(own) {
		set(settings, key, v)
	}
}

// propagateTags gives the tags of a resource that wants it so to the implicit
// API that it brings about.
func (m *implicit) propagateTags(r *resource) {
	global := dig(m.root, "Globals", r.typ[len(prefix):])
	either := func(name string) *node {
		if v := r.get(name); truthy(v) {
			return v
		}
		return get(global, name)
	}
	tags := either("Tags")
	if !truthy(either("PropagateTags")) || !truthy(tags) {
		return
	}
	all := m.api.props.Get("Tags")
	if all == nil {
		all = at(tags.Pos).obj()
		set(m.api.props, "Tags", all)
	}
	for key, v := range entries(tags) {
		set(all, key, v)
	}
	set(m.api.props, "PropagateTags", at(tags.Pos).node(true))
}
