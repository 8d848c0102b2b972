package codebuild

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"

	"ouro/regex"
)

// pinned is a source version that names a commit behind a branch, as
// CodeBuild's console writes it: refs/heads/main^{COMMIT}.
var pinned = regex.New(`^(.+)\^\{([0-9a-f]{40})\}$`)

// clone clones a CodeCommit repository and checks the version out: a branch,
// a tag, a commit, or nothing for the default branch.
func (r *run) clone(ctx context.Context, s *types.ProjectSource, version, dir string) (commit string, err error) {
	location := strings.TrimSuffix(aws.ToString(s.Location), "/")
	name := location[strings.LastIndexByte(location, '/')+1:]
	repository, err := codecommit.NewFromConfig(r.role.config).GetRepository(ctx, &codecommit.GetRepositoryInput{RepositoryName: &name})
	if err != nil {
		return "", err
	}
	args := []string{"clone", "--quiet"}
	if depth := aws.ToInt32(s.GitCloneDepth); depth > 0 && version == "" {
		args = append(args, "--depth", strconv.Itoa(int(depth)))
	}
	if c := s.GitSubmodulesConfig; c != nil && aws.ToBool(c.FetchSubmodules) {
		args = append(args, "--recurse-submodules")
	}
	if _, err := r.git(ctx, dir, append(args, "--", aws.ToString(repository.RepositoryMetadata.CloneUrlHttp), ".")...); err != nil {
		return "", err
	}
	if m := pinned().FindStringSubmatch(version); m != nil {
		version = m[2]
	}
	version = strings.TrimPrefix(strings.TrimPrefix(version, "refs/heads/"), "refs/tags/")
	if version != "" {
		if _, err := r.git(ctx, dir, "checkout", "--quiet", version, "--"); err != nil {
			return "", err
		}
	}
	return r.git(ctx, dir, "rev-parse", "HEAD")
}

// git runs git among the build's processes and gives what it says.
func (r *run) git(ctx context.Context, dir string, args ...string) (string, error) {
	path, err := exec.LookPath("git")
	if err != nil {
		return "", failf("CLIENT_ERROR", "the source is a git repository, and this machine has no git")
	}
	said, err := os.CreateTemp(r.work.state, "git-")
	if err != nil {
		return "", err
	}
	defer os.Remove(said.Name())
	defer said.Close()
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Env = append(r.machine(), r.marker(), "HOME="+r.work.home, "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C")
	cmd.Env = append(cmd.Env, gitCredentials()...)
	cmd.Stdout, cmd.Stderr = said, said
	failed, err := r.work.run(ctx, cmd, r.marker(), r.s.options.Grace)
	if err != nil {
		return "", err
	}
	body, err := os.ReadFile(said.Name())
	text := strings.TrimSpace(string(body))
	if failed != "" {
		return "", failf("CLIENT_ERROR", "git %s for primary source: %s: %s", args[0], failed, strings.ReplaceAll(text, filepath.Clean(dir), "."))
	}
	return text, err
}

// gitCredentials lets git answer when CodeCommit asks who it is. On the local
// cloud any name and password will do.
func gitCredentials() []string {
	return []string{
		"GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=credential.helper",
		"GIT_CONFIG_VALUE_0=!f() { echo username=codebuild; echo password=codebuild; }; f",
	}
}
