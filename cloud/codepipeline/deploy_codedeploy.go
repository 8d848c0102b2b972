package codepipeline

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// codeDeploy has CodeDeploy install the input artifact.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeDeploy.html
type codeDeploy struct{}

func (codeDeploy) run(ctx context.Context, j *job) (*outcome, error) {
	in := j.record.Inputs[0]
	return j.deploy(ctx, func() (*cdtypes.RevisionLocation, error) {
		return &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeS3, S3Location: &cdtypes.S3Location{
			Bucket: &in.Bucket, Key: &in.Key, BundleType: cdtypes.BundleTypeZip,
		}}, nil
	})
}

// deploymentPause is the longest between two looks at a deployment.
const deploymentPause = time.Second

// deploy makes a deployment of the revision and follows it.
func (j *job) deploy(ctx context.Context, revision func() (*cdtypes.RevisionLocation, error)) (*outcome, error) {
	client := codedeploy.NewFromConfig(j.as)
	if j.record.ExternalID == "" {
		id, err := j.createDeployment(ctx, client, revision)
		if err != nil {
			return nil, absent(err, "CodeDeploy")
		}
		if err := j.started(ctx, id, consoleURL(j.caller.Region, "codedeploy/home?region="+j.caller.Region+"#/deployments/"+id)); err != nil {
			return nil, err
		}
	}
	for since := time.Now(); ; {
		out, err := client.GetDeployment(ctx, &codedeploy.GetDeploymentInput{DeploymentId: &j.record.ExternalID})
		if err != nil {
			return nil, absent(err, "CodeDeploy")
		}
		switch d := out.DeploymentInfo; d.Status {
		case cdtypes.DeploymentStatusSucceeded:
			return &outcome{summary: "Deployment Succeeded"}, nil
		case cdtypes.DeploymentStatusFailed, cdtypes.DeploymentStatusStopped:
			return nil, deploymentFailure(d)
		}
		if err := pause(ctx, since, deploymentPause); err != nil {
			return nil, err
		}
	}
}

// createDeployment makes the deployment. CodeDeploy takes no token of the
// client's, so the description names the action: what a process has made that
// died before it could write down the id is found by it.
func (j *job) createDeployment(ctx context.Context, client *codedeploy.Client, revision func() (*cdtypes.RevisionLocation, error)) (string, error) {
	in := &codedeploy.CreateDeploymentInput{
		ApplicationName: aws.String(j.config["ApplicationName"]), DeploymentGroupName: aws.String(j.config["DeploymentGroupName"]),
		Description: aws.String("Action execution " + j.record.ID + " of pipeline " + j.key.name),
	}
	if j.record.Begun {
		if id, err := j.findDeployment(ctx, in); err != nil || id != "" {
			return id, err
		}
	}
	var err error
	if in.Revision, err = revision(); err != nil {
		return "", err
	}
	if err := j.save(ctx, func(a *action) { a.Begun = true }); err != nil {
		return "", err
	}
	out, err := client.CreateDeployment(ctx, in)
	if err != nil {
		return "", err
	}
	return aws.ToString(out.DeploymentId), nil
}

// findDeployment finds a deployment by its description. The service looks for
// itself: the roles of pipelines need not allow it.
func (j *job) findDeployment(ctx context.Context, like *codedeploy.CreateDeploymentInput) (string, error) {
	client := codedeploy.NewFromConfig(j.service.host.As(j.caller))
	pages := codedeploy.NewListDeploymentsPaginator(client, &codedeploy.ListDeploymentsInput{
		ApplicationName: like.ApplicationName, DeploymentGroupName: like.DeploymentGroupName,
		CreateTimeRange: &cdtypes.TimeRange{Start: aws.Time(j.record.Started.Add(-time.Second))}, // its clock has whole seconds
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", err
		}
		for _, id := range page.Deployments {
			out, err := client.GetDeployment(ctx, &codedeploy.GetDeploymentInput{DeploymentId: &id})
			if err != nil {
				return "", err
			}
			if aws.ToString(out.DeploymentInfo.Description) == *like.Description {
				return id, nil
			}
		}
	}
	return "", nil
}

func deploymentFailure(d *cdtypes.DeploymentInfo) error {
	if e := d.ErrorInformation; e != nil {
		return failed(types.FailureTypeJobFailed, "Deployment %s failed: %s (%s)", aws.ToString(d.DeploymentId), aws.ToString(e.Message), e.Code)
	}
	return failed(types.FailureTypeJobFailed, "Deployment %s ended with status %s", aws.ToString(d.DeploymentId), d.Status)
}
