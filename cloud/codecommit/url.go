package codecommit

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"ouro/cloud/door"
	"ouro/cloud/git"
	"ouro/cloud/store"
)

// Paths of git requests. The short one is for the account and region that the
// local cloud has by default; both are fixed, so that a URL keeps its meaning.
const (
	shortPrefix = "/v1/repos/"
	longPrefix  = "/git-codecommit/"
)

var shortScope = store.Scope{Account: "000000000000", Region: "us-east-1"}

// Paths are the prefixes of the paths that ServeHTTP answers.
func (s *Service) Paths() []string { return []string{shortPrefix, longPrefix} }

// cloneURL is where git finds a repository.
func (s *Service) cloneURL(at store.Scope, name string) string {
	if at == shortScope {
		return s.host.Endpoint() + shortPrefix + name
	}
	return s.host.Endpoint() + longPrefix + at.Region + "/" + at.Account + shortPrefix + name
}

// parsePath reads the path of a clone URL.
func parsePath(path string) (at store.Scope, name string, ok bool) {
	at = shortScope
	if rest, long := strings.CutPrefix(path, longPrefix); long {
		at.Region, rest, _ = strings.Cut(rest, "/")
		at.Account, rest, _ = strings.Cut(rest, "/")
		path = "/" + rest
	}
	name, ok = strings.CutPrefix(path, shortPrefix)
	return at, name, ok && checkRepositoryName(&name) == nil
}

// ServeHTTP serves the repositories to git. Every request is taken for one of
// the account's own.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, rest, ok := git.SplitURL(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	at, name, ok := parsePath(path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	g, err := s.served(r.Context(), at, name)
	switch {
	case errors.Is(err, store.ErrNotFound) || errors.Is(err, git.ErrNoRepository):
		http.Error(w, "repository "+name+" does not exist", http.StatusNotFound)
	case err != nil:
		s.host.Log().Error("serving git", "repository", name, "error", err)
		http.Error(w, "the repository could not be opened", http.StatusInternalServerError)
	default:
		partition := door.Caller{Region: at.Region}.Partition()
		g.ServeHTTP(w, r, rest, "arn:"+partition+":iam::"+at.Account+":root")
	}
}

func (s *Service) served(ctx context.Context, at store.Scope, name string) (*git.Repository, error) {
	r, err := s.repositories.Get(ctx, at, name)
	if err != nil {
		return nil, err
	}
	return s.git.Open(ctx, at, r.ID)
}
