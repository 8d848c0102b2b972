package engine

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/cloudformation/resource"
)

// NestedRequest is what a nested stack is made or updated with.
type NestedRequest struct {
	TemplateURL      string
	Parameters       []types.Parameter
	NotificationARNs []string
	Tags             []types.Tag
}

// Request reads what the plan of a nested stack says; outer are the tags of
// the stack around it.
func (p NestedPlan) Request(outer []ledger.Tag) (NestedRequest, error) {
	r := &resource.Request{Properties: p.Properties, Tags: map[string]string{}}
	for _, t := range outer {
		r.Tags[t.Key] = t.Value
	}
	in, err := readNested(r)
	if err != nil {
		return NestedRequest{}, err
	}
	return NestedRequest{TemplateURL: aws.ToString(in.TemplateURL), Parameters: in.parameters(), NotificationARNs: in.NotificationARNs, Tags: nestedTags(r)}, nil
}

// Promise fixes the name of a nested stack before it is made. The suffix is
// what an operation needs to make it under that name.
func (e *Engine) Promise(stack ledger.Stack, logicalID string) (name, suffix string) {
	suffix = resource.NewSuffix()
	name, _ = e.nestedKind().NameFor(stack.Name, logicalID, suffix, nil)
	return name, suffix
}
