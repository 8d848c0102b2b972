package codebuild_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	connapi "github.com/aws/aws-sdk-go-v2/service/codeconnections"
	conntypes "github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
)

// hooked is a project of a GitHub repository whose webhook builds what the
// filters let through.
func hooked(t *testing.T, c *testCloud, filters ...types.WebhookFilter) *types.Webhook {
	t.Helper()
	c.create(t, project("site", "version: 0.2\nphases:\n  build: {commands: ['env | grep CODEBUILD_WEBHOOK | sort']}", func(in *api.CreateProjectInput) {
		in.Source.Type, in.Source.Location = types.SourceTypeGithub, aws.String("https://github.com/ada/site.git")
	}))
	out, err := c.builds.CreateWebhook(t.Context(), &api.CreateWebhookInput{ProjectName: aws.String("site"), FilterGroups: [][]types.WebhookFilter{filters}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Webhook
}

func filter(kind types.WebhookFilterType, pattern string) types.WebhookFilter {
	return types.WebhookFilter{Type: kind, Pattern: &pattern}
}

// site makes a repository behind a connection and pushes a commit to a branch.
func site(t *testing.T, c *testCloud, branch string) {
	t.Helper()
	made, err := connapi.NewFromConfig(c.As(owner)).CreateConnection(t.Context(), &connapi.CreateConnectionInput{ConnectionName: aws.String("hub"), ProviderType: conntypes.ProviderTypeGithub})
	if err != nil {
		t.Fatal(err)
	}
	id := (*made.ConnectionArn)[strings.LastIndexByte(*made.ConnectionArn, '/')+1:]
	url := c.Endpoint() + "/git-http/000000000000/us-east-1/" + id + "/ada/site.git"
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"init", "-q", "-b", branch}, {"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one"}, {"push", "-q", url, branch}} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, said)
		}
	}
}

// only waits for the project's build and gives it when it has ended.
func only(t *testing.T, c *testCloud) *types.Build {
	t.Helper()
	var ids []string
	until(t, "a build", func() bool {
		out, err := c.builds.ListBuilds(t.Context(), &api.ListBuildsInput{})
		if err == nil {
			ids = out.Ids
		}
		return len(ids) > 0
	})
	if len(ids) != 1 {
		t.Fatalf("builds %v", ids)
	}
	return c.wait(t, c.get(t, ids[0]))
}

func TestPushStartsBuild(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	hooked(t, c, filter("EVENT", "PUSH"), filter("HEAD_REF", "^refs/heads/(?!doc/).*$"), filter("FILE_PATH", `^a\.txt$`))
	site(t, c, "main")
	b := only(t, c)
	log := c.log(t, b)
	for _, want := range []string{"CODEBUILD_WEBHOOK_EVENT=PUSH\n", "CODEBUILD_WEBHOOK_HEAD_REF=refs/heads/main\n", "CODEBUILD_WEBHOOK_TRIGGER=branch/main\n"} {
		if !strings.Contains(log, want) {
			t.Errorf("no %q in\n%s", want, log)
		}
	}
	if b.BuildStatus != types.StatusTypeSucceeded || !strings.HasPrefix(*b.Initiator, "GitHub-Hookshot/") || *b.SourceVersion != *b.ResolvedSourceVersion {
		t.Errorf("%s by %s, %s", b.BuildStatus, *b.Initiator, aws.ToString(b.SourceVersion))
	}
}

// Each case is a delivery to the payload URL, the answer's status and words.
func TestDeliveries(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	hook := hooked(t, c, filter("EVENT", "PUSH"), filter("HEAD_REF", "^refs/heads/main$"))
	if hook.Secret == nil || hook.PayloadUrl == nil {
		t.Fatalf("webhook %+v", hook)
	}
	push := func(branch string) string {
		return `{"ref":"refs/heads/` + branch + `","before":"b","after":"a","head_commit":{"message":"m"},"sender":{"id":7}}`
	}
	cases := map[string]struct {
		url, secret, event, body string
		status                   int
		want                     string
	}{
		"built":         {*hook.PayloadUrl, *hook.Secret, "push", push("main"), 200, "started build site:"},
		"other branch":  {*hook.PayloadUrl, *hook.Secret, "push", push("other"), 200, "no filter group passes"},
		"ping":          {*hook.PayloadUrl, *hook.Secret, "ping", "{}", 200, "nothing to build"},
		"forged":        {*hook.PayloadUrl, "guess", "push", push("main"), 403, "signature"},
		"foreign token": {*hook.PayloadUrl + "x", *hook.Secret, "push", push("main"), 403, "payload URL"},
		"no JSON":       {*hook.PayloadUrl, *hook.Secret, "push", "{", 400, "cannot be read"},
	}
	for name, d := range cases {
		mac := hmac.New(sha256.New, []byte(d.secret))
		io.WriteString(mac, d.body)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url, strings.NewReader(d.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-GitHub-Event", d.event)
		r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		said, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != d.status || !strings.Contains(string(said), d.want) {
			t.Errorf("%s: %d %s", name, res.StatusCode, said)
		}
	}
	only(t, c)
}
