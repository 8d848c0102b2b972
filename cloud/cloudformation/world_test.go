package cloudformation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"errors"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"ouro/cloud/cloudtest"
)

// world is a cloud seen through clients.
type world struct {
	*cloudtest.Cloud
	t   testing.TB
	cfn *cloudformation.Client
}

func newWorld(t testing.TB) *world {
	c := cloudtest.New(t)
	return &world{c, t, cloudformation.NewFromConfig(c.Config)}
}

// create creates a stack and returns it at its end.
func (w *world) create(name, template string, change ...func(*cloudformation.CreateStackInput)) types.Stack {
	w.t.Helper()
	in := &cloudformation.CreateStackInput{StackName: &name, TemplateBody: &template, Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}}
	for _, c := range change {
		c(in)
	}
	out, err := w.cfn.CreateStack(w.t.Context(), in)
	if err != nil {
		w.t.Fatalf("creating %s: %v", name, err)
	}
	return w.settled(*out.StackId)
}

func (w *world) update(name, template string, change ...func(*cloudformation.UpdateStackInput)) types.Stack {
	w.t.Helper()
	in := &cloudformation.UpdateStackInput{StackName: &name, TemplateBody: &template, Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}}
	for _, c := range change {
		c(in)
	}
	out, err := w.cfn.UpdateStack(w.t.Context(), in)
	if err != nil {
		w.t.Fatalf("updating %s: %v", name, err)
	}
	return w.settled(*out.StackId)
}

func (w *world) delete(name string) types.Stack {
	w.t.Helper()
	id := aws.ToString(w.describe(name).StackId)
	if _, err := w.cfn.DeleteStack(w.t.Context(), &cloudformation.DeleteStackInput{StackName: &name}); err != nil {
		w.t.Fatalf("deleting %s: %v", name, err)
	}
	return w.settled(id)
}

func (w *world) describe(name string) types.Stack {
	w.t.Helper()
	out, err := w.cfn.DescribeStacks(w.t.Context(), &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		w.t.Fatalf("describing %s: %v", name, err)
	}
	return out.Stacks[0]
}

// settled waits until nothing happens to a stack any more.
func (w *world) settled(id string) types.Stack {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		s := w.describe(id)
		if !strings.HasSuffix(string(s.StackStatus), "_IN_PROGRESS") {
			return s
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.t.Fatalf("%s stays in %s:\n%s", id, s.StackStatus, w.story(id))
		}
	}
}

// story is the events of a stack, oldest first, one a line.
func (w *world) story(id string) string {
	w.t.Helper()
	var lines []string
	pages := cloudformation.NewDescribeStackEventsPaginator(w.cfn, &cloudformation.DescribeStackEventsInput{StackName: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		for _, e := range page.StackEvents {
			line := fmt.Sprintf("%s %s", aws.ToString(e.LogicalResourceId), e.ResourceStatus)
			if r := aws.ToString(e.ResourceStatusReason); r != "" {
				line += ": " + r
			}
			lines = append([]string{line}, lines...)
		}
	}
	return strings.Join(lines, "\n")
}

func template(t testing.TB, resources map[string]any, more ...any) string {
	t.Helper()
	doc := map[string]any{"Resources": resources}
	for i := 0; i+1 < len(more); i += 2 {
		doc[more[i].(string)] = more[i+1]
	}
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func outputs(s types.Stack) map[string]string {
	m := map[string]string{}
	for _, o := range s.Outputs {
		m[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	return m
}

// refused checks an error's code and message.
func refused(t testing.TB, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), message) {
		t.Errorf("error is %v\nwant %s: %s", err, code, message)
	}
}

// physical is the physical id of a resource.
func (w *world) physical(stack, logical string) string {
	w.t.Helper()
	out, err := w.cfn.DescribeStackResource(w.t.Context(), &cloudformation.DescribeStackResourceInput{StackName: &stack, LogicalResourceId: &logical})
	if err != nil {
		w.t.Fatal(err)
	}
	return aws.ToString(out.StackResourceDetail.PhysicalResourceId)
}

// parameter is an SSM parameter for templates; further properties and
// attributes of the resource ("!DeletionPolicy") come in pairs.
func parameter(value any, more ...any) map[string]any {
	properties := map[string]any{"Type": "String", "Value": value}
	res := map[string]any{"Type": "AWS::SSM::Parameter", "Properties": properties}
	for i := 0; i+1 < len(more); i += 2 {
		if attribute, ok := strings.CutPrefix(more[i].(string), "!"); ok {
			res[attribute] = more[i+1]
		} else {
			properties[more[i].(string)] = more[i+1]
		}
	}
	return res
}

// broken is a resource that cannot be made: no bucket may be called that.
func broken(after ...string) map[string]any {
	return map[string]any{"Type": "AWS::S3::Bucket", "DependsOn": append([]string{}, after...), "Properties": map[string]any{"BucketName": "Not_A_Bucket"}}
}

func ref(id string) map[string]any { return map[string]any{"Ref": id} }
