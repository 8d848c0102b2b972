package codebuild_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
)

// The badge of a project tells how the newest build of a branch went.
func TestBadge(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	made := c.create(t, project("shield", "version: 0.2\nphases:\n  build: {commands: ['exit $CODE']}", func(in *api.CreateProjectInput) { in.BadgeEnabled = aws.Bool(true) }))
	badge := func() string {
		t.Helper()
		res, err := http.Get(*made.Badge.BadgeRequestUrl)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.Status + " " + string(body)
	}
	for _, d := range []struct{ code, want string }{{"", ">unknown<"}, {"0", ">passing<"}, {"1", ">failing<"}} {
		if d.code != "" {
			c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: made.Name, EnvironmentVariablesOverride: []types.EnvironmentVariable{{Name: aws.String("CODE"), Value: &d.code}}}))
		}
		if got := badge(); !strings.HasPrefix(got, "200 OK <svg") || !strings.Contains(got, d.want) {
			t.Errorf("after %q: %s, want %s", d.code, got, d.want)
		}
	}
	if _, err := c.builds.UpdateProject(t.Context(), &api.UpdateProjectInput{Name: made.Name, BadgeEnabled: aws.Bool(false)}); err != nil {
		t.Fatal(err)
	}
	if got := badge(); !strings.HasPrefix(got, "404") {
		t.Errorf("without a badge: %s", got)
	}
}

// Policies are kept, and tell the other account what is shared with it.
func TestPolicies(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	other := api.NewFromConfig(c.As(door.Caller{Account: "111111111111", Region: "us-east-1", ARN: "arn:aws:iam::111111111111:user/eve"}))
	arn := *c.create(t, project("shared", "version: 0.2\nphases: {}", nil)).Arn
	policy := `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"codebuild:BatchGetProjects","Resource":"` + arn + `"}]}`
	put := func(arn, policy string) error {
		_, err := c.builds.PutResourcePolicy(t.Context(), &api.PutResourcePolicyInput{ResourceArn: &arn, Policy: &policy})
		return err
	}
	for _, d := range []struct{ arn, policy, want string }{
		{arn, "[]", "Invalid policy"}, {arn, `{"Statement":[{"Effect":"Allow"}]}`, "every statement must have"},
		{arn + "s", policy, "ResourceNotFoundException"}, {"arn:aws:s3:::b", policy, "Invalid resource ARN"},
	} {
		if err := put(d.arn, d.policy); err == nil || !strings.Contains(err.Error(), d.want) {
			t.Errorf("%s: %v, want %s", d.policy, err, d.want)
		}
	}
	if err := put(arn, policy); err != nil {
		t.Fatal(err)
	}
	got, err := c.builds.GetResourcePolicy(t.Context(), &api.GetResourcePolicyInput{ResourceArn: &arn})
	if err != nil || *got.Policy != policy {
		t.Errorf("policy %+v, %v", got, err)
	}
	list := func(client *api.Client) []string {
		t.Helper()
		out, err := client.ListSharedProjects(t.Context(), &api.ListSharedProjectsInput{SortBy: types.SharedResourceSortByTypeModifiedTime})
		if err != nil {
			t.Fatal(err)
		}
		return out.Projects
	}
	if own, theirs := list(c.builds), list(other); len(own) != 0 || !slices.Equal(theirs, []string{arn}) {
		t.Errorf("shared with the owner: %v, with the other: %v", own, theirs)
	}
	if _, err := c.builds.DeleteProject(t.Context(), &api.DeleteProjectInput{Name: aws.String("shared")}); err != nil {
		t.Fatal(err)
	}
	if theirs := list(other); len(theirs) != 0 {
		t.Errorf("after the project's end: %v", theirs)
	}
}

// A project with a limit refuses the build that is too many.
func TestConcurrentBuildLimit(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	c.create(t, project("one", "version: 0.2\nphases:\n  build: {commands: ['sleep 600']}", func(in *api.CreateProjectInput) { in.ConcurrentBuildLimit = aws.Int32(1) }))
	in := &api.StartBuildInput{ProjectName: aws.String("one"), IdempotencyToken: aws.String("first")}
	first := c.start(t, in)
	if again := c.start(t, in); *again.Id != *first.Id {
		t.Errorf("the request repeated started %s beside %s", *again.Id, *first.Id)
	}
	_, err := c.builds.StartBuild(t.Context(), &api.StartBuildInput{ProjectName: aws.String("one")})
	if err == nil || !strings.Contains(err.Error(), "AccountLimitExceededException: Cannot have more than 1 active builds for the project") {
		t.Error(err)
	}
	if _, err := c.builds.StopBuild(t.Context(), &api.StopBuildInput{Id: first.Id}); err != nil {
		t.Fatal(err)
	}
	c.wait(t, first)
	second := c.start(t, &api.StartBuildInput{ProjectName: aws.String("one")})
	if _, err := c.builds.StopBuild(t.Context(), &api.StopBuildInput{Id: second.Id}); err != nil {
		t.Fatal(err)
	}
	c.wait(t, second)
}

// The AWS CLI makes, changes, shows and deletes webhooks, credentials and
// policies.
func TestSettingsByCLI(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	run := c.byCLI(t)
	c.create(t, project("site", "version: 0.2\nphases: {}", func(in *api.CreateProjectInput) {
		in.Source.Type, in.Source.Location = types.SourceTypeGithub, aws.String(siteURL)
	}))
	for _, d := range []struct{ want, args string }{
		{"arn:aws:codebuild:us-east-1:000000000000:token/github", "import-source-credentials --server-type GITHUB --auth-type PERSONAL_ACCESS_TOKEN --token abc"},
		{"GITHUB\tPERSONAL_ACCESS_TOKEN", "list-source-credentials --query sourceCredentialsInfos[].[serverType,authType]"},
		{"BUILD\tACTIVE", `create-webhook --project-name site --filter-groups [[{"type":"EVENT","pattern":"PUSH"}]] --query webhook.[buildType,status]`},
		{"^main$", "update-webhook --project-name site --rotate-secret --branch-filter ^main$ --query webhook.branchFilter"},
		{"^main$", "batch-get-projects --names site --query projects[0].webhook.branchFilter"},
		{"", "delete-webhook --project-name site"},
		{"None", "batch-get-projects --names site --query projects[0].webhook"},
		{"arn:aws:codebuild:us-east-1:000000000000:token/github", "delete-source-credentials --arn arn:aws:codebuild:us-east-1:000000000000:token/github"},
	} {
		if got := run(strings.Split(d.args, " ")...); got != d.want {
			t.Errorf("%s: %q, want %q", d.args, got, d.want)
		}
	}
}
