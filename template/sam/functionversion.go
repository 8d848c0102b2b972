package sam

import (
	"strings"

	"ouro/regex"
)

var (
	aliasName  = regex.New(`^[a-zA-Z0-9\-_]+$`)
	onlyDigits = regex.New(`^[0-9]+$`)
)

// publish makes the version and the alias that AutoPublishAlias asks for. It
// answers the alias, nil when none is wanted.
func (c *context) publish(r *resource, lambda *made) *made {
	wanted := r.get("AutoPublishAlias")
	if !truthy(wanted) || c.failed {
		return nil
	}
	name := c.resolve(wanted)
	if !isString(name) {
		c.invalid(wanted, r.id, "'AutoPublishAlias' must be a string or a Ref to a template parameter")
		return nil
	}
	sha := c.codeSHA(r, lambda)
	version := c.version(r, lambda, sha)
	switch {
	case name.Text == "":
		c.invalid(wanted, r.id, "Alias name is required to create an alias")
	case !aliasName().MatchString(name.Text) || onlyDigits().MatchString(name.Text):
		c.invalid(wanted, r.id, "AutoPublishAlias name ('%s') must contain only alphanumeric characters, hyphens, or underscores matching (?!^[0-9]+$)([a-zA-Z0-9-_]+) pattern.", name.Text)
	}
	if c.failed {
		return nil
	}
	p := r.pos()
	id := r.id + "Alias" + strings.NewReplacer("-", "D", "_", "U").Replace(name.Text)
	props := p.obj("Name", name.Text, "FunctionName", p.ref(r.id), "FunctionVersion", p.getAtt(version.id, "Version"))
	if config := r.get("ProvisionedConcurrencyConfig"); truthy(config) {
		set(props, "ProvisionedConcurrencyConfig", clone(config))
	}
	return c.add(r, id, "AWS::Lambda::Alias", props)
}

// codeSHA is AutoPublishCodeSha256, "" when it is not set. It goes into the
// function's description too: Lambda publishes no new version of a function
// that did not change.
func (c *context) codeSHA(r *resource, lambda *made) string {
	given := r.get("AutoPublishCodeSha256")
	if !truthy(given) {
		return ""
	}
	sha := c.resolve(given)
	if !isString(sha) {
		c.invalid(given, r.id, "AutoPublishCodeSha256 must be a string")
		return ""
	}
	p := at(given.Pos)
	switch description := c.resolve(r.get("Description")); {
	case !truthy(description):
		set(lambda.props, "Description", p.text(sha.Text))
	case isString(description):
		set(lambda.props, "Description", p.text(description.Text+" "+sha.Text))
	default:
		set(lambda.props, "Description", p.join(" ", description, sha.Text))
	}
	return sha.Text
}

// version makes the AWS::Lambda::Version. Its id ends in a hash of what the
// function runs, so that it is another version when that changes.
func (c *context) version(r *resource, lambda *made, sha string) *made {
	if code := lambda.props.Get("Code"); code != nil {
		set(lambda.props, "Code", c.settled(code))
	}
	hash := sha[:min(len(sha), 10)]
	if hash == "" {
		hash = hashOf(c.versioned(r, lambda))
	}
	p := r.pos()
	props := p.obj("FunctionName", p.ref(r.id), "Description", clone(r.get("VersionDescription")))
	if r.get("CapacityProviderConfig") != nil {
		if scaling := r.get("FunctionScalingConfig"); scaling != nil {
			set(props, "FunctionScalingConfig", clone(scaling))
		}
	}
	m := c.add(r, r.id+"Version"+hash, "AWS::Lambda::Version", props)
	if !has(m.attributes, "DeletionPolicy") {
		policy := p.text("Retain")
		if v := r.get("VersionDeletionPolicy"); v != nil {
			policy = clone(v)
		} else if r.get("CapacityProviderConfig") != nil {
			policy = p.text("Delete")
		}
		set(m.attributes, "DeletionPolicy", policy)
	}
	return m
}

// versioned is what a new version hangs on: the code, the environment, the
// memory and SnapStart, or every property of the function.
func (c *context) versioned(r *resource, lambda *made) *node {
	if isTrue(r.get("AutoPublishAliasAllProperties")) {
		return c.withLayers(lambda.props)
	}
	code := lambda.props.Get("Code")
	if code == nil {
		return at(r.node.Pos).obj()
	}
	out := clone(code)
	for key, v := range entries(lambda.props.Get("Environment")) {
		set(out, key, v)
	}
	if memory := lambda.props.Get("MemorySize"); truthy(memory) {
		set(out, "MemorySize", memory)
	}
	if snap := lambda.props.Get("SnapStart"); truthy(snap) {
		if on := snap.Get("ApplyOn"); on != nil && on.Text != "None" {
			set(out, "SnapStart", snap)
		}
	}
	return out
}

// withLayers are a function's properties with those of its layers that say
// PublishLambdaVersion.
func (c *context) withLayers(props *node) *node {
	out := clone(props)
	for _, layer := range itemsOf(props.Get("Layers")) {
		id := referredID(layer)
		l := c.find(id)
		if l != nil && truthy(get(l.props, "PublishLambdaVersion")) {
			set(out, id, l.props)
		}
	}
	return out
}

// itemsOf are the members of a list, none of anything else.
func itemsOf(n *node) []*node {
	if !isList(n) {
		return nil
	}
	return n.Items
}

// referredID is the logical id that a Ref or a GetAtt names, "" for anything
// else.
func referredID(n *node) string {
	name, arg := n.Function()
	switch {
	case name == "Ref" && isString(arg):
		return arg.Text
	case name == "Fn::GetAtt" && isList(arg) && len(arg.Items) == 2 && isString(arg.Items[0]):
		return arg.Items[0].Text
	case name == "Fn::GetAtt" && isString(arg) && strings.Count(arg.Text, ".") == 1:
		return arg.Text[:strings.Index(arg.Text, ".")]
	}
	return ""
}
