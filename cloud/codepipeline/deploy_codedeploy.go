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
		what, err := revision()
		if err != nil {
			return nil, err
		}
		out, err := client.CreateDeployment(ctx, &codedeploy.CreateDeploymentInput{
			ApplicationName: aws.String(j.config["ApplicationName"]), DeploymentGroupName: aws.String(j.config["DeploymentGroupName"]), Revision: what,
		})
		if err != nil {
			return nil, absent(err, "CodeDeploy")
		}
		id := aws.ToString(out.DeploymentId)
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

func deploymentFailure(d *cdtypes.DeploymentInfo) error {
	if e := d.ErrorInformation; e != nil {
		return failed(types.FailureTypeJobFailed, "Deployment %s failed: %s (%s)", aws.ToString(d.DeploymentId), aws.ToString(e.Message), e.Code)
	}
	return failed(types.FailureTypeJobFailed, "Deployment %s ended with status %s", aws.ToString(d.DeploymentId), d.Status)
}
