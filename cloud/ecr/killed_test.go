package ecr_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// killedDir in the environment makes this program the process that is killed.
const killedDir = "OURO_TEST_KILLED_DIR"

// TestVictim is the process that is killed: it pushes images for ever.
func TestVictim(t *testing.T) {
	dir := os.Getenv(killedDir)
	if dir == "" {
		t.Skip("only as a process of TestKilled")
	}
	w := openWorld(t, dir)
	uri := w.create(&sdk.CreateRepositoryInput{RepositoryName: aws.String("app")})
	for side := range 4 {
		go func() {
			for i := 0; ; i++ {
				w.push(fmt.Sprintf("%s:v%d-%d", uri, side, i), 3)
				fmt.Printf("pushed v%d-%d\n", side, i)
			}
		}()
	}
	<-t.Context().Done()
}

// TestKilled kills a local cloud that takes images from four sides at once:
// every image that it had answered for is there and whole, and so is every one
// that it tells of.
func TestKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestVictim$")
	child.Env = append(os.Environ(), killedDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	answered := map[string]bool{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if tag, ok := strings.CutPrefix(lines.Text(), "pushed "); ok {
			answered[tag] = true
		}
		if len(answered) == 10 {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || len(answered) < 10 {
		t.Fatalf("the process ended by itself (%v) after %d images", err, len(answered))
	}

	w := openWorld(t, dir)
	repo := ref(t, strings.TrimPrefix(w.URL, "http://")+"/app").Context()
	login := w.login(w.api)
	tags, err := remote.List(repo, login)
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range tags {
		img, err := remote.Image(repo.Tag(tag), login)
		if err == nil {
			err = validate.Image(img)
		}
		if err != nil {
			t.Errorf("%s: %v", tag, err)
		}
		delete(answered, tag)
	}
	if len(answered) > 0 {
		t.Errorf("lost are %v", answered)
	}
}

// TestUntold ends a local cloud before EventBridge has heard of a push: the next
// one tells it.
func TestUntold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := openWorld(t, dir)
	w.events.deaf.Store(true)
	w.push(w.create(&sdk.CreateRepositoryInput{RepositoryName: aws.String("app")})+":v1", 1)
	w.close()
	w = openWorld(t, dir)
	eventually(t, "the event", func() bool { return slices.Equal(w.events.of("app"), []string{"PUSH v1"}) })
}
