package codedeploy

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
)

// ContinueDeployment is for deployments that wait, which are blue/green ones.
func (s *Service) ContinueDeployment(ctx context.Context, in *codedeploy.ContinueDeploymentInput) (*codedeploy.ContinueDeploymentOutput, error) {
	d, err := s.deployment(ctx, in.DeploymentId)
	if err != nil {
		return nil, err
	}
	if d.done() {
		return nil, refuse("DeploymentAlreadyCompleted", "The deployment %s is already complete", d.id())
	}
	return nil, refuse("UnsupportedActionForDeploymentType", "Deployments that wait are blue/green ones to instances and to ECS, which the local cloud does not have")
}

// SkipWaitTimeForInstanceTermination is for deployments that terminate
// instances.
func (s *Service) SkipWaitTimeForInstanceTermination(ctx context.Context, in *codedeploy.SkipWaitTimeForInstanceTerminationInput) (*codedeploy.SkipWaitTimeForInstanceTerminationOutput, error) {
	d, err := s.deployment(ctx, in.DeploymentId)
	if err != nil {
		return nil, err
	}
	if d.done() {
		return nil, refuse("DeploymentAlreadyCompleted", "The deployment %s is already complete", d.id())
	}
	return nil, refuse("UnsupportedActionForDeploymentType", "Deployments that terminate instances are blue/green ones, which the local cloud does not have")
}

// ListGitHubAccountTokenNames lists none: a GitHub account is linked in AWS's
// console only.
func (s *Service) ListGitHubAccountTokenNames(context.Context, *codedeploy.ListGitHubAccountTokenNamesInput) (*codedeploy.ListGitHubAccountTokenNamesOutput, error) {
	return &codedeploy.ListGitHubAccountTokenNamesOutput{TokenNameList: []string{}}, nil
}

// DeleteGitHubAccountToken finds none.
func (s *Service) DeleteGitHubAccountToken(_ context.Context, in *codedeploy.DeleteGitHubAccountTokenInput) (*codedeploy.DeleteGitHubAccountTokenOutput, error) {
	if aws.ToString(in.TokenName) == "" {
		return nil, refuse("GitHubAccountTokenNameRequired", "The name of a GitHub account connection must be specified")
	}
	return nil, refuse("GitHubAccountTokenDoesNotExist", "No GitHub account connection exists with the name %s", *in.TokenName)
}

// DeleteResourcesByExternalId has nothing to delete: only CloudFormation's
// blue/green deployments on AWS have external ids.
func (s *Service) DeleteResourcesByExternalId(context.Context, *codedeploy.DeleteResourcesByExternalIdInput) (*codedeploy.DeleteResourcesByExternalIdOutput, error) {
	return &codedeploy.DeleteResourcesByExternalIdOutput{}, nil
}
