// Package codecommit is AWS CodeCommit: git repositories with an API.
//
// Repositories are real ones (see package git), to clone and push to without
// credentials; a user name and password that are given are not looked at.
// Their clone URLs are
//
//	ENDPOINT/v1/repos/NAME                              account 000000000000, region us-east-1
//	ENDPOINT/git-codecommit/REGION/ACCOUNT/v1/repos/NAME  every account and region, that one too
//
// The first has the path of https://git-codecommit.us-east-1.amazonaws.com/v1/repos/NAME;
// the second is there because one endpoint serves all accounts and regions, and
// what identifies them on AWS, host name and signature, does not reach us.
//
// A push, and every operation that changes a branch, sends the event
// "CodeCommit Repository State Change" to EventBridge, for each branch and tag
// that changed, in order and at once. A killed process sends after its next
// start what it still owed; an event can thus come twice.
//
// Pull requests, comments, approval rules and merges are absent. Repository
// triggers are kept and given back, but do not fire: rules on the event above
// do the same. There is no SSH: CloneUrlSsh is AWS's own address.
//
// UploadArchive is an operation that AWS has only for CodePipeline, documented
// as a permission (codecommit:UploadArchive in
// https://docs.aws.amazon.com/codecommit/latest/userguide/auth-and-access-control-permissions-reference.html).
// Its members here are ours.
package codecommit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"ouro/cloud/door"
	"ouro/cloud/git"
	"ouro/cloud/store"
)

// Service is AWS CodeCommit.
type Service struct {
	host         door.Host
	repositories store.Table[repository] // by name
	names        store.Table[string]     // of repositories, by id
	git          *git.Server
}

// New makes the service.
func New(host door.Host) *Service {
	s := &Service{
		host:         host,
		repositories: store.NewTable[repository](host.Store(), "codecommit", "repository"),
		names:        store.NewTable[string](host.Store(), "codecommit", "name"),
	}
	s.git = git.New(host, "codecommit", s.announce)
	return s
}

// Resume sends the events that an earlier process owed.
func (s *Service) Resume(ctx context.Context) error { return s.git.Resume(ctx) }

// repository is what is kept of a repository beside git's own. Branches and
// the default branch are git's.
type repository struct {
	ID          string
	Name        string
	ARN         string
	Description string `json:",omitempty"`
	KmsKeyID    string `json:",omitempty"`
	Created     time.Time
	Modified    time.Time
	Tags        map[string]string         `json:",omitempty"`
	Triggers    []types.RepositoryTrigger `json:",omitempty"`
	TriggersID  string                    `json:",omitempty"` // changes with the triggers
}

// find returns the record of a repository of the caller.
func (s *Service) find(ctx context.Context, name *string) (repository, error) {
	if err := checkRepositoryName(name); err != nil {
		return repository{}, err
	}
	r, err := s.repositories.Get(ctx, door.CallerFrom(ctx).Scope(), *name)
	return r, notFound(err, *name)
}

// change changes the record of a repository of the caller.
func (s *Service) change(ctx context.Context, name *string, f func(*repository)) (repository, error) {
	if err := checkRepositoryName(name); err != nil {
		return repository{}, err
	}
	r, err := s.repositories.Update(ctx, door.CallerFrom(ctx).Scope(), *name, func(r *repository) error {
		f(r)
		return nil
	})
	return r, notFound(err, *name)
}

// open returns a repository of the caller with its git side.
func (s *Service) open(ctx context.Context, name *string) (repository, *git.Repository, error) {
	r, err := s.find(ctx, name)
	if err != nil {
		return r, nil, err
	}
	g, err := s.git.Open(ctx, door.CallerFrom(ctx).Scope(), r.ID)
	if errors.Is(err, git.ErrNoRepository) { // deleted meanwhile
		return r, nil, notFound(store.ErrNotFound, *name)
	}
	return r, g, err
}

// notFound makes AWS's error of the store's.
func notFound(err error, name string) error {
	if errors.Is(err, store.ErrNotFound) {
		return &types.RepositoryDoesNotExistException{Message: aws.String(name + " does not exist")}
	}
	if err != nil {
		return fmt.Errorf("reading repository %q: %w", name, err)
	}
	return nil
}
