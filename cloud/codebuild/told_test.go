package codebuild_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	ccapi "github.com/aws/aws-sdk-go-v2/service/codecommit"
	cc "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"
)

// listen has a rule write CodeBuild's events to a log group.
func listen(t *testing.T, c *testCloud) {
	t.Helper()
	ctx, rules := t.Context(), eventbridge.NewFromConfig(c.As(owner))
	_, err := cloudwatchlogs.NewFromConfig(c.As(owner)).CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("told")})
	if err == nil {
		_, err = rules.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("told"), EventPattern: aws.String(`{"source": ["aws.codebuild"]}`)})
	}
	if err == nil {
		_, err = rules.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String("told"), Targets: []ebtypes.Target{{Id: aws.String("log"), Arn: aws.String("arn:aws:logs:us-east-1:000000000000:log-group:told")}}})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// told are the states and the phases with their statuses that a build's events
// tell, in alphabetical order; rules do not keep the order of events.
func told(t *testing.T, c *testCloud, b *types.Build) (all []string) {
	t.Helper()
	out, err := cloudwatchlogs.NewFromConfig(c.As(owner)).FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("told")})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range out.Events {
		var e struct {
			Kind      string `json:"detail-type"`
			Resources []string
			Detail    struct {
				Build   string `json:"build-id"`
				Project string `json:"project-name"`
				State   string `json:"build-status"`
				Phase   string `json:"completed-phase"`
				Status  string `json:"completed-phase-status"`
				Context string `json:"completed-phase-context"`
			}
		}
		if err := json.Unmarshal([]byte(*line.Message), &e); err != nil {
			t.Fatal(err)
		}
		if e.Detail.Build != *b.Arn || e.Detail.Project != *b.ProjectName || !slices.Equal(e.Resources, []string{*b.Arn}) {
			t.Errorf("an event of something else: %s", *line.Message)
		}
		switch e.Kind {
		case "CodeBuild Build State Change":
			all = append(all, e.Detail.State)
		case "CodeBuild Build Phase Change":
			all = append(all, strings.TrimSpace(e.Detail.Phase+"="+e.Detail.Status+" "+strings.Trim(e.Detail.Context, "[]: ")))
		}
	}
	slices.Sort(all)
	return all
}

// While a build runs its log can be read; EventBridge is told of each of its
// states and phases; its secondary source is of the version asked for.
func TestBuildIsTold(t *testing.T) {
	t.Parallel()
	c, dir := newCloud(t, t.TempDir()), t.TempDir()
	listen(t, c)
	repos := ccapi.NewFromConfig(c.As(owner))
	made, err := repos.CreateRepository(t.Context(), &ccapi.CreateRepositoryInput{RepositoryName: aws.String("lib")})
	if err != nil {
		t.Fatal(err)
	}
	var first, tip *string
	for _, text := range []string{"old", "new"} {
		out, err := repos.CreateCommit(t.Context(), &ccapi.CreateCommitInput{RepositoryName: aws.String("lib"), BranchName: aws.String("main"), ParentCommitId: tip,
			PutFiles: []cc.PutFileEntry{{FilePath: aws.String("lib.txt"), FileContent: []byte(text + " lib\n")}}})
		if err != nil {
			t.Fatal(err)
		}
		if tip = out.CommitId; first == nil {
			first = tip
		}
	}
	c.create(t, project("told", "version: 0.2\nphases:\n  build: {commands: ['cat $CODEBUILD_SRC_DIR_Lib/lib.txt; echo at $CODEBUILD_RESOLVED_SOURCE_VERSION_Lib', 'until [ -e "+dir+"/go ]; do sleep 0.01; done', exit 1]}", func(in *api.CreateProjectInput) {
		in.SecondarySources = []types.ProjectSource{{Type: types.SourceTypeCodecommit, Location: made.RepositoryMetadata.CloneUrlHttp, SourceIdentifier: aws.String("Lib")}}
		in.SecondarySourceVersions = []types.ProjectSourceVersion{{SourceIdentifier: aws.String("Lib"), SourceVersion: first}}
	}))
	b := c.start(t, &api.StartBuildInput{ProjectName: aws.String("told")})
	until(t, "the build's phase BUILD", func() bool { return *c.get(t, *b.Id).CurrentPhase == "BUILD" })
	until(t, "the log of the build that runs", func() bool { return strings.Contains(c.log(t, b), "\nold lib\nat "+*first+"\n") })
	if now := c.get(t, *b.Id); now.BuildComplete {
		t.Errorf("the log came after the build's end: %s", phases(now))
	}
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b = c.wait(t, b)
	want := []string{
		"BUILD=FAILED COMMAND_EXECUTION_ERROR: Error while executing command: exit 1. Reason: exit status 1", "DOWNLOAD_SOURCE=SUCCEEDED", "FAILED", "FINALIZING=SUCCEEDED",
		"INSTALL=SUCCEEDED", "IN_PROGRESS", "POST_BUILD=SUCCEEDED", "PRE_BUILD=SUCCEEDED", "PROVISIONING=SUCCEEDED", "QUEUED=SUCCEEDED", "SUBMITTED=SUCCEEDED", "UPLOAD_ARTIFACTS=SUCCEEDED",
	}
	var got []string
	until(t, "the events", func() bool { got = told(t, c, b); return len(got) >= len(want) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
