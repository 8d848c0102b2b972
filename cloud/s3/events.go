package s3

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// What events are told for, by the operation that did it.
const (
	eventPut      = "PutObject"
	eventCopy     = "CopyObject"
	eventComplete = "CompleteMultipartUpload"
	eventDelete   = "DeleteObject" // for good
	eventMark     = "delete marker"
)

// events tells EventBridge, functions and topics of changes in the buckets that
// ask for it. An event is written in the transaction of the change it tells of,
// and deleted once its receiver has it: it may come twice, as on AWS, but not
// be lost with the process.
type events struct {
	host      door.Host
	queue     store.Table[event]
	deliverer *worker
}

// event is one that waits for delivery.
type event struct {
	Account, Region, Bucket, ARN string
	Type                         string
	Time                         time.Time
	Detail                       json.RawMessage
	To                           string // ARN of a function or topic, which gets Detail; none for EventBridge
	Attempts                     int
}

func newEvents(host door.Host) *events {
	e := &events{host: host, queue: store.NewTable[event](host.Store(), "s3", "event")}
	e.deliverer = &worker{host: host, name: "s3: delivering events", run: e.deliver}
	return e
}

// detail is the detail of an event, as
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html has it.
type detail struct {
	Version string       `json:"version"`
	Bucket  detailBucket `json:"bucket"`
	Object  detailObject `json:"object"`
	Request string       `json:"request-id"`
	By      string       `json:"requester"`
	Address string       `json:"source-ip-address"`
	Reason  string       `json:"reason"`
	Kind    string       `json:"deletion-type,omitempty"`
}

type detailBucket struct {
	Name string `json:"name"`
}

type detailObject struct {
	Key       string  `json:"key"`
	Size      *int64  `json:"size,omitempty"`
	ETag      string  `json:"etag,omitempty"`
	Version   *string `json:"version-id,omitempty"`
	Sequencer string  `json:"sequencer"`
}

// note queues the events of a change to a version, in the change's transaction.
func (e *events) note(ctx context.Context, b bucket, key string, o listing, reason string) error {
	if !b.Events && len(b.Receivers) == 0 {
		return nil
	}
	now, by := e.host.Now().UTC(), door.CallerFrom(ctx)
	d := detail{
		Version: "0", Bucket: detailBucket{b.Name}, Request: e.host.NewID(), By: by.Account, Address: "127.0.0.1", Reason: reason,
		Object: detailObject{Key: key, Version: o.shownVersion(), Sequencer: fmt.Sprintf("%016X", o.Order)},
	}
	kind := "Object Created"
	switch reason {
	case eventDelete:
		kind, d.Kind = "Object Deleted", "Permanently Deleted"
	case eventMark:
		kind, d.Kind, d.Reason = "Object Deleted", "Delete Marker Created", eventDelete
	default:
		d.Object.Size, d.Object.ETag = &o.Size, o.ETag
	}
	ev := event{Account: b.Owner, Region: b.Region, Bucket: b.Name, ARN: b.arn(), Type: kind, Time: now}
	if b.Events {
		raw, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("writing event of %q in bucket %q: %w", key, b.Name, err)
		}
		if err := e.push(ctx, ev, raw); err != nil {
			return err
		}
	}
	for _, r := range b.Receivers {
		if !r.wants(eventTypes[reason], key) {
			continue
		}
		raw, err := r.message(b, by, now, d, reason)
		if err != nil {
			return fmt.Errorf("writing event of %q in bucket %q: %w", key, b.Name, err)
		}
		ev.To = r.ARN
		if err := e.push(ctx, ev, raw); err != nil {
			return err
		}
	}
	return nil
}

func (e *events) push(ctx context.Context, ev event, detail json.RawMessage) error {
	ev.Detail = detail
	e.deliverer.ask()
	return e.queue.Put(ctx, everywhere, fmt.Sprintf("%016x%s", ev.Time.UnixNano(), e.host.NewID()), ev)
}

const maxAttempts = 4

// deliver sends what is queued, oldest first.
func (e *events) deliver(ctx context.Context) {
	for ctx.Err() == nil {
		list, err := e.queue.List(ctx, everywhere, store.Query{Limit: 10}) // as many as PutEvents takes
		if err != nil || len(list) == 0 {
			return
		}
		for _, entry := range list {
			done := e.settle(ctx, entry)
			if ctx.Err() != nil {
				return // what is left goes out at the next start
			}
			if !done {
				continue
			}
			if err := e.queue.Delete(ctx, everywhere, entry.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
				e.host.Log().Error("s3: an event may be delivered again", "bucket", entry.Value.Bucket, "error", err)
				return
			}
		}
	}
}

func (e *events) send(ctx context.Context, ev event) error {
	cfg := e.to(ev.Account, ev.Region)
	if ev.To != "" {
		return e.hand(ctx, cfg, ev.To, string(ev.Detail))
	}
	out, err := eventbridge.NewFromConfig(cfg).PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{
		Source: aws.String("aws.s3"), DetailType: &ev.Type, Detail: aws.String(string(ev.Detail)), Resources: []string{ev.ARN}, Time: &ev.Time,
	}}})
	if err != nil {
		return err
	}
	if out.FailedEntryCount > 0 && len(out.Entries) > 0 {
		return fmt.Errorf("%s: %s", aws.ToString(out.Entries[0].ErrorCode), aws.ToString(out.Entries[0].ErrorMessage))
	}
	return nil
}

// settle sends an event. One that fails waits for its next attempt, or is given
// up, which the log tells; false means that there will be another attempt.
func (e *events) settle(ctx context.Context, entry store.Entry[event]) bool {
	ev := entry.Value
	err := e.send(ctx, ev)
	if err == nil {
		return true
	}
	if ctx.Err() != nil {
		return false // the queue still has it
	}
	if ev.Attempts++; ev.Attempts >= maxAttempts || ev.To != "" && refuses(err) {
		e.host.Log().Error("s3: an event was not delivered", "bucket", ev.Bucket, "type", ev.Type, "to", ev.To, "detail", string(ev.Detail), "error", err)
		return true
	}
	if err := e.queue.Put(ctx, everywhere, entry.ID, ev); err != nil && ctx.Err() == nil {
		e.host.Log().Error("s3: counting the attempts at an event", "bucket", ev.Bucket, "error", err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(ev.Attempts*ev.Attempts) * 100 * time.Millisecond):
	}
	return false
}
