package sam

import (
	"fmt"
	"strings"

	"ouro/template"
)

// capacityKind is AWS::Serverless::CapacityProvider: instances for functions.
var capacityKind = kind{properties: capacityProperties, translate: translateCapacityProvider, turn: 3}

var capacityProperties = []property{
	{name: "CapacityProviderName", shape: textOrMap, literal: true},
	{name: "VpcConfig", shape: aMap, literal: true, required: true},
	{name: "OperatorRole", shape: textOrMap, literal: true},
	{name: "Tags", shape: aMap, literal: true},
	{name: "PropagateTags", shape: aBool, literal: true},
	{name: "InstanceRequirements", shape: aMap, literal: true},
	{name: "ScalingConfig", shape: aMap, literal: true},
	{name: "KmsKeyArn", shape: textOrMap, literal: true},
}

// capacityFields are what the maps among the properties hold, and what the
// generated resource calls it.
var capacityFields = []struct {
	section, name, as, said string
	kind                    template.Kind
}{
	{"VpcConfig", "SecurityGroupIds", "SecurityGroupIds", "list", template.List},
	{"VpcConfig", "SubnetIds", "SubnetIds", "list", template.List},
	{"InstanceRequirements", "Architectures", "Architectures", "list", template.List},
	{"InstanceRequirements", "AllowedTypes", "AllowedInstanceTypes", "list", template.List},
	{"InstanceRequirements", "ExcludedTypes", "ExcludedInstanceTypes", "list", template.List},
	{"ScalingConfig", "MaxVCpuCount", "MaxVCpuCount", "integer", template.Number},
	{"ScalingConfig", "AverageCPUUtilization", "", "number", template.Number},
}

// translateCapacityProvider makes the provider and, unless one is given, the
// role that starts and stops its instances.
func translateCapacityProvider(c *context, r *resource) {
	c.checkCapacity(r)
	p := r.pos()
	createdBy := p.obj("lambda:createdBy", "SAM")
	operator := clone(r.get("OperatorRole"))
	if !truthy(operator) {
		tags := createdBy
		if truthy(r.get("PropagateTags")) {
			tags = overlay(createdBy, r.get("Tags"))
		}
		m := c.add(r, r.id+"OperatorRole", "AWS::IAM::Role", p.obj("AssumeRolePolicyDocument", trusts(p, "lambda.amazonaws.com"),
			"ManagedPolicyArns", p.texts(c.awsPolicy("AWSLambdaManagedEC2ResourceOperator")), "Tags", tagList(tags)))
		operator = p.getAtt(m.id, "Arn")
	}
	props := p.obj("VpcConfig", c.capacitySection(r, "VpcConfig"),
		"PermissionsConfig", p.obj("CapacityProviderOperatorRoleArn", operator), "Tags", tagList(overlay(clone(r.get("Tags")), createdBy)))
	if requirements := r.get("InstanceRequirements"); truthy(requirements) {
		set(props, "InstanceRequirements", c.capacitySection(r, "InstanceRequirements"))
	}
	if scaling := r.get("ScalingConfig"); truthy(scaling) {
		set(props, "CapacityProviderScalingConfig", c.capacityScaling(r, scaling))
	}
	for _, name := range []string{"CapacityProviderName", "KmsKeyArn"} {
		if v := r.get(name); truthy(v) {
			set(props, name, clone(v))
		}
	}
	c.addMain(r, r.id, "AWS::Lambda::CapacityProvider", props)
}

// overlay is a map with the entries of another laid over it.
func overlay(n, over *node) *node {
	if n == nil {
		return clone(over)
	}
	out := clone(n)
	for key, v := range entries(over) {
		set(out, key, clone(v))
	}
	return out
}

// capacitySection is one of the maps under the names that Lambda has.
func (c *context) capacitySection(r *resource, section string) *node {
	out := r.pos().obj()
	for _, f := range capacityFields {
		if v := get(r.get(section), f.name); f.section == section && f.as != "" && v != nil {
			set(out, f.as, clone(v))
		}
	}
	return out
}

// capacityScaling is ScalingConfig: by a target for the use of processors, or
// left to Lambda.
func (c *context) capacityScaling(r *resource, scaling *node) *node {
	p := at(scaling.Pos)
	out := c.capacitySection(r, "ScalingConfig")
	target := get(scaling, "AverageCPUUtilization")
	if target == nil {
		set(out, "ScalingMode", p.text("Auto"))
		return out
	}
	set(out, "ScalingMode", p.text("Manual"))
	set(out, "ScalingPolicies", p.list(p.obj("PredefinedMetricType", "LambdaCapacityProviderAverageCPUUtilization", "TargetValue", clone(target))))
	return out
}

// checkCapacity refuses maps that do not hold what they must.
func (c *context) checkCapacity(r *resource) {
	var wrong []string
	for _, section := range []string{"VpcConfig", "InstanceRequirements", "ScalingConfig"} {
		given := r.get(section)
		known := map[string]bool{}
		for _, f := range capacityFields {
			if f.section != section {
				continue
			}
			known[f.name] = true
			v := get(given, f.name)
			switch {
			case v == nil && f.name == "SubnetIds":
				wrong = append(wrong, "Property 'VpcConfig.SubnetIds' is required.")
			case v != nil && v.Kind != f.kind && !isMap(v):
				wrong = append(wrong, fmt.Sprintf("Property '%s.%s' value must be dictionary or %s.", section, f.name, f.said))
			}
		}
		for key := range entries(given) {
			if !known[key] {
				wrong = append(wrong, fmt.Sprintf("Property '%s.%s' is an invalid property.", section, key))
			}
		}
	}
	if len(wrong) > 0 {
		c.invalid(r.node, r.id, "%s", strings.Join(wrong, " "))
	}
	requirements := r.get("InstanceRequirements")
	if get(requirements, "AllowedTypes") != nil && get(requirements, "ExcludedTypes") != nil {
		c.invalid(requirements, r.id, "Cannot specify 'InstanceRequirements.AllowedTypes' and 'InstanceRequirements.ExcludedTypes' together.")
	}
}
