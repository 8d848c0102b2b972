package gitsource_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"ouro/gitsource"
)

// registry is what a provider keeps at a repository, by the addresses of its API.
type registry struct {
	*testing.T
	lists  map[string]map[int]map[string]any // by address, by id
	values bool                              // lists are in an object
	id     func(item map[string]any, id int) // writes an id where the provider has it
	auth   string
	asked  []string
	sent   string // the last body
	next   int
	answer func() *http.Response // in place of what it should say
}

func (s *registry) RoundTrip(q *http.Request) (*http.Response, error) {
	address := q.Method + " " + q.URL.Scheme + "://" + q.URL.Host + q.URL.EscapedPath()
	s.asked = append(s.asked, address)
	if got := q.Header.Get("Authorization") + q.Header.Get("PRIVATE-TOKEN"); got != s.auth {
		s.Errorf("%s came as %q", address, got)
	}
	if s.answer != nil {
		return s.answer(), nil
	}
	at := strings.TrimPrefix(address, q.Method+" ")
	body := map[string]any{}
	if q.Body != nil && q.Method != http.MethodGet && q.Method != http.MethodDelete {
		b, err := io.ReadAll(q.Body)
		if err == nil {
			err = json.Unmarshal(b, &body)
		}
		if s.sent = string(b); err != nil {
			s.Errorf("%s: %v", address, err)
		}
	}
	list, one := s.lists[at], 0
	if list == nil {
		up, last := at[:strings.LastIndexByte(at, '/')], at[strings.LastIndexByte(at, '/')+1:]
		fmt.Sscanf(strings.Trim(strings.NewReplacer("%7B", "", "%7D", "").Replace(last), "{}"), "%d", &one) //nolint:errcheck // 0 then, which is not there
		list = s.lists[up]
	}
	switch {
	case list == nil || one != 0 && list[one] == nil:
		return reply(404, map[string]any{"message": "Not Found"}), nil
	case q.Method == http.MethodGet:
		return reply(200, s.page(list, q)), nil
	case q.Method == http.MethodPost:
		s.next++
		s.id(body, s.next)
		list[s.next] = body
		return reply(201, body), nil
	case q.Method == http.MethodDelete:
		delete(list, one)
		return reply(204, nil), nil
	}
	s.id(body, one)
	list[one] = body
	return reply(200, body), nil
}

// page gives one a page, as a server may that gives less than it is asked for.
func (s *registry) page(list map[int]map[string]any, q *http.Request) any {
	at := 0
	if n, err := fmt.Sscanf(q.URL.Query().Get("page"), "%d", &at); n == 1 && err == nil {
		at--
	} else {
		fmt.Sscanf(q.URL.Query().Get("start"), "%d", &at) //nolint:errcheck // the first
	}
	items := []map[string]any{}
	if ids := slices.Sorted(maps.Keys(list)); at < len(ids) {
		items = append(items, list[ids[at]])
	}
	if s.values {
		return map[string]any{"values": items}
	}
	return items
}

func reply(status int, v any) *http.Response {
	b, _ := json.Marshal(v) //nolint:errcheck // of a test
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(b))}
}

func number(item map[string]any, id int) { item["id"] = id }

// registries are the providers' addresses and words.
var registries = map[string]struct {
	host        string
	auth        string
	hooks, keys string // addresses
	hook, key   string // as they are registered
	values      bool
	hookID      func(map[string]any, int)
	keyID       func(map[string]any, int)
}{
	"github": {
		auth: "Bearer the-token", hooks: "https://api.github.com/repos/acme/app/hooks", keys: "https://api.github.com/repos/acme/app/keys", hookID: hubID, keyID: number,
		hook: `{"active":true,"config":{"content_type":"json","insecure_ssl":"0","secret":"the-secret","url":"https://hook"},"events":["push"],"name":"web"}`,
		key:  `{"key":"ssh-ed25519 AAAA ouro","read_only":true,"title":"ouro"}`,
	},
	"github-enterprise": {
		host: "git.example.com:8443", auth: "Bearer the-token", hooks: "https://git.example.com:8443/api/v3/repos/acme/app/hooks", keys: "https://git.example.com:8443/api/v3/repos/acme/app/keys", hookID: hubID, keyID: number,
		hook: `{"active":true,"config":{"content_type":"json","insecure_ssl":"0","secret":"the-secret","url":"https://hook"},"events":["push"],"name":"web"}`,
		key:  `{"key":"ssh-ed25519 AAAA ouro","read_only":true,"title":"ouro"}`,
	},
	"gitlab": {
		auth: "the-token", hooks: "https://gitlab.com/api/v4/projects/acme%2Fapp/hooks", keys: "https://gitlab.com/api/v4/projects/acme%2Fapp/deploy_keys", hookID: number, keyID: number,
		hook: `{"enable_ssl_verification":true,"push_events":true,"tag_push_events":true,"token":"the-secret","url":"https://hook"}`,
		key:  `{"can_push":false,"key":"ssh-ed25519 AAAA ouro","title":"ouro"}`,
	},
	"bitbucket": {
		auth: "Bearer the-token", hooks: "https://api.bitbucket.org/2.0/repositories/acme/app/hooks", keys: "https://api.bitbucket.org/2.0/repositories/acme/app/deploy-keys", values: true,
		hookID: func(item map[string]any, id int) { item["uuid"] = fmt.Sprintf("{%d}", id) }, keyID: number,
		hook: `{"active":true,"description":"ouro","events":["repo:push"],"secret":"the-secret","url":"https://hook"}`,
		key:  `{"key":"ssh-ed25519 AAAA ouro","label":"ouro"}`,
	},
	"bitbucket-server": {
		host: "git.example.com", auth: "Bearer the-token", hooks: "https://git.example.com/rest/api/latest/projects/acme/repos/app/webhooks", keys: "https://git.example.com/rest/keys/latest/projects/acme/repos/app/ssh", values: true,
		hookID: number, keyID: func(item map[string]any, id int) { item["key"].(map[string]any)["id"] = id },
		hook: `{"active":true,"configuration":{"secret":"the-secret"},"events":["repo:refs_changed"],"name":"ouro","url":"https://hook"}`,
		key:  `{"key":{"label":"ouro","text":"ssh-ed25519 AAAA ouro"},"permission":"REPO_READ"}`,
	},
	"gitea": {
		host: "try.example.com", auth: "token the-token", hooks: "https://try.example.com/api/v1/repos/acme/app/hooks", keys: "https://try.example.com/api/v1/repos/acme/app/keys", hookID: number, keyID: number,
		hook: `{"active":true,"branch_filter":"*","config":{"content_type":"json","secret":"the-secret","url":"https://hook"},"events":["push","delete"],"type":"gitea"}`,
		key:  `{"key":"ssh-ed25519 AAAA ouro","read_only":true,"title":"ouro"}`,
	},
}

// hubID is the id of a webhook of GitHub's, whose own address is not where it
// sends to.
func hubID(item map[string]any, id int) { item["id"], item["url"] = id, "https://hook" }

// TestRegister: at every provider a webhook and a key are registered once, a
// secret that changed is told, and what others registered stays.
func TestRegister(t *testing.T) {
	t.Parallel()
	for name, c := range registries {
		t.Run(name, func(t *testing.T) {
			foreign := map[string]any{"url": "https://foreign", "config": map[string]any{"url": "https://foreign"}}
			strange := map[string]any{"key": "ssh-ed25519 BBBB ouro"}
			if c.values && c.host != "" {
				strange["key"] = map[string]any{"text": "ssh-ed25519 BBBB ouro"}
			}
			if c.values || name == "gitlab" {
				delete(foreign, "config")
			}
			c.hookID(foreign, 1)
			foreign["url"] = "https://foreign"
			c.keyID(strange, 2)
			s := &registry{T: t, values: c.values, auth: c.auth, next: 2, lists: map[string]map[int]map[string]any{c.hooks: {1: foreign}, c.keys: {2: strange}}}
			p, err := gitsource.NewProvider(name, c.host)
			if err != nil {
				t.Fatal(err)
			}
			r := &gitsource.Registrar{Provider: p, Token: "the-token", Client: &http.Client{Transport: s}}
			s.id = c.hookID
			for i, secret := range []string{"an-old-secret", "the-secret"} {
				if created, err := r.Register(t.Context(), "acme/app", "https://hook", secret); err != nil || created != (i == 0) {
					t.Fatalf("registering %d: %t %v", i, created, err)
				}
			}
			if s.sent != c.hook {
				t.Errorf("the webhook is %s", s.sent)
			}
			if n, err := r.Unregister(t.Context(), "acme/app", "https://hook"); err != nil || n != 1 || len(s.lists[c.hooks]) != 1 {
				t.Errorf("%d were deleted of %v: %v", n, s.lists[c.hooks], err)
			}
			s.id = c.keyID
			for i, title := range []string{"ouro", "another"} {
				if created, err := r.AddKey(t.Context(), "acme/app", title, "ssh-ed25519 AAAA ouro"); err != nil || created != (i == 0) {
					t.Fatalf("adding %d: %t %v", i, created, err)
				}
			}
			if s.sent != c.key {
				t.Errorf("the key is %s", s.sent)
			}
			if n, err := r.RemoveKey(t.Context(), "acme/app", "ssh-ed25519 AAAA"); err != nil || n != 1 || len(s.lists[c.keys]) != 1 {
				t.Errorf("%d were deleted of %v: %v", n, s.lists[c.keys], err)
			}
		})
	}
}

// TestRegisterRefused: an error says what the provider said and what the token
// needs, and nothing that is secret.
func TestRegisterRefused(t *testing.T) {
	t.Parallel()
	s := &registry{T: t, auth: "Bearer the-token"}
	p, err := gitsource.NewProvider("github", "")
	if err != nil {
		t.Fatal(err)
	}
	r := &gitsource.Registrar{Provider: p, Token: "the-token", Client: &http.Client{Transport: s}}
	endless := func() *http.Response {
		return reply(200, []map[string]any{{"id": 1, "config": map[string]any{"url": "https://elsewhere"}}})
	}
	for _, c := range []struct {
		answer func() *http.Response
		why    string
	}{
		{func() *http.Response { return reply(401, map[string]any{"message": "Bad credentials"}) }, "answers 401: Bad credentials; the token needs the scope admin:repo_hook"},
		{func() *http.Response { return reply(404, map[string]any{"message": "Not Found"}) }, "answers 404: Not Found; the token needs"},
		{func() *http.Response { return reply(403, map[string]any{"message": "the-token may not"}) }, "answers 403; the token needs"},
		{func() *http.Response { return reply(422, map[string]any{"message": "a\x1b[31mb"}) }, "answers 422"},
		{func() *http.Response {
			moved := reply(301, nil)
			moved.Header.Set("Location", "https://api.github.com/repositories/1/hooks")
			return moved
		}, "another name now"},
		{func() *http.Response { return reply(500, "<html>") }, "answers 500"},
		{func() *http.Response { return reply(200, "sign in") }, "not of its API"},
		{endless, "more than 100 pages"},
	} {
		s.answer = c.answer
		_, err := r.Register(t.Context(), "acme/app", "https://hook", "the-secret")
		if err == nil || !strings.Contains(err.Error(), c.why) || strings.Contains(err.Error(), "the-token") || strings.Contains(err.Error(), "the-secret") || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%v, not %s", err, c.why)
		}
	}
	for _, bad := range []string{"app", "/app", "acme/", "/", "../app", "acme/a?b", "acme/.."} {
		if _, err := r.Register(t.Context(), bad, "https://hook", "the-secret"); err == nil {
			t.Errorf("%q is taken to be a repository", bad)
		}
	}
	if n := len(s.asked); n != 7+100 {
		t.Errorf("the provider was asked %d times", n)
	}
}

// TestHeaders: what is sent with the headers that a provider has is taken, and
// read as what the provider itself sends.
func TestHeaders(t *testing.T) {
	t.Parallel()
	for name, s := range samples(t) {
		h := s.provider.Headers(eventOf(s), "72d3162e-cc78-11e3-81ab-4c9367dc0958", secret, s.body)
		header := func(n string) string { return h.Get(n) }
		want, err := s.provider.Parse(s.header, s.body)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.provider.Parse(header, s.body)
		if err != nil || len(got) != len(want) {
			t.Errorf("%s: %v %v", name, got, err)
			continue
		}
		for i := range got {
			got[i].Delivery = want[i].Delivery
			if fmt.Sprint(got[i]) != fmt.Sprint(want[i]) {
				t.Errorf("%s: it is read as %v, not %v", name, got[i], want[i])
			}
		}
		proof := map[string]string{}
		proofs[s.provider.Name](proof, secret, s.body)
		for n, v := range proof {
			if s.provider.Name != "generic" && h.Get(n) != v {
				t.Errorf("%s: %s is %q, not %q", name, n, h.Get(n), v)
			}
		}
	}
}

// eventOf is the word that the sample's provider has for its event.
func eventOf(s sample) string {
	for _, n := range []string{"X-Github-Event", "X-Gitlab-Event", "X-Event-Key", "X-Gitea-Event", "X-Git-Event"} {
		if v := s.headers[n]; v != "" && (n != "X-Github-Event" || strings.HasPrefix(s.provider.Name, "github")) {
			return v
		}
	}
	return "push"
}

// TestEventNames: a push is called as each provider calls it.
func TestEventNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"github": "push", "gitlab": "Push Hook", "bitbucket": "repo:push", "bitbucket-server": "repo:refs_changed", "gitea": "push", "generic": "push",
	} {
		host := ""
		if name != "github" {
			host = "git.example.com"
		}
		p, err := gitsource.NewProvider(name, host)
		if err != nil {
			t.Fatal(err)
		}
		h := p.Headers("push", "1", secret, nil)
		if h.Get("X-Github-Event")+h.Get("X-Gitlab-Event")+h.Get("X-Event-Key")+h.Get("X-Gitea-Event")+h.Get("X-Git-Event") != want {
			t.Errorf("%s: %v", name, h)
		}
	}
}
