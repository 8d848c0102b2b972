package codepipeline_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// pushRule starts the pipeline of selfTemplate on every push.
const pushRule = `
  Push:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.codecommit], detail-type: [CodeCommit Repository State Change], detail: {referenceName: [main]}}
      Targets: [{Id: p, Arn: !Sub 'arn:aws:codepipeline:${AWS::Region}:${AWS::AccountId}:p', RoleArn: !GetAtt Role.Arn}]
`

// A condition that a template declares.
const (
	entryVariable = `      Name: p
      PipelineType: V2
      Variables: [{Name: Update, DefaultValue: always}]
`
	entryCondition = `          BeforeEntry:
            Conditions:
              - Result: SKIP
                Rules:
                  - Name: Wanted
                    RuleTypeId: {Category: Rule, Owner: AWS, Provider: VariableCheck, Version: '1'}
                    Configuration: {Variable: '#{variables.Update}', Operator: EQ, Value: always}
`
)

// selfVersion is the template of a pipeline that is started by pushes, and
// differs from all others by n.
func selfVersion(n int) string {
	text := fmt.Sprintf(selfTemplate, pushRule)
	text = strings.Replace(text, "BranchName: main", "BranchName: main, PollForSourceChanges: 'false'", 1)
	text = strings.Replace(text, "      Name: p\n", entryVariable, 1)
	text = strings.Replace(text, "        - Name: SelfUpdate\n          Actions:", "        - Name: SelfUpdate\n"+entryCondition+"          Actions:", 1)
	return strings.Replace(text, "OutputArtifacts: [{Name: App}]", fmt.Sprintf("OutputArtifacts: [{Name: App}]\n              Namespace: V%d", n), 1)
}

// namespace is what the pipeline in force is told apart by, and its version.
func (s *selfUpdater) namespace() (string, int) {
	s.t.Helper()
	p := must[*api.GetPipelineOutput](s.t)(s.client.GetPipeline(s.t.Context(), &api.GetPipelineInput{Name: aws.String("p")})).Pipeline
	return aws.ToString(p.Stages[0].Actions[0].Namespace), int(*p.Version)
}

// tally counts the executions by trigger; running tells whether some have not
// ended.
func (s *selfUpdater) tally() (by map[types.TriggerType]int, running bool) {
	s.t.Helper()
	by = map[types.TriggerType]int{}
	ids := map[string]bool{}
	pages := api.NewListPipelineExecutionsPaginator(s.client, &api.ListPipelineExecutionsInput{PipelineName: aws.String("p")})
	for pages.HasMorePages() {
		for _, e := range must[*api.ListPipelineExecutionsOutput](s.t)(pages.NextPage(s.t.Context())).PipelineExecutionSummaries {
			if ids[*e.PipelineExecutionId] {
				continue // told by two pages, for one began meanwhile
			}
			ids[*e.PipelineExecutionId] = true
			by[e.Trigger.TriggerType]++
			running = running || e.Status == types.PipelineExecutionStatusInProgress
		}
	}
	return by, running
}

// Every push starts the pipeline once, and every change of the pipeline by
// itself starts it once more, whether pushes wait for each other or not.
// OURO_TEST_PUSHES is how many of both there are.
func TestSelfUpdateUnderPushes(t *testing.T) {
	t.Parallel()
	pushes := must[int](t)(strconv.Atoi(cmp.Or(os.Getenv("OURO_TEST_PUSHES"), "3")))
	s := newSelfUpdaterOf(t, selfVersion(0))
	s.patience = time.Minute + time.Duration(pushes)*time.Second
	s.settles(1)
	settled := func(n int) {
		t.Helper()
		s.until(fmt.Sprintf("push %d is in force", n), func() bool {
			ns, version := s.namespace()
			if ns != fmt.Sprint("V", n) {
				return false
			}
			by, running := s.tally()
			return !running && by[types.TriggerTypeCloudWatchEvent] >= n && by[types.TriggerTypeStartPipelineExecution] >= version-1
		})
		by, _ := s.tally()
		_, version := s.namespace()
		if by[types.TriggerTypeCloudWatchEvent] != n || by[types.TriggerTypeStartPipelineExecution] != version-1 {
			t.Fatalf("after %d pushes the pipeline has version %d, and there were the executions %v\n%s", n, version, by, s.reasons())
		}
	}
	began := time.Now()
	for n := 1; n <= pushes; n++ {
		s.push(map[string]string{"pipeline.yaml": selfVersion(n)})
		settled(n)
		if _, version := s.namespace(); version != n+1 {
			t.Fatalf("push %d: version %d", n, version)
		}
	}
	waited := time.Since(began)
	began = time.Now()
	for n := pushes + 1; n <= 2*pushes; n++ {
		s.push(map[string]string{"pipeline.yaml": selfVersion(n)})
	}
	settled(2 * pushes)
	if c := s.stage("SelfUpdate").BeforeEntryConditionState; c == nil || c.LatestExecution.Status != types.ConditionExecutionStatusSucceeded {
		t.Errorf("the condition of the template: %+v", c)
	}
	t.Logf("%d pushes one after the other took %s, as many at once %s", pushes, waited, time.Since(began))
}

// Fifty pipelines run at once, and none keeps another waiting.
func TestFiftyPipelines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const pipelines, stages = 50, 3
	began := time.Now()
	var names []string
	for n := range pipelines {
		var list []types.StageDeclaration
		for i := range stages {
			list = append(list, stage(fmt.Sprint("S", i), build("One", "quick"), build("Two", "quick")))
		}
		def := definition(list...)
		def.Name = aws.String(fmt.Sprint("p", n))
		names = append(names, *def.Name)
		must[*api.CreatePipelineOutput](t)(w.client.CreatePipeline(t.Context(), &api.CreatePipelineInput{Pipeline: def}))
	}
	created := time.Since(began)
	w.until("all have run", func() bool {
		names = slices.DeleteFunc(names, func(name string) bool {
			list := must[*api.ListPipelineExecutionsOutput](t)(w.client.ListPipelineExecutions(t.Context(), &api.ListPipelineExecutionsInput{PipelineName: &name})).PipelineExecutionSummaries
			return len(list) == 1 && list[0].Status == types.PipelineExecutionStatusSucceeded
		})
		return len(names) == 0
	})
	took := time.Since(began)
	if n := len(w.builds.starts); n != pipelines*stages*2 {
		t.Errorf("%d builds ran", n)
	}
	t.Logf("%d pipelines with %d actions each: created in %s, done in %s, %s an action", pipelines, 2*stages+1, created, took, took/(pipelines*(2*stages+1)))
}
