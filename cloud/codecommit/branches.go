package codecommit

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"ouro/cloud/door"
	"ouro/cloud/git"
)

// maxBranches is how many branches one page of ListBranches has.
const maxBranches = 1000

// CreateBranch makes a branch at an existing commit.
func (s *Service) CreateBranch(ctx context.Context, in *codecommit.CreateBranchInput) (*codecommit.CreateBranchOutput, error) {
	if err := checkBranchName(in.BranchName); err != nil {
		return nil, err
	}
	if err := checkCommitID(in.CommitId); err != nil {
		return nil, err
	}
	_, g, err := s.open(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	c, err := g.Commit(ctx, *in.CommitId)
	if errors.Is(err, git.ErrNoObject) || err == nil && c.ID != *in.CommitId {
		return nil, &types.CommitDoesNotExistException{Message: aws.String("Commit " + *in.CommitId + " does not exist")}
	}
	if err != nil {
		return nil, err
	}
	err = g.UpdateRef(ctx, git.Branches+*in.BranchName, "", c.ID, door.CallerFrom(ctx).ARN)
	if errors.Is(err, git.ErrMoved) {
		return nil, &types.BranchNameExistsException{Message: aws.String("Branch named " + *in.BranchName + " already exists")}
	}
	return &codecommit.CreateBranchOutput{}, err
}

// GetBranch tells at which commit a branch is.
func (s *Service) GetBranch(ctx context.Context, in *codecommit.GetBranchInput) (*codecommit.GetBranchOutput, error) {
	_, _, branch, err := s.branch(ctx, in.RepositoryName, in.BranchName)
	if err != nil {
		return nil, err
	}
	return &codecommit.GetBranchOutput{Branch: branch}, nil
}

// branch finds a branch of a repository of the caller.
func (s *Service) branch(ctx context.Context, repositoryName, name *string) (repository, *git.Repository, *types.BranchInfo, error) {
	r, g, err := s.open(ctx, repositoryName)
	if err != nil {
		return r, nil, nil, err
	}
	if err := checkBranchName(name); err != nil {
		return r, nil, nil, err
	}
	id, err := g.Ref(git.Branches + *name)
	if errors.Is(err, git.ErrNoRef) {
		return r, g, nil, noBranch(*name)
	}
	return r, g, &types.BranchInfo{BranchName: name, CommitId: aws.String(id)}, err
}

// ListBranches lists the names of the branches.
func (s *Service) ListBranches(ctx context.Context, in *codecommit.ListBranchesInput) (*codecommit.ListBranchesOutput, error) {
	_, g, err := s.open(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	names, err := g.BranchNames()
	if err != nil {
		return nil, err
	}
	some, next, err := page(names, in.NextToken, maxBranches)
	if err != nil {
		return nil, err
	}
	return &codecommit.ListBranchesOutput{Branches: append([]string{}, some...), NextToken: next}, nil
}

// DeleteBranch deletes a branch that is not the default one. One that is not
// there is deleted without telling of it, as on AWS.
func (s *Service) DeleteBranch(ctx context.Context, in *codecommit.DeleteBranchInput) (*codecommit.DeleteBranchOutput, error) {
	_, g, branch, err := s.branch(ctx, in.RepositoryName, in.BranchName)
	var missing *types.BranchDoesNotExistException
	if errors.As(err, &missing) {
		return &codecommit.DeleteBranchOutput{}, nil
	}
	if err != nil {
		return nil, err
	}
	kept, err := g.DefaultBranch()
	if err != nil {
		return nil, err
	}
	if kept == *in.BranchName {
		return nil, &types.DefaultBranchCannotBeDeletedException{Message: aws.String("The default branch " + kept + " cannot be deleted.")}
	}
	err = g.UpdateRef(ctx, git.Branches+*in.BranchName, *branch.CommitId, "", door.CallerFrom(ctx).ARN)
	if errors.Is(err, git.ErrMoved) {
		return nil, concurrent(*in.BranchName)
	}
	if err != nil {
		return nil, err
	}
	return &codecommit.DeleteBranchOutput{DeletedBranch: branch}, nil
}

func concurrent(branch string) error {
	return &types.ConcurrentReferenceUpdateException{Message: aws.String("Branch " + branch + " was changed at the same time")}
}
