package codepipeline_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	contypes "github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	api "github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"ouro/cloud/cloudtest"
)

// hub is a whole cloud with a connection and a work tree of its repository
// me/site.
type hub struct {
	*world
	cloud      *cloudtest.Cloud
	connection string
	dir        string
}

func newHub(t *testing.T) *hub {
	t.Helper()
	c := cloudtest.New(t)
	h := &hub{world: &world{t: t, client: api.NewFromConfig(c.Config)}, cloud: c, dir: t.TempDir()}
	roleFor(t, iam.NewFromConfig(c.Config), "pipeline", "codepipeline.amazonaws.com")
	must[*s3.CreateBucketOutput](t)(h.s3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("artifacts")}))
	h.connection = *must[*codeconnections.CreateConnectionOutput](t)(codeconnections.NewFromConfig(c.Config).CreateConnection(t.Context(), &codeconnections.CreateConnectionInput{
		ConnectionName: aws.String("hub"), ProviderType: contypes.ProviderTypeGithub,
	})).ConnectionArn
	h.git("init", "-q", "-b", "main")
	return h
}

func (h *hub) s3() *s3.Client {
	return s3.NewFromConfig(h.cloud.Config, func(o *s3.Options) { o.UsePathStyle = true })
}

func (h *hub) connectionID() string { return h.connection[strings.LastIndex(h.connection, "/")+1:] }

func (h *hub) git(args ...string) string {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), "git", args...)
	cmd.Dir = h.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com",
		"GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.com", "GIT_AUTHOR_DATE=1700000000 +0000")
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit changes a file and gives the commit's id.
func (h *hub) commit(file, text string) string {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, file), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.git("add", ".")
	h.git("commit", "-q", "-m", "change "+file)
	return h.git("rev-parse", "HEAD")
}

func (h *hub) push(refs ...string) {
	h.t.Helper()
	h.git(append([]string{"push", "-q", h.cloud.URL + "/git-http/000000000000/us-east-1/" + h.connectionID() + "/me/site.git"}, refs...)...)
}

// create makes a pipeline whose executions run side by side and wait for an
// approval.
func (h *hub) create(name string, source types.ActionDeclaration, triggers ...types.PipelineTriggerDeclaration) {
	h.t.Helper()
	def := definition(stage("Ask", act("Ask", "Approval", "Manual", nil)))
	def.Name, def.PipelineType, def.ExecutionMode, def.Triggers = &name, types.PipelineTypeV2, types.ExecutionModeParallel, triggers
	source.Namespace = aws.String("Vars")
	def.Stages[0].Actions[0] = source
	must[*api.CreatePipelineOutput](h.t)(h.client.CreatePipeline(h.t.Context(), &api.CreatePipelineInput{Pipeline: def}))
	h.until("the first execution of "+name+" fails for lack of a branch", func() bool {
		l := h.executions(name)
		return len(l) == 1 && l[0].Status == types.PipelineExecutionStatusFailed
	})
}

func (h *hub) executions(name string) []types.PipelineExecutionSummary {
	h.t.Helper()
	list := must[*api.ListPipelineExecutionsOutput](h.t)(h.client.ListPipelineExecutions(h.t.Context(), &api.ListPipelineExecutionsInput{PipelineName: &name})).PipelineExecutionSummaries
	slices.Reverse(list)
	return list
}

// starts tells the executions after the first, oldest first: the kind of
// trigger and the commit.
func (h *hub) starts(name string, n int) []string {
	h.t.Helper()
	var told []string
	h.until("the executions of "+name, func() bool {
		told = nil
		for _, e := range h.executions(name)[1:] {
			if len(e.SourceRevisions) > 0 {
				told = append(told, string(e.Trigger.TriggerType)+" "+*e.SourceRevisions[0].RevisionId)
			}
		}
		return len(told) >= n
	})
	return told
}

func (h *hub) variables(name string, execution int) map[string]string {
	h.t.Helper()
	id := h.executions(name)[execution].PipelineExecutionId
	details := must[*api.ListActionExecutionsOutput](h.t)(h.client.ListActionExecutions(h.t.Context(), &api.ListActionExecutionsInput{
		PipelineName: &name, Filter: &types.ActionExecutionFilter{PipelineExecutionId: id},
	})).ActionExecutionDetails
	return details[len(details)-1].Output.OutputVariables
}

// TestTriggers pushes to one repository, which three pipelines have as source:
// by triggers with filters, by a GitHub webhook, and by default detection.
func TestTriggers(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	ctx := t.Context()
	connection := func(more map[string]string) types.ActionDeclaration {
		config := map[string]string{"ConnectionArn": h.connection, "FullRepositoryId": "me/site", "BranchName": "main"}
		for k, v := range more {
			config[k] = v
		}
		return act("Source", "Source", "CodeStarSourceConnection", config, out("App"))
	}
	h.create("filtered", connection(nil), types.PipelineTriggerDeclaration{
		ProviderType: types.PipelineTriggerProviderTypeCodeStarSourceConnection,
		GitConfiguration: &types.GitConfiguration{
			SourceActionName: aws.String("Source"),
			Push: []types.GitPushFilter{
				{Branches: &types.GitBranchFilterCriteria{Includes: []string{"main"}}, FilePaths: &types.GitFilePathFilterCriteria{Includes: []string{"template.yaml"}}},
				{Branches: &types.GitBranchFilterCriteria{Includes: []string{"feature/**"}, Excludes: []string{"feature/no*"}}},
				{Tags: &types.GitTagFilterCriteria{Includes: []string{"v*"}}},
			},
			PullRequest: []types.GitPullRequestFilter{{Events: []types.GitPullRequestEventType{"OPEN"}, Branches: &types.GitBranchFilterCriteria{Includes: []string{"main"}}}},
		},
	})
	h.create("default", connection(map[string]string{"OutputArtifactFormat": "CODEBUILD_CLONE_REF"}))
	h.create("silent", connection(map[string]string{"DetectChanges": "false"}))
	old := act("Source", "Source", "GitHub", map[string]string{"Owner": "me", "Repo": "Site", "Branch": "main", "OAuthToken": "secret", "PollForSourceChanges": "false"}, out("App"))
	old.ActionTypeId.Owner = types.ActionOwnerThirdParty
	// Nothing is behind the connection yet, so that the first execution would ask GitHub.
	one := h.commit("README.md", "1")
	h.push("main:refs/heads/begin")
	old.Configuration["Branch"] = "none"
	h.create("webhook", old)
	old.Configuration["Branch"], old.Configuration["OAuthToken"] = "main", "****"
	def := must[*api.GetPipelineOutput](t)(h.client.GetPipeline(ctx, &api.GetPipelineInput{Name: aws.String("webhook")})).Pipeline
	if got := def.Stages[0].Actions[0].Configuration["OAuthToken"]; got != "****" {
		t.Errorf("the token shows as %q", got)
	}
	def.Stages[0].Actions[0].Configuration = old.Configuration
	must[*api.UpdatePipelineOutput](t)(h.client.UpdatePipeline(ctx, &api.UpdatePipelineInput{Pipeline: def}))
	hook := must[*api.PutWebhookOutput](t)(h.client.PutWebhook(ctx, &api.PutWebhookInput{Webhook: &types.WebhookDefinition{
		Name: aws.String("hook"), TargetPipeline: aws.String("webhook"), TargetAction: aws.String("Source"),
		Authentication: types.WebhookAuthenticationTypeGithubHmac, AuthenticationConfiguration: &types.WebhookAuthConfiguration{SecretToken: aws.String("s")},
		Filters: []types.WebhookFilterRule{
			{JsonPath: aws.String("$.ref"), MatchEquals: aws.String("refs/heads/{Branch}")},
			{JsonPath: aws.String("$.commits[*]['added','modified','removed'][*]"), MatchEquals: aws.String("template.yaml")},
		},
	}})).Webhook
	must[*api.RegisterWebhookWithThirdPartyOutput](t)(h.client.RegisterWebhookWithThirdParty(ctx, &api.RegisterWebhookWithThirdPartyInput{WebhookName: aws.String("hook")}))

	two := h.commit("template.yaml", "1")
	h.push("main")
	three := h.commit("other.txt", "1")
	h.push("main")
	four := h.commit("template.yaml", "2")
	h.push("main", "main:refs/heads/feature/a", one+":refs/heads/feature/b/c", "main:refs/heads/feature/not", "main:refs/heads/side")
	h.push(":feature/a", ":side")
	h.git("tag", "-a", "-m", "one", "v1", three)
	h.git("tag", "w1")
	h.push("v1", "w1")
	h.git("checkout", "-q", "-b", "topic")
	five := h.commit("more.txt", "1")
	h.push("topic")
	h.pullRequest("opened", "main", five)
	h.pullRequest("synchronize", "main", five)
	h.pullRequest("opened", "side", five)
	h.git("checkout", "-q", "main")
	six := h.commit("template.yaml", "3")
	h.push("main")

	v2 := func(commit string) string { return "WebhookV2 " + commit }
	v1 := func(commit string) string { return "Webhook " + commit }
	sorted := func(list []string) []string { return slices.Sorted(slices.Values(list)) }
	want := []string{v2(two), v2(four), v2(four), v2(one), v2(three), v2(five), v2(six)}
	if diff := cmp.Diff(sorted(want), sorted(h.starts("filtered", len(want)))); diff != "" {
		t.Errorf("filtered (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{v1(two), v1(three), v1(four), v1(six)}, h.starts("default", 4)); diff != "" {
		t.Errorf("default (-want +got):\n%s", diff)
	}
	if got := h.starts("webhook", 3); got[len(got)-1] != v1(six) || len(got) != 3 {
		t.Errorf("webhook: %q", got)
	}
	if n := len(h.executions("silent")); n != 1 {
		t.Errorf("a pipeline that detects nothing was started %d times", n)
	}
	h.triggersTell(three, five)
	if e := h.executions("webhook")[3]; *e.Trigger.TriggerDetail != *hook.Arn || *e.SourceRevisions[0].RevisionUrl != "https://github.com/me/Site/commit/"+six {
		t.Errorf("webhook: %+v %+v", *e.Trigger, e.SourceRevisions)
	}
	if diff := cmp.Diff(map[string]string{
		"AccountId": "000000000000", "ConnectionArn": h.connection, "FullRepositoryName": "me/site", "CommitId": six, "BranchName": "main",
		"CloneUrl": h.cloud.URL + "/git-http/000000000000/us-east-1/" + h.connectionID() + "/me/site.git",
	}, h.reference("default")); diff != "" {
		t.Errorf("the reference of a clone (-want +got):\n%s", diff)
	}
	if list := must[*api.ListWebhooksOutput](t)(h.client.ListWebhooks(ctx, &api.ListWebhooksInput{})).Webhooks; len(list) != 1 || list[0].LastTriggered == nil || list[0].ErrorCode != nil {
		t.Errorf("webhooks: %+v", list)
	}
	must[*api.DeleteWebhookOutput](t)(h.client.DeleteWebhook(ctx, &api.DeleteWebhookInput{Name: aws.String("hook")}))
}

// triggersTell looks at what the executions that a tag and a pull request have
// started say of them.
func (h *hub) triggersTell(tagged, requested string) {
	h.t.Helper()
	for i, e := range h.executions("filtered") {
		if i == 0 {
			continue
		}
		if *e.Trigger.TriggerDetail != h.connection {
			h.t.Errorf("trigger detail %s", *e.Trigger.TriggerDetail)
		}
		got := h.variables("filtered", i)
		switch *e.SourceRevisions[0].RevisionId {
		case tagged:
			if got["TagName"] != "v1" || got["AuthorEmail"] != "ann@example.com" || got["CommitMessage"] != "change other.txt" {
				h.t.Errorf("variables of the tag: %v", got)
			}
		case requested:
			if got["PullRequestId"] != "7" || got["PullRequestTitle"] != "Topic" || got["BranchName"] != "topic" {
				h.t.Errorf("variables of the pull request: %v", got)
			}
		}
	}
}

// reference is the artifact of the newest execution of a source that gives one
// in place of a zip.
func (h *hub) reference(name string) map[string]string {
	h.t.Helper()
	var got map[string]string
	if err := json.Unmarshal(h.artifact(name), &got); err != nil {
		h.t.Fatal(err)
	}
	return got
}

// artifact is what the source of the newest execution gave.
func (h *hub) artifact(name string) []byte {
	h.t.Helper()
	list := h.executions(name)
	details := must[*api.ListActionExecutionsOutput](h.t)(h.client.ListActionExecutions(h.t.Context(), &api.ListActionExecutionsInput{
		PipelineName: &name, Filter: &types.ActionExecutionFilter{PipelineExecutionId: list[len(list)-1].PipelineExecutionId},
	})).ActionExecutionDetails
	at := details[len(details)-1].Output.OutputArtifacts[0].S3location
	object := must[*s3.GetObjectOutput](h.t)(h.s3().GetObject(h.t.Context(), &s3.GetObjectInput{Bucket: at.Bucket, Key: at.Key}))
	defer object.Body.Close()
	return must[[]byte](h.t)(io.ReadAll(object.Body))
}

// pullRequest posts what GitHub says of a pull request.
func (h *hub) pullRequest(action, to, commit string) {
	h.t.Helper()
	body, err := json.Marshal(map[string]any{
		"action": action, "number": 7, "repository": map[string]string{"full_name": "me/site"},
		"pull_request": map[string]any{"title": "Topic", "head": map[string]string{"ref": "topic", "sha": commit}, "base": map[string]string{"ref": to}},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost,
		h.cloud.URL+"/_codeconnections/events/000000000000/us-east-1/"+h.connectionID(), strings.NewReader(string(body)))
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("X-GitHub-Event", "pull_request")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	if text, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK {
		h.t.Fatalf("posting a pull request: %s %s", response.Status, text)
	}
}
