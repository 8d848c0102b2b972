package function

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/layer"
	"ouro/stack"
)

// listed are the parameters of layer.pipeline.
type listed struct {
	Path string `json:"path"` // of the list in the source, layers.yaml by default
}

// The tokens of a job that waits: for what failed before to be gone, and for the
// stacks that it has begun.
const (
	clearing  = "clearing"
	following = "following"
)

// layerPipeline makes a pipeline for each layer of a list, or changes it. The
// stacks are begun all at once; then CodePipeline calls again until they are
// done. What is in the list no longer stays.
func layerPipeline(ctx context.Context, j *job, p *listed) (done, error) {
	source, err := j.input(ctx)
	if err != nil {
		return done{}, err
	}
	defer source.Close() //nolint:errcheck // in the directory for what is temporary
	text, err := source.read(cmp.Or(p.Path, "layers.yaml"), 1<<20)
	if err != nil {
		return done{}, err
	}
	list, err := layer.ReadList(text)
	if err != nil {
		return done{}, err
	}
	c := layer.NewClients(j.cfg)
	if j.Data.ContinuationToken == following {
		return follow(ctx, c, list)
	}
	if busy, err := removeFailed(ctx, c, list, j.Data.ContinuationToken == ""); err != nil || len(busy) > 0 {
		return done{Continue: clearing, Summary: "Deleting what failed before: " + strings.Join(busy, ", ")}, err
	}
	changed := 0
	var failures []error
	for i := range list {
		news, err := list[i].Begin(ctx, c)
		if failures = append(failures, err); news {
			changed++
		}
	}
	if err := errors.Join(failures...); err != nil {
		return done{}, err
	}
	if changed == 0 {
		return done{Summary: fmt.Sprintf("%d layers, whose pipelines are as they should be", len(list))}, nil
	}
	return done{Continue: following, Summary: fmt.Sprintf("Changing %d of %d pipelines", changed, len(list))}, nil
}

// removeFailed has the stacks deleted whose creation failed, if it is to, and tells which
// are on their way out.
func removeFailed(ctx context.Context, c *layer.Clients, list []layer.Pipeline, begin bool) (busy []string, err error) {
	for _, p := range list {
		name := layer.PipelineStack(p.Name)
		s, err := stack.Describe(ctx, c.Stacks, name)
		if err != nil {
			return nil, err
		}
		switch {
		case s == nil:
		case s.StackStatus == types.StackStatusDeleteInProgress:
			busy = append(busy, name)
		case begin && s.StackStatus == types.StackStatusRollbackComplete: // and nothing is in it
			if _, err := c.Stacks.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: s.StackId}); err != nil {
				return nil, fmt.Errorf("deleting stack %q: %w", name, err)
			}
			busy = append(busy, name)
		}
	}
	return busy, nil
}

// follow looks whether the stacks are done.
func follow(ctx context.Context, c *layer.Clients, list []layer.Pipeline) (done, error) {
	var busy, failed []string
	for _, p := range list {
		name := layer.PipelineStack(p.Name)
		s, err := stack.Describe(ctx, c.Stacks, name)
		switch {
		case err != nil:
			return done{}, err
		case s == nil:
			failed = append(failed, name+" is not there")
		case stack.InProgress(s.StackStatus):
			busy = append(busy, name)
		case !stack.Succeeded(s.StackStatus):
			failed = append(failed, fmt.Sprintf("%s is %s", name, s.StackStatus))
		}
	}
	switch {
	case len(busy) > 0:
		return done{Continue: following, Summary: "Waiting for " + strings.Join(busy, ", ")}, nil
	case len(failed) > 0:
		return done{}, fmt.Errorf("the pipelines of layers: %s", strings.Join(failed, "; "))
	}
	return done{Summary: fmt.Sprintf("%d layers have pipelines", len(list))}, nil
}
