package template

import (
	"slices"
	"strings"
)

var parameterAttributes = []string{
	"Type", "Description", "Default", "AllowedValues", "AllowedPattern", "ConstraintDescription",
	"MinLength", "MaxLength", "MinValue", "MaxValue", "NoEcho",
}

// awsTypes are AWS-specific parameter types, which exist alone, as List<…>
// and as the inner type of AWS::SSM::Parameter::Value<…>
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html).
var awsTypes = []string{
	"AWS::EC2::AvailabilityZone::Name", "AWS::EC2::Image::Id", "AWS::EC2::Instance::Id",
	"AWS::EC2::KeyPair::KeyName", "AWS::EC2::SecurityGroup::GroupName", "AWS::EC2::SecurityGroup::Id",
	"AWS::EC2::Subnet::Id", "AWS::EC2::Volume::Id", "AWS::EC2::VPC::Id", "AWS::Route53::HostedZone::Id",
}

// parameterType tells whether CloudFormation has the type.
func parameterType(name string) bool {
	if inner, ok := strings.CutPrefix(name, ssmValue); ok {
		inner, closed := strings.CutSuffix(inner, ">")
		return closed && (inner == "String" || inner == "List<String>" || inner == "CommaDelimitedList" || awsType(inner))
	}
	switch name {
	case "String", "Number", "CommaDelimitedList", "List<Number>", "List<String>", "AWS::SSM::Parameter::Name":
		return true
	}
	return awsType(name)
}

func awsType(name string) bool {
	if inner, ok := strings.CutPrefix(name, "List<"); ok {
		name = strings.TrimSuffix(inner, ">")
	}
	return slices.Contains(awsTypes, name)
}

func (c *checker) checkParameters() {
	c.members(c.parameters, "Parameters", maxMembers, func(k, n *Node) {
		if !c.attributes(k, n, parameterAttributes, "Invalid template parameter property '%'") {
			return
		}
		kind := n.Get("Type")
		if kind == nil {
			c.problem(k.Pos, "parameter-type", k.Text, "Template format error: Every Parameters object must contain a Type member.", "parameter %q has no Type", k.Text)
			return
		}
		if !parameterType(kind.Text) {
			c.problem(kind.Pos, "parameter-type", k.Text, "Template format error: Unrecognized parameter type: "+kind.Text, "parameter %q has the unknown Type %q", k.Text, kind.Text)
			return
		}
		for i, key := range n.Keys {
			c.checkAttribute(k, key, n.Items[i])
		}
		c.checkDefault(parameter(k, n))
	})
}

func (c *checker) checkAttribute(parameter, key, n *Node) {
	switch {
	case n.Kind == Null:
		c.null(n, "/Parameters/"+parameter.Text+"/"+key.Text)
	case key.Text == "AllowedValues":
		if n.Kind != List || slices.ContainsFunc(n.Items, func(v *Node) bool { return !v.IsScalar() }) {
			c.problem(n.Pos, "parameter-shape", "", "Template format error: Every AllowedValues value must be a string.", "AllowedValues of parameter %q must be a list of texts", parameter.Text)
		}
	case !n.IsScalar():
		c.problem(n.Pos, "parameter-shape", key.Text, "Template format error: Every "+key.Text+" member must be a string.", "%s of parameter %q must be a text, this is a %s", key.Text, parameter.Text, n.Kind)
	}
}

// checkDefault warns of a default that the parameter's own constraints refuse:
// CloudFormation finds out when the default is used.
func (c *checker) checkDefault(p Parameter) {
	if p.AllowedPattern != "" {
		if _, err := compilePattern(p.AllowedPattern); err != nil {
			c.problem(p.Pos, "allowed-pattern", p.Name, "", "the AllowedPattern of parameter %q cannot be checked here: %v", p.Name, err)
			c.problems[len(c.problems)-1].Severity = SeverityWarning
			return
		}
	}
	if p.Default == nil || strings.Contains(*p.Default, dynamicOpen) {
		return
	}
	if complaint := p.complaint(*p.Default); complaint != "" {
		c.problem(p.Pos, "default", p.Name, "", "the Default of parameter %q is not a value that it takes: it %s", p.Name, complaint)
		c.problems[len(c.problems)-1].Severity = SeverityWarning
	}
}

func (c *checker) checkMappings() {
	c.members(c.mappings, "Mappings", maxMembers, func(k, n *Node) {
		if n.Kind != Map {
			c.problem(n.Pos, "mapping-shape", k.Text, "Template format error: Every Mappings member "+k.Text+" must be a map.", "mapping %q must be a map of maps", k.Text)
			return
		}
		for i, top := range n.Keys {
			second := n.Items[i]
			if second.Kind != Map && top.Text != "Fn::Transform" {
				c.problem(second.Pos, "mapping-shape", k.Text, "Template format error: Every Mappings attribute must be a String or a List.", "%q in mapping %q must be a map", top.Text, k.Text)
				continue
			}
			for j, v := range second.Items {
				if !v.IsScalar() && v.Kind != List && top.Text != "Fn::Transform" {
					c.problem(v.Pos, "mapping-shape", k.Text, "Template format error: Every Mappings attribute must be a String or a List.",
						"%s.%s.%s must be a text or a list, this is a %s", k.Text, top.Text, second.Keys[j].Text, v.Kind)
				}
			}
		}
	})
}

func (c *checker) checkConditions() {
	c.members(c.conditions, "Conditions", maxResources, func(k, n *Node) {
		c.path = append(c.path[:0], "", "Conditions", k.Text)
		c.boolean(n)
	})
	c.conditionCycles()
}

var resourceAttributes = []string{
	"Type", "Properties", "DependsOn", "Condition", "Metadata", "CreationPolicy", "UpdatePolicy",
	"DeletionPolicy", "UpdateReplacePolicy",
}

func (c *checker) checkResources() {
	c.members(c.resources, "Resources", maxResources, func(k, n *Node) {
		if !c.attributes(k, n, resourceAttributes, "Invalid template resource property '%'") {
			return
		}
		if kind := n.Get("Type"); kind == nil || kind.Kind != String || kind.Text == "" {
			c.problem(k.Pos, "resource-type", k.Text, "Template format error: [/Resources/"+k.Text+"] Every Resources object must contain a Type member.", "resource %q has no Type", k.Text)
		}
		for i, key := range n.Keys {
			c.checkResourceAttribute(k, key, n.Items[i])
		}
	})
}

func (c *checker) checkResourceAttribute(resource, key, n *Node) {
	c.path = append(c.path[:0], "", "Resources", resource.Text, key.Text)
	switch key.Text {
	case "Type":
	case "Condition":
		c.conditionName(n)
	case "DependsOn":
		c.dependsOn(resource, n)
	case "Properties", "Metadata", "CreationPolicy", "UpdatePolicy":
		if n.Kind != Map && n.Kind != Null {
			c.problem(n.Pos, "resource-shape", resource.Text, "Template format error: ["+strings.Join(c.path, "/")+"] must be an object", "%s of resource %q must be a map, this is a %s", key.Text, resource.Text, n.Kind)
			return
		}
		c.walk(n)
	case "DeletionPolicy", "UpdateReplacePolicy":
		c.policy(resource, key, n)
	default:
		c.walk(n)
	}
}

func (c *checker) policy(resource, key, n *Node) {
	allowed := []string{"Delete", "Retain", "Snapshot"}
	if key.Text == "DeletionPolicy" {
		allowed = append(allowed, "RetainExceptOnCreate")
	}
	if name, _ := n.Function(); name != "" { // AWS::LanguageExtensions
		c.walk(n)
		return
	}
	if !slices.Contains(allowed, n.Text) {
		c.problem(n.Pos, "policy", resource.Text, "Template format error: Unrecognized "+key.Text+" "+n.Text+" for resource "+resource.Text,
			"%s of resource %q is one of %s, not %q", key.Text, resource.Text, strings.Join(allowed, ", "), n.Text)
	}
}

func (c *checker) dependsOn(resource, n *Node) {
	items := []*Node{n}
	if n.Kind == List {
		items = n.Items
	}
	for _, item := range items {
		switch {
		case item.Kind != String:
			c.problem(item.Pos, "depends-on", resource.Text, "Template format error: DependsOn must be a string or list of strings.", "DependsOn of resource %q takes logical ids", resource.Text)
		case c.resources.Get(item.Text) == nil:
			c.missing(item.Pos, "unresolved-reference", item.Text, unresolvedIn("Resources"), "resource %q depends on %q, which is no resource of this template", resource.Text, item.Text)
		}
	}
}

var outputAttributes = []string{"Value", "Description", "Export", "Condition"}

func (c *checker) checkOutputs() {
	c.members(c.t.Root.Get("Outputs"), "Outputs", maxMembers, func(k, n *Node) {
		if !c.attributes(k, n, outputAttributes, "Invalid template output property '%'") {
			return
		}
		c.path = append(c.path[:0], "", "Outputs", k.Text)
		value := n.Get("Value")
		if value == nil {
			c.problem(k.Pos, "output-value", k.Text, "Template format error: Every Outputs member must contain a Value object", "output %q has no Value", k.Text)
		} else {
			c.walk(value)
		}
		if condition := n.Get("Condition"); condition != nil {
			c.conditionName(condition)
		}
		export := n.Get("Export")
		if export == nil {
			return
		}
		if export.Get("Name") == nil || len(export.Keys) != 1 {
			c.problem(export.Pos, "export", k.Text, "Template format error: Output "+k.Text+" is malformed. The Name field of every Export member must be specified and consist only of alphanumeric characters, colons, or hyphens.",
				"Export of output %q is a map with a Name", k.Text)
			return
		}
		c.walk(export.Get("Name"))
	})
}
