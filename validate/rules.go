package validate

import (
	"slices"
	"strings"

	"ouro/template"
)

// Rule is one thing that is checked.
type Rule struct {
	ID       string
	Severity template.Severity
	Meaning  string // as a sentence without its dot, for lists
	// cfnLint are cfn-lint's rules that look for the same, so that a template
	// which tells that tool to be quiet is not asked again.
	cfnLint string
}

const (
	refused  = template.SeverityError
	doubtful = template.SeverityWarning
)

// rules are all of them, sorted. Those that package template finds may come
// with the other severity where it says so.
var rules = []Rule{
	{"allowed-pattern", doubtful, "An AllowedPattern is no regular expression that can be checked here", "E2004"},
	{"arguments", refused, "A function has arguments of the wrong number or kind", "E1"},
	{"circular-condition", refused, "Conditions are defined by each other in a circle", "E8"},
	{"circular-dependency", refused, "Resources wait for each other; a warning when conditions may break the circle", "E3004"},
	{"condition-shape", refused, "A condition is none of Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition", "E8"},
	{"configuration-shape", refused, "A template configuration has something else in it than Parameters, Tags and StackPolicy with texts", ""},
	{"default", doubtful, "The Default of a parameter breaks the parameter's own constraints", "E2015"},
	{"depends-on", refused, "DependsOn takes logical ids and nothing else", "E3005"},
	{"description", refused, "Description is no text, or longer than CloudFormation allows", "E1004"},
	{"duplicate-name", refused, "A parameter and a resource have the same name", "E3007"},
	{"dynamic-reference", refused, "A {{resolve:…}} has the wrong form, or there are too many of them", "E1050"},
	{"echoed-secret", doubtful, "A password is a parameter without NoEcho, which everybody who may see the stack can read", "W2501"},
	{"enum", refused, "A value is none of those that the property takes", "E3030"},
	{"export", refused, "Export is no map with a Name", "E6"},
	{"format-version", refused, "AWSTemplateFormatVersion is not 2010-09-09", "E1001"},
	{"hard-coded-secret", doubtful, "A password, a private key or an access key stands in the template", "E2507"},
	{"hook-shape", refused, "A hook has no map of Properties", "E1001"},
	{"hook-type", refused, "A hook has another Type than AWS::CodeDeploy::BlueGreen", "E1001"},
	{"loop", refused, "Fn::ForEach has the wrong form, or a name that is taken", "E1032"},
	{"mapping-shape", refused, "A mapping is no map of maps of texts and lists", "E7001"},
	{"member-shape", refused, "A member of a section is no map", "E3001"},
	{"misplaced-function", refused, "A function stands where CloudFormation does not take it", "E1"},
	{"missing-parameter", refused, "A configuration or a nested stack gives no value for a parameter without a default", "E3043"},
	{"missing-property", refused, "A resource or a part of it has no value for a required property", "E3003"},
	{"missing-sub", doubtful, "A text has ${Name} of something in the template, and no Fn::Sub around it", "E1029"},
	{"missing-template", doubtful, "A nested stack refers to a file that is not there", "W3043"},
	{"missing-transform", refused, "A resource has a type that exists only with a transform, and the template does not declare it", "E3038"},
	{"name", refused, "A name has characters other than letters and digits, or is too long", "E3006"},
	{"no-echo-default", doubtful, "A parameter with NoEcho has its secret as the Default", "W4002"},
	{"no-resources", refused, "The template declares no resources", "E1001"},
	{"no-template", refused, "A file that was named is neither a template nor a template configuration", "E1001"},
	{"null", refused, "A value is null", "E0000"},
	{"output-value", refused, "An output has no Value", "E6002"},
	{"parameter-enum", doubtful, "A parameter may have a value which the property that it goes into does not take", "W2030"},
	{"parameter-shape", refused, "An attribute of a parameter has the wrong kind", "E2001"},
	{"parameter-type", refused, "A parameter has no Type, or one that CloudFormation does not have", "E2002"},
	{"parameter-value", refused, "A configuration gives a value that breaks the parameter's constraints", "E2"},
	{"policy", refused, "A policy of a resource (DeletionPolicy, UpdateReplacePolicy, CreationPolicy, UpdatePolicy) has something in it that CloudFormation does not know", "E3035"},
	{"read-only-property", doubtful, "A resource gives a property that AWS sets, and that templates read with Fn::GetAtt", "E3040"},
	{"resource-shape", refused, "An attribute of a resource has the wrong kind", "E3001"},
	{"resource-type", refused, "A resource has no Type", "E3001"},
	{"rule-shape", refused, "A member of Rules has no assertions", "E1700"},
	{"section-shape", refused, "A section is no map", "E1001"},
	{"syntax", refused, "The file cannot be read as YAML or JSON", "E0000"},
	{"too-many", refused, "A section has more members than CloudFormation allows", "E3010"},
	{"transform", refused, "A transform refuses the template", "E0001"},
	{"unknown-attribute", refused, "A declaration has an attribute that CloudFormation does not have", "E3001"},
	{"unknown-function", refused, "A function is unknown, or needs the transform AWS::LanguageExtensions", "E1"},
	{"unknown-parameter", refused, "A configuration or a nested stack gives a parameter that the template does not declare", "E3043"},
	{"unknown-property", refused, "A resource or a part of it has a property that its type does not take", "E3002"},
	{"unknown-section", refused, "The template has a section that CloudFormation does not have", "E1001"},
	{"unknown-template", refused, "A nested stack takes a template from the library that the library does not have", "W3043"},
	{"unknown-type", refused, "A resource has a type that AWS does not have", "E3006"},
	{"unreadable", refused, "The file cannot be read", "E0000"},
	{"unresolved-attribute", refused, "Fn::GetAtt names a resource or an attribute that is not there", "E1010"},
	{"unresolved-condition", refused, "A condition is not declared", "E8"},
	{"unresolved-mapping", refused, "Fn::FindInMap names a mapping that is not there", "E1011"},
	{"unresolved-reference", refused, "A Ref, a variable of Fn::Sub or a DependsOn names nothing in the template", "E1020"},
	{"unsupported-function", refused, "A function stands where only AWS::LanguageExtensions takes it", "E1"},
	{"unused-condition", doubtful, "A condition is used nowhere", "W8001"},
	{"unused-mapping", doubtful, "A mapping is used nowhere", "W7001"},
	{"unused-parameter", doubtful, "A parameter is used nowhere", "W2001"},
	{"value", refused, "A function of literal values cannot be evaluated, such as Fn::Select of an item that is not there", "E1"},
	{"wrong-type", refused, "A value has the wrong type, and CloudFormation cannot turn it into the right one", "E3012"},
}

// Rules are all rules, sorted by id.
func Rules() []Rule { return slices.Clone(rules) }

func ruleOf(id string) (Rule, bool) {
	i, ok := slices.BinarySearchFunc(rules, id, func(r Rule, id string) int { return strings.Compare(r.ID, id) })
	if !ok {
		return Rule{ID: id}, false
	}
	return rules[i], true
}

func severityOf(id string) template.Severity {
	r, _ := ruleOf(id)
	return r.Severity
}
