package codepipeline

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/wire"
)

// codeCommitSource takes the tip of a branch, or the commit that the execution
// was started with, and has CodeCommit put its files into the artifact bucket.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeCommit.html
type codeCommitSource struct{}

// uploadArchive is the request of codecommit:UploadArchive, which AWS keeps
// between its services.
type uploadArchive struct {
	RepositoryName  string `json:"repositoryName"`
	CommitSpecifier string `json:"commitSpecifier"`
	Bucket          string `json:"bucket"`
	Key             string `json:"key"`
	KmsKeyID        string `json:"kmsKeyId,omitempty"`
}

func (codeCommitSource) run(ctx context.Context, j *job) (*outcome, error) {
	clone, err := j.clones()
	if err != nil {
		return nil, err
	}
	client := codecommit.NewFromConfig(j.as)
	repository, branch := j.config["RepositoryName"], j.config["BranchName"]
	commit := j.override(types.SourceRevisionTypeCommitId)
	if commit == "" {
		tip, err := branchTip(ctx, client, repository, branch)
		if err != nil {
			return nil, err
		}
		commit = tip
	}
	found, err := client.GetCommit(ctx, &codecommit.GetCommitInput{RepositoryName: &repository, CommitId: &commit})
	if err != nil {
		return nil, err
	}
	if clone {
		err = codeCommitClone(ctx, j, client, repository, branch, commit)
	} else {
		err = codeCommitZip(ctx, j, repository, commit)
	}
	if err != nil {
		return nil, &foundError{commit, err}
	}
	return commitOutcome(j, repository, branch, found.Commit), nil
}

func codeCommitZip(ctx context.Context, j *job, repository, commit string) error {
	to := j.record.Outputs[0]
	in := uploadArchive{RepositoryName: repository, CommitSpecifier: commit, Bucket: to.Bucket, Key: to.Key}
	if key := j.store.EncryptionKey; key != nil {
		in.KmsKeyID = aws.ToString(key.Id)
	}
	return wire.CallJSON(ctx, j.as, "codecommit", "CodeCommit_20150413.UploadArchive", in, &struct{}{})
}

func codeCommitClone(ctx context.Context, j *job, client *codecommit.Client, repository, branch, commit string) error {
	found, err := client.GetRepository(ctx, &codecommit.GetRepositoryInput{RepositoryName: &repository})
	if err != nil {
		return err
	}
	return j.writeClone(ctx, cloneReference{
		FullRepositoryName: repository, CloneURL: aws.ToString(found.RepositoryMetadata.CloneUrlHttp), CommitID: commit, BranchName: branch,
	})
}

func commitOutcome(j *job, repository, branch string, c *cctypes.Commit) *outcome {
	id, message := aws.ToString(c.CommitId), strings.TrimSpace(aws.ToString(c.Message))
	out := &outcome{
		summary:  id,
		revision: &revision{ID: id, Summary: message, URL: commitURL(j.caller.Region, repository, id)},
		variables: map[string]string{
			"RepositoryName": repository, "BranchName": branch, "CommitId": id, "CommitMessage": message,
		},
	}
	if c.Author != nil {
		out.variables["AuthorDate"] = commitDate(c.Author.Date)
	}
	if c.Committer != nil {
		out.variables["CommitterDate"] = commitDate(c.Committer.Date)
	}
	return out
}

// commitDate turns CodeCommit's date (seconds and time zone) into the form of
// the output variables.
func commitDate(date *string) string {
	seconds, _, _ := strings.Cut(aws.ToString(date), " ")
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return aws.ToString(date)
	}
	return time.Unix(n, 0).UTC().Format(time.RFC3339)
}

// branchTip is the commit that a branch points to.
func branchTip(ctx context.Context, client *codecommit.Client, repository, branch string) (string, error) {
	out, err := client.GetBranch(ctx, &codecommit.GetBranchInput{RepositoryName: &repository, BranchName: &branch})
	var (
		noBranch     *cctypes.BranchDoesNotExistException
		noRepository *cctypes.RepositoryDoesNotExistException
	)
	switch {
	case errors.As(err, &noBranch):
		return "", failed(types.FailureTypeConfigurationError,
			"The action failed because no branch named %s was found in the selected AWS CodeCommit repository %s. Make sure you are using the correct branch name, and then try again. Error: null", branch, repository)
	case errors.As(err, &noRepository):
		return "", failed(types.FailureTypeConfigurationError,
			"The action failed because the AWS CodeCommit repository %s was not found. Make sure you are using the correct repository name, and then try again. Error: %s does not exist", repository, repository)
	case err != nil:
		return "", err
	case out.Branch == nil || out.Branch.CommitId == nil:
		return "", fmt.Errorf("branch %q of repository %q points to no commit", branch, repository)
	}
	return *out.Branch.CommitId, nil
}

// override is the revision of that type that the execution was started with for
// this action, or "".
func (j *job) override(kind types.SourceRevisionType) string {
	for _, o := range j.execution.Overrides {
		if aws.ToString(o.ActionName) == j.record.Name && o.RevisionType == kind {
			return aws.ToString(o.RevisionValue)
		}
	}
	return ""
}
