package codebuild

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/buildspec"
	"ouro/cloud/codebuild/report"
	"ouro/cloud/store"
)

// Bounds of one report.
const (
	maxCases     = 500 // AWS's; those that failed come first
	maxCoverages = 20_000
)

var statuses = []report.Status{report.Succeeded, report.Failed, report.Errored, report.Skipped, report.Unknown}

// report makes the reports that the buildspec asks for. One that cannot be
// made does not keep the others from it.
func (r *run) report(ctx context.Context) error {
	var wrong []string
	for i := range r.spec.Reports {
		what := &r.spec.Reports[i]
		if err := r.reportOne(ctx, what); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			wrong = append(wrong, fmt.Sprintf("[%s: [%v]]", what.Group, err))
		}
	}
	if len(wrong) > 0 {
		return failf("CLIENT_ERROR", "%s", strings.Join(wrong, " "))
	}
	return nil
}

func (r *run) reportOne(ctx context.Context, what *buildspec.Report) error {
	format := what.FileFormat
	if format == "" {
		format = "JUNITXML"
	}
	kind := types.ReportTypeTest
	if report.IsCoverage(format) {
		kind = types.ReportTypeCodeCoverage
	}
	g, err := r.reportGroup(ctx, what.Group, kind)
	if err != nil {
		return err
	}
	uuid := r.s.host.NewID()
	id, now := *g.Name+":"+uuid, r.s.now()
	rep := types.Report{
		Arn: aws.String(r.rec.Caller.ResourceARN("codebuild", reportResource+id)), Name: g.Name, Type: kind, ReportGroupArn: g.Arn, ExecutionId: r.rec.Build.Arn,
		Status: types.ReportStatusTypeGenerating, Created: &now, Expired: aws.Time(now.Add(reportLife)), ExportConfig: g.ExportConfig, Truncated: aws.Bool(false),
	}
	if err := r.s.reports.Put(ctx, r.rec.Caller.Scope(), id, rep); err != nil {
		return err
	}
	r.change(func(b *types.Build) { b.ReportArns = append(slices.Clone(b.ReportArns), *rep.Arn) })
	c := collected{rep: &rep}
	files, err := r.reportFiles(ctx, what)
	if err == nil {
		r.log.say("Preparing to copy %s report %s", kind, *g.Name)
		if err = c.read(ctx, format, files, r.log.mask); err == nil {
			err = r.export(ctx, &g, uuid, files)
		}
	}
	c.finish(err)
	return errors.Join(err, r.s.keepReport(context.WithoutCancel(ctx), r.rec.Caller.Scope(), id, c))
}

// keepReport keeps a report that is done.
func (s *Service) keepReport(ctx context.Context, scope store.Scope, id string, c collected) error {
	return s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		if c.cases != nil {
			if err := s.cases.Put(ctx, scope, id, c.cases); err != nil {
				return err
			}
		}
		if c.coverages != nil {
			if err := s.coverages.Put(ctx, scope, id, c.coverages); err != nil {
				return err
			}
		}
		return s.reports.Put(ctx, scope, id, *c.rep)
	})
}

// reportGroup is the group that a report belongs to: one that an ARN names, or
// the project's own of that name, which is made when it is missing.
func (r *run) reportGroup(ctx context.Context, name string, kind types.ReportType) (types.ReportGroup, error) {
	caller := r.rec.Caller
	var g types.ReportGroup
	var err error
	if strings.HasPrefix(name, "arn:") {
		if name, err = groupName(caller, name); err != nil {
			return g, errors.New("the report group must be one of the build's account and region")
		}
		if g, err = r.s.groups.Get(ctx, caller.Scope(), name); errors.Is(err, store.ErrNotFound) {
			return g, errors.New("report group does not exist")
		}
	} else if g, err = r.s.newGroup(caller, *r.rec.Build.ProjectName+"-"+name, kind); err == nil {
		if err = r.s.groups.Insert(ctx, caller.Scope(), *g.Name, g); errors.Is(err, store.ErrExists) {
			g, err = r.s.groups.Get(ctx, caller.Scope(), *g.Name)
		}
	}
	if err == nil && g.Type != kind {
		err = fmt.Errorf("report group %s is of the type %s, the report is of the type %s", *g.Name, g.Type, kind)
	}
	return g, err
}

func (r *run) reportFiles(ctx context.Context, what *buildspec.Report) ([]file, error) {
	files, err := r.namedFiles(ctx, &buildspec.Artifacts{Files: what.Files, BaseDirectory: what.BaseDirectory, DiscardPaths: what.DiscardPaths})
	var f *failure
	if errors.As(err, &f) {
		return nil, errors.New(f.message)
	}
	if err == nil && len(files) == 0 {
		return nil, errors.New("report files not found in build")
	}
	return files, err
}

// collected is what a report consists of.
type collected struct {
	rep       *types.Report
	counts    map[report.Status]int
	duration  int64
	sum       report.File // of all source files
	cases     []types.TestCase
	coverages []types.CodeCoverage
}

// read reads the report's files; mask hides secrets in their texts.
func (c *collected) read(ctx context.Context, format string, files []file, mask func(string) string) error {
	c.counts = map[report.Status]int{}
	for _, f := range files {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		in, err := os.Open(f.path)
		if err != nil {
			return err
		}
		result, err := report.Parse(format, in)
		in.Close()
		if err != nil {
			return fmt.Errorf("error processing report: [%s: %w]", f.path, err)
		}
		for i, t := range result.Cases {
			if c.add(t, f.name, mask); i%maxCases == 0 { // a file may have millions
				c.cut()
			}
		}
		for _, s := range result.Files {
			c.cover(s)
		}
		c.cut()
	}
	return nil
}

func (c *collected) add(t report.Case, from string, mask func(string) string) {
	c.counts[t.Status]++
	c.duration += int64(t.Duration)
	c.cases = append(c.cases, types.TestCase{
		ReportArn: c.rep.Arn, TestRawDataPath: &from, TestSuiteName: aws.String(mask(t.Suite)), Prefix: aws.String(mask(t.Prefix)), Name: aws.String(mask(t.Name)),
		Status: aws.String(string(t.Status)), DurationInNanoSeconds: aws.Int64(int64(t.Duration)), Message: aws.String(mask(t.Message)), Expired: c.rep.Expired,
	})
}

func (c *collected) cover(f report.File) {
	c.sum.LinesCovered += f.LinesCovered
	c.sum.LinesMissed += f.LinesMissed
	c.sum.BranchesCovered += f.BranchesCovered
	c.sum.BranchesMissed += f.BranchesMissed
	if len(c.coverages) == maxCoverages {
		c.rep.Truncated = aws.Bool(true)
		return
	}
	s := summary(f)
	c.coverages = append(c.coverages, types.CodeCoverage{
		Id: aws.String(fmt.Sprintf("%s-%d", (*c.rep.Arn)[strings.LastIndexByte(*c.rep.Arn, ':')+1:], len(c.coverages)+1)), ReportARN: c.rep.Arn, FilePath: aws.String(f.Path), Expired: c.rep.Expired,
		LinesCovered: s.LinesCovered, LinesMissed: s.LinesMissed, LineCoveragePercentage: s.LineCoveragePercentage,
		BranchesCovered: s.BranchesCovered, BranchesMissed: s.BranchesMissed, BranchCoveragePercentage: s.BranchCoveragePercentage,
	})
}

// cut leaves the most important test cases.
func (c *collected) cut() {
	if len(c.cases) <= maxCases {
		return
	}
	c.rep.Truncated = aws.Bool(true)
	weight := map[string]int{string(report.Failed): 0, string(report.Errored): 1}
	of := func(t types.TestCase) int {
		if w, ok := weight[*t.Status]; ok {
			return w
		}
		return len(weight)
	}
	slices.SortStableFunc(c.cases, func(a, b types.TestCase) int { return of(a) - of(b) })
	c.cases = slices.Clip(c.cases[:maxCases])
}

// finish sums the report up.
func (c *collected) finish(err error) {
	switch {
	case err != nil:
		c.rep.Status = types.ReportStatusTypeIncomplete
	case c.counts[report.Failed]+c.counts[report.Errored] > 0:
		c.rep.Status = types.ReportStatusTypeFailed
	default:
		c.rep.Status = types.ReportStatusTypeSucceeded
	}
	if c.rep.Type == types.ReportTypeCodeCoverage {
		c.rep.CodeCoverageSummary = summary(c.sum)
		return
	}
	counts, total := map[string]int32{}, 0
	for _, s := range statuses {
		counts[string(s)] = int32(min(c.counts[s], math.MaxInt32))
		total += c.counts[s]
	}
	c.rep.TestSummary = &types.TestReportSummary{Total: aws.Int32(int32(min(total, math.MaxInt32))), StatusCounts: counts, DurationInNanoSeconds: &c.duration}
}

func summary(f report.File) *types.CodeCoverageReportSummary {
	small := func(n int) *int32 { return aws.Int32(int32(min(n, math.MaxInt32))) }
	return &types.CodeCoverageReportSummary{
		LinesCovered: small(f.LinesCovered), LinesMissed: small(f.LinesMissed), LineCoveragePercentage: aws.Float64(percentage(f.LinesCovered, f.LinesCovered+f.LinesMissed)),
		BranchesCovered: small(f.BranchesCovered), BranchesMissed: small(f.BranchesMissed), BranchCoveragePercentage: aws.Float64(percentage(f.BranchesCovered, f.BranchesCovered+f.BranchesMissed)),
	}
}

// percentage has two digits behind the point.
func percentage(part, all int) float64 {
	if all == 0 {
		return 0
	}
	return math.Round(10_000*float64(part)/float64(all)) / 100
}

// export puts the raw data where the group wants them, below the group's name
// and the report's id.
func (r *run) export(ctx context.Context, g *types.ReportGroup, uuid string, files []file) error {
	to := g.ExportConfig.S3Destination
	if to == nil {
		return nil
	}
	place := destination{bucket: *to.Bucket, key: path.Join(strings.Trim(aws.ToString(to.Path), "/"), *g.Name, uuid)}
	if !aws.ToBool(to.EncryptionDisabled) {
		place.kms = kmsKey(r.rec.Caller, to.EncryptionKey)
	}
	if to.Packaging == types.ReportPackagingTypeNone {
		return r.uploadFiles(ctx, place, files)
	}
	place.key += ".zip"
	packed, err := os.CreateTemp(r.work.state, "report-")
	if err != nil {
		return fmt.Errorf("packing the raw data of a report: %w", err)
	}
	defer packed.Close()
	if err := writeZip(ctx, packed, files); err != nil {
		return err
	}
	return r.put(ctx, place, "application/zip", packed)
}
