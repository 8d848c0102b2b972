package gitsource_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"ouro/cloud/cloudtest"
	"ouro/gitsource"
)

// commit is a hash of that digit.
func commit(digit int) string { return strings.Repeat(fmt.Sprint(digit), 40) }

// packed is an archive as git makes them.
func packed(t testing.TB, sha string, entries ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	write := func(h *tar.Header, body string) {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, body) //nolint:errcheck // into memory
	}
	write(&tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": sha}}, "")
	for _, h := range entries {
		body := ""
		if h.Typeflag == 0 || h.Typeflag == tar.TypeReg {
			body, h.Linkname, h.Typeflag, h.Size = h.Linkname, "", tar.TypeReg, int64(len(h.Linkname))
		}
		write(&h, body)
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// file is an entry with a body; the header's link is where packed finds it.
func file(name, body string) tar.Header { return tar.Header{Name: name, Mode: 0o664, Linkname: body} }

func link(name, to string) tar.Header {
	return tar.Header{Name: name, Linkname: to, Typeflag: tar.TypeSymlink, Mode: 0o777}
}

// forge is a provider's archive server, a bucket and a worker between them.
type forge struct {
	*gitsource.Worker
	t        *testing.T
	api      *s3.Client
	archives *gitsource.Archives
	server   *httptest.Server
	mu       sync.Mutex
	serve    http.HandlerFunc
	waited   []time.Duration
}

// refusing answers the first requests of a kind as an S3 that is busy does.
type refusing struct {
	left map[string]*atomic.Int32
}

func (f refusing) Do(r *http.Request) (*http.Response, error) {
	kind := r.Method
	if r.URL.Query().Has("uploadId") {
		kind += " upload"
	} else if r.URL.Query().Has("uploads") {
		kind += " uploads"
	}
	if n := f.left[kind]; n != nil && n.Add(-1) >= 0 {
		return &http.Response{
			StatusCode: 503, Header: http.Header{}, Request: r,
			Body: io.NopCloser(strings.NewReader(`<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`)),
		}, nil
	}
	return http.DefaultClient.Do(r)
}

func newForge(t *testing.T, c *cloudtest.Cloud, bucket string, client aws.HTTPClient) *forge {
	t.Helper()
	f := &forge{t: t}
	f.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		serve := f.serve
		f.mu.Unlock()
		serve(w, r)
	}))
	f.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(f.server.Close)
	// What the archive is of, the path says; its only file says it as well.
	f.serve = func(w http.ResponseWriter, r *http.Request) {
		sha := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		w.Write(packed(t, sha, file("top/commit.txt", sha))) //nolint:errcheck // a test
	}
	cfg := c.Config.Copy()
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
	}
	if client != nil {
		cfg.HTTPClient = client
	}
	f.api = s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	for _, name := range []string{bucket, bucket + "-state"} {
		if _, err := f.api.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.api.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	}); err != nil {
		t.Fatal(err)
	}
	p, err := gitsource.NewProvider("github-enterprise", strings.TrimPrefix(f.server.URL, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	trusting, err := gitsource.NewClient(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.server.Certificate().Raw}))
	if err != nil {
		t.Fatal(err)
	}
	f.archives = &gitsource.Archives{
		Provider: p, Client: trusting, Stall: time.Minute,
		Token: func(context.Context) (string, error) { return "the-token", nil },
	}
	f.Worker = &gitsource.Worker{
		Fetch: f.archives.Fetch, Bucket: bucket, Records: gitsource.Records{API: f.api, Bucket: bucket + "-state"},
		Limits: gitsource.DefaultLimits, Log: slog.New(slog.DiscardHandler),
		Wait: func(_ context.Context, d time.Duration) error { f.waited = append(f.waited, d); return nil },
	}
	return f
}

func push(before, after int) gitsource.Event {
	e := gitsource.Event{Provider: "github-enterprise", Kind: gitsource.Push, Owner: "acme", Name: "app", Ref: "feature/x", Commit: commit(after), Received: now}
	if before > 0 {
		e.Before = commit(before)
	}
	return e
}

func deletion(before int) gitsource.Event {
	e := push(before, 1)
	e.Commit, e.Deleted = "", true
	return e
}

const key = "acme/app/feature/x/app.zip"

// object is the zip, and the commit that its metadata tells.
func (f *forge) object() ([]byte, string) {
	f.t.Helper()
	out, err := f.api.GetObject(f.t.Context(), &s3.GetObjectInput{Bucket: &f.Bucket, Key: aws.String(key)})
	if err != nil {
		f.t.Fatal(err)
	}
	defer out.Body.Close()
	b, err := io.ReadAll(out.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return b, out.Metadata["commit"]
}

// versions are how many versions of objects there are, and uploads that nobody
// ended.
func (f *forge) versions() (versions, uploads int) {
	f.t.Helper()
	v, err := f.api.ListObjectVersions(f.t.Context(), &s3.ListObjectVersionsInput{Bucket: &f.Bucket})
	if err != nil {
		f.t.Fatal(err)
	}
	u, err := f.api.ListMultipartUploads(f.t.Context(), &s3.ListMultipartUploadsInput{Bucket: &f.Bucket})
	if err != nil {
		f.t.Fatal(err)
	}
	return len(v.Versions), len(u.Uploads)
}

// TestArchiveToObject: an archive becomes a zip of its files, with their modes,
// once for each commit.
func TestArchiveToObject(t *testing.T) {
	t.Parallel()
	f := newForge(t, cloudtest.New(t), "objects", nil)
	var asked []string
	f.serve = func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+" "+r.Header.Get("Authorization"))
		tool := file("acme-app-1/bin/tool", "#!/bin/sh\n")
		tool.Mode = 0o775
		w.Write(packed(t, commit(1), tar.Header{Name: "acme-app-1/", Typeflag: tar.TypeDir, Mode: 0o775}, //nolint:errcheck // a test
			file("acme-app-1/README.md", "hello"), tool, link("acme-app-1/bin/readme", "../README.md"),
			tar.Header{Name: "acme-app-1/module/", Typeflag: tar.TypeDir}))
	}
	for range 2 {
		if err := f.Work(t.Context(), push(0, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if want := "/api/v3/repos/acme/app/tarball/" + commit(1) + " Bearer the-token"; len(asked) != 1 || asked[0] != want {
		t.Errorf("the provider was asked %q", asked)
	}
	if v, u := f.versions(); v != 1 || u != 0 {
		t.Errorf("there are %d versions and %d uploads", v, u)
	}
	body, sha := f.object()
	if sha != commit(1) {
		t.Errorf("the metadata has commit %q", sha)
	}
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range z.File {
		in, err := e.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s %q", e.Mode(), e.Name, b))
	}
	if want := `-rw-r--r-- README.md "hello"
-rwxr-xr-x bin/tool "#!/bin/sh\n"
Lrwxrwxrwx bin/readme "../README.md"`; strings.Join(got, "\n") != want {
		t.Errorf("the zip has\n%s", strings.Join(got, "\n"))
	}
	tags, err := f.api.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: &f.Bucket, Key: aws.String(key)})
	if err != nil || len(tags.TagSet) != 2 || *tags.TagSet[0].Value != commit(1) {
		t.Errorf("the tags are %v %v", tags, err)
	}
	var again bytes.Buffer
	p := gitsource.NewPacker(&again, gitsource.DefaultLimits)
	if err := errors.Join(f.archives.Fetch(t.Context(), push(0, 1), p), p.Close()); err != nil || !bytes.Equal(again.Bytes(), body) {
		t.Errorf("the same commit is other bytes: %v", err)
	}
}

// TestHostileArchives: nothing of them is ever visible.
func TestHostileArchives(t *testing.T) {
	t.Parallel()
	f := newForge(t, cloudtest.New(t), "hostile", nil)
	f.Limits = gitsource.Limits{Total: 1 << 20, Entries: 10, Ratio: 200}
	many := []tar.Header{}
	for i := range 11 {
		many = append(many, file(fmt.Sprint("a/", i), "x"))
	}
	good := packed(t, commit(1), file("a/b", strings.Repeat("x", 1000)))
	table := map[string]struct {
		archive []byte
		why     string
	}{
		"a climb":                {packed(t, commit(1), file("a/../../x", "")), "leads out"},
		"a climb by its folder":  {packed(t, commit(1), file("../x", "")), "not in the folder"},
		"an absolute path":       {packed(t, commit(1), file("/etc/passwd", "")), "not in the folder"},
		"an absolute path below": {packed(t, commit(1), file("a//etc/passwd", "")), "leads out"},
		"a folder that climbs":   {packed(t, commit(1), tar.Header{Name: "a/../../b/", Typeflag: tar.TypeDir}), "leads out"},
		"a backslash":            {packed(t, commit(1), file(`a/..\x`, "")), "not every system"},
		"a line break":           {packed(t, commit(1), file("a/b\nc", "")), "not every system"},
		"git's own folder":       {packed(t, commit(1), file("a/.GIT/config", "")), "no such name"},
		"two folders":            {packed(t, commit(1), file("a/x", ""), file("b/x", "")), "not in the folder"},
		"no folder":              {packed(t, commit(1), file("x", "")), "not in the folder"},
		"nothing":                {packed(t, commit(1)), "empty"},
		"a name twice":           {packed(t, commit(1), file("a/x", ""), file("a/x", "")), "twice"},
		"a long name":            {packed(t, commit(1), file("a/"+strings.Repeat("x", 1025), "")), "too long"},
		"a link out":             {packed(t, commit(1), link("a/x", "../y")), "leads out"},
		"an absolute link":       {packed(t, commit(1), link("a/x", "/etc/passwd")), "leads out"},
		"a link out by another":  {packed(t, commit(1), link("a/d/e/l", "../.."), link("a/m", "d/e/l/../x")), "leads out"},
		"a file below a link":    {packed(t, commit(1), link("a/l", "d"), file("a/l/x", "")), "below a link"},
		"a link above a file":    {packed(t, commit(1), file("a/l/x", ""), link("a/l", "d")), "a link and a folder"},
		"a hard link":            {packed(t, commit(1), tar.Header{Name: "a/x", Linkname: "/etc/passwd", Typeflag: tar.TypeLink}), "neither file"},
		"a device":               {packed(t, commit(1), tar.Header{Name: "a/x", Typeflag: tar.TypeChar}), "neither file"},
		"another commit":         {packed(t, commit(2), file("a/x", "")), "is of the commit 2222"},
		"too many files":         {packed(t, commit(1), many...), "more than 10 files"},
		"too many bytes":         {packed(t, commit(1), file("a/x", strings.Repeat("x", 1<<20+1))), "more than 1048576 bytes"},
		"a page of HTML":         {[]byte("<html>Sign in</html>"), "no archive"},
		"no tar":                 {gzipped(t, strings.Repeat("x", 2000)), "no archive"},
		"half of one":            {good[:len(good)/2], "unexpected EOF"},
		"all but the checksum":   {good[:len(good)-8], "unexpected EOF"},
		"a wrong checksum":       {append(bytes.Clone(good[:len(good)-8]), "12345678"...), "checksum"},
	}
	for name, c := range table {
		t.Run(name, func(t *testing.T) {
			f.serve = func(w http.ResponseWriter, _ *http.Request) { w.Write(c.archive) } //nolint:errcheck // a test
			err := f.Work(t.Context(), push(0, 1))
			if err == nil || !strings.Contains(err.Error(), c.why) {
				t.Errorf("it got %v, not %s", err, c.why)
			}
			if v, u := f.versions(); v != 0 || u != 0 {
				t.Errorf("there are %d versions and %d uploads", v, u)
			}
		})
	}
}

func gzipped(t *testing.T, body string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, body) //nolint:errcheck // into memory
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestBomb: an archive that is nearly nothing and unpacks to a gigabyte ends
// early.
func TestBomb(t *testing.T) {
	t.Parallel()
	pr, pw := io.Pipe()
	defer pr.Close()
	go func() {
		z := gzip.NewWriter(pw)
		w := tar.NewWriter(z)
		w.WriteHeader(&tar.Header{Name: "a/x", Size: 1 << 30, Mode: 0o644}) //nolint:errcheck // the reader goes
		io.CopyN(w, zeros{}, 1<<30)                                         //nolint:errcheck // the reader goes
		pw.CloseWithError(errors.Join(w.Close(), z.Close()))
	}()
	f := newForge(t, cloudtest.New(t), "bomb", nil)
	f.serve = func(w http.ResponseWriter, _ *http.Request) { io.Copy(w, pr) } //nolint:errcheck // the client goes
	if err := f.Work(t.Context(), push(0, 1)); err == nil || !strings.Contains(err.Error(), "more than 200 times") {
		t.Errorf("it got %v", err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestFaults: the provider fails in every way that passes, and S3 refuses twice
// each; then the object is there, whole.
func TestFaults(t *testing.T) {
	t.Parallel()
	two := func() *atomic.Int32 { n := &atomic.Int32{}; n.Store(2); return n }
	left := map[string]*atomic.Int32{}
	f := newForge(t, cloudtest.New(t), "faults", refusing{left})
	for _, kind := range []string{"GET", "HEAD", "PUT", "POST uploads", "PUT upload", "POST upload"} {
		left[kind] = two()
	}
	hung := make(chan struct{})
	defer close(hung)
	// What the provider does at each try, and how long it may say nothing.
	tries := []struct {
		stall time.Duration
		serve http.HandlerFunc
	}{
		{time.Minute, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }},
		{100 * time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			select {
			case <-hung:
			case <-r.Context().Done():
			}
		}},
		{time.Minute, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			w.Write(packed(t, commit(1), file("a/x", "x"))[:60]) //nolint:errcheck // a test
			panic(http.ErrAbortHandler)
		}},
		{time.Minute, f.serve},
	}
	try := func(n int) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.serve, f.archives.Stall = tries[n].serve, tries[n].stall
	}
	try(0)
	f.Wait = func(_ context.Context, d time.Duration) error {
		f.waited = append(f.waited, d)
		try(len(f.waited))
		return nil
	}
	if err := f.Work(t.Context(), push(0, 1)); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(f.waited) != "[1s 2s 4s]" {
		t.Errorf("it waited %v", f.waited)
	}
	if _, sha := f.object(); sha != commit(1) {
		t.Errorf("the object is of %s", sha)
	}
	if v, u := f.versions(); v != 1 || u != 0 {
		t.Errorf("there are %d versions and %d uploads", v, u)
	}
	f.serve = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }
	if err := f.Work(t.Context(), push(1, 2)); err == nil || !strings.Contains(err.Error(), "answers 401") || len(f.waited) != 3 {
		t.Errorf("it got %v after %v", err, f.waited)
	}
}

// TestRedirects: an archive comes from the provider's hosts, over TLS that is
// verified, and nobody else gets the token.
func TestRedirects(t *testing.T) {
	t.Parallel()
	f := newForge(t, cloudtest.New(t), "redirects", nil)
	var got []string
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = append(got, r.URL.String()) }))
	defer elsewhere.Close()
	good := f.serve
	for to, why := range map[string]string{
		elsewhere.URL: "sends us elsewhere",
		strings.Replace(f.server.URL, "https", "http", 1):    "sends us elsewhere",
		"file:///etc/passwd":                                 "sends us elsewhere",
		f.server.URL + "/again":                              "sends us elsewhere",
		f.server.URL + "/codeload/" + commit(1) + "?token=x": "",
	} {
		f.serve = func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/codeload/") {
				good(w, r)
				return
			}
			http.Redirect(w, r, to, http.StatusFound)
		}
		err := f.archives.Fetch(t.Context(), push(0, 1), gitsource.NewPacker(io.Discard, gitsource.DefaultLimits))
		if (err == nil) != (why == "") || err != nil && !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", to, err)
		}
	}
	if len(got) > 0 {
		t.Errorf("another server got %q", got)
	}
	var err error
	if f.archives.Client, err = gitsource.NewClient(nil); err != nil {
		t.Fatal(err)
	}
	err = f.archives.Fetch(t.Context(), push(0, 1), gitsource.NewPacker(io.Discard, gitsource.DefaultLimits))
	if err == nil || !strings.Contains(err.Error(), "certificate") || strings.Contains(err.Error(), "the-token") {
		t.Errorf("a server that nobody vouches for: %v", err)
	}
}

// TestOrder: in whatever order deliveries come, the object is of the newest.
func TestOrder(t *testing.T) {
	t.Parallel()
	at := func(e gitsource.Event, pushed, received int) gitsource.Event {
		if pushed > 0 {
			e.Time = now.Add(time.Duration(pushed) * time.Second)
		}
		e.Received = now.Add(time.Duration(received) * time.Second)
		return e
	}
	c := cloudtest.New(t)
	for name, s := range map[string]struct {
		events []gitsource.Event
		want   int // the commit
		made   int // versions of objects
	}{
		"in order":                     {[]gitsource.Event{push(0, 1), push(1, 2), push(2, 3)}, 3, 3},
		"the older comes late":         {[]gitsource.Event{push(0, 1), at(push(2, 3), 0, 1), at(push(1, 2), 0, 2)}, 3, 2},
		"the first comes last":         {[]gitsource.Event{at(push(1, 2), 0, 1), at(push(0, 1), 0, 2)}, 2, 1},
		"by the provider's time":       {[]gitsource.Event{at(push(4, 5), 9, 1), at(push(2, 3), 5, 2)}, 5, 1},
		"by when it came":              {[]gitsource.Event{at(push(4, 5), 0, 9), at(push(2, 3), 0, 5)}, 5, 1},
		"each twice":                   {[]gitsource.Event{push(0, 1), push(0, 1), push(1, 2), push(0, 1), push(1, 2)}, 2, 2},
		"back by force":                {[]gitsource.Event{at(push(0, 1), 0, 1), at(push(1, 2), 0, 2), at(push(2, 1), 0, 3)}, 1, 3},
		"back by force, the old again": {[]gitsource.Event{at(push(0, 1), 0, 1), at(push(1, 2), 0, 2), at(push(2, 1), 0, 3), at(push(1, 2), 0, 2)}, 1, 3},
		"there and back and there":     {[]gitsource.Event{at(push(0, 1), 0, 1), at(push(1, 2), 0, 2), at(push(2, 1), 0, 3), at(push(1, 2), 0, 4)}, 2, 4},
		"came the wrong way, went on":  {[]gitsource.Event{at(push(0, 1), 0, 5), at(push(1, 2), 0, 4)}, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			f := newForge(t, c, "order-"+strings.NewReplacer(" ", "-", "'", "", ",", "").Replace(name), nil)
			for _, e := range s.events {
				if err := f.Work(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
			if _, sha := f.object(); sha != commit(s.want) {
				t.Errorf("the object is of %s", sha)
			}
			if v, u := f.versions(); v != s.made || u != 0 {
				t.Errorf("there are %d versions and %d uploads", v, u)
			}
		})
	}
}

// TestAtOnce: pushes that are worked on at the same time, each twice, end with
// the newest, and no commit is there twice.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	f := newForge(t, cloudtest.New(t), "at-once", nil)
	const n = 6
	var all, here sync.WaitGroup
	here.Add(2 * n)
	fetch := f.Fetch
	f.Worker.Fetch = func(ctx context.Context, e gitsource.Event, to *gitsource.Packer) error {
		here.Done()
		here.Wait() // till all have seen the bucket empty
		return fetch(ctx, e, to)
	}
	for i := range 2 * n {
		all.Go(func() {
			e := push(i/2, i/2+1)
			e.Received = now.Add(time.Duration(i) * time.Second)
			if err := f.Work(t.Context(), e); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	body, sha := f.object()
	if sha != commit(n) {
		t.Errorf("the object is of %s", sha)
	}
	if z, err := zip.NewReader(bytes.NewReader(body), int64(len(body))); err != nil || len(z.File) != 1 {
		t.Errorf("the object is no whole zip: %v", err)
	}
	out, err := f.api.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &f.Bucket})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, v := range out.Versions {
		h, err := f.api.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &f.Bucket, Key: v.Key, VersionId: v.VersionId})
		if err != nil {
			t.Fatal(err)
		}
		if seen[h.Metadata["commit"]] {
			t.Errorf("%s is there twice", h.Metadata["commit"])
		}
		seen[h.Metadata["commit"]] = true
	}
	if _, u := f.versions(); u != 0 {
		t.Errorf("%d uploads were left", u)
	}
}

// TestDeletion: the object of a deleted branch stays, and a marker says that it
// is gone till it is pushed again.
func TestDeletion(t *testing.T) {
	t.Parallel()
	f := newForge(t, cloudtest.New(t), "deleted", nil)
	marked := func() bool {
		_, err := f.api.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &f.Bucket, Key: aws.String("acme/app/feature/x/deleted.json")})
		return err == nil
	}
	again := push(0, 3)
	again.Received = now.Add(time.Minute)
	late := deletion(2)
	late.Received = now.Add(2 * time.Minute)
	for i, step := range []struct {
		event  gitsource.Event
		marked bool
		want   int
	}{
		{push(0, 1), false, 1}, {push(1, 2), false, 2}, {deletion(1), false, 2}, {deletion(2), true, 2}, {deletion(2), true, 2},
		{push(1, 2), true, 2}, {again, false, 3}, {late, false, 3},
	} {
		// What is told of the past comes from before.
		if i == 2 || i == 5 {
			step.event.Received = now.Add(-time.Minute)
		}
		if err := f.Work(t.Context(), step.event); err != nil {
			t.Fatal(err)
		}
		if _, sha := f.object(); sha != commit(step.want) || marked() != step.marked {
			t.Errorf("step %d: the object is of %s, marked %t", i, sha, marked())
		}
	}
}

// FuzzArchive: no archive ends the program, nor gives a zip with names that lead
// out.
func FuzzArchive(f *testing.F) {
	f.Add(packed(f, commit(1), file("a/b", "c"), link("a/d", "b")))
	f.Add(packed(f, commit(1), link("a/d/l", ".."), link("a/m", "d/l/x")))
	f.Fuzz(func(t *testing.T, body []byte) {
		server := round(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body))}, nil
		})
		p, err := gitsource.NewProvider("github", "")
		if err != nil {
			t.Fatal(err)
		}
		a := &gitsource.Archives{Provider: p, Client: &http.Client{Transport: server}, Stall: time.Minute}
		var out bytes.Buffer
		to := gitsource.NewPacker(&out, gitsource.Limits{Total: 1 << 20, Entries: 100, Ratio: 200})
		if a.Fetch(t.Context(), push(0, 1), to) != nil || to.Close() != nil {
			return
		}
		if _, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len())); err != nil {
			t.Errorf("the zip: %v", err) // the reader too refuses names that lead out
		}
	})
}

type round func(*http.Request) (*http.Response, error)

func (r round) RoundTrip(q *http.Request) (*http.Response, error) { return r(q) }
