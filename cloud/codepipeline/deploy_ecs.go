package codepipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
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
	e := &ecsResources{job: j, client: cloudcontrol.NewFromConfig(j.as)}
	service, err := e.service(ctx, j.config["ClusterName"], j.config["ServiceName"])
	if err != nil {
		return nil, err
	}
	if j.record.ExternalID == "" {
		if err := e.revise(ctx, service, images); err != nil {
			return nil, err
		}
	}
	patch, err := json.Marshal([]map[string]string{{"op": "replace", "path": "/TaskDefinition", "value": j.record.ExternalID}})
	if err != nil {
		return nil, fmt.Errorf("writing the change of service %q: %w", j.config["ServiceName"], err)
	}
	_, err = e.client.UpdateResource(ctx, &cloudcontrol.UpdateResourceInput{
		TypeName: aws.String(ecsService), Identifier: &service.id, PatchDocument: aws.String(string(patch)),
	})
	if err != nil {
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

const (
	ecsService        = "AWS::ECS::Service"
	ecsTaskDefinition = "AWS::ECS::TaskDefinition"
)

// ecsResources are the records of ECS.
type ecsResources struct {
	*job
	client *cloudcontrol.Client
}

// ecsRecord is a resource with its properties.
type ecsRecord struct {
	id         string
	properties map[string]any
}

// service finds a service by the names of its cluster and its own.
func (e *ecsResources) service(ctx context.Context, cluster, name string) (*ecsRecord, error) {
	clusterThere := false
	pages := cloudcontrol.NewListResourcesPaginator(e.client, &cloudcontrol.ListResourcesInput{TypeName: aws.String(ecsService)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range page.ResourceDescriptions {
			arn, _, _ := strings.Cut(aws.ToString(r.Identifier), "|")
			_, path, _ := strings.Cut(arn, ":service/")
			in, own, _ := strings.Cut(path, "/")
			clusterThere = clusterThere || in == lastPart(cluster)
			if in == lastPart(cluster) && own == lastPart(name) {
				return e.read(ctx, ecsService, *r.Identifier)
			}
		}
	}
	if !clusterThere {
		_, err := e.read(ctx, "AWS::ECS::Cluster", lastPart(cluster))
		if err != nil {
			return nil, failed(types.FailureTypeConfigurationError, "Cluster not found. (Error Code: ClusterNotFoundException)")
		}
	}
	return nil, failed(types.FailureTypeConfigurationError, "Service not found. (Error Code: ServiceNotFoundException)")
}

// lastPart is the name in an ARN, or the name itself.
func lastPart(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

func (e *ecsResources) read(ctx context.Context, kind, id string) (*ecsRecord, error) {
	out, err := e.client.GetResource(ctx, &cloudcontrol.GetResourceInput{TypeName: &kind, Identifier: &id})
	if err != nil {
		return nil, err
	}
	r := &ecsRecord{id: id}
	dec := json.NewDecoder(strings.NewReader(aws.ToString(out.ResourceDescription.Properties)))
	dec.UseNumber()
	return r, dec.Decode(&r.properties)
}

// revise registers a revision of the service's task definition with the images,
// and keeps its ARN as what the action has made.
func (e *ecsResources) revise(ctx context.Context, service *ecsRecord, images []imageDefinition) error {
	current, _ := service.properties["TaskDefinition"].(string)
	task, err := e.taskDefinition(ctx, current)
	if err != nil {
		return err
	}
	for _, i := range images {
		if !setImage(task.properties, i) {
			return failed(types.FailureTypeConfigurationError, "The task definition %s has no container named %q, which the image definition file names", current, i.Name)
		}
	}
	delete(task.properties, "TaskDefinitionArn")
	arn, err := e.register(ctx, task.properties)
	if err != nil {
		return err
	}
	return e.started(ctx, arn, consoleURL(e.caller.Region, "ecs/home?region="+e.caller.Region+"#/taskDefinitions"))
}

// register makes a task definition, the next revision of its family.
func (e *ecsResources) register(ctx context.Context, properties map[string]any) (arn string, err error) {
	body, err := json.Marshal(properties)
	if err != nil {
		return "", fmt.Errorf("writing a task definition: %w", err)
	}
	out, err := e.client.CreateResource(ctx, &cloudcontrol.CreateResourceInput{
		TypeName: aws.String(ecsTaskDefinition), DesiredState: aws.String(string(body)), ClientToken: &e.record.ID,
	})
	if err != nil {
		return "", err
	}
	if arn = aws.ToString(out.ProgressEvent.Identifier); arn == "" {
		return "", failed(types.FailureTypeJobFailed, "The task definition was not registered: %s", aws.ToString(out.ProgressEvent.StatusMessage))
	}
	return arn, nil
}

// taskDefinition finds a task definition by ARN, by family and revision, or the
// newest of a family.
func (e *ecsResources) taskDefinition(ctx context.Context, name string) (*ecsRecord, error) {
	if strings.HasPrefix(name, "arn:") {
		return e.read(ctx, ecsTaskDefinition, name)
	}
	var newest string
	pages := cloudcontrol.NewListResourcesPaginator(e.client, &cloudcontrol.ListResourcesInput{TypeName: aws.String(ecsTaskDefinition)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range page.ResourceDescriptions {
			own := lastPart(aws.ToString(r.Identifier))
			family, revision, _ := strings.Cut(own, ":")
			if own == name {
				return e.read(ctx, ecsTaskDefinition, *r.Identifier)
			}
			if family == name && later(revision, newest) {
				newest = *r.Identifier
			}
		}
	}
	if newest == "" {
		return nil, failed(types.FailureTypeConfigurationError, "Unable to describe task definition %s. (Error Code: ClientException)", name)
	}
	return e.read(ctx, ecsTaskDefinition, newest)
}

// later compares a revision with the one at the end of an ARN.
func later(revision, arn string) bool {
	before := arn[strings.LastIndexByte(arn, ':')+1:]
	return len(revision) > len(before) || len(revision) == len(before) && revision > before
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
