package codecommit

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"

	"ouro/cloud/door"
	"ouro/cloud/git"
	"ouro/cloud/store"
)

// UpdateRepositoryDescription changes or, without one, removes the
// description.
func (s *Service) UpdateRepositoryDescription(ctx context.Context, in *codecommit.UpdateRepositoryDescriptionInput) (*codecommit.UpdateRepositoryDescriptionOutput, error) {
	if err := checkDescription(in.RepositoryDescription); err != nil {
		return nil, err
	}
	_, err := s.change(ctx, in.RepositoryName, func(r *repository) {
		r.Description, r.Modified = aws.ToString(in.RepositoryDescription), s.host.Now()
	})
	return &codecommit.UpdateRepositoryDescriptionOutput{}, err
}

// UpdateRepositoryName renames a repository. Its id stays; its ARN and its
// clone URL change.
func (s *Service) UpdateRepositoryName(ctx context.Context, in *codecommit.UpdateRepositoryNameInput) (*codecommit.UpdateRepositoryNameOutput, error) {
	for _, name := range []*string{in.OldName, in.NewName} {
		if err := checkRepositoryName(name); err != nil {
			return nil, err
		}
	}
	caller := door.CallerFrom(ctx)
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		r, err := s.repositories.Get(ctx, caller.Scope(), *in.OldName)
		if err != nil {
			return notFound(err, *in.OldName)
		}
		r.Name, r.Modified = *in.NewName, s.host.Now()
		r.ARN = caller.ResourceARN("codecommit", r.Name)
		if err := s.repositories.Insert(ctx, caller.Scope(), r.Name, r); err != nil {
			return err
		}
		if err := s.names.Put(ctx, caller.Scope(), r.ID, r.Name); err != nil {
			return err
		}
		return s.repositories.Delete(ctx, caller.Scope(), *in.OldName)
	})
	if errors.Is(err, store.ErrExists) {
		return nil, nameExists(*in.NewName)
	}
	return &codecommit.UpdateRepositoryNameOutput{}, err
}

// UpdateDefaultBranch makes another branch the default one.
func (s *Service) UpdateDefaultBranch(ctx context.Context, in *codecommit.UpdateDefaultBranchInput) (*codecommit.UpdateDefaultBranchOutput, error) {
	if err := checkBranchName(in.DefaultBranchName); err != nil {
		return nil, err
	}
	_, g, err := s.open(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	err = g.SetDefaultBranch(ctx, *in.DefaultBranchName)
	if errors.Is(err, git.ErrNoRef) {
		return nil, noBranch(*in.DefaultBranchName)
	}
	if err != nil {
		return nil, fmt.Errorf("updating the default branch of %q: %w", *in.RepositoryName, err)
	}
	return &codecommit.UpdateDefaultBranchOutput{}, nil
}
