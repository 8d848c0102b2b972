package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Pushed is what Push did.
type Pushed struct {
	Commit  string // the branch's tip, now
	Changed bool   // false: the repository had this tree already
}

// Remote is a repository to push to, and the environment in which git may.
type Remote struct {
	URL string
	Env []string
}

// Push makes the tip of a branch of the remote repository hold the tree of
// dir as it is: tracked files, and untracked ones that git does not ignore.
//
// The directory's own repository, if it has one, is read and never changed. If
// it is clean and its HEAD continues the branch, HEAD itself is pushed. In all
// other cases Push makes a commit of its own on top of the branch's tip. state
// is a directory in which Push keeps its index and objects.
func Push(ctx context.Context, dir, state string, remote Remote, branch string) (Pushed, error) {
	pushed, err := newPusher(dir, state, remote, branch).push(ctx)
	if err != nil {
		return Pushed{}, fmt.Errorf("pushing %q to branch %q: %w", dir, branch, err)
	}
	return pushed, nil
}

// HasNews tells whether Push would change the remote repository.
func HasNews(ctx context.Context, dir, state string, remote Remote, branch string) (bool, error) {
	_, _, same, err := newPusher(dir, state, remote, branch).compare(ctx)
	if err != nil {
		return false, fmt.Errorf("comparing %q with branch %q: %w", dir, branch, err)
	}
	return !same, nil
}

type pusher struct {
	dir, url, ref string
	env           []string
	store         string // a bare repository for the commits made here
}

func newPusher(dir, state string, remote Remote, branch string) *pusher {
	return &pusher{dir: dir, url: remote.URL, env: remote.Env, ref: "refs/heads/" + branch, store: filepath.Join(state, "source.git")}
}

// compare is the branch's tip, if there is one, the tree of the directory, and
// whether the tip has that tree.
func (p *pusher) compare(ctx context.Context) (tip, tree string, same bool, err error) {
	if err := p.open(ctx); err != nil {
		return "", "", false, err
	}
	if tip, err = p.tip(ctx); err != nil {
		return "", "", false, err
	}
	if tree, err = p.tree(ctx); err != nil || tip == "" {
		return tip, tree, false, err
	}
	has, err := p.own().run(ctx, "rev-parse", tip+"^{tree}")
	return tip, tree, err == nil && has == tree, nil
}

func (p *pusher) push(ctx context.Context) (Pushed, error) {
	tip, tree, same, err := p.compare(ctx)
	if err != nil || same {
		return Pushed{Commit: tip}, err
	}
	if head := p.cleanHead(ctx, tree, tip); head != "" {
		_, err := p.there().run(ctx, "push", "--quiet", "--", p.url, head+":"+p.ref)
		return Pushed{Commit: head, Changed: true}, err
	}
	args := []string{"commit-tree", tree, "-m", "State of the project directory"}
	if tip != "" {
		args = append(args, "-p", tip)
	}
	commit, err := p.own().run(ctx, args...)
	if err != nil {
		return Pushed{}, err
	}
	_, err = p.own().run(ctx, "push", "--quiet", "--", p.url, commit+":"+p.ref)
	return Pushed{Commit: commit, Changed: true}, err
}

// own is git on the repository of our own, with our name on its commits.
func (p *pusher) own() gitCommand {
	return gitCommand{dir: p.dir, env: append(slices.Clone(p.env),
		"GIT_DIR="+p.store, "GIT_WORK_TREE="+p.dir, "GIT_INDEX_FILE="+filepath.Join(p.store, "index"),
		"GIT_AUTHOR_NAME=ouro", "GIT_AUTHOR_EMAIL=ouro@localhost", "GIT_COMMITTER_NAME=ouro", "GIT_COMMITTER_EMAIL=ouro@localhost",
	)}
}

// there is git in the directory's own repository.
func (p *pusher) there() gitCommand { return gitCommand{dir: p.dir, env: p.env} }

func (p *pusher) open(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(p.store, "HEAD")); err == nil {
		return nil
	}
	if _, err := (gitCommand{dir: p.dir}).run(ctx, "init", "--quiet", "--bare", p.store); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.store, "info", "exclude"), []byte(StateDir+"/\n"), 0o600)
}

// tip is the branch's tip, its objects fetched; empty if there is no branch.
func (p *pusher) tip(ctx context.Context) (string, error) {
	line, err := p.there().run(ctx, "ls-remote", "--", p.url, p.ref)
	if err != nil {
		return "", err
	}
	tip, _, _ := strings.Cut(line, "\t")
	if tip == "" {
		return "", nil
	}
	if _, err := p.own().run(ctx, "cat-file", "-e", tip+"^{tree}"); err != nil {
		if _, err := p.own().run(ctx, "fetch", "--quiet", "--no-tags", "--", p.url, p.ref); err != nil {
			return "", err
		}
	}
	return tip, nil
}

// tree is the tree of the directory as it is.
func (p *pusher) tree(ctx context.Context) (string, error) {
	if _, err := (gitCommand{dir: p.dir}).run(ctx, "rev-parse", "--is-inside-work-tree"); err != nil {
		// Not in a repository: git's own rules for what is ignored, from here down.
		if _, err := p.own().run(ctx, "add", "--all", "."); err != nil {
			return "", err
		}
		return p.own().run(ctx, "write-tree")
	}
	files, err := gitCommand{dir: p.dir}.run(ctx, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--exclude="+StateDir+"/", "--deduplicate")
	if err != nil {
		return "", err
	}
	var there strings.Builder
	for f := range strings.SplitSeq(files, "\x00") {
		if info, err := os.Lstat(filepath.Join(p.dir, f)); f != "" && err == nil && !info.IsDir() {
			there.WriteString(f + "\x00")
		}
	}
	own := p.own()
	if _, err := own.run(ctx, "read-tree", "--empty"); err != nil {
		return "", err
	}
	own.stdin = there.String()
	if _, err := own.run(ctx, "update-index", "-z", "--add", "--stdin"); err != nil {
		return "", err
	}
	return p.own().run(ctx, "write-tree")
}

// cleanHead is the HEAD of the directory's own repository, if that is the
// same tree and continues the branch.
func (p *pusher) cleanHead(ctx context.Context, tree, tip string) string {
	git := gitCommand{dir: p.dir}
	top, err := git.run(ctx, "rev-parse", "--show-toplevel")
	if err != nil || !sameFile(top, p.dir) {
		return ""
	}
	head, err := git.run(ctx, "rev-parse", "--verify", "--quiet", "HEAD")
	if err != nil {
		return ""
	}
	if t, err := git.run(ctx, "rev-parse", head+"^{tree}"); err != nil || t != tree {
		return ""
	}
	if tip != "" {
		if _, err := git.run(ctx, "merge-base", "--is-ancestor", tip, head); err != nil {
			return ""
		}
	}
	return head
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
