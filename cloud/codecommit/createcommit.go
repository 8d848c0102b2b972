package codecommit

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"ouro/cloud/door"
	"ouro/cloud/git"
)

// maxEntries is how many files one commit by the API changes at most.
const maxEntries = 100

// CreateCommit makes a commit on a branch. In an empty repository it makes the
// branch too; otherwise the parent must be the branch's last commit.
func (s *Service) CreateCommit(ctx context.Context, in *codecommit.CreateCommitInput) (*codecommit.CreateCommitOutput, error) {
	switch n := len(in.PutFiles) + len(in.DeleteFiles) + len(in.SetFileModes); {
	case n == 0:
		return nil, &types.FileEntryRequiredException{Message: aws.String("At least one file to put, to delete or to change the mode of is required.")}
	case n > maxEntries:
		return nil, &types.MaximumFileEntriesExceededException{Message: aws.String("A commit can change at most 100 files.")}
	}
	_, g, err := s.open(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	parent, err := s.parent(ctx, g, in.BranchName, in.ParentCommitId)
	if err != nil {
		return nil, err
	}
	d, err := newDraft(ctx, g, parent)
	if err != nil {
		return nil, err
	}
	if err := d.apply(in); err != nil {
		return nil, err
	}
	edits, added, updated, deleted := d.edits()
	if len(edits) == 0 {
		return nil, &types.NoChangeException{Message: aws.String("The commit would not change any file.")}
	}
	who := s.signature(ctx, in.AuthorName, in.Email)
	made, err := g.Propose(ctx, git.Proposal{
		Branch: *in.BranchName, Parent: parent.ID, Author: who, Committer: who,
		Message: aws.ToString(in.CommitMessage), Edits: edits, By: door.CallerFrom(ctx).ARN,
	})
	if errors.Is(err, git.ErrMoved) {
		return nil, concurrent(*in.BranchName)
	}
	if err != nil {
		return nil, err
	}
	return &codecommit.CreateCommitOutput{
		CommitId: aws.String(made.Commit), TreeId: aws.String(made.Tree),
		FilesAdded: orEmpty(added), FilesUpdated: orEmpty(updated), FilesDeleted: orEmpty(deleted),
	}, nil
}

func orEmpty(files []types.FileMetadata) []types.FileMetadata {
	return append([]types.FileMetadata{}, files...)
}

// parent finds the commit on which one is to be made; it is the zero Commit in
// an empty repository.
func (s *Service) parent(ctx context.Context, g *git.Repository, branch, id *string) (git.Commit, error) {
	if err := checkBranchName(branch); err != nil {
		return git.Commit{}, err
	}
	tip, err := g.Ref(git.Branches + *branch)
	if errors.Is(err, git.ErrNoRef) {
		names, err := g.BranchNames()
		if err == nil && len(names) > 0 {
			err = noBranch(*branch)
		}
		return git.Commit{}, err
	}
	if err != nil {
		return git.Commit{}, err
	}
	switch given := aws.ToString(id); {
	case given == "":
		return git.Commit{}, &types.ParentCommitIdRequiredException{Message: aws.String("A parent commit ID is required: branch " + *branch + " has commits.")}
	case !git.ValidID(given):
		return git.Commit{}, &types.InvalidParentCommitIdException{Message: aws.String("The parent commit ID " + given + " is not valid: it must be a full SHA-1.")}
	}
	c, err := g.Commit(ctx, *id)
	switch {
	case errors.Is(err, git.ErrNoObject):
		return c, &types.ParentCommitDoesNotExistException{Message: aws.String("The parent commit " + *id + " does not exist.")}
	case err == nil && tip != *id:
		return c, &types.ParentCommitIdOutdatedException{Message: aws.String("The parent commit " + *id + " is not the last one of branch " + *branch + ".")}
	}
	return c, err
}

// signature is who makes a commit: the caller, unless a name is given.
func (s *Service) signature(ctx context.Context, name, email *string) git.Signature {
	sig := git.Signature{Name: aws.ToString(name), Email: aws.ToString(email), When: s.host.Now()}
	if sig.Name == "" {
		arn := door.CallerFrom(ctx).ARN
		sig.Name = arn[strings.LastIndexAny(arn, ":/")+1:]
	}
	return sig
}

// PutFile makes a commit that adds or changes one file.
func (s *Service) PutFile(ctx context.Context, in *codecommit.PutFileInput) (*codecommit.PutFileOutput, error) {
	if in.FileContent == nil {
		return nil, &types.FileContentRequiredException{Message: aws.String("A file content is required.")}
	}
	out, err := s.CreateCommit(ctx, &codecommit.CreateCommitInput{
		RepositoryName: in.RepositoryName, BranchName: in.BranchName, ParentCommitId: in.ParentCommitId,
		CommitMessage: in.CommitMessage, AuthorName: in.Name, Email: in.Email,
		PutFiles: []types.PutFileEntry{{FilePath: in.FilePath, FileContent: in.FileContent, FileMode: in.FileMode}},
	})
	var same *types.NoChangeException
	if errors.As(err, &same) {
		return nil, &types.SameFileContentException{Message: aws.String("The file " + *in.FilePath + " has this content already.")}
	}
	if err != nil {
		return nil, err
	}
	return &codecommit.PutFileOutput{
		CommitId: out.CommitId, TreeId: out.TreeId, BlobId: aws.String(git.BlobID(in.FileContent)),
	}, nil
}

// DeleteFile makes a commit that deletes one file.
func (s *Service) DeleteFile(ctx context.Context, in *codecommit.DeleteFileInput) (*codecommit.DeleteFileOutput, error) {
	name, err := cleanPath(in.FilePath)
	if err != nil {
		return nil, err
	}
	out, err := s.CreateCommit(ctx, &codecommit.CreateCommitInput{
		RepositoryName: in.RepositoryName, BranchName: in.BranchName, ParentCommitId: in.ParentCommitId,
		CommitMessage: in.CommitMessage, AuthorName: in.Name, Email: in.Email, KeepEmptyFolders: in.KeepEmptyFolders,
		DeleteFiles: []types.DeleteFileEntry{{FilePath: in.FilePath}},
	})
	if err != nil {
		return nil, err
	}
	deleted := &codecommit.DeleteFileOutput{CommitId: out.CommitId, TreeId: out.TreeId, FilePath: aws.String(name)}
	for _, f := range out.FilesDeleted {
		deleted.BlobId = f.BlobId
	}
	return deleted, nil
}
