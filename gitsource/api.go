package gitsource

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// api is where one provider keeps webhooks and deploy keys, and in which words.
type api struct {
	repository  func(host, owner, name string) string // its address
	hooks, keys string                                // below it
	update      string                                // method; empty where an update leaves the secret as it was
	page        func(number, seen int) string
	hook        func(to, secret string) any
	key         func(title, key string) any
	rights      string // that a token needs
}

// object is a JSON object.
type object = map[string]any

// hookName is what webhooks are called where they have a name.
const hookName = "ouro"

// hubAPI is GitHub's.
// https://docs.github.com/en/rest/repos/webhooks
// https://docs.github.com/en/rest/deploy-keys/deploy-keys
var hubAPI = api{
	repository: func(_, owner, name string) string { return "https://api.github.com/repos/" + owner + "/" + name },
	hooks:      "/hooks", keys: "/keys", update: http.MethodPatch,
	page: func(number, _ int) string { return fmt.Sprintf("per_page=100&page=%d", number) },
	hook: func(to, secret string) any {
		return object{"name": "web", "active": true, "events": []string{"push"}, "config": object{"url": to, "content_type": "json", "secret": secret, "insecure_ssl": "0"}}
	},
	key:    func(title, key string) any { return object{"title": title, "key": key, "read_only": true} },
	rights: "the scope admin:repo_hook, or the right to write webhooks, of somebody who administers the repository",
}

// apis are the providers'. Only pushes are asked for, of which deletions and tags
// are a kind everywhere but at Gitea and GitLab.
var apis = map[string]api{
	"github": hubAPI,
	"github-enterprise": hubAPI.with(func(a *api) {
		a.repository = func(host, owner, name string) string {
			return "https://" + host + "/api/v3/repos/" + owner + "/" + name
		}
	}),
	// https://docs.gitlab.com/api/project_webhooks/ and https://docs.gitlab.com/api/deploy_keys/
	"gitlab": hubAPI.with(func(a *api) {
		a.repository = func(host, owner, name string) string {
			return "https://" + host + "/api/v4/projects/" + url.PathEscape(owner+"/"+name)
		}
		a.keys, a.update = "/deploy_keys", http.MethodPut
		a.hook = func(to, secret string) any {
			return object{"url": to, "token": secret, "push_events": true, "tag_push_events": true, "enable_ssl_verification": true}
		}
		a.key = func(title, key string) any { return object{"title": title, "key": key, "can_push": false} }
		a.rights = "the scope api, of a maintainer of the project"
	}),
	// https://developer.atlassian.com/cloud/bitbucket/rest/api-group-repositories/
	"bitbucket": {
		repository: func(host, owner, name string) string {
			return "https://api." + host + "/2.0/repositories/" + owner + "/" + name
		},
		hooks: "/hooks", keys: "/deploy-keys", update: http.MethodPut,
		page: func(number, _ int) string { return fmt.Sprintf("pagelen=100&page=%d", number) },
		hook: func(to, secret string) any {
			return object{"description": hookName, "url": to, "active": true, "secret": secret, "events": []string{"repo:push"}}
		},
		key:    func(title, key string) any { return object{"label": title, "key": key} },
		rights: "the scopes webhook, repository and repository:admin",
	},
	// https://developer.atlassian.com/server/bitbucket/rest/
	"bitbucket-server": {
		repository: func(host, owner, name string) string {
			return "https://" + host + "/rest/api/latest/projects/" + owner + "/repos/" + name
		},
		hooks: "/webhooks", keys: "/ssh", update: http.MethodPut,
		page: func(_, seen int) string { return fmt.Sprintf("limit=100&start=%d", seen) },
		hook: func(to, secret string) any {
			return object{"name": hookName, "url": to, "active": true, "events": []string{"repo:refs_changed"}, "configuration": object{"secret": secret}}
		},
		key: func(title, key string) any {
			return object{"key": object{"text": key, "label": title}, "permission": "REPO_READ"}
		},
		rights: "the right to administer the repository",
	},
	// https://docs.gitea.com/api/; an update of a webhook leaves its secret as it was.
	"gitea": {
		repository: func(host, owner, name string) string {
			return "https://" + host + "/api/v1/repos/" + owner + "/" + name
		},
		hooks: "/hooks", keys: "/keys",
		page: func(number, _ int) string { return fmt.Sprintf("limit=50&page=%d", number) },
		hook: func(to, secret string) any {
			return object{"type": "gitea", "active": true, "branch_filter": "*", "events": []string{"push", "delete"}, "config": object{"url": to, "content_type": "json", "secret": secret}}
		},
		key:    hubAPI.key,
		rights: "the scope write:repository, of somebody who administers the repository",
	},
}

func (a api) with(change func(*api)) api {
	change(&a)
	return a
}

// keysAt is where the keys of a repository are: Data Center has an API of its own
// for them.
func (a api) keysAt(repository string) string {
	if a.keys == "/ssh" {
		repository = strings.Replace(repository, "/rest/api/", "/rest/keys/", 1)
	}
	return repository + a.keys
}

// Registers tells whether the provider has an API for webhooks.
func (p Provider) Registers() bool {
	_, ok := apis[p.Name]
	return ok
}

// byHand is what to enter besides the URL and the secret where nobody registers
// the webhook.
var byHand = map[string]string{
	"github":           "content type application/json, SSL verification, just the push event",
	"gitlab":           "the secret as secret token, push events and tag push events, SSL verification",
	"bitbucket":        "the trigger repository push",
	"bitbucket-server": "the event repository push",
	"gitea":            "POST, content type application/json, the custom events push and delete",
	"generic":          "the signature as sha256=HEX in X-Hub-Signature-256, or the secret in X-Git-Token; a payload like a push of GitHub's",
}

// ByHand is that for one provider.
func (p Provider) ByHand() string {
	if text, ok := byHand[p.Name]; ok {
		return text
	}
	return byHand["github"]
}
