package codebuild

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/codebuild/report"
	"ouro/cloud/door"
	"ouro/cloud/store"
)

// DescribeTestCases gives the test cases of a report.
func (s *Service) DescribeTestCases(ctx context.Context, in *api.DescribeTestCasesInput) (*api.DescribeTestCasesOutput, error) {
	_, id, err := s.reportOf(ctx, in.ReportArn)
	if err != nil {
		return nil, err
	}
	var filter types.TestCaseFilter
	if in.Filter != nil {
		filter = *in.Filter
	}
	status, keyword := report.Status(aws.ToString(filter.Status)), aws.ToString(filter.Keyword)
	if status != "" && !slices.Contains(statuses, status) {
		return nil, invalid("Invalid test case status: %s", status)
	}
	all, err := s.cases.Get(ctx, door.CallerFrom(ctx).Scope(), id)
	if err != nil && !errors.Is(err, store.ErrNotFound) { // a report of coverage, or an incomplete one
		return nil, err
	}
	all = slices.DeleteFunc(all, func(c types.TestCase) bool {
		return status != "" && string(status) != *c.Status || !strings.Contains(*c.Name, keyword) && !strings.Contains(*c.Prefix, keyword)
	})
	page, next, err := part(all, in.NextToken, in.MaxResults)
	return &api.DescribeTestCasesOutput{TestCases: page, NextToken: next}, err
}

// DescribeCodeCoverages gives the source files of a report, by path unless
// asked otherwise.
func (s *Service) DescribeCodeCoverages(ctx context.Context, in *api.DescribeCodeCoveragesInput) (*api.DescribeCodeCoveragesOutput, error) {
	_, id, err := s.reportOf(ctx, in.ReportArn)
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return nil, invalid("%s", *missing.Message) // the one error that this operation has
	} else if err != nil {
		return nil, err
	}
	least, most := 0.0, 100.0
	for from, to := range map[*float64]*float64{in.MinLineCoveragePercentage: &least, in.MaxLineCoveragePercentage: &most} {
		if from == nil {
			continue
		}
		if *to = *from; *to < 0 || *to > 100 {
			return nil, invalid("Invalid line coverage percentage: %v, it must be between 0 and 100", *to)
		}
	}
	all, err := s.coverages.Get(ctx, door.CallerFrom(ctx).Scope(), id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(c types.CodeCoverage) bool {
		p := aws.ToFloat64(c.LineCoveragePercentage)
		return p < least || p > most
	})
	byPath := func(a, b types.CodeCoverage) int { return cmp.Compare(*a.FilePath, *b.FilePath) }
	order := map[types.ReportCodeCoverageSortByType]func(a, b types.CodeCoverage) int{
		"": byPath, types.ReportCodeCoverageSortByTypeFilePath: byPath,
		types.ReportCodeCoverageSortByTypeLineCoveragePercentage: func(a, b types.CodeCoverage) int {
			return cmp.Or(cmp.Compare(aws.ToFloat64(a.LineCoveragePercentage), aws.ToFloat64(b.LineCoveragePercentage)), byPath(a, b))
		},
	}[in.SortBy]
	if order == nil {
		return nil, invalid("Invalid sort by: %s", in.SortBy)
	}
	slices.SortStableFunc(all, order)
	if in.SortOrder == types.SortOrderTypeDescending {
		slices.Reverse(all)
	}
	page, next, err := part(all, in.NextToken, in.MaxResults)
	return &api.DescribeCodeCoveragesOutput{CodeCoverages: page, NextToken: next}, err
}

// trends read the values that a group's trend is made of.
var trends = map[types.ReportGroupTrendFieldType]struct {
	of   types.ReportType
	read func(*types.Report) float64
}{
	types.ReportGroupTrendFieldTypePassRate: {types.ReportTypeTest, func(r *types.Report) float64 {
		return percentage(int(r.TestSummary.StatusCounts[string(report.Succeeded)]), int(*r.TestSummary.Total))
	}},
	types.ReportGroupTrendFieldTypeDuration: {types.ReportTypeTest, func(r *types.Report) float64 { return float64(*r.TestSummary.DurationInNanoSeconds) }},
	types.ReportGroupTrendFieldTypeTotal:    {types.ReportTypeTest, func(r *types.Report) float64 { return float64(*r.TestSummary.Total) }},
	types.ReportGroupTrendFieldTypeLineCoverage: {types.ReportTypeCodeCoverage, func(r *types.Report) float64 {
		return aws.ToFloat64(r.CodeCoverageSummary.LineCoveragePercentage)
	}},
	types.ReportGroupTrendFieldTypeLinesCovered: {types.ReportTypeCodeCoverage, func(r *types.Report) float64 { return float64(*r.CodeCoverageSummary.LinesCovered) }},
	types.ReportGroupTrendFieldTypeLinesMissed:  {types.ReportTypeCodeCoverage, func(r *types.Report) float64 { return float64(*r.CodeCoverageSummary.LinesMissed) }},
	types.ReportGroupTrendFieldTypeBranchCoverage: {types.ReportTypeCodeCoverage, func(r *types.Report) float64 {
		return aws.ToFloat64(r.CodeCoverageSummary.BranchCoveragePercentage)
	}},
	types.ReportGroupTrendFieldTypeBranchesCovered: {types.ReportTypeCodeCoverage, func(r *types.Report) float64 { return float64(*r.CodeCoverageSummary.BranchesCovered) }},
	types.ReportGroupTrendFieldTypeBranchesMissed:  {types.ReportTypeCodeCoverage, func(r *types.Report) float64 { return float64(*r.CodeCoverageSummary.BranchesMissed) }},
}

// GetReportGroupTrend gives a value of the newest reports of a group, newest
// first, with their average and bounds. Reports that were not completed do not
// count.
func (s *Service) GetReportGroupTrend(ctx context.Context, in *api.GetReportGroupTrendInput) (*api.GetReportGroupTrendOutput, error) {
	g, err := s.group(ctx, in.ReportGroupArn)
	if err != nil {
		return nil, err
	}
	field, ok := trends[in.TrendField]
	if !ok || field.of != g.Type {
		return nil, invalid("Invalid trend field for a report group of the type %s: %s", g.Type, in.TrendField)
	}
	all, err := s.newest(ctx, *g.Name+":")
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(r types.Report) bool {
		return r.Status != types.ReportStatusTypeSucceeded && r.Status != types.ReportStatusTypeFailed
	})
	if all, _, err = part(all, nil, in.NumOfReports); err != nil {
		return nil, err
	}
	out := &api.GetReportGroupTrendOutput{RawData: []types.ReportWithRawData{}, Stats: &types.ReportGroupTrendStats{}}
	values, sum := make([]float64, len(all)), 0.0
	for i := range all {
		values[i] = field.read(&all[i])
		sum += values[i]
		out.RawData = append(out.RawData, types.ReportWithRawData{ReportArn: all[i].Arn, Data: number(values[i])})
	}
	if len(values) > 0 {
		out.Stats = &types.ReportGroupTrendStats{Average: number(sum / float64(len(values))), Min: number(slices.Min(values)), Max: number(slices.Max(values))}
	}
	return out, nil
}

func number(v float64) *string { return aws.String(strconv.FormatFloat(v, 'f', -1, 64)) }
