package gitsource

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Archives fetches commits as the provider packs them.
type Archives struct {
	Provider Provider
	Token    func(context.Context) (string, error) // nil where everybody may read
	Client   *http.Client                          // see [NewClient]
	Stall    time.Duration                         // how long the provider may say nothing
}

// NewClient is a client that trusts these authorities besides the system's: a
// provider at home may have its own.
func NewClient(authorities []byte) (*http.Client, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("reading the system's authorities: %w", err)
	}
	if len(authorities) > 0 && !pool.AppendCertsFromPEM(authorities) {
		return nil, errors.New("the authorities are no certificates in PEM")
	}
	return &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableCompression: true, // and HTTP/1.1, which holds less of one large answer than HTTP/2
		TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10,
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	}}, nil
}

// Fetch packs the event's commit.
func (a *Archives) Fetch(ctx context.Context, e Event, to *Packer) error {
	k := kinds[a.Provider.Name]
	if k.archive == nil {
		return permanent("the provider %s has no archives; its repositories are pulled", a.Provider.Name)
	}
	ctx, silence, stop := Watch(ctx, a.Stall)
	defer stop()
	response, err := a.ask(ctx, k, k.archive(a.Provider.Host, e))
	if err == nil {
		defer response.Body.Close() //nolint:errcheck // only read from
		in := &counter{Reader: silence.Reader(response.Body)}
		to.read = func() int64 { return in.n }
		err = untar(in, e.Commit, to)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause // which says more than that the context ended
	}
	if err != nil {
		return fmt.Errorf("fetching %s of %s: %w", e.Commit, e.Repository(), err)
	}
	return nil
}

// counter counts what is read.
type counter struct {
	io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += int64(n)
	return n, err
}

const maxRedirects = 5

// ask asks for an archive, with the token for the provider alone.
func (a *Archives) ask(ctx context.Context, k kindOf, address string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, permanent("making the request: %w", bare(err))
	}
	r.Header.Set("User-Agent", "ouro")
	header := ""
	if a.Token != nil {
		token, err := a.Token(ctx)
		if err != nil {
			return nil, err
		}
		var value string
		header, value = k.token(token)
		r.Header.Set(header, value)
	}
	client := *a.Client
	client.CheckRedirect = func(to *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects || to.URL.Scheme != "https" || !a.mayServe(k, to.URL, via[0].URL) {
			return permanent("the provider sends us elsewhere")
		}
		if header != "" && to.URL.Host != via[0].URL.Host {
			to.Header.Del(header)
		}
		to.Header.Del("Referer")
		return nil
	}
	response, err := client.Do(r)
	if err != nil {
		return nil, bare(err)
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	response.Body.Close() //nolint:errcheck // nothing was read of it
	err = fmt.Errorf("the provider answers %d", response.StatusCode)
	// What is just pushed may not be found everywhere yet.
	again := []int{http.StatusNotFound, http.StatusRequestTimeout, http.StatusTooManyRequests}
	if response.StatusCode < 500 && !slices.Contains(again, response.StatusCode) {
		return nil, &PermanentError{err}
	}
	return nil, err
}

// mayServe tells whether an archive may come from there.
func (a *Archives) mayServe(k kindOf, to, first *url.URL) bool {
	return to.Host == first.Host || to.Host == a.Provider.Host || slices.Contains(k.redirects, to.Host) ||
		strings.HasPrefix(a.Provider.Name, "github-") && to.Host == "codeload."+a.Provider.Host
}

// bare is an error of the client without the address, which may have a token of
// the provider's own making.
func bare(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}

// untar packs an archive without the folder that all its files are in.
func untar(in io.Reader, commit string, to *Packer) error {
	z, err := gzip.NewReader(in)
	if errors.Is(err, gzip.ErrHeader) {
		return permanent("what comes is no archive")
	}
	if err != nil {
		return cut(err)
	}
	t, folder := tar.NewReader(z), ""
	for {
		h, err := t.Next()
		if err == io.EOF {
			break
		}
		if errors.Is(err, tar.ErrHeader) {
			return permanent("what comes is no archive: %w", err)
		}
		if err != nil {
			return cut(err)
		}
		if err := entry(t, h, commit, &folder, to); err != nil {
			return err
		}
	}
	if folder == "" {
		return permanent("the archive is empty")
	}
	// The end of the compressed stream proves that all of it came unharmed. After
	// the archive there may be zeros, up to a block of tape.
	if n, err := io.Copy(io.Discard, io.LimitReader(z, maxTrailer)); err != nil {
		return cut(err)
	} else if n == maxTrailer {
		return permanent("the archive goes on after its end")
	}
	return nil
}

const maxTrailer = 1 << 20

func cut(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("reading the archive: %w", err)
}

func entry(t *tar.Reader, h *tar.Header, commit string, folder *string, to *Packer) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		// git archive says which commit it packed.
		if said := h.PAXRecords["comment"]; isHash(said) && said != commit {
			return permanent("the archive is of the commit %s", said)
		}
		return nil
	}
	top, name, below := strings.Cut(h.Name, "/")
	if *folder == "" {
		*folder = top
	}
	if top != *folder || top == "" || top == ".." || !below {
		return permanent("%q is not in the folder of the archive", h.Name)
	}
	switch h.Typeflag {
	case tar.TypeDir:
		if name = strings.TrimSuffix(name, "/"); name == "" {
			return nil
		}
		if err := checkName(name); err != nil {
			return permanent("the name %q: %w", name, err)
		}
		return nil // git keeps no empty folders; those of submodules are
	case tar.TypeReg:
		return to.File(name, h.Mode&0o100 != 0, t)
	case tar.TypeSymlink:
		return to.Link(name, h.Linkname)
	}
	return permanent("%q is neither file, folder nor link", h.Name)
}
