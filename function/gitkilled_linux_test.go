package function_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"ouro/cloud"
	"ouro/cloud/cloudtest"
	lambdacloud "ouro/cloud/lambda"
	"ouro/gitsource"
	"ouro/gitsource/gittest"
	"ouro/pipeline"
)

// killFunctions kills the processes of the cloud's functions, which have a folder
// of the cloud's in their environment.
func (w *world) killFunctions() {
	w.Helper()
	killed := 0
	environs, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		w.Fatal(err)
	}
	for _, file := range environs {
		environ, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(environ, []byte("_LAMBDA_SANDBOX="+w.cloud.Dir)) {
			continue // another's, or it has ended
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err == nil && syscall.Kill(pid, syscall.SIGKILL) == nil {
			killed++
		}
	}
	if killed == 0 {
		w.Fatal("no function is running")
	}
}

// slowLFS serves one file of Git LFS. The first time it stops after most of it,
// until the client is gone.
func slowLFS(s *gittest.Server, body []byte) (pointer string, halfway chan struct{}) {
	sum := sha256.Sum256(body)
	halfway = make(chan struct{})
	var once sync.Once
	s.Handle(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			fmt.Fprintf(w, `{"objects": [{"oid": "%x", "size": %d, "actions": {"download": {"href": "https://%s/file"}}}]}`, sum, len(body), s.HTTPS)
			return
		}
		first := len(body) - 1<<20
		w.Write(body[:first]) //nolint:errcheck // a client that is gone
		once.Do(func() {
			http.NewResponseController(w).Flush() //nolint:errcheck // as above
			close(halfway)
			<-r.Context().Done()
		})
		w.Write(body[first:]) //nolint:errcheck // as above
	}))
	return fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", hex.EncodeToString(sum[:]), len(body)), halfway
}

// TestKilledPull kills the process of git.pull while it receives a pack, and again
// while it uploads the zip. Lambda asks a third one: of the two nothing is to be
// seen, and the next commit is pulled as ever.
func TestKilledPull(t *testing.T) {
	t.Parallel()
	c := cloudtest.StartWith(t, cloud.Options{Dir: t.TempDir(), Lambda: lambdacloud.Options{Pause: time.Millisecond}})
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t, c, pipeline.NewBuckets(c.Config), pipeline.NewClients(c.Config)}
	for _, bucket := range []string{"code", "zips", "state"} {
		w.bucket(bucket)
	}
	bucket, key := aws.String("zips"), aws.String("acme/app/main/app.zip")
	if _, err := w.buckets.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: bucket, VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled}}); err != nil {
		t.Fatal(err)
	}
	w.program("code", "function.zip")
	s := gittest.New(t)
	if _, err := w.clients.Secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("key"), SecretString: &s.Private}); err != nil {
		t.Fatal(err)
	}
	w.runs("git.pull", map[string]string{
		"GIT_PROVIDER": "gitea", "GIT_HOST": s.HTTPS, "GIT_AUTHORITIES": s.Authority, "GIT_SSH_HOST": s.SSH, "GIT_HOST_KEYS": s.HostKey,
		"GIT_KEY": "key", "GIT_STATE_BUCKET": "state", "GIT_BUCKET": "zips", "GIT_LFS": "fetch",
	})
	// Neither can be compressed: the pack is sent in many pieces, the zip in parts.
	large, packed := make([]byte, 12<<20), make([]byte, 1<<20)
	for _, b := range [][]byte{large, packed} {
		if _, err := rand.Read(b); err != nil {
			t.Fatal(err)
		}
	}
	pointer, halfway := slowLFS(s, large)
	r := s.Repository("acme/app")
	r.Write("a.large", pointer)
	r.Write("b.packed", string(packed))
	commit := r.Push("main")
	reached, killed := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.Slow(func(sent int64) {
		if sent > 1<<19 {
			once.Do(func() { close(reached) })
			<-killed
		}
	})
	push := func(before, commit string) {
		t.Helper()
		body := text(t, gitsource.Event{Provider: "gitea", Kind: gitsource.Push, Owner: "acme", Name: "app", Ref: "main", Before: before, Commit: commit})
		if _, err := lambda.NewFromConfig(c.Config).Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("git-pull"), InvocationType: types.InvocationTypeEvent, Payload: body}); err != nil {
			t.Fatal(err)
		}
	}
	nothing := func(when string) {
		t.Helper()
		list, err := w.buckets.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: bucket})
		records, err2 := w.buckets.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("state")})
		if err != nil || err2 != nil || len(list.Versions)+len(records.Contents) > 0 {
			t.Errorf("%s there are %d objects and %d records: %v %v", when, len(list.Versions), len(records.Contents), err, err2)
		}
	}
	shown := func(commit string) func() bool {
		return func() bool {
			out, err := w.buckets.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: bucket, Key: key})
			return err == nil && out.Metadata["commit"] == commit
		}
	}

	push("", commit)
	<-reached
	w.killFunctions()
	nothing("after the first kill")
	s.Slow(nil)
	close(killed)
	<-halfway
	w.until(func() bool {
		out, err := w.buckets.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: bucket})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.Uploads) == 1
	})
	nothing("before the second kill")
	w.killFunctions()
	w.until(shown(commit))
	whole := map[string]string{"a.large": string(large), "b.packed": string(packed)}
	w.same(unzipped(t, w.get(*bucket, *key)), whole)

	r.Write("c", "more")
	whole["c"] = "more"
	next := r.Push("main")
	sent := s.Sent.Load()
	push(commit, next)
	w.until(shown(next))
	w.same(unzipped(t, w.get(*bucket, *key)), whole)
	if sent = s.Sent.Load() - sent; sent > 10_000 {
		t.Errorf("on top of what there is, the server sent %d bytes", sent)
	}
	list, err := w.buckets.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: bucket})
	if err != nil || len(list.Versions) != 2 {
		t.Errorf("there are %d versions: %v", len(list.Versions), err)
	}
	w.until(func() bool { return strings.Count(w.log("/aws/lambda/git-pull"), "signal: killed") == 2 })
}

// same compares files.
func (w *world) same(got, want map[string]string) {
	w.Helper()
	for name, body := range want {
		if got[name] != body {
			w.Errorf("%s has %d bytes, and not the %d that it is to have", name, len(got[name]), len(body))
		}
	}
	if len(got) != len(want) {
		w.Errorf("there are %d files, not %d", len(got), len(want))
	}
}

// log is what is in a group of logs.
func (w *world) log(group string) string {
	w.Helper()
	out, err := cloudwatchlogs.NewFromConfig(w.cloud.Config).FilterLogEvents(w.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group})
	if err != nil {
		w.Fatal(err)
	}
	b, err := json.Marshal(out.Events)
	if err != nil {
		w.Fatal(err)
	}
	return string(b)
}
