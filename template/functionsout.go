package template

import (
	"slices"
	"strings"
)

// The functions whose answer is not in their argument: exports, other stacks,
// the zones of a region, and the Mappings section.

func evalImport(e *evaluator, arg *Node) (any, error) {
	name, err := e.text(arg, importShape)
	if err != nil {
		return nil, err
	}
	if e.env.Import == nil {
		return nil, evalError(arg, "No export named %s found", name)
	}
	v, err := e.env.Import(name)
	if err != nil {
		return nil, refused(arg, err)
	}
	return v, nil
}

// stackOutputMembers are the members of Fn::GetStackOutput's argument
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getstackoutput.html).
var stackOutputMembers = []string{"StackName", "OutputName", "Region", "RoleArn"}

func stackOutputArgs(arg *Node) string {
	if arg.Get("StackName") == nil || arg.Get("OutputName") == nil {
		return stackShape
	}
	for i, k := range arg.Keys {
		if !slices.Contains(stackOutputMembers, k.Text) || wantText(stackShape)(arg.Items[i]) != "" {
			return stackShape
		}
	}
	return ""
}

func evalStackOutput(e *evaluator, arg *Node) (any, error) {
	var texts [4]string
	for i, member := range stackOutputMembers {
		v := arg.Get(member)
		if v == nil {
			continue
		}
		var err error
		if texts[i], err = e.text(v, stackShape); err != nil {
			return nil, err
		}
	}
	if texts[2] == "" {
		texts[2] = e.env.Region
	}
	if e.env.StackOutput == nil {
		return nil, evalError(arg, "Template error: Fn::GetStackOutput cannot be evaluated here: the outputs of stack %s are not known", texts[0])
	}
	v, err := e.env.StackOutput(texts[0], texts[1], texts[2], texts[3])
	if err != nil {
		return nil, refused(arg, err)
	}
	return v, nil
}

func evalGetAZs(e *evaluator, arg *Node) (any, error) {
	region, err := e.text(arg, azsShape)
	if err != nil {
		return nil, err
	}
	if region == "" {
		region = e.env.Region
	}
	if e.env.AZs == nil {
		return nil, evalError(arg, "Template error: Fn::GetAZs cannot be evaluated here: the zones of %s are not known", region)
	}
	return anyList(e.env.AZs(region)), nil
}

func findInMapArgs(arg *Node) string {
	if arg == nil || arg.Kind != List || len(arg.Items) < 3 || len(arg.Items) > 4 {
		return mapShape
	}
	if len(arg.Items) == 4 && arg.Items[3].Get("DefaultValue") == nil {
		return mapShape
	}
	if slices.ContainsFunc(arg.Items[:3], func(n *Node) bool { return wantText(mapShape)(n) != "" }) {
		return mapShape
	}
	return ""
}

func evalFindInMap(e *evaluator, arg *Node) (any, error) {
	var names [3]string
	for i := range names {
		var err error
		if names[i], err = e.text(arg.Items[i], mapShape); err != nil {
			return nil, err
		}
	}
	mapping := e.t.Root.Get("Mappings").Get(names[0])
	if v := mapping.Get(names[1]).Get(names[2]); v != nil {
		return e.value(v)
	}
	if len(arg.Items) == 4 {
		return e.value(arg.Items[3].Get("DefaultValue"))
	}
	if mapping == nil {
		return nil, evalError(arg, "Template error: Mapping named '%s' is not present in the 'Mappings' section of template.", names[0])
	}
	return nil, evalError(arg, "Template error: Unable to get mapping for %s", strings.Join(names[:], "::"))
}
