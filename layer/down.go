package layer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/pipeline"
	"ouro/stack"
)

// Doomed is what Down deletes of a layer.
type Doomed struct {
	Layer    string
	Teardown *pipeline.Teardown // the stacks
	Versions []Published
	up       *pipeline.Up
}

// Empty tells whether there is nothing to delete.
func (d *Doomed) Empty() bool { return d.Teardown.Empty() && len(d.Versions) == 0 }

// Used are the functions that use versions that are to go.
func (d *Doomed) Used() []string {
	var names []string
	for _, v := range d.Versions {
		names = append(names, v.UsedBy...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Doom finds all that there is of a layer: its pipeline, its repository, the
// stack that publishes it, and all versions.
func (u *Up) Doom(ctx context.Context, name string) (*Doomed, error) {
	p := &Pipeline{Name: name}
	if err := p.Check(); err != nil {
		return nil, err
	}
	d := &Doomed{Layer: name}
	var err error
	if d.up, err = u.work(ctx, p, ""); err != nil {
		return nil, err
	}
	if d.Teardown, err = d.up.Teardown(ctx); err != nil {
		return nil, err
	}
	versions := pipeline.StackRef{Name: VersionsStack(name)}
	if !slices.Contains(d.Teardown.Stacks, versions) {
		// The pipeline is gone, and the stack that it deployed is not.
		s, err := stack.Describe(ctx, u.Clients.Stacks, versions.Name)
		if err != nil {
			return nil, err
		}
		if s != nil {
			d.Teardown.Stacks = append([]pipeline.StackRef{versions}, d.Teardown.Stacks...)
		}
	}
	d.Versions, err = Show(ctx, u.Clients, name)
	return d, err
}

// Down deletes what Doom found. deleted are the names of what is gone now, even
// when there is an error; calling both again goes on from there.
func (u *Up) Down(ctx context.Context, d *Doomed) (deleted []string, err error) {
	if deleted, err = d.up.Down(ctx, d.Teardown); err != nil {
		return deleted, err
	}
	// The parameters go last: by them, whoever goes on from here finds the rest.
	for _, v := range d.Versions {
		if err := u.Clients.deleteVersion(ctx, d.Layer, v.Version); err != nil {
			return deleted, err
		}
		deleted = append(deleted, fmt.Sprintf("version %d of layer %s", v.Version, d.Layer))
	}
	var left []string
	if err := u.Clients.eachParameter(ctx, Path+d.Layer+"/", func(name, _ string) { left = append(left, name) }); err != nil {
		return deleted, err
	}
	for _, name := range left {
		if err := u.Clients.deleteParameter(ctx, name); err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

// Layers are the layers that have a pipeline or parameters, sorted.
func (u *Up) Layers(ctx context.Context) ([]string, error) {
	names := map[string]bool{}
	if err := u.Clients.eachParameter(ctx, Path, func(name, _ string) {
		if name, _, _ := strings.Cut(strings.TrimPrefix(name, Path), "/"); CheckName(name) == nil {
			names[name] = true
		}
	}); err != nil {
		return nil, err
	}
	pages := cloudformation.NewDescribeStacksPaginator(u.Clients.Stacks, &cloudformation.DescribeStacksInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing the stacks: %w", err)
		}
		for _, s := range page.Stacks {
			name, isLayer := strings.CutPrefix(aws.ToString(s.StackName), "layer-")
			name, isPipeline := strings.CutSuffix(name, "-Pipeline")
			ours := slices.ContainsFunc(s.Tags, func(t types.Tag) bool { return aws.ToString(t.Key) == ownTag })
			if isLayer && isPipeline && ours {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}

// BaseDown deletes what all layers share, the last made first.
func (u *Up) BaseDown(ctx context.Context) (deleted []string, err error) {
	for _, name := range []string{FunctionsStack, RolesStack, ArtifactsStack} {
		s, err := stack.Describe(ctx, u.Clients.Stacks, name)
		if err != nil {
			return deleted, err
		}
		if s == nil {
			continue
		}
		u.Observer.Step("Stack " + name)
		if err := u.empty(ctx, name); err != nil {
			return deleted, err
		}
		if err := stack.Delete(ctx, u.Clients.Stacks, name, u.Observer.StackEvent); err != nil {
			return deleted, err
		}
		deleted = append(deleted, "stack "+name)
	}
	return deleted, nil
}

// empty empties the buckets of a stack. The parameter that names the bucket may be
// gone already.
func (u *Up) empty(ctx context.Context, name string) error {
	resources, err := stack.Resources(ctx, u.Clients.Stacks, name)
	if err != nil {
		return err
	}
	for _, r := range resources {
		if bucket := aws.ToString(r.PhysicalResourceId); aws.ToString(r.ResourceType) == "AWS::S3::Bucket" && bucket != "" {
			if err := pipeline.EmptyBucket(ctx, u.Clients.Buckets, bucket); err != nil {
				return err
			}
		}
	}
	return nil
}
