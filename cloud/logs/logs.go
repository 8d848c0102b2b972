// Package logs is AWS CloudWatch Logs: log groups, streams and their events.
//
// A PutLogEvents call is kept as one entry, so that a build may write its
// output line by line or by the thousand at the same small cost. Events older
// than their group's retention are not shown any more; they leave the disk
// with their stream.
//
// Filter patterns of terms work; those of JSON fields, space-delimited fields
// and regular expressions are refused. There are no metric or subscription
// filters, queries or live tails.
package logs

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// Service is AWS CloudWatch Logs.
type Service struct {
	host    door.Host
	groups  store.Table[group]
	streams store.Table[stream]
	events  store.Journal[chunk]
}

// New makes the service.
func New(host door.Host) *Service {
	s := host.Store()
	return &Service{
		host:    host,
		groups:  store.NewTable[group](s, "logs", "group"),
		streams: store.NewTable[stream](s, "logs", "stream"),
		events:  store.NewJournal[chunk](s, "logs", "events"),
	}
}

// group is a log group; its id is its name. Times are in milliseconds, as
// everywhere in this service.
type group struct {
	Created   int64
	Retention int32             `json:",omitempty"` // days; 0 for ever
	KMSKey    string            `json:",omitempty"`
	Class     string            `json:",omitempty"`
	Protected bool              `json:",omitempty"` // against deletion
	Tags      map[string]string `json:",omitempty"`
}

// stream is a log stream; its id is made by streamID.
type stream struct {
	Created  int64
	First    int64 // time of the earliest event
	Last     int64 // time of the latest event
	Ingested int64 // when events last came; 0 if none did
	Bytes    int64
	Mixed    bool // events came that are older than earlier ones
}

// chunk is the events of one PutLogEvents call, by time.
type chunk struct {
	Ingested int64
	Events   []event
}

type event struct {
	Time    int64  `json:"t"`
	Message string `json:"m"`
}

// streamID is the id of a stream in the store, for its record and its events.
// Neither name holds a colon.
func streamID(group, stream string) string { return group + ":" + stream }

func (s *Service) now() int64 { return s.host.Now().UnixMilli() }

func (s *Service) group(ctx context.Context, name string) (group, error) {
	g, err := s.groups.Get(ctx, door.CallerFrom(ctx).Scope(), name)
	return g, groupMissing(err)
}

func (s *Service) updateGroup(ctx context.Context, name string, change func(*group)) error {
	_, err := s.groups.Update(ctx, door.CallerFrom(ctx).Scope(), name, func(g *group) error {
		change(g)
		return nil
	})
	return groupMissing(err)
}

// groupName is the name of the group that a request means, by its name or by an
// identifier, which is a name or an ARN.
func groupName(name, identifier *string) (string, error) {
	switch {
	case name != nil && identifier != nil:
		return "", invalid("LogGroup name and LogGroup ARN are mutually exclusive parameters.")
	case name == nil && identifier == nil:
		return "", null("logGroupName")
	case name != nil:
		return *name, checkGroupName(*name)
	}
	found := nameOf(*identifier)
	return found, checkGroupName(found)
}

// nameOf is the group's name in an ARN, with or without the :* that AWS ends
// some of them with; what is no ARN is a name.
func nameOf(identifier string) string {
	_, name, ok := strings.Cut(identifier, ":log-group:")
	if !ok {
		return identifier
	}
	return strings.TrimSuffix(name, ":*")
}

func groupARN(caller door.Caller, name string) *string {
	return aws.String(caller.ResourceARN("logs", "log-group:"+name))
}
