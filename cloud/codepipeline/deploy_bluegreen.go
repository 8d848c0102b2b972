package codepipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/ecsrecord"
)

// codeDeployToECS registers a task definition out of a template and images, and
// has CodeDeploy move the service to it, as an AppSpec file says.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECSbluegreen.html
type codeDeployToECS struct{}

const (
	taskPlaceholder = "<TASK_DEFINITION>" // in the AppSpec file
	maxTaskFile     = 3 << 20
)

func (codeDeployToECS) run(ctx context.Context, j *job) (*outcome, error) {
	return j.deploy(ctx, func() (*cdtypes.RevisionLocation, error) {
		task, err := j.taskFromTemplate(ctx)
		if err != nil {
			return nil, err
		}
		spec, err := j.templateFile(ctx, "AppSpecTemplate", "appspec.yaml")
		if err != nil {
			return nil, err
		}
		arn, err := j.registerTask(ctx, task)
		if err != nil {
			return nil, err
		}
		content := strings.ReplaceAll(string(spec), taskPlaceholder, arn)
		sum := sha256.Sum256([]byte(content))
		return &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &cdtypes.AppSpecContent{
			Content: &content, Sha256: aws.String(hex.EncodeToString(sum[:])),
		}}, nil
	})
}

// templateFile reads the file that NAMEArtifact and NAMEPath tell of.
func (j *job) templateFile(ctx context.Context, name, otherwise string) ([]byte, error) {
	in, err := j.input(j.config[name+"Artifact"])
	if err != nil {
		return nil, err
	}
	return j.readArtifact(ctx, in, j.option(name+"Path", otherwise), maxTaskFile)
}

// taskFromTemplate is the task definition with its images, which stand in it as
// <CONTAINER NAME>.
func (j *job) taskFromTemplate(ctx context.Context) (map[string]any, error) {
	text, err := j.templateFile(ctx, "TaskDefinitionTemplate", "taskdef.json")
	if err != nil {
		return nil, err
	}
	body := string(text)
	for n := 1; n <= 4; n++ {
		from, name := j.config[fmt.Sprintf("Image%dArtifactName", n)], j.config[fmt.Sprintf("Image%dContainerName", n)]
		if from == "" || name == "" {
			continue
		}
		uri, err := j.imageURI(ctx, from)
		if err != nil {
			return nil, err
		}
		body = strings.ReplaceAll(body, "<"+name+">", uri)
	}
	var task map[string]any
	if err := json.Unmarshal([]byte(body), &task); err != nil {
		return nil, failed(types.FailureTypeConfigurationError, "the task definition is not valid: %s", jsonProblem(j.option("TaskDefinitionTemplatePath", "taskdef.json"), []byte(body), err))
	}
	return task, nil
}

func (j *job) imageURI(ctx context.Context, from string) (string, error) {
	in, err := j.input(from)
	if err != nil {
		return "", err
	}
	text, err := j.readArtifact(ctx, in, imageDetailFile, maxTaskFile)
	if err != nil {
		return "", err
	}
	var detail imageDetail
	if err := json.Unmarshal(text, &detail); err != nil || detail.ImageURI == "" {
		return "", failed(types.FailureTypeConfigurationError, "the file %s in artifact %q has no ImageURI", imageDetailFile, from)
	}
	return detail.ImageURI, nil
}

// registerTask records the task definition, whose file is written as ECS's API
// has it: its names begin with a small letter, the record's with a capital.
func (j *job) registerTask(ctx context.Context, task map[string]any) (string, error) {
	for _, name := range []string{"taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt", "registeredBy"} {
		delete(task, name) // of a task definition that was described
	}
	arn, err := ecsrecord.New(j.as).Register(ctx, ecsrecord.Properties(task), j.record.ID)
	return arn, absent(err, "Cloud Control")
}
