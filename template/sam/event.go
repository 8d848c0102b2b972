package sam

import (
	"fmt"
	"slices"
	"strings"

	"ouro/template"
)

// event is one entry of the Events of a function or a state machine.
type event struct {
	name  string // its key in Events
	id    string // the owner's id and its own: what generated ids begin with
	typ   string
	owner *resource
	node  *node
	props *node
	kind  eventKind
	calls target
	bare  bool  // what is wrong with it is said without naming the owner
	role  *made // the generated role of what is called; nil when it has its own
}

// target is what an event invokes: a function, or its alias.
type target struct {
	id   string // logical id of the function or alias
	name *node  // what FunctionName of a permission is
	arn  *node
}

func (e *event) pos() at { return at(e.node.Pos) }

// get is a copy of the property of that name, nil when it is not set or null.
func (e *event) get(name string) *node { return clone(get(e.props, name)) }

// take sets those of the named properties in props that the event has.
func (e *event) take(props *node, names ...string) {
	for _, name := range names {
		if v := e.get(name); v != nil {
			set(props, name, v)
		}
	}
}

// badEvent notes what is wrong with an event, by its name.
func (c *context) badEvent(e *event, format string, args ...any) {
	c.wrongEvent(e, e.name, format, args...)
}

// badEventID is badEvent by the event's logical id; SAM has both.
func (c *context) badEventID(e *event, format string, args ...any) {
	c.wrongEvent(e, e.id, format, args...)
}

func (c *context) wrongEvent(e *event, id, format string, args ...any) {
	if e.bare {
		c.problem(e.node, id, "Event with id ["+id+"] is invalid. "+fmt.Sprintf(format, args...))
		return
	}
	c.invalidEvent(e.node, e.owner.id, id, format, args...)
}

// eventKind is a type of event and how it is rewritten.
type eventKind struct {
	properties []property
	translate  func(*context, *event)

	// check looks at what the event refers to, before anything is made of
	// its owner; nil when there is nothing to check.
	check func(*context, *event)
}

// eventKinds are the types of a function's events.
func eventKinds(typ string) (eventKind, bool) {
	if k, ok := pushEvents[typ]; ok {
		return k, true
	}
	if s, ok := pullSources[typ]; ok {
		return eventKind{properties: s.properties(), translate: s.translate}, true
	}
	return apiEventKinds(typ)
}

// pushEvents are the types whose service calls the function, those of APIs
// apart.
var pushEvents = map[string]eventKind{
	"S3":              {s3EventProperties, translateS3Event, checkS3Event},
	"SNS":             {snsEventProperties, translateSNSEvent, nil},
	"Schedule":        {scheduleProperties, translateSchedule, nil},
	"ScheduleV2":      {schedulerProperties, translateScheduler, nil},
	"CloudWatchEvent": {ruleProperties, translateRule, nil},
	"EventBridgeRule": {ruleProperties, translateRule, nil},
	"CloudWatchLogs":  {logsEventProperties, translateLogsEvent, nil},
	"IoTRule":         {iotEventProperties, translateIoTEvent, nil},
	"AlexaSkill":      {alexaEventProperties, translateAlexaEvent, nil},
	"Cognito":         {cognitoEventProperties, translateCognitoEvent, checkCognitoEvent},
}

// events are the events of a function, checked, in the order in which SAM
// takes them: by path for those that have one, by name for the others.
func (c *context) events(r *resource) []*event {
	out := c.readEvents(r, eventKinds)
	order := func(e *event) string {
		if path := get(e.props, "Path"); isString(path) {
			return path.Text
		}
		return e.name
	}
	slices.SortStableFunc(out, func(a, b *event) int { return strings.Compare(order(a), order(b)) })
	return out
}

// readEvents are the events of a function or a state machine, checked.
func (c *context) readEvents(r *resource, kinds func(typ string) (eventKind, bool)) []*event {
	var out []*event
	given := r.get("Events")
	for _, name := range c.eventNames(r) {
		n := given.Get(name)
		e := &event{name: name, id: r.id + name, typ: get(n, "Type").Scalar(), owner: r, node: n, props: n.Get("Properties")}
		if e.props == nil || e.props.Kind == template.Null {
			e.props = e.pos().obj()
		}
		if !isMap(n) {
			c.badEvent(e, "'%s' object has no attribute 'get'", pythonTypes[n.Kind])
			return nil
		}
		k, ok := kinds(e.typ)
		if !ok {
			c.badEvent(e, "Resource dict has missing or invalid value for key Type. Event Type is: %s.", shown(get(n, "Type")))
			return nil
		}
		e.kind = k
		if c.checkEvent(e, k.properties); c.failed {
			return nil
		}
		if k.check != nil {
			k.check(c, e)
		}
		out = append(out, e)
	}
	return out
}

// pythonTypes are what AWS's transform, a Python program, calls values in the
// problem of an event that is no map.
var pythonTypes = map[template.Kind]string{
	template.Null: "NoneType", template.Bool: "bool", template.Number: "int", template.String: "str", template.List: "list",
}

// checkEvent refuses properties that an event of its type does not take.
func (c *context) checkEvent(e *event, known []property) {
	c.checkProperties(&resource{id: e.id, typ: e.typ, node: e.node, props: e.props}, known)
}

// permission lets a service invoke the event's target. Its logical id begins
// with prefix and ends in suffix, as a hash unless that is made of letters and
// digits. Further properties come in pairs.
func (c *context) permission(e *event, prefix, suffix, principal string, more ...any) *made {
	id := prefix + "Permission"
	switch {
	case suffix == "":
	case alphanumeric().MatchString(suffix):
		id += suffix
	default:
		id += shortHash(suffix)
	}
	p := e.pos()
	props := p.obj("Action", "lambda:InvokeFunction", "FunctionName", clone(e.calls.name), "Principal", principal)
	for key, v := range entries(p.obj(more...)) {
		set(props, key, v)
	}
	return c.add(e.owner, id, "AWS::Lambda::Permission", props)
}
