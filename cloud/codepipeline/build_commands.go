package codepipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	cbtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

// commands runs shell commands in a build of CodePipeline's own: nobody has to
// make a project. AWS keeps the project out of sight; here it is one for each
// pipeline, which is seen, and goes with the pipeline. The build calls as the
// action's role, which trusts CodePipeline and not CodeBuild; its log is in the
// group /aws/codepipeline/PIPELINE.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Commands.html
type commands struct{}

const commandsProvider = "Commands" // of the action and of the rule

func (commands) run(ctx context.Context, j *job) (*outcome, error) {
	client := codebuild.NewFromConfig(j.service.host.As(j.caller))
	if j.record.ExternalID != "" {
		return j.build(ctx, client, nil)
	}
	in, err := j.buildInput()
	if err != nil {
		return nil, err
	}
	if err := j.commandsInput(in); err != nil {
		return nil, err
	}
	if err := j.ensureProject(ctx, client, in); err != nil {
		return nil, err
	}
	return j.build(ctx, client, in)
}

// commandsInput is what makes the build this action's.
func (j *job) commandsInput(in *codebuild.StartBuildInput) error {
	spec, err := j.commandsSpec()
	if err != nil {
		return err
	}
	in.ProjectName, in.BuildspecOverride = aws.String(commandsProject(j.key.name)), &spec
	in.ServiceRoleOverride = aws.String(j.role)
	if role := aws.ToString(j.record.Declaration.RoleArn); role != "" {
		in.ServiceRoleOverride = &role
	}
	for _, v := range j.record.Declaration.EnvironmentVariables {
		value, err := j.execution.resolve(map[string]string{"environmentVariables": aws.ToString(v.Value)})
		if err != nil {
			return err
		}
		in.EnvironmentVariablesOverride = append(in.EnvironmentVariablesOverride, cbtypes.EnvironmentVariable{
			Name: v.Name, Value: aws.String(value["environmentVariables"]), Type: cbtypes.EnvironmentVariableType(v.Type),
		})
	}
	return nil
}

// commandsSpec is the buildspec that the action's commands, output variables
// and files make.
func (j *job) commandsSpec() (string, error) {
	decl := j.record.Declaration
	lines := make([]string, len(decl.Commands))
	for i, c := range decl.Commands {
		resolved, err := j.execution.resolve(map[string]string{"commands": c})
		if err != nil {
			return "", err
		}
		lines[i] = resolved["commands"]
	}
	spec := map[string]any{"version": "0.2", "phases": map[string]any{"build": map[string]any{"commands": lines}}}
	if len(decl.OutputVariables) > 0 {
		spec["env"] = map[string]any{"exported-variables": decl.OutputVariables}
	}
	for _, o := range decl.OutputArtifacts {
		files := o.Files
		if len(files) == 0 {
			files = []string{"**/*"}
		}
		spec["artifacts"] = map[string]any{"files": files}
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return "", fmt.Errorf("writing the buildspec of action %q: %w", j.record.Name, err)
	}
	return string(text), nil
}

// commandsProject is the project of a pipeline's commands. Names of projects
// lack some characters that pipelines' names may have.
func commandsProject(pipeline string) string {
	return "AWSCodePipeline-" + strings.NewReplacer(".", "-", "@", "-").Replace(pipeline)
}

func (j *job) ensureProject(ctx context.Context, client *codebuild.Client, in *codebuild.StartBuildInput) error {
	group := "/aws/codepipeline/" + j.key.name
	in.LogsConfigOverride = &cbtypes.LogsConfig{CloudWatchLogs: &cbtypes.CloudWatchLogsConfig{Status: cbtypes.LogsConfigStatusTypeEnabled, GroupName: &group}}
	_, err := client.CreateProject(ctx, &codebuild.CreateProjectInput{
		Name: in.ProjectName, ServiceRole: in.ServiceRoleOverride, Description: aws.String("Commands of pipeline " + j.key.name),
		Source:    &cbtypes.ProjectSource{Type: cbtypes.SourceTypeCodepipeline, Buildspec: in.BuildspecOverride},
		Artifacts: &cbtypes.ProjectArtifacts{Type: cbtypes.ArtifactsTypeCodepipeline},
		Environment: &cbtypes.ProjectEnvironment{
			Type: cbtypes.EnvironmentTypeLinuxContainer, ComputeType: cbtypes.ComputeTypeBuildGeneral1Small, Image: aws.String("aws/codebuild/amazonlinux2-x86_64-standard:5.0"),
		},
	})
	if there := new(cbtypes.ResourceAlreadyExistsException); errors.As(err, &there) {
		return nil
	}
	if err != nil {
		return notStarted("createProject", err)
	}
	return nil
}

// dropProjects deletes the projects of a pipeline's commands.
func (s *Service) dropProjects(ctx context.Context, key lineKey, p *plan) error {
	regions := map[string]bool{}
	for _, st := range p.definition.Stages {
		for _, a := range slices.Concat(st.Actions, ruleActions(st)) {
			if aws.ToString(a.ActionTypeId.Provider) == commandsProvider {
				regions[aws.ToString(a.Region)] = true
			}
		}
	}
	for region := range regions {
		_, err := codebuild.NewFromConfig(s.host.As(self(key.scope, region))).DeleteProject(ctx, &codebuild.DeleteProjectInput{Name: aws.String(commandsProject(key.name))})
		if err != nil {
			return fmt.Errorf("deleting the project of the commands of pipeline %q: %w", key.name, err)
		}
	}
	return nil
}
