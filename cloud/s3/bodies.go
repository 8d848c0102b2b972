package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// smallBody is the size, in bytes, up to which a body is kept in the database:
// a file costs more than such a record.
const smallBody = 16 << 10

// bodies are the bytes that objects and parts are made of.
//
// A small body is a chunk of the store for each object. Chunks are numbered by
// the time, so that new ones are written at the end of their table, which is
// much faster than anywhere in it.
//
// A larger one is a blob of the store, with a count of who refers to it. The
// count changes in the transaction of the record that refers. When it falls to
// zero the blob's name is noted as garbage, in the same transaction, and a
// worker deletes the blob later. Between putting a blob and committing the
// first reference to it nobody may delete it: the same bytes may have been
// there before, as garbage. Therefore put holds a shared lock from the end of
// the body until done is called, and the worker deletes under the exclusive
// one. A slow upload holds nothing. A process killed between the two leaves a
// blob that nobody refers to; it takes room, no more.
type bodies struct {
	store     *store.Store
	host      door.Host
	counts    store.Table[int]      // references, by blob
	garbage   store.Table[struct{}] // blobs whose count fell to zero
	collector *worker
	pins      sync.RWMutex
	last      atomic.Int64 // number of a chunk
}

// body is one that was put and waits for its reference.
type body struct {
	name  string // a blob's SHA-256, or + and the number of a chunk
	size  int64
	bytes []byte // of a small body
}

func isSmall(name string) bool { return strings.HasPrefix(name, "+") }

func newBodies(host door.Host) *bodies {
	b := &bodies{
		store: host.Store(), host: host,
		counts:  store.NewTable[int](host.Store(), "s3", "blob"),
		garbage: store.NewTable[struct{}](host.Store(), "s3", "garbage"),
	}
	b.collector = &worker{host: host, name: "s3: deleting unused blobs", run: b.collect}
	return b
}

// put takes the bytes of r. Without an error, done must be called once the
// reference is committed, or not wanted any more.
func (b *bodies) put(ctx context.Context, r io.Reader) (_ body, done func(), err error) {
	head := make([]byte, 0, 4<<10)
	for len(head) <= smallBody {
		if len(head) == cap(head) {
			head = append(make([]byte, 0, smallBody+1), head...)
		}
		n, err := r.Read(head[len(head):cap(head)])
		head = head[:len(head)+n]
		if err == io.EOF && len(head) <= smallBody {
			return b.newSmall(head), func() {}, nil
		}
		if err != nil && err != io.EOF {
			return body{}, nil, err
		}
	}
	p := &pinning{r: r, pins: &b.pins}
	blob, err := b.store.PutBlob(ctx, io.MultiReader(bytes.NewReader(head), p))
	if err != nil {
		p.release()
		return body{}, nil, err
	}
	return body{name: blob.SHA256, size: blob.Size}, p.release, nil
}

func (b *bodies) newSmall(content []byte) body {
	for {
		last := b.last.Load()
		if id := max(b.host.Now().UnixNano(), last+1); b.last.CompareAndSwap(last, id) {
			return body{"+" + strconv.FormatInt(id, 10), int64(len(content)), content}
		}
	}
}

// chunk is the number in the name of a small body.
func chunk(name string) (int64, error) { return strconv.ParseInt(name[1:], 10, 64) }

// pinning takes the shared lock when its reader ends.
type pinning struct {
	r      io.Reader
	pins   *sync.RWMutex
	pinned bool
}

func (p *pinning) Read(buf []byte) (int, error) {
	n, err := p.r.Read(buf)
	if err == io.EOF && !p.pinned {
		p.pins.RLock()
		p.pinned = true
	}
	return n, err
}

func (p *pinning) release() {
	if p.pinned {
		p.pinned = false
		p.pins.RUnlock()
	}
}

// refer counts one more reference to a body that was put, in a transaction.
func (b *bodies) refer(ctx context.Context, put body) error {
	if isSmall(put.name) {
		id, err := chunk(put.name)
		if err != nil {
			return err
		}
		return b.store.PutChunk(ctx, id, put.bytes)
	}
	err := b.counts.Insert(ctx, everywhere, put.name, 1)
	if errors.Is(err, store.ErrExists) {
		_, err = b.share(ctx, put.name)
	}
	return err
}

// share gives one more object a body that somebody refers to, in a transaction.
// It gives the name to refer by, or store.ErrNotFound if nobody refers to the
// body any more.
func (b *bodies) share(ctx context.Context, name string) (string, error) {
	if !isSmall(name) {
		_, err := b.counts.Update(ctx, everywhere, name, func(n *int) error { *n++; return nil })
		return name, err
	}
	content, err := b.read(ctx, name)
	if err != nil {
		return "", err
	}
	again := b.newSmall(content)
	return again.name, b.refer(ctx, again)
}

// drop takes a reference away, in a transaction.
func (b *bodies) drop(ctx context.Context, name string) error {
	if isSmall(name) {
		id, err := chunk(name)
		if err != nil {
			return err
		}
		return b.store.DeleteChunk(ctx, id)
	}
	n, err := b.counts.Update(ctx, everywhere, name, func(n *int) error { *n--; return nil })
	if err != nil || n > 0 {
		return err
	}
	if err := b.counts.Delete(ctx, everywhere, name); err != nil {
		return err
	}
	return b.discard(ctx, name)
}

// read gives a small body.
func (b *bodies) read(ctx context.Context, name string) ([]byte, error) {
	id, err := chunk(name)
	if err != nil {
		return nil, err
	}
	return b.store.Chunk(ctx, id)
}

// open opens a body at a span.
func (b *bodies) open(ctx context.Context, name string, at span) (io.ReadCloser, error) {
	if isSmall(name) {
		content, err := b.read(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("opening body %q: %w", name, err)
		}
		return io.NopCloser(bytes.NewReader(content[at.start : at.start+at.length])), nil
	}
	f, err := b.store.OpenBlob(name)
	if err != nil {
		return nil, fmt.Errorf("opening body %q: %w", name, err)
	}
	if !at.partial {
		return f, nil
	}
	if _, err := f.Seek(at.start, io.SeekStart); err != nil {
		f.Close()
		return nil, fmt.Errorf("opening body %q: %w", name, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(f, at.length), f}, nil
}

// discard notes a blob as garbage. It stays if somebody refers to it.
func (b *bodies) discard(ctx context.Context, blob string) error {
	b.collector.ask()
	return b.garbage.Put(ctx, everywhere, blob, struct{}{})
}

// abandon discards a body that was put for a write that then failed. ctx may be
// over already.
func (b *bodies) abandon(ctx context.Context, unused body) {
	if isSmall(unused.name) {
		return // it was never written
	}
	if err := b.discard(context.WithoutCancel(ctx), unused.name); err != nil {
		b.host.Log().Error("s3: an unused blob stays on the disk", "blob", unused.name, "error", err)
	}
	b.collector.wake()
}

// collect deletes what is garbage.
func (b *bodies) collect(ctx context.Context) {
	for {
		list, err := b.garbage.List(ctx, everywhere, store.Query{Limit: 64})
		if err == nil && len(list) > 0 {
			err = b.sweep(ctx, list)
		}
		if err != nil && ctx.Err() == nil {
			b.host.Log().Error("s3: deleting unused blobs", "error", err)
		}
		if err != nil || len(list) == 0 {
			return
		}
	}
}

// sweep deletes blobs first and then their names as garbage, so that a process
// killed in between does both again.
func (b *bodies) sweep(ctx context.Context, list []store.Entry[struct{}]) error {
	b.pins.Lock()
	defer b.pins.Unlock()
	for _, e := range list {
		_, err := b.counts.Get(ctx, everywhere, e.ID)
		if errors.Is(err, store.ErrNotFound) {
			err = b.store.DeleteBlob(e.ID)
		}
		if err != nil {
			return err
		}
	}
	return b.store.Atomically(ctx, func(ctx context.Context) error {
		for _, e := range list {
			if err := b.garbage.Delete(ctx, everywhere, e.ID); err != nil {
				return err
			}
		}
		return nil
	})
}
