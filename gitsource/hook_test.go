package gitsource_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"ouro/cloud/cloudtest"
	"ouro/gitsource"
)

const (
	secret  = "the-secret-of-the-hook"
	another = "the-secret-of-another"
)

// now is when the payloads were just sent.
var now = time.Date(2026, 11, 18, 11, 10, 0, 0, time.UTC)

// door is a hook over a cloud.
type door struct {
	*gitsource.Hook
	secrets *secretsmanager.Client
	mu      sync.Mutex
	sent    []gitsource.Event
	fails   error
	log     bytes.Buffer
	clock   time.Time
}

func newDoor(t *testing.T, c *cloudtest.Cloud, name, provider, host, secret string) *door {
	t.Helper()
	p, err := gitsource.NewProvider(provider, host)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{secrets: secretsmanager.NewFromConfig(c.Config), clock: now}
	buckets := s3.NewFromConfig(c.Config, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := buckets.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &secret}); err != nil {
		t.Fatal(err)
	}
	d.Hook = &gitsource.Hook{
		Provider: p, Secrets: &gitsource.Secrets{API: d.secrets, ID: name}, Records: gitsource.Records{API: buckets, Bucket: name},
		Window: 3 * 24 * time.Hour, Now: func() time.Time { return d.clock }, Log: slog.New(slog.NewTextHandler(&d.log, nil)),
		Filter: gitsource.Filter{Tags: []string{"**"}},
		Send: func(_ context.Context, e gitsource.Event) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.fails != nil {
				return d.fails
			}
			d.sent = append(d.sent, e)
			return nil
		},
	}
	return d
}

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// proofs are how the providers prove who sends.
var proofs = map[string]func(h map[string]string, secret string, body []byte){
	"github":            func(h map[string]string, s string, b []byte) { h["x-hub-signature-256"] = "sha256=" + sign(s, b) },
	"github-enterprise": func(h map[string]string, s string, b []byte) { h["x-hub-signature-256"] = "sha256=" + sign(s, b) },
	"generic":           func(h map[string]string, s string, _ []byte) { h["x-git-token"] = s },
	"gitlab":            func(h map[string]string, s string, _ []byte) { h["x-gitlab-token"] = s },
	"bitbucket":         func(h map[string]string, s string, b []byte) { h["x-hub-signature"] = "sha256=" + sign(s, b) },
	"bitbucket-server":  func(h map[string]string, s string, b []byte) { h["x-hub-signature"] = "sha256=" + sign(s, b) },
	"gitea":             func(h map[string]string, s string, b []byte) { h["x-gitea-signature"] = sign(s, b) },
}

// request is a delivery as the API hands it on.
func request(s sample, secret string) events.APIGatewayV2HTTPRequest {
	r := events.APIGatewayV2HTTPRequest{Version: "2.0", Headers: map[string]string{}, Body: string(s.body)}
	for name, value := range s.headers {
		r.Headers[strings.ToLower(name)] = value
	}
	r.RequestContext.HTTP.Method, r.RequestContext.HTTP.SourceIP = "POST", "192.0.2.1"
	proofs[s.provider.Name](r.Headers, secret, s.body)
	return r
}

func (d *door) status(t *testing.T, r events.APIGatewayV2HTTPRequest) int {
	t.Helper()
	out, err := d.Handle(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.Body, "secret") || len(out.Body) > 40 {
		t.Errorf("the answer tells %s", out.Body)
	}
	return out.StatusCode
}

// TestSamplesAreTaken: each sample is taken once, and what came before is not,
// under another id neither.
func TestSamplesAreTaken(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	for name, s := range samples(t) {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t, c, name, s.provider.Name, s.provider.Host, secret)
			if got := d.status(t, request(s, secret)); got != 202 {
				t.Fatalf("it got %d: %s", got, &d.log)
			}
			n := len(d.sent)
			used := strings.Contains(name, "push") || strings.Contains(name, "delete") || strings.Contains(name, "tag")
			if (n > 0) != used {
				t.Errorf("%d events were handed on", n)
			}
			again := request(s, secret)
			if s.provider.Name != "gitlab" {
				again.Headers["x-github-delivery"], again.Headers["x-gitea-delivery"], again.Headers["x-request-id"] = "other", "other", "other"
			}
			if got := d.status(t, again); (got == 403) != used || len(d.sent) != n {
				t.Errorf("the second got %d, and %d events were handed on", got, len(d.sent))
			}
		})
	}
}

// TestBadInputs: what is forged, cut off, stale or hostile is refused, nothing of
// it is handed on, and each gets the very same answer.
func TestBadInputs(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	good := samples(t)
	const hash = "2222222222222222222222222222222222222222"
	replace := func(from, to string) func(*sample) {
		return func(s *sample) {
			body := strings.Replace(string(s.body), from, to, 1)
			if body == string(s.body) {
				t.Fatalf("%q is not in the sample", from)
			}
			s.body = []byte(body)
		}
	}
	ref := func(to string) func(*sample) { return replace(`"refs/heads/main"`, `"`+to+`"`) }
	full := func(to string) func(*sample) { return replace(`"full_name": "acme/app"`, `"full_name": "`+to+`"`) }
	drop := func(name string) func(*sample) {
		return func(s *sample) {
			s.headers = maps.Clone(s.headers)
			delete(s.headers, name)
		}
	}
	set := func(name, value string) func(map[string]string) {
		return func(h map[string]string) { h[name] = value }
	}
	type bad struct {
		sample string
		change func(*sample)                           // before it is signed
		forge  func(h map[string]string)               // after
		tamper func(r *events.APIGatewayV2HTTPRequest) // the request itself
		why    string                                  // as the log has it
	}
	table := map[string]bad{
		"no signature":                 {sample: "github-push", forge: func(h map[string]string) { delete(h, "x-hub-signature-256") }, why: "no secret proves"},
		"an empty signature":           {sample: "github-push", forge: set("x-hub-signature-256", ""), why: "no secret proves"},
		"a signature by another":       {sample: "github-push", forge: set("x-hub-signature-256", "sha256="+sign(another, good["github-push"].body)), why: "no secret proves"},
		"a signature of nothing":       {sample: "github-push", forge: set("x-hub-signature-256", "sha256="+sign(secret, nil)), why: "no secret proves"},
		"a signature that is cut off":  {sample: "github-push", forge: set("x-hub-signature-256", "sha256="+sign(secret, good["github-push"].body)[:62]), why: "no secret proves"},
		"a signature that is too long": {sample: "github-push", forge: set("x-hub-signature-256", "sha256="+sign(secret, good["github-push"].body)+"00"), why: "no secret proves"},
		"a signature that is not hex":  {sample: "github-push", forge: set("x-hub-signature-256", "sha256="+strings.Repeat("zz", 32)), why: "no secret proves"},
		"two signatures":               {sample: "github-push", forge: set("x-hub-signature-256", "sha256="+sign(another, nil)+",sha256="+sign(secret, good["github-push"].body)), why: "no secret proves"},
		"SHA-1 only":                   {sample: "github-push", forge: func(h map[string]string) { delete(h, "x-hub-signature-256"); h["x-hub-signature"] = "sha1=00" }, why: "no secret proves"},
		"a token in place of a signature": {sample: "github-push", forge: func(h map[string]string) {
			delete(h, "x-hub-signature-256")
			h["x-gitlab-token"] = secret
			h["x-git-token"] = secret
		}, why: "no secret proves"},
		"a body changed after signing": {sample: "github-push", tamper: func(r *events.APIGatewayV2HTTPRequest) { r.Body = strings.Replace(r.Body, "main", "evil", 1) }, why: "no secret proves"},
		"a body cut off after signing": {sample: "github-push", tamper: func(r *events.APIGatewayV2HTTPRequest) { r.Body = r.Body[:len(r.Body)/2] }, why: "no secret proves"},
		"no token":                     {sample: "gitlab-push", forge: func(h map[string]string) { delete(h, "x-gitlab-token") }, why: "no secret proves"},
		"another token":                {sample: "gitlab-push", forge: set("x-gitlab-token", another), why: "no secret proves"},
		"a token that is a part":       {sample: "gitlab-push", forge: set("x-gitlab-token", secret[:8]), why: "no secret proves"},
		"a token with a space":         {sample: "gitlab-push", forge: set("x-gitlab-token", secret+" "), why: "no secret proves"},
		"Bitbucket's by another":       {sample: "bitbucket-push", forge: set("x-hub-signature", "sha256="+sign(another, good["bitbucket-push"].body)), why: "no secret proves"},
		"Data Center's by another":     {sample: "bitbucket-server-push", forge: set("x-hub-signature", "sha256="+sign(another, good["bitbucket-server-push"].body)), why: "no secret proves"},
		"Gitea's by another":           {sample: "gitea-push", forge: set("x-gitea-signature", sign(another, good["gitea-push"].body)), why: "no secret proves"},
		"Gitea's under GitHub's name": {sample: "gitea-push", forge: func(h map[string]string) {
			delete(h, "x-gitea-signature")
			h["x-hub-signature-256"] = "sha256=" + sign(secret, good["gitea-push"].body)
		}, why: "no secret proves"},
		"a GET":           {sample: "github-push", tamper: func(r *events.APIGatewayV2HTTPRequest) { r.RequestContext.HTTP.Method = "GET" }, why: "the method"},
		"another network": {sample: "github-push", tamper: func(r *events.APIGatewayV2HTTPRequest) { r.RequestContext.HTTP.SourceIP = "198.51.100.7" }, why: "not of the networks"},
		"the right network by a header": {sample: "github-push", tamper: func(r *events.APIGatewayV2HTTPRequest) {
			r.RequestContext.HTTP.SourceIP = "198.51.100.7"
			r.Headers["x-forwarded-for"] = "192.0.2.1"
		}, why: "not of the networks"},
		"no address":                      {sample: "github-push", tamper: func(r *events.APIGatewayV2HTTPRequest) { r.RequestContext.HTTP.SourceIP = "" }, why: "no address"},
		"the right network, no signature": {sample: "github-push", forge: func(h map[string]string) { delete(h, "x-hub-signature-256") }, why: "no secret proves"},
		"a body that is too large":        {sample: "github-push", change: func(s *sample) { s.body = bytes.Repeat([]byte(" "), gitsource.MaxBody+1) }, why: "more than 5242880 bytes"},
		"a body far too large":            {sample: "github-push", change: func(s *sample) { s.body = bytes.Repeat([]byte(" "), 2*gitsource.MaxBody+1) }, why: "more than 5242880 bytes"},
		"a body that is no base64":        {sample: "github-push", tamper: func(r *events.APIGatewayV2HTTPRequest) { r.IsBase64Encoded = true }, why: "not in base64"},
		"another kind of body":            {sample: "github-push", change: func(s *sample) { drop("Content-Type")(s); s.headers["Content-Type"] = "text/xml" }, why: "neither JSON nor a form"},
		"a form with two payloads": {sample: "github-push", change: func(s *sample) {
			drop("Content-Type")(s)
			s.headers["Content-Type"] = "application/x-www-form-urlencoded"
			s.body = []byte("payload={}&payload={}")
		}, why: "not one payload"},
		"an empty body":                  {sample: "github-push", change: func(s *sample) { s.body = nil }, why: "no JSON"},
		"JSON that is cut off":           {sample: "github-push", change: func(s *sample) { s.body = s.body[:len(s.body)/2] }, why: "no JSON"},
		"JSON that is a list":            {sample: "github-push", change: func(s *sample) { s.body = []byte("[1]") }, why: "no JSON"},
		"JSON that is nested deep":       {sample: "github-push", change: func(s *sample) { s.body = bytes.Repeat([]byte("["), 100_000) }, why: "deeper than 32"},
		"text in place of a number":      {sample: "github-pull-request", change: replace(`"number": 12`, `"number": "12"`), why: "no JSON"},
		"no time of day":                 {sample: "github-push", change: replace("1795000000", `"yesterday"`), why: "no JSON"},
		"no event":                       {sample: "github-push", change: drop("X-Github-Event"), why: "names no event"},
		"no id":                          {sample: "github-push", change: drop("X-Github-Delivery"), why: "has no id"},
		"an id that is a book":           {sample: "github-push", forge: set("x-github-delivery", strings.Repeat("a", 1000)), why: "has no id"},
		"an id with a line break":        {sample: "github-push", forge: set("x-github-delivery", "a\nb"), why: "has no id"},
		"another provider's":             {sample: "github-push", forge: func(h map[string]string) { h["x-gitlab-event"] = h["x-github-event"]; delete(h, "x-github-event") }, why: "names no event"},
		"a payload of last month":        {sample: "github-push", change: replace("1795000000", "1792000000"), why: "the delivery is of 2026-10-14"},
		"a payload to come":              {sample: "github-push", change: replace("1795000000", "1799000000"), why: "which is to come"},
		"Data Center's of last month":    {sample: "bitbucket-server-push", change: replace("2026-11-18T", "2026-10-18T"), why: "the delivery is of 2026-10-17"},
		"a repository that climbs":       {sample: "github-push", change: full("acme/.."), why: "leads elsewhere"},
		"an owner that climbs":           {sample: "github-push", change: full("../../acme/app"), why: "leads elsewhere"},
		"an absolute repository":         {sample: "github-push", change: full("/etc/passwd"), why: "empty"},
		"a repository without owner":     {sample: "github-push", change: full("app"), why: "empty"},
		"no repository":                  {sample: "github-push", change: full(""), why: "empty"},
		"a repository with a line break": {sample: "github-push", change: full(`acme/a\nb`), why: "no provider allows"},
		"a repository with a query":      {sample: "github-push", change: full("acme/app?x=y"), why: "no provider allows"},
		"a repository that is an option": {sample: "github-push", change: full("acme/-oProxyCommand"), why: "no provider allows"},
		"a repository that is too long":  {sample: "github-push", change: full("acme/" + strings.Repeat("a", 101)), why: "too long"},
		"an owner that is too deep":      {sample: "github-push", change: full(strings.Repeat("a/", 22) + "b"), why: "too long"},
		"another repository's secret":    {sample: "github-push", change: full("acme/other-app"), why: "the secret is not of acme/other-app"},
		"a branch that climbs":           {sample: "github-push", change: ref("refs/heads/../../x"), why: "git has no such name"},
		"an absolute branch":             {sample: "github-push", change: ref("refs/heads//etc"), why: "git has no such name"},
		"a branch with a line break":     {sample: "github-push", change: ref(`refs/heads/a\r\nb`), why: "git does not allow"},
		"a branch with a NUL":            {sample: "github-push", change: ref(`refs/heads/a\u0000b`), why: "git does not allow"},
		"a branch that turns the text":   {sample: "github-push", change: ref(`refs/heads/a\u202eb`), why: "git does not allow"},
		"a branch that is an option":     {sample: "github-push", change: ref("refs/heads/--upload-pack"), why: "git has no such name"},
		"a branch with a backslash":      {sample: "github-push", change: ref(`refs/heads/a\\b`), why: "git does not allow"},
		"a branch in hiding":             {sample: "github-push", change: ref("refs/heads/a/.git"), why: "git has no such name"},
		"a branch that is like a tag":    {sample: "github-push", change: ref("refs/heads/refs/tags/v1"), why: "git has no such name"},
		"a branch that is too long":      {sample: "github-push", change: ref("refs/heads/" + strings.Repeat("a", 256)), why: "too long"},
		"no branch":                      {sample: "github-push", change: ref(""), why: "neither a branch nor a tag"},
		"a ref of another kind":          {sample: "github-push", change: ref("refs/pull/1/head"), why: "neither a branch nor a tag"},
		"a commit that is none":          {sample: "github-push", change: replace(`"after": "`+hash, `"after": "main`), why: "no hash"},
		"a commit in capitals":           {sample: "github-push", change: replace(`"after": "`+hash, `"after": "`+strings.Repeat("A", 40)), why: "no hash"},
		"a commit that is an address":    {sample: "gitlab-push", change: replace(`"checkout_sha": "`+hash, `"checkout_sha": "../../../other/-/archive`), why: "no hash"},
		"a deletion that has a commit":   {sample: "github-push", change: replace(`"deleted": false`, `"deleted": true`), why: "at no commit"},
		"a project that climbs":          {sample: "bitbucket-server-push", change: replace(`"key": "ACME"`, `"key": ".."`), why: "leads elsewhere"},
		"a push of too many branches":    {sample: "bitbucket-server-push", change: replace(`"changes": [`, `"changes": [`+strings.Repeat(`{"refId": "refs/heads/a", "toHash": "`+hash+`"},`, 100)), why: "more than 100"},
	}
	doors := map[string]*door{}
	for name, b := range table {
		s := good[b.sample]
		d := doors[s.provider.Name]
		if d == nil {
			d = newDoor(t, c, s.provider.Name+"-door", s.provider.Name, s.provider.Host, `{"acme/app": "`+secret+`", "acme/tools/*": "`+secret+`", "ACME/*": "`+secret+`", "elsewhere/*": "`+another+`-repository"}`)
			d.Networks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
			doors[s.provider.Name] = d
		}
		t.Run(name, func(t *testing.T) {
			d.log.Reset()
			if b.change != nil {
				s.headers = maps.Clone(s.headers)
				b.change(&s)
			}
			r := request(s, secret)
			if b.forge != nil {
				b.forge(r.Headers)
			}
			if b.tamper != nil {
				b.tamper(&r)
			}
			out, err := d.Handle(t.Context(), r)
			if err != nil || out.StatusCode != 403 || out.Body != `{"message":"Forbidden"}` {
				t.Errorf("it got %d %s %v", out.StatusCode, out.Body, err)
			}
			if !strings.Contains(d.log.String(), b.why) || strings.Contains(d.log.String(), secret) {
				t.Errorf("the log has %s, not %q", &d.log, b.why)
			}
			if len(d.sent) > 0 {
				t.Errorf("%v was handed on", d.sent)
			}
		})
	}
	var rows strings.Builder
	for _, name := range slices.Sorted(maps.Keys(table)) {
		fmt.Fprintf(&rows, "| %s | %s | %s |\n", name, good[table[name].sample].provider.Name, table[name].why)
	}
	checkPage(t, rows.String())
}

// pageHead begins the table of the page in docs that the test writes.
const pageHead = "| what comes | as a delivery of | the log says |\n|---|---|---|\n"

// checkPage holds the page in docs against what is refused.
func checkPage(t *testing.T, rows string) {
	t.Helper()
	const page = "../docs/git.md"
	body, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	written, _, ok := strings.Cut(string(body), pageHead)
	if !ok {
		t.Fatalf("%s has no table of what is refused", page)
	}
	fresh := written + pageHead + rows
	if *update {
		if err := os.WriteFile(page, []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(body) != fresh {
		t.Errorf("%s is not what is refused: run go test ./gitsource -run TestBadInputs -update", page)
	}
}

// TestSecretsRotate: what was current before is valid, what was before that is
// not, and a new one is at once.
func TestSecretsRotate(t *testing.T) {
	t.Parallel()
	d := newDoor(t, cloudtest.New(t), "rotated", "github", "", secret)
	s := samples(t)["github-push"]
	take := func(by string, want int) {
		t.Helper()
		s.body = append(s.body, ' ') // another delivery
		d.clock = d.clock.Add(10 * time.Second)
		if got := d.status(t, request(s, by)); got != want {
			t.Errorf("%d, not %d: %s", got, want, &d.log)
		}
	}
	rotate := func(to string) {
		t.Helper()
		if _, err := d.secrets.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String("rotated"), SecretString: &to}); err != nil {
			t.Fatal(err)
		}
	}
	take(secret, 202)
	take(another, 403)
	rotate(another)
	take(another, 202)
	take(secret, 202)
	rotate("the-third-of-the-secrets")
	take("the-third-of-the-secrets", 202)
	take(another, 202)
	take(secret, 403)
	rotate("short")
	d.clock = d.clock.Add(time.Hour)
	take("short", 500)
}

// TestHandingOnFails: what could not be handed on may come again.
func TestHandingOnFails(t *testing.T) {
	t.Parallel()
	d := newDoor(t, cloudtest.New(t), "fails", "github", "", secret)
	r := request(samples(t)["github-push"], secret)
	d.fails = errors.New("no worker")
	if got := d.status(t, r); got != 500 {
		t.Errorf("it got %d", got)
	}
	d.fails = nil
	for _, want := range []int{202, 403} {
		if got := d.status(t, r); got != want {
			t.Errorf("it got %d, not %d: %s", got, want, &d.log)
		}
	}
	if len(d.sent) != 1 {
		t.Errorf("%v was handed on", d.sent)
	}
}

// TestBodies: a body may come as a form, and in base64.
func TestBodies(t *testing.T) {
	t.Parallel()
	d := newDoor(t, cloudtest.New(t), "bodies", "github", "", secret)
	s := samples(t)["github-push"]
	s.body = []byte("payload=" + url.QueryEscape(string(s.body)))
	s.headers["Content-Type"] = "application/x-www-form-urlencoded"
	r := request(s, secret)
	r.Body, r.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte(r.Body)), true
	if got := d.status(t, r); got != 202 || len(d.sent) != 1 {
		t.Errorf("it got %d: %s", got, &d.log)
	}
	d.Filter = gitsource.Filter{Branches: []string{"release/**"}}
	s.body = append(s.body, "%20"...)
	if got := d.status(t, request(s, secret)); got != 202 || len(d.sent) != 1 {
		t.Errorf("what the filter drops got %d, and %d were handed on", got, len(d.sent))
	}
}
