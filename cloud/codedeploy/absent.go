package codedeploy

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
)

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
