package codebuild_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

func not(f types.WebhookFilter) types.WebhookFilter {
	f.ExcludeMatchedPattern = aws.Bool(true)
	return f
}

const (
	gitHubPush = `{"ref":"refs/heads/main","before":"b0","after":"a0","head_commit":{"message":"fix: it [skip]"},
		"commits":[{"added":["src/a.go"],"modified":["docs/b.md"]}],"sender":{"id":7}}`
	gitHubTag  = `{"ref":"refs/tags/v1","before":"b0","after":"a1","head_commit":{"message":"m"},"sender":{"id":7}}`
	gitLabPush = `{"ref":"refs/heads/main","before":"b0","after":"a2","user_id":8,"total_commits_count":1,"commits":[{"id":"a2","message":"m","added":["src/a.go"]}]}`
	gitLabMany = `{"ref":"refs/heads/main","before":"b0","after":"a2","user_id":8,"total_commits_count":21,"commits":[{"id":"a2","message":"m","added":["src/a.go"]}]}`
	bitPush    = `{"actor":{"account_id":"9"},"push":{"changes":[
		{"new":{"type":"branch","name":"main","target":{"hash":"a3","message":"m"}},"old":{"type":"branch","name":"main","target":{"hash":"b0"}}},
		{"new":{"type":"tag","name":"v1","target":{"hash":"a4","message":"m"}}},{"old":{"type":"branch","name":"old","target":{"hash":"b1"}}}]}}`
)

func gitHubPR(action, more string) string {
	return `{"action":"` + action + `","number":12,"pull_request":{` + more + `"head":{"ref":"topic","repo":{"full_name":"ada/site"}},"base":{"ref":"main","repo":{"full_name":"ada/site"}}},"sender":{"id":7}}`
}

func gitHubTagged(action string) string {
	return `{"action":"` + action + `","release":{"tag_name":"v1.0","name":"First"},"sender":{"id":7}}`
}

func gitLabMR(action, more string) string {
	return `{"user":{"id":8},"object_attributes":{"iid":5,"action":"` + action + `",` + more + `"source_branch":"topic","target_branch":"main","last_commit":{"id":"c0","message":"m"}}}`
}

func bitPR(more string) string {
	return `{"actor":{"account_id":"9"},"pullrequest":{"id":6,"source":{"branch":{"name":"topic"},"commit":{"hash":"d0"}},"destination":{"branch":{"name":"main"}}` + more + `}}`
}

// TestFilters takes each delivery through the filters of a group. A case ends
// with the source version of the build that it starts, or the words of the
// answer when it starts none.
func TestFilters(t *testing.T) {
	t.Parallel()
	type filters = []types.WebhookFilter
	on := func(events string, more ...types.WebhookFilter) filters {
		return append(filters{filter("EVENT", events)}, more...)
	}
	const noGroup, nothing = "no filter group passes", "nothing to build"
	kinds := map[types.SourceType][]struct {
		event, body string
		filters     filters
		want        string
	}{
		types.SourceTypeGithub: {
			{"push", gitHubPush, on("PUSH", filter("FILE_PATH", "^src/")), "a0"},
			{"push", gitHubPush, on("PUSH", not(filter("FILE_PATH", "^docs/"))), noGroup},
			{"push", gitHubPush, on("PUSH", filter("COMMIT_MESSAGE", "^fix")), "a0"},
			{"push", gitHubPush, on("PUSH", not(filter("COMMIT_MESSAGE", `\[skip\]`))), noGroup},
			{"push", strings.Replace(gitHubPush, "fix: it", strings.Repeat("a", 40)+"!", 1), on("PUSH", filter("COMMIT_MESSAGE", "^(a+)+$")), "matching the filters: match timeout"},
			{"push", gitHubPush, on("PUSH", filter("ACTOR_ACCOUNT_ID", "^7$")), "a0"},
			{"push", gitHubPush, on("PUSH", not(filter("ACTOR_ACCOUNT_ID", "^7$"))), noGroup},
			{"push", gitHubPush, on("PUSH", not(filter("HEAD_REF", "^refs/heads/main$"))), noGroup},
			{"push", gitHubPush, on("PUSH", filter("BASE_REF", ".")), noGroup},
			{"push", gitHubTag, on("PUSH", filter("HEAD_REF", "^refs/tags/v")), "a1"},
			{"push", strings.Replace(gitHubTag, "{", `{"deleted":true,`, 1), on("PUSH"), nothing},
			{"pull_request", gitHubPR("opened", ""), on("PULL_REQUEST_CREATED", filter("BASE_REF", "^refs/heads/main$"), filter("HEAD_REF", "topic")), "pr/12"},
			{"pull_request", gitHubPR("opened", ""), on("PULL_REQUEST_CREATED", not(filter("BASE_REF", "main"))), noGroup},
			{"pull_request", gitHubPR("opened", ""), on("PULL_REQUEST_CREATED", filter("FILE_PATH", ".")), noGroup}, // the payload lists none
			{"pull_request", gitHubPR("synchronize", ""), on("PULL_REQUEST_CREATED"), noGroup},
			{"pull_request", gitHubPR("synchronize", ""), on("PUSH,PULL_REQUEST_UPDATED"), "pr/12"},
			{"pull_request", gitHubPR("reopened", ""), on("PULL_REQUEST_REOPENED"), "pr/12"},
			{"pull_request", gitHubPR("closed", `"merged":true,`), on("PULL_REQUEST_MERGED"), "pr/12"},
			{"pull_request", gitHubPR("closed", ""), on("PULL_REQUEST_MERGED"), noGroup},
			{"pull_request", gitHubPR("closed", ""), on("PULL_REQUEST_CLOSED"), "pr/12"},
			{"pull_request", gitHubPR("labeled", ""), on("PULL_REQUEST_UPDATED"), nothing},
			{"release", gitHubTagged("released"), on("RELEASED", filter("TAG_NAME", "^v1"), filter("RELEASE_NAME", "First")), "v1.0"},
			{"release", gitHubTagged("prereleased"), on("RELEASED"), noGroup},
			{"release", gitHubTagged("prereleased"), on("PRERELEASED"), "v1.0"},
			{"release", gitHubTagged("published"), on("RELEASED"), nothing},
		},
		types.SourceTypeGitlab: {
			{"Push Hook", gitLabPush, on("PUSH", filter("FILE_PATH", "^src/"), filter("ACTOR_ACCOUNT_ID", "^8$"), filter("COMMIT_MESSAGE", "^m$")), "a2"},
			{"Push Hook", gitLabMany, on("PUSH", filter("FILE_PATH", "^src/")), noGroup}, // not all are listed
			{"Tag Push Hook", strings.Replace(gitLabPush, "heads/main", "tags/v2", 1), on("PUSH", filter("HEAD_REF", "^refs/tags/v2$")), "a2"},
			{"Merge Request Hook", gitLabMR("open", ""), on("PULL_REQUEST_CREATED", filter("BASE_REF", "main")), "c0"},
			{"Merge Request Hook", gitLabMR("update", ""), on("PULL_REQUEST_UPDATED"), nothing}, // of its title, say
			{"Merge Request Hook", gitLabMR("update", `"oldrev":"b0",`), on("PULL_REQUEST_UPDATED"), "c0"},
			{"Merge Request Hook", gitLabMR("merge", ""), on("PULL_REQUEST_MERGED"), "c0"},
			{"Merge Request Hook", gitLabMR("close", ""), on("PULL_REQUEST_CLOSED"), "c0"},
			{"Note Hook", "{}", on("PUSH"), nothing},
		},
		types.SourceTypeBitbucket: {
			{"repo:push", bitPush, on("PUSH", filter("HEAD_REF", "^refs/heads/main$"), filter("ACTOR_ACCOUNT_ID", "^9$")), "a3"},
			{"repo:push", bitPush, on("PUSH", filter("HEAD_REF", "^refs/tags/")), "a4"},
			{"pullrequest:created", bitPR(""), on("PULL_REQUEST_CREATED", filter("BASE_REF", "main")), "d0"},
			{"pullrequest:updated", bitPR(""), on("PULL_REQUEST_UPDATED"), "d0"},
			{"pullrequest:rejected", bitPR(""), on("PULL_REQUEST_CLOSED"), "d0"},
			{"pullrequest:fulfilled", bitPR(`,"merge_commit":{"hash":"e0"},"close_source_branch":true`), on("PULL_REQUEST_MERGED"), "e0"},
			{"issue:created", "{}", on("PUSH"), nothing},
		},
	}
	c := newCloud(t, t.TempDir())
	for kind, cases := range kinds {
		name := strings.ToLower(string(kind))
		c.create(t, project(name, "version: 0.2\nphases: {}", func(in *api.CreateProjectInput) {
			in.Source.Type, in.Source.Location = kind, aws.String(siteURL)
		}))
		made, err := c.builds.CreateWebhook(t.Context(), &api.CreateWebhookInput{ProjectName: &name})
		if err != nil {
			t.Fatal(err)
		}
		hook := made.Webhook
		headers := map[types.SourceType]func(event, body string) http.Header{
			types.SourceTypeGithub: func(event, body string) http.Header { return gitHub(event, *hook.Secret, body) },
			types.SourceTypeGitlab: func(event, _ string) http.Header {
				return http.Header{"X-Gitlab-Event": {event}, "X-Gitlab-Token": {*hook.Secret}}
			},
			types.SourceTypeBitbucket: func(event, _ string) http.Header { return http.Header{"X-Event-Key": {event}} },
		}[kind]
		for _, d := range cases {
			_, err := c.builds.UpdateWebhook(t.Context(), &api.UpdateWebhookInput{ProjectName: &name, FilterGroups: [][]types.WebhookFilter{on("PUSH", filter("HEAD_REF", "^$")), d.filters}})
			if err != nil {
				t.Fatalf("%s %s: %v", kind, d.event, err)
			}
			status, said := post(t, *hook.PayloadUrl, headers(d.event, d.body), d.body)
			if _, id, started := strings.Cut(said, "started build "); started {
				id, _, _ = strings.Cut(id, "\n")
				said = *c.get(t, id).SourceVersion
			}
			if status != http.StatusOK || !strings.Contains(said, d.want) {
				t.Errorf("%s %s with %s: %d %s, want %s\n%s", kind, d.event, *d.filters[0].Pattern, status, said, d.want, d.body)
			}
		}
	}
}

// Without filter groups pushes and open pull requests are built, of the
// branches that the branch filter matches.
func TestUpdateWebhook(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	hook := hooked(t, c, filter("EVENT", "PUSH"))
	update := func(in api.UpdateWebhookInput) *types.Webhook {
		t.Helper()
		in.ProjectName = aws.String("site")
		out, err := c.builds.UpdateWebhook(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		return out.Webhook
	}
	send := func(secret, event, body string) string {
		t.Helper()
		_, said := post(t, *hook.PayloadUrl, gitHub(event, secret, body), body)
		return said
	}
	if now := update(api.UpdateWebhookInput{BranchFilter: aws.String("^ma")}); now.Secret != nil || len(now.FilterGroups) != 0 || *now.BranchFilter != "^ma" {
		t.Errorf("webhook %+v", now)
	}
	for _, d := range []struct{ event, body, want string }{
		{"push", gitHubPush, "started build"},
		{"push", strings.Replace(gitHubPush, "heads/main", "heads/other", 1), "no filter group passes"},
		{"push", gitHubTag, "no filter group passes"},
		{"pull_request", strings.Replace(gitHubPR("opened", ""), "topic", "make", 1), "started build"},
		{"pull_request", gitHubPR("closed", ""), "no filter group passes"},
	} {
		if said := send(*hook.Secret, d.event, d.body); !strings.Contains(said, d.want) {
			t.Errorf("%s: %s, want %s", d.event, said, d.want)
		}
	}

	turned := update(api.UpdateWebhookInput{RotateSecret: true})
	if *turned.Secret == *hook.Secret || *turned.PayloadUrl != *hook.PayloadUrl || !turned.LastModifiedSecret.After(*hook.LastModifiedSecret) {
		t.Errorf("webhook %+v, before %+v", turned, hook)
	}
	if said := send(*hook.Secret, "push", gitHubPush); !strings.Contains(said, "signature") {
		t.Errorf("the former secret: %s", said)
	}
	if said := send(*turned.Secret, "push", gitHubPush); !strings.Contains(said, "started build") {
		t.Errorf("the new secret: %s", said)
	}

	update(api.UpdateWebhookInput{FilterGroups: [][]types.WebhookFilter{{filter("EVENT", "PULL_REQUEST_CREATED")}}, PullRequestBuildPolicy: &types.PullRequestBuildPolicy{
		RequiresCommentApproval: types.PullRequestBuildCommentApprovalForkPullRequests, ApproverRoles: []types.PullRequestBuildApproverRole{types.PullRequestBuildApproverRoleGithubWrite}}})
	fork := strings.Replace(gitHubPR("opened", ""), "ada/site", "eve/site", 1)
	for body, want := range map[string]string{
		fork:                   "wants an approval by a comment",
		gitHubPR("opened", ""): "started build",
		strings.Replace(fork, `"head"`, `"author_association":"MEMBER","head"`, 1): "started build",
	} {
		if said := send(*turned.Secret, "pull_request", body); !strings.Contains(said, want) {
			t.Errorf("%s, want %s: %s", said, want, body)
		}
	}
}

// Each case is a webhook that is refused, and a part of the sentence.
func TestRefusedWebhooks(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	hooked(t, c, filter("EVENT", "PUSH"))
	for _, p := range []struct {
		name     string
		kind     types.SourceType
		location *string
	}{
		{"hub", types.SourceTypeGithub, aws.String(siteURL)}, {"lab", types.SourceTypeGitlab, aws.String(siteURL)}, {"bucket", types.SourceTypeBitbucket, aws.String(siteURL)},
		{"none", types.SourceTypeNoSource, nil}, {"global", types.SourceTypeGithub, aws.String("https://github.com/ada")},
	} {
		c.create(t, project(p.name, "version: 0.2\nphases: {}", func(in *api.CreateProjectInput) { in.Source.Type, in.Source.Location = p.kind, p.location }))
	}
	group := func(f ...types.WebhookFilter) [][]types.WebhookFilter { return [][]types.WebhookFilter{f} }
	for _, d := range []struct {
		in   api.CreateWebhookInput
		want string
	}{
		{api.CreateWebhookInput{ProjectName: aws.String("site")}, "ResourceAlreadyExistsException"},
		{api.CreateWebhookInput{ProjectName: aws.String("nosuch")}, "ResourceNotFoundException"},
		{api.CreateWebhookInput{ProjectName: aws.String("none")}, "not supported for projects with the source type NO_SOURCE"},
		{api.CreateWebhookInput{ProjectName: aws.String("global")}, "does not name a repository"},
		{api.CreateWebhookInput{ProjectName: aws.String("hub"), ScopeConfiguration: &types.ScopeConfiguration{Name: aws.String("o"), Scope: types.WebhookScopeTypeGithubOrganization}}, "no global and organization webhooks"},
		{api.CreateWebhookInput{ProjectName: aws.String("hub"), BuildType: types.WebhookBuildTypeRunnerBuildkiteBuild}, "no Buildkite runners"},
		{api.CreateWebhookInput{ProjectName: aws.String("bucket"), ManualCreation: aws.Bool(true)}, "only available for GitHub"},
		{api.CreateWebhookInput{ProjectName: aws.String("hub"), BranchFilter: aws.String("("), FilterGroups: nil}, "Invalid branch filter"},
		{api.CreateWebhookInput{ProjectName: aws.String("hub"), BranchFilter: aws.String("a"), FilterGroups: group(filter("EVENT", "PUSH"))}, "only one of branchFilter and filterGroups"},
		{api.CreateWebhookInput{ProjectName: aws.String("hub"), FilterGroups: group(filter("HEAD_REF", "a"))}, "at least one filter of type EVENT"},
		{api.CreateWebhookInput{ProjectName: aws.String("hub"), FilterGroups: group(filter("EVENT", "PUSH"), filter("HEAD_REF", "("))}, "Invalid webhook filter pattern ("},
		{api.CreateWebhookInput{ProjectName: aws.String("hub"), FilterGroups: group(filter("EVENT", "WORKFLOW_JOB_QUEUED"))}, "no self-hosted runners"},
		{api.CreateWebhookInput{ProjectName: aws.String("hub"), FilterGroups: group(filter("EVENT", "PUSH"), filter("WORKFLOW_NAME", "a"))}, "WORKFLOW_NAME is not supported"},
		{api.CreateWebhookInput{ProjectName: aws.String("lab"), FilterGroups: group(filter("EVENT", "PULL_REQUEST_REOPENED"))}, "PULL_REQUEST_REOPENED is none of"},
		{api.CreateWebhookInput{ProjectName: aws.String("bucket"), FilterGroups: group(filter("EVENT", "RELEASED"))}, "RELEASED is none of"},
	} {
		if _, err := c.builds.CreateWebhook(t.Context(), &d.in); err == nil || !strings.Contains(err.Error(), d.want) {
			t.Errorf("%s: %v, want %s", *d.in.ProjectName, err, d.want)
		}
	}
	_, err := c.builds.UpdateWebhook(t.Context(), &api.UpdateWebhookInput{ProjectName: aws.String("hub")})
	_, err2 := c.builds.DeleteWebhook(t.Context(), &api.DeleteWebhookInput{ProjectName: aws.String("hub")})
	for _, err := range []error{err, err2} {
		if err == nil || !strings.Contains(err.Error(), "Project does not have a webhook") {
			t.Error(err)
		}
	}
}
