package codepipeline

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// plan is a definition laid out for running: stages one after the other, in
// each stage groups one after the other, in each group actions side by side.
type plan struct {
	definition *types.PipelineDeclaration
	mode       types.ExecutionMode
	stages     []plannedStage
}

type plannedStage struct {
	name   string
	groups [][]types.ActionDeclaration // by rising run order
}

// newPlan lays out a definition.
func newPlan(def *types.PipelineDeclaration) *plan {
	p := &plan{definition: def, mode: def.ExecutionMode}
	if p.mode == "" {
		p.mode = types.ExecutionModeSuperseded
	}
	for _, st := range def.Stages {
		byOrder := map[int32][]types.ActionDeclaration{}
		var orders []int32
		for _, a := range st.Actions {
			order := runOrder(a)
			if byOrder[order] == nil {
				orders = append(orders, order)
			}
			byOrder[order] = append(byOrder[order], a)
		}
		slices.Sort(orders)
		planned := plannedStage{name: aws.ToString(st.Name)}
		for _, order := range orders {
			planned.groups = append(planned.groups, byOrder[order])
		}
		p.stages = append(p.stages, planned)
	}
	return p
}

func runOrder(a types.ActionDeclaration) int32 {
	if a.RunOrder == nil {
		return 1
	}
	return *a.RunOrder
}

// stageIndex is the position of the stage of that name, or -1.
func (p *plan) stageIndex(name string) int {
	return slices.IndexFunc(p.stages, func(st plannedStage) bool { return st.name == name })
}

// action is the action of that name and the group that it is in, or nil.
func (st plannedStage) action(name string) (*types.ActionDeclaration, int) {
	for g, group := range st.groups {
		for i, a := range group {
			if aws.ToString(a.Name) == name {
				return &group[i], g
			}
		}
	}
	return nil, -1
}

// sources are the actions of the first stage.
func (p *plan) sources() []types.ActionDeclaration {
	return slices.Concat(p.stages[0].groups...)
}

// artifactStore is where a region's artifacts lie.
func (p *plan) artifactStore(region string) *types.ArtifactStore {
	if st, ok := p.definition.ArtifactStores[region]; ok {
		return &st
	}
	return p.definition.ArtifactStore
}
