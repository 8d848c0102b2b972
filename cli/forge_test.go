package cli_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/rogpeppe/go-internal/testscript"
)

// forge is a GitHub Enterprise of a script: it keeps the webhooks of a repository
// and serves archives of its commits, each a folder below commits.
type forge struct {
	dir string // of the commits

	mu    sync.Mutex
	hooks map[int]forgeHook
	next  int
}

type forgeHook struct {
	ID     int `json:"id"`
	Config struct {
		URL    string `json:"url"`
		Secret string `json:"secret,omitempty"`
	} `json:"config"`
}

const (
	forgeToken = "the-token"
	forgeHooks = "/api/v3/repos/acme/app/hooks"
	forgeTars  = "/api/v3/repos/acme/app/tarball/"
)

func (f *forge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, forgeHooks+"/")) //nolint:errcheck // 0 then, which is none
	_, known := f.hooks[id]
	var h forgeHook
	if r.Method == http.MethodPost || r.Method == http.MethodPatch {
		if json.NewDecoder(r.Body).Decode(&h) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	sha, archive := strings.CutPrefix(r.URL.Path, forgeTars)
	switch {
	case r.Header.Get("Authorization") != "Bearer "+forgeToken:
		w.WriteHeader(http.StatusUnauthorized)
	case archive:
		f.archive(w, sha)
	case r.URL.Path == forgeHooks && r.Method == http.MethodGet:
		f.list(w, r)
	case r.URL.Path == forgeHooks && r.Method == http.MethodPost:
		f.next++
		h.ID = f.next
		f.hooks[h.ID] = h
		w.WriteHeader(http.StatusCreated)
	case known && r.Method == http.MethodPatch:
		h.ID = id
		f.hooks[id] = h
	case known && r.Method == http.MethodDelete:
		delete(f.hooks, id)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// list is the first page, or the second, which is empty. No secret is told.
func (f *forge) list(w http.ResponseWriter, r *http.Request) {
	all := []forgeHook{}
	for _, id := range slices.Sorted(maps.Keys(f.hooks)) {
		h := f.hooks[id]
		h.Config.Secret = ""
		all = append(all, h)
	}
	if r.URL.Query().Get("page") != "1" {
		all = []forgeHook{}
	}
	json.NewEncoder(w).Encode(all) //nolint:errcheck // a test
}

// archive packs a commit as GitHub does.
func (f *forge) archive(w http.ResponseWriter, sha string) {
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": sha}})
	root := filepath.Join(f.dir, sha)
	err = errors.Join(err, filepath.WalkDir(root, func(at string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, at)
		if err != nil {
			return err
		}
		if err := t.WriteHeader(&tar.Header{Name: "acme-app-" + sha[:7] + "/" + filepath.ToSlash(name), Mode: 0o664, Size: int64(len(body))}); err != nil {
			return err
		}
		_, err = t.Write(body)
		return err
	}))
	if err == nil {
		err = errors.Join(t.Close(), z.Close())
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
}

// forgeCommand is the command forge: start starts one, whose host is FORGE and
// whose authority is in forge.pem; hooks prints the URLs of its webhooks; deliver
// FILE STATUS sends a payload to them, and fail N fails that many archives.
func forgeCommand() func(ts *testscript.TestScript, neg bool, args []string) {
	forges := sync.Map{} // by the script's directory
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) == 0 {
			ts.Fatalf("usage: forge start|hooks N|deliver FILE STATUS")
		}
		if args[0] == "start" {
			f := &forge{dir: ts.MkAbs("commits"), hooks: map[int]forgeHook{}}
			server := httptest.NewTLSServer(f)
			ts.Defer(server.Close)
			ts.Setenv("FORGE", strings.TrimPrefix(server.URL, "https://"))
			ts.Check(os.WriteFile(ts.MkAbs("forge.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o644))
			forges.Store(ts.Getenv("WORK"), f)
			return
		}
		at, ok := forges.Load(ts.Getenv("WORK"))
		if !ok {
			ts.Fatalf("forge start comes first")
		}
		f := at.(*forge)
		f.mu.Lock()
		hooks := slices.Collect(maps.Values(f.hooks))
		f.mu.Unlock()
		if args[0] == "hooks" && fmt.Sprint(len(hooks)) != args[1] {
			ts.Fatalf("the forge has %d webhooks", len(hooks))
		}
		for _, h := range hooks {
			if args[0] == "deliver" {
				deliver(ts, h, args[1], args[2])
			}
		}
	}
}

func deliver(ts *testscript.TestScript, h forgeHook, file, want string) {
	body := []byte(ts.ReadFile(file))
	mac := hmac.New(sha256.New, []byte(h.Config.Secret))
	mac.Write(body)
	r, err := http.NewRequest(http.MethodPost, h.Config.URL, bytes.NewReader(body))
	ts.Check(err)
	for name, value := range map[string]string{
		"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": filepath.Base(file), "X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
	} {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	ts.Check(err)
	said, err := io.ReadAll(answer.Body)
	ts.Check(errors.Join(err, answer.Body.Close()))
	if fmt.Sprint(answer.StatusCode) != want {
		ts.Fatalf("the webhook answered %s: %s", answer.Status, said)
	}
}

// parameter waits until a parameter in Systems Manager has a value: parameter
// NAME VALUE.
func parameter(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: parameter NAME VALUE")
	}
	at := ts.Getenv("AWS_ENDPOINT_URL")
	api := ssm.New(ssm.Options{BaseEndpoint: &at, Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("000000000000", "local", "")})
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		out, err := api.GetParameter(context.Background(), &ssm.GetParameterInput{Name: &args[0]})
		if err == nil && *out.Parameter.Value == args[1] {
			return
		}
	}
	ts.Fatalf("%s was not %q within a minute", args[0], args[1])
}
