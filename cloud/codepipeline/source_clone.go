package codepipeline

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// cloneReference is the output artifact of a source whose format is
// CODEBUILD_CLONE_REF: no zip, but a JSON text that says what to clone. CodeBuild
// alone takes it.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/tutorials-codecommit-gitclone.html
type cloneReference struct {
	AccountID          string `json:"AccountId"`
	ConnectionArn      string `json:",omitempty"`
	FullRepositoryName string
	CloneURL           string `json:"CloneUrl"`
	CommitID           string `json:"CommitId"`
	BranchName         string `json:",omitempty"`
}

// clones tells whether the output is to be a reference and not a zip.
func (j *job) clones() (bool, error) {
	switch format := j.option("OutputArtifactFormat", "CODE_ZIP"); format {
	case "CODE_ZIP":
		return false, nil
	case "CODEBUILD_CLONE_REF":
		return true, nil
	default:
		return false, failed(types.FailureTypeConfigurationError, "the output artifact format %s is none of CODE_ZIP and CODEBUILD_CLONE_REF", format)
	}
}

func (j *job) writeClone(ctx context.Context, ref cloneReference) error {
	ref.AccountID = j.caller.Account
	text, err := json.Marshal(ref)
	if err != nil {
		return fmt.Errorf("writing the reference of a clone: %w", err)
	}
	return j.putObject(ctx, j.record.Outputs[0].location, text)
}
