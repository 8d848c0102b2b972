package codebuild_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/store"
)

// The AWS CLI finds its way from a build to a test case.
func TestReportsByCLI(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	run := c.byCLI(t)
	group := run("create-report-group", "--name", "unit", "--type", "TEST", "--export-config", "exportConfigType=NO_EXPORT", "--query", "reportGroup.arn")
	b := c.build(t, "site", "version: 0.2\nphases:\n  build:\n    commands: ['echo \"<testsuite><testcase name=\\\"one\\\"/></testsuite>\" > r.xml']\nreports:\n  "+group+": {files: r.xml}")
	arn := run("batch-get-builds", "--ids", *b.Id, "--query", "builds[0].reportArns[0]")
	if got := run("list-reports-for-report-group", "--report-group-arn", group, "--query", "reports[0]"); got != arn {
		t.Errorf("report %s of the group, %s of the build", got, arn)
	}
	if got := run("describe-test-cases", "--report-arn", arn, "--filter", "status=SUCCEEDED", "--query", "testCases[].[name,status]"); got != "one\tSUCCEEDED" {
		t.Errorf("test cases %q", got)
	}
	if got := run("get-report-group-trend", "--report-group-arn", group, "--trend-field", "PASS_RATE", "--query", "stats.average"); got != "100" {
		t.Errorf("trend %q", got)
	}
	run("delete-report-group", "--arn", group, "--delete-reports")
}

// A report that nobody finished is incomplete after a crash; one that has
// expired is gone.
func TestReportsAfterCrash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	table, now := store.NewTable[types.Report](st, "codebuild", "report"), time.Now()
	arn := owner.ResourceARN("codebuild", "report/group:")
	for id, expires := range map[string]time.Time{"cut": now.Add(time.Hour), "old": now.Add(-time.Hour)} {
		r := types.Report{Arn: aws.String(arn + id), Status: types.ReportStatusTypeGenerating, Created: &now, Expired: &expires}
		if err := table.Put(t.Context(), owner.Scope(), "group:"+id, r); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	c := newCloud(t, dir)
	out, err := c.builds.BatchGetReports(t.Context(), &api.BatchGetReportsInput{ReportArns: []string{arn + "cut", arn + "old"}})
	if err != nil || len(out.Reports) != 1 || out.Reports[0].Status != types.ReportStatusTypeIncomplete || !slices.Equal(out.ReportsNotFound, []string{arn + "old"}) {
		body, _ := json.Marshal(out)
		t.Errorf("%s, %v", body, err)
	}
}

// Secrets do not get into reports.
func TestReportsHideSecrets(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	b := c.build(t, "leak", "version: 0.2\nphases:\n  build:\n    commands: ['echo \"<testsuite><testcase name=\\\"a\\\"><failure>got $AWS_SECRET_ACCESS_KEY.</failure></testcase></testsuite>\" > r.xml']\nreports:\n  unit: {files: r.xml}")
	out, err := c.builds.DescribeTestCases(t.Context(), &api.DescribeTestCasesInput{ReportArn: &b.ReportArns[0]})
	if err != nil || *out.TestCases[0].Message != "got ***." {
		t.Errorf("%+v, %v", out, err)
	}
}
