package codebuild_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/google/go-cmp/cmp"
)

// reported runs a build that writes JUnit files and coverage.
const reported = `
version: 0.2
phases:
  build:
    commands:
      - mkdir -p out/deep
      - echo '<testsuite name="s"><testcase classname="a.B" name="one" time="1"/><testcase classname="a.B" name="two" time="0.5"><failure message="no"/></testcase></testsuite>' > out/a.xml
      - echo '<testsuite name="t"><testcase classname="c.D" name="three"><skipped/></testcase></testsuite>' > out/deep/b.xml
      - echo '<coverage><project><file name="x.js"><line type="stmt" count="1"/><line type="stmt" count="0"/></file><file name="y.js"><line type="stmt" count="1"/><line type="cond" truecount="1" falsecount="0"/></file></project></coverage>' > clover.xml
reports:
  unit: {files: ['**/*.xml'], base-directory: out, discard-paths: yes}
  cover: {files: [clover.xml], file-format: CLOVERXML}
  %s: {files: [out/a.xml]}
`

func TestReports(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	ctx, s3 := t.Context(), c.bucket(t, "raw")
	made, err := c.builds.CreateReportGroup(ctx, &api.CreateReportGroupInput{Name: aws.String("shared"), Type: types.ReportTypeTest, ExportConfig: &types.ReportExportConfig{
		ExportConfigType: types.ReportExportConfigTypeS3, S3Destination: &types.S3ReportExportConfig{Bucket: aws.String("raw"), Path: aws.String("p"), Packaging: types.ReportPackagingTypeZip}}})
	if err != nil {
		t.Fatal(err)
	}
	b := c.build(t, "site", fmt.Sprintf(reported, *made.ReportGroup.Arn))
	if b.BuildStatus != types.StatusTypeSucceeded || len(b.ReportArns) != 3 { // a failed test fails its report, not the build
		t.Fatalf("status %s, reports %v\n%s", b.BuildStatus, b.ReportArns, c.log(t, b))
	}
	got, err := c.builds.BatchGetReports(ctx, &api.BatchGetReportsInput{ReportArns: append(b.ReportArns, strings.Replace(b.ReportArns[0], "report/", "report/no", 1))})
	if err != nil || len(got.Reports) != 3 || len(got.ReportsNotFound) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	unit, cover, shared := got.Reports[0], got.Reports[1], got.Reports[2]

	t.Run("report", func(t *testing.T) {
		if unit.Status != types.ReportStatusTypeFailed || *unit.ExecutionId != *b.Arn || *unit.Truncated || unit.Expired.Sub(*unit.Created) != 30*24*time.Hour ||
			!strings.HasSuffix(*unit.ReportGroupArn, ":report-group/site-unit") {
			t.Errorf("%+v", unit)
		}
		want := types.TestReportSummary{Total: aws.Int32(3), DurationInNanoSeconds: aws.Int64(1_500_000_000),
			StatusCounts: map[string]int32{"SUCCEEDED": 1, "FAILED": 1, "SKIPPED": 1, "ERROR": 0, "UNKNOWN": 0}}
		if diff := cmp.Diff(want.StatusCounts, unit.TestSummary.StatusCounts); diff != "" || *unit.TestSummary.Total != 3 || *unit.TestSummary.DurationInNanoSeconds != *want.DurationInNanoSeconds {
			t.Errorf("%s %+v", diff, *unit.TestSummary)
		}
		if s := cover.CodeCoverageSummary; cover.Status != types.ReportStatusTypeSucceeded || *s.LinesCovered != 2 || *s.LineCoveragePercentage != 66.67 || *s.BranchCoveragePercentage != 50 {
			t.Errorf("%+v", s)
		}
	})
	t.Run("cases", func(t *testing.T) {
		for name, c2 := range map[string]struct {
			filter *types.TestCaseFilter
			want   []string
		}{
			"all":     {nil, []string{"a.B.one SUCCEEDED a.xml", "a.B.two FAILED a.xml no", "c.D.three SKIPPED b.xml"}},
			"status":  {&types.TestCaseFilter{Status: aws.String("FAILED")}, []string{"a.B.two FAILED a.xml no"}},
			"keyword": {&types.TestCaseFilter{Keyword: aws.String("c.")}, []string{"c.D.three SKIPPED b.xml"}},
		} {
			pages := api.NewDescribeTestCasesPaginator(c.builds, &api.DescribeTestCasesInput{ReportArn: unit.Arn, Filter: c2.filter, MaxResults: aws.Int32(2)})
			var all []string
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				if err != nil {
					t.Fatal(err)
				}
				for _, tc := range page.TestCases {
					all = append(all, strings.TrimSpace(*tc.Prefix+"."+*tc.Name+" "+*tc.Status+" "+*tc.TestRawDataPath+" "+*tc.Message))
				}
			}
			if diff := cmp.Diff(c2.want, all); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})
	t.Run("coverage", func(t *testing.T) {
		out, err := c.builds.DescribeCodeCoverages(ctx, &api.DescribeCodeCoveragesInput{ReportArn: cover.Arn, SortBy: types.ReportCodeCoverageSortByTypeLineCoveragePercentage, SortOrder: types.SortOrderTypeDescending})
		if err != nil || len(out.CodeCoverages) != 2 || *out.CodeCoverages[0].FilePath != "y.js" || *out.CodeCoverages[1].LineCoveragePercentage != 50 {
			t.Errorf("%+v, %v", out, err)
		}
		out, err = c.builds.DescribeCodeCoverages(ctx, &api.DescribeCodeCoveragesInput{ReportArn: cover.Arn, MaxLineCoveragePercentage: aws.Float64(60)})
		if err != nil || len(out.CodeCoverages) != 1 {
			t.Errorf("%+v, %v", out, err)
		}
	})
	t.Run("export", func(t *testing.T) {
		key := "p/shared/" + (*shared.Arn)[strings.LastIndexByte(*shared.Arn, ':')+1:] + ".zip"
		if files := unzipped(t, getObject(t, s3, "raw", key)); len(files) != 1 || !strings.Contains(files["out/a.xml"], "testsuite") {
			t.Errorf("%v", files)
		}
	})
	t.Run("incomplete", func(t *testing.T) {
		b := c.build(t, "empty", "version: 0.2\nphases: {build: {commands: ['echo \"<coverage/>\" > c.xml']}}\nreports:\n  wrong: {files: [c.xml]}\n  none: {files: [nosuch.xml]}")
		p := phase(t, b, types.BuildPhaseTypeUploadArtifacts)
		if b.BuildStatus != types.StatusTypeFailed || *p.Contexts[0].StatusCode != "CLIENT_ERROR" ||
			!strings.Contains(*p.Contexts[0].Message, "c.xml: expected element type <testsuite> but have <coverage>]]] [none: [report files not found in build]]") {
			t.Errorf("%s %s", b.BuildStatus, *p.Contexts[0].Message)
		}
		list, err := c.builds.ListReports(ctx, &api.ListReportsInput{Filter: &types.ReportFilter{Status: types.ReportStatusTypeIncomplete}})
		if err != nil || len(list.Reports) != 2 || !slices.Contains(list.Reports, b.ReportArns[0]) {
			t.Errorf("%v, %v, want %v", list.Reports, err, b.ReportArns)
		}
	})
	t.Run("trend", func(t *testing.T) {
		next := c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: aws.String("site")}))
		out, err := c.builds.GetReportGroupTrend(ctx, &api.GetReportGroupTrendInput{ReportGroupArn: unit.ReportGroupArn, TrendField: types.ReportGroupTrendFieldTypePassRate})
		if err != nil || *out.Stats.Average != "33.33" || len(out.RawData) != 2 || *out.RawData[0].ReportArn != next.ReportArns[0] || *out.RawData[0].Data != "33.33" {
			t.Errorf("%+v, %v", out, err)
		}
		if _, err = c.builds.GetReportGroupTrend(ctx, &api.GetReportGroupTrendInput{ReportGroupArn: unit.ReportGroupArn, TrendField: types.ReportGroupTrendFieldTypeLinesCovered}); err == nil {
			t.Error("a trend of coverage for tests")
		}
	})
	t.Run("delete", func(t *testing.T) {
		var refused *types.InvalidInputException
		if _, err := c.builds.DeleteReportGroup(ctx, &api.DeleteReportGroupInput{Arn: unit.ReportGroupArn}); !errors.As(err, &refused) {
			t.Errorf("deleting a group that has reports: %v", err)
		}
		if _, err := c.builds.DeleteReport(ctx, &api.DeleteReportInput{Arn: cover.Arn}); err != nil {
			t.Error(err)
		}
		if _, err := c.builds.DescribeTestCases(ctx, &api.DescribeTestCasesInput{ReportArn: cover.Arn}); err == nil {
			t.Error("a deleted report has test cases")
		}
		if _, err := c.builds.DeleteReportGroup(ctx, &api.DeleteReportGroupInput{Arn: unit.ReportGroupArn, DeleteReports: true}); err != nil {
			t.Error(err)
		}
		list, err := c.builds.BatchGetReportGroups(ctx, &api.BatchGetReportGroupsInput{ReportGroupArns: []string{*unit.ReportGroupArn, *made.ReportGroup.Arn}})
		if err != nil || len(list.ReportGroups) != 1 || len(list.ReportGroupsNotFound) != 1 {
			t.Errorf("%+v, %v", list, err)
		}
	})
	t.Run("groups", func(t *testing.T) {
		updated, err := c.builds.UpdateReportGroup(ctx, &api.UpdateReportGroupInput{Arn: made.ReportGroup.Arn, ExportConfig: &types.ReportExportConfig{ExportConfigType: types.ReportExportConfigTypeNoExport}})
		if err != nil || updated.ReportGroup.ExportConfig.S3Destination != nil {
			t.Errorf("%+v, %v", updated, err)
		}
		page, err := c.builds.ListReportGroups(ctx, &api.ListReportGroupsInput{MaxResults: aws.Int32(1), SortOrder: types.SortOrderTypeDescending})
		if err != nil || len(page.ReportGroups) != 1 || !strings.HasSuffix(page.ReportGroups[0], "site-cover") || page.NextToken == nil {
			t.Errorf("%+v, %v", page, err)
		}
	})
}

// A report shows the test cases that failed first when there are too many.
func TestManyTestCases(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	b := c.build(t, "many", `
version: 0.2
phases:
  build:
    commands:
      - (echo '<testsuite>'; i=0; while [ $i -lt 600 ]; do echo "<testcase name='t$i'/>"; i=$((i+1)); done; echo "<testcase name='last'><failure/></testcase></testsuite>") > r.xml
reports: {unit: {files: r.xml}}
`)
	got, err := c.builds.BatchGetReports(t.Context(), &api.BatchGetReportsInput{ReportArns: b.ReportArns})
	if err != nil || !*got.Reports[0].Truncated || *got.Reports[0].TestSummary.Total != 601 {
		t.Fatalf("%+v, %v", got, err)
	}
	cases, err := c.builds.DescribeTestCases(t.Context(), &api.DescribeTestCasesInput{ReportArn: &b.ReportArns[0]})
	if err != nil || *cases.TestCases[0].Name != "last" || len(cases.TestCases) != 100 {
		t.Errorf("%d cases, %v", len(cases.TestCases), err)
	}
	last, err := c.builds.DescribeTestCases(t.Context(), &api.DescribeTestCasesInput{ReportArn: &b.ReportArns[0], NextToken: aws.String("400")})
	if err != nil || last.NextToken != nil {
		t.Errorf("the report has more than 500 test cases, %v", err)
	}
}
