// Package validate checks templates and template configurations offline: the
// structure (package template), every resource against what its type takes
// (package spec), what files say of each other (nested stacks, configurations),
// and a few things that CloudFormation takes and nobody wants, such as secrets
// in the open. It reads files and nothing else: no AWS, no network.
//
// An error is what AWS refuses; a warning is worth a look. In doubt there is
// no finding: a value that only a deployment can know is taken as fitting.
// docs/validate.md lists the rules.
package validate

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"ouro/template"
)

// Finding is one thing that is wrong.
type Finding struct {
	Pos      template.Pos
	Severity template.Severity
	ID       string // of the rule
	Message  string
}

// Report is the outcome of Files.
type Report struct {
	Findings       []Finding // sorted by place
	Templates      int       // files that were checked
	Configurations int
}

// Count is the number of findings of each severity.
func (r *Report) Count() (errors, warnings int) {
	for _, f := range r.Findings {
		if f.Severity == template.SeverityError {
			errors++
		}
	}
	return errors, len(r.Findings) - errors
}

// Files checks every template and template configuration at or below paths,
// on all processors. The error is a path that is not there.
func Files(ctx context.Context, paths []string) (*Report, error) {
	files, err := discover(paths)
	if err != nil {
		return nil, err
	}
	if err := inParallel(ctx, len(files), func() func(i int) {
		reader := &template.Reader{}
		return func(i int) { files[i].check(ctx, reader) }
	}); err != nil {
		return nil, err
	}
	newProject(files).check(files)
	report := &Report{}
	for _, f := range files {
		switch f.kind {
		case isTemplate:
			report.Templates++
		case isConfiguration:
			report.Configurations++
		}
		report.Findings = append(report.Findings, f.findings...)
	}
	slices.SortFunc(report.Findings, byPlace)
	report.Findings = slices.Compact(report.Findings)
	return report, nil
}

func byPlace(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column),
		cmp.Compare(a.Severity, b.Severity), strings.Compare(a.ID, b.ID), strings.Compare(a.Message, b.Message),
	)
}

// inParallel calls work for 0 to n-1; each of its goroutines gets a function
// of its own from worker.
func inParallel(ctx context.Context, n int, worker func() func(i int)) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() {
			work := worker()
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				work(i)
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}
