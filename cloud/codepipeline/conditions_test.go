package codepipeline_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/google/go-cmp/cmp"
)

// rule is a rule of a condition; in names its input artifact, if it has one.
func rule(name, provider, in string, configuration map[string]string) types.RuleDeclaration {
	r := types.RuleDeclaration{Name: &name, Configuration: configuration, RuleTypeId: &types.RuleTypeId{
		Category: types.RuleCategoryRule, Owner: types.RuleOwnerAws, Provider: &provider, Version: aws.String("1"),
	}}
	if in != "" {
		r.InputArtifacts = []types.InputArtifact{{Name: &in}}
	}
	return r
}

// envIs holds if the pipeline's variable Env has the value.
func envIs(value string) types.RuleDeclaration {
	return rule("Env", "VariableCheck", "", map[string]string{"Variable": "#{variables.Env}", "Operator": "EQ", "Value": value})
}

func on(result types.Result, rules ...types.RuleDeclaration) []types.Condition {
	return []types.Condition{{Result: result, Rules: rules}}
}

// createV2 makes a pipeline of type V2 with the variable Env, "dev" by default.
func (w *world) createV2(mode types.ExecutionMode, stages ...types.StageDeclaration) {
	w.t.Helper()
	def := definition(stages...)
	def.PipelineType, def.ExecutionMode = types.PipelineTypeV2, mode
	def.Variables = []types.PipelineVariableDeclaration{{Name: aws.String("Env"), DefaultValue: aws.String("dev")}}
	must[*api.CreatePipelineOutput](w.t)(w.client.CreatePipeline(w.t.Context(), &api.CreatePipelineInput{Pipeline: def}))
}

func (w *world) startWith(env string) string {
	w.t.Helper()
	return *must[*api.StartPipelineExecutionOutput](w.t)(w.client.StartPipelineExecution(w.t.Context(), &api.StartPipelineExecutionInput{
		Name: aws.String("p"), Variables: []types.PipelineVariable{{Name: aws.String("Env"), Value: &env}},
	})).PipelineExecutionId
}

func (w *world) stage(name string) types.StageState {
	w.t.Helper()
	out := must[*api.GetPipelineStateOutput](w.t)(w.client.GetPipelineState(w.t.Context(), &api.GetPipelineStateInput{Name: aws.String("p")}))
	for _, st := range out.StageStates {
		if *st.StageName == name {
			return st
		}
	}
	w.t.Fatalf("no stage %q", name)
	return types.StageState{}
}

func (w *world) override(id, stage string, at types.ConditionType) error {
	_, err := w.client.OverrideStageCondition(w.t.Context(), &api.OverrideStageConditionInput{
		PipelineName: aws.String("p"), StageName: &stage, PipelineExecutionId: &id, ConditionType: at,
	})
	return err
}

func (w *world) retry(id, stage string, mode types.StageRetryMode) error {
	_, err := w.client.RetryStageExecution(w.t.Context(), &api.RetryStageExecutionInput{
		PipelineName: aws.String("p"), PipelineExecutionId: &id, StageName: &stage, RetryMode: mode,
	})
	return err
}

// A condition keeps executions out, skips the stage, or is overridden.
func TestEntryConditions(t *testing.T) {
	t.Parallel()
	for result, want := range map[types.Result]string{
		types.ResultFail: "Source Succeeded: Source=Succeeded\nBuild Failed:\nLast:\n",
		types.ResultSkip: "Source Succeeded: Source=Succeeded\nBuild Skipped:\nLast Succeeded: L=Succeeded\n",
	} {
		t.Run(string(result), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			gated := stage("Build", build("B", "quick"))
			gated.BeforeEntry = &types.BeforeEntryConditions{Conditions: on(result, envIs("prod"))}
			w.createV2("", gated, stage("Last", build("L", "quick")))
			id := w.first()
			if result == types.ResultSkip {
				w.reaches(id, types.PipelineExecutionStatusSucceeded)
			} else {
				w.reaches(id, types.PipelineExecutionStatusFailed)
			}
			if diff := cmp.Diff(want, w.picture()); diff != "" {
				t.Error(diff)
			}
			state := w.stage("Build").BeforeEntryConditionState
			if state.LatestExecution.Status != types.ConditionExecutionStatusFailed || *state.LatestExecution.Summary != `The rule Env failed: the variable is "dev", so EQ "prod" does not hold` {
				t.Errorf("condition: %s %s", state.LatestExecution.Status, aws.ToString(state.LatestExecution.Summary))
			}
			if r := state.ConditionStates[0].RuleStates[0]; *r.RuleName != "Env" || r.LatestExecution.Status != types.RuleExecutionStatusFailed {
				t.Errorf("rule: %+v", r)
			}
			if result == types.ResultSkip {
				if err := w.override(id, "Build", types.ConditionTypeBeforeEntry); code(err) != "ConditionNotOverridableException" {
					t.Errorf("overriding a stage that was skipped: %v", err)
				}
				return
			}
			if err := w.override(id, "Build", types.ConditionTypeOnSuccess); code(err) != "ConditionNotOverridableException" {
				t.Errorf("overriding what the stage does not have: %v", err)
			}
			if err := w.override(id, "Build", types.ConditionTypeBeforeEntry); err != nil {
				t.Fatal(err)
			}
			w.reaches(id, types.PipelineExecutionStatusSucceeded)
			if s := w.stage("Build").BeforeEntryConditionState.LatestExecution.Status; s != types.ConditionExecutionStatusOverridden {
				t.Errorf("after the override: %s", s)
			}
			if err := w.override(id, "Build", types.ConditionTypeBeforeEntry); code(err) != "ConditionNotOverridableException" {
				t.Errorf("twice: %v", err)
			}
			prod := w.startWith("prod")
			w.reaches(prod, types.PipelineExecutionStatusSucceeded)
			if err := w.override(id, "Build", types.ConditionTypeBeforeEntry); code(err) != "NotLatestPipelineExecutionException" {
				t.Errorf("an older execution: %v", err)
			}
			w.ruleHistory(prod, id)
		})
	}
}

// ruleHistory checks the history of one rule in two executions.
func (w *world) ruleHistory(want ...string) {
	w.t.Helper()
	var got []string
	var token *string
	for {
		page := must[*api.ListRuleExecutionsOutput](w.t)(w.client.ListRuleExecutions(w.t.Context(), &api.ListRuleExecutionsInput{
			PipelineName: aws.String("p"), MaxResults: aws.Int32(1), NextToken: token,
		}))
		for _, d := range page.RuleExecutionDetails {
			got = append(got, *d.PipelineExecutionId)
			if v := d.Input.ResolvedConfiguration["Variable"]; v != "dev" && v != "prod" {
				w.t.Errorf("resolved to %q", v)
			}
		}
		if token = page.NextToken; token == nil {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Error(diff)
	}
	for _, d := range must[*api.ListActionExecutionsOutput](w.t)(w.client.ListActionExecutions(w.t.Context(), &api.ListActionExecutionsInput{PipelineName: aws.String("p")})).ActionExecutionDetails {
		if *d.ActionName == "Env" {
			w.t.Error("a rule is among the actions")
		}
	}
}

// Rules run builds, in parallel, and are waited for; an execution that waits
// for them can be stopped, and be let on.
func TestRulesRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	checked := stage("Build", build("B", "quick"))
	checked.OnSuccess = &types.SuccessConditions{Conditions: on(types.ResultFail,
		rule("Test", "CodeBuild", "App", map[string]string{"ProjectName": "slow"}),
		rule("Look", "VariableCheck", "", map[string]string{"Variable": "#{variables.Env}", "Operator": "MATCHES", "Value": "(?!prod)[a-z]+"}),
		rule("Window", "DeploymentWindow", "", map[string]string{"Cron": "* * * * * ? *", "TimeZone": "Europe/Berlin"}))}
	w.createV2("", checked, stage("Last", build("L", "quick")))
	id := w.first()
	w.building(2)
	rules := w.stage("Build").OnSuccessConditionState
	if rules.LatestExecution.Status != types.ConditionExecutionStatusInProgress {
		t.Errorf("while the build runs: %s", rules.LatestExecution.Status)
	}
	w.builds.finish("slow:2", cbtypes.StatusTypeFailed)
	w.reaches(id, types.PipelineExecutionStatusFailed)
	if want := "Build Failed: B=Succeeded\n"; !strings.Contains(w.picture(), want) {
		t.Errorf("got\n%s", w.picture())
	}
	if err := w.retry(id, "Build", types.StageRetryModeFailedActions); err != nil {
		t.Fatal(err)
	}
	w.building(3) // the rule alone
	w.builds.finish("slow:3", cbtypes.StatusTypeSucceeded)
	w.reaches(id, types.PipelineExecutionStatusSucceeded)

	id = w.start()
	w.building(6)
	if err := w.override(id, "Build", types.ConditionTypeOnSuccess); err != nil {
		t.Fatal(err)
	}
	w.reaches(id, types.PipelineExecutionStatusSucceeded)

	id = w.start()
	w.building(9)
	w.close()
	w.open() // the build is followed on
	must[*api.StopPipelineExecutionOutput](t)(w.client.StopPipelineExecution(t.Context(), &api.StopPipelineExecutionInput{
		PipelineName: aws.String("p"), PipelineExecutionId: &id, Abandon: true,
	}))
	w.reaches(id, types.PipelineExecutionStatusStopped)
	if s := w.stage("Build").OnSuccessConditionState.LatestExecution.Status; s != types.ConditionExecutionStatusAbandoned {
		t.Errorf("after the stop: %s", s)
	}
}

// A rule that cannot be evaluated does not let an execution through, and says
// why.
func TestRulesThatCannotBeEvaluated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gated := stage("Build", build("B", "quick"))
	gated.BeforeEntry = &types.BeforeEntryConditions{Conditions: on(types.ResultFail,
		rule("Alarm", "CloudWatchAlarm", "", map[string]string{"AlarmName": "cpu", "AlarmStates": "RED"}),
		rule("Zone", "DeploymentWindow", "", map[string]string{"Cron": "* * * * * ?", "TimeZone": "Moon/Crater"}),
		rule("Cron", "DeploymentWindow", "", map[string]string{"Cron": "* * 25 * * ?"}),
		rule("Match", "VariableCheck", "", map[string]string{"Variable": "#{variables.Env}", "Operator": "MATCHES", "Value": "[a-z&&[^b]]+"}),
		rule("Operator", "VariableCheck", "", map[string]string{"Variable": "#{variables.Env}", "Operator": "GT", "Value": "1"}))}
	w.createV2("", gated)
	w.reaches(w.first(), types.PipelineExecutionStatusFailed)
	state := w.stage("Build").BeforeEntryConditionState
	if state.LatestExecution.Status != types.ConditionExecutionStatusErrored {
		t.Errorf("condition: %s", state.LatestExecution.Status)
	}
	want := map[string]string{
		"Alarm":    `the state "RED" in AlarmStates is none of [OK ALARM INSUFFICIENT_DATA]`,
		"Zone":     `the time zone "Moon/Crater" is not known`,
		"Cron":     `the cron expression "* * 25 * * ?": the field "25": "25" is no number from 0 to 23`,
		"Match":    `the value "[a-z&&[^b]]+" is no regular expression that the local cloud can match`,
		"Operator": `the operator "GT" is none of CONTAINS, EQ, MATCHES, NE`,
	}
	for _, r := range state.ConditionStates[0].RuleStates {
		if got := *r.LatestExecution.ErrorDetails.Message; !strings.HasPrefix(got, want[*r.RuleName]) {
			t.Errorf("%s: %s", *r.RuleName, got)
		}
	}
}

// alarms stands where CloudWatch is, with one alarm.
type alarms struct {
	mu    sync.Mutex
	state cwtypes.StateValue
}

func (a *alarms) set(to cwtypes.StateValue) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.state = to
}

func (a *alarms) DescribeAlarms(_ context.Context, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if in.AlarmNames[0] != "cpu" {
		return nil, nil
	}
	return &cloudwatch.DescribeAlarmsOutput{MetricAlarms: []cwtypes.MetricAlarm{{AlarmName: aws.String("cpu"), AlarmArn: aws.String("arn:aws:cloudwatch:us-east-1:000000000000:alarm:cpu"), StateValue: a.state}}}, nil
}

// An alarm keeps an execution out, at once or when its wait is over, and lets it
// in when it ends.
func TestAlarmRule(t *testing.T) {
	t.Parallel()
	w, cpu := newWorld(t), &alarms{state: cwtypes.StateValueAlarm}
	w.close()
	w.more = map[string]any{"cloudwatch": cpu}
	w.open()
	gated := stage("Build", build("B", "quick"))
	gate := func(configuration map[string]string) {
		gated.BeforeEntry = &types.BeforeEntryConditions{Conditions: on(types.ResultFail, rule("Alarm", "CloudWatchAlarm", "", configuration))}
	}
	gate(map[string]string{"AlarmName": "cpu"})
	w.createV2("", gated)
	said := func() string {
		return *w.stage("Build").BeforeEntryConditionState.ConditionStates[0].RuleStates[0].LatestExecution.ErrorDetails.Message
	}
	w.reaches(w.first(), types.PipelineExecutionStatusFailed)
	if got := said(); got != `the alarm "cpu" is in the state ALARM` {
		t.Errorf("it says %s", got)
	}
	change := func(configuration map[string]string) {
		t.Helper()
		gate(configuration)
		out, err := w.client.GetPipeline(t.Context(), &api.GetPipelineInput{Name: aws.String("p")})
		if err == nil {
			out.Pipeline.Stages[len(out.Pipeline.Stages)-1].BeforeEntry = gated.BeforeEntry
			_, err = w.client.UpdatePipeline(t.Context(), &api.UpdatePipelineInput{Pipeline: out.Pipeline})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	change(map[string]string{"AlarmName": "cpu", "WaitTime": "60"})
	id := w.start()
	w.until("the rule waits", func() bool {
		c := w.stage("Build").BeforeEntryConditionState
		return c.LatestExecution != nil && c.LatestExecution.Status == types.ConditionExecutionStatusInProgress
	})
	cpu.set(cwtypes.StateValueInsufficientData)
	w.reaches(id, types.PipelineExecutionStatusSucceeded)
	change(map[string]string{"AlarmName": "cpu", "AlarmStates": "ALARM, INSUFFICIENT_DATA"})
	w.reaches(w.start(), types.PipelineExecutionStatusFailed)
	change(map[string]string{"AlarmName": "gpu"})
	w.reaches(w.start(), types.PipelineExecutionStatusFailed)
	if got := said(); got != `there is no alarm called "gpu"` {
		t.Errorf("it says %s", got)
	}
}

// A deployment window is waited for, also by the process after the one that
// died, unless somebody lets the execution in.
func TestDeploymentWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	next := time.Now().AddDate(1, 0, 0)
	gated := stage("Build", build("B", "quick"))
	gated.BeforeEntry = &types.BeforeEntryConditions{Conditions: on(types.ResultFail, rule("Window", "DeploymentWindow", "", map[string]string{
		"Cron": fmt.Sprintf("* * * * * ? %d", next.Year())}))}
	w.createV2("", gated)
	waits := func() {
		t.Helper()
		w.until("the rule waits", func() bool {
			c := w.stage("Build").BeforeEntryConditionState
			return c.LatestExecution != nil && c.LatestExecution.Status == types.ConditionExecutionStatusInProgress && c.ConditionStates[0].RuleStates[0].LatestExecution != nil
		})
	}
	waits()
	if err := w.override(w.first(), "Build", types.ConditionTypeBeforeEntry); err != nil {
		t.Fatal(err)
	}
	w.reaches(w.first(), types.PipelineExecutionStatusSucceeded)
	id := w.start()
	waits()
	w.close()
	w.now = func() time.Time { return next }
	w.open()
	w.reaches(id, types.PipelineExecutionStatusSucceeded)
}

// A stage that fails is retried once by itself, and rolled back when that fails,
// too, and the condition says so.
func TestFailureConditions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	deploy := stage("Deploy", build("One", "quick"), build("Two", "slow"))
	deploy.OnFailure = &types.FailureConditions{
		RetryConfiguration: &types.RetryConfiguration{RetryMode: types.StageRetryModeFailedActions},
		Conditions:         on(types.ResultRollback, envIs("prod")),
	}
	w.createV2("", deploy, stage("Last", build("L", "quick")))
	good := w.first()
	w.building(2)
	w.finish("slow", cbtypes.StatusTypeSucceeded)
	w.reaches(good, types.PipelineExecutionStatusSucceeded)
	w.building(3)

	w.repos.push("c2", nil)
	bad := w.start()
	w.building(5)
	w.finish("slow", cbtypes.StatusTypeFailed)
	w.building(6) // Two alone
	if r := w.stage("Deploy").RetryStageMetadata; r.LatestRetryTrigger != types.RetryTriggerAutomatedStageRetry || *r.AutoStageRetryAttempt != 1 || r.ManualStageRetryAttempt != nil {
		t.Errorf("retries: %+v", r)
	}
	w.finish("slow", cbtypes.StatusTypeFailed)
	w.reaches(bad, types.PipelineExecutionStatusFailed)
	w.building(8) // the rollback
	w.finish("slow", cbtypes.StatusTypeSucceeded)
	back := *w.stage("Deploy").LatestExecution.PipelineExecutionId
	w.reaches(back, types.PipelineExecutionStatusSucceeded)
	e := w.execution(back)
	if e.ExecutionType != types.ExecutionTypeRollback || *e.RollbackMetadata.RollbackTargetPipelineExecutionId != good || e.Trigger.TriggerType != types.TriggerTypeAutomatedRollback {
		t.Errorf("the rollback: %+v", e)
	}
	if rev := e.ArtifactRevisions; len(rev) != 1 || *rev[0].RevisionId != "c1" {
		t.Errorf("it deployed %+v", rev)
	}
	if latest := *w.stage("Last").LatestExecution.PipelineExecutionId; latest != good {
		t.Errorf("it went on after its stage")
	}

	prod := w.startWith("prod")
	w.building(10)
	w.finish("slow", cbtypes.StatusTypeFailed)
	w.building(11)
	w.finish("slow", cbtypes.StatusTypeFailed)
	w.reaches(prod, types.PipelineExecutionStatusFailed)
	if st := w.stage("Deploy"); *st.LatestExecution.PipelineExecutionId != prod || st.OnFailureConditionState.LatestExecution.Status != types.ConditionExecutionStatusSucceeded {
		t.Errorf("a condition that is met was followed by %s", *st.LatestExecution.PipelineExecutionId)
	}
	if err := w.retry(prod, "Deploy", types.StageRetryModeAllActions); err != nil {
		t.Fatal(err)
	}
	w.building(13)
	w.finish("slow", cbtypes.StatusTypeSucceeded)
	w.reaches(prod, types.PipelineExecutionStatusSucceeded)
	if r := w.stage("Deploy").RetryStageMetadata; *r.ManualStageRetryAttempt != 1 || *r.AutoStageRetryAttempt != 1 || r.LatestRetryTrigger != types.RetryTriggerManualStageRetry {
		t.Errorf("retries: %+v", r)
	}
}

// finish ends the newest build of the project.
func (w *world) finish(project string, status cbtypes.StatusType) {
	w.t.Helper()
	w.builds.mu.Lock()
	defer w.builds.mu.Unlock()
	for i := len(w.builds.starts); i > 0; i-- {
		if *w.builds.starts[i-1].ProjectName == project {
			w.builds.end(*w.builds.byID[w.builds.tokens[*w.builds.starts[i-1].IdempotencyToken]].Id, status)
			return
		}
	}
	w.t.Fatalf("no build of %s", project)
}

func TestRollbackByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.createV2("", stage("Build", build("B", "quick")), stage("Last", build("L", "quick")))
	first := w.first()
	w.reaches(first, types.PipelineExecutionStatusSucceeded)
	w.repos.push("c2", nil)
	w.reaches(w.start(), types.PipelineExecutionStatusSucceeded)
	roll := func(stage, target string) (string, error) {
		out, err := w.client.RollbackStage(t.Context(), &api.RollbackStageInput{PipelineName: aws.String("p"), StageName: &stage, TargetPipelineExecutionId: &target})
		if err != nil {
			return "", err
		}
		return *out.PipelineExecutionId, nil
	}
	back := must[string](t)(roll("Last", first))
	w.reaches(back, types.PipelineExecutionStatusSucceeded)
	if e := w.execution(back); *e.ArtifactRevisions[0].RevisionId != "c1" || e.Trigger.TriggerType != types.TriggerTypeManualRollback {
		t.Errorf("the rollback: %+v", e)
	}
	for _, test := range []struct{ stage, target, want string }{
		{"Nowhere", first, "StageNotFoundException"},
		{"Last", "00000000-0000-0000-0000-000000000000", "PipelineExecutionNotFoundException"},
		{"Source", first, "UnableToRollbackStageException"},
		{"Last", back, "UnableToRollbackStageException"},
	} {
		if _, err := roll(test.stage, test.target); code(err) != test.want {
			t.Errorf("rolling %s back: %v", test.stage, err)
		}
	}
	succeeded := must[*api.ListPipelineExecutionsOutput](t)(w.client.ListPipelineExecutions(t.Context(), &api.ListPipelineExecutionsInput{
		PipelineName: aws.String("p"), Filter: &types.PipelineExecutionFilter{SucceededInStage: &types.SucceededInStageFilter{StageName: aws.String("Build")}},
	}))
	if n := len(succeeded.PipelineExecutionSummaries); n != 2 {
		t.Errorf("%d executions succeeded in Build", n)
	}
	def := definition(stage("Build", build("B", "quick")), stage("Last", build("L", "quick"), build("More", "quick")))
	def.PipelineType = types.PipelineTypeV2
	must[*api.UpdatePipelineOutput](t)(w.client.UpdatePipeline(t.Context(), &api.UpdatePipelineInput{Pipeline: def}))
	if _, err := roll("Last", first); code(err) != "PipelineExecutionOutdatedException" {
		t.Errorf("after an update: %v", err)
	}
}

func TestConditionsAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	entry := func(c ...types.Condition) func(*types.PipelineDeclaration) {
		return func(d *types.PipelineDeclaration) {
			d.Stages[1].BeforeEntry = &types.BeforeEntryConditions{Conditions: c}
		}
	}
	for name, test := range map[string]struct {
		spoil func(*types.PipelineDeclaration)
		want  string
	}{
		"two": {entry(append(on(types.ResultFail, envIs("a")), on(types.ResultFail, envIs("b"))...)...), "Member must have length equal to 1"},
		"result": {entry(on(types.ResultRollback, envIs("a"))...),
			"The result ROLLBACK cannot be used for beforeEntry in stage 'Build'. Valid results are [FAIL SKIP]"},
		"rules": {entry(on(types.ResultFail)...), "The beforeEntry condition of stage 'Build' has 0 rules"},
		"skip":  {entry(on(types.ResultSkip, rule("W", "DeploymentWindow", "", map[string]string{"Cron": "* * * * * ?"}))...), "cannot be used in a condition with the result SKIP"},
		"twice": {entry(on(types.ResultFail, envIs("a"), envIs("b"))...), "Rule name 'Env' is used more than once in stage 'Build'"},
		"kind":  {entry(on(types.ResultFail, rule("R", "Oracle", "", nil))...), "RuleType (Category: 'Rule', Provider: 'Oracle'"},
		"configuration": {entry(on(types.ResultFail, rule("R", "VariableCheck", "", map[string]string{"Value": "a", "Variable": "b"}))...),
			"Rule configuration for rule 'R' is missing required configuration 'Operator'"},
		"artifact": {entry(on(types.ResultFail, rule("R", "CodeBuild", "Built", map[string]string{"ProjectName": "x"}))...),
			"Input Artifact Bundle Built in rule R is not declared"},
		"namespace": {entry(on(types.ResultFail, rule("R", "VariableCheck", "", map[string]string{"Value": "a", "Variable": "#{No.Name}", "Operator": "EQ"}))...),
			"The following pipeline execution variables are referencing a namespace that does not exist. StageName=[Build], ActionName=[R], ActionConfigurationKey=[Variable], VariableReferenceText=[No.Name]"},
		"rollback in parallel": {func(d *types.PipelineDeclaration) {
			d.ExecutionMode = types.ExecutionModeParallel
			d.Stages[1].OnFailure = &types.FailureConditions{Result: types.ResultRollback}
		}, "stage rollback is not available for pipelines in PARALLEL mode"},
		"rollback of the source": {func(d *types.PipelineDeclaration) {
			d.Stages[0].OnFailure = &types.FailureConditions{Result: types.ResultRollback}
		}, "a source stage cannot be rolled back"},
	} {
		def := definition(stage("Build", build("B", "quick", out("Built"))))
		def.PipelineType = types.PipelineTypeV2
		def.Variables = []types.PipelineVariableDeclaration{{Name: aws.String("Env"), DefaultValue: aws.String("dev")}}
		test.spoil(def)
		if _, err := w.client.CreatePipeline(t.Context(), &api.CreatePipelineInput{Pipeline: def}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	kinds := must[*api.ListRuleTypesOutput](t)(w.client.ListRuleTypes(t.Context(), &api.ListRuleTypesInput{})).RuleTypes
	if len(kinds) != 6 || *kinds[3].Id.Provider != "DeploymentWindow" {
		t.Errorf("rule types %+v", kinds)
	}
}
