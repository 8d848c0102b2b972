package codepipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// maxConcurrent is how many executions of one pipeline may be under way.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const maxConcurrent = 50

// StartPipelineExecution starts an execution with the newest revisions of the
// sources, or with those given. The same client token starts one only.
func (s *Service) StartPipelineExecution(ctx context.Context, in *codepipeline.StartPipelineExecutionInput) (*codepipeline.StartPipelineExecutionOutput, error) {
	caller := door.CallerFrom(ctx)
	out := &codepipeline.StartPipelineExecutionOutput{}
	err := s.named(ctx, in.Name, s.turn, func(t *turn) error {
		token := aws.ToString(in.ClientRequestToken)
		if token != "" {
			id, err := s.starts.Get(ctx, t.scope, t.pipe.Name+"/"+token)
			if err == nil {
				out.PipelineExecutionId = &id
				return nil
			}
			if !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		if err := t.checkStart(in); err != nil {
			return err
		}
		kind, detail := t.triggerOf(caller)
		e := t.begin(kind, detail, in.SourceRevisions, t.variables(in.Variables))
		out.PipelineExecutionId = &e.ID
		if token != "" {
			t.starts[token] = e.ID
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// step is Service.turn or Service.view.
type step func(ctx context.Context, scope store.Scope, name string, do func(*turn) error) error

// named is a step for the operations that say a missing pipeline in the words
// of StartPipelineExecution.
func (s *Service) named(ctx context.Context, name *string, step step, do func(*turn) error) error {
	caller := door.CallerFrom(ctx)
	if err := checkName(aws.ToString(name), "name"); err != nil {
		return err
	}
	err := step(ctx, caller.Scope(), *name, do)
	if errors.Is(err, errNoPipeline) {
		return &types.PipelineNotFoundException{Message: aws.String(fmt.Sprintf(
			"The account with id '%s' does not include a pipeline with the name '%s'", caller.Account, *name))}
	}
	return err
}

func (t *turn) checkStart(in *codepipeline.StartPipelineExecutionInput) error {
	if t.plan.mode != types.ExecutionModeSuperseded && len(t.pipe.Active) >= maxConcurrent {
		return &types.ConcurrentPipelineExecutionsLimitExceededException{Message: aws.String(fmt.Sprintf(
			"The pipeline '%s' has reached the limit of %d concurrent executions", t.pipe.Name, maxConcurrent))}
	}
	for _, o := range in.SourceRevisions {
		if a, _ := t.plan.stages[0].action(aws.ToString(o.ActionName)); a == nil {
			return invalid("The source revision override names the action '%s', which is no source action of pipeline '%s'", aws.ToString(o.ActionName), t.pipe.Name)
		}
	}
	declared := map[string]bool{}
	for _, v := range t.plan.definition.Variables {
		declared[aws.ToString(v.Name)] = v.DefaultValue != nil
	}
	given := map[string]bool{}
	for _, v := range in.Variables {
		name := aws.ToString(v.Name)
		if _, ok := declared[name]; !ok {
			return invalid("The variable '%s' is not declared in pipeline '%s'", name, t.pipe.Name)
		}
		given[name] = true
	}
	for _, v := range t.plan.definition.Variables {
		if name := aws.ToString(v.Name); !declared[name] && !given[name] {
			return invalid("The variable '%s' of pipeline '%s' has no default value and was not given", name, t.pipe.Name)
		}
	}
	return nil
}

// variables are the pipeline's variables with what was given for them.
func (t *turn) variables(given []types.PipelineVariable) map[string]string {
	values := map[string]string{}
	for _, v := range t.plan.definition.Variables {
		if v.DefaultValue != nil {
			values[aws.ToString(v.Name)] = *v.DefaultValue
		}
	}
	for _, v := range given {
		values[aws.ToString(v.Name)] = aws.ToString(v.Value)
	}
	return values
}

const (
	eventsPrincipal = "events.amazonaws.com"
	eventsSession   = "AWSEvents_" // begins the names of the sessions of EventBridge's roles
)

// triggerOf tells why the caller starts an execution: EventBridge by itself
// comes for a rule that the service has put for a connection (see rules.go),
// EventBridge under a role for a rule of the user's.
func (t *turn) triggerOf(caller door.Caller) (kind types.TriggerType, detail string) {
	if caller.Service == eventsPrincipal {
		for _, a := range t.plan.sources() {
			if arn := a.Configuration["ConnectionArn"]; arn != "" {
				return types.TriggerTypeWebhook, arn
			}
		}
		return types.TriggerTypeCloudWatchEvent, caller.Service
	}
	session := caller.ARN[strings.LastIndex(caller.ARN, "/")+1:]
	if rule, ok := strings.CutPrefix(session, eventsSession); ok && strings.Contains(caller.ARN, ":assumed-role/") {
		return types.TriggerTypeCloudWatchEvent, caller.ResourceARN("events", "rule/"+rule)
	}
	return types.TriggerTypeStartPipelineExecution, caller.ARN
}

// begin puts a new execution before the first stage.
func (t *turn) begin(trigger types.TriggerType, detail string, overrides []types.SourceRevisionOverride, variables map[string]string) *execution {
	if variables == nil {
		variables = t.variables(nil)
	}
	t.pipe.Executions++
	e := &execution{
		ID: t.s.host.NewID(), Number: t.pipe.Executions, Version: t.pipe.Version, Mode: t.plan.mode,
		Status: types.PipelineExecutionStatusInProgress, Trigger: trigger, Detail: detail,
		Started: t.now, Updated: t.now, Attempt: 1, Overrides: overrides, Variables: variables,
	}
	t.executions[e.Number] = e
	t.births = append(t.births, e)
	t.pipe.Active = append(t.pipe.Active, e.Number)
	t.tellPipeline(e, "STARTED")
	t.wait(e)
	return e
}
