package codecommit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ouro/cloud/door"
	"ouro/cloud/git"
	"ouro/cloud/store"
)

// stateChange is the detail of a "CodeCommit Repository State Change"
// (https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html).
type stateChange struct {
	CallerUserARN     string `json:"callerUserArn,omitempty"`
	CommitID          string `json:"commitId,omitempty"`
	Event             string `json:"event"`
	OldCommitID       string `json:"oldCommitId,omitempty"`
	ReferenceFullName string `json:"referenceFullName"`
	ReferenceName     string `json:"referenceName"`
	ReferenceType     string `json:"referenceType"`
	RepositoryID      string `json:"repositoryId"`
	RepositoryName    string `json:"repositoryName"`
}

// announce sends the events of changed branches and tags.
func (s *Service) announce(ctx context.Context, at store.Scope, id string, changes []git.RefChange) error {
	name, err := s.names.Get(ctx, at, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil // deleted meanwhile, and its events with it
	}
	if err != nil {
		return fmt.Errorf("finding the name of repository %q: %w", id, err)
	}
	caller := door.Caller{Account: at.Account, Region: at.Region, Service: "codecommit.amazonaws.com"}
	var entries []types.PutEventsRequestEntry
	for _, c := range changes {
		detail, ok := describeChange(c)
		if !ok {
			continue
		}
		detail.RepositoryID, detail.RepositoryName = id, name
		text, err := json.Marshal(detail)
		if err != nil {
			return fmt.Errorf("writing the event of %q: %w", c.Ref, err)
		}
		entries = append(entries, types.PutEventsRequestEntry{
			Source: aws.String("aws.codecommit"), DetailType: aws.String("CodeCommit Repository State Change"),
			Resources: []string{caller.ResourceARN("codecommit", name)},
			Time:      aws.Time(s.host.Now()), Detail: aws.String(string(text)),
		})
	}
	if err := git.SendEvents(ctx, eventbridge.NewFromConfig(s.host.As(caller)), entries); err != nil {
		return err
	}
	_, err = s.repositories.Update(ctx, at, name, func(r *repository) error {
		r.Modified = s.host.Now()
		return nil
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) { // renamed or deleted meanwhile
		return fmt.Errorf("dating repository %q: %w", name, err)
	}
	return nil
}

// describeChange tells a change; ok is false for references that are neither
// branch nor tag, which have no events.
func describeChange(c git.RefChange) (stateChange, bool) {
	d := stateChange{
		CallerUserARN: c.By, ReferenceFullName: c.Ref, ReferenceType: "branch",
		CommitID: c.New, OldCommitID: c.Old, Event: "referenceUpdated",
	}
	switch {
	case c.Old == "":
		d.Event = "referenceCreated"
	case c.New == "":
		d.Event = "referenceDeleted"
	}
	var ok bool
	if d.ReferenceName, ok = strings.CutPrefix(c.Ref, git.Branches); !ok {
		d.ReferenceType = "tag"
		d.ReferenceName, ok = strings.CutPrefix(c.Ref, git.Tags)
	}
	return d, ok
}
