package sam

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"

	"ouro/template"
)

// role is what a generated role has besides the resource's own policies.
type role struct {
	trust    *node    // the service's, or the resource's AssumeRolePolicyDocument
	managed  []string // of AWS's policies, with their paths
	inline   []*node
	path     *node
	boundary *node
	tags     *node
}

// addRole makes the role r.id+"Role" with the resource's policies (see
// policies).
func (c *context) addRole(r *resource, policies []*node, spec role) *made {
	p := r.pos()
	id := r.id + "Role"
	managed := p.list()
	for _, name := range spec.managed {
		managed.Items = append(managed.Items, p.text(c.awsPolicy(name)))
	}
	inline := p.node(slices.Clone(spec.inline))
	for i, policy := range policies {
		switch c.policyType(policy) {
		case statementPolicy:
			named := func(n *node) *node {
				return p.obj("PolicyName", id+"Policy"+strconv.Itoa(i), "PolicyDocument", n)
			}
			inline.Items = append(inline.Items, eachBranch(policy, named))
		case managedPolicy:
			arn := eachBranch(policy, func(n *node) *node {
				if isString(n) {
					return at(n.Pos).text(c.managedARN(n.Text))
				}
				return n
			})
			if !slices.ContainsFunc(managed.Items, func(n *node) bool { return sortedJSON(n) == sortedJSON(arn) }) {
				managed.Items = append(managed.Items, arn)
			}
		default:
			c.invalid(policy, r.id, "Policy at index %d in the 'Policies' property is not valid", i)
		}
	}
	props := p.obj("AssumeRolePolicyDocument", spec.trust, "ManagedPolicyArns", managed)
	if len(inline.Items) > 0 {
		set(props, "Policies", inline)
	}
	for key, v := range entries(p.obj("Path", spec.path, "PermissionsBoundary", spec.boundary, "Tags", spec.tags)) {
		set(props, key, clone(v))
	}
	return c.add(r, id, "AWS::IAM::Role", props)
}

// eachBranch is n after change, or, when n is Fn::If, after change of each of
// its two values that is not AWS::NoValue.
func eachBranch(n *node, change func(*node) *node) *node {
	name, arg := n.Function()
	if name != "Fn::If" {
		return change(n)
	}
	branches := []*node{arg.Items[0]}
	for _, b := range arg.Items[1:] {
		if !isNoValue(b) {
			b = change(b)
		}
		branches = append(branches, b)
	}
	p := at(n.Pos)
	return p.obj(name, p.node(branches))
}

// trusts is the policy that lets a service take a role.
func trusts(p at, service string) *node {
	return p.obj("Version", "2012-10-17", "Statement", p.list(p.obj(
		"Action", p.texts("sts:AssumeRole"), "Effect", "Allow", "Principal", p.obj("Service", p.texts(service)))))
}

// inlinePolicy is an entry of a role's Policies.
func inlinePolicy(p at, name string, statements ...*node) *node {
	return p.obj("PolicyName", name, "PolicyDocument", p.obj("Statement", p.node(statements)))
}

// policyTypes are what an entry of Policies can be.
type policyType int

const (
	unknownPolicy   policyType = iota
	managedPolicy              // a name or an ARN, or a function that gives one
	statementPolicy            // a policy document
	templatePolicy             // one of SAM's policy templates with its parameters
)

// policyType tells what an entry of Policies is. An Fn::If is what both of its
// values are.
func (c *context) policyType(n *node) policyType {
	name, arg := n.Function()
	switch {
	case isString(n):
		return managedPolicy
	case name == "Fn::If":
		return c.branchesType(n, arg)
	case isFunction(n):
		return managedPolicy
	case isMap(n) && has(n, "Statement"):
		return statementPolicy
	case isMap(n) && len(n.Keys) == 1 && policyTemplates().Get(n.Keys[0].Text) != nil:
		return templatePolicy
	}
	return unknownPolicy
}

func (c *context) branchesType(n, arg *node) policyType {
	if !isList(arg) || len(arg.Items) != 3 {
		c.problem(n, "", "Structure of the SAM template is invalid. Fn::If requires 3 arguments")
		return unknownPolicy
	}
	yes, no := c.policyType(arg.Items[1]), c.policyType(arg.Items[2])
	switch {
	case yes == no, isNoValue(arg.Items[2]):
		return yes
	case isNoValue(arg.Items[1]):
		return no
	}
	c.problem(n, "", "Structure of the SAM template is invalid. Different policy types within the same Fn::If statement is unsupported. "+
		"Separate different policy types into different Fn::If statements")
	return unknownPolicy
}

// managedARN is the ARN of a policy that AWS manages, or what was given when
// it is none.
func (c *context) managedARN(name string) string {
	if path, ok := managedPaths()[name]; ok {
		return c.awsPolicy(path + name)
	}
	return name
}

// awsPolicy is the ARN of a policy that AWS manages, by its path and name.
func (c *context) awsPolicy(path string) string {
	return "arn:" + c.options.Partition + ":iam::aws:policy/" + strings.TrimPrefix(path, "/")
}

//go:embed managedpolicies.txt
var managedPolicies string

// managedPaths are the policies that AWS manages, by name, with their paths.
// In the file a path is a line that begins with a slash, and the names of its
// policies follow.
var managedPaths = sync.OnceValue(func() map[string]string {
	out := make(map[string]string, 1300)
	path := ""
	for line := range strings.Lines(managedPolicies) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "/"):
			path = line
		default:
			out[line] = path
		}
	}
	return out
})

// functionRole makes the role of a function that does not bring its own, and
// tells the function. It answers nil when there is nothing to make.
func (c *context) functionRole(r *resource, lambda *made, policies, inline []*node) *made {
	p := r.pos()
	given := r.get("Role")
	condition, not := "", false
	if given != nil {
		name, arg := c.resolve(given).Function()
		if name != "Fn::If" {
			return nil
		}
		if !isList(arg) || len(arg.Items) != 3 {
			c.invalid(given, r.id, "Malformed 'Role' property: Fn::If requires 3 arguments.")
			return nil
		}
		own := p.getAtt(r.id+"Role", "Arn")
		switch yes, no := arg.Items[1], arg.Items[2]; {
		case isNoValue(yes) && isNoValue(no):
			given = own
		case isNoValue(yes):
			condition = arg.Items[0].Text
			given = p.choose(condition, own, no)
		case isNoValue(no):
			condition, not = arg.Items[0].Text, true
			given = p.choose(condition, yes, own)
		default:
			set(lambda.props, "Role", c.settled(given))
			return nil
		}
		set(lambda.props, "Role", given)
	} else {
		set(lambda.props, "Role", p.getAtt(r.id+"Role", "Arn"))
	}
	m := c.addRole(r, policies, c.functionRoleSpec(r, inline))
	if not {
		c.condition("NOT"+condition, p.obj("Fn::Not", p.list(p.obj("Condition", condition))))
		condition = "NOT" + condition
	}
	if condition != "" {
		set(m.attributes, "Condition", p.text(condition))
	}
	return m
}

// functionRoleSpec is what a function's role always has, and what its
// properties ask for.
func (c *context) functionRoleSpec(r *resource, inline []*node) role {
	p := r.pos()
	spec := role{trust: clone(r.get("AssumeRolePolicyDocument")), path: r.get("RolePath"), boundary: r.get("PermissionsBoundary")}
	if spec.trust == nil {
		spec.trust = trusts(p, "lambda.amazonaws.com")
	}
	basic := "service-role/AWSLambdaBasicExecutionRole"
	if truthy(r.get("DurableConfig")) {
		basic = "service-role/AWSLambdaBasicDurableExecutionRolePolicy"
	}
	spec.managed = append(spec.managed, basic)
	if c.traced(r) {
		spec.managed = append(spec.managed, c.xrayPolicy())
	}
	if truthy(r.get("VpcConfig")) {
		spec.managed = append(spec.managed, "service-role/AWSLambdaVPCAccessExecutionRole")
	}
	if queue := r.get("DeadLetterQueue"); truthy(queue) {
		document := p.obj("Version", "2012-10-17", "Statement", p.list(p.obj("Action", deadLetterActions[get(queue, "Type").Text],
			"Resource", clone(get(queue, "TargetArn")), "Effect", "Allow")))
		spec.inline = append(spec.inline, p.obj("PolicyName", "DeadLetterQueuePolicy", "PolicyDocument", document))
	}
	spec.inline = append(spec.inline, inline...)
	spec.tags = c.tags(r, "lambda:createdBy", r.get("Tags"))
	return spec
}

// xrayPolicy is the managed policy for writing traces; the older one has no
// copy outside of the partition aws.
func (c *context) xrayPolicy() string {
	if c.options.Partition == "aws" {
		return "AWSXrayWriteOnlyAccess"
	}
	return "AWSXRayDaemonWriteAccess"
}

// policies are the entries of the property Policies, with policy templates
// made statements.
func (c *context) policies(r *resource) []*node {
	given := r.get("Policies")
	if !truthy(given) {
		return nil
	}
	list := []*node{given}
	if given.Kind == template.List {
		list = given.Items
	}
	var out []*node
	for _, n := range list {
		if c.policyType(n) == templatePolicy {
			n = eachBranch(n, func(n *node) *node { return c.policyStatement(r, n) })
		}
		out = append(out, clone(n))
	}
	return out
}
