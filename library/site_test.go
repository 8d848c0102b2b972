package library_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/cloudtest/tool"
	"ouro/library"
)

const siteTemplate = `
Parameters: {Greeting: {Type: String}}
Resources:
  Log: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 1}}
Outputs: {Greeting: {Value: !Ref Greeting}}
`

const publishing = `
version: 0.2
phases: {build: {commands: [mkdir -p out, cp site.yaml out/site.json]}}
artifacts: {files: [out/site.json]}
`

// site is the pipeline site with its source, which goes from dev to prod.
type site struct {
	*account
	repos     *codecommit.Client
	pipelines *codepipeline.Client
	settings  values // of the pipeline
	tip       *string
	known     map[string]bool // failures that were expected
}

func newSite(t *testing.T) *site {
	t.Helper()
	tool.Find(t, "aws")
	a := newAccount(t)
	s := &site{account: a, repos: codecommit.NewFromConfig(a.config), pipelines: codepipeline.NewFromConfig(a.config), known: map[string]bool{}, settings: values{
		"ProjectName": "site", "SourceProvider": "CodeCommit", "SourceRepository": "site", "BuildSpec": publishing,
		"PipelineTemplateConfigurationPath": "pipeline.json", "SiteConfigurationPath": "dev.json",
		"SecondEnvironment": "prod", "SecondConfigurationPath": "prod.json",
		"DeployPolicyArns": "arn:aws:iam::aws:policy/CloudWatchLogsFullAccess",
	}}
	body, err := library.Open("pipeline/pipeline.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.repos.CreateRepository(t.Context(), &codecommit.CreateRepositoryInput{RepositoryName: aws.String("site")}); err != nil {
		t.Fatal(err)
	}
	s.push(t, values{
		"pipeline.yaml": string(body.Body), "pipeline.json": configuration(s.settings), "site.yaml": siteTemplate,
		"dev.json": configuration(values{"Greeting": "hello dev"}), "prod.json": configuration(values{"Greeting": "hello prod"}),
	})
	a.deploy(t, "site-Pipeline", "pipeline/pipeline.yaml", s.settings)
	return s
}

// configuration is a template configuration with these parameters.
func configuration(parameters values) string {
	body, _ := json.Marshal(map[string]values{"Parameters": parameters}) // texts only
	return string(body)
}

// push commits files to the branch.
func (s *site) push(t *testing.T, files values) {
	t.Helper()
	commit := &codecommit.CreateCommitInput{RepositoryName: aws.String("site"), BranchName: aws.String("main"), ParentCommitId: s.tip}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		commit.PutFiles = append(commit.PutFiles, cctypes.PutFileEntry{FilePath: aws.String(name), FileContent: []byte(files[name])})
	}
	out, err := s.repos.CreateCommit(t.Context(), commit)
	if err != nil {
		t.Fatal(err)
	}
	s.tip = out.CommitId
}

// ended waits for an action of prod to end, or to begin to wait, in the
// execution of the newest commit.
func (s *site) ended(t *testing.T, action string, want types.ActionExecutionStatus) types.ActionExecutionDetail {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(2 * time.Minute)
	for {
		actions := s.newest(t)
		for _, a := range actions {
			switch {
			case s.known[*a.ActionExecutionId]:
			case *a.StageName == "prod" && *a.ActionName == action && a.Status == want:
				s.known[*a.ActionExecutionId] = want == types.ActionExecutionStatusFailed
				return a
			case a.Status == types.ActionExecutionStatusFailed:
				t.Fatalf("%s of %s failed: %s", *a.ActionName, *a.StageName, message(a))
			}
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s of prod is not %s: %v", action, want, actions)
		}
	}
}

// newest are the actions of the newest execution, if it is of the newest commit.
func (s *site) newest(t *testing.T) []types.ActionExecutionDetail {
	t.Helper()
	runs, err := s.pipelines.ListPipelineExecutions(t.Context(), &codepipeline.ListPipelineExecutionsInput{PipelineName: aws.String("site")})
	if err != nil {
		t.Fatal(err)
	}
	if len(runs.PipelineExecutionSummaries) == 0 {
		return nil
	}
	run := runs.PipelineExecutionSummaries[0]
	if len(run.SourceRevisions) == 0 || aws.ToString(run.SourceRevisions[0].RevisionId) != *s.tip {
		return nil
	}
	out, err := s.pipelines.ListActionExecutions(t.Context(), &codepipeline.ListActionExecutionsInput{
		PipelineName: aws.String("site"), Filter: &types.ActionExecutionFilter{PipelineExecutionId: run.PipelineExecutionId},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.ActionExecutionDetails
}

func message(a types.ActionExecutionDetail) string {
	if a.Output == nil || a.Output.ExecutionResult == nil || a.Output.ExecutionResult.ErrorDetails == nil {
		return ""
	}
	return aws.ToString(a.Output.ExecutionResult.ErrorDetails.Message)
}

// answer approves or rejects what waits in prod.
func (s *site) answer(t *testing.T, status types.ApprovalStatus) {
	t.Helper()
	out, err := s.pipelines.GetPipelineState(t.Context(), &codepipeline.GetPipelineStateInput{Name: aws.String("site")})
	if err != nil {
		t.Fatal(err)
	}
	in := &codepipeline.PutApprovalResultInput{
		PipelineName: aws.String("site"), StageName: aws.String("prod"), ActionName: aws.String("Approve"),
		Result: &types.ApprovalResult{Status: status, Summary: aws.String("looked at")},
	}
	for _, stage := range out.StageStates {
		for _, action := range stage.ActionStates {
			if *action.ActionName == "Approve" && action.LatestExecution != nil {
				in.Token = action.LatestExecution.Token
			}
		}
	}
	if _, err := s.pipelines.PutApprovalResult(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// promote waits for the approval, approves, and waits for the deployment.
func (s *site) promote(t *testing.T) {
	t.Helper()
	s.ended(t, "Approve", types.ActionExecutionStatusInProgress)
	s.answer(t, types.ApprovalStatusApproved)
	s.ended(t, "Deploy", types.ActionExecutionStatusSucceeded)
}

func (s *site) stack(t *testing.T, name string) cftypes.Stack {
	t.Helper()
	out, err := s.cfn.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return out.Stacks[0]
}

func (s *site) greets(t *testing.T, stack, want string) {
	t.Helper()
	if got := aws.ToString(s.stack(t, stack).Outputs[0].OutputValue); got != want {
		t.Errorf("%s says %q, want %q", stack, got, want)
	}
}

func (s *site) version(t *testing.T) int32 {
	t.Helper()
	out, err := s.pipelines.GetPipeline(t.Context(), &codepipeline.GetPipelineInput{Name: aws.String("site")})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToInt32(out.Pipeline.Version)
}
