package codepipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/regex"
)

// maxConcurrent is how many executions of one pipeline may be under way.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const maxConcurrent = 50

var tokenPattern = regex.New(`^[a-zA-Z0-9-]{1,128}$`)

// StartPipelineExecution starts an execution with the newest revisions of the
// sources, or with those given. The same client token starts one only.
func (s *Service) StartPipelineExecution(ctx context.Context, in *codepipeline.StartPipelineExecutionInput) (*codepipeline.StartPipelineExecutionOutput, error) {
	caller := door.CallerFrom(ctx)
	out := &codepipeline.StartPipelineExecutionOutput{}
	err := s.named(ctx, in.Name, s.turn, func(t *turn) error {
		token := aws.ToString(in.ClientRequestToken)
		if in.ClientRequestToken != nil && !tokenPattern().MatchString(token) {
			return constraint(token, "clientRequestToken", "Member must satisfy regular expression pattern: ^[a-zA-Z0-9-]{1,128}$")
		}
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
	if err := t.checkRoom(); err != nil {
		return err
	}
	for _, o := range in.SourceRevisions {
		if err := t.checkOverridden(o); err != nil {
			return err
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
		if err := checkVariableValue(aws.ToString(v.Value), "variables."+name+".value"); err != nil {
			return err
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

// revisionTypes are how the revisions of a source are named, by provider.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-trigger-source-overrides.html
var revisionTypes = map[string][]types.SourceRevisionType{
	"CodeCommit":               {types.SourceRevisionTypeCommitId},
	"CodeStarSourceConnection": {types.SourceRevisionTypeCommitId},
	"GitHub":                   {types.SourceRevisionTypeCommitId},
	"ECR":                      {types.SourceRevisionTypeImageDigest},
	"S3":                       {types.SourceRevisionTypeS3ObjectVersionId, types.SourceRevisionTypeS3ObjectKey},
}

func (t *turn) checkOverridden(o types.SourceRevisionOverride) error {
	name := aws.ToString(o.ActionName)
	a, _ := t.plan.stages[0].action(name)
	if a == nil {
		return invalid("The source revision override names the action '%s', which is no source action of pipeline '%s'", name, t.pipe.Name)
	}
	if valid := revisionTypes[aws.ToString(a.ActionTypeId.Provider)]; len(valid) > 0 && !slices.Contains(valid, o.RevisionType) {
		return invalid("The revision type %s cannot be used for the source action '%s'. Valid types are %v", o.RevisionType, name, valid)
	}
	if aws.ToString(o.RevisionValue) == "" {
		return constraint("", "sourceRevisions.revisionValue", "Member must have length greater than or equal to 1")
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
	e := t.newExecution(trigger, detail)
	e.Overrides, e.Variables = overrides, variables
	if variables == nil {
		e.Variables = t.variables(nil)
	}
	t.wait(e)
	return e
}

func (t *turn) newExecution(trigger types.TriggerType, detail string) *execution {
	t.pipe.Executions++
	e := &execution{
		ID: t.s.host.NewID(), Number: t.pipe.Executions, Version: t.pipe.Version, Mode: t.plan.mode,
		Status: types.PipelineExecutionStatusInProgress, Trigger: trigger, Detail: detail,
		Started: t.now, Updated: t.now, Attempt: 1,
	}
	t.executions[e.Number] = e
	t.births = append(t.births, e)
	t.pipe.Active = append(t.pipe.Active, e.Number)
	t.tellPipeline(e, "STARTED")
	return e
}
