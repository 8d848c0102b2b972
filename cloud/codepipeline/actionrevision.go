package codepipeline

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/door"
)

// PutActionRevision tells of a revision of a source. One that the pipeline has
// not seen starts an execution.
func (s *Service) PutActionRevision(ctx context.Context, in *codepipeline.PutActionRevisionInput) (*codepipeline.PutActionRevisionOutput, error) {
	r := in.ActionRevision
	if r == nil || aws.ToString(r.RevisionId) == "" || aws.ToString(r.RevisionChangeId) == "" || r.Created == nil {
		return nil, constraint("null", "actionRevision", "Member must not be null")
	}
	out := &codepipeline.PutActionRevisionOutput{}
	err := s.named(ctx, in.PipelineName, s.turn, func(t *turn) error {
		decl, err := t.declared(in.StageName, in.ActionName)
		switch {
		case err != nil:
			return err
		case !isSource(*decl):
			return invalid("The action '%s' in stage '%s' of pipeline '%s' is no source action", *in.ActionName, *in.StageName, t.pipe.Name)
		case t.pipe.Sources[*in.ActionName] == *r.RevisionId:
			e, err := t.latest()
			out.PipelineExecutionId = e
			return err
		}
		if err := t.checkStart(&codepipeline.StartPipelineExecutionInput{}); err != nil {
			return err
		}
		t.pipe.saw(*in.ActionName, *r.RevisionId)
		e := t.begin(types.TriggerTypePutActionRevision, door.CallerFrom(ctx).ARN, nil, nil)
		out.NewRevision, out.PipelineExecutionId = true, &e.ID
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// declared is an action of the pipeline as it is declared.
func (t *turn) declared(stage, name *string) (*types.ActionDeclaration, error) {
	i := t.plan.stageIndex(aws.ToString(stage))
	if i < 0 {
		return nil, noStage(t.pipe.Name, stage)
	}
	decl, _ := t.plan.stages[i].action(aws.ToString(name))
	if decl == nil {
		return nil, &types.ActionNotFoundException{Message: aws.String(fmt.Sprintf(
			"Stage '%s' of pipeline '%s' does not have an action with name '%s'", *stage, t.pipe.Name, aws.ToString(name)))}
	}
	return decl, nil
}

// latest is the id of the newest execution, nil if there was none.
func (t *turn) latest() (*string, error) {
	if t.pipe.Executions == 0 {
		return nil, nil
	}
	e, err := t.s.executions.Get(t.ctx, t.scope, executionKey(t.pipe.Name, t.pipe.Executions))
	if err != nil {
		return nil, fmt.Errorf("reading the newest execution of pipeline %q: %w", t.pipe.Name, err)
	}
	return &e.ID, nil
}
