package codepipeline_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"

	"ouro/cloud/cloudtest"
)

// whole is a whole cloud with a repository "site", roles and buckets.
type whole struct {
	*world
	cloud  *cloudtest.Cloud
	s3     *s3.Client
	parent *string
}

func newWhole(t *testing.T) *whole {
	t.Helper()
	c := cloudtest.New(t)
	w := &whole{world: &world{t: t, client: api.NewFromConfig(c.Config), patience: time.Minute}, cloud: c, s3: s3.NewFromConfig(c.Config, func(o *s3.Options) { o.UsePathStyle = true })}
	roles := iam.NewFromConfig(c.Config)
	roleFor(t, roles, "pipeline", "codepipeline.amazonaws.com")
	roleFor(t, roles, "build", "codebuild.amazonaws.com")
	for _, name := range []string{"artifacts", "website"} {
		must[*s3.CreateBucketOutput](t)(w.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}))
	}
	must[*codecommit.CreateRepositoryOutput](t)(codecommit.NewFromConfig(c.Config).CreateRepository(t.Context(), &codecommit.CreateRepositoryInput{RepositoryName: aws.String("site")}))
	return w
}

func (w *whole) commit(files map[string]string) {
	w.t.Helper()
	in := &codecommit.CreateCommitInput{RepositoryName: aws.String("site"), BranchName: aws.String("main"), ParentCommitId: w.parent}
	for name, text := range files {
		in.PutFiles = append(in.PutFiles, cctypes.PutFileEntry{FilePath: &name, FileContent: []byte(text)})
	}
	w.parent = must[*codecommit.CreateCommitOutput](w.t)(codecommit.NewFromConfig(w.cloud.Config).CreateCommit(w.t.Context(), in)).CommitId
}

// anew makes the pipeline p anew and gives its first execution.
func (w *whole) anew(stages ...types.StageDeclaration) string {
	w.t.Helper()
	must[*api.DeletePipelineOutput](w.t)(w.client.DeletePipeline(w.t.Context(), &api.DeletePipelineInput{Name: aws.String("p")}))
	def := definition(stages...)
	def.PipelineType = types.PipelineTypeV2
	must[*api.CreatePipelineOutput](w.t)(w.client.CreatePipeline(w.t.Context(), &api.CreatePipelineInput{Pipeline: def}))
	return w.first()
}

// succeeds waits for the end of an execution, which has to be a good one.
func (w *whole) succeeds(id string) {
	w.t.Helper()
	w.until("the end of "+id, func() bool { return w.execution(id).Status != types.PipelineExecutionStatusInProgress })
	if s := w.execution(id).Status; s != types.PipelineExecutionStatusSucceeded {
		w.t.Fatalf("%s: %v", s, w.failures())
	}
}

// failures are the messages of the actions that have failed.
func (w *whole) failures() (all []string) {
	for _, st := range must[*api.GetPipelineStateOutput](w.t)(w.client.GetPipelineState(w.t.Context(), &api.GetPipelineStateInput{Name: aws.String("p")})).StageStates {
		for _, a := range st.ActionStates {
			if e := a.LatestExecution; e != nil && e.ErrorDetails != nil {
				all = append(all, *a.ActionName+": "+aws.ToString(e.ErrorDetails.Message))
			}
		}
	}
	return all
}

// details are the executions of the actions of the newest execution by name.
func (w *whole) details() map[string]types.ActionExecutionDetail {
	w.t.Helper()
	all := map[string]types.ActionExecutionDetail{}
	for _, d := range must[*api.ListActionExecutionsOutput](w.t)(w.client.ListActionExecutions(w.t.Context(), &api.ListActionExecutionsInput{PipelineName: aws.String("p")})).ActionExecutionDetails {
		if _, ok := all[*d.ActionName]; !ok {
			all[*d.ActionName] = d
		}
	}
	return all
}

// files are the files of the action's output artifact.
func (w *whole) files(action, artifact string) map[string]string {
	w.t.Helper()
	files := map[string]string{}
	for _, o := range w.details()[action].Output.OutputArtifacts {
		if *o.Name != artifact {
			continue
		}
		out := must[*s3.GetObjectOutput](w.t)(w.s3.GetObject(w.t.Context(), &s3.GetObjectInput{Bucket: o.S3location.Bucket, Key: o.S3location.Key}))
		b := must[[]byte](w.t)(io.ReadAll(out.Body))
		for _, f := range must[*zip.Reader](w.t)(zip.NewReader(bytes.NewReader(b), int64(len(b)))).File {
			files[f.Name] = string(must[[]byte](w.t)(io.ReadAll(must[io.ReadCloser](w.t)(f.Open()))))
		}
	}
	return files
}

// What actions do with the services of a whole cloud.
func TestActionsOnWholeCloud(t *testing.T) {
	t.Parallel()
	w := newWhole(t)
	w.commit(map[string]string{"index.html": "<p>hello", "style/main.css": "p {}"})
	for _, test := range []struct {
		name string
		run  func(*testing.T, *whole)
	}{
		{"S3", deploysToS3}, {"Commands", runsCommands}, {"StackSet", deploysStackSet}, {"ECS", deploysToECS}, {"Batch", buildsBatches},
		{"Regions", deploysAcrossRegions}, {"Modes", deploysInEveryMode}, {"CodeDeploy", deploysByCodeDeploy}, {"BlueGreen", deploysBlueGreen}, {"Lambda", callsFunctions},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.t = t
			test.run(t, w)
		})
	}
}

func deploysToS3(t *testing.T, w *whole) {
	const key = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"
	w.succeeds(w.anew(stage("Deploy",
		act("Files", "Deploy", "S3", map[string]string{
			"BucketName": "website", "Extract": "true", "ObjectKey": "#{SourceVariables.CommitId}", "CannedACL": "private", "CacheControl": "public, max-age=60", "KMSEncryptionKeyARN": key,
		}, in("App")),
		act("Zip", "Deploy", "S3", map[string]string{"BucketName": "website", "Extract": "false", "ObjectKey": "all.zip"}, in("App")))))
	head := func(name string) *s3.HeadObjectOutput {
		return must[*s3.HeadObjectOutput](t)(w.s3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("website"), Key: &name}))
	}
	for name, media := range map[string]string{"index.html": "text/html", "style/main.css": "text/css"} {
		h := head(*w.parent + "/" + name)
		if *h.ContentType != media || *h.CacheControl != "public, max-age=60" || h.ServerSideEncryption != "aws:kms" || *h.SSEKMSKeyId != key {
			t.Errorf("%s: type %s, cache %s, encryption %s by %s", name, *h.ContentType, *h.CacheControl, h.ServerSideEncryption, aws.ToString(h.SSEKMSKeyId))
		}
	}
	if h := head("all.zip"); *h.ContentType != "application/zip" {
		t.Errorf("the zip is of type %s", *h.ContentType)
	}
	id := w.anew(stage("Deploy", act("Files", "Deploy", "S3", map[string]string{"BucketName": "website", "Extract": "true", "CannedACL": "everybody"}, in("App"))))
	w.reaches(id, types.PipelineExecutionStatusFailed)
	if got := w.failures(); !slices.Equal(got, []string{`Files: the canned ACL "everybody" of action "Files" is unknown`}) {
		t.Errorf("failures %v", got)
	}
}

// Commands run as the pipeline's role, which does not trust CodeBuild.
func runsCommands(t *testing.T, w *whole) {
	run := act("Run", "Compute", "Commands", nil, in("App"))
	run.Namespace = aws.String("Run")
	run.Commands = []string{"wc -c < index.html | tr -d ' ' > size.txt", `export SIZE=$(cat size.txt) GREETING="$WORD of #{SourceVariables.CommitId}"`}
	run.OutputVariables = []string{"SIZE", "GREETING"}
	run.OutputArtifacts = []types.OutputArtifact{{Name: aws.String("Sizes"), Files: []string{"size.txt"}}}
	run.EnvironmentVariables = []types.EnvironmentVariable{{Name: aws.String("WORD"), Value: aws.String("hello")}}
	fails := act("Fails", "Compute", "Commands", nil, in("Sizes"))
	fails.Commands = []string{"test -f size.txt", "exit #{Run.SIZE}"}
	w.reaches(w.anew(stage("Run", run), stage("Fail", fails)), types.PipelineExecutionStatusFailed)
	d := w.details()["Run"]
	if diff := cmp.Diff(map[string]string{"SIZE": "8", "GREETING": "hello of " + *w.parent}, d.Output.OutputVariables); diff != "" {
		t.Errorf("%s\n%v", diff, w.failures())
	}
	if diff := cmp.Diff(map[string]string{"size.txt": "8\n"}, w.files("Run", "Sizes")); diff != "" {
		t.Error(diff)
	}
	if got := strings.Join(w.failures(), "\n"); !strings.Contains(got, "Phase: BUILD") || !strings.Contains(got, "exit 8") {
		t.Errorf("failures %s", got)
	}
	groups := must[*cloudwatchlogs.DescribeLogStreamsOutput](t)(cloudwatchlogs.NewFromConfig(w.cloud.Config).DescribeLogStreams(t.Context(), &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: aws.String("/aws/codepipeline/p")}))
	if n := len(groups.LogStreams); n != 2 {
		t.Errorf("%d log streams", n)
	}
	must[*api.DeletePipelineOutput](t)(w.client.DeletePipeline(t.Context(), &api.DeletePipelineInput{Name: aws.String("p")}))
	if p := must[*codebuild.ListProjectsOutput](t)(codebuild.NewFromConfig(w.cloud.Config).ListProjects(t.Context(), &codebuild.ListProjectsInput{})).Projects; slices.ContainsFunc(p, func(n string) bool { return strings.HasPrefix(n, "AWSCodePipeline") }) {
		t.Errorf("the deleted pipeline leaves projects %v", p)
	}
}

// A stack set is made with instances in two regions, then updated twice: with
// another template, and with another parameter.
func deploysStackSet(t *testing.T, w *whole) {
	roles := iam.NewFromConfig(w.cloud.Config)
	roleFor(t, roles, "AWSCloudFormationStackSetAdministrationRole", "cloudformation.amazonaws.com")
	must[*iam.CreateRoleOutput](t)(roles.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("AWSCloudFormationStackSetExecutionRole"), AssumeRolePolicyDocument: aws.String(
		`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}]}`)}))
	must[*iam.PutRolePolicyOutput](t)(roles.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("AWSCloudFormationStackSetExecutionRole"), PolicyName: aws.String("all"), PolicyDocument: aws.String(
		`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`)}))
	value := func(region string) string {
		cfg := w.cloud.Config.Copy()
		cfg.Region = region
		return *must[*ssm.GetParameterOutput](t)(ssm.NewFromConfig(cfg).GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/set")})).Parameter.Value
	}
	template := func(word string) map[string]string {
		return map[string]string{"set.yaml": `
Parameters: {Colour: {Type: String}}
Resources:
  P: {Type: AWS::SSM::Parameter, Properties: {Name: /set, Type: String, Value: !Sub '` + word + ` ${Colour}'}}
`}
	}
	deploy := func(colour string) []types.StageDeclaration {
		set := act("Set", "Deploy", "CloudFormationStackSet", map[string]string{
			"StackSetName": "everywhere", "TemplatePath": "App::set.yaml", "DeploymentTargets": "000000000000", "Regions": "us-east-1,eu-west-1",
			"Parameters": "ParameterKey=Colour,ParameterValue=" + colour, "FailureTolerancePercentage": "0", "MaxConcurrentPercentage": "100",
		}, in("App"))
		set.Namespace = aws.String("Set")
		return []types.StageDeclaration{stage("Deploy", set)}
	}
	w.commit(template("light"))
	w.succeeds(w.anew(deploy("blue")...))
	if a, b := value("us-east-1"), value("eu-west-1"); a != "light blue" || b != "light blue" {
		t.Errorf("created: %q and %q", a, b)
	}
	if v := w.details()["Set"].Output.OutputVariables; !strings.HasPrefix(v["StackSetId"], "everywhere:") || v["OperationId"] == "" {
		t.Errorf("variables %v", v)
	}
	w.commit(template("dark"))
	w.succeeds(w.start())
	if got := value("eu-west-1"); got != "dark blue" {
		t.Errorf("updated: %q", got)
	}
	w.succeeds(w.anew(deploy("red")...))
	if got := value("eu-west-1"); got != "dark red" {
		t.Errorf("updated again: %q", got)
	}
	w.succeeds(w.anew(stage("Deploy", act("More", "Deploy", "CloudFormationStackInstances", map[string]string{
		"StackSetName": "everywhere", "DeploymentTargets": "000000000000", "Regions": "eu-west-1,ap-south-1", "ParameterOverrides": "ParameterKey=Colour,ParameterValue=green",
	}))))
	if a, b := value("ap-south-1"), value("eu-west-1"); a != "dark green" || b != "dark green" {
		t.Errorf("instances: %q and %q", a, b)
	}
	if n := len(must[*cloudformation.ListStackInstancesOutput](t)(cloudformation.NewFromConfig(w.cloud.Config).ListStackInstances(t.Context(), &cloudformation.ListStackInstancesInput{StackSetName: aws.String("everywhere")})).Summaries); n != 3 {
		t.Errorf("%d instances", n)
	}
}

// A service of ECS gets a revision of its task definition with another image.
func deploysToECS(t *testing.T, w *whole) {
	client := cloudcontrol.NewFromConfig(w.cloud.Config)
	create := func(kind string, properties map[string]any) string {
		body := string(must[[]byte](t)(json.Marshal(properties)))
		return *must[*cloudcontrol.CreateResourceOutput](t)(client.CreateResource(t.Context(), &cloudcontrol.CreateResourceInput{TypeName: &kind, DesiredState: &body})).ProgressEvent.Identifier
	}
	create("AWS::ECS::Cluster", map[string]any{"ClusterName": "c"})
	task := create("AWS::ECS::TaskDefinition", map[string]any{"Family": "web", "ContainerDefinitions": []any{map[string]any{"Name": "app", "Image": "old", "Memory": 64}}})
	service := create("AWS::ECS::Service", map[string]any{"ServiceName": "s", "Cluster": "c", "TaskDefinition": task, "DesiredCount": 1})
	w.commit(map[string]string{"imagedefinitions.json": `[{"name": "app", "imageUri": "new"}]`, "wrong.json": `[{"name": "nobody", "imageUri": "new"}]`})
	ecs := func(cluster, service, file string) types.StageDeclaration {
		return stage("Deploy", act("Deploy", "Deploy", "ECS", map[string]string{"ClusterName": cluster, "ServiceName": service, "FileName": file, "DeploymentTimeout": "5"}, in("App")))
	}
	w.succeeds(w.anew(ecs("c", "s", "imagedefinitions.json")))
	read := func(kind, id string) (properties map[string]any) {
		text := *must[*cloudcontrol.GetResourceOutput](t)(client.GetResource(t.Context(), &cloudcontrol.GetResourceInput{TypeName: &kind, Identifier: &id})).ResourceDescription.Properties
		if err := json.Unmarshal([]byte(text), &properties); err != nil {
			t.Fatal(err)
		}
		return properties
	}
	revision, _ := read("AWS::ECS::Service", service)["TaskDefinition"].(string)
	if revision == task || !strings.Contains(revision, ":task-definition/web:") {
		t.Fatalf("the service has %s, before it had %s", revision, task)
	}
	if got := read("AWS::ECS::TaskDefinition", revision)["ContainerDefinitions"].([]any)[0].(map[string]any)["Image"]; got != "new" {
		t.Errorf("the image is %v", got)
	}
	for want, st := range map[string]types.StageDeclaration{
		"Cluster not found. (Error Code: ClusterNotFoundException)": ecs("nobody", "s", "imagedefinitions.json"),
		"Service not found. (Error Code: ServiceNotFoundException)": ecs("c", "nobody", "imagedefinitions.json"),
		"Did not find the image definition file none.json":          ecs("c", "s", "none.json"),
		`has no container named "nobody"`:                           ecs("c", "s", "wrong.json"),
	} {
		w.reaches(w.anew(st), types.PipelineExecutionStatusFailed)
		if got := strings.Join(w.failures(), "\n"); !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

const batchSpec = `
version: 0.2
batch:
  build-list:
    - {identifier: one, env: {variables: {WHICH: first}}}
    - {identifier: two, env: {variables: {WHICH: second}}}
phases:
  build: {commands: ['echo $WHICH > $WHICH.txt', 'cp $CODEBUILD_SRC_DIR_Docs/index.html $WHICH.html']}
artifacts:
  files: ['*.txt']
  secondary-artifacts:
    docs: {files: ['*.html']}
`

// The artifacts of a batch's builds go into one output artifact, or each into
// its own.
func buildsBatches(t *testing.T, w *whole) {
	w.commit(map[string]string{"buildspec.yml": batchSpec})
	role := aws.String("arn:aws:iam::000000000000:role/build")
	must[*codebuild.CreateProjectOutput](t)(codebuild.NewFromConfig(w.cloud.Config).CreateProject(t.Context(), &codebuild.CreateProjectInput{
		Name: aws.String("batch"), ServiceRole: role, BuildBatchConfig: &cbtypes.ProjectBuildBatchConfig{ServiceRole: role},
		Source: &cbtypes.ProjectSource{Type: cbtypes.SourceTypeCodepipeline}, Artifacts: &cbtypes.ProjectArtifacts{Type: cbtypes.ArtifactsTypeCodepipeline},
		Environment: &cbtypes.ProjectEnvironment{ComputeType: cbtypes.ComputeTypeBuildGeneral1Small, Image: aws.String("aws/codebuild/standard:7.0"), Type: cbtypes.EnvironmentTypeLinuxContainer},
	}))
	batch := func(name, combine string, outputs ...string) types.ActionDeclaration {
		a := act(name, "Build", "CodeBuild", map[string]string{"ProjectName": "batch", "BatchEnabled": "true", "CombineArtifacts": combine, "PrimarySource": "App"}, in("App", "Docs"))
		for _, o := range outputs {
			out(o)(&a)
		}
		return a
	}
	docs := act("Docs", "Source", "CodeCommit", map[string]string{"RepositoryName": "site", "BranchName": "main", "PollForSourceChanges": "false"}, out("Docs"))
	def := []types.StageDeclaration{stage("Build", batch("Each", "false", "one", "two", "two_docs"), batch("Together", "true", "All"))}
	must[*api.DeletePipelineOutput](t)(w.client.DeletePipeline(t.Context(), &api.DeletePipelineInput{Name: aws.String("p")}))
	full := definition(def...)
	full.Stages[0].Actions = append(full.Stages[0].Actions, docs)
	must[*api.CreatePipelineOutput](t)(w.client.CreatePipeline(t.Context(), &api.CreatePipelineInput{Pipeline: full}))
	w.succeeds(w.first())
	for _, x := range []struct {
		action, artifact string
		want             map[string]string
	}{
		{"Each", "one", map[string]string{"first.txt": "first\n"}},
		{"Each", "two", map[string]string{"second.txt": "second\n"}},
		{"Each", "two_docs", map[string]string{"second.html": "<p>hello", "index.html": "<p>hello"}},
		{"Together", "All", map[string]string{"first.txt": "first\n", "second.txt": "second\n"}},
	} {
		if diff := cmp.Diff(x.want, w.files(x.action, x.artifact)); diff != "" {
			t.Errorf("%s of %s: %s", x.artifact, x.action, diff)
		}
	}
}

// deploysByCodeDeploy has the real service install the source on an instance.
func deploysByCodeDeploy(t *testing.T, w *whole) {
	client := codedeploy.NewFromConfig(w.cloud.Config)
	must[*codedeploy.CreateApplicationOutput](t)(client.CreateApplication(t.Context(), &codedeploy.CreateApplicationInput{ApplicationName: aws.String("app")}))
	must[*codedeploy.RegisterOnPremisesInstanceOutput](t)(client.RegisterOnPremisesInstance(t.Context(), &codedeploy.RegisterOnPremisesInstanceInput{
		InstanceName: aws.String("one"), IamUserArn: aws.String("arn:aws:iam::000000000000:user/one")}))
	tier := cdtypes.Tag{Key: aws.String("tier"), Value: aws.String("web")}
	must[*codedeploy.AddTagsToOnPremisesInstancesOutput](t)(client.AddTagsToOnPremisesInstances(t.Context(), &codedeploy.AddTagsToOnPremisesInstancesInput{
		InstanceNames: []string{"one"}, Tags: []cdtypes.Tag{tier}}))
	must[*codedeploy.CreateDeploymentGroupOutput](t)(client.CreateDeploymentGroup(t.Context(), &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: aws.String("app"), DeploymentGroupName: aws.String("web"), ServiceRoleArn: aws.String("arn:aws:iam::000000000000:role/deploy"),
		OnPremisesInstanceTagFilters: []cdtypes.TagFilter{{Key: tier.Key, Value: tier.Value, Type: cdtypes.TagFilterTypeKeyAndValue}}}))
	deploy := stage("Deploy", act("Install", "Deploy", "CodeDeploy", map[string]string{"ApplicationName": "app", "DeploymentGroupName": "web"}, in("App")))
	w.commit(map[string]string{
		"appspec.yml": "version: 0.0\nos: linux\nfiles: [{source: /page, destination: /srv}]\nhooks: {AfterInstall: [{location: hook.sh}]}\n",
		"page/it":     "installed", "hook.sh": "#!/bin/sh\ntest $(cat srv/it) = installed\n",
	})
	w.succeeds(w.anew(deploy))
	file := filepath.Join(w.cloud.Dir, "instances", "000000000000", "us-east-1", "one", "srv", "it")
	if got := string(must[[]byte](t)(os.ReadFile(file))); got != "installed" {
		t.Errorf("the instance has %q", got)
	}
	w.commit(map[string]string{"hook.sh": "#!/bin/sh\nexit 1\n"})
	w.reaches(w.anew(deploy), types.PipelineExecutionStatusFailed)
	if got := strings.Join(w.failures(), "\n"); !strings.Contains(got, "(HEALTH_CONSTRAINTS)") {
		t.Errorf("the failure is %q", got)
	}
}
