package pull

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"ouro/gitsource"
)

// pointer stands in a repository for a file that is kept in Git LFS.
// https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
type pointer struct {
	OID  string `json:"oid"` // SHA-256
	Size int64  `json:"size"`
}

const maxPointer = 1024

// pointerIn reads a file that may be a pointer.
func pointerIn(o plumbing.EncodedObject) (p pointer, is bool, err error) {
	if o.Size() >= maxPointer {
		return p, false, nil
	}
	body, err := content(o)
	if err != nil {
		return p, false, err
	}
	p, is = readPointer(string(body))
	return p, is, nil
}

func readPointer(text string) (p pointer, is bool) {
	rest, is := strings.CutPrefix(text, "version https://git-lfs.github.com/spec/v1\n")
	if !is {
		return p, false
	}
	for line := range strings.Lines(rest) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch name {
		case "oid":
			p.OID = strings.TrimPrefix(value, "sha256:")
		case "size":
			p.Size, _ = strconv.ParseInt(value, 10, 64) // of one that is none, below
		}
	}
	b, err := hex.DecodeString(p.OID)
	return p, err == nil && len(b) == sha256.Size && p.Size >= 0
}

// lfs fetches the files of one repository.
type lfs struct {
	p       *Puller
	name    string
	wanted  []pointer // in the order in which they are packed
	actions map[string]action
}

// action is how a file is fetched.
type action struct {
	Href   string            `json:"href"`
	Header map[string]string `json:"header"`
}

// want remembers what a file stands for.
func (s *source) want(e entry) error {
	if e.mode == filemode.Submodule || e.mode == filemode.Symlink {
		return nil
	}
	o, err := s.clone.objects.EncodedObject(plumbing.BlobObject, e.hash)
	if err != nil {
		return err
	}
	if p, is, err := pointerIn(o); err != nil {
		return err
	} else if is {
		s.lfs.wanted = append(s.lfs.wanted, p)
	}
	return nil
}

// large packs a file that is kept in LFS.
func (s *source) large(ctx context.Context, name string, executable bool, p pointer) error {
	if s.lfs == nil {
		return permanent("%q is kept in Git LFS: choose whether its files are fetched, or packed as the pointers that they are in git", name)
	}
	a, err := s.lfs.action(ctx, p)
	if err != nil {
		return fmt.Errorf("asking LFS for %q: %w", name, err)
	}
	ctx, silence, stop := gitsource.Watch(ctx, s.p.Stall)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.Href, nil)
	if err != nil || r.URL.Scheme != "https" {
		return permanent("LFS has %q at an address that is none of HTTPS", name)
	}
	for n, v := range a.Header {
		r.Header.Set(n, v)
	}
	client := *s.p.Client
	client.CheckRedirect = func(to *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects || to.URL.Scheme != "https" {
			return permanent("LFS sends us elsewhere")
		}
		return nil
	}
	response, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("fetching %q from LFS: %w", name, bare(err))
	}
	defer response.Body.Close() //nolint:errcheck // only read from
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("fetching %q from LFS: %s answers %d", name, response.Request.URL.Host, response.StatusCode)
	}
	return s.to.File(name, executable, &verified{Reader: silence.Reader(response.Body), sum: sha256.New(), want: p})
}

// verified reads a file, and ends in an error if it is not the one that was meant.
type verified struct {
	io.Reader
	sum  hash.Hash
	n    int64
	want pointer
}

func (v *verified) Read(b []byte) (int, error) {
	n, err := v.Reader.Read(b)
	v.sum.Write(b[:n])
	v.n += int64(n)
	if v.n > v.want.Size || err == io.EOF && (v.n != v.want.Size || hex.EncodeToString(v.sum.Sum(nil)) != v.want.OID) {
		return n, errors.New("what LFS gives is another file")
	}
	return n, err
}

const (
	lfsBatch   = 100 // files that are asked for at once
	maxBatch   = 4 << 20
	lfsType    = "application/vnd.git-lfs+json"
	lfsProgram = "git-lfs-authenticate"
)

// action is how to fetch the file. What is packed after it is asked for with it.
func (l *lfs) action(ctx context.Context, p pointer) (action, error) {
	if a, ok := l.actions[p.OID]; ok {
		return a, nil
	}
	for len(l.wanted) > 0 && l.wanted[0].OID != p.OID {
		l.wanted = l.wanted[1:]
	}
	ask := l.wanted[:min(len(l.wanted), lfsBatch)]
	l.wanted = l.wanted[len(ask):]
	if err := l.batch(ctx, ask); err != nil {
		return action{}, err
	}
	a, ok := l.actions[p.OID]
	if !ok {
		return a, errors.New("it does not say where it is")
	}
	return a, nil
}

// batch asks where files are.
// https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md
func (l *lfs) batch(ctx context.Context, ask []pointer) error {
	ctx, silence, stop := gitsource.Watch(ctx, l.p.Stall)
	defer stop()
	body, err := json.Marshal(map[string]any{"operation": "download", "transfers": []string{"basic"}, "hash_algo": "sha256", "objects": ask})
	if err != nil {
		return err
	}
	r, err := l.request(ctx, body, silence)
	if err != nil {
		return err
	}
	response, err := staying(l.p.Client).Do(r)
	if err != nil {
		return bare(err)
	}
	defer response.Body.Close() //nolint:errcheck // only read from
	if err := accepted(response); err != nil {
		return err
	}
	var out struct {
		Objects []struct {
			pointer
			Actions struct{ Download *action }
			Error   *struct {
				Code    int
				Message string
			}
		}
	}
	if err := json.NewDecoder(io.LimitReader(silence.Reader(response.Body), maxBatch)).Decode(&out); err != nil {
		return fmt.Errorf("the answer is none of LFS: %w", err)
	}
	l.actions = map[string]action{}
	for _, o := range out.Objects {
		if o.Error != nil {
			return permanent("the file %s: %d %q", o.OID, o.Error.Code, o.Error.Message[:min(len(o.Error.Message), maxSaid)])
		}
		if o.Actions.Download != nil {
			l.actions[o.OID] = *o.Actions.Download
		}
	}
	return nil
}

// request is a batch request as who may read the repository sends it. Over SSH, a
// program of the server's says what proves that.
// https://github.com/git-lfs/git-lfs/blob/main/docs/api/server-discovery.md
func (l *lfs) request(ctx context.Context, body []byte, silence *gitsource.Silence) (*http.Request, error) {
	at, err := l.p.Provider.Remote(l.name)
	if err != nil {
		return nil, err
	}
	a := action{Href: at.HTTPS + "/info/lfs"}
	if l.p.Key != nil {
		if a, err = l.p.authenticate(ctx, at, silence); err != nil {
			return nil, err
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(a.Href, "/")+"/objects/batch", bytes.NewReader(body))
	if err != nil || r.URL.Scheme != "https" {
		return nil, permanent("the server names an address of LFS that is none of HTTPS")
	}
	r.Header.Set("Accept", lfsType)
	r.Header.Set("Content-Type", lfsType)
	for n, v := range a.Header {
		r.Header.Set(n, v)
	}
	if l.p.Key != nil {
		return r, nil
	}
	return r, l.p.prove(ctx, r, at.User)
}

// authenticate asks the SSH host where LFS is.
func (p *Puller) authenticate(ctx context.Context, at gitsource.Remote, silence *gitsource.Silence) (a action, err error) {
	s, err := p.dialSSH(ctx, at, lfsProgram, " download", silence)
	if err != nil {
		return a, err
	}
	defer s.close()
	out, err := s.refs(ctx)
	if err == nil {
		err = json.NewDecoder(io.LimitReader(out, maxBatch)).Decode(&a)
	}
	if err != nil {
		return a, fmt.Errorf("the SSH host has no LFS for us: %w", err)
	}
	return a, nil
}
