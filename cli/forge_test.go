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

// forge is a GitHub Enterprise of a script: it keeps the webhooks and the deploy
// keys of a repository and serves archives of its commits, each a folder below
// commits.
type forge struct {
	dir string // of the commits

	mu    sync.Mutex
	lists map[string]map[int]forgeItem // by their paths
	next  int
}

// forgeItem is a webhook or a key.
type forgeItem struct {
	ID     int         `json:"id"`
	Config forgeConfig `json:"config,omitzero"`
	Key    string      `json:"key,omitempty"`
}

type forgeConfig struct {
	URL    string `json:"url"`
	Secret string `json:"secret,omitempty"`
}

const (
	forgeToken = "the-token"
	forgeAt    = "/api/v3/repos/acme/app/"
)

func (f *forge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	what, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, forgeAt), "/")
	list := f.lists[what]
	id, _ := strconv.Atoi(rest) //nolint:errcheck // 0 then, which is none
	_, known := list[id]
	var item forgeItem
	if r.Method == http.MethodPost || r.Method == http.MethodPatch {
		if json.NewDecoder(r.Body).Decode(&item) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	switch {
	case r.Header.Get("Authorization") != "Bearer "+forgeToken:
		w.WriteHeader(http.StatusUnauthorized)
	case what == "tarball":
		f.archive(w, rest)
	case list != nil && rest == "" && r.Method == http.MethodGet:
		f.list(w, r, list)
	case list != nil && rest == "" && r.Method == http.MethodPost:
		f.next++
		item.ID = f.next
		list[item.ID] = item
		w.WriteHeader(http.StatusCreated)
	case known && r.Method == http.MethodPatch:
		item.ID = id
		list[id] = item
	case known && r.Method == http.MethodDelete:
		delete(list, id)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// list is the first page, or the second, which is empty. No secret is told.
func (f *forge) list(w http.ResponseWriter, r *http.Request, list map[int]forgeItem) {
	all := []forgeItem{}
	for _, id := range slices.Sorted(maps.Keys(list)) {
		item := list[id]
		item.Config.Secret = ""
		all = append(all, item)
	}
	if r.URL.Query().Get("page") != "1" {
		all = []forgeItem{}
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
			ts.Fatalf("usage: forge start|has N KIND|deliver FILE STATUS")
		}
		if args[0] == "start" {
			f := &forge{dir: ts.MkAbs("commits"), lists: map[string]map[int]forgeItem{"hooks": {}, "keys": {}}}
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
		list := maps.Clone(f.lists["hooks"])
		if args[0] == "has" {
			list = maps.Clone(f.lists[args[2]])
		}
		f.mu.Unlock()
		switch {
		case args[0] == "has" && fmt.Sprint(len(list)) != args[1]:
			ts.Fatalf("the forge has %d %s", len(list), args[2])
		case args[0] == "deliver":
			deliver(ts, list[slices.Min(slices.Collect(maps.Keys(list)))], args[1], args[2])
		}
	}
}

func deliver(ts *testscript.TestScript, h forgeItem, file, want string) {
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
