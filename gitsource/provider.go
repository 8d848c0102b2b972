package gitsource

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
)

// Provider is one that has repositories.
type Provider struct {
	Name string
	Host string // of its addresses; empty for the one that the provider has
}

// kindOf is what sets one provider's manner apart.
type kindOf struct {
	host       string   // where all have the same
	redirects  []string // hosts that its archives may come from besides, by their suffix
	events     []string // headers that name the event
	deliveries []string // headers that name the delivery
	signatures []string // headers with a signature
	tokens     []string // headers with the secret itself
	parse      func(event string, body []byte) ([]Event, error)
	archive    func(host string, e Event) string
	token      func(token string) (header, value string)
	clone      func(host string, e Event) string
	user       string // whom a token over HTTPS belongs to
	sshPort    string // where that is another than SSH's
}

func bearer(token string) (string, string) { return "Authorization", "Bearer " + token }

func plainClone(host string, e Event) string {
	return "https://" + host + "/" + e.Repository() + ".git"
}

var hub = kindOf{
	events: []string{"x-github-event"}, deliveries: []string{"x-github-delivery"}, signatures: []string{"x-hub-signature-256"},
	parse: parseHub, token: bearer, clone: plainClone, user: "x-access-token",
}

// kinds are the providers. What a payload says of addresses does not count.
var kinds = map[string]kindOf{
	"github": with(hub, func(k *kindOf) {
		k.host, k.redirects = "github.com", []string{"codeload.github.com"}
		k.archive = func(_ string, e Event) string {
			return "https://api.github.com/repos/" + e.Repository() + "/tarball/" + e.Commit
		}
	}),
	"github-enterprise": with(hub, func(k *kindOf) {
		k.archive = func(host string, e Event) string {
			return "https://" + host + "/api/v3/repos/" + e.Repository() + "/tarball/" + e.Commit
		}
	}),
	"gitlab": {
		host: "gitlab.com", events: []string{"x-gitlab-event"}, deliveries: []string{"idempotency-key", "x-gitlab-event-uuid"},
		tokens: []string{"x-gitlab-token"}, parse: parseLab, clone: plainClone, user: "oauth2",
		archive: func(host string, e Event) string {
			return "https://" + host + "/api/v4/projects/" + url.PathEscape(e.Repository()) + "/repository/archive.tar.gz?sha=" + e.Commit
		},
		token: func(token string) (string, string) { return "PRIVATE-TOKEN", token },
	},
	"bitbucket": {
		host: "bitbucket.org", events: []string{"x-event-key"}, deliveries: []string{"x-request-uuid"}, signatures: []string{"x-hub-signature"},
		parse: parseBucket, token: bearer, clone: plainClone, user: "x-token-auth",
		archive: func(host string, e Event) string {
			return "https://" + host + "/" + e.Repository() + "/get/" + e.Commit + ".tar.gz"
		},
	},
	"bitbucket-server": {
		events: []string{"x-event-key"}, deliveries: []string{"x-request-id"}, signatures: []string{"x-hub-signature"},
		parse: parseStash, token: bearer, user: "x-token-auth", sshPort: "7999",
		// Without a prefix, this one's archives have no common folder.
		archive: func(host string, e Event) string {
			return "https://" + host + "/rest/api/latest/projects/" + e.Owner + "/repos/" + e.Name + "/archive?at=" + e.Commit + "&format=tar.gz&prefix=" + e.Name + "/"
		},
		clone: func(host string, e Event) string { return "https://" + host + "/scm/" + e.Repository() + ".git" },
	},
	"gitea": {
		events: []string{"x-gitea-event", "x-forgejo-event"}, deliveries: []string{"x-gitea-delivery", "x-forgejo-delivery"},
		signatures: []string{"x-gitea-signature", "x-forgejo-signature"}, parse: parseTea, clone: plainClone, user: "git",
		archive: func(host string, e Event) string {
			return "https://" + host + "/api/v1/repos/" + e.Repository() + "/archive/" + e.Commit + ".tar.gz"
		},
		token: func(token string) (string, string) { return "Authorization", "token " + token },
	},
	// Any server whose hook signs, or sends a secret, and tells pushes as GitHub does.
	"generic": {
		events: []string{"x-git-event"}, deliveries: []string{"x-git-delivery"}, signatures: []string{"x-hub-signature-256"},
		tokens: []string{"x-git-token"}, parse: parseHub, token: bearer, clone: plainClone, user: "git",
	},
}

func with(k kindOf, change func(*kindOf)) kindOf {
	change(&k)
	return k
}

// Providers are the names of the providers, sorted.
func Providers() []string { return slices.Sorted(maps.Keys(kinds)) }

// Archives tells whether the provider serves archives of commits.
func (p Provider) Archives() bool { return kinds[p.Name].archive != nil }

// NewProvider is the provider of that name. The host is of one that serves
// itself: a name, with a port if it is another than HTTPS's.
func NewProvider(name, host string) (Provider, error) {
	k, ok := kinds[name]
	switch {
	case !ok:
		return Provider{}, fmt.Errorf("there is no provider %q; there are %s", name, strings.Join(Providers(), ", "))
	case host == "" && k.host == "":
		return Provider{}, fmt.Errorf("the provider %s needs the name of its host", name)
	case host != "" && !isHost(host):
		return Provider{}, fmt.Errorf("%q is no name of a host", host)
	case name == "github" && host != "" && host != k.host:
		return Provider{}, fmt.Errorf("GitHub at %s is the provider github-enterprise", host)
	case host == "":
		host = k.host
	}
	return Provider{name, host}, nil
}

func isHost(s string) bool {
	u, err := url.Parse("https://" + s + "/")
	return err == nil && u.Host == s && u.User == nil && u.Hostname() != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") == ""
}

// Parse reads a delivery. A push that moves several branches is several events.
func (p Provider) Parse(header func(name string) string, body []byte) ([]Event, error) {
	if err := checkJSON(body); err != nil {
		return nil, err
	}
	k := kinds[p.Name]
	delivery := first(header, k.deliveries)
	if printable(delivery, maxDelivery) == "" {
		if delivery != "" || p.Name != "generic" {
			return nil, fmt.Errorf("the delivery has no id in %s", strings.Join(k.deliveries, ", "))
		}
	}
	name := first(header, k.events)
	if name == "" && p.Name != "generic" {
		return nil, fmt.Errorf("the delivery names no event in %s", strings.Join(k.events, ", "))
	}
	events, err := k.parse(name, body)
	if err != nil {
		return nil, fmt.Errorf("reading the payload: %w", err)
	}
	if len(events) > maxEvents {
		return nil, fmt.Errorf("the push moves %d branches and tags, more than %d", len(events), maxEvents)
	}
	for i := range events {
		e := &events[i]
		e.Provider, e.Delivery, e.Sender = p.Name, delivery, printable(e.Sender, maxSender)
		if err := e.check(); err != nil {
			return nil, err
		}
		p.addresses(e)
	}
	return events, nil
}

// maxEvents is how many branches one push may move.
const maxEvents = 100

// addresses are where the event's repository is to be fetched from.
func (p Provider) addresses(e *Event) {
	if e.Name == "" {
		return
	}
	k := kinds[p.Name]
	e.CloneURL, e.SSHURL = k.clone(p.Host, *e), "ssh://git@"+k.sshHost(p.Host)+"/"+e.Repository()+".git"
	if k.archive != nil && e.Commit != "" {
		e.ArchiveURL = k.archive(p.Host, *e)
	}
}

// sshHost is where SSH is served; without a port where that is SSH's own.
func (k kindOf) sshHost(host string) string {
	if k.sshPort == "" {
		return hostname(host)
	}
	return net.JoinHostPort(hostname(host), k.sshPort)
}

// Remote is where git finds a repository.
type Remote struct {
	HTTPS   string // the address of the clone
	User    string // whom a token over HTTPS belongs to
	SSHHost string // with a port, where it is another than SSH's
	Path    string // over SSH
}

// Remote is where git finds the repository of that name, OWNER/NAME.
func (p Provider) Remote(name string) (Remote, error) {
	e, err := repository(name)
	if err != nil {
		return Remote{}, err
	}
	k := kinds[p.Name]
	return Remote{HTTPS: k.clone(p.Host, e), User: k.user, SSHHost: k.sshHost(p.Host), Path: "/" + name + ".git"}, nil
}

// repository is one by its name, OWNER/NAME, if a provider would give such a name.
func repository(name string) (Event, error) {
	at := strings.LastIndexByte(name, '/')
	e := Event{Kind: Ping, Owner: name[:max(at, 0)], Name: name[at+1:]}
	if err := e.check(); err != nil || e.Name == "" {
		return Event{}, permanent("%q is no OWNER/NAME of a repository", printable(name, maxOwner))
	}
	return e, nil
}

func hostname(host string) string { return (&url.URL{Host: host}).Hostname() }

func first(header func(string) string, names []string) string {
	for _, n := range names {
		if v := header(n); v != "" {
			return v
		}
	}
	return ""
}
