package codepipeline

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// gitHubAPI is GitHub's HTTP API.
const gitHubAPI = "https://api.github.com"

// Bounds on what GitHub answers. That of the archive is CodePipeline's own for
// artifacts of this action.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
const (
	maxGitHubCommit  = 64 << 20 // a commit comes with the patches of its files
	maxGitHubArchive = 1 << 30
	maxGitHubFiles   = 200_000
)

// gitHub asks GitHub with a token, which travels in a header and is told to no
// other host.
type gitHub struct{ api, token string }

func (g gitHub) get(ctx context.Context, path, accept string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, g.api+path, nil)
	if err != nil {
		return nil, fmt.Errorf("asking GitHub for %s: %w", path, err)
	}
	r.Header.Set("Authorization", "Bearer "+g.token)
	r.Header.Set("Accept", accept)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		if of := new(url.Error); errors.As(err, &of) {
			err = of.Err // GitHub redirects to addresses with a token in them
		}
		return nil, failed(types.FailureTypeJobFailed, "Could not access the GitHub repository: %v", err)
	}
	if res.StatusCode == http.StatusOK {
		return res, nil
	}
	defer res.Body.Close() //nolint:errcheck // only read
	switch res.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, failed(types.FailureTypePermissionError, "Could not access the GitHub repository: GitHub refuses the token (%s)", res.Status)
	case http.StatusNotFound, http.StatusUnprocessableEntity:
		return nil, failed(types.FailureTypeConfigurationError, "Either the GitHub repository or branch does not exist, or you have reached the GitHub API rate limit (%s for %s)", res.Status, path)
	}
	return nil, failed(types.FailureTypeJobFailed, "Could not access the GitHub repository: %s for %s", res.Status, path)
}

// commit describes a commit, or the tip of a branch.
func (g gitHub) commit(ctx context.Context, repository, specifier string) (gitHubCommit, error) {
	res, err := g.get(ctx, "/repos/"+repository+"/commits/"+url.PathEscape(specifier), "application/vnd.github+json")
	if err != nil {
		return gitHubCommit{}, err
	}
	defer res.Body.Close() //nolint:errcheck // only read
	var c struct {
		SHA    string
		Commit struct {
			Message           string
			Author, Committer struct{ Date string }
		}
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxGitHubCommit)).Decode(&c); err != nil {
		return gitHubCommit{}, fmt.Errorf("reading GitHub's answer about commit %s of %s: %w", specifier, repository, err)
	}
	return gitHubCommit{c.SHA, strings.TrimSpace(c.Commit.Message), c.Commit.Author.Date, c.Commit.Committer.Date}, nil
}

// realGitHub brings a commit from GitHub itself.
func realGitHub(ctx context.Context, j *job, specifier string) (gitHubCommit, error) {
	token, err := j.service.openSecret(j.record.Declaration.Configuration["OAuthToken"], j.record.Stage, j.record.Name, "OAuthToken")
	if err != nil {
		return gitHubCommit{}, err
	}
	g := gitHub{j.service.github, token}
	commit, err := g.commit(ctx, gitHubRepository(j.config), specifier)
	if err != nil {
		return gitHubCommit{}, err
	}
	if err := g.archive(ctx, j, commit.ID); err != nil {
		return gitHubCommit{}, &foundError{commit.ID, err}
	}
	return commit, nil
}

// archive puts the files of a commit as the output artifact: GitHub's zip
// without the folder that it has around them.
func (g gitHub) archive(ctx context.Context, j *job, commit string) error {
	res, err := g.get(ctx, "/repos/"+gitHubRepository(j.config)+"/zipball/"+commit, "application/vnd.github+json")
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // only read
	got, err := spool()
	if err != nil {
		return err
	}
	defer got.discard()
	size, err := io.Copy(got, io.LimitReader(res.Body, maxGitHubArchive+1))
	if err != nil {
		return fmt.Errorf("reading the archive of commit %s: %w", commit, err)
	}
	if size > maxGitHubArchive {
		return failed(types.FailureTypeJobFailed, "the archive of commit %s has more than %d bytes", commit, maxGitHubArchive)
	}
	put, err := spool()
	if err != nil {
		return err
	}
	defer put.discard()
	if err := stripFolder(got, size, put); err != nil {
		return fmt.Errorf("packing the files of commit %s: %w", commit, err)
	}
	if _, err := put.Seek(0, io.SeekStart); err != nil {
		return err
	}
	to := j.record.Outputs[0]
	in := &s3.PutObjectInput{Bucket: &to.Bucket, Key: &to.Key, Body: put}
	in.ServerSideEncryption, in.SSEKMSKeyId = j.encryption()
	if _, err := s3.NewFromConfig(j.as).PutObject(ctx, in); err != nil {
		return fmt.Errorf("putting %s/%s: %w", to.Bucket, to.Key, err)
	}
	return nil
}

// stripFolder copies a zip without the first element of its paths. The files
// stay packed as they are.
func stripFolder(from io.ReaderAt, size int64, to io.Writer) error {
	in, err := zip.NewReader(from, size)
	if err != nil {
		return err
	}
	if len(in.File) > maxGitHubFiles {
		return fmt.Errorf("it has more than %d files", maxGitHubFiles)
	}
	out := zip.NewWriter(to)
	for _, f := range in.File {
		_, name, _ := strings.Cut(f.Name, "/")
		if name == "" {
			continue
		}
		header := f.FileHeader
		header.Name = name
		w, err := out.CreateRaw(&header)
		if err != nil {
			return err
		}
		r, err := f.OpenRaw()
		if err != nil {
			return err
		}
		if _, err := io.Copy(w, r); err != nil {
			return err
		}
	}
	return out.Close()
}

// spooled is a file that nobody else sees.
type spooled struct{ *os.File }

func spool() (spooled, error) {
	f, err := os.CreateTemp("", "ouro-github-")
	return spooled{f}, err
}

func (s spooled) discard() {
	_ = s.Close()
	_ = os.Remove(s.Name())
}
