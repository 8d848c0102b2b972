package codebuild

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

// What the local cloud does not have. Lists of it are empty, and whoever wants
// to make some is told so.
const (
	noFleets    = "The local cloud has no compute fleets: builds run on this machine"
	noSandboxes = "The local cloud has no sandboxes: a build's commands run as soon as it has started, and nobody can come in"
)

// CreateFleet answers that there are no fleets.
func (s *Service) CreateFleet(context.Context, *api.CreateFleetInput) (*api.CreateFleetOutput, error) {
	return nil, invalid(noFleets)
}

// UpdateFleet answers that there are no fleets.
func (s *Service) UpdateFleet(_ context.Context, in *api.UpdateFleetInput) (*api.UpdateFleetOutput, error) {
	return nil, notFound("Fleet %s does not exist. %s", aws.ToString(in.Arn), noFleets)
}

// DeleteFleet answers that there are no fleets.
func (s *Service) DeleteFleet(context.Context, *api.DeleteFleetInput) (*api.DeleteFleetOutput, error) {
	return nil, invalid(noFleets)
}

// BatchGetFleets finds none of the fleets.
func (s *Service) BatchGetFleets(_ context.Context, in *api.BatchGetFleetsInput) (*api.BatchGetFleetsOutput, error) {
	return &api.BatchGetFleetsOutput{Fleets: []types.Fleet{}, FleetsNotFound: in.Names}, nil
}

// ListFleets lists none.
func (s *Service) ListFleets(context.Context, *api.ListFleetsInput) (*api.ListFleetsOutput, error) {
	return &api.ListFleetsOutput{Fleets: []string{}}, nil
}

// StartSandbox answers that there are no sandboxes.
func (s *Service) StartSandbox(context.Context, *api.StartSandboxInput) (*api.StartSandboxOutput, error) {
	return nil, invalid(noSandboxes)
}

// StopSandbox answers that there are no sandboxes.
func (s *Service) StopSandbox(_ context.Context, in *api.StopSandboxInput) (*api.StopSandboxOutput, error) {
	return nil, notFound("Sandbox %s does not exist. %s", aws.ToString(in.Id), noSandboxes)
}

// StartSandboxConnection answers that there are no sandboxes.
func (s *Service) StartSandboxConnection(_ context.Context, in *api.StartSandboxConnectionInput) (*api.StartSandboxConnectionOutput, error) {
	return nil, notFound("Sandbox %s does not exist. %s", aws.ToString(in.SandboxId), noSandboxes)
}

// StartCommandExecution answers that there are no sandboxes.
func (s *Service) StartCommandExecution(_ context.Context, in *api.StartCommandExecutionInput) (*api.StartCommandExecutionOutput, error) {
	return nil, notFound("Sandbox %s does not exist. %s", aws.ToString(in.SandboxId), noSandboxes)
}

// BatchGetSandboxes finds none of the sandboxes.
func (s *Service) BatchGetSandboxes(_ context.Context, in *api.BatchGetSandboxesInput) (*api.BatchGetSandboxesOutput, error) {
	return &api.BatchGetSandboxesOutput{Sandboxes: []types.Sandbox{}, SandboxesNotFound: in.Ids}, nil
}

// BatchGetCommandExecutions answers that there are no sandboxes.
func (s *Service) BatchGetCommandExecutions(_ context.Context, in *api.BatchGetCommandExecutionsInput) (*api.BatchGetCommandExecutionsOutput, error) {
	return nil, invalid("Sandbox %s does not exist. %s", aws.ToString(in.SandboxId), noSandboxes)
}

// ListSandboxes lists none.
func (s *Service) ListSandboxes(context.Context, *api.ListSandboxesInput) (*api.ListSandboxesOutput, error) {
	return &api.ListSandboxesOutput{Ids: []string{}}, nil
}

// ListSandboxesForProject lists none, of a project that exists.
func (s *Service) ListSandboxesForProject(ctx context.Context, in *api.ListSandboxesForProjectInput) (*api.ListSandboxesForProjectOutput, error) {
	if _, err := s.project(ctx, aws.ToString(in.ProjectName)); err != nil {
		return nil, err
	}
	return &api.ListSandboxesForProjectOutput{Ids: []string{}}, nil
}

// ListCommandExecutionsForSandbox answers that there are no sandboxes.
func (s *Service) ListCommandExecutionsForSandbox(_ context.Context, in *api.ListCommandExecutionsForSandboxInput) (*api.ListCommandExecutionsForSandboxOutput, error) {
	return nil, notFound("Sandbox %s does not exist. %s", aws.ToString(in.SandboxId), noSandboxes)
}
