package pull

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"ouro/gitsource"
)

// packing packs a commit, and those that it has as submodules.
type packing struct {
	p     *Puller
	to    *gitsource.Packer
	trees int
}

// repository packs a commit of a repository below a folder.
func (k *packing) repository(ctx context.Context, name, commit string, ref plumbing.ReferenceName, below string, depth int) error {
	c, err := k.p.have(ctx, name, commit, ref)
	if err != nil {
		return err
	}
	err = k.commit(ctx, c, name, plumbing.NewHash(commit), below, depth)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		err = errors.Join(fmt.Errorf("what is kept of the repository is not whole, and is now forgotten: %w", err), k.p.forget(ctx, c, name))
	}
	if err == nil && k.p.Packs != nil {
		if err := k.p.Packs.keep(ctx, k.p.kept(name), c); err != nil {
			k.p.Log.WarnContext(ctx, "the commit was not kept for the next process", "repository", name, "why", err.Error())
		}
	}
	return errors.Join(err, c.close())
}

func (k *packing) commit(ctx context.Context, c *clone, name string, commit plumbing.Hash, below string, depth int) error {
	tree, err := c.treeOf(commit)
	if err != nil {
		return err
	}
	s := &source{packing: k, clone: c, name: name, depth: depth}
	if k.p.Submodules == Fetch {
		if s.modules, err = s.submodules(tree); err != nil {
			return err
		}
	}
	if k.p.LFS == Fetch {
		s.lfs = &lfs{p: k.p, name: name}
		if err := k.walk(c, tree, "", func(_ string, e entry) error { return s.want(e) }); err != nil {
			return err
		}
	}
	return k.walk(c, tree, "", func(at string, e entry) error { return s.add(ctx, path.Join(below, at), at, e) })
}

// source is the commit of a repository that is being packed.
type source struct {
	*packing
	clone   *clone
	name    string
	depth   int
	modules map[string]string // addresses, by their paths
	lfs     *lfs              // where its files are fetched
}

// entry is one of a tree's.
type entry struct {
	mode filemode.FileMode
	name string
	hash plumbing.Hash
}

// treeOf is the tree of a commit, or of the one that a tag is of.
func (c *clone) treeOf(commit plumbing.Hash) (plumbing.Hash, error) {
	const maxTags = 10 // of tags
	for range maxTags {
		kind, body, err := c.read(commit)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		line, _, _ := strings.Cut(string(body), "\n")
		field, hash, _ := strings.Cut(line, " ")
		switch {
		case !plumbing.IsHash(hash):
		case kind == plumbing.CommitObject && field == "tree":
			return plumbing.NewHash(hash), nil
		case kind == plumbing.TagObject && field == "object":
			commit = plumbing.NewHash(hash)
			continue
		}
		break
	}
	return plumbing.ZeroHash, permanent("%s is no commit", commit)
}

// read reads an object that is no file.
func (c *clone) read(hash plumbing.Hash) (kind plumbing.ObjectType, body []byte, err error) {
	o, err := c.objects.EncodedObject(plumbing.AnyObject, hash)
	if err != nil {
		return 0, nil, fmt.Errorf("reading %s: %w", hash, err)
	}
	body, err = content(o)
	return o.Type(), body, err
}

func content(o plumbing.EncodedObject) ([]byte, error) {
	in, err := o.Reader()
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(in)
	return body, errors.Join(err, in.Close())
}

// entries are a tree's, in git's order.
func (c *clone) entries(tree plumbing.Hash) (list []entry, err error) {
	kind, body, err := c.read(tree)
	if err != nil {
		return nil, err
	}
	for len(body) > 0 && kind == plumbing.TreeObject {
		head, rest, ok := bytes.Cut(body, []byte{0})
		mode, name, spaced := strings.Cut(string(head), " ")
		number, err := strconv.ParseUint(mode, 8, 32)
		if !ok || !spaced || err != nil || len(rest) < len(plumbing.ZeroHash) {
			return nil, permanent("the tree %s is none", tree)
		}
		e := entry{mode: filemode.FileMode(number), name: name}
		body = rest[copy(e.hash[:], rest):]
		list = append(list, e)
	}
	return list, nil
}

// maxName is how long the path of a folder may be; the packer refuses longer ones
// of files.
const maxName = 1024

// walk visits what is in a tree and is no tree, in git's order.
func (k *packing) walk(c *clone, tree plumbing.Hash, at string, visit func(at string, e entry) error) error {
	if k.trees++; k.trees > k.p.Limits.Entries || len(at) > maxName {
		return permanent("the commit has more than %d folders, or some whose names are too long", k.p.Limits.Entries)
	}
	list, err := c.entries(tree)
	if err != nil {
		return err
	}
	for _, e := range list {
		name := e.name
		if at != "" {
			name = at + "/" + e.name
		}
		if strings.Contains(e.name, "/") {
			return permanent("the name %q has a slash in it", e.name)
		}
		if e.mode == filemode.Dir {
			err = k.walk(c, e.hash, name, visit)
		} else {
			err = visit(name, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxTarget is how long what a link is to may be; the packer refuses it.
const maxTarget = 64 << 10

// add packs an entry. at is where it is in its own repository.
func (s *source) add(ctx context.Context, name, at string, e entry) error {
	switch e.mode {
	case filemode.Submodule:
		return s.submodule(ctx, name, at, e)
	case filemode.Symlink, filemode.Regular, filemode.Executable, filemode.Deprecated:
	default:
		return permanent("%q is neither file, folder nor link", name)
	}
	o, err := s.clone.objects.EncodedObject(plumbing.AnyObject, e.hash)
	if err != nil {
		return fmt.Errorf("reading %q: %w", name, err)
	}
	switch {
	case o.Type() != plumbing.BlobObject:
		return permanent("%q is a %s in place of a file", name, o.Type())
	case e.mode == filemode.Symlink && o.Size() > maxTarget:
		return permanent("the link %q leads out of the commit", name)
	case e.mode == filemode.Symlink:
		target, err := content(o)
		if err != nil {
			return err
		}
		return s.to.Link(name, string(target))
	}
	return s.file(ctx, name, e.mode == filemode.Executable, o)
}

func (s *source) file(ctx context.Context, name string, executable bool, o plumbing.EncodedObject) error {
	p, is, err := pointerIn(o)
	if err != nil {
		return err
	}
	if is && s.p.LFS != Leave {
		return s.large(ctx, name, executable, p)
	}
	in, err := o.Reader()
	if err != nil {
		return err
	}
	return errors.Join(s.to.File(name, executable, in), in.Close())
}

func (p *Puller) kept(repository string) string { return p.Provider.Host + "/" + repository }

// forget deletes what is kept of a repository.
func (p *Puller) forget(ctx context.Context, c *clone, repository string) error {
	err := c.empty()
	if p.Packs != nil {
		err = errors.Join(err, p.Packs.forget(ctx, p.kept(repository)))
	}
	return err
}
