package codebuild

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/buildspec"
)

// planBatch is the phase DOWNLOAD_SOURCE of the build that reads the batch
// specification: it tells the batch which builds it has.
func (r *run) planBatch(ctx context.Context) error {
	r.log.say("Phase is DOWNLOAD_SOURCE")
	if err := r.fetchAll(ctx); err != nil {
		return err
	}
	spec, err := r.readSpec(ctx)
	if err != nil {
		return err
	}
	if spec.Batch == nil {
		return failf("YAML_FILE_ERROR", "the buildspec has no batch section, which a batch build needs")
	}
	builds, err := spec.Batch.Builds()
	if err != nil {
		return failf("YAML_FILE_ERROR", "%v", err)
	}
	b := r.s.batches.running(r.rec.Part.Batch)
	if b == nil {
		return errors.New("the batch of the build is not in progress")
	}
	plan, err := planBuilds(&r.rec.Project, builds)
	if err != nil {
		return err
	}
	r.log.say("Builds of the batch: %d", len(builds))
	resolved := r.snapshot().Build.ResolvedSourceVersion
	return b.change(ctx, func(rec *batch) {
		rec.Plan, rec.FastFail = plan, spec.Batch.FastFail
		if !rec.Pipeline {
			rec.Batch.ResolvedSourceVersion, rec.Pinned = resolved, aws.ToString(resolved)
		}
		rec.Batch.BuildGroups = regroup(rec.Batch.BuildGroups, builds)
	})
}

// regroup gives the groups of the builds, behind that of the batch
// specification. Those that were there before keep what was known of them.
func regroup(before []types.BuildGroup, builds []buildspec.BatchBuild) []types.BuildGroup {
	known := map[string]types.BuildGroup{}
	for _, g := range before {
		known[*g.Identifier] = g
	}
	out := []types.BuildGroup{known[batchSpec]}
	for _, b := range builds {
		g := known[b.Identifier]
		g.Identifier, g.IgnoreFailure, g.DependsOn = aws.String(b.Identifier), b.IgnoreFailure, []string{}
		g.DependsOn = append(g.DependsOn, b.DependOn...)
		out = append(out, g)
	}
	return out
}

// planBuilds is what each build changes in the project, checked against what
// the project allows.
func planBuilds(p *types.Project, builds []buildspec.BatchBuild) (map[string]planned, error) {
	allowed := p.BuildBatchConfig.Restrictions
	if n := *allowed.MaximumBuildsAllowed; len(builds) > int(n) {
		return nil, failf("CLIENT_ERROR", "the batch has %d builds, and the project allows at most %d", len(builds), n)
	}
	plan := map[string]planned{}
	for i := range builds {
		b := &builds[i]
		in, err := plannedInput(p, b)
		if err != nil {
			return nil, failf("CLIENT_ERROR", "build %s: %v", b.Identifier, err)
		}
		kind := in.ComputeTypeOverride
		if kind == "" {
			kind = p.Environment.ComputeType
		}
		if len(allowed.ComputeTypesAllowed) > 0 && !slices.Contains(allowed.ComputeTypesAllowed, string(kind)) {
			return nil, failf("CLIENT_ERROR", "build %s: the project does not allow the compute type %s in batches, only %s",
				b.Identifier, kind, strings.Join(allowed.ComputeTypesAllowed, ", "))
		}
		plan[b.Identifier] = planned{Input: *in, Shard: b.Shard, Shards: b.Shards}
	}
	return plan, nil
}

func plannedInput(p *types.Project, b *buildspec.BatchBuild) (*api.StartBuildInput, error) {
	kind, compute := types.EnvironmentType(b.Env.Type), types.ComputeType(b.Env.ComputeType)
	switch {
	case b.Identifier == batchSpec:
		return nil, fmt.Errorf("the identifier is that of the build which reads the batch specification")
	case b.DebugSession:
		return nil, errors.New("debug-session: builds of the local cloud have no session to debug them in")
	case b.Env.Fleet != "":
		return nil, errors.New("fleet: the local cloud has no fleets, all builds run on this machine")
	case kind != "" && !slices.Contains(kind.Values(), kind):
		return nil, fmt.Errorf("unknown environment type %s", kind)
	case compute != "" && !slices.Contains(compute.Values(), compute):
		return nil, fmt.Errorf("unknown compute type %s", compute)
	}
	in := &api.StartBuildInput{ComputeTypeOverride: compute, EnvironmentTypeOverride: kind, PrivilegedModeOverride: b.Env.PrivilegedMode}
	if b.Buildspec != "" {
		in.BuildspecOverride = &b.Buildspec
	}
	if b.Env.Image != "" {
		in.ImageOverride = &b.Env.Image
	}
	for _, v := range b.Env.Variables {
		in.EnvironmentVariablesOverride = append(in.EnvironmentVariablesOverride, types.EnvironmentVariable{
			Name: aws.String(v.Name), Value: aws.String(v.Value), Type: types.EnvironmentVariableTypePlaintext,
		})
	}
	return in, variablesError(in.EnvironmentVariablesOverride)
}
