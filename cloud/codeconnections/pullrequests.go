package codeconnections

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ouro/cloud/door"
	"ouro/cloud/git"
	"ouro/cloud/store"
)

// eventsPrefix is what the paths begin with that take providers' payloads. No
// bucket is called so.
const eventsPrefix = "/_codeconnections/events/"

// maxPayload bounds a payload. Those about a pull request have some 30 KB.
const maxPayload = 1 << 20

// PullRequestType is the detail type of the event that tells of a pull request.
const PullRequestType = "CodeConnections Pull Request State Change"

// PullRequest is the detail of the event. Its reference and commit are those of
// the source branch, its old commit the destination's, if the provider told it.
type PullRequest struct {
	StateChange
	Event             string `json:"event"`              // OPEN, UPDATED or CLOSED, as CodePipeline's filters call them
	Reopened          bool   `json:"reopened,omitempty"` // OPEN, and not for the first time
	Merged            bool   `json:"merged,omitempty"`
	PullRequestID     string `json:"pullRequestId"`
	PullRequestTitle  string `json:"pullRequestTitle"`
	DestinationBranch string `json:"destinationBranch"`
}

// serveEvents takes a provider's payload about a pull request. Payloads about
// anything else are answered with 202 and do nothing: pushes are told by git.
func (s *Service) serveEvents(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, eventsPrefix), "/")
	if len(parts) != 3 {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	at := store.Scope{Account: parts[0], Region: parts[1]}
	c, err := s.connections.Get(r.Context(), at, parts[2])
	if err != nil {
		http.Error(w, "connection "+parts[2]+" does not exist", http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	if err != nil {
		http.Error(w, fmt.Sprintf("the payload could not be read, or has more than %d bytes", maxPayload), http.StatusRequestEntityTooLarge)
		return
	}
	p, err := parsePullRequest(r.Header, body)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case p == nil:
		w.WriteHeader(http.StatusAccepted)
	default:
		p.ConnectionARN, p.ProviderType = c.ARN, c.Provider
		if err := s.tellPullRequest(r.Context(), at, c, *p); err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		}
	}
}

// tellPullRequest completes the event from the repository and sends it.
func (s *Service) tellPullRequest(ctx context.Context, at store.Scope, c connection, p PullRequest) error {
	if !validRepositoryID(p.FullRepositoryID) {
		return fmt.Errorf("%q is not the name of a repository", p.FullRepositoryID)
	}
	id := gitID(c.ID, p.FullRepositoryID)
	g, err := s.git.Open(ctx, at, id)
	if errors.Is(err, git.ErrNoRepository) {
		return fmt.Errorf("repository %s does not exist; the first push makes it", p.FullRepositoryID)
	}
	if err != nil {
		return fmt.Errorf("opening repository %s: %w", p.FullRepositoryID, err)
	}
	// Bitbucket gives commits by twelve digits; then the branch's tip is meant.
	if !git.ValidID(p.CommitID) {
		if p.CommitID, err = g.Ref(git.Branches + p.ReferenceName); err != nil {
			return fmt.Errorf("the source branch %s of repository %s: %w", p.ReferenceName, p.FullRepositoryID, err)
		}
	}
	sender := p.Sender
	if err := s.addCommit(ctx, at, id, &p.StateChange); err != nil {
		return fmt.Errorf("the commit %s of repository %s: %w", p.CommitID, p.FullRepositoryID, err)
	}
	if sender != "" {
		p.Sender = sender
	}
	if err := p.keepHead(ctx, at, g); err != nil {
		return fmt.Errorf("keeping the head of pull request %s: %w", p.PullRequestID, err)
	}
	p.addPullRequestFiles(ctx, g)
	text, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("writing the event of pull request %s: %w", p.PullRequestID, err)
	}
	caller := door.Caller{Account: at.Account, Region: at.Region, Service: "codeconnections.amazonaws.com"}
	return git.SendEvents(ctx, eventbridge.NewFromConfig(s.host.As(caller)), []eventtypes.PutEventsRequestEntry{{
		Source: aws.String("aws.codeconnections"), DetailType: aws.String(PullRequestType),
		Resources: []string{c.ARN}, Time: aws.Time(s.host.Now()), Detail: aws.String(string(text)),
	}})
}

// headRefs are where providers keep the heads of pull requests; Bitbucket does
// not.
var headRefs = map[types.ProviderType]string{
	types.ProviderTypeGithub: "refs/pull/%s/head", types.ProviderTypeGithubEnterpriseServer: "refs/pull/%s/head",
	types.ProviderTypeGitlab: "refs/merge-requests/%s/head", types.ProviderTypeGitlabSelfManaged: "refs/merge-requests/%s/head",
}

// keepHead sets the provider's reference of the pull request, by which clones
// find its commit.
func (p *PullRequest) keepHead(ctx context.Context, at store.Scope, g *git.Repository) error {
	form := headRefs[p.ProviderType]
	if form == "" {
		return nil
	}
	ref := fmt.Sprintf(form, p.PullRequestID)
	old, err := g.Ref(ref)
	if err != nil && !errors.Is(err, git.ErrNoRef) || old == p.CommitID {
		return err
	}
	return g.UpdateRef(ctx, ref, old, p.CommitID, rootOf(at))
}

// addPullRequestFiles lists the files that differ from where the source branch
// left the destination: its commit as the provider told it, or else its newest.
func (p *PullRequest) addPullRequestFiles(ctx context.Context, g *git.Repository) {
	tip, _ := g.Ref(git.Branches + p.DestinationBranch) // without it, none is left to try
	for _, base := range []string{p.OldCommitID, tip} {
		if !git.ValidID(base) {
			continue
		}
		if files, err := g.DifferencesSinceFork(ctx, base, p.CommitID); err == nil {
			p.listFiles(files)
			return
		}
	}
	p.ChangedFilesTruncated = true
}
