// Package git hosts real git repositories for the services of the local cloud
// that have some: CodeCommit, and CodeConnections for what lies behind a
// connection. It is no service itself.
//
// A Server keeps the repositories of one service: bare repositories below the
// cloud's state directory, served over smart HTTP through git http-backend,
// read and written without a work tree. The git program of the machine does
// the work; what a push waits for and is simple on disk (references, loose
// commits) is read here without starting a process.
//
// Whatever changes a reference, a push or a call of this package, happens
// under a lock of that repository, and is told to the service that owns it, in
// order, by its Announce function. What has been told is in the store: a
// change that a killed process did not get to tell is told after the next
// start. A change can thus be told twice, but not be lost.
//
// Configuration, hooks and environment of the user who runs the cloud do not
// reach git here.
package git

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// Errors of this package, to be told apart with errors.Is.
var (
	ErrNoRepository = errors.New("no such repository")
	ErrExists       = errors.New("repository exists")
	ErrNoRef        = errors.New("no such reference")
	ErrNoObject     = errors.New("no such object")
	ErrMoved        = errors.New("reference has moved")
)

// maxRequests bounds how many git requests over HTTP a Server works on at the
// same time; more wait their turn.
const maxRequests = 32

// Announce tells the world that references of a repository have changed. It is
// called in the background, for one repository never twice at the same time,
// in the order in which the changes happened. After an error it is called
// again with the same changes.
type Announce func(ctx context.Context, at store.Scope, id string, changes []RefChange) error

// Server keeps and serves the repositories of one service.
type Server struct {
	host      door.Host
	service   string
	root      string
	program   *program
	announced store.Table[announced]
	announce  Announce
	requests  chan struct{}

	mu   sync.Mutex
	open map[string]*Repository // by directory
}

// New makes the Server of a service, such as "codecommit". announce is told of
// every change of a reference.
func New(host door.Host, service string, announce Announce) *Server {
	root := host.Store().Dir("git")
	return &Server{
		host:      host,
		service:   service,
		root:      root,
		program:   newProgram(root),
		announced: store.NewTable[announced](host.Store(), service, "announced-refs"),
		announce:  announce,
		requests:  make(chan struct{}, maxRequests),
		open:      map[string]*Repository{},
	}
}

// Repository is one bare repository.
type Repository struct {
	server *Server
	scope  store.Scope
	id     string
	dir    string

	// lock holds its one token while nobody changes references. Who takes it
	// may read and write known and gone.
	lock  chan struct{}
	known map[string]string // references as they were last told or queued for telling
	gone  bool

	mu         sync.Mutex
	pending    []RefChange // queued for announcing
	announcing bool
	pushes     int
}

// directory is where a repository lies. Ids come from requests, so they are
// escaped: no id can name anything outside its own folder.
func (s *Server) directory(at store.Scope, id string) string {
	return filepath.Join(s.root, at.Account, at.Region, s.service, url.PathEscape(id)+".git")
}

// Create makes an empty repository whose first branch, until another one is
// pushed first, is to be branch. It returns ErrExists if there is one with
// this id.
func (s *Server) Create(ctx context.Context, at store.Scope, id, branch string) (*Repository, error) {
	dir := s.directory(at, id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.announced.Get(ctx, at, id); err == nil {
		return nil, fmt.Errorf("creating repository %q: %w", id, ErrExists)
	}
	// Without a record, whatever lies there is what a killed process left.
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("creating repository %q: %w", id, err)
	}
	if err := s.initialise(ctx, dir, branch); err != nil {
		return nil, fmt.Errorf("creating repository %q: %w", id, err)
	}
	err := s.announced.Insert(ctx, at, id, announced{Refs: map[string]string{}})
	if errors.Is(err, store.ErrExists) {
		err = ErrExists
	}
	if err != nil {
		return nil, fmt.Errorf("creating repository %q: %w", id, err)
	}
	return s.remember(at, id, dir, nil), nil
}

// Open returns a repository, or ErrNoRepository.
func (s *Server) Open(ctx context.Context, at store.Scope, id string) (*Repository, error) {
	dir := s.directory(at, id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.open[dir]; ok {
		return r, nil
	}
	told, err := s.announced.Get(ctx, at, id)
	if errors.Is(err, store.ErrNotFound) {
		err = ErrNoRepository
	}
	if err != nil {
		return nil, fmt.Errorf("opening repository %q: %w", id, err)
	}
	if err := removeStaleLocks(dir); err != nil {
		return nil, fmt.Errorf("opening repository %q: %w", id, err)
	}
	return s.remember(at, id, dir, told.Refs), nil
}

func (s *Server) remember(at store.Scope, id, dir string, known map[string]string) *Repository {
	r := &Repository{server: s, scope: at, id: id, dir: dir, lock: make(chan struct{}, 1), known: known}
	r.lock <- struct{}{}
	s.open[dir] = r
	return r
}

// Remove deletes a repository after the changes under way; later ones fail.
// Changes that are not announced yet may stay so.
func (s *Server) Remove(ctx context.Context, at store.Scope, id string) error {
	r, err := s.Open(ctx, at, id)
	if err != nil {
		return err
	}
	if err := r.acquire(ctx); err != nil {
		return err
	}
	defer r.release()
	if err := s.announced.Delete(ctx, at, id); err != nil {
		return fmt.Errorf("removing repository %q: %w", id, err)
	}
	r.gone = true
	s.mu.Lock()
	delete(s.open, r.dir)
	s.mu.Unlock()
	if err := os.RemoveAll(r.dir); err != nil {
		return fmt.Errorf("removing repository %q: %w", id, err)
	}
	return nil
}

// Resume announces what an earlier process changed and did not announce.
func (s *Server) Resume(ctx context.Context) error {
	all, err := s.announced.All(ctx, store.Query{})
	if err != nil {
		return fmt.Errorf("listing the repositories of %s: %w", s.service, err)
	}
	for _, e := range all {
		r, err := s.Open(ctx, e.Scope, e.ID)
		if err != nil {
			return err
		}
		if err := r.locked(ctx, "", func() error { return nil }); err != nil {
			s.host.Log().Error("looking for changes to announce", "repository", e.ID, "error", err)
		}
	}
	return nil
}

// IDs lists the ids of the repositories that begin with prefix, sorted.
func (s *Server) IDs(ctx context.Context, at store.Scope, prefix string) ([]string, error) {
	all, err := s.announced.List(ctx, at, store.Query{Prefix: prefix})
	if err != nil {
		return nil, fmt.Errorf("listing the repositories of %s: %w", s.service, err)
	}
	ids := make([]string, len(all))
	for i, e := range all {
		ids[i] = e.ID
	}
	return ids, nil
}
