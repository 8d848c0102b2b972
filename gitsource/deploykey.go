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
	"strings"
)

// keysAPI is how a provider's API keeps the deploy keys of a repository.
type keysAPI struct {
	address func(host string, e Event) string // of their list; that of one has its id below
	body    func(title, key string) any       // a key that may read, and nothing else
	page    string                            // the query that asks for a page, in which %d is its number, from 1
	list    string                            // the field with the keys of a page; empty where the page is the list
}

// titled is the body that most providers take.
func titled(title, key string) any {
	return map[string]any{"title": title, "key": key, "read_only": true}
}

// https://docs.github.com/en/rest/deploy-keys/deploy-keys
var hubKeys = keysAPI{body: titled, page: "per_page=100&page=%d"}

// keysAPIs are by the providers' names. Any server has none that is known.
var keysAPIs = map[string]keysAPI{
	"github": with(hubKeys, func(k *keysAPI) {
		k.address = func(_ string, e Event) string { return "https://api.github.com/repos/" + e.Repository() + "/keys" }
	}),
	"github-enterprise": with(hubKeys, func(k *keysAPI) {
		k.address = func(host string, e Event) string {
			return "https://" + host + "/api/v3/repos/" + e.Repository() + "/keys"
		}
	}),
	// https://docs.gitlab.com/api/deploy_keys/
	"gitlab": {
		address: func(host string, e Event) string {
			return "https://" + host + "/api/v4/projects/" + url.PathEscape(e.Repository()) + "/deploy_keys"
		},
		body: func(title, key string) any { return map[string]any{"title": title, "key": key, "can_push": false} },
		page: "per_page=100&page=%d",
	},
	// Its deploy keys can only read.
	// https://developer.atlassian.com/cloud/bitbucket/rest/api-group-deployments/
	"bitbucket": {
		address: func(_ string, e Event) string {
			return "https://api.bitbucket.org/2.0/repositories/" + e.Repository() + "/deploy-keys"
		},
		body: func(title, key string) any { return map[string]any{"label": title, "key": key} },
		page: "pagelen=100&page=%d", list: "values",
	},
	// https://developer.atlassian.com/server/bitbucket/rest/v906/api-group-authentication/
	"bitbucket-server": {
		address: func(host string, e Event) string {
			return "https://" + host + "/rest/keys/latest/projects/" + e.Owner + "/repos/" + e.Name + "/ssh"
		},
		body: func(title, key string) any {
			return map[string]any{"key": map[string]any{"label": title, "text": key}, "permission": "REPO_READ"}
		},
		page: "limit=1000&start=0", list: "values",
	},
	// https://docs.gitea.com/api/ (repoCreateKey)
	"gitea": {
		address: func(host string, e Event) string {
			return "https://" + host + "/api/v1/repos/" + e.Repository() + "/keys"
		},
		body: titled, page: "limit=50&page=%d",
	},
}

// DeployKeys are the keys that may read one repository.
type DeployKeys struct {
	Provider   Provider
	Repository string // OWNER/NAME
	Token      func(context.Context) (string, error)
	Client     *http.Client // see [NewClient]
}

// Add makes the public key one that may read the repository. One that may already
// is no error.
func (d *DeployKeys) Add(ctx context.Context, title, key string) error {
	id, err := d.find(ctx, key)
	if err != nil || id != "" {
		return err
	}
	address, api, err := d.api()
	if err != nil {
		return err
	}
	return d.ask(ctx, http.MethodPost, address, api.body(title, key), nil)
}

// Remove makes the public key one that may not. One that may not is no error,
// nor is a repository that is not there.
func (d *DeployKeys) Remove(ctx context.Context, key string) error {
	id, err := d.find(ctx, key)
	if answered := (*refusal)(nil); errors.As(err, &answered) && answered.status == http.StatusNotFound {
		return nil
	}
	if err != nil || id == "" {
		return err
	}
	address, _, err := d.api()
	if err != nil {
		return err
	}
	return d.ask(ctx, http.MethodDelete, address+"/"+id, nil, nil)
}

func (d *DeployKeys) api() (address string, api keysAPI, err error) {
	api, ok := keysAPIs[d.Provider.Name]
	if !ok {
		return "", api, fmt.Errorf("the provider %s has no API for deploy keys that is known: register the public key by hand", d.Provider.Name)
	}
	e, err := repository(d.Repository)
	if err != nil {
		return "", api, err
	}
	return api.address(d.Provider.Host, e), api, nil
}

// maxPages is how many pages of keys are read.
const maxPages = 50

// fullPage is the least that a page has which another follows.
const fullPage = 50

// find is the id of the key; empty for none.
func (d *DeployKeys) find(ctx context.Context, key string) (string, error) {
	address, api, err := d.api()
	if err != nil {
		return "", err
	}
	for page := 1; page <= maxPages; page++ {
		query, one := api.page, !strings.Contains(api.page, "%d")
		if !one {
			query = fmt.Sprintf(query, page)
		}
		var body json.RawMessage
		if err := d.ask(ctx, http.MethodGet, address+"?"+query, nil, &body); err != nil {
			return "", err
		}
		keys, err := readKeys(body, api.list)
		if err != nil {
			return "", err
		}
		for _, k := range keys {
			if samePublicKey(k.text(), key) {
				return k.id(), nil
			}
		}
		if one || len(keys) < fullPage {
			return "", nil
		}
	}
	return "", fmt.Errorf("%s has more than %d pages of deploy keys", d.Repository, maxPages)
}

// deployKey is a key as any of the providers says it. Data Center's key is an
// object, which has the id.
type deployKey struct {
	ID  int64
	Key json.RawMessage
}

func (k deployKey) inner() (inner struct {
	ID   int64
	Text string
}) {
	_ = json.Unmarshal(k.Key, &inner)
	return inner
}

func (k deployKey) id() string {
	if k.ID != 0 {
		return fmt.Sprint(k.ID)
	}
	return fmt.Sprint(k.inner().ID)
}

func (k deployKey) text() string {
	text := ""
	if json.Unmarshal(k.Key, &text) == nil {
		return text
	}
	return k.inner().Text
}

func readKeys(body []byte, field string) (keys []deployKey, err error) {
	if field != "" {
		page := map[string]json.RawMessage{}
		if err := json.Unmarshal(body, &page); err != nil {
			return nil, errors.New("the provider's list of keys is none")
		}
		body = page[field]
	}
	if err := json.Unmarshal(body, &keys); err != nil {
		return nil, errors.New("the provider's list of keys is none")
	}
	return keys, nil
}

// samePublicKey compares without comments, which providers cut off.
func samePublicKey(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	return len(x) > 1 && len(y) > 1 && x[0] == y[0] && x[1] == y[1]
}

// refusal is what a provider answers in place of what was asked for.
type refusal struct {
	status int
	said   string
}

func (r *refusal) Error() string {
	advice := map[int]string{
		http.StatusUnauthorized: "; the token is not valid", http.StatusForbidden: "; the token may not administer the repository",
		http.StatusNotFound: "; the repository is not there, or the token may not see it",
	}
	return fmt.Sprintf("the provider answers %d%s: %q", r.status, advice[r.status], r.said)
}

const maxKeys = 4 << 20

// ask asks the provider's API.
func (d *DeployKeys) ask(ctx context.Context, method, address string, body, into any) error {
	var sent io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, address, sent)
	if err != nil {
		return bare(err)
	}
	token, err := d.Token(ctx)
	if err != nil {
		return err
	}
	header, value := kinds[d.Provider.Name].token(token)
	r.Header.Set(header, value)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "ouro")
	client := *d.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("asking the provider for deploy keys: %w", bare(err))
	}
	defer response.Body.Close() //nolint:errcheck // only read from
	said, err := io.ReadAll(io.LimitReader(response.Body, maxKeys))
	if err != nil {
		return fmt.Errorf("asking the provider for deploy keys: %w", err)
	}
	if response.StatusCode/100 != 2 {
		return &refusal{response.StatusCode, string(said[:min(len(said), 300)])}
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(said, into)
}
