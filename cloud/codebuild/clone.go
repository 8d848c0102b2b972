package codebuild

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/regex"
)

// version is a source version of a git repository
// (https://docs.aws.amazon.com/codebuild/latest/userguide/sample-source-version.html).
type version struct {
	name   string // a branch, a tag or a commit
	ref    string // the whole name of a reference
	commit string // which commit of the reference
}

var (
	pinned      = regex.New(`^(.+)\^\{([0-9a-f]{40})\}$`)
	pullRequest = regex.New(`^pr/([0-9]+)$`)
	hexadecimal = regex.New(`^[0-9a-f]{7,40}$`)
)

// pullRequestRefs are where providers keep the heads of pull requests.
var pullRequestRefs = map[types.SourceType]string{
	types.SourceTypeGithub:            "refs/pull/%/head",
	types.SourceTypeGithubEnterprise:  "refs/pull/%/head",
	types.SourceTypeGitlab:            "refs/merge-requests/%/head",
	types.SourceTypeGitlabSelfManaged: "refs/merge-requests/%/head",
}

// parseVersion reads a source version: a branch, a tag, a commit, pr/NUMBER, a
// reference, or REFERENCE^{COMMIT}.
func parseVersion(kind types.SourceType, text string) (version, error) {
	if strings.HasPrefix(text, "-") {
		return version{}, failf("CLIENT_ERROR", "invalid source version %q", text)
	}
	var v version
	if m := pinned().FindStringSubmatch(text); m != nil {
		text, v.commit = m[1], m[2]
	}
	if m := pullRequest().FindStringSubmatch(text); m != nil {
		ref := pullRequestRefs[kind]
		if ref == "" {
			return version{}, failf("CLIENT_ERROR", "source version %s: repositories of the type %s keep no references of pull requests", text, kind)
		}
		text = strings.ReplaceAll(ref, "%", m[1])
	}
	if strings.HasPrefix(text, "refs/") {
		v.ref = text
	} else {
		v.name = text
	}
	return v, nil
}

// clone clones the repository of a source into dir and checks the version out;
// none is the default branch. It tells the commit.
func (r *run) clone(ctx context.Context, s *types.ProjectSource, text, dir string) (commit string, err error) {
	v, err := parseVersion(s.Type, text)
	if err != nil {
		return "", err
	}
	from, err := r.remote(ctx, s)
	if err != nil {
		return "", err
	}
	if s == r.rec.Project.Source {
		r.primary = from
	}
	g := git{run: r, from: from, dir: dir, depth: int(aws.ToInt32(s.GitCloneDepth))}
	if err := g.checkout(ctx, v); err != nil {
		return "", err
	}
	if c := s.GitSubmodulesConfig; c != nil && aws.ToBool(c.FetchSubmodules) {
		if _, err := g.do(ctx, "submodule", "--quiet", "update", "--init", "--recursive"); err != nil {
			return "", err
		}
	}
	return g.do(ctx, "rev-parse", "HEAD")
}

// git is a clone in the making.
type git struct {
	run   *run
	from  remote
	dir   string
	depth int // 0: all
}

// checkout clones and checks out.
func (g *git) checkout(ctx context.Context, v version) error {
	depth := g.depthOf(v)
	args := append([]string{"clone", "--quiet"}, depth...)
	if v != (version{}) {
		args = append(args, "--no-checkout")
	}
	if _, err := g.do(ctx, append(args, "--", g.from.url, ".")...); err != nil || v == (version{}) {
		return err
	}
	want := v.commit
	if want == "" {
		want = strings.TrimPrefix(strings.TrimPrefix(v.ref, branches), tags)
	}
	switch {
	case v.name != "" && len(depth) == 0: // the clone has it
		if want == "" {
			want = v.name
		}
	case strings.HasPrefix(v.ref, branches) || strings.HasPrefix(v.ref, tags):
		if len(depth) == 0 {
			break
		}
		fallthrough
	default:
		args := append([]string{"fetch", "--quiet"}, depth...)
		if _, err := g.do(ctx, append(args, "origin", v.ref+v.name)...); err != nil {
			return err
		}
		if v.commit == "" {
			want = "FETCH_HEAD"
		} else if _, err := g.do(ctx, "cat-file", "-e", v.commit); err != nil && len(depth) > 0 { // further down than that
			if _, err := g.do(ctx, "fetch", "--quiet", "--unshallow", "origin", v.ref+v.name); err != nil {
				return err
			}
		}
	}
	_, err := g.do(ctx, "checkout", "--quiet", want, "--")
	return err
}

// depthOf is how much of the history is enough. To find a commit by its id
// alone takes all of it.
func (g *git) depthOf(v version) []string {
	if g.depth == 0 || v.commit == "" && hexadecimal().MatchString(v.name) {
		return nil
	}
	return []string{"--depth", strconv.Itoa(g.depth)}
}

// do runs git among the build's processes and gives what it says.
func (g *git) do(ctx context.Context, args ...string) (string, error) {
	r := g.run
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
	cmd.Dir = g.dir
	cmd.Env = append(r.machine(), r.marker(), "HOME="+r.work.home, "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C")
	cmd.Env = append(cmd.Env, g.from.environ()...)
	cmd.Stdout, cmd.Stderr = said, said
	failed, err := r.work.run(ctx, cmd, r.marker(), r.s.options.Grace)
	if err != nil {
		return "", err
	}
	body, err := os.ReadFile(said.Name())
	text := strings.TrimSpace(string(body))
	if failed != "" {
		return "", failf("CLIENT_ERROR", "git %s for primary source: %s: %s", args[0], failed, strings.ReplaceAll(text, filepath.Clean(g.dir), "."))
	}
	return text, err
}

// environ lets git sign in to the repository's host, and to no other.
func (f remote) environ() []string {
	var out []string
	if f.insecure {
		out = append(out, "GIT_SSL_NO_VERIFY=true")
	}
	if f.password == "" {
		return append(out, gitHelpers(anyName)...)
	}
	return append(out, f.helpers()...)
}

// helper answers when git asks who it is; scope is the host for which it does,
// such as ".https://github.com", or empty.
type helper struct{ scope, command string }

// anyName is for CodeCommit. On the local cloud any name and password will do.
var anyName = helper{"", "!f() { echo username=codebuild; echo password=codebuild; }; f"}

// helpers let git sign in to the repository's host, and to others by those
// that follow.
func (f remote) helpers(others ...helper) []string {
	host, err := url.Parse(f.url)
	if f.password == "" || err != nil {
		return gitHelpers(others...)
	}
	own := helper{"." + host.Scheme + "://" + host.Host, `!f() { echo "username=$OURO_GIT_USER"; echo "password=$OURO_GIT_PASSWORD"; }; f`}
	return append(gitHelpers(append([]helper{own}, others...)...), "OURO_GIT_USER="+f.user, "OURO_GIT_PASSWORD="+f.password)
}

func gitHelpers(list ...helper) []string {
	out := []string{"GIT_CONFIG_COUNT=" + strconv.Itoa(len(list))}
	for i, h := range list {
		out = append(out, fmt.Sprintf("GIT_CONFIG_KEY_%d=credential%s.helper", i, h.scope), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, h.command))
	}
	return out
}
