package codecommit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"ouro/cloud/door"
	"ouro/cloud/git"
	"ouro/cloud/store"
)

// firstBranch is the branch that clones of an empty repository begin with. The
// first one that is pushed becomes the default branch, whatever its name.
const firstBranch = "main"

// maxDescription is the length of the longest description, in characters.
const maxDescription = 1000

// CreateRepository makes an empty repository.
func (s *Service) CreateRepository(ctx context.Context, in *codecommit.CreateRepositoryInput) (*codecommit.CreateRepositoryOutput, error) {
	if err := checkRepositoryName(in.RepositoryName); err != nil {
		return nil, err
	}
	if err := checkDescription(in.RepositoryDescription); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	caller, now := door.CallerFrom(ctx), s.host.Now()
	r := repository{
		ID: s.host.NewID(), Name: *in.RepositoryName,
		ARN:         caller.ResourceARN("codecommit", *in.RepositoryName),
		Description: aws.ToString(in.RepositoryDescription), KmsKeyID: aws.ToString(in.KmsKeyId),
		Created: now, Modified: now, Tags: in.Tags,
	}
	if _, err := s.repositories.Get(ctx, caller.Scope(), r.Name); err == nil {
		return nil, nameExists(r.Name)
	}
	if _, err := s.git.Create(ctx, caller.Scope(), r.ID, firstBranch); err != nil {
		return nil, err
	}
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if err := s.repositories.Insert(ctx, caller.Scope(), r.Name, r); err != nil {
			return err
		}
		return s.names.Insert(ctx, caller.Scope(), r.ID, r.Name)
	})
	if err != nil {
		err = errors.Join(err, s.git.Remove(ctx, caller.Scope(), r.ID))
	}
	if errors.Is(err, store.ErrExists) {
		return nil, nameExists(r.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("creating repository %q: %w", r.Name, err)
	}
	return &codecommit.CreateRepositoryOutput{RepositoryMetadata: s.metadata(caller, r, "")}, nil
}

func nameExists(name string) error {
	return &types.RepositoryNameExistsException{Message: aws.String("Repository named " + name + " already exists")}
}

func checkDescription(text *string) error {
	if len([]rune(aws.ToString(text))) > maxDescription {
		return &types.InvalidRepositoryDescriptionException{Message: aws.String("The description is longer than 1,000 characters.")}
	}
	return nil
}

// metadata is what AWS tells of a repository.
func (s *Service) metadata(c door.Caller, r repository, defaultBranch string) *types.RepositoryMetadata {
	m := &types.RepositoryMetadata{
		AccountId: aws.String(c.Account), Arn: aws.String(r.ARN),
		CloneUrlHttp: aws.String(s.cloneURL(c.Scope(), r.Name)),
		CloneUrlSsh:  aws.String("ssh://git-codecommit." + c.Region + ".amazonaws.com/v1/repos/" + r.Name),
		CreationDate: aws.Time(r.Created), LastModifiedDate: aws.Time(r.Modified),
		RepositoryId: aws.String(r.ID), RepositoryName: aws.String(r.Name),
	}
	for _, f := range []struct {
		to   **string
		text string
	}{{&m.DefaultBranch, defaultBranch}, {&m.KmsKeyId, r.KmsKeyID}, {&m.RepositoryDescription, r.Description}} {
		if f.text != "" {
			*f.to = aws.String(f.text)
		}
	}
	return m
}

// GetRepository describes a repository.
func (s *Service) GetRepository(ctx context.Context, in *codecommit.GetRepositoryInput) (*codecommit.GetRepositoryOutput, error) {
	r, g, err := s.open(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	branch, err := g.DefaultBranch()
	if err != nil {
		return nil, err
	}
	return &codecommit.GetRepositoryOutput{RepositoryMetadata: s.metadata(door.CallerFrom(ctx), r, branch)}, nil
}

// BatchGetRepositories describes up to 100 repositories.
func (s *Service) BatchGetRepositories(ctx context.Context, in *codecommit.BatchGetRepositoriesInput) (*codecommit.BatchGetRepositoriesOutput, error) {
	switch n := len(in.RepositoryNames); {
	case n == 0:
		return nil, &types.RepositoryNamesRequiredException{Message: aws.String("At least one repository name is required.")}
	case n > 100:
		return nil, &types.MaximumRepositoryNamesExceededException{Message: aws.String("At most 100 repository names can be given.")}
	}
	out := &codecommit.BatchGetRepositoriesOutput{}
	for _, name := range in.RepositoryNames {
		one, err := s.GetRepository(ctx, &codecommit.GetRepositoryInput{RepositoryName: aws.String(name)})
		var missing *types.RepositoryDoesNotExistException
		switch {
		case errors.As(err, &missing):
			out.RepositoriesNotFound = append(out.RepositoriesNotFound, name)
			out.Errors = append(out.Errors, types.BatchGetRepositoriesError{
				RepositoryName: aws.String(name), ErrorMessage: missing.Message,
				ErrorCode: types.BatchGetRepositoriesErrorCodeEnumRepositoryDoesNotExistException,
			})
		case err != nil:
			return nil, err
		default:
			out.Repositories = append(out.Repositories, *one.RepositoryMetadata)
		}
	}
	return out, nil
}

// ListRepositories lists names and ids, by name unless told otherwise.
func (s *Service) ListRepositories(ctx context.Context, in *codecommit.ListRepositoriesInput) (*codecommit.ListRepositoriesOutput, error) {
	all, err := s.repositories.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, fmt.Errorf("listing repositories: %w", err)
	}
	order, err := sorting(in.SortBy, in.Order)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, order)
	some, next, err := page(all, in.NextToken, 1000)
	if err != nil {
		return nil, err
	}
	out := &codecommit.ListRepositoriesOutput{NextToken: next, Repositories: []types.RepositoryNameIdPair{}}
	for _, e := range some {
		out.Repositories = append(out.Repositories, types.RepositoryNameIdPair{
			RepositoryId: aws.String(e.Value.ID), RepositoryName: aws.String(e.Value.Name),
		})
	}
	return out, nil
}

// sorting gives the order in which repositories are listed.
func sorting(by types.SortByEnum, order types.OrderEnum) (func(a, b store.Entry[repository]) int, error) {
	var f func(a, b store.Entry[repository]) int
	switch by {
	case "", types.SortByEnumRepositoryName:
		f = func(a, b store.Entry[repository]) int { return strings.Compare(a.ID, b.ID) }
	case types.SortByEnumModifiedDate:
		f = func(a, b store.Entry[repository]) int { return a.Value.Modified.Compare(b.Value.Modified) }
	default:
		return nil, &types.InvalidSortByException{Message: aws.String("The sort by value is not valid: it must be repositoryName or lastModifiedDate.")}
	}
	switch order {
	case "", types.OrderEnumAscending:
		return f, nil
	case types.OrderEnumDescending:
		return func(a, b store.Entry[repository]) int { return f(b, a) }, nil
	}
	return nil, &types.InvalidOrderException{Message: aws.String("The order is not valid: it must be ascending or descending.")}
}

// DeleteRepository deletes a repository with all its content. One that is not
// there is deleted without an id in the answer, as on AWS.
func (s *Service) DeleteRepository(ctx context.Context, in *codecommit.DeleteRepositoryInput) (*codecommit.DeleteRepositoryOutput, error) {
	r, err := s.find(ctx, in.RepositoryName)
	var missing *types.RepositoryDoesNotExistException
	if errors.As(err, &missing) {
		return &codecommit.DeleteRepositoryOutput{}, nil
	}
	if err != nil {
		return nil, err
	}
	scope := door.CallerFrom(ctx).Scope()
	err = s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if err := s.repositories.Delete(ctx, scope, r.Name); err != nil {
			return err
		}
		return s.names.Delete(ctx, scope, r.ID)
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("deleting repository %q: %w", r.Name, err)
	}
	if err := s.git.Remove(ctx, scope, r.ID); err != nil && !errors.Is(err, git.ErrNoRepository) {
		return nil, err
	}
	return &codecommit.DeleteRepositoryOutput{RepositoryId: aws.String(r.ID)}, nil
}
