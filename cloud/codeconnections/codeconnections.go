// Package codeconnections is AWS CodeConnections, which was called CodeStar
// Connections: what CodePipeline reaches GitHub, GitLab, Bitbucket and Azure
// DevOps through. It answers for both names; an ARN of either is taken.
//
// Two things are not as on AWS. A new connection is AVAILABLE at once: on AWS
// it is PENDING until somebody has logged in to the provider in the console,
// and there is no provider here. For the same reason the repositories behind a
// connection are hosted by the local cloud itself. Their URLs have the path of
// AWS's own git proxy:
//
//	ENDPOINT/git-http/ACCOUNT/REGION/CONNECTION-ID/OWNER/REPOSITORY.git
//
// The first push makes a repository; deleting the connection deletes it.
//
// GetBranch, GetCommit, ListRepositories and StartUploadArchiveToS3 are
// operations that AWS has only for its own services, named as the ProviderAction values of the permission
// codeconnections:UseConnection
// (https://docs.aws.amazon.com/dtconsole/latest/userguide/security-iam.html).
// Their members here are ours, and so are the events that tell of a push and of
// a pull request: source aws.codeconnections, detail types [DetailType] and
// [PullRequestType], details [StateChange] and [PullRequest].
//
// The repositories have no pull requests. What a provider's webhook would say
// of one can be posted to
//
//	ENDPOINT/_codeconnections/events/ACCOUNT/REGION/CONNECTION-ID
//
// in the words of GitHub, GitLab or Bitbucket (pullrequests.go); its commits
// must have been pushed to the repository. Repository links and sync
// configurations are absent.
package codeconnections

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections/types"

	"ouro/cloud/door"
	"ouro/cloud/git"
	"ouro/cloud/store"
	"ouro/cloud/wire"
)

// Service is AWS CodeConnections.
type Service struct {
	host        door.Host
	connections store.Table[connection] // by id
	hosts       store.Table[host]       // by id
	git         *git.Server             // of CONNECTION-ID/OWNER/REPOSITORY
}

// New makes the service.
func New(h door.Host) *Service {
	s := &Service{
		host:        h,
		connections: store.NewTable[connection](h.Store(), "codeconnections", "connection"),
		hosts:       store.NewTable[host](h.Store(), "codeconnections", "host"),
	}
	s.git = git.New(h, "codeconnections", s.announce)
	return s
}

// Resume sends the events that an earlier process owed.
func (s *Service) Resume(ctx context.Context) error { return s.git.Resume(ctx) }

// address is what the ARN of a connection or a host says.
type address struct {
	scope store.Scope
	kind  string // connection or host
	id    string
}

// parseARN reads the ARN of a resource of the caller's account. Connections
// are used across regions, so the ARN's own counts.
func parseARN(ctx context.Context, text *string, kinds ...string) (address, error) {
	a, err := arn.Parse(aws.ToString(text))
	if err != nil || a.Service != "codeconnections" && a.Service != "codestar-connections" {
		return address{}, invalid("%q is not the ARN of a connection or a host", aws.ToString(text))
	}
	kind, id, _ := strings.Cut(a.Resource, "/")
	for _, k := range kinds {
		if k == kind && id != "" && a.AccountID == door.CallerFrom(ctx).Account {
			return address{store.Scope{Account: a.AccountID, Region: a.Region}, kind, id}, nil
		}
	}
	return address{}, missing(text)
}

// missing is AWS's error for a resource that is not there.
func missing(arn *string) error {
	kind := "Connection"
	if strings.Contains(aws.ToString(arn), ":host/") {
		kind = "Host"
	}
	return &types.ResourceNotFoundException{Message: aws.String(kind + " " + aws.ToString(arn) + " not found")}
}

func invalid(format string, args ...any) error {
	return &wire.Error{Code: "ValidationException", Message: fmt.Sprintf(format, args...), Status: 400}
}

// found makes AWS's error of the store's.
func found(err error, arn *string) error {
	if errors.Is(err, store.ErrNotFound) {
		return missing(arn)
	}
	if err != nil {
		return fmt.Errorf("reading %q: %w", aws.ToString(arn), err)
	}
	return nil
}
