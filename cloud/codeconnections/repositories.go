package codeconnections

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"ouro/cloud/door"
	"ouro/cloud/git"
	"ouro/cloud/store"
	"ouro/regex"
)

// gitPrefix is what the paths of the repositories' URLs begin with.
const gitPrefix = "/git-http/"

// firstBranch is the branch that clones of an empty repository begin with. The
// first one that is pushed becomes the default branch.
const firstBranch = "main"

// fullRepositoryID is OWNER/REPOSITORY, with groups in between on GitLab. Its
// length is bounded because it becomes a file name.
var fullRepositoryID = regex.New(`^\w[\w.-]*(/\w[\w.-]*)+$`)

const maxRepositoryID = 150

func validRepositoryID(id string) bool {
	return len(id) <= maxRepositoryID && fullRepositoryID().MatchString(id)
}

// gitID is the id, on the git side, of a repository behind a connection.
func gitID(connectionID, repositoryID string) string { return connectionID + "/" + repositoryID }

// Paths are the prefixes of the paths that ServeHTTP answers.
func (s *Service) Paths() []string { return []string{gitPrefix, eventsPrefix} }

// cloneURL is where git finds a repository behind a connection that is kept
// in a scope.
func (s *Service) cloneURL(at store.Scope, connectionID, repositoryID string) string {
	return s.host.Endpoint() + gitPrefix + at.Account + "/" + at.Region + "/" + connectionID + "/" + repositoryID + ".git"
}

// place is where a URL leads.
type place struct {
	scope        store.Scope
	connectionID string
	repositoryID string
}

// parsePath reads the path of a repository's URL.
func parsePath(path string) (place, bool) {
	parts := strings.SplitN(strings.TrimPrefix(path, gitPrefix), "/", 4)
	if !strings.HasPrefix(path, gitPrefix) || len(parts) != 4 {
		return place{}, false
	}
	p := place{
		scope:        store.Scope{Account: parts[0], Region: parts[1]},
		connectionID: parts[2],
		repositoryID: strings.TrimSuffix(parts[3], ".git"),
	}
	return p, validRepositoryID(p.repositoryID)
}

// ServeHTTP serves the repositories behind connections to git, and takes what
// providers tell of their pull requests. Every request is taken for one of the
// account's own.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, eventsPrefix) {
		s.serveEvents(w, r)
		return
	}
	path, rest, ok := git.SplitURL(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	p, ok := parsePath(path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	g, err := s.served(r.Context(), p, git.IsPush(r, rest))
	switch {
	case errors.Is(err, store.ErrNotFound):
		http.Error(w, "connection "+p.connectionID+" does not exist", http.StatusNotFound)
	case errors.Is(err, git.ErrNoRepository):
		http.Error(w, "repository "+p.repositoryID+" does not exist; the first push makes it", http.StatusNotFound)
	case err != nil:
		s.host.Log().Error("serving git", "repository", p.repositoryID, "error", err)
		http.Error(w, "the repository could not be opened", http.StatusInternalServerError)
	default:
		g.ServeHTTP(w, r, rest, rootOf(p.scope))
	}
}

// rootOf is who changes repositories: the account, for nobody says more.
func rootOf(at store.Scope) string {
	return "arn:" + door.Caller{Region: at.Region}.Partition() + ":iam::" + at.Account + ":root"
}

// served opens a repository behind an existing connection, and makes it for
// the first push.
func (s *Service) served(ctx context.Context, p place, push bool) (*git.Repository, error) {
	if _, err := s.connections.Get(ctx, p.scope, p.connectionID); err != nil {
		return nil, err
	}
	id := gitID(p.connectionID, p.repositoryID)
	g, err := s.git.Open(ctx, p.scope, id)
	if !push || !errors.Is(err, git.ErrNoRepository) {
		return g, err
	}
	g, err = s.git.Create(ctx, p.scope, id, firstBranch)
	if errors.Is(err, git.ErrExists) { // by another push at the same time
		return s.git.Open(ctx, p.scope, id)
	}
	return g, err
}
