package codepipeline_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	smithy "github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

func TestDefinitionsAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := func() *types.PipelineDeclaration {
		return definition(stage("Build", build("Quick", "quick", out("Built"))))
	}
	for name, test := range map[string]struct {
		spoil func(d *types.PipelineDeclaration)
		want  string
	}{
		"name": {func(d *types.PipelineDeclaration) { d.Name = aws.String("a b") },
			`ValidationException: 1 validation error detected: Value 'a b' at 'pipeline.name' failed to satisfy constraint: Member must satisfy regular expression pattern: [A-Za-z0-9.@\-_]+`},
		"one stage": {func(d *types.PipelineDeclaration) { d.Stages = d.Stages[:1] },
			"InvalidStructureException: Pipeline has only 1 stage(s). There should be a minimum of 2 stages in a pipeline"},
		"stage twice": {func(d *types.PipelineDeclaration) { d.Stages[1].Name = aws.String("Source") },
			"InvalidStageDeclarationException: Stage name 'Source' is used more than once"},
		"action twice": {func(d *types.PipelineDeclaration) {
			d.Stages[1].Actions = append(d.Stages[1].Actions, build("Quick", "quick"))
		}, "InvalidStageDeclarationException: Action name 'Quick' is used more than once in stage 'Build'"},
		"no source": {func(d *types.PipelineDeclaration) {
			d.Stages[0].Actions = []types.ActionDeclaration{act("Ask", "Approval", "Manual", nil)}
		}, "InvalidStructureException: Pipeline should start with a stage that only contains source actions"},
		"source later": {func(d *types.PipelineDeclaration) {
			d.Stages[1].Actions = append(d.Stages[1].Actions, act("S", "Source", "S3", map[string]string{"S3Bucket": "b", "S3ObjectKey": "k"}, out("X")))
		}, "InvalidStructureException: Source actions can only be included in the first stage of the pipeline"},
		"unknown provider": {func(d *types.PipelineDeclaration) { d.Stages[1].Actions[0].ActionTypeId.Provider = aws.String("Make") },
			"InvalidActionDeclarationException: ActionType (Category: 'Build', Provider: 'Make', Owner: 'AWS', Version: '1') in action 'Quick' is not available in region 'US_EAST_1'"},
		"category": {func(d *types.PipelineDeclaration) { d.Stages[1].Actions[0].ActionTypeId.Category = "Rule" },
			"ValidationException: 1 validation error detected: Value 'Rule' at 'pipeline.stages.2.member.actions.1.member.actionTypeId.category' failed to satisfy constraint: Member must satisfy enum value set: [Source, Build, Deploy, Test, Invoke, Approval, Compute]"},
		"missing configuration": {func(d *types.PipelineDeclaration) { d.Stages[1].Actions[0].Configuration = nil },
			"InvalidActionDeclarationException: Action configuration for action 'Quick' is missing required configuration 'ProjectName'"},
		"unknown configuration": {func(d *types.PipelineDeclaration) { d.Stages[1].Actions[0].Configuration["Colour"] = "red" },
			"InvalidActionDeclarationException: Action configuration for action 'Quick' contains unknown configuration 'Colour'"},
		"used before made": {func(d *types.PipelineDeclaration) {
			d.Stages[1].Actions = append(d.Stages[1].Actions, build("Early", "quick", in("Built")))
		}, "InvalidActionDeclarationException: Input Artifact Bundle Built in action Early is not declared as Output Artifact Bundle in any of the preceding actions"},
		"made twice": {func(d *types.PipelineDeclaration) {
			d.Stages[1].Actions = append(d.Stages[1].Actions, build("Again", "quick", out("Built")))
		}, "InvalidActionDeclarationException: Output Artifact Bundle name must be unique within the pipeline. Built has been used more than once."},
		"role": {func(d *types.PipelineDeclaration) { d.RoleArn = aws.String("arn:aws:iam::000000000000:role/forbidden") },
			"InvalidStructureException: CodePipeline is not authorized to perform AssumeRole on role arn:aws:iam::000000000000:role/forbidden"},
		"other region": {func(d *types.PipelineDeclaration) { d.Stages[1].Actions[0].Region = aws.String("eu-west-1") },
			"InvalidStructureException: Your pipeline contains actions in more than one region. Use 'pipeline.artifactStores' instead of 'pipeline.artifactStore' to declare an artifact store, such as an artifact bucket, for each region where you have an action."},
		"V2 provider": {func(d *types.PipelineDeclaration) {
			d.Stages[1].Actions = append(d.Stages[1].Actions, act("C", "Compute", "Commands", nil, in("App")))
		}, "InvalidActionDeclarationException: Commands Action can only be used with V2 pipelines."},
		"bucket": {func(d *types.PipelineDeclaration) { d.ArtifactStore.Location = aws.String("A_b") },
			`ValidationException: 1 validation error detected: Value 'A_b' at 'pipeline.artifactStore.location' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9\-\.]+`},
		"key": {func(d *types.PipelineDeclaration) {
			d.ArtifactStore.EncryptionKey = &types.EncryptionKey{Type: types.EncryptionKeyTypeKms, Id: aws.String("")}
		}, "ValidationException: 1 validation error detected: Value '' at 'pipeline.artifactStore.encryptionKey.id' failed to satisfy constraint: Member must have length between 1 and 400"},
		"conditions": {func(d *types.PipelineDeclaration) {
			d.Stages[1].OnFailure = &types.FailureConditions{Result: types.ResultRollback}
		},
			"InvalidStructureException: Stage conditions can only be used with V2 pipelines"},
	} {
		t.Run(name, func(t *testing.T) {
			def := good()
			test.spoil(def)
			_, err := w.client.CreatePipeline(t.Context(), &api.CreatePipelineInput{Pipeline: def})
			var e smithy.APIError
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(test.want, e.ErrorCode()+": "+e.ErrorMessage()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPipelineLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	if _, err := w.client.GetPipeline(ctx, &api.GetPipelineInput{Name: aws.String("p")}); code(err) != "PipelineNotFoundException" {
		t.Errorf("before: %v", err)
	}
	w.create(stage("Ask", act("Ask", "Approval", "Manual", nil)))
	if _, err := w.client.CreatePipeline(ctx, &api.CreatePipelineInput{Pipeline: definition(stage("Ask", act("Ask", "Approval", "Manual", nil)))}); code(err) != "PipelineNameInUseException" {
		t.Errorf("twice: %v", err)
	}
	got := must[*api.GetPipelineOutput](t)(w.client.GetPipeline(ctx, &api.GetPipelineInput{Name: aws.String("p")}))
	arn := *got.Metadata.PipelineArn
	if arn != "arn:aws:codepipeline:us-east-1:000000000000:p" || *got.Pipeline.Version != 1 || got.Pipeline.PipelineType != "V1" || *got.Pipeline.Stages[0].Actions[0].RunOrder != 1 {
		t.Errorf("got %s %+v", arn, got.Pipeline)
	}
	must[*api.TagResourceOutput](t)(w.client.TagResource(ctx, &api.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}}}))
	must[*api.UntagResourceOutput](t)(w.client.UntagResource(ctx, &api.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"a"}}))
	tags := must[*api.ListTagsForResourceOutput](t)(w.client.ListTagsForResource(ctx, &api.ListTagsForResourceInput{ResourceArn: &arn}))
	if len(tags.Tags) != 1 || *tags.Tags[0].Key != "b" {
		t.Errorf("tags %+v", tags.Tags)
	}
	w.pagesOfExecutions()
	list := must[*api.ListPipelinesOutput](t)(w.client.ListPipelines(ctx, &api.ListPipelinesInput{}))
	if len(list.Pipelines) != 1 || *list.Pipelines[0].Name != "p" {
		t.Errorf("list %+v", list.Pipelines)
	}
	for range 2 {
		must[*api.DeletePipelineOutput](t)(w.client.DeletePipeline(ctx, &api.DeletePipelineInput{Name: aws.String("p")}))
	}
	if _, err := w.client.GetPipelineState(ctx, &api.GetPipelineStateInput{Name: aws.String("p")}); code(err) != "PipelineNotFoundException" {
		t.Errorf("after: %v", err)
	}
	w.create(stage("Build", build("Quick", "quick")))
	w.reaches(w.first(), types.PipelineExecutionStatusSucceeded)
}

// pagesOfExecutions starts four more executions, one of them twice, and lists
// all five by pages of two.
func (w *world) pagesOfExecutions() {
	w.t.Helper()
	want := []string{w.first()}
	for i := range 4 {
		in := &api.StartPipelineExecutionInput{Name: aws.String("p"), ClientRequestToken: aws.String(fmt.Sprint("token", i))}
		id := *must[*api.StartPipelineExecutionOutput](w.t)(w.client.StartPipelineExecution(w.t.Context(), in)).PipelineExecutionId
		again := *must[*api.StartPipelineExecutionOutput](w.t)(w.client.StartPipelineExecution(w.t.Context(), in)).PipelineExecutionId
		if id != again {
			w.t.Errorf("the same token started %s and %s", id, again)
		}
		want = append([]string{id}, want...)
	}
	var got []string
	var token *string
	for {
		page := must[*api.ListPipelineExecutionsOutput](w.t)(w.client.ListPipelineExecutions(w.t.Context(), &api.ListPipelineExecutionsInput{
			PipelineName: aws.String("p"), MaxResults: aws.Int32(2), NextToken: token,
		}))
		for _, e := range page.PipelineExecutionSummaries {
			got = append(got, *e.PipelineExecutionId)
		}
		if token = page.NextToken; token == nil {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Error(diff)
	}
}

func TestVariablesAndOverrides(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	def := definition(stage("Build", act("Quick", "Build", "CodeBuild", map[string]string{
		"ProjectName":          "quick",
		"EnvironmentVariables": `[{"name": "A", "value": "#{variables.Env}-#{variables.Size}-#{SourceVariables.CommitId}-#{codepipeline.PipelineExecutionId}", "type": "PLAINTEXT"}]`,
	}, in("App"))))
	def.PipelineType = types.PipelineTypeV2
	def.Variables = []types.PipelineVariableDeclaration{{Name: aws.String("Env"), DefaultValue: aws.String("dev")}, {Name: aws.String("Size"), DefaultValue: aws.String("1")}}
	must[*api.CreatePipelineOutput](t)(w.client.CreatePipeline(ctx, &api.CreatePipelineInput{Pipeline: def}))
	w.reaches(w.first(), types.PipelineExecutionStatusSucceeded)
	start := func(name string) (string, error) {
		out, err := w.client.StartPipelineExecution(ctx, &api.StartPipelineExecutionInput{
			Name: aws.String("p"), Variables: []types.PipelineVariable{{Name: &name, Value: aws.String("prod")}},
			SourceRevisions: []types.SourceRevisionOverride{{ActionName: aws.String("Source"), RevisionType: types.SourceRevisionTypeCommitId, RevisionValue: aws.String("c0")}},
		})
		if err != nil {
			return "", err
		}
		return *out.PipelineExecutionId, nil
	}
	if _, err := start("Unknown"); code(err) != "ValidationException" {
		t.Errorf("unknown variable: %v", err)
	}
	id := must[string](t)(start("Env"))
	w.reaches(id, types.PipelineExecutionStatusSucceeded)
	if got, want := *w.builds.starts[1].EnvironmentVariablesOverride[0].Value, "prod-1-c0-"+id; got != want {
		t.Errorf("variable %q, want %q", got, want)
	}
	if v := w.execution(id).Variables; len(v) != 2 || *v[0].ResolvedValue != "prod" {
		t.Errorf("variables %+v", v)
	}
}

// An action whose variables do not exist, or whose kind does not run here,
// fails in words.
func TestActionsThatCannotRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(stage("Build",
		act("Quick", "Build", "CodeBuild", map[string]string{"ProjectName": "#{SourceVariables.Nobody}"}, in("App")),
		act("Upload", "Deploy", "ElasticBeanstalk", map[string]string{"ApplicationName": "a", "EnvironmentName": "e"}, in("App"))))
	w.reaches(w.first(), types.PipelineExecutionStatusFailed)
	for name, want := range map[string]string{
		"Quick": "An action in this pipeline failed because one or more variables could not be resolved: Action name=Quick: " +
			`the configuration "ProjectName" refers to the variable #{SourceVariables.Nobody}, which no action of this execution has produced`,
		"Upload": "actions of category Deploy with provider ElasticBeanstalk do not run on the local cloud",
	} {
		if got := *w.action(name).LatestExecution.ErrorDetails.Message; got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestS3Source(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.objects.put("in/app.zip", zipped(map[string]string{"a": "b"}))
	def := definition(stage("Build", build("Quick", "quick")))
	def.Stages[0].Actions[0] = act("Source", "Source", "S3", map[string]string{"S3Bucket": "in", "S3ObjectKey": "app.zip", "PollForSourceChanges": "false"}, out("App"))
	must[*api.CreatePipelineOutput](t)(w.client.CreatePipeline(t.Context(), &api.CreatePipelineInput{Pipeline: def}))
	w.reaches(w.first(), types.PipelineExecutionStatusSucceeded)
	if r := w.action("Source").CurrentRevision; r == nil || !strings.HasPrefix(*r.RevisionId, "v") {
		t.Errorf("revision %+v", r)
	}
	if at := *w.builds.starts[0].SourceLocationOverride; !strings.HasPrefix(at, "artifacts/p/App/") {
		t.Errorf("the build read %s", at)
	}
}

// A token in a configuration is masked in answers, and kept when a mask comes
// back.
func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	def := definition(stage("Ask", act("Ask", "Approval", "Manual", nil)))
	def.Stages[0].Actions[0] = act("Source", "Source", "GitHub", map[string]string{"Owner": "o", "Repo": "r", "Branch": "main", "OAuthToken": "hush"}, out("App"))
	def.Stages[0].Actions[0].ActionTypeId.Owner = "ThirdParty"
	must[*api.CreatePipelineOutput](t)(w.client.CreatePipeline(t.Context(), &api.CreatePipelineInput{Pipeline: def}))
	got := must[*api.GetPipelineOutput](t)(w.client.GetPipeline(t.Context(), &api.GetPipelineInput{Name: aws.String("p")})).Pipeline
	if token := got.Stages[0].Actions[0].Configuration["OAuthToken"]; token != "****" {
		t.Errorf("token %q", token)
	}
	must[*api.UpdatePipelineOutput](t)(w.client.UpdatePipeline(t.Context(), &api.UpdatePipelineInput{Pipeline: got}))
	got.Stages[0].Actions[0].Name = aws.String("Other")
	if _, err := w.client.UpdatePipeline(t.Context(), &api.UpdatePipelineInput{Pipeline: got}); code(err) != "InvalidActionDeclarationException" {
		t.Errorf("a mask for a new action: %v", err)
	}
	w.close()
	for _, file := range must[[]string](t)(filepath.Glob(filepath.Join(w.dir, "state.db*"))) {
		if b := must[[]byte](t)(os.ReadFile(file)); bytes.Contains(b, []byte("hush")) {
			t.Errorf("the token lies in %s in the clear", filepath.Base(file))
		}
	}
	w.open()
}
