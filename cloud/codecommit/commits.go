package codecommit

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"ouro/cloud/git"
)

// GetCommit describes a commit.
func (s *Service) GetCommit(ctx context.Context, in *codecommit.GetCommitInput) (*codecommit.GetCommitOutput, error) {
	if err := checkCommitID(in.CommitId); err != nil {
		return nil, err
	}
	_, g, err := s.open(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	c, err := g.Commit(ctx, *in.CommitId)
	if errors.Is(err, git.ErrNoObject) {
		return nil, &types.CommitIdDoesNotExistException{Message: aws.String("Commit " + *in.CommitId + " does not exist")}
	}
	if err != nil {
		return nil, err
	}
	return &codecommit.GetCommitOutput{Commit: describe(c)}, nil
}

// BatchGetCommits describes up to 100 commits.
func (s *Service) BatchGetCommits(ctx context.Context, in *codecommit.BatchGetCommitsInput) (*codecommit.BatchGetCommitsOutput, error) {
	switch n := len(in.CommitIds); {
	case n == 0:
		return nil, &types.CommitIdsListRequiredException{Message: aws.String("A list of commit IDs is required.")}
	case n > 100:
		return nil, &types.CommitIdsLimitExceededException{Message: aws.String("At most 100 commit IDs can be given.")}
	}
	_, g, err := s.open(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &codecommit.BatchGetCommitsOutput{}
	for _, id := range in.CommitIds {
		c, err := g.Commit(ctx, id)
		switch {
		case errors.Is(err, git.ErrNoObject):
			out.Errors = append(out.Errors, types.BatchGetCommitsError{
				CommitId: aws.String(id), ErrorCode: aws.String("CommitDoesNotExistException"),
				ErrorMessage: aws.String("Commit " + id + " does not exist"),
			})
		case err != nil:
			return nil, err
		default:
			out.Commits = append(out.Commits, *describe(c))
		}
	}
	return out, nil
}

// describe is a commit as CodeCommit tells it.
func describe(c git.Commit) *types.Commit {
	return &types.Commit{
		AdditionalData: aws.String(""),
		Author:         user(c.Author), Committer: user(c.Committer),
		CommitId: aws.String(c.ID), TreeId: aws.String(c.Tree),
		Message: aws.String(c.Message), Parents: append([]string{}, c.Parents...),
	}
}

func user(s git.Signature) *types.UserInfo {
	return &types.UserInfo{Name: aws.String(s.Name), Email: aws.String(s.Email), Date: aws.String(s.Date())}
}

// resolve finds the commit that a specifier names: an id, a reference, a
// branch or a tag. Without one it is the default branch's.
func resolve(ctx context.Context, g *git.Repository, specifier *string) (git.Commit, error) {
	name := aws.ToString(specifier)
	if name == "" {
		name = "HEAD"
	}
	c, err := g.Resolve(ctx, name)
	if errors.Is(err, git.ErrNoRef) || errors.Is(err, git.ErrNoObject) {
		return c, &types.CommitDoesNotExistException{Message: aws.String("Commit " + name + " does not exist")}
	}
	return c, err
}

// maxDifferences is how many differences a page has that names no number.
const maxDifferences = 400

// GetDifferences lists the files that differ between two commits. Without the
// first, all files of the second count as added.
func (s *Service) GetDifferences(ctx context.Context, in *codecommit.GetDifferencesInput) (*codecommit.GetDifferencesOutput, error) {
	if aws.ToString(in.AfterCommitSpecifier) == "" {
		return nil, &types.CommitRequiredException{Message: aws.String("A commit was not specified.")}
	}
	size := maxDifferences
	if in.MaxResults != nil {
		if size = int(*in.MaxResults); size < 1 {
			return nil, &types.InvalidMaxResultsException{Message: aws.String("The number of results must be positive.")}
		}
	}
	_, g, err := s.open(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	after, err := resolve(ctx, g, in.AfterCommitSpecifier)
	if err != nil {
		return nil, err
	}
	var before git.Commit
	if in.BeforeCommitSpecifier != nil {
		if before, err = resolve(ctx, g, in.BeforeCommitSpecifier); err != nil {
			return nil, err
		}
	}
	all, err := g.Differences(ctx, before.Tree, after.Tree)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(d git.Difference) bool {
		return !below(d.Before.Path, in.BeforePath) || !below(d.After.Path, in.AfterPath)
	})
	some, next, err := page(all, in.NextToken, size)
	if err != nil {
		return nil, err
	}
	out := &codecommit.GetDifferencesOutput{NextToken: next, Differences: []types.Difference{}}
	for _, d := range some {
		out.Differences = append(out.Differences, difference(d))
	}
	return out, nil
}

// below tells whether a path is the folder or file, or in it. A file that is
// not on that side is not held against it.
func below(path string, folder *string) bool {
	f := cleanFolder(folder)
	return path == "" || f == "" || path == f || len(path) > len(f) && path[:len(f)] == f && path[len(f)] == '/'
}

func difference(d git.Difference) types.Difference {
	blob := func(e git.Entry) *types.BlobMetadata {
		if e.Path == "" {
			return nil
		}
		return &types.BlobMetadata{BlobId: aws.String(e.ID), Mode: aws.String(e.Mode), Path: aws.String(e.Path)}
	}
	out := types.Difference{BeforeBlob: blob(d.Before), AfterBlob: blob(d.After), ChangeType: types.ChangeTypeEnumModified}
	switch {
	case out.BeforeBlob == nil:
		out.ChangeType = types.ChangeTypeEnumAdded
	case out.AfterBlob == nil:
		out.ChangeType = types.ChangeTypeEnumDeleted
	}
	return out
}
