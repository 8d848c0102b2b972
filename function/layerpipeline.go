package function

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"ouro/layer"
	"ouro/stack"
)

// listed are the parameters of layer.pipeline.
type listed struct {
	Path string `json:"path"` // of the list in the source, layers.yaml by default
}

// following is the token of a job that has begun all stacks and waits for them.
const following = "following"

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
