package sam

import "ouro/template"

// translateStateMachine makes a state machine, its role, what it publishes, and
// what starts it.
func translateStateMachine(c *context, r *resource) {
	events := c.readEvents(r, machineEventKinds)
	policies := c.policies(r)
	if c.failed {
		return
	}
	p := r.pos()
	props := p.obj()
	m := c.addMain(r, r.id, "AWS::StepFunctions::StateMachine", props)
	if c.machineDefinition(r, props); c.failed {
		return
	}
	given := r.get("Role")
	switch {
	case truthy(given) && truthy(r.get("Policies")):
		c.invalid(given, r.id, "Specify either 'Role' or 'Policies' (but not both at the same time) or neither of them")
		return
	case truthy(given):
		set(props, "RoleArn", clone(given))
	default:
		c.machineRole(r, policies)
		set(props, "RoleArn", p.getAtt(r.id+"Role", "Arn"))
	}
	for _, pair := range [][2]string{
		{"StateMachineName", "Name"}, {"StateMachineType", "Type"}, {"LoggingConfiguration", "Logging"}, {"TracingConfiguration", "Tracing"},
	} {
		if v := r.get(pair[1]); v != nil {
			set(props, pair[0], clone(v))
		}
	}
	set(props, "Tags", machineTags(r))
	calls := c.publishMachine(r, m)
	for _, e := range events {
		if c.failed {
			return
		}
		e.calls, e.bare = target{id: calls, arn: p.ref(calls)}, true
		e.kind.translate(c, e)
	}
	if truthy(r.get("PropagateTags")) {
		c.propagate(r, r.get("Tags"))
	}
}

// machineTags are SAM's own tag and the state machine's.
func machineTags(r *resource) *node {
	p := r.pos()
	return p.node(append(tagList(p.obj("stateMachine:createdBy", "SAM")), tagList(clone(r.get("Tags")))...))
}

// machineRole makes the role that the state machine runs with.
func (c *context) machineRole(r *resource, policies []*node) {
	p := r.pos()
	if tracing := r.get("Tracing"); isTrue(get(tracing, "Enabled")) {
		policies = append(policies, p.text(c.xrayPolicy()))
	}
	c.addRole(r, policies, role{
		trust: trusts(p, "states.amazonaws.com"), path: r.get("RolePath"), boundary: r.get("PermissionsBoundary"), tags: machineTags(r),
	})
}

// publishMachine makes a version of the state machine and an alias for it, if
// the template asks for that, and gives the logical id of what events start.
func (c *context) publishMachine(r *resource, machine *made) string {
	alias, preference := r.get("AutoPublishAlias"), r.get("DeploymentPreference")
	byAlias := truthy(r.get("UseAliasAsEventTarget"))
	if !truthy(alias) {
		switch {
		case byAlias:
			c.invalid(r.node, r.id, "'UseAliasAsEventTarget' requires 'AutoPublishAlias' property to be specified.")
		case truthy(preference):
			c.invalid(r.node, r.id, "'DeploymentPreference' requires 'AutoPublishAlias' property to be specified.")
		}
		return r.id
	}
	p := r.pos()
	version := c.add(r, r.id+"Version", "AWS::StepFunctions::StateMachineVersion", p.obj(
		"StateMachineArn", p.ref(r.id), "StateMachineRevisionId", p.getAtt(r.id, "StateMachineRevisionId")))
	for _, policy := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
		if !has(version.attributes, policy) {
			set(version.attributes, policy, p.text("Retain"))
		}
	}
	shift := p.obj("Type", "ALL_AT_ONCE")
	if truthy(preference) && preference.Kind == template.Map {
		shift = clone(preference)
	}
	set(shift, "StateMachineVersionArn", p.ref(version.id))
	id := r.id + "Alias" + alias.Text
	c.add(r, id, "AWS::StepFunctions::StateMachineAlias", p.obj("Name", clone(alias), "DeploymentPreference", shift))
	if byAlias {
		return id
	}
	return machine.id
}
