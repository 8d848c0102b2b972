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
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	connapi "github.com/aws/aws-sdk-go-v2/service/codeconnections"
	conntypes "github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
)

// siteURL names the repository ada/site. At the address itself nobody answers.
const siteURL = "https://127.0.0.1:1/ada/site.git"

// hooked is a project of a GitHub repository whose webhook builds what the
// filters let through.
func hooked(t *testing.T, c *testCloud, filters ...types.WebhookFilter) *types.Webhook {
	t.Helper()
	c.create(t, project("site", "version: 0.2\nphases:\n  build: {commands: ['env | grep CODEBUILD_WEBHOOK | sort']}", func(in *api.CreateProjectInput) {
		in.Source.Type, in.Source.Location = types.SourceTypeGithub, aws.String(siteURL)
		in.BuildBatchConfig = &types.ProjectBuildBatchConfig{ServiceRole: aws.String(roleARN)}
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

// site makes a repository behind a connection, pushes a commit to the
// references, and gives the connection's id and the commit.
func site(t *testing.T, c *testCloud, refs ...string) (connection, commit string) {
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
	push := []string{"push", "-q", url}
	for _, ref := range refs {
		push = append(push, "HEAD:"+ref)
	}
	var said []byte
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one"}, push, {"rev-parse", "HEAD"}} {
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = dir
		if said, err = cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, said)
		}
	}
	return id, strings.TrimSpace(string(said))
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
	c.create(t, project("other", "version: 0.2\nphases: {}", func(in *api.CreateProjectInput) {
		in.Source.Type, in.Source.Location = types.SourceTypeGithub, aws.String(siteURL)
	}))
	if _, err := c.builds.CreateWebhook(t.Context(), &api.CreateWebhookInput{ProjectName: aws.String("other")}); err != nil {
		t.Fatal(err)
	}
	site(t, c, "refs/heads/main")
	var ids []string
	until(t, "a build of each project", func() bool {
		list, err := c.builds.ListBuilds(t.Context(), &api.ListBuildsInput{SortOrder: types.SortOrderTypeAscending})
		if err != nil {
			t.Fatal(err)
		}
		ids = list.Ids
		return len(ids) >= 2
	})
	slices.Sort(ids)
	if len(ids) != 2 || !strings.HasPrefix(ids[0], "other:") {
		t.Fatalf("builds %v", ids)
	}
	b := c.wait(t, c.get(t, ids[1]))
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

// gitHub is the headers that GitHub sends with an event.
func gitHub(event, secret, body string) http.Header {
	mac := hmac.New(sha256.New, []byte(secret))
	io.WriteString(mac, body)
	return http.Header{"X-Github-Event": {event}, "X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(mac.Sum(nil))}}
}

// post delivers an event and gives the answer.
func post(t *testing.T, url string, header http.Header, body string) (status int, said string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
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
		"built before":  {*hook.PayloadUrl, *hook.Secret, "push", push("main"), 200, "started build site:"},
		"other branch":  {*hook.PayloadUrl, *hook.Secret, "push", push("other"), 200, "no filter group passes"},
		"ping":          {*hook.PayloadUrl, *hook.Secret, "ping", "{}", 200, "nothing to build"},
		"forged":        {*hook.PayloadUrl, "guess", "push", push("main"), 403, "signature"},
		"foreign token": {*hook.PayloadUrl + "x", *hook.Secret, "push", push("main"), 403, "payload URL"},
		"no JSON":       {*hook.PayloadUrl, *hook.Secret, "push", "{", 400, "cannot be read"},
	}
	for name, d := range cases {
		header := gitHub(d.event, d.secret, d.body)
		header.Set("X-GitHub-Delivery", strconv.Itoa(len(d.body))) // the same for the same body
		if status, said := post(t, d.url, header, d.body); status != d.status || !strings.Contains(said, d.want) {
			t.Errorf("%s: %d %s", name, status, said)
		}
	}
	only(t, c)
}

// What a pull request of a repository behind a connection tells of itself
// reaches the build.
func TestPullRequestStartsBuild(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	hooked(t, c, filter("EVENT", "PULL_REQUEST_CREATED, PULL_REQUEST_MERGED"), filter("BASE_REF", "^refs/heads/main$"), filter("ACTOR_ACCOUNT_ID", "^ada$"), filter("COMMIT_MESSAGE", "^one$"))
	connection, commit := site(t, c, "refs/heads/main", "refs/heads/topic")
	body := `{"action":"ACTION","number":7,"pull_request":{"title":"t","head":{"ref":"topic","sha":"` + commit + `"},"base":{"ref":"main","sha":"` + commit + `"}},"repository":{"full_name":"ada/site"},"sender":{"login":"ada"}}`
	url := c.Endpoint() + "/_codeconnections/events/000000000000/us-east-1/" + connection
	for _, action := range []string{"reopened", "opened"} { // the first is none that it waits for
		if status, said := post(t, url, http.Header{"X-Github-Event": {"pull_request"}}, strings.Replace(body, "ACTION", action, 1)); status >= 300 {
			t.Fatalf("%d %s", status, said)
		}
	}
	b := only(t, c)
	want := "CODEBUILD_WEBHOOK_ACTOR_ACCOUNT_ID=ada\nCODEBUILD_WEBHOOK_BASE_REF=refs/heads/main\nCODEBUILD_WEBHOOK_EVENT=PULL_REQUEST_CREATED\n" +
		"CODEBUILD_WEBHOOK_HEAD_REF=refs/heads/topic\nCODEBUILD_WEBHOOK_TRIGGER=pr/7\n"
	if log := c.log(t, b); !strings.Contains(log, want) || *b.SourceVersion != commit {
		t.Errorf("%s\n%s", *b.SourceVersion, log)
	}
	again := c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: aws.String("site"), SourceVersion: aws.String("pr/7")}))
	if again.BuildStatus != types.StatusTypeSucceeded || *again.ResolvedSourceVersion != commit {
		t.Errorf("pr/7: %s\n%s", again.BuildStatus, c.log(t, again))
	}
}

// A webhook may start batch builds; each of their builds knows of the event.
func TestPushStartsBatch(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	hooked(t, c, filter("EVENT", "PUSH"))
	spec := "version: 0.2\nbatch:\n  build-list: [{identifier: one}]\nphases:\n  build: {commands: ['env | grep CODEBUILD_WEBHOOK_EVENT']}"
	if _, err := c.builds.UpdateProject(t.Context(), &api.UpdateProjectInput{Name: aws.String("site"), Source: &types.ProjectSource{Type: types.SourceTypeGithub, Location: aws.String(siteURL), Buildspec: &spec}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.builds.UpdateWebhook(t.Context(), &api.UpdateWebhookInput{ProjectName: aws.String("site"), BuildType: types.WebhookBuildTypeBuildBatch}); err != nil {
		t.Fatal(err)
	}
	site(t, c, "refs/heads/main")
	var batch types.BuildBatch
	until(t, "the batch's end", func() bool {
		list, err := c.builds.ListBuildBatches(t.Context(), &api.ListBuildBatchesInput{})
		if err != nil || len(list.Ids) == 0 {
			return false
		}
		out, err := c.builds.BatchGetBuildBatches(t.Context(), &api.BatchGetBuildBatchesInput{Ids: list.Ids})
		if err != nil {
			t.Fatal(err)
		}
		batch = out.BuildBatches[0]
		return batch.Complete
	})
	if batch.BuildBatchStatus != types.StatusTypeSucceeded || !strings.HasPrefix(*batch.Initiator, "GitHub-Hookshot/") {
		t.Fatalf("%s by %s", batch.BuildBatchStatus, *batch.Initiator)
	}
	for _, g := range batch.BuildGroups {
		arn := *g.CurrentBuildSummary.Arn
		log := c.log(t, c.get(t, arn[strings.Index(arn, "build/")+len("build/"):]))
		if *g.Identifier == "one" && !strings.Contains(log, "CODEBUILD_WEBHOOK_EVENT=PUSH\n") {
			t.Errorf("log of %s:\n%s", *g.Identifier, log)
		}
	}
}
