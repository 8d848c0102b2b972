package pull

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// clone is a folder with the objects of some of a repository's commits.
type clone struct {
	dir     string
	objects *filesystem.Storage
	state   state
	fresh   []received // that no bucket has yet
}

// state is which commits are whole, and of which packs. Its file is there only
// while nothing is being added.
type state struct {
	Tips  []string   `json:"tips"`  // newest first
	Packs []received `json:"packs"` // oldest first; the first is whole, others need those before
}

// received is a pack, as the server sent it.
type received struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

const (
	stateFile = "state.json"
	maxTips   = 32
	maxPacks  = 32
	slack     = 1 << 20 // bytes that the packs after the first may have in any case
)

// overgrown tells that beginning anew is better than another pack.
func (s state) overgrown() bool {
	if len(s.Packs) == 0 {
		return false
	}
	var more int64
	for _, p := range s.Packs[1:] {
		more += p.Bytes
	}
	return len(s.Packs) >= maxPacks || more > s.Packs[0].Bytes+slack
}

// Objects below this are read into memory, others as they are needed.
const (
	streamed    = 1 << 20
	objectCache = 32 * cache.MiByte
)

// open gives the clone as it was kept, here or in the bucket, or an empty one.
func (p *Puller) open(ctx context.Context, repository string) (*clone, error) {
	sum := sha256.Sum256([]byte(p.Provider.Host + "/" + repository))
	c := &clone{dir: filepath.Join(p.Dir, hex.EncodeToString(sum[:16]))}
	body, err := os.ReadFile(filepath.Join(c.dir, stateFile))
	if err == nil && json.Unmarshal(body, &c.state) == nil {
		return c, c.load()
	}
	if err := p.makeRoom(c.dir); err != nil {
		return nil, err
	}
	if err := c.empty(); err != nil {
		return nil, err
	}
	if p.Packs == nil {
		return c, nil
	}
	if err := p.Packs.restore(ctx, p.Provider.Host+"/"+repository, c, p.Limits); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		p.Log.WarnContext(ctx, "what was kept of the repository is of no use", "repository", repository, "why", err.Error())
		return c, c.empty()
	}
	return c, nil
}

// makeRoom deletes clones, those first that were not used for longest, until what
// remains is half of the disk. The one of that folder is about to be made.
func (p *Puller) makeRoom(but string) error {
	entries, err := os.ReadDir(p.Dir)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	type kept struct {
		dir   string
		used  time.Time
		bytes int64
	}
	var all []kept
	var sum int64
	for _, e := range entries {
		k := kept{dir: filepath.Join(p.Dir, e.Name())}
		if info, err := os.Stat(filepath.Join(k.dir, stateFile)); err == nil {
			k.used = info.ModTime()
		}
		k.bytes = sizeOf(k.dir)
		sum += k.bytes
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b kept) int { return a.used.Compare(b.used) })
	for _, k := range all {
		if sum <= p.Limits.Disk/2 {
			break
		}
		if k.dir == but {
			continue
		}
		if err := os.RemoveAll(k.dir); err != nil {
			return fmt.Errorf("making room: %w", err)
		}
		sum -= k.bytes
	}
	return nil
}

func sizeOf(dir string) (sum int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				sum += info.Size()
			}
		}
		return nil // what cannot be seen counts nothing
	})
	return sum
}

// load opens the objects.
func (c *clone) load() error {
	if err := c.close(); err != nil {
		return err
	}
	root := osfs.New(c.dir, osfs.WithBoundOS())
	c.objects = filesystem.NewStorageWithOptions(root, cache.NewObjectLRU(objectCache), filesystem.Options{
		KeepDescriptors: true, LargeObjectThreshold: streamed,
	})
	return nil
}

func (c *clone) close() error {
	if c.objects == nil {
		return nil
	}
	err := c.objects.Close()
	c.objects = nil
	return err
}

// empty forgets everything.
func (c *clone) empty() error {
	c.state, c.fresh = state{}, nil
	err := errors.Join(c.close(), os.RemoveAll(c.dir), os.MkdirAll(filepath.Join(c.dir, "objects", "pack"), 0o700))
	if err != nil {
		return fmt.Errorf("making the folder of a clone: %w", err)
	}
	return c.load()
}

func (c *clone) whole(commit string) bool { return slices.Contains(c.state.Tips, commit) }

// update fetches the commit.
func (c *clone) update(ctx context.Context, r remote, commit plumbing.Hash, ref plumbing.ReferenceName, l Limits) error {
	out, err := r.refs(ctx)
	if err != nil {
		return err
	}
	advertised := packp.NewAdvRefs()
	if err := advertised.Decode(&bounded{out, maxRefs, "the list of the server's branches and tags"}); err != nil {
		return told("reading the server's branches and tags", err)
	}
	if c.state.overgrown() {
		if err := c.empty(); err != nil {
			return err
		}
	}
	asked, err := request(advertised, commit, ref, hashes(c.state.Tips))
	if err != nil {
		return err
	}
	if len(asked.Haves) == 0 && len(c.state.Packs) > 0 {
		if err := c.empty(); err != nil { // the pack will be whole in itself
			return err
		}
	}
	in, err := pack(ctx, r, asked)
	if err != nil {
		return err
	}
	if err := c.add(in, l); err != nil {
		return err
	}
	if c.objects.HasEncodedObject(commit) != nil {
		return errors.Join(errors.New("the server does not have the commit in that branch, or not any more: it was pushed over, which another event tells of"), c.empty())
	}
	c.state.Tips = append([]string{commit.String()}, c.state.Tips...)
	c.state.Tips = c.state.Tips[:min(len(c.state.Tips), maxTips)]
	return c.save()
}

func hashes(tips []string) (out []plumbing.Hash) {
	for _, t := range tips {
		out = append(out, plumbing.NewHash(t))
	}
	return out
}

// save writes that all is whole.
func (c *clone) save() error {
	body, err := json.Marshal(c.state)
	if err != nil {
		return err
	}
	file := filepath.Join(c.dir, stateFile)
	if err = os.WriteFile(file+".new", body, 0o600); err == nil {
		err = os.Rename(file+".new", file)
	}
	return err
}
