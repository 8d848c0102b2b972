package sam

import (
	"slices"
)

// sharedPlan is the usage plan that several APIs of a template share.
type sharedPlan struct {
	apis             []string
	stages, keys     []*node
	deletion, update string
	conditions       []string
	unconditional    bool // one of the APIs always exists
}

const sharedPlanCondition = "SharedUsagePlanCondition"

// usagePlanNames are what Auth's UsagePlan may say.
var usagePlanNames = []string{"CreateUsagePlan", "Description", "Quota", "Tags", "Throttle", "UsagePlanName"}

// usagePlan is a plan and its key, by which an API's callers are counted.
type usagePlan struct {
	plan, key, link string // logical ids
	stages, keys    []*node
	apis            []string // what the plan depends on
	attributes      *node
}

// makeUsagePlan makes a usage plan, an API key, and what connects them.
func (a *restAPI) makeUsagePlan(stage string) {
	wanted := a.auth.get("UsagePlan")
	if wanted.isNull() {
		return
	}
	wrong := func(format string, args ...any) { a.invalid(a.get("Auth"), a.id, format, args...) }
	if !wanted.isMap() {
		wrong("'UsagePlan' must be a dictionary")
		return
	}
	for key := range wanted.members() {
		if !slices.Contains(usagePlanNames, key.text) {
			wrong("Invalid property for 'UsagePlan'")
			return
		}
	}
	var u usagePlan
	switch create := wanted.get("CreateUsagePlan"); {
	case create.isNull():
		wrong("'CreateUsagePlan' is a required field for UsagePlan.")
		return
	case create.scalar() == "NONE":
		return
	case create.scalar() == "PER_API":
		u = a.ownPlan(stage)
	case create.scalar() == "SHARED":
		u = a.sharedPlan(stage)
	default:
		wrong("'CreateUsagePlan' accepts one of ['SHARED', 'PER_API', 'NONE'].")
		return
	}
	a.addPlan(u, wanted)
}

// ownPlan is a plan of this API alone.
func (a *restAPI) ownPlan(stage string) usagePlan {
	p := a.pos()
	return usagePlan{
		plan: a.id + "UsagePlan", key: a.id + "ApiKey", link: a.id + "UsagePlanKey",
		stages:     []*node{p.obj("ApiId", p.ref(a.id), "Stage", p.ref(stage))},
		keys:       []*node{p.obj("RestApiId", p.ref(a.id), "StageName", p.ref(stage))},
		apis:       []string{a.id},
		attributes: a.attributes("Condition", "DeletionPolicy", "UpdateReplacePolicy"),
	}
}

// sharedPlan adds this API to the plan that several share.
func (a *restAPI) sharedPlan(stage string) usagePlan {
	p := a.pos()
	s := &a.apis.sharedPlan
	if !slices.Contains(s.apis, a.id) {
		s.apis = append(s.apis, a.id)
		s.stages = append(s.stages, p.obj("ApiId", p.ref(a.id), "Stage", p.ref(stage)))
		s.keys = append(s.keys, p.obj("RestApiId", p.ref(a.id), "StageName", p.ref(stage)))
	}
	return usagePlan{
		plan: "ServerlessUsagePlan", key: "ServerlessApiKey", link: "ServerlessUsagePlanKey",
		stages: s.stages, keys: s.keys, apis: s.apis, attributes: a.sharedAttributes(s),
	}
}

// sharedAttributes are those that the shared plan needs to exist whenever one
// of its APIs does.
func (a *restAPI) sharedAttributes(s *sharedPlan) *node {
	if policy := a.node.Get("DeletionPolicy").Scalar(); policy == "Retain" || s.deletion == "" {
		s.deletion = policy
	}
	update := a.node.Get("UpdateReplacePolicy").Scalar()
	if update == "Retain" || update == "Snapshot" && s.update == "Delete" || s.update == "" {
		s.update = update
	}
	a.shareCondition(s, a.node.Get("Condition").Scalar())
	p := a.pos()
	out := p.obj()
	for name, v := range map[string]string{"DeletionPolicy": s.deletion, "UpdateReplacePolicy": s.update} {
		if v != "" {
			set(out, name, p.text(v))
		}
	}
	if len(s.conditions) > 0 && !s.unconditional {
		set(out, "Condition", p.text(sharedPlanCondition))
	}
	return out
}

// shareCondition makes the plan's condition cover that of one more API.
func (a *restAPI) shareCondition(s *sharedPlan, condition string) {
	section := a.root.Get("Conditions")
	switch {
	case s.unconditional || slices.Contains(s.conditions, condition):
	case condition == "":
		s.unconditional = true
		if section != nil {
			remove(section, sharedPlanCondition)
		}
	case section == nil:
		a.problem(a.node, a.id, "Structure of the SAM template is invalid. Can't have condition without having 'Conditions' section in the template")
	default:
		s.conditions = append(s.conditions, condition)
		p := at(section.Pos)
		either := p.list()
		for _, name := range s.conditions {
			either.Items = append(either.Items, p.obj("Condition", name))
		}
		if len(s.conditions) == 1 {
			set(section, sharedPlanCondition, p.text(condition))
			return
		}
		set(section, sharedPlanCondition, p.obj("Fn::Or", either))
	}
}

// addPlan makes the resources of a plan.
func (a *restAPI) addPlan(u usagePlan, wanted *value) {
	p := a.pos()
	props := p.obj("ApiStages", p.node(slices.Clone(u.stages)))
	for _, name := range usagePlanNames[1:] {
		if v := wanted.get(name); v.isTrue() {
			set(props, name, v.node(a.node.Pos))
		}
	}
	resource := func(id, typ string, props *node, on ...string) {
		m := a.addBare(a.resource, id, typ, props)
		m.attributes = clone(u.attributes)
		set(m.attributes, "DependsOn", p.texts(on...))
	}
	resource(u.plan, "AWS::ApiGateway::UsagePlan", props, u.apis...)
	resource(u.key, "AWS::ApiGateway::ApiKey", p.obj("Enabled", true, "StageKeys", p.node(slices.Clone(u.keys))), u.plan)
	resource(u.link, "AWS::ApiGateway::UsagePlanKey", p.obj("KeyId", p.ref(u.key), "KeyType", "API_KEY", "UsagePlanId", p.ref(u.plan)), u.key)
}
