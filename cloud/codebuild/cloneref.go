package codebuild

import (
	"context"
	"encoding/json"
	"io"
	"os"

	"ouro/buildspec"
)

// cloneRef is what lies in S3 in place of the source when a pipeline's source
// action has the output format CODEBUILD_CLONE_REF: where the build clones the
// repository itself, history and all
// (https://docs.aws.amazon.com/codepipeline/latest/userguide/tutorials-codecommit-gitclone.html).
type cloneRef struct {
	ConnectionArn      string // of a repository behind a connection
	FullRepositoryName string
	CommitId           string
	BranchName         string
}

// readCloneRef reads the object of a pipeline; ok is false for a zip.
func readCloneRef(file *os.File, size int64) (ref cloneRef, ok bool, err error) {
	if size > buildspec.MaxSize {
		return ref, false, nil
	}
	body, err := io.ReadAll(io.NewSectionReader(file, 0, size))
	if err != nil || len(body) == 0 || body[0] != '{' {
		return ref, false, err
	}
	if err := json.Unmarshal(body, &ref); err != nil || ref.FullRepositoryName == "" || ref.CommitId == "" {
		return ref, false, failf("CLIENT_ERROR", "the pipeline's source artifact is neither a zip nor the reference of a repository")
	}
	return ref, true, nil
}

// follow clones what the reference means, and checks its commit out.
func (r *run) follow(ctx context.Context, ref cloneRef, dir string) (string, error) {
	address := func() (string, error) { return r.codeCommit(ctx, ref.FullRepositoryName) }
	if ref.ConnectionArn != "" {
		address = func() (string, error) { return r.behind(ref.ConnectionArn, ref.FullRepositoryName) }
	}
	url, err := address()
	if err != nil {
		return "", err
	}
	v, err := parseVersion("", ref.CommitId)
	if err != nil {
		return "", err
	}
	g := git{run: r, from: remote{url: url}, dir: dir}
	return ref.CommitId, g.checkout(ctx, v)
}
