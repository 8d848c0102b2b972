package gitsource

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Worker keeps the objects of a bucket at the newest commits.
type Worker struct {
	Fetch   func(ctx context.Context, e Event, to *Packer) error
	Bucket  string
	Records Records // of branches
	Limits  Limits
	Wait    func(context.Context, time.Duration) error
	Log     *slog.Logger
}

// attempts is how often a commit is fetched before the event is given back.
const attempts = 4

// Work does what an event asks for. An error asks for the event once more.
func (w *Worker) Work(ctx context.Context, e Event) error {
	if err := e.check(); err != nil {
		return fmt.Errorf("the event: %w", err)
	}
	if e.Kind != Push && e.Kind != Tag {
		return fmt.Errorf("the event is a %s", e.Kind)
	}
	do := w.store
	if e.Deleted {
		do = w.mark
	}
	var err error
	for attempt := range attempts {
		if attempt > 0 {
			if err := w.Wait(ctx, time.Second<<(attempt-1)); err != nil {
				return err
			}
		}
		var v verdict
		v, err = do(ctx, e)
		if err == nil {
			w.Log.InfoContext(ctx, "done", "key", e.Key(), "commit", e.Commit, "deleted", e.Deleted, "verdict", v)
			return nil
		}
		w.Log.WarnContext(ctx, "failed", "key", e.Key(), "commit", e.Commit, "attempt", attempt+1, "why", err.Error())
		if p := (*PermanentError)(nil); errors.As(err, &p) || ctx.Err() != nil {
			break
		}
	}
	return err
}

// standing is the branch and its object, as they are now.
type standing struct {
	branch
	record, object string // entity tags
	commit         string // of the object
}

func recordKey(e Event) string { return "branches/" + e.Folder() + "/" + e.Name + ".json" }

func (w *Worker) standing(ctx context.Context, e Event) (s standing, err error) {
	if s.record, err = w.Records.read(ctx, recordKey(e), &s.branch); err != nil {
		return s, err
	}
	key := e.Key()
	out, err := w.Records.API.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &w.Bucket, Key: &key})
	if status(err) == http.StatusNotFound {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("looking at %s: %w", key, err)
	}
	s.object, s.commit = aws.ToString(out.ETag), out.Metadata[metaCommit]
	return s, nil
}

// settled tells whether nothing is left to do.
func (s standing) settled(e Event) (verdict, bool) {
	v := s.judge(e)
	return v, v == older || v == same && (e.Deleted || s.commit == e.Commit)
}

// store fetches the commit, and shows it if it is still the newest by then.
func (w *Worker) store(ctx context.Context, e Event) (v verdict, err error) {
	s, err := w.standing(ctx, e)
	if err != nil {
		return "", err
	}
	if v, done := s.settled(e); done {
		return v, w.unmark(ctx, e, v)
	}
	u := &upload{ctx: ctx, api: w.Records.API, bucket: w.Bucket, event: e}
	defer func() { err = errors.Join(err, u.abort()) }()
	p := NewPacker(u, w.Limits)
	if err = w.Fetch(ctx, e, p); err == nil {
		err = p.Close()
	}
	if err == nil && u.buffer.Len() > 0 {
		err = u.flush()
	}
	if err != nil {
		return "", err
	}
	return w.show(ctx, e, u)
}

// rounds is how often others may come between before an attempt is given up.
const rounds = 10

// show writes that the commit is the newest, and then completes its object over
// the one that was there before. Who is overtaken between the two finds another
// object there, and looks again.
func (w *Worker) show(ctx context.Context, e Event, u *upload) (verdict, error) {
	for range rounds {
		s, err := w.standing(ctx, e)
		if err != nil {
			return "", err
		}
		v, done := s.settled(e)
		if done {
			return v, w.unmark(ctx, e, v)
		}
		if v == newer {
			if _, err := w.Records.write(ctx, recordKey(e), s.record, s.after(e)); errors.Is(err, errConflict) {
				continue
			} else if err != nil {
				return "", err
			}
		}
		if err := u.complete(s.object); conflict(err) {
			continue
		} else if err != nil {
			return "", err
		}
		return newer, w.unmark(ctx, e, newer)
	}
	return "", fmt.Errorf("showing %s: %w", e.Key(), errConflict)
}

func markerKey(e Event) string { return e.Folder() + "/deleted.json" }

// mark says that the branch is deleted. Its object stays.
func (w *Worker) mark(ctx context.Context, e Event) (verdict, error) {
	for range rounds {
		s, err := w.standing(ctx, e)
		if err != nil {
			return "", err
		}
		v := s.judge(e)
		if v == older {
			return v, nil
		}
		if v == newer {
			if _, err := w.Records.write(ctx, recordKey(e), s.record, s.after(e)); errors.Is(err, errConflict) {
				continue
			} else if err != nil {
				return "", err
			}
		}
		body, err := json.Marshal(map[string]any{"repository": e.Repository(), "ref": e.Ref, metaCommit: e.Before, "deleted": true, "received": e.Received})
		if err != nil {
			return "", err
		}
		key := markerKey(e)
		if _, err := w.Records.API.PutObject(ctx, &s3.PutObjectInput{Bucket: &w.Bucket, Key: &key, Body: bytes.NewReader(body), ContentType: aws.String("application/json")}); err != nil {
			return "", fmt.Errorf("writing %s: %w", key, err)
		}
		// A push that came between has looked for the marker before it was there.
		if s, err = w.standing(ctx, e); err != nil || s.Deleted {
			return v, err
		}
		return v, w.unmark(ctx, e, newer)
	}
	return "", fmt.Errorf("marking %s: %w", e.Folder(), errConflict)
}

// unmark takes the marker away from a branch that is there.
func (w *Worker) unmark(ctx context.Context, e Event, v verdict) error {
	if v == older {
		return nil
	}
	key := markerKey(e)
	_, err := w.Records.API.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &w.Bucket, Key: &key})
	if status(err) == http.StatusNotFound {
		return nil
	}
	if err == nil {
		_, err = w.Records.API.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &w.Bucket, Key: &key})
	}
	if err != nil {
		return fmt.Errorf("removing %s: %w", key, err)
	}
	return nil
}
