package codepipeline

import (
	"context"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"ouro/cloud/wire"
)

// connectionSource takes the tip of a branch behind a connection, or the commit
// that the execution was started with. It speaks the operations that
// CodeConnections has for AWS's own services.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
type connectionSource struct{}

type connectionCommit struct {
	ConnectionArn    string `json:"connectionArn"`
	FullRepositoryID string `json:"fullRepositoryId"`
	BranchName       string `json:"branchName,omitempty"` // of GetBranch
	CommitID         string `json:"commitId,omitempty"`   // of GetCommit
}

type connectionTip struct {
	AuthorDate, AuthorDisplayName, AuthorEmail, AuthorID           string
	CommitID, CommitMessage, CommitterDate, ProviderType, CloneURL string
}

type connectionUpload struct {
	ConnectionArn    string `json:"connectionArn"`
	FullRepositoryID string `json:"fullRepositoryId"`
	CommitID         string `json:"commitId"`
	Bucket           string `json:"bucket"`
	Key              string `json:"key"`
	KmsKeyID         string `json:"kmsKeyId,omitempty"`
}

const connectionTarget = "CodeConnections_20231201."

func (connectionSource) run(ctx context.Context, j *job) (*outcome, error) {
	arn, repository, branch := j.config["ConnectionArn"], j.config["FullRepositoryId"], j.config["BranchName"]
	as := inRegionOf(j.as, arn)
	git := j.execution.Git
	if !git.of(j.record.Name) {
		git = nil
	}
	commit := j.override(types.SourceRevisionTypeCommitId)
	if commit == "" && git != nil {
		commit = git.CommitID
	}
	tip, err := hostedTip(ctx, as, arn, repository, branch, commit)
	if err != nil {
		return nil, err
	}
	message := strings.TrimSpace(tip.CommitMessage)
	variables := map[string]string{
		"ConnectionArn": arn, "FullRepositoryName": repository, "CommitId": tip.CommitID, "CommitMessage": message, "ProviderType": tip.ProviderType,
		"AuthorDate": tip.AuthorDate, "AuthorDisplayName": tip.AuthorDisplayName, "AuthorEmail": tip.AuthorEmail, "AuthorId": tip.AuthorID,
	}
	if git != nil {
		maps.Copy(variables, git.variables())
	} else {
		variables["BranchName"] = branch
	}
	if err := j.bring(ctx, as, arn, repository, tip, variables["BranchName"]); err != nil {
		return nil, &foundError{tip.CommitID, err}
	}
	return &outcome{summary: tip.CommitID, revision: &revision{ID: tip.CommitID, Summary: message}, variables: variables}, nil
}

// inRegionOf makes the calls go to the region of an ARN.
func inRegionOf(cfg aws.Config, arn string) aws.Config {
	cfg = cfg.Copy()
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		cfg.Region = parts[3]
	}
	return cfg
}

// bring makes the output artifact of a commit behind a connection.
func (j *job) bring(ctx context.Context, as aws.Config, arn, repository string, tip connectionTip, branch string) error {
	clone, err := j.clones()
	if err != nil {
		return err
	}
	if clone {
		return j.writeClone(ctx, cloneReference{ConnectionArn: arn, FullRepositoryName: repository, CloneURL: tip.CloneURL, CommitID: tip.CommitID, BranchName: branch})
	}
	to := j.record.Outputs[0]
	in := connectionUpload{ConnectionArn: arn, FullRepositoryID: repository, CommitID: tip.CommitID, Bucket: to.Bucket, Key: to.Key}
	if key := j.store.EncryptionKey; key != nil {
		in.KmsKeyID = aws.ToString(key.Id)
	}
	return wire.CallJSON(ctx, as, "codeconnections", connectionTarget+"StartUploadArchiveToS3", in, &struct{}{})
}
