package pull_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/cloud/cloudtest"
	"ouro/gitsource"
	"ouro/gitsource/gittest"
	"ouro/gitsource/pull"
)

// TestMain is a process that pulls once, where a test starts it to kill it.
func TestMain(m *testing.M) {
	if os.Getenv("PULL_COMMIT") != "" {
		os.Exit(pullOnce())
	}
	os.Exit(m.Run())
}

func pullOnce() int {
	provider, err := gitsource.NewProvider("generic", "git.example.com")
	if err != nil {
		return 1
	}
	keys, err := pull.ReadHostKeys(os.Getenv("PULL_HOST_KEYS"))
	if err != nil {
		return 1
	}
	p := &pull.Puller{
		Provider: provider, Key: given([]byte(os.Getenv("PULL_KEY"))), SSHHost: os.Getenv("PULL_SSH"), HostKeys: keys,
		Dir: os.Getenv("PULL_DIR"), Limits: pull.DefaultLimits, Stall: pull.DefaultStall,
	}
	body, err := fetch(p, gitsource.Event{Kind: gitsource.Push, Owner: "acme", Name: "app", Ref: "main", Commit: os.Getenv("PULL_COMMIT")})
	if err != nil {
		os.Stderr.WriteString(err.Error()) //nolint:errcheck // a test
		return 1
	}
	os.Stdout.Write(body) //nolint:errcheck // a test
	return 0
}

// TestKill: a process that is killed in the middle of a pull, the first one or a
// further one, leaves nothing that the next takes for whole.
func TestKill(t *testing.T) {
	t.Parallel()
	s := gittest.New(t)
	r := mixed(s)
	dir := t.TempDir()
	start := func(commit string) (*exec.Cmd, *bytes.Buffer) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "PULL_COMMIT="+commit, "PULL_HOST_KEYS="+s.HostKey, "PULL_KEY="+s.Private, "PULL_SSH="+s.SSH, "PULL_DIR="+dir)
		out := &bytes.Buffer{}
		cmd.Stdout, cmd.Stderr = out, os.Stderr
		return cmd, out
	}
	for round, after := range []int64{1 << 20, 100_000} {
		r.Write("large", noise(uint64(round), 2<<20))
		commit := r.Push("main")
		reached, killed := make(chan struct{}), make(chan struct{})
		cmd, out := start(commit)
		begin, once := s.Sent.Load(), sync.Once{}
		s.Slow(func(sent int64) {
			if sent-begin > after {
				once.Do(func() { close(reached) })
				<-killed
			}
		})
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-reached
		incoming := func() []string {
			files, _ := filepath.Glob(dir + "/*/incoming.pack")
			return files
		}
		for end := time.Now().Add(time.Minute); len(incoming()) == 0 && time.Now().Before(end); {
			time.Sleep(time.Millisecond) // what was sent has not been read yet
		}
		cmd.Process.Kill() //nolint:errcheck // Wait tells
		close(killed)
		if err := cmd.Wait(); err == nil || out.Len() > 0 {
			t.Fatalf("round %d: it ended before: %v", round, err)
		}
		s.Slow(nil)
		if parts := incoming(); len(parts) != 1 {
			t.Errorf("round %d: nothing was being written: %v", round, parts)
		}
		if states, _ := filepath.Glob(dir + "/*/state.json"); len(states) != 0 {
			t.Errorf("round %d: what is half written counts as whole", round)
		}
		again, whole := start(commit)
		if err := again.Run(); err != nil {
			t.Fatalf("round %d: after the kill: %v", round, err)
		}
		want, err := fetch(puller(t, s), pushed(r, "main", commit))
		if err != nil || !bytes.Equal(whole.Bytes(), want) {
			t.Errorf("round %d: after the kill it is another zip: %v", round, err)
		}
	}
}

// TestColdStart: a process with nothing on disk takes what another left in the
// bucket, fetches the rest, and does without it where it is of no use.
func TestColdStart(t *testing.T) {
	t.Parallel()
	api := s3.NewFromConfig(cloudtest.New(t).Config, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := api.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("state")}); err != nil {
		t.Fatal(err)
	}
	s := gittest.New(t)
	r := mixed(s)
	packs := func() (keys []string) {
		out, err := api.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("state")})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range out.Contents {
			if strings.HasSuffix(*o.Key, ".pack") {
				keys = append(keys, *o.Key)
			}
		}
		return keys
	}
	warm := puller(t, s)
	// cold pulls from nothing on disk, and gives how much the server sent.
	cold := func(commit string) int64 {
		t.Helper()
		before := s.Sent.Load()
		p := puller(t, s)
		p.Packs = &pull.Packs{API: api, Bucket: "state"}
		body, err := fetch(p, pushed(r, "main", commit))
		if err != nil {
			t.Fatal(err)
		}
		sent := s.Sent.Load() - before
		if want, err := fetch(warm, pushed(r, "main", commit)); err != nil || !bytes.Equal(want, body) {
			t.Errorf("it is another zip: %v", err)
		}
		return sent
	}
	if sent := cold(r.Push("main")); sent < 1_000_000 || len(packs()) != 1 {
		t.Fatalf("the server sent %d bytes, and there are %v", sent, packs())
	}
	for i := range 2 {
		r.Write("README.md", noise(uint64(i), 100))
		if sent := cold(r.Push("main")); sent > 30_000 || len(packs()) != 2+i {
			t.Errorf("on top of what is there, the server sent %d bytes, and there are %v", sent, packs())
		}
	}
	if _, err := api.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("state"), Key: aws.String(packs()[0]), Body: strings.NewReader("PACK of nothing")}); err != nil {
		t.Fatal(err)
	}
	if sent := cold(r.Push("main")); sent < 1_000_000 || len(packs()) != 1 {
		t.Errorf("with a spoilt pack, the server sent %d bytes, and there are %v", sent, packs())
	}
	r.Write("large", noise(7, 3<<20))
	cold(r.Push("main"))
	r.Write("README.md", "small")
	if sent := cold(r.Push("main")); sent < 2_400_000 || len(packs()) != 1 {
		t.Errorf("with more in the packs than in the first, the server sent %d bytes, and there are %v", sent, packs())
	}
	if _, err := api.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("state"), Key: aws.String(packs()[0])}); err != nil {
		t.Fatal(err)
	}
	if sent := cold(r.Push("main")); sent < 2_400_000 {
		t.Errorf("with a lost pack, the server sent %d bytes", sent)
	}
}

// TestServers: servers that give no commits by their hashes, branches that were
// pushed over, and tags with a text.
func TestServers(t *testing.T) {
	t.Parallel()
	s := gittest.New(t)
	r := s.Repository("acme/app")
	r.Configure("uploadpack.allowReachableSHA1InWant", "false")
	r.Write("a", "1")
	first := r.Push("main")
	r.Write("a", "2")
	second := r.Push("main")
	p := puller(t, s)
	for _, commit := range []string{second, first, second} {
		if _, err := fetch(p, pushed(r, "main", commit)); err != nil {
			t.Errorf("a commit of the branch got %v", err)
		}
	}
	r.Git("reset", "-q", "--hard", first)
	r.Write("a", "3")
	third := r.Push("main")
	if _, err := fetch(p, pushed(r, "main", third)); err != nil {
		t.Errorf("a commit that was pushed over others got %v", err)
	}
	if _, err := fetch(puller(t, s), pushed(r, "main", second)); err == nil || !strings.Contains(err.Error(), "it was pushed over") {
		t.Errorf("a commit that was pushed over got %v", err)
	}
	if _, err := fetch(puller(t, s), pushed(r, "gone", second)); err == nil || !strings.Contains(err.Error(), "the server has no gone any more") {
		t.Errorf("a branch that is gone got %v", err)
	}
	r.Git("tag", "-a", "-m", "a text", "v1")
	r.Git("push", "-q", "origin", "v1")
	e := pushed(r, "v1", r.Git("rev-parse", "v1"))
	e.Kind = gitsource.Tag
	body, err := fetch(p, e)
	if err != nil || !strings.Contains(listing(t, body), `a "3"`) {
		t.Errorf("a tag with a text got %v", err)
	}
}

// TestRoom: clones that nobody used for long make room for others.
func TestRoom(t *testing.T) {
	t.Parallel()
	s := gittest.New(t)
	p := puller(t, s)
	p.Limits.Disk = 1 << 20
	for i, name := range []string{"acme/a", "acme/b", "acme/c"} {
		r := s.Repository(name)
		r.Write("a", noise(uint64(i), 400_000))
		if _, err := fetch(p, pushed(r, "main", r.Push("main"))); err != nil {
			t.Fatal(err)
		}
	}
	if kept, _ := filepath.Glob(p.Dir + "/*"); len(kept) != 2 {
		t.Errorf("there are %v", kept)
	}
}
