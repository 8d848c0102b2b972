package template

import (
	"fmt"
	"slices"
	"strings"

	"ouro/regex"
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

// plainTypes are the other types, and storedTypes what of them may be the inner
// type of AWS::SSM::Parameter::Value<…>.
var (
	plainTypes  = []string{"String", "Number", "CommaDelimitedList", "List<Number>", "List<String>", "AWS::SSM::Parameter::Name"}
	storedTypes = []string{"String", "CommaDelimitedList", "List<String>"}
)

// parameterType tells whether CloudFormation has the type.
func parameterType(name string) bool {
	if inner, ok := strings.CutPrefix(name, ssmValue); ok {
		inner, closed := strings.CutSuffix(inner, ">")
		return closed && (slices.Contains(storedTypes, inner) || awsType(inner))
	}
	return slices.Contains(plainTypes, name) || awsType(name)
}

func awsType(name string) bool {
	if inner, ok := strings.CutPrefix(name, "List<"); ok {
		name = strings.TrimSuffix(inner, ">")
	}
	return slices.Contains(awsTypes, name)
}

func (c *checker) checkParameters() {
	c.members(c.parameters, "Parameters", func(c *checker, k, n *Node) {
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
		p := parameter(k, n)
		if p.Default != nil && len(*p.Default) > maxParameter {
			c.problem(k.Pos, "default", k.Text, "", "the Default of parameter %q has %d bytes, at most %d are allowed", k.Text, len(*p.Default), maxParameter)
		}
		c.checkDefault(p)
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
		var err error
		if p.pattern, err = regex.Java(p.AllowedPattern); err != nil {
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
	c.members(c.mappings, "Mappings", func(c *checker, k, n *Node) {
		if n.Kind != Map {
			c.problem(n.Pos, "mapping-shape", k.Text, "Template format error: Every Mappings member "+k.Text+" must be a map.", "mapping %q must be a map of maps", k.Text)
			return
		}
		if len(n.Keys) > maxAttributes {
			c.problem(n.Pos, "too-many", k.Text, fmt.Sprintf("Template format error: Number of attributes in mapping %s, %d, is greater than maximum allowed, %d", k.Text, len(n.Keys), maxAttributes),
				"mapping %q has %d attributes, at most %d are allowed", k.Text, len(n.Keys), maxAttributes)
		}
		for i, top := range n.Keys {
			c.mappingAttribute(k.Text, top, n.Items[i])
		}
	})
}

const mappingShape = "Template format error: Every Mappings attribute must be a String or a List."

func (c *checker) mappingAttribute(mapping string, top, second *Node) {
	if top.Text == "Fn::Transform" {
		return
	}
	c.mappingName(top, ".-", "letters, digits, dots and hyphens")
	if second.Kind != Map {
		c.problem(second.Pos, "mapping-shape", mapping, mappingShape, "%q in mapping %q must be a map", top.Text, mapping)
		return
	}
	for j, v := range second.Items {
		name := second.Keys[j]
		if name.Text == "Fn::Transform" {
			continue
		}
		c.mappingName(name, "", "letters and digits")
		if !v.IsScalar() && v.Kind != List || slices.ContainsFunc(v.Items, func(item *Node) bool { return !item.IsScalar() }) {
			c.problem(v.Pos, "mapping-shape", mapping, mappingShape, "%s.%s.%s must be a text or a list of texts, this is a %s", mapping, top.Text, name.Text, v.Kind)
		}
	}
}

// mappingName checks a key of a mapping, which may hold letters, digits and
// more.
func (c *checker) mappingName(k *Node, more, allowed string) {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(more, r) {
			return '0'
		}
		return r
	}, k.Text)
	if !alphanumeric(name) || len(name) > maxName {
		c.problem(k.Pos, "name", k.Text, "Template format error: Mappings attribute name '"+k.Text+"' must contain only alphanumeric characters.",
			"the mapping key %q may hold %s only", k.Text, allowed)
	}
}

func (c *checker) checkConditions() {
	c.members(c.conditions, "Conditions", func(c *checker, k, n *Node) {
		c.path = append(c.path[:0], "", "Conditions", k.Text)
		c.boolean(n)
	})
	c.conditionCycles()
}

// resourceAttributes include Description, which DescribeStackResource shows.
var resourceAttributes = []string{
	"Type", "Description", "Properties", "DependsOn", "Condition", "Metadata", "CreationPolicy", "UpdatePolicy",
	"DeletionPolicy", "UpdateReplacePolicy",
}

func (c *checker) checkResources() {
	c.members(c.resources, "Resources", func(c *checker, k, n *Node) {
		if !c.attributes(k, n, attributesOf(n.Get("Type").Scalar()), "Invalid template resource property '%'") {
			return
		}
		if kind := n.Get("Type"); kind == nil || kind.Kind != String || kind.Text == "" {
			c.problem(k.Pos, "resource-type", k.Text, "Template format error: [/Resources/"+k.Text+"] Every Resources object must contain a Type member.", "resource %q has no Type", k.Text)
		}
		c.maybe = n.Get("Condition") != nil
		for i, key := range n.Keys {
			c.checkResourceAttribute(k, key, n.Items[i])
		}
		c.lifecycle(k, n)
	})
}

// attributesOf are the attributes of a resource of that type: custom resources
// may carry the Version of their protocol.
func attributesOf(kind string) []string {
	if kind == "AWS::CloudFormation::CustomResource" || strings.HasPrefix(kind, "Custom::") {
		return customAttributes
	}
	return resourceAttributes
}

var customAttributes = append(slices.Clone(resourceAttributes), "Version")

func (c *checker) checkResourceAttribute(resource, key, n *Node) {
	c.path = append(c.path[:0], "", "Resources", resource.Text, key.Text)
	switch key.Text {
	case "Type", "Description", "Version":
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

func (c *checker) dependsOn(resource, n *Node) {
	items := []*Node{n}
	if n.Kind == List {
		items = n.Items
	}
	for _, item := range items {
		switch {
		case item.Kind != String:
			c.problem(item.Pos, "depends-on", resource.Text, "Template format error: DependsOn must be a string or list of strings.", "DependsOn of resource %q takes logical ids", resource.Text)
		case !c.isResource(item.Text):
			c.missing(item.Pos, "unresolved-reference", item.Text, unresolvedIn("Resources"), "resource %q depends on %q, which is no resource of this template", resource.Text, item.Text)
		}
	}
}

var outputAttributes = []string{"Value", "Description", "Export", "Condition"}

func (c *checker) checkOutputs() {
	c.members(c.t.Root.Get("Outputs"), "Outputs", func(c *checker, k, n *Node) {
		if !c.attributes(k, n, outputAttributes, "Invalid template output property '%'") {
			return
		}
		c.path = append(c.path[:0], "", "Outputs", k.Text)
		c.maybe = n.Get("Condition") != nil
		value := n.Get("Value")
		if value == nil {
			c.problem(k.Pos, "output-value", k.Text, "Template format error: Every Outputs member must contain a Value object", "output %q has no Value", k.Text)
		} else {
			c.walk(value)
		}
		if condition := n.Get("Condition"); condition != nil {
			c.conditionName(condition)
		}
		if d := n.Get("Description"); d != nil && d.Kind != Null && (!d.IsScalar() || len(d.Text) > maxDescription) {
			c.problem(d.Pos, "description", k.Text, "Template format error: Every Description member must be a string.",
				"Description of output %q must be a text of at most %d bytes", k.Text, maxDescription)
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
		name := export.Get("Name")
		if at := c.dependent(name); at != nil {
			if inner, _ := at.Function(); inner == "Ref" || inner == "Fn::GetAtt" || inner == "Fn::Sub" {
				c.missing(at.Pos, "export", k.Text, "", "the Name of the export of output %q cannot depend on a resource", k.Text)
			}
		}
		c.walk(name)
	})
}
