package codepipeline_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/google/go-cmp/cmp"

	"ouro/cloud/cloudtest"
)

// selfTemplate is a pipeline that updates itself by its second stage. %s is
// room for more stages.
const selfTemplate = `
Resources:
  Artifacts: {Type: AWS::S3::Bucket}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: [codepipeline.amazonaws.com, cloudformation.amazonaws.com, events.amazonaws.com]}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: everything
          PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: '*', Resource: '*'}]}
  Repository: {Type: AWS::CodeCommit::Repository, Properties: {RepositoryName: site}}
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Name: p
      RoleArn: !GetAtt Role.Arn
      RestartExecutionOnUpdate: true
      ArtifactStore: {Type: S3, Location: !Ref Artifacts}
      Stages:
        - Name: Source
          Actions:
            - Name: Source
              ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeCommit, Version: '1'}
              Configuration: {RepositoryName: !GetAtt Repository.Name, BranchName: main}
              OutputArtifacts: [{Name: App}]
        - Name: SelfUpdate
          Actions:
            - Name: SelfUpdate
              ActionTypeId: {Category: Deploy, Owner: AWS, Provider: CloudFormation, Version: '1'}
              InputArtifacts: [{Name: App}]
              Configuration:
                ActionMode: CREATE_UPDATE
                StackName: self
                Capabilities: CAPABILITY_IAM
                TemplatePath: App::pipeline.yaml
                RoleArn: !GetAtt Role.Arn
%s`

const moreStages = `
        - Name: Site
          Actions:
            - Name: Prepare
              RunOrder: 1
              ActionTypeId: {Category: Deploy, Owner: AWS, Provider: CloudFormation, Version: '1'}
              InputArtifacts: [{Name: App}]
              Configuration: {ActionMode: CHANGE_SET_REPLACE, ChangeSetName: next, StackName: site, TemplatePath: 'App::site.yaml', RoleArn: !GetAtt Role.Arn}
            - Name: Execute
              RunOrder: 2
              Namespace: Site
              ActionTypeId: {Category: Deploy, Owner: AWS, Provider: CloudFormation, Version: '1'}
              Configuration: {ActionMode: CHANGE_SET_EXECUTE, ChangeSetName: next, StackName: site}
`

const siteTemplate = `
Resources:
  P: {Type: AWS::SSM::Parameter, Properties: {Name: /site, Type: String, Value: hello}}
Outputs:
  Name: {Value: !Ref P}
`

// selfUpdater is a cloud with a stack "self" that holds the pipeline "p".
type selfUpdater struct {
	*world
	repos  *codecommit.Client
	stacks *cloudformation.Client
	parent *string
}

func newSelfUpdater(t *testing.T) *selfUpdater {
	return newSelfUpdaterOf(t, fmt.Sprintf(selfTemplate, ""))
}

func newSelfUpdaterOf(t *testing.T, template string) *selfUpdater {
	c := cloudtest.New(t)
	s := &selfUpdater{
		world: &world{t: t, client: api.NewFromConfig(c.Config)},
		repos: codecommit.NewFromConfig(c.Config), stacks: cloudformation.NewFromConfig(c.Config),
	}
	must[*cloudformation.CreateStackOutput](t)(s.stacks.CreateStack(t.Context(), &cloudformation.CreateStackInput{
		StackName: aws.String("self"), TemplateBody: &template, Capabilities: []cftypes.Capability{cftypes.CapabilityCapabilityIam},
	}))
	s.until("the stack is there", func() bool {
		st := must[*cloudformation.DescribeStacksOutput](t)(s.stacks.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("self")})).Stacks[0]
		if strings.Contains(string(st.StackStatus), "ROLLBACK") {
			t.Fatalf("%s: %s", st.StackStatus, aws.ToString(st.StackStatusReason))
		}
		return st.StackStatus == cftypes.StackStatusCreateComplete
	})
	return s
}

// push commits files and waits until that many executions have ended, all but
// the polling itself.
func (s *selfUpdater) push(files map[string]string) {
	s.t.Helper()
	in := &codecommit.CreateCommitInput{RepositoryName: aws.String("site"), BranchName: aws.String("main"), ParentCommitId: s.parent}
	for name, text := range files {
		in.PutFiles = append(in.PutFiles, cctypes.PutFileEntry{FilePath: &name, FileContent: []byte(text)})
	}
	s.parent = must[*codecommit.CreateCommitOutput](s.t)(s.repos.CreateCommit(s.t.Context(), in)).CommitId
}

// runs are the executions so far, oldest first: trigger, version and status.
func (s *selfUpdater) runs() []string {
	s.t.Helper()
	out := must[*api.ListPipelineExecutionsOutput](s.t)(s.client.ListPipelineExecutions(s.t.Context(), &api.ListPipelineExecutionsInput{PipelineName: aws.String("p")}))
	var list []string
	for _, e := range out.PipelineExecutionSummaries {
		version := *s.execution(*e.PipelineExecutionId).PipelineVersion
		list = append([]string{fmt.Sprintf("%s %d %s", e.Trigger.TriggerType, version, e.Status)}, list...)
	}
	return list
}

// settles waits until so many executions were started and none is under way.
func (s *selfUpdater) settles(n int) {
	s.t.Helper()
	s.until(fmt.Sprintf("%d executions ended", n), func() bool {
		list := s.runs()
		for _, r := range list {
			if strings.HasSuffix(r, string(types.PipelineExecutionStatusInProgress)) {
				return false
			}
		}
		return len(list) >= n
	})
}

// A pipeline changes itself, starts anew exactly once, and runs what it has
// become; one that cannot be changed says why and goes on as it was.
func TestSelfUpdate(t *testing.T) {
	t.Parallel()
	s := newSelfUpdater(t)
	s.settles(1)
	s.push(map[string]string{"pipeline.yaml": fmt.Sprintf(selfTemplate, ""), "site.yaml": siteTemplate})
	s.settles(2)
	s.push(map[string]string{"pipeline.yaml": fmt.Sprintf(selfTemplate, moreStages)})
	s.settles(4)
	s.push(map[string]string{"pipeline.yaml": fmt.Sprintf(selfTemplate, moreStages) + "Outputs: {X: {Value: !Ref Nobody}}\n"})
	s.settles(5)
	if m := *s.action("SelfUpdate").LatestExecution.ErrorDetails.Message; !strings.Contains(m, "Nobody") {
		t.Errorf("the broken template fails with %q", m)
	}
	s.push(map[string]string{"pipeline.yaml": fmt.Sprintf(selfTemplate, moreStages), "README": "mended"})
	s.settles(6)
	want := []string{
		"CreatePipeline 1 Failed",            // no branch yet
		"PollForSourceChanges 1 Succeeded",   // the first push
		"PollForSourceChanges 1 Cancelled",   // changes itself
		"StartPipelineExecution 2 Succeeded", // and starts anew
		"PollForSourceChanges 2 Failed",      // the broken template
		"PollForSourceChanges 2 Succeeded",   // mended
	}
	if diff := cmp.Diff(want, s.runs()); diff != "" {
		t.Errorf("%s\n%s", diff, s.reasons())
	}
	if got := s.picture(); got != "Source Succeeded: Source=Succeeded\nSelfUpdate Succeeded: SelfUpdate=Succeeded\nSite Succeeded: Prepare=Succeeded Execute=Succeeded\n" {
		t.Errorf("got\n%s", got)
	}
}

// reasons are the errors of all actions that failed, oldest first.
func (s *selfUpdater) reasons() string {
	s.t.Helper()
	out := must[*api.ListActionExecutionsOutput](s.t)(s.client.ListActionExecutions(s.t.Context(), &api.ListActionExecutionsInput{PipelineName: aws.String("p")}))
	var text string
	for _, d := range out.ActionExecutionDetails {
		if e := d.Output.ExecutionResult.ErrorDetails; e != nil {
			text = *d.ActionName + ": " + *e.Message + "\n" + text
		}
	}
	return text
}
