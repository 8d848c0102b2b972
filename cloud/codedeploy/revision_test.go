package codedeploy_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	contypes "github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	api "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	s3api "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// entry is something in a tar besides regular files.
type entry struct {
	name, link string
	kind       byte
	text       string
}

// tarred is a tar of entries; what begins with #! is executable.
func tarred(t testing.TB, zip bool, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	var to io.WriteCloser = struct {
		io.Writer
		io.Closer
	}{&b, io.NopCloser(nil)}
	if zip {
		to = gzip.NewWriter(&b)
	}
	w := tar.NewWriter(to)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Linkname: e.link, Typeflag: e.kind, Mode: 0o644, Size: int64(len(e.text))}
		if strings.HasPrefix(e.text, "#!") || e.kind == tar.TypeDir {
			h.Mode = 0o755
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if zip {
		if err := to.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// files are the entries of a tar with those files.
func files(all map[string]string) []entry {
	var out []entry
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, entry{name: name, kind: tar.TypeReg, text: all[name]})
	}
	return out
}

// TestRevisions deploys from all that a revision may be, and tells a topic.
func TestRevisions(t *testing.T) {
	t.Parallel()
	f := newFleet(t, t.TempDir(), "one")
	defer f.close()
	f.role("deploy", "codedeploy.amazonaws.com") // which publishes
	letters := f.listen()
	revision := map[string]string{"appspec.yml": spec("AfterInstall: [{location: hook.sh}]"), "data/it": "", "hook.sh": "#!/bin/sh\necho $BUNDLE_COMMIT >commit\n"}
	deploy := func(l *types.RevisionLocation) *types.DeploymentInfo {
		t.Helper()
		return f.until(f.create(&api.CreateDeploymentInput{Revision: l}), over)
	}
	bundle := func(kind types.BundleType, b []byte) *types.RevisionLocation {
		key := "bundle." + string(kind)
		must(t)(f.s3.PutObject(t.Context(), &s3api.PutObjectInput{Bucket: aws.String("revisions"), Key: &key, Body: bytes.NewReader(b)}))
		return &types.RevisionLocation{RevisionType: types.RevisionLocationTypeS3, S3Location: &types.S3Location{Bucket: aws.String("revisions"), Key: &key, BundleType: kind}}
	}
	has := func(text string) {
		t.Helper()
		if got, err := os.ReadFile(filepath.Join(f.root("one"), "data", "it")); err != nil || string(got) != text {
			t.Errorf("the instance has %q, not %q: %v", got, text, err)
		}
	}

	for _, kind := range []types.BundleType{types.BundleTypeTar, types.BundleTypeTarGZip} {
		revision["data/it"] = string(kind)
		entries := append([]entry{{name: "./", kind: tar.TypeDir}, {name: "data/link", link: "it", kind: tar.TypeSymlink}}, files(revision)...)
		if d := deploy(bundle(kind, tarred(t, kind == types.BundleTypeTarGZip, entries...))); d.Status != types.DeploymentStatusSucceeded {
			_, target := f.events(*d.DeploymentId, "one")
			t.Errorf("%s: %s: %v", kind, d.Status, diagnostics(target))
		}
		has(string(kind))
	}

	t.Run("bad bundles", func(t *testing.T) {
		for name, b := range map[string][]byte{
			"a path that leads out":      tarred(t, false, append(files(revision), entry{name: "../out", kind: tar.TypeReg, text: "x"})...),
			"an absolute path":           tarred(t, false, append(files(revision), entry{name: "/out", kind: tar.TypeReg, text: "x"})...),
			"a link that leads out":      tarred(t, false, append(files(revision), entry{name: "l", link: "../../..", kind: tar.TypeSymlink})...),
			"a hard link that leads out": tarred(t, false, append(files(revision), entry{name: "l", link: "../../../../../x", kind: tar.TypeLink})...),
			"a device":                   tarred(t, false, append(files(revision), entry{name: "null", kind: tar.TypeChar})...),
			"half of it":                 tarred(t, false, files(revision)...)[:600],
			"no tar":                     []byte("#!/bin/sh\n"),
		} {
			d := deploy(bundle(types.BundleTypeTar, b))
			words, target := f.events(*d.DeploymentId, "one")
			if d.Status != types.DeploymentStatusFailed || !strings.Contains(words, "DownloadBundle:Failed") || !strings.Contains(strings.Join(diagnostics(target), ""), "npacking the revision") {
				t.Errorf("%s: %s, %s, %v", name, d.Status, words, diagnostics(target))
			}
		}
	})

	t.Run("GitHub", func(t *testing.T) {
		revision["data/it"] = "commit"
		commit := f.push("ada/site", revision)
		at := func(repository, commit string) *types.RevisionLocation {
			return &types.RevisionLocation{RevisionType: types.RevisionLocationTypeGitHub, GitHubLocation: &types.GitHubLocation{Repository: &repository, CommitId: &commit}}
		}
		if d := deploy(at("ada/site", commit)); d.Status != types.DeploymentStatusSucceeded {
			_, target := f.events(*d.DeploymentId, "one")
			t.Errorf("%s: %v", d.Status, diagnostics(target))
		}
		has("commit")
		if got, err := os.ReadFile(filepath.Join(f.root("one"), "commit")); err != nil || string(got) != commit+"\n" {
			t.Errorf("BUNDLE_COMMIT was %q, %v", got, err)
		}
		for want, l := range map[string]*types.RevisionLocation{
			"has no repository ada/other behind a connection": at("ada/other", commit),
			"etting the commit 0123":                          at("ada/site", "0123456789012345678901234567890123456789"),
			"etting the commit --upload-pack":                 at("ada/site", "--upload-pack=touch /tmp/x"),
		} {
			d := deploy(l)
			if _, target := f.events(*d.DeploymentId, "one"); !strings.Contains(strings.Join(diagnostics(target), ""), want) {
				t.Errorf("%s: %v", d.Status, diagnostics(target))
			}
		}
	})

	t.Run("triggers", func(t *testing.T) {
		must(t)(f.deploy.UpdateDeploymentGroup(t.Context(), &api.UpdateDeploymentGroupInput{ApplicationName: aws.String("site"), CurrentDeploymentGroupName: aws.String("web"),
			AutoRollbackConfiguration: &types.AutoRollbackConfiguration{Enabled: true, Events: []types.AutoRollbackEvent{types.AutoRollbackEventDeploymentFailure}},
			TriggerConfigurations: []types.TriggerConfig{{TriggerName: aws.String("all"), TriggerTargetArn: &letters.topic, TriggerEvents: []types.TriggerEventType{
				types.TriggerEventTypeDeploymentStart, types.TriggerEventTypeDeploymentSuccess, types.TriggerEventTypeDeploymentFailure, types.TriggerEventTypeDeploymentRollback,
				types.TriggerEventTypeInstanceStart, types.TriggerEventTypeInstanceSuccess, types.TriggerEventTypeInstanceFailure,
			}}}}))
		d := deploy(bundle(types.BundleTypeTar, []byte("no tar")))
		d = f.until(*d.DeploymentId, func(d *types.DeploymentInfo) bool { return d.RollbackInfo != nil })
		back := *d.RollbackInfo.RollbackDeploymentId
		f.until(back, over)
		// A letter is KIND STATUS DEPLOYMENT, with what went wrong, or with the
		// instance and its last event.
		want := []string{
			"DeploymentStart CREATED " + *d.DeploymentId, "InstanceStart InProgress " + *d.DeploymentId, "InstanceFailure Failed " + *d.DeploymentId + " one DownloadBundle:Failed",
			"DeploymentFailure FAILED " + *d.DeploymentId + " HEALTH_CONSTRAINTS", "DeploymentRollback  " + back,
			"DeploymentStart CREATED " + back, "InstanceStart InProgress " + back, "InstanceSuccess Succeeded " + back + " one ValidateService:Succeeded", "DeploymentSuccess SUCCEEDED " + back,
		}
		slices.Sort(want)
		f.eventually("all is told", func() bool { return len(letters.all()) >= len(want) })
		if got := letters.all(); !slices.Equal(got, want) {
			t.Errorf("told: %s\nwant: %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// push pushes files to a repository behind a connection and gives the commit.
func (f *fleet) push(repository string, files map[string]string) string {
	f.t.Helper()
	c, err := codeconnections.NewFromConfig(f.Config).CreateConnection(f.t.Context(), &codeconnections.CreateConnectionInput{ConnectionName: aws.String("hub"), ProviderType: contypes.ProviderTypeGithub})
	if err != nil {
		f.t.Fatal(err)
	}
	_, id, _ := strings.Cut(*c.ConnectionArn, "connection/")
	dir := f.t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			f.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			f.t.Fatal(err)
		}
	}
	git := func(args ...string) string {
		cmd := exec.CommandContext(f.t.Context(), "git", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com")
		out, err := cmd.CombinedOutput()
		if err != nil {
			f.t.Fatalf("git %v: %v: %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q", "-b", "main")
	git("add", ".")
	git("commit", "-q", "-m", "first")
	git("push", "-q", f.URL+"/git-http/000000000000/us-east-1/"+id+"/"+repository+".git", "main")
	return git("rev-parse", "HEAD")
}

// letterbox is subscribed to a topic.
type letterbox struct {
	topic string
	mu    sync.Mutex
	lines []string
}

func (l *letterbox) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(slices.Values(l.lines))
}

// listen makes a topic and subscribes to it.
func (f *fleet) listen() *letterbox {
	f.t.Helper()
	l := &letterbox{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var note struct{ Type, SubscribeURL, Subject, Message string }
		var m struct {
			DeploymentID, InstanceID, Status, InstanceStatus, DeploymentOverview string
			ErrorInformation                                                     struct{ ErrorCode string }
			LifecycleEvents                                                      []struct{ LifecycleEvent, LifecycleEventStatus, EndTime string }
		}
		err := json.NewDecoder(r.Body).Decode(&note)
		if err == nil && note.SubscribeURL != "" {
			var res *http.Response
			if res, err = http.Get(note.SubscribeURL); err == nil {
				err = res.Body.Close()
			}
		} else if err == nil {
			err = json.Unmarshal([]byte(note.Message), &m)
			kind, _, _ := strings.Cut(note.Subject, " ")
			about := m.ErrorInformation.ErrorCode
			if n := len(m.LifecycleEvents); n > 0 {
				_, name, _ := strings.Cut(m.InstanceID, ":instance/")
				about = name + " " + m.LifecycleEvents[n-1].LifecycleEvent + ":" + m.LifecycleEvents[n-1].LifecycleEventStatus
			}
			if m.DeploymentOverview != "" && !strings.Contains(m.DeploymentOverview, `"InProgress":0`) {
				err = errors.New("the overview is " + m.DeploymentOverview)
			}
			l.mu.Lock()
			l.lines = append(l.lines, strings.TrimRight(kind+" "+m.Status+m.InstanceStatus+" "+m.DeploymentID+" "+about, " "))
			l.mu.Unlock()
		}
		if err != nil {
			f.t.Error(err)
		}
	}))
	f.t.Cleanup(server.Close)
	topics := sns.NewFromConfig(f.Config)
	topic, err := topics.CreateTopic(f.t.Context(), &sns.CreateTopicInput{Name: aws.String("told")})
	if err != nil {
		f.t.Fatal(err)
	}
	l.topic = *topic.TopicArn
	must(f.t)(topics.Subscribe(f.t.Context(), &sns.SubscribeInput{TopicArn: &l.topic, Protocol: aws.String("http"), Endpoint: &server.URL}))
	f.eventually("the subscription", func() bool {
		out, err := topics.ListSubscriptionsByTopic(f.t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: &l.topic})
		return err == nil && len(out.Subscriptions) == 1 && strings.HasPrefix(*out.Subscriptions[0].SubscriptionArn, "arn:")
	})
	return l
}
