package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/gitsource"
)

const webhookToken = "the-token-of-the-bench"

// webhooking measures deliveries of a git provider: taken by the stack of
// git/zip.yaml on the local cloud, and by the handler alone.
func webhooking(ctx context.Context, w io.Writer, args []string) error {
	flags := flag.NewFlagSet("webhook", flag.ContinueOnError)
	rounds := flags.Int("rounds", 5, "rounds of deliveries that come at once")
	atOnce := flags.Int("at-once", 200, "deliveries of a round")
	calm := flags.Int("calm", 300, "deliveries one after another")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *rounds < 1 || *atOnce < 1 || *calm < 1 {
		return errors.New("-rounds, -at-once and -calm have to be at least 1")
	}
	return withLocal(ctx, "state", func(dir, ouro string, cloud *local) error {
		h, err := deployHook(ctx, cloud, dir, ouro)
		if err != nil {
			return err
		}
		defer h.provider.Close()
		if err := h.compare(ctx, w, *calm, *atOnce); err != nil {
			return err
		}
		fmt.Fprintln(w)
		return h.crowds(ctx, w, *rounds, *atOnce)
	})
}

// hooked is the stack of a webhook on the local cloud.
type hooked struct {
	cloud    *local
	provider *httptest.Server // that serves the archives
	of       gitsource.Provider
	zips     *s3.Client
	stack    struct{ Webhook, Secret, SecretArn, Bucket string }
	made     int // commits
}

// deployHook brings the stack up with the command that users bring it up with.
func deployHook(ctx context.Context, cloud *local, dir, ouro string) (*hooked, error) {
	h := &hooked{cloud: cloud, provider: httptest.NewTLSServer(http.HandlerFunc(serveArchive))}
	host := strings.TrimPrefix(h.provider.URL, "https://")
	var err error
	if h.of, err = gitsource.NewProvider("github-enterprise", host); err != nil {
		return nil, err
	}
	authority := filepath.Join(dir, "provider.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.provider.Certificate().Raw}), 0o644); err != nil {
		return nil, err
	}
	up := process{dir: dir, env: append(clientEnv(cloud.url), "TOKEN="+webhookToken), args: []string{
		ouro, "git", "up", "--provider", h.of.Name, "--host", host, "--repo", "acme/app", "--authorities", authority, "--token-from", "env:TOKEN",
		"--no-register", "--show-secret", "--json", "--yes", "--parameter", "Burst=5000", "--parameter", "Rate=10000",
	}}
	out, _, err := up.output(ctx)
	if err == nil {
		err = json.Unmarshal(out, &h.stack)
	}
	h.zips = s3.NewFromConfig(cloud.config(), func(o *s3.Options) { o.UsePathStyle = true })
	return h, err
}

// serveArchive serves the archive of any commit: a file of 64 KB, and what the
// commit is.
func serveArchive(w http.ResponseWriter, r *http.Request) {
	sha := path.Base(r.URL.Path)
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	for name, body := range map[string][]byte{"commit.txt": []byte(sha), "data.bin": bytes.Repeat([]byte(sha[:32]), 2048)} {
		if t.WriteHeader(&tar.Header{Name: "acme-app/" + name, Mode: 0o644, Size: int64(len(body))}) != nil {
			return
		}
		if _, err := t.Write(body); err != nil {
			return
		}
	}
	if errors.Join(t.Close(), z.Close()) != nil {
		panic(http.ErrAbortHandler) // the client went
	}
}

// payload is of a push to a branch of its own: ten commits, as GitHub tells them.
func (h *hooked) payload() ([]byte, string) {
	h.made++
	branch, sha := fmt.Sprintf("load/%d", h.made), fmt.Sprintf("%040x", h.made)
	commits := make([]map[string]any, 10)
	for i := range commits {
		commits[i] = map[string]any{
			"id": fmt.Sprintf("%040x", 1<<32+i), "message": strings.Repeat("a change that says what it is for ", 8), "timestamp": "2026-11-18T11:06:40Z",
			"author": map[string]any{"name": "Ada", "email": "ada@example.com"}, "added": []string{}, "removed": []string{},
			"modified": []string{"src/main.go", "src/server/handler.go", "docs/README.md"},
		}
	}
	body, err := json.Marshal(map[string]any{
		"ref": "refs/heads/" + branch, "before": strings.Repeat("0", 40), "after": sha, "commits": commits,
		"repository": map[string]any{"full_name": "acme/app", "pushed_at": time.Now().Unix()}, "sender": map[string]any{"login": "ada"},
	})
	if err != nil {
		panic(err) // of texts and numbers
	}
	return body, "acme/app/" + branch + "/app.zip"
}

// compare sends through the stack and to the handler alone, in order and at once,
// what is forged and what is not.
func (h *hooked) compare(ctx context.Context, w io.Writer, calm, atOnce int) error {
	alone, err := h.handler(ctx)
	if err != nil {
		return err
	}
	// A function for each that comes at once is started before it is measured.
	if err := h.warm(ctx, atOnce); err != nil {
		return err
	}
	t := &table{left: 2, head: []string{"deliveries", "", "at once", "a second", "median", "p99"}}
	for _, to := range []struct {
		name string
		send func(ctx context.Context, body []byte, secret string) (int, error)
	}{{"the handler alone", alone}, {"the stack on the local cloud", h.post}} {
		for _, kind := range []struct {
			name, secret string
			want         int
		}{{"forged", "a-forged-secret-of-some-length", http.StatusForbidden}, {"taken", h.stack.Secret, http.StatusAccepted}} {
			for _, n := range []int{1, atOnce} {
				l, keys, err := h.load(ctx, max(calm, 3*n), n, kind.want, func(ctx context.Context, body []byte) (int, error) { return to.send(ctx, body, kind.secret) })
				if err != nil {
					return fmt.Errorf("%s, %s, %d at once: %w", to.name, kind.name, n, err)
				}
				t.add(to.name, kind.name, fmt.Sprint(n), fmt.Sprintf("%.0f", l.rate()), brief(percentile(l.all, 50)), brief(percentile(l.all, 99)))
				if to.name != "the handler alone" && kind.want == http.StatusAccepted {
					if err := h.arrive(ctx, keys); err != nil {
						return err
					}
				}
			}
		}
	}
	t.print(w)
	return nil
}

func (h *hooked) warm(ctx context.Context, atOnce int) error {
	_, keys, err := h.load(ctx, atOnce, atOnce, http.StatusAccepted, func(ctx context.Context, body []byte) (int, error) { return h.post(ctx, body, h.stack.Secret) })
	if err != nil {
		return fmt.Errorf("the first deliveries: %w", err)
	}
	return h.arrive(ctx, keys)
}

// brief writes a time that may be as short as a check.
func brief(d time.Duration) string {
	if d < time.Millisecond {
		return each(d, 1)
	}
	return millis(d)
}

// post sends a delivery to the stack, as its provider does.
func (h *hooked) post(ctx context.Context, body []byte, secret string) (int, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, h.stack.Webhook, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	q.Header = h.of.Headers("push", fmt.Sprintf("%x", len(body)), secret, body)
	answer, err := crowd.Do(q)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, errors.Join(err, answer.Body.Close())
}

// crowd keeps a connection for each of a crowd.
var crowd = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}

// arrive waits until the zips are all there.
func (h *hooked) arrive(ctx context.Context, keys []string) error {
	wanted := map[string]bool{}
	for _, k := range keys {
		wanted[k] = true
	}
	return poll(ctx, 100*time.Millisecond, 5*time.Minute, func(ctx context.Context) (bool, error) {
		pages := s3.NewListObjectsV2Paginator(h.zips, &s3.ListObjectsV2Input{Bucket: &h.stack.Bucket, Prefix: aws.String("acme/app/load/")})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return false, err
			}
			for _, o := range page.Contents {
				delete(wanted, aws.ToString(o.Key))
			}
		}
		return len(wanted) == 0, nil
	})
}
