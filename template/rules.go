package template

import (
	"slices"
	"strings"
)

const (
	containsShape = "Template error: every Fn::Contains object requires two parameters, (1) a list of strings and (2) a string"
	eachShape     = "Template error: every Fn::EachMemberEquals object requires two parameters, (1) a list of strings and (2) a string"
	eachInShape   = "Template error: every Fn::EachMemberIn object requires two parameters, both lists of strings"
	valueOfShape  = "Template error: Fn::ValueOf and Fn::ValueOfAll require two parameters, (1) a parameter or a parameter type and (2) an attribute"
	assertShape   = "Template format error: Every Assertions member must contain an Assert."
	refAllShape   = "Template error: every Fn::RefAll object requires the name of a parameter type"
)

// ruleFunctions are what the Rules section may use
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-rules.html).
var ruleFunctions = map[string]function{
	"Ref":                  functions["Ref"],
	"Fn::And":              functions["Fn::And"],
	"Fn::Or":               functions["Fn::Or"],
	"Fn::Not":              functions["Fn::Not"],
	"Fn::Equals":           functions["Fn::Equals"],
	"Fn::Contains":         {args: wantList(2, 2, containsShape), eval: evalContains, condition: true},
	"Fn::EachMemberEquals": {args: wantList(2, 2, eachShape), eval: evalEachEquals, condition: true},
	"Fn::EachMemberIn":     {args: wantList(2, 2, eachInShape), eval: evalEachIn, condition: true},
	"Fn::RefAll":           {args: wantString(refAllShape), eval: evalRefAll},
	"Fn::ValueOf":          {args: wantList(2, 2, valueOfShape), eval: evalValueOf},
	"Fn::ValueOfAll":       {args: wantList(2, 2, valueOfShape), eval: evalValueOfAll},
}

// CheckRules holds the parameters in env against the Rules section: the error
// is the AssertDescription of the first assertion that is false, in source
// order. Rules whose RuleCondition is false do not count.
func (t *Template) CheckRules(env *Env) error {
	section := t.Root.Get("Rules")
	if section == nil || section.Kind != Map {
		return nil
	}
	e := &evaluator{t: t, env: env, table: ruleFunctions, conditions: &conditionSet{}}
	for i, name := range section.Keys {
		rule := section.Items[i]
		if condition := rule.Get("RuleCondition"); condition != nil {
			holds, err := e.boolean(condition)
			if err != nil {
				return err
			}
			if !holds {
				continue
			}
		}
		assertions := rule.Get("Assertions")
		if assertions == nil {
			continue
		}
		for _, a := range assertions.Items {
			assert := a.Get("Assert")
			if assert == nil {
				return evalError(a, "%s", assertShape)
			}
			holds, err := e.boolean(assert)
			if err != nil {
				return err
			}
			if !holds {
				return evalError(a, "%s", description(name.Text, a))
			}
		}
	}
	return nil
}

func description(rule string, assertion *Node) string {
	if text := assertion.Get("AssertDescription").Scalar(); text != "" {
		return text
	}
	return "An assertion of rule " + rule + " is false"
}

// texts evaluates n and wants a list of scalars.
func (e *evaluator) texts(n *Node, wrong string) ([]string, error) {
	v, err := e.value(n)
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok {
		return nil, evalError(n, "%s", wrong)
	}
	out := make([]string, len(list))
	for i, item := range list {
		if out[i], ok = scalarText(item); !ok {
			return nil, evalError(n, "%s", wrong)
		}
	}
	return out, nil
}

func evalContains(e *evaluator, arg *Node) (any, error) {
	list, err := e.texts(arg.Items[0], containsShape)
	if err != nil {
		return nil, err
	}
	text, err := e.text(arg.Items[1], containsShape)
	return slices.Contains(list, text), err
}

func evalEachEquals(e *evaluator, arg *Node) (any, error) {
	list, err := e.texts(arg.Items[0], eachShape)
	if err != nil {
		return nil, err
	}
	text, err := e.text(arg.Items[1], eachShape)
	return !slices.ContainsFunc(list, func(item string) bool { return item != text }), err
}

func evalEachIn(e *evaluator, arg *Node) (any, error) {
	list, err := e.texts(arg.Items[0], eachInShape)
	if err != nil {
		return nil, err
	}
	allowed, err := e.texts(arg.Items[1], eachInShape)
	return !slices.ContainsFunc(list, func(item string) bool { return !slices.Contains(allowed, item) }), err
}

// evalRefAll gives the values of all parameters of a type.
func evalRefAll(e *evaluator, arg *Node) (any, error) {
	out := []any{}
	for _, p := range e.t.Parameters() {
		if p.Type != arg.Text {
			continue
		}
		v, err := e.ref(arg, p.Name)
		if err != nil {
			return nil, err
		}
		if list, ok := v.([]any); ok {
			out = append(out, list...)
		} else {
			out = append(out, v)
		}
	}
	return out, nil
}

// evalValueOf gives an attribute of what a parameter names: a list when the
// parameter is one.
func evalValueOf(e *evaluator, arg *Node) (any, error) {
	p, _ := e.t.Parameter(arg.Items[0].Text)
	return e.attributeOf(arg, p)
}

// evalValueOfAll gives an attribute of what all parameters of a type name.
func evalValueOfAll(e *evaluator, arg *Node) (any, error) {
	out := []any{}
	for _, p := range e.t.Parameters() {
		if p.Type != arg.Items[0].Text {
			continue
		}
		v, err := e.attributeOf(arg, p)
		if err != nil {
			return nil, err
		}
		if list, ok := v.([]any); ok {
			out = append(out, list...)
		} else {
			out = append(out, v)
		}
	}
	return out, nil
}

func (e *evaluator) attributeOf(arg *Node, p Parameter) (any, error) {
	if e.env.ValueOf == nil {
		return nil, evalError(arg, "Template error: Fn::ValueOf and Fn::ValueOfAll cannot be evaluated: attributes of parameter values are not known")
	}
	v, err := e.ref(arg, p.Name)
	if err != nil {
		return nil, err
	}
	list, many := v.([]any)
	if !many {
		list = []any{v}
	}
	out := make([]any, len(list))
	for i, item := range list {
		value, _ := scalarText(item)
		if out[i], err = e.env.ValueOf(elementType(p.Type), value, arg.Items[1].Text); err != nil {
			return nil, refused(arg, err)
		}
	}
	if many {
		return out, nil
	}
	return out[0], nil
}

// elementType is the type of a list's members.
func elementType(kind string) string {
	if inner, ok := strings.CutPrefix(kind, "List<"); ok {
		return strings.TrimSuffix(inner, ">")
	}
	return kind
}

// valueAttributes are what Fn::ValueOf and Fn::ValueOfAll know of a type
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-rules.html);
// a dot at the end stands for a tag's key.
var valueAttributes = map[string][]string{
	"AWS::EC2::SecurityGroup::Id": {"Tags."},
	"AWS::EC2::Subnet::Id":        {"AvailabilityZone", "Tags.", "VpcId"},
	"AWS::EC2::VPC::Id":           {"DefaultNetworkAcl", "DefaultSecurityGroup", "Tags."},
}
