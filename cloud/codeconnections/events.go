package codeconnections

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ouro/cloud/door"
	"ouro/cloud/git"
	"ouro/cloud/store"
)

// DetailType is the detail type of the event that tells of a changed branch
// or tag. It and its detail are the local cloud's own: how AWS's services tell
// each other of a push is not public.
const DetailType = "CodeConnections Repository State Change"

// How much of a list of changed files an event carries; an event may have
// 256 KB.
const (
	maxChangedFiles = 1000
	maxChangedBytes = 64 << 10
	maxMessage      = 16 << 10
)

// StateChange is the detail of the event.
type StateChange struct {
	ConnectionARN    string `json:"connectionArn"`
	FullRepositoryID string `json:"fullRepositoryId"`
	ReferenceType    string `json:"referenceType"` // branch or tag
	ReferenceName    string `json:"referenceName"`
	CommitID         string `json:"commitId,omitempty"`    // absent if it was deleted
	OldCommitID      string `json:"oldCommitId,omitempty"` // absent if it was created
	// The paths that differ from the old commit; of a new branch, from where it
	// left the default branch; of the first one, all. Absent for tags.
	ChangedFiles          []string `json:"changedFiles,omitempty"`
	ChangedFilesTruncated bool     `json:"changedFilesTruncated,omitempty"` // there are more, or they could not be told
	AddedFiles            []string `json:"addedFiles,omitempty"`            // of the changed ones
	RemovedFiles          []string `json:"removedFiles,omitempty"`          // of the changed ones

	// What the commit says; absent if the reference was deleted.
	CommitMessage string `json:"commitMessage,omitempty"` // cut to maxMessage
	AuthorName    string `json:"authorName,omitempty"`
	AuthorEmail   string `json:"authorEmail,omitempty"`
	AuthorDate    string `json:"authorDate,omitempty"` // RFC 3339, UTC
	// Sender is who pushed. Git pushes here have no name of their own (a user
	// name may well be a token), so it is the commit's author.
	Sender       string             `json:"sender,omitempty"`
	ProviderType types.ProviderType `json:"providerType"`
}

// announce sends the events of changed branches and tags.
func (s *Service) announce(ctx context.Context, at store.Scope, id string, changes []git.RefChange) error {
	connectionID, repositoryID, _ := strings.Cut(id, "/")
	c, err := s.connections.Get(ctx, at, connectionID)
	if errors.Is(err, store.ErrNotFound) {
		return nil // deleted meanwhile, and its events with it
	}
	if err != nil {
		return fmt.Errorf("finding the connection of repository %q: %w", id, err)
	}
	caller := door.Caller{Account: at.Account, Region: at.Region, Service: "codeconnections.amazonaws.com"}
	var entries []eventtypes.PutEventsRequestEntry
	for _, change := range changes {
		detail, ok := describeChange(change)
		if !ok {
			continue
		}
		detail.ConnectionARN, detail.FullRepositoryID, detail.ProviderType = c.ARN, repositoryID, c.Provider
		if err := s.addCommit(ctx, at, id, &detail); err != nil {
			s.host.Log().Warn("reading a pushed commit", "repository", repositoryID, "reference", change.Ref, "error", err)
		}
		if err := s.addFiles(ctx, at, id, &detail); err != nil {
			// Histories without a common commit, for instance. The event
			// matters more than its list.
			s.host.Log().Warn("listing changed files", "repository", repositoryID, "reference", change.Ref, "error", err)
			detail.ChangedFilesTruncated = true
		}
		text, err := json.Marshal(detail)
		if err != nil {
			return fmt.Errorf("writing the event of %q: %w", change.Ref, err)
		}
		entries = append(entries, eventtypes.PutEventsRequestEntry{
			Source: aws.String("aws.codeconnections"), DetailType: aws.String(DetailType),
			Resources: []string{c.ARN}, Time: aws.Time(s.host.Now()), Detail: aws.String(string(text)),
		})
	}
	return git.SendEvents(ctx, eventbridge.NewFromConfig(s.host.As(caller)), entries)
}

// describeChange tells a change; ok is false for references that are neither
// branch nor tag, which have no events.
func describeChange(c git.RefChange) (StateChange, bool) {
	d := StateChange{ReferenceType: "branch", CommitID: c.New, OldCommitID: c.Old}
	var ok bool
	if d.ReferenceName, ok = strings.CutPrefix(c.Ref, git.Branches); !ok {
		d.ReferenceType = "tag"
		d.ReferenceName, ok = strings.CutPrefix(c.Ref, git.Tags)
	}
	return d, ok
}

// addCommit adds what the pushed commit says. An annotated tag is told by the
// commit that it names.
func (s *Service) addCommit(ctx context.Context, at store.Scope, id string, d *StateChange) error {
	if d.CommitID == "" {
		return nil
	}
	g, err := s.git.Open(ctx, at, id)
	if err != nil {
		return err
	}
	c, err := g.Commit(ctx, d.CommitID)
	if err != nil {
		return err
	}
	d.CommitID, d.CommitMessage = c.ID, cutText(strings.TrimSuffix(c.Message, "\n"), maxMessage)
	d.AuthorName, d.AuthorEmail = c.Author.Name, c.Author.Email
	d.AuthorDate = c.Author.When.UTC().Format(time.RFC3339)
	d.Sender = c.Author.Name
	return nil
}

// cutText cuts a text to at most n bytes, and never within a character.
func cutText(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}

// addFiles lists the files that the change of a branch changed.
func (s *Service) addFiles(ctx context.Context, at store.Scope, id string, d *StateChange) error {
	if d.ReferenceType != "branch" || d.CommitID == "" {
		return nil
	}
	g, err := s.git.Open(ctx, at, id)
	if err != nil {
		return err
	}
	files, err := changedFiles(ctx, g, *d)
	if err != nil {
		return err
	}
	d.listFiles(files)
	return nil
}

// listFiles lists as many paths as an event takes.
func (d *StateChange) listFiles(files []git.Difference) {
	bytes := 0
	for _, f := range files {
		path := cmp.Or(f.After.Path, f.Before.Path)
		bytes += len(path) + len(`"",`)
		if len(d.ChangedFiles) == maxChangedFiles || bytes > maxChangedBytes {
			d.ChangedFilesTruncated = true
			return
		}
		d.ChangedFiles = append(d.ChangedFiles, path)
		switch "" {
		case f.Before.Path:
			d.AddedFiles = append(d.AddedFiles, path)
		case f.After.Path:
			d.RemovedFiles = append(d.RemovedFiles, path)
		}
	}
}

func changedFiles(ctx context.Context, g *git.Repository, d StateChange) ([]git.Difference, error) {
	if d.OldCommitID != "" {
		return g.Differences(ctx, d.OldCommitID, d.CommitID)
	}
	base, err := g.DefaultBranch()
	if err != nil || base == "" || base == d.ReferenceName {
		return g.Differences(ctx, "", d.CommitID)
	}
	tip, err := g.Ref(git.Branches + base)
	if err != nil {
		return nil, err
	}
	return g.DifferencesSinceFork(ctx, tip, d.CommitID)
}
