package codeconnections

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/cloud/door"
	"ouro/cloud/git"
)

// GetBranchInput names a branch of a repository behind a connection.
type GetBranchInput struct {
	ConnectionArn    *string
	FullRepositoryId *string
	BranchName       *string
}

// GetBranchOutput tells at which commit a branch is: what CodePipeline has as
// output variables of a connection's source action
// (https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html).
type GetBranchOutput struct {
	AuthorDate        *string // RFC 3339, UTC
	AuthorDisplayName *string
	AuthorEmail       *string
	AuthorId          *string
	CommitterDate     *string // RFC 3339, UTC
	BranchName        *string
	CommitId          *string
	CommitMessage     *string
	ProviderType      types.ProviderType
	CloneUrl          *string // for git, of the whole repository
}

// GetBranch describes the last commit of a branch.
func (s *Service) GetBranch(ctx context.Context, in *GetBranchInput) (*GetBranchOutput, error) {
	name := aws.ToString(in.BranchName)
	c, commit, err := s.commit(ctx, in.ConnectionArn, in.FullRepositoryId, git.Branches+name)
	if errors.Is(err, git.ErrNoRef) {
		return nil, &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf(
			"[%s] No Branch [%s] found for FullRepositoryName [%s]", c.Provider, name, aws.ToString(in.FullRepositoryId)))}
	}
	if err != nil {
		return nil, err
	}
	out, err := s.describeCommit(ctx, in.ConnectionArn, in.FullRepositoryId, c, commit)
	if err != nil {
		return nil, err
	}
	out.BranchName = in.BranchName
	return out, nil
}

// GetCommitInput names a commit of a repository behind a connection.
type GetCommitInput struct {
	ConnectionArn    *string
	FullRepositoryId *string
	CommitId         *string // or a reference, a branch or a tag
}

// GetCommit describes a commit as [Service.GetBranch] does; the answer has no
// branch.
func (s *Service) GetCommit(ctx context.Context, in *GetCommitInput) (*GetBranchOutput, error) {
	c, commit, err := s.commit(ctx, in.ConnectionArn, in.FullRepositoryId, aws.ToString(in.CommitId))
	if err != nil {
		return nil, noCommit(err, c, in.CommitId, in.FullRepositoryId)
	}
	return s.describeCommit(ctx, in.ConnectionArn, in.FullRepositoryId, c, commit)
}

func (s *Service) describeCommit(ctx context.Context, arn, repositoryID *string, c connection, commit git.Commit) (*GetBranchOutput, error) {
	a, err := parseARN(ctx, arn, "connection")
	if err != nil {
		return nil, err
	}
	return &GetBranchOutput{
		AuthorDate:        aws.String(commit.Author.When.UTC().Format(time.RFC3339)),
		AuthorDisplayName: aws.String(commit.Author.Name), AuthorEmail: aws.String(commit.Author.Email),
		AuthorId:      aws.String(commit.Author.Email),
		CommitterDate: aws.String(commit.Committer.When.UTC().Format(time.RFC3339)),
		CommitId:      aws.String(commit.ID),
		CommitMessage: aws.String(strings.TrimSuffix(commit.Message, "\n")), ProviderType: c.Provider,
		CloneUrl: aws.String(s.cloneURL(a.scope, c.ID, *repositoryID)),
	}, nil
}

// noCommit is the provider's word for a commit that is not there.
func noCommit(err error, c connection, id, repositoryID *string) error {
	if errors.Is(err, git.ErrNoRef) || errors.Is(err, git.ErrNoObject) {
		return &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf(
			"[%s] No Commit [%s] found for FullRepositoryName [%s]", c.Provider, aws.ToString(id), aws.ToString(repositoryID)))}
	}
	return err
}

// ListRepositoriesInput names a connection.
type ListRepositoriesInput struct{ ConnectionArn *string }

// ListRepositoriesOutput has the repositories behind it, sorted.
type ListRepositoriesOutput struct{ FullRepositoryIds []string }

// ListRepositories lists the repositories behind a connection that were pushed
// to.
func (s *Service) ListRepositories(ctx context.Context, in *ListRepositoriesInput) (*ListRepositoriesOutput, error) {
	c, scope, err := s.findConnection(ctx, in.ConnectionArn)
	if err != nil {
		return nil, err
	}
	ids, err := s.git.IDs(ctx, scope, c.ID+"/")
	if err != nil {
		return nil, err
	}
	out := &ListRepositoriesOutput{FullRepositoryIds: []string{}}
	for _, id := range ids {
		out.FullRepositoryIds = append(out.FullRepositoryIds, strings.TrimPrefix(id, c.ID+"/"))
	}
	slices.Sort(out.FullRepositoryIds)
	return out, nil
}

// commit finds the commit that a specifier names; git.ErrNoRef also tells of
// a repository that is not there, which is one without branches.
func (s *Service) commit(ctx context.Context, arn, repositoryID *string, specifier string) (connection, git.Commit, error) {
	c, g, err := s.repository(ctx, arn, repositoryID)
	if err != nil {
		return c, git.Commit{}, err
	}
	commit, err := g.Resolve(ctx, specifier)
	return c, commit, err
}

// repository opens a repository behind a connection of the caller.
func (s *Service) repository(ctx context.Context, arn, repositoryID *string) (connection, *git.Repository, error) {
	c, scope, err := s.findConnection(ctx, arn)
	if err != nil {
		return c, nil, err
	}
	if id := aws.ToString(repositoryID); !validRepositoryID(id) {
		return c, nil, invalid("%q is not a full repository id: it must be OWNER/REPOSITORY", id)
	}
	g, err := s.git.Open(ctx, scope, gitID(c.ID, *repositoryID))
	if errors.Is(err, git.ErrNoRepository) {
		err = fmt.Errorf("repository %q: %w", *repositoryID, git.ErrNoRef)
	}
	return c, g, err
}

// StartUploadArchiveToS3Input says which commit goes where.
type StartUploadArchiveToS3Input struct {
	ConnectionArn    *string
	FullRepositoryId *string
	CommitId         *string // or a reference, a branch or a tag
	Bucket           *string
	Key              *string
	KmsKeyId         *string // encrypts the object; optional
}

// StartUploadArchiveToS3Output tells what was uploaded.
type StartUploadArchiveToS3Output struct {
	CommitId  *string
	ETag      *string
	VersionId *string // of the object, in a bucket with versions
}

// StartUploadArchiveToS3 puts the files of a commit as a zip into S3, with the
// caller's permissions there. It answers when that is done.
func (s *Service) StartUploadArchiveToS3(ctx context.Context, in *StartUploadArchiveToS3Input) (*StartUploadArchiveToS3Output, error) {
	c, g, err := s.repository(ctx, in.ConnectionArn, in.FullRepositoryId)
	var commit git.Commit
	if err == nil {
		commit, err = g.Resolve(ctx, aws.ToString(in.CommitId))
	}
	if err != nil {
		return nil, noCommit(err, c, in.CommitId, in.FullRepositoryId)
	}
	object := &s3.PutObjectInput{Bucket: in.Bucket, Key: in.Key}
	if aws.ToString(in.KmsKeyId) != "" {
		object.ServerSideEncryption, object.SSEKMSKeyId = s3types.ServerSideEncryptionAwsKms, in.KmsKeyId
	}
	put, err := g.UploadArchive(ctx, s3.NewFromConfig(s.host.As(door.CallerFrom(ctx))), commit.ID, object)
	if err != nil {
		return nil, err
	}
	return &StartUploadArchiveToS3Output{CommitId: aws.String(commit.ID), ETag: put.ETag, VersionId: put.VersionId}, nil
}
