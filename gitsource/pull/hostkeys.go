package pull

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// HostKeys are the fingerprints, such as SHA256:…, of the keys that a host may
// show, by the kinds of the keys.
type HostKeys map[string][]string

// known are the fingerprints that the providers publish:
// https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/githubs-ssh-key-fingerprints
// https://docs.gitlab.com/user/gitlab_com/#ssh-host-keys-fingerprints
// https://support.atlassian.com/bitbucket-cloud/docs/configure-ssh-and-two-step-verification/
var known = map[string]HostKeys{
	"github.com": {
		ssh.KeyAlgoED25519:  {"SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"},
		ssh.KeyAlgoECDSA256: {"SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM"},
		ssh.KeyAlgoRSA:      {"SHA256:uNiVztksCsDhcc0u9e8BujQXVUpKZIDTMczCvj3tD2s"},
	},
	"gitlab.com": {
		ssh.KeyAlgoED25519:  {"SHA256:eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8"},
		ssh.KeyAlgoECDSA256: {"SHA256:HbW3g8zUjNSksFbqTiUWPWg2Bq1x8xdGUrliXFzSnUw"},
		ssh.KeyAlgoRSA:      {"SHA256:ROQFvPThGrW4RuWLoL9tq9I9zJ42fK4XywyRtbOz/EQ"},
	},
	"bitbucket.org": {
		ssh.KeyAlgoED25519:  {"SHA256:ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM"},
		ssh.KeyAlgoECDSA256: {"SHA256:FC73VB6C4OQLSCrjEayhMp9UMxS97caD/Yyi2bhW/J0"},
		ssh.KeyAlgoRSA:      {"SHA256:46OSHA1Rmj8E8ERTC6xkNcmGOw9oFxYr0WF6zWW8l1E"},
	},
}

// ReadHostKeys reads keys as ssh-keyscan prints them, or as KIND FINGERPRINT, with
// commas or line breaks in between.
func ReadHostKeys(text string) (HostKeys, error) {
	keys := HostKeys{}
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' }) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		kind, print, err := readHostKey(words)
		if err != nil {
			return nil, fmt.Errorf("the host key %q: %w", strings.TrimSpace(line), err)
		}
		keys[kind] = append(keys[kind], print)
	}
	return keys, nil
}

func readHostKey(words []string) (kind, fingerprint string, err error) {
	at := slices.IndexFunc(words, func(w string) bool { return algorithms[w] != nil })
	if at < 0 || at+1 == len(words) {
		return "", "", fmt.Errorf("it is neither KIND KEY nor KIND SHA256:FINGERPRINT, where the kind is one of %s", strings.Join(slices.Sorted(maps.Keys(algorithms)), ", "))
	}
	kind, text := words[at], words[at+1]
	if sum, ok := strings.CutPrefix(text, "SHA256:"); ok {
		if b, err := base64.RawStdEncoding.DecodeString(sum); err != nil || len(b) != 32 {
			return "", "", fmt.Errorf("it is no fingerprint")
		}
		return kind, text, nil
	}
	blob, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", "", err
	}
	key, err := ssh.ParsePublicKey(blob)
	if err != nil || key.Type() != kind {
		return "", "", fmt.Errorf("it is no key of the kind %s", kind)
	}
	return kind, ssh.FingerprintSHA256(key), nil
}

// algorithms are how a host can prove a key of a kind.
var algorithms = map[string][]string{
	ssh.KeyAlgoED25519:  {ssh.KeyAlgoED25519},
	ssh.KeyAlgoECDSA256: {ssh.KeyAlgoECDSA256},
	ssh.KeyAlgoECDSA384: {ssh.KeyAlgoECDSA384},
	ssh.KeyAlgoECDSA521: {ssh.KeyAlgoECDSA521},
	ssh.KeyAlgoRSA:      {ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256},
}

// of are the keys of the host, which are those that are given, or else those that
// are known of it.
func (k HostKeys) of(host string) (HostKeys, error) {
	if len(k) > 0 {
		return k, nil
	}
	if k := known[host]; k != nil {
		return k, nil
	}
	return nil, permanent("nothing is known of the SSH host %s: give its host keys as ssh-keyscan prints them, after comparing them with what its owner says", host)
}

// algorithms are those that the host is asked to prove itself by, the kinds that
// we know alone: it would choose another otherwise.
func (k HostKeys) algorithms() (list []string) {
	for _, kind := range []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSA} {
		if len(k[kind]) > 0 {
			list = append(list, algorithms[kind]...)
		}
	}
	return list
}

// check refuses a key that is none of them.
func (k HostKeys) check(host string, _ net.Addr, key ssh.PublicKey) error {
	print := ssh.FingerprintSHA256(key)
	if slices.Contains(k[key.Type()], print) {
		return nil
	}
	return permanent("the SSH host %s shows the key %s %s, which is none of its known ones: somebody is in between, or it has a new key; in that case, give it as a host key after comparing it with what the host's owner says", host, key.Type(), print)
}
