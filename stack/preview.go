package stack

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Changes are what an operation would do to a stack.
type Changes struct {
	Stack     string     `json:"stack"`
	New       bool       `json:"new"` // the stack is not there yet
	Resources []Resource `json:"resources"`
	// Other is set when something differs although no resource does: outputs,
	// or the settings of the stack.
	Other bool `json:"other"`
}

// Empty tells whether there is nothing to do.
func (c *Changes) Empty() bool { return len(c.Resources) == 0 && !c.Other }

// Resource is a resource that would change. Action and Replacement are AWS's
// words, such as Add, Modify, Remove, and True, False, Conditional.
type Resource struct {
	Action      types.ChangeAction `json:"action"`
	LogicalID   string             `json:"logicalId"`
	PhysicalID  string             `json:"physicalId,omitempty"`
	Type        string             `json:"type"`
	Replacement types.Replacement  `json:"replacement,omitempty"`
	Policy      types.PolicyAction `json:"policyAction,omitempty"` // what becomes of the one that goes
	Properties  []Property         `json:"properties,omitempty"`
	Nested      *Changes           `json:"nested,omitempty"` // of a nested stack
}

// Property is a property or attribute that differs. Before and After are nil
// where there is no value; values of NoEcho parameters are masked by AWS.
type Property struct {
	Path     string  `json:"path"` // such as Properties/Tags/0/Value
	Before   *string `json:"before,omitempty"`
	After    *string `json:"after,omitempty"`
	Replaces bool    `json:"replaces"` // the change needs, or may need, a new resource
}

// Preview tells what a proposal would change, and takes it back.
func Preview(ctx context.Context, api PreviewAPI, spec Spec) (*Changes, error) {
	p, err := Propose(ctx, api, spec)
	if err != nil {
		return nil, err
	}
	return p.Changes, p.Discard(ctx)
}

// describeChanges waits for a change set and reads it, with those of nested
// stacks.
func describeChanges(ctx context.Context, api PreviewAPI, id string, isNew bool) (*Changes, error) {
	var c *Changes
	var next *string
	for poll := NewPoll(); ; {
		out, err := api.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{
			ChangeSetName: &id, NextToken: next, IncludePropertyValues: aws.Bool(true),
		})
		if err != nil {
			return nil, fmt.Errorf("describing change set %q: %w", id, err)
		}
		switch out.Status {
		case types.ChangeSetStatusCreatePending, types.ChangeSetStatusCreateInProgress:
			if err := poll.Wait(ctx, false); err != nil {
				return nil, fmt.Errorf("waiting for change set %q: %w", id, err)
			}
			continue
		case types.ChangeSetStatusFailed:
			if c := (&Changes{Stack: aws.ToString(out.StackName), New: isNew}); withoutChanges(aws.ToString(out.StatusReason)) {
				return c, nil
			}
			return nil, fmt.Errorf("previewing stack %q: %s", aws.ToString(out.StackName), aws.ToString(out.StatusReason))
		}
		if c == nil {
			c = &Changes{Stack: aws.ToString(out.StackName), New: isNew}
		}
		for _, change := range out.Changes {
			if change.ResourceChange == nil {
				continue
			}
			r, err := readChange(ctx, api, change.ResourceChange)
			if err != nil {
				return nil, err
			}
			c.Resources = append(c.Resources, r)
		}
		if next = out.NextToken; next == nil {
			break
		}
	}
	c.Other = len(c.Resources) == 0
	c.Resources = slices.DeleteFunc(c.Resources, Resource.idle)
	return c, nil
}

// idle tells whether nothing happens to a nested stack although it is among the
// changes: AWS lists every one, and the same template may lie at another address.
func (r Resource) idle() bool {
	return r.Nested != nil && r.Nested.Empty() && r.Action == types.ChangeActionModify &&
		!slices.ContainsFunc(r.Properties, func(p Property) bool { return p.Path != "Properties/TemplateURL" })
}

// withoutChanges tells CloudFormation's two sentences for a change set that
// would do nothing; its clients know them by these words.
func withoutChanges(reason string) bool {
	return strings.Contains(reason, "didn't contain changes") || strings.Contains(reason, "No updates are to be performed")
}

func readChange(ctx context.Context, api PreviewAPI, in *types.ResourceChange) (Resource, error) {
	r := Resource{
		Action: in.Action, LogicalID: aws.ToString(in.LogicalResourceId), PhysicalID: aws.ToString(in.PhysicalResourceId),
		Type: aws.ToString(in.ResourceType), Replacement: in.Replacement, Policy: in.PolicyAction,
	}
	if id := aws.ToString(in.ChangeSetId); id != "" {
		var err error
		if r.Nested, err = describeChanges(ctx, api, id, in.Action == types.ChangeActionAdd); err != nil {
			return r, err
		}
		r.Nested.Other = false // what uses the outputs of a nested stack is among the changes itself
	}
	r.Properties = readDetails(in)
	return r, nil
}

// readDetails are the properties that differ, each once: AWS tells of one as
// often as it has causes.
func readDetails(in *types.ResourceChange) []Property {
	var out []Property
	for _, d := range in.Details {
		t := d.Target
		if t == nil {
			continue
		}
		p := Property{
			Path:   strings.TrimPrefix(aws.ToString(t.Path), "/"),
			Before: t.BeforeValue, After: t.AfterValue, Replaces: t.RequiresRecreation != "" && t.RequiresRecreation != types.RequiresRecreationNever,
		}
		if p.Path == "" {
			p.Path = strings.TrimSuffix(string(t.Attribute)+"/"+aws.ToString(t.Name), "/")
		}
		for _, p := range p.leaves() {
			known := slices.IndexFunc(out, func(o Property) bool { return o.Path == p.Path })
			if known < 0 {
				out = append(out, p)
				continue
			}
			out[known].Replaces = out[known].Replaces || p.Replaces
		}
	}
	return out
}
