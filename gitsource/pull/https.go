package pull

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"ouro/gitsource"
)

// https is a repository over git's smart HTTP.
// https://git-scm.com/docs/http-protocol
type https struct {
	p       *Puller
	at      gitsource.Remote
	silence *gitsource.Silence
	base    string // where the server has the repository
	open    io.Closer
}

const maxRedirects = 5

func (h *https) refs(ctx context.Context) (io.Reader, error) {
	const service = "/info/refs?service=git-upload-pack"
	response, err := h.send(ctx, http.MethodGet, h.at.HTTPS+service, nil, "application/x-git-upload-pack-advertisement")
	if err != nil {
		return nil, err
	}
	// A repository that was renamed is elsewhere, and so is what is asked next.
	h.base = strings.TrimSuffix(response.Request.URL.String(), service)
	return h.silence.Reader(response.Body), nil
}

func (h *https) ask(ctx context.Context, question []byte) (io.Reader, error) {
	response, err := h.send(ctx, http.MethodPost, h.base+"/git-upload-pack", question, "application/x-git-upload-pack-result")
	if err != nil {
		return nil, err
	}
	return h.silence.Reader(response.Body), nil
}

// send sends a request, whose answer is to be of that type: a page to sign in is
// none.
func (h *https) send(ctx context.Context, method, address string, body []byte, kind string) (*http.Response, error) {
	h.close()
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, permanent("making the request: %w", bare(err))
	}
	r.Header.Set("User-Agent", "git/ouro") // some servers speak git's protocol with git alone
	if body != nil {
		r.Header.Set("Content-Type", "application/x-git-upload-pack-request")
	}
	if err := h.p.prove(ctx, r, h.at.User); err != nil {
		return nil, err
	}
	response, err := staying(h.p.Client).Do(r)
	if err != nil {
		return nil, bare(err)
	}
	h.open = response.Body
	if err := accepted(response); err != nil {
		return nil, err
	}
	if got := response.Header.Get("Content-Type"); got != kind {
		return nil, permanent("%s answers with %q, which is not git's protocol", r.URL.Host, got)
	}
	return response, nil
}

func (h *https) close() {
	if h.open != nil {
		h.open.Close() //nolint:errcheck // only read from
	}
}

// prove puts the token into a request, if there is one.
func (p *Puller) prove(ctx context.Context, r *http.Request, user string) error {
	if p.Token == nil {
		return nil
	}
	token, err := p.Token(ctx)
	if err == nil {
		r.SetBasicAuth(user, token)
	}
	return err
}

// staying is the client that is not led to another host.
func staying(c *http.Client) *http.Client {
	client := *c
	client.CheckRedirect = func(to *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects || to.URL.Scheme != "https" || to.URL.Host != via[0].URL.Host {
			return permanent("the provider sends us elsewhere")
		}
		to.Header.Del("Referer")
		return nil
	}
	return &client
}

// accepted tells what became of a request that has no good answer.
func accepted(response *http.Response) error {
	host := response.Request.URL.Host
	switch response.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusUnauthorized, http.StatusForbidden:
		return permanent("%s answers %d: give a token that may read the repository", host, response.StatusCode)
	case http.StatusNotFound:
		return fmt.Errorf("%s answers 404: the repository is not there, or the token may not read it", host)
	}
	return fmt.Errorf("%s answers %d", host, response.StatusCode)
}

// bare is an error of the client without the address.
func bare(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}
