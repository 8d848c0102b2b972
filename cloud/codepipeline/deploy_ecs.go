package codepipeline

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/ecsrecord"
)

// ecsDeploy gives a service of ECS a new revision of its task definition, with
// the images that imagedefinitions.json names. The local cloud records services
// and task definitions, and runs no tasks: the action speaks to Cloud Control,
// where the records are, and is done when the service has its new revision.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECS.html
type ecsDeploy struct{}

// Sizes in bytes.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const maxImageDefinitions = 100 << 10

// imageDefinition is an entry of imagedefinitions.json.
type imageDefinition struct {
	Name     string `json:"name"`
	ImageURI string `json:"imageUri"`
}

func (ecsDeploy) run(ctx context.Context, j *job) (*outcome, error) {
	limit, err := j.deploymentTimeout()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithDeadlineCause(ctx, j.record.Started.Add(limit), failed(types.FailureTypeJobFailed,
		"The service %s did not reach a steady state within %d minutes", j.config["ServiceName"], limit/time.Minute))
	defer cancel()
	out, err := j.deployService(ctx)
	err = absent(err, "Cloud Control")
	if late := new(failure); err != nil && errors.As(context.Cause(ctx), &late) {
		return nil, late
	}
	return out, err
}

// deploymentTimeout is how long the service may take, 1 to 60 minutes.
func (j *job) deploymentTimeout() (time.Duration, error) {
	text := j.option("DeploymentTimeout", "60")
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 60 {
		return 0, failed(types.FailureTypeConfigurationError, "the configuration DeploymentTimeout of action %q is %q, and must be a number of minutes from 1 to 60", j.record.Name, text)
	}
	return time.Duration(n) * time.Minute, nil
}

func (j *job) deployService(ctx context.Context) (*outcome, error) {
	images, err := j.imageDefinitions(ctx)
	if err != nil {
		return nil, err
	}
	records := ecsrecord.New(j.as)
	service, err := records.Service(ctx, j.config["ClusterName"], j.config["ServiceName"])
	if err != nil {
		return nil, ecsFailure(err)
	}
	if j.record.ExternalID == "" {
		if err := j.revise(ctx, records, service, images); err != nil {
			return nil, ecsFailure(err)
		}
	}
	if err := records.Set(ctx, ecsrecord.Service, service.ID, map[string]any{"TaskDefinition": j.record.ExternalID}); err != nil {
		return nil, err
	}
	return &outcome{summary: "Deployment completed successfully: service " + j.config["ServiceName"] + " has " + j.record.ExternalID}, nil
}

func (j *job) imageDefinitions(ctx context.Context) ([]imageDefinition, error) {
	name := j.option("FileName", "imagedefinitions.json")
	in := j.record.Inputs[0]
	text, err := j.readArtifact(ctx, in, name, maxImageDefinitions)
	if errors.As(err, new(*noFile)) {
		return nil, failed(types.FailureTypeConfigurationError,
			"Did not find the image definition file %s in the input artifacts ZIP file. Verify the file is stored in your pipeline's Amazon S3 artifact bucket: %s key: %s", name, in.Bucket, in.Key)
	}
	if err != nil {
		return nil, err
	}
	var list []imageDefinition
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, failed(types.FailureTypeConfigurationError, "the image definition file is not valid: %s", jsonProblem(name, text, err))
	}
	for _, i := range list {
		if i.Name == "" || i.ImageURI == "" {
			return nil, failed(types.FailureTypeConfigurationError, "the image definition file %s must have a name and an imageUri in every entry", name)
		}
	}
	return list, nil
}

// ecsRefusals are how the action tells what ECS does not have.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html
var ecsRefusals = []struct {
	is   error
	text string
}{
	{ecsrecord.ErrNoCluster, "Cluster not found. (Error Code: ClusterNotFoundException)"},
	{ecsrecord.ErrNoService, "Service not found. (Error Code: ServiceNotFoundException)"},
	{ecsrecord.ErrNoTaskDefinition, "Unable to describe task definition. (Error Code: ClientException)"},
}

// ecsFailure tells of an error as the action does.
func ecsFailure(err error) error {
	for _, r := range ecsRefusals {
		if errors.Is(err, r.is) {
			return failed(types.FailureTypeConfigurationError, "%s", r.text)
		}
	}
	return err
}

// revise registers a revision of the service's task definition with the images,
// and keeps its ARN as what the action has made.
func (j *job) revise(ctx context.Context, records ecsrecord.Records, service *ecsrecord.Record, images []imageDefinition) error {
	current, _ := service.Properties["TaskDefinition"].(string)
	task, err := records.TaskDefinition(ctx, current)
	if err != nil {
		return err
	}
	for _, i := range images {
		if !setImage(task.Properties, i) {
			return failed(types.FailureTypeConfigurationError, "The task definition %s has no container named %q, which the image definition file names", current, i.Name)
		}
	}
	delete(task.Properties, "TaskDefinitionArn")
	arn, err := records.Register(ctx, task.Properties, j.record.ID)
	if err != nil {
		return err
	}
	return j.started(ctx, arn, consoleURL(j.caller.Region, "ecs/home?region="+j.caller.Region+"#/taskDefinitions"))
}

// setImage gives the container of that name its image, and tells whether there
// is one.
func setImage(task map[string]any, i imageDefinition) bool {
	containers, _ := task["ContainerDefinitions"].([]any)
	for _, c := range containers {
		if def, ok := c.(map[string]any); ok && def["Name"] == i.Name {
			def["Image"] = i.ImageURI
			return true
		}
	}
	return false
}
