package gitsource

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
)

// words are what providers call a push, where it is not push.
var words = map[string]map[string]string{
	"gitlab":           {"push": "Push Hook", "tag": "Tag Push Hook", "pull-request": "Merge Request Hook", "release": "Release Hook"},
	"bitbucket":        {"push": "repo:push", "tag": "repo:push", "pull-request": "pullrequest:updated"},
	"bitbucket-server": {"push": "repo:refs_changed", "tag": "repo:refs_changed", "pull-request": "pr:from_ref_updated", "ping": "diagnostics:ping"},
	"":                 {"tag": "push", "pull-request": "pull_request"},
}

// Headers are those of a delivery as the provider sends it: what it is of, its
// id, and the proof by the secret. The event is one of our kinds, or the
// provider's own word.
func (p Provider) Headers(event, delivery, secret string, body []byte) http.Header {
	k := kinds[p.Name]
	said, ok := words[p.Name]
	if !ok {
		said = words[""]
	}
	if word := said[event]; word != "" {
		event = word
	}
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "ouro")
	h.Set(k.events[0], event)
	h.Set(k.deliveries[0], delivery)
	if len(k.signatures) == 0 {
		h.Set(k.tokens[0], secret)
		return h
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	prefix := "sha256="
	if p.Name == "gitea" {
		prefix = "" // which sends the digits alone
	}
	h.Set(k.signatures[0], prefix+hex.EncodeToString(mac.Sum(nil)))
	return h
}
