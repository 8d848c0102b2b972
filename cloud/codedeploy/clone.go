package codedeploy

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
)

// clone unpacks a commit of the repository of that name which the local cloud
// has behind a connection of the account and region.
func (a *agent) clone(ctx context.Context, repository, commit string) error {
	url, err := a.hosted(ctx, repository)
	if err != nil {
		return fmt.Errorf("looking for the repository %s: %w", repository, err)
	}
	if url == "" {
		return fmt.Errorf("the local cloud has no repository %s behind a connection of this account and region, and gets none from GitHub itself: push it to one, or put the revision into S3", repository)
	}
	dir := a.archive(a.deployment.id())
	for _, args := range [][]string{
		{"clone", "--quiet", "--no-checkout", "--", url, "."},
		{"checkout", "--quiet", "--detach", commit, "--"},
	} {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("getting the commit %s of %s: %w: %s", commit, repository, err, strings.TrimSpace(string(out)))
		}
	}
	return os.RemoveAll(filepath.Join(dir, ".git"))
}

// hosted is the address of a repository behind a connection, "" for none.
func (a *agent) hosted(ctx context.Context, repository string) (string, error) {
	c := a.deployment.Caller
	pages := codeconnections.NewListConnectionsPaginator(codeconnections.NewFromConfig(a.service.host.As(c)), &codeconnections.ListConnectionsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", err
		}
		for _, connection := range page.Connections {
			_, id, _ := strings.Cut(aws.ToString(connection.ConnectionArn), "connection/")
			url := a.service.host.Endpoint() + "/git-http/" + c.Account + "/" + c.Region + "/" + id + "/" + repository + ".git"
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/info/refs?service=git-upload-pack", nil)
			if err != nil {
				return "", err
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				return "", err
			}
			if err := res.Body.Close(); err != nil || res.StatusCode == http.StatusOK {
				return url, err
			}
		}
	}
	return "", nil
}
