package cloudformation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/engine"
	"ouro/template"
)

// iamWithoutHandler are types of IAM that are only recorded here, but want to
// be acknowledged as on AWS; the value is the property that names them.
var iamWithoutHandler = map[string]string{"AWS::IAM::AccessKey": "", "AWS::IAM::UserToGroupAddition": ""}

// neededCapability is what a template must be acknowledged with for its
// resources, and the types that demand it: nothing, CAPABILITY_IAM, or, when
// one of them has a name of its own, CAPABILITY_NAMED_IAM.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
func neededCapability(e *engine.Engine, t *template.Template) (needed types.Capability, because []string) {
	for _, r := range t.Resources() {
		name, listed := iamWithoutHandler[r.Type]
		if kind, err := e.Kind(r.Type); err == nil && kind.Capability {
			name, listed = kind.NameProperty, true
		}
		if !listed {
			continue
		}
		because = append(because, r.Type)
		if needed == "" {
			needed = types.CapabilityCapabilityIam
		}
		if name != "" && r.Properties.Get(name) != nil {
			needed = types.CapabilityCapabilityNamedIam
		}
	}
	slices.Sort(because)
	return needed, slices.Compact(because)
}

func demandCapabilities(e *engine.Engine, t *template.Template, given []types.Capability) error {
	needed, _ := neededCapability(e, t)
	if needed == "" || slices.Contains(given, needed) || slices.Contains(given, types.CapabilityCapabilityNamedIam) {
		return nil
	}
	return insufficient(needed)
}

// demandExpansion wants it acknowledged that macros rewrite the template
// before anybody has seen the result. Change sets show it first, and need nothing.
func demandExpansion(t *template.Template, given []types.Capability) error {
	if !usesMacros(t) || slices.Contains(given, types.CapabilityCapabilityAutoExpand) {
		return nil
	}
	return insufficient(types.CapabilityCapabilityAutoExpand)
}

func insufficient(needed types.Capability) error {
	return &types.InsufficientCapabilitiesException{Message: aws.String(fmt.Sprintf("Requires capabilities : [%s]", needed))}
}

// usesMacros tells whether a template has transforms, declared or inside.
func usesMacros(t *template.Template) bool {
	return t.Root.Get("Transform") != nil || transformsInside(t.Root)
}

func transformsInside(n *template.Node) bool {
	if n == nil {
		return false
	}
	for i, item := range n.Items {
		if n.Kind == template.Map && n.Keys[i].Text == "Fn::Transform" || transformsInside(item) {
			return true
		}
	}
	return false
}

// capabilitiesOf is what a template asks for, as ValidateTemplate tells it.
func capabilitiesOf(e *engine.Engine, t *template.Template) (needed []types.Capability, reason *string) {
	if usesMacros(t) {
		needed = append(needed, types.CapabilityCapabilityAutoExpand)
	}
	if iam, because := neededCapability(e, t); iam != "" {
		needed = append(needed, iam)
		reason = aws.String("The following resource(s) require capabilities: [" + strings.Join(because, ", ") + "]")
	}
	return needed, reason
}
