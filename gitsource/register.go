package gitsource

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Registrar keeps what a provider has to know of us at a repository: the webhook,
// and the deploy key. It speaks the provider's API, as somebody with a token.
type Registrar struct {
	Provider Provider
	Token    string
	Client   *http.Client // see [NewClient]
}

// Repository is the owner and the name of a repository. With GitLab, all its
// groups are the owner.
func (p Provider) Repository(text string) (owner, name string, err error) {
	e, err := repository(text)
	return e.Owner, e.Name, err
}

// Register has pushes to the repository sent to the URL. A webhook for that URL
// that is there already gets the secret, which no provider tells.
func (r *Registrar) Register(ctx context.Context, repository, to, secret string) (created bool, err error) {
	a, at, err := r.at(repository)
	if err != nil {
		return false, err
	}
	there, err := r.list(ctx, a, at+a.hooks, sends(to))
	if err != nil {
		return false, fmt.Errorf("looking for the webhook of %s: %w", repository, err)
	}
	if len(there) > 0 && a.update != "" {
		err = r.call(ctx, a.update, at+a.hooks+"/"+there[0], a.hook(to, secret), nil)
	} else {
		err = r.call(ctx, http.MethodPost, at+a.hooks, a.hook(to, secret), nil)
		for _, id := range there {
			if err == nil {
				err = r.call(ctx, http.MethodDelete, at+a.hooks+"/"+id, nil, nil)
			}
		}
	}
	if err != nil {
		return false, fmt.Errorf("registering the webhook of %s: %w", repository, err)
	}
	return len(there) == 0, nil
}

// Unregister deletes the webhooks for the URL, and tells how many there were.
func (r *Registrar) Unregister(ctx context.Context, repository, to string) (int, error) {
	a, at, err := r.at(repository)
	if err != nil {
		return 0, err
	}
	n, err := r.remove(ctx, a, at+a.hooks, sends(to))
	if err != nil {
		return n, fmt.Errorf("deleting the webhook of %s: %w", repository, err)
	}
	return n, nil
}

// AddKey lets the owner of an SSH key read the repository.
func (r *Registrar) AddKey(ctx context.Context, repository, title, key string) (created bool, err error) {
	a, at, err := r.at(repository)
	if err != nil {
		return false, err
	}
	there, err := r.list(ctx, a, a.keysAt(at), is(key))
	if err == nil && len(there) == 0 {
		err = r.call(ctx, http.MethodPost, a.keysAt(at), a.key(title, key), nil)
	}
	if err != nil {
		return false, fmt.Errorf("registering the deploy key of %s: %w", repository, err)
	}
	return len(there) == 0, nil
}

// RemoveKey takes that back, and tells how many there were: none in a repository
// that is not there.
func (r *Registrar) RemoveKey(ctx context.Context, repository, key string) (int, error) {
	a, at, err := r.at(repository)
	if err != nil {
		return 0, err
	}
	n, err := r.remove(ctx, a, a.keysAt(at), is(key))
	if r := (*refusal)(nil); errors.As(err, &r) && r.status == http.StatusNotFound {
		return 0, nil
	}
	if err != nil {
		return n, fmt.Errorf("deleting the deploy key of %s: %w", repository, err)
	}
	return n, nil
}

func (r *Registrar) at(repository string) (api, string, error) {
	owner, name, err := r.Provider.Repository(repository)
	if err != nil {
		return api{}, "", err
	}
	a, ok := apis[r.Provider.Name]
	if !ok {
		return a, "", fmt.Errorf("the provider %s has no API for webhooks", r.Provider.Name)
	}
	return a, a.repository(r.Provider.Host, owner, name), nil
}

func (r *Registrar) remove(ctx context.Context, a api, at string, wanted func(registered) bool) (int, error) {
	there, err := r.list(ctx, a, at, wanted)
	if err != nil {
		return 0, err
	}
	for i, id := range there {
		if err := r.call(ctx, http.MethodDelete, at+"/"+id, nil, nil); err != nil {
			return i, err
		}
	}
	return len(there), nil
}

// registered is a webhook or a key as the providers tell it.
type registered struct {
	ID     json.RawMessage // a number, or nothing
	UUID   string
	URL    string
	Config struct{ URL string }
	Key    json.RawMessage // a text, or an object with it
}

// keyObject is a key where it is an object.
type keyObject struct {
	ID   json.RawMessage
	Text string
}

// id is how the provider addresses it.
func (g registered) id() string {
	var k keyObject
	if g.UUID != "" {
		return url.PathEscape(g.UUID)
	}
	if len(g.ID) == 0 && json.Unmarshal(g.Key, &k) == nil {
		g.ID = k.ID
	}
	return url.PathEscape(strings.Trim(string(g.ID), `"`))
}

// sends tells the webhooks that send to a URL. Where there is a configuration,
// the other URL is the webhook's own.
func sends(to string) func(registered) bool {
	return func(g registered) bool {
		if g.Config.URL != "" {
			return g.Config.URL == to
		}
		return g.URL == to
	}
}

// is tells an SSH key, whatever it is called.
func is(key string) func(registered) bool {
	bare := func(s string) []string { return strings.Fields(s)[:min(2, len(strings.Fields(s)))] }
	return func(g registered) bool {
		var text string
		var k keyObject
		if json.Unmarshal(g.Key, &text) != nil && json.Unmarshal(g.Key, &k) == nil {
			text = k.Text
		}
		return text != "" && slices.Equal(bare(text), bare(key))
	}
}

// Bounds on what a provider answers.
const (
	maxPages  = 100
	maxAnswer = 4 << 20
	maxReason = 200
)

// list gives the ids of what is wanted. The end is an empty page: a server may
// give less at once than it was asked for.
func (r *Registrar) list(ctx context.Context, a api, at string, wanted func(registered) bool) ([]string, error) {
	var ids []string
	seen := 0
	for page := 1; page <= maxPages; page++ {
		var answer listing
		if err := r.call(ctx, http.MethodGet, at+"?"+a.page(page, seen), nil, &answer); err != nil {
			return nil, err
		}
		if len(answer) == 0 {
			return ids, nil
		}
		seen += len(answer)
		for _, g := range answer {
			if id := g.id(); id != "" && wanted(g) {
				ids = append(ids, id)
			}
		}
	}
	return nil, fmt.Errorf("the provider tells of more than %d pages", maxPages)
}

// listing is a page, which may be an object around the list.
type listing []registered

func (l *listing) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("[")) {
		return json.Unmarshal(b, (*[]registered)(l))
	}
	var page struct{ Values []registered }
	err := json.Unmarshal(b, &page)
	*l = page.Values
	return err
}

// call asks the API. Redirects are not followed: they are of repositories that
// have another name now, and the token goes nowhere but to the provider.
func (r *Registrar) call(ctx context.Context, method, address string, body, into any) error {
	var sent io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(b)
	}
	q, err := http.NewRequestWithContext(ctx, method, address, sent)
	if err != nil {
		return err
	}
	q.Header.Set(kinds[r.Provider.Name].token(r.Token))
	for name, value := range map[string]string{"User-Agent": "ouro", "Accept": "application/json", "Content-Type": "application/json"} {
		q.Header.Set(name, value)
	}
	client := *r.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := client.Do(q)
	if err != nil {
		return bare(err)
	}
	defer answer.Body.Close() //nolint:errcheck // only read from
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading the provider's answer: %w", err)
	}
	if answer.StatusCode/100 != 2 {
		return r.refused(answer.StatusCode, b)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return errors.New("the provider's answer is not of its API")
	}
	return nil
}

// refusal is an answer of a provider that did not do what it was asked.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

// refused says why the provider did not do it, and what it takes.
func (r *Registrar) refused(status int, body []byte) error {
	text := fmt.Sprintf("the provider answers %d", status)
	var said struct{ Message string }
	if json.Unmarshal(body, &said) == nil {
		if reason := printable(said.Message, maxReason); reason != "" && !strings.Contains(reason, r.Token) {
			text += ": " + reason
		}
	}
	switch {
	case status/100 == 3:
		text += "; the repository has another name now"
	case status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusNotFound:
		text += "; the token needs " + apis[r.Provider.Name].rights
	}
	return &refusal{status, text}
}
