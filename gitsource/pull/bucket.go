package pull

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Packs keeps clones in a bucket, for processes that begin with nothing on disk.
// What it has is a shortcut: whatever is wrong with it, the server has all. Two
// that write at once leave the one's or the other's.
type Packs struct {
	API    *s3.Client
	Bucket string
}

const maxState = 64 << 10

func listKey(repository string) string       { return "clones/" + repository + "/" + stateFile }
func packKey(repository, name string) string { return "clones/" + repository + "/" + name + ".pack" }

// restore makes the clone what the bucket has; nothing, if that is none.
func (k *Packs) restore(ctx context.Context, repository string, c *clone, l Limits) error {
	var kept state
	body, err := k.get(ctx, listKey(repository))
	if none := (*types.NoSuchKey)(nil); errors.As(err, &none) {
		return nil
	}
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(body, maxState))
	if err = errors.Join(err, body.Close()); err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", listKey(repository), err)
	}
	for _, p := range kept.Packs {
		body, err := k.get(ctx, packKey(repository, p.Name))
		if err != nil {
			return err
		}
		if err := errors.Join(c.add(body, l), body.Close()); err != nil {
			return err
		}
	}
	c.state.Tips, c.fresh = kept.Tips, nil
	return c.save()
}

func (k *Packs) get(ctx context.Context, key string) (io.ReadCloser, error) {
	out, err := k.API.GetObject(ctx, &s3.GetObjectInput{Bucket: &k.Bucket, Key: &key})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", key, err)
	}
	return out.Body, nil
}

// keep writes what the bucket does not have yet of a clone, and deletes what it
// has no use for any more.
func (k *Packs) keep(ctx context.Context, repository string, c *clone) error {
	if len(c.fresh) == 0 {
		return nil
	}
	before := state{}
	if body, err := k.get(ctx, listKey(repository)); err == nil {
		text, err := io.ReadAll(io.LimitReader(body, maxState))
		if err = errors.Join(err, body.Close()); err == nil {
			err = json.Unmarshal(text, &before)
		}
		if err != nil {
			before = state{}
		}
	}
	for _, p := range c.fresh {
		if err := k.putFile(ctx, packKey(repository, p.Name), c.pack(p.Name)); err != nil {
			return err
		}
	}
	body, err := json.Marshal(c.state)
	if err != nil {
		return err
	}
	if err := k.put(ctx, listKey(repository), bytes.NewReader(body)); err != nil {
		return err
	}
	c.fresh = nil
	for _, p := range before.Packs {
		if slices.ContainsFunc(c.state.Packs, func(q received) bool { return q.Name == p.Name }) {
			continue
		}
		key := packKey(repository, p.Name)
		if _, err := k.API.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &k.Bucket, Key: &key}); err != nil {
			return fmt.Errorf("deleting %s: %w", key, err)
		}
	}
	return nil
}

func (k *Packs) putFile(ctx context.Context, key, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read from
	return k.put(ctx, key, f)
}

func (k *Packs) put(ctx context.Context, key string, body io.ReadSeeker) error {
	if _, err := k.API.PutObject(ctx, &s3.PutObjectInput{Bucket: &k.Bucket, Key: &key, Body: body}); err != nil {
		return fmt.Errorf("writing %s: %w", key, err)
	}
	return nil
}

// forget deletes the list; the packs follow when the next is written, or by the
// bucket's lifecycle.
func (k *Packs) forget(ctx context.Context, repository string) error {
	key := listKey(repository)
	if _, err := k.API.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &k.Bucket, Key: &key}); err != nil {
		return fmt.Errorf("deleting %s: %w", key, err)
	}
	return nil
}
