package codepipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"path"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// codeBuild runs a build, for the categories Build and Test. AWS hands a build
// its artifacts by a way that is closed to others; here they are ordinary
// overrides: the input artifacts are sources in S3, the output artifacts go to
// the keys that the pipeline has chosen for them.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
type codeBuild struct{}

const buildPause = 250 * time.Millisecond

func (codeBuild) run(ctx context.Context, j *job) (*outcome, error) {
	in, err := j.buildInput()
	if err != nil {
		return nil, err
	}
	client := codebuild.NewFromConfig(j.as)
	if j.isTrue("BatchEnabled") {
		return j.buildBatch(ctx, client, in)
	}
	return j.build(ctx, client, in)
}

// build starts a build, unless that was done, and follows it.
func (j *job) build(ctx context.Context, client *codebuild.Client, in *codebuild.StartBuildInput) (*outcome, error) {
	if j.record.ExternalID == "" {
		out, err := client.StartBuild(ctx, in)
		if err != nil {
			return nil, notStarted("startBuild", err)
		}
		id := aws.ToString(out.Build.Id)
		if err := j.started(ctx, id, buildURL(j.caller.Region, id)); err != nil {
			return nil, err
		}
	}
	build, err := followBuild(ctx, j, client)
	if err != nil {
		return nil, err
	}
	return buildOutcome(build)
}

// notStarted says that a build did not start, in AWS's form.
func notStarted(call string, err error) error {
	code, message := explain(err)
	return failed(types.FailureType(code), "Error calling %s: %s", call, message)
}

func (j *job) buildInput() (*codebuild.StartBuildInput, error) {
	in := &codebuild.StartBuildInput{
		ProjectName: aws.String(j.config["ProjectName"]), IdempotencyToken: aws.String(j.record.ID),
	}
	if err := j.buildSources(in); err != nil {
		return nil, err
	}
	if len(j.record.Outputs) == 1 {
		only := artifactsTo(j.record.Outputs[0])
		in.ArtifactsOverride = &only
	} else {
		in.ArtifactsOverride, in.SecondaryArtifactsOverride = noArtifacts(), artifactsByName(j.record.Outputs)
	}
	if j.store.EncryptionKey != nil {
		in.EncryptionKeyOverride = j.store.EncryptionKey.Id
	}
	var err error
	in.EnvironmentVariablesOverride, err = j.buildVariables()
	return in, err
}

// buildSources makes the input artifacts the sources of the build.
func (j *job) buildSources(in *codebuild.StartBuildInput) error {
	primary := j.config["PrimarySource"]
	if primary == "" && len(j.record.Inputs) > 1 && j.kind.property("PrimarySource") != nil {
		return failed(types.FailureTypeConfigurationError, "The action %q has %d input artifacts: its configuration PrimarySource must name one of them", j.record.Name, len(j.record.Inputs))
	}
	first, err := j.input(cmp.Or(primary, j.record.Inputs[0].Name))
	if err != nil {
		return err
	}
	in.SourceTypeOverride, in.SourceLocationOverride = cbtypes.SourceTypeS3, aws.String(first.Bucket+"/"+first.Key)
	for _, r := range j.execution.newestRevisions() {
		if r.Artifact == first.Name {
			in.SourceVersion = aws.String(r.ID) // the build's resolved source version
		}
	}
	for _, a := range j.record.Inputs {
		if a.Name != first.Name {
			in.SecondarySourcesOverride = append(in.SecondarySourcesOverride, cbtypes.ProjectSource{
				Type: cbtypes.SourceTypeS3, Location: aws.String(a.Bucket + "/" + a.Key), SourceIdentifier: aws.String(a.Name),
			})
		}
	}
	return nil
}

func noArtifacts() *cbtypes.ProjectArtifacts {
	return &cbtypes.ProjectArtifacts{Type: cbtypes.ArtifactsTypeNoArtifacts}
}

// artifactsByName are secondary artifacts, which buildspecs call as the action
// calls its output artifacts.
func artifactsByName(list []artifact) (named []cbtypes.ProjectArtifacts) {
	for _, a := range list {
		to := artifactsTo(a)
		to.ArtifactIdentifier = aws.String(a.Name)
		named = append(named, to)
	}
	return named
}

func artifactsTo(a artifact) cbtypes.ProjectArtifacts {
	return cbtypes.ProjectArtifacts{
		Type: cbtypes.ArtifactsTypeS3, Location: aws.String(a.Bucket), Path: aws.String(path.Dir(a.Key)), Name: aws.String(path.Base(a.Key)),
		Packaging: cbtypes.ArtifactPackagingZip, NamespaceType: cbtypes.ArtifactNamespaceNone, OverrideArtifactName: aws.Bool(false),
	}
}

func (j *job) buildVariables() ([]cbtypes.EnvironmentVariable, error) {
	text := j.config["EnvironmentVariables"]
	if text == "" {
		return nil, nil
	}
	var list []struct{ Name, Value, Type string }
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, failed(types.FailureTypeConfigurationError, "the configuration EnvironmentVariables of action %q is no JSON list of variables: %v", j.record.Name, err)
	}
	var variables []cbtypes.EnvironmentVariable
	for _, v := range list {
		if t := cbtypes.EnvironmentVariableType(v.Type); v.Name == "" || v.Type != "" && !slices.Contains(t.Values(), t) {
			return nil, failed(types.FailureTypeConfigurationError, "the configuration EnvironmentVariables of action %q has the variable %q of type %q; variables have a name, and the type PLAINTEXT, PARAMETER_STORE or SECRETS_MANAGER", j.record.Name, v.Name, v.Type)
		}
		variables = append(variables, cbtypes.EnvironmentVariable{
			Name: aws.String(v.Name), Value: aws.String(v.Value), Type: cbtypes.EnvironmentVariableType(v.Type),
		})
	}
	return variables, nil
}

// followBuild waits for the end of the action's build.
func followBuild(ctx context.Context, j *job, client *codebuild.Client) (*cbtypes.Build, error) {
	for since := time.Now(); ; {
		out, err := client.BatchGetBuilds(ctx, &codebuild.BatchGetBuildsInput{Ids: []string{j.record.ExternalID}})
		if err != nil {
			return nil, err
		}
		if len(out.Builds) == 0 {
			return nil, failed(types.FailureTypeJobFailed, "The build %s was not found", j.record.ExternalID)
		}
		b := &out.Builds[0]
		if b.Logs != nil && j.record.LogStream == "" && b.Logs.CloudWatchLogsArn != nil {
			if err := j.save(ctx, func(a *action) { a.LogStream = *b.Logs.CloudWatchLogsArn }); err != nil {
				return nil, err
			}
		}
		if b.BuildComplete || (b.BuildStatus != "" && b.BuildStatus != cbtypes.StatusTypeInProgress) {
			return b, nil
		}
		if err := pause(ctx, since, buildPause); err != nil {
			return nil, err
		}
	}
}

func buildOutcome(b *cbtypes.Build) (*outcome, error) {
	if b.BuildStatus != cbtypes.StatusTypeSucceeded {
		return nil, failed(types.FailureTypeJobFailed, "%s", buildFailure(b))
	}
	out := &outcome{variables: map[string]string{}}
	for _, v := range b.ExportedEnvironmentVariables {
		out.variables[aws.ToString(v.Name)] = aws.ToString(v.Value)
	}
	return out, nil
}

func buildFailure(b *cbtypes.Build) string {
	for _, p := range b.Phases {
		if hasFailed(p.PhaseStatus) {
			return terminated(b.BuildStatus, string(p.PhaseType), p.Contexts)
		}
	}
	return terminated(b.BuildStatus, "", nil)
}

func hasFailed(s cbtypes.StatusType) bool {
	return s != "" && s != cbtypes.StatusTypeSucceeded && s != cbtypes.StatusTypeInProgress
}

// terminated tells how a build or a batch has ended, and the phase that failed,
// if one did, in AWS's form.
func terminated(status cbtypes.StatusType, phase string, contexts []cbtypes.PhaseContext) string {
	text := "Build terminated with state: " + string(status)
	if phase != "" {
		text += ". Phase: " + phase
	}
	for _, c := range contexts {
		text += ", Code: " + aws.ToString(c.StatusCode) + ", Message: " + aws.ToString(c.Message)
	}
	return text
}
