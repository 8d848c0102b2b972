package codepipeline

import (
	"context"
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

type connectionBranch struct {
	ConnectionArn    string `json:"connectionArn"`
	FullRepositoryID string `json:"fullRepositoryId"`
	BranchName       string `json:"branchName"`
}

type connectionTip struct {
	AuthorDate, AuthorDisplayName, AuthorEmail, AuthorID string
	CommitID, CommitMessage, ProviderType                string
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
	if err := j.wholeZip(); err != nil {
		return nil, err
	}
	arn, repository, branch := j.config["ConnectionArn"], j.config["FullRepositoryId"], j.config["BranchName"]
	as := j.as.Copy()
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		as.Region = parts[3]
	}
	commit := j.override(types.SourceRevisionTypeCommitId)
	var tip connectionTip
	if commit == "" {
		if err := wire.CallJSON(ctx, as, "codeconnections", connectionTarget+"GetBranch", connectionBranch{arn, repository, branch}, &tip); err != nil {
			return nil, err
		}
		commit = tip.CommitID
	}
	to := j.record.Outputs[0]
	in := connectionUpload{ConnectionArn: arn, FullRepositoryID: repository, CommitID: commit, Bucket: to.Bucket, Key: to.Key}
	if key := j.store.EncryptionKey; key != nil {
		in.KmsKeyID = aws.ToString(key.Id)
	}
	if err := wire.CallJSON(ctx, as, "codeconnections", connectionTarget+"StartUploadArchiveToS3", in, &struct{}{}); err != nil {
		return nil, &foundError{commit, err}
	}
	message := strings.TrimSpace(tip.CommitMessage)
	return &outcome{
		summary:  commit,
		revision: &revision{ID: commit, Summary: message},
		variables: map[string]string{
			"ConnectionArn": arn, "FullRepositoryName": repository, "BranchName": branch, "CommitId": commit, "CommitMessage": message,
			"AuthorDate": tip.AuthorDate, "AuthorDisplayName": tip.AuthorDisplayName, "AuthorEmail": tip.AuthorEmail, "AuthorId": tip.AuthorID,
		},
	}, nil
}
