// Package s3 is Amazon S3: buckets, objects with versions, multipart uploads,
// conditional requests, checksums, and the documents that configure a bucket.
//
// A version of an object is a record. Its bytes are a record too while they are
// few, else a blob of the store, or, when they were uploaded in parts, one of
// these for each part, which are never joined. Equal blobs are one: a count of
// references, kept in the same transaction as the records that refer, tells
// when a blob may go (see bodies.go).
//
// What runs: everything that moves or lists objects, checks of checksums,
// conditional writes, versions and delete markers, tags, retention and legal
// holds, and events of objects that come and go, to EventBridge, functions and
// topics. What is only kept and given back: policies, ACLs, lifecycle rules,
// CORS, website, logging, replication, acceleration, and request payment.
// Nobody is refused for a policy or an ACL yet. A bucket answers in every
// region, where AWS would redirect to its own. Encryption is noted and echoed;
// bytes lie on the disk as they came. Customer-provided keys (SSE-C), restoring
// from archive classes, S3 Select, uploads by HTML forms, access points,
// directory buckets and annotations are refused, and so are events to SQS.
package s3

import (
	"context"
	"encoding/json"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// everywhere is the scope of all records: bucket names are one namespace for
// all accounts and regions.
var everywhere = store.Scope{}

// Service is Amazon S3.
type Service struct {
	host      door.Host
	buckets   store.Table[bucket]
	documents store.Table[json.RawMessage] // the bucket's configurations, by documentID
	objects   store.Table[object]          // the current versions, delete markers excepted, by objectID
	listings  store.Table[listing]         // the same records, as much of them as a listing tells
	versions  store.Table[object]          // all other versions, and delete markers, by versionRow
	uploads   store.Table[upload]          // multipart uploads in progress, by uploadRow
	parts     store.Table[part]            // the parts of uploads and of objects made by them, by partRow
	bodies    *bodies
	events    *events
	known     bucketCache
}

// New makes S3 on host's store.
func New(host door.Host) *Service {
	st := host.Store()
	return &Service{
		host:      host,
		buckets:   store.NewTable[bucket](st, "s3", "bucket"),
		documents: store.NewTable[json.RawMessage](st, "s3", "document"),
		objects:   store.NewTable[object](st, "s3", "object"),
		listings:  store.NewTable[listing](st, "s3", "object"),
		versions:  store.NewTable[object](st, "s3", "version"),
		uploads:   store.NewTable[upload](st, "s3", "upload"),
		parts:     store.NewTable[part](st, "s3", "part"),
		bodies:    newBodies(host),
		events:    newEvents(host),
	}
}

// Resume takes up what a killed process left: blobs that nobody refers to and
// events that were not delivered.
func (s *Service) Resume(context.Context) error {
	s.bodies.collector.wake()
	s.events.deliverer.wake()
	return nil
}

// atomically runs fn as one transaction and then lets the background work on
// what it left to do.
func (s *Service) atomically(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.afterwards(s.host.Store().Atomically(ctx, fn))
}

// decided is atomically for an fn that refuses nothing after its first write.
func (s *Service) decided(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.afterwards(s.host.Store().Decided(ctx, fn))
}

// afterwards lets the background work on what a transaction left to do.
func (s *Service) afterwards(err error) error {
	if err != nil {
		return err
	}
	s.bodies.collector.wakeIfAsked()
	s.events.deliverer.wakeIfAsked()
	return nil
}
