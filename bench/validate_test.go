package main

import (
	"context"
	"testing"

	"ouro/validate"
)

// TestCorpusIsClean: what validators are timed on has one finding, the planted
// one, and every file that is counted is a template.
func TestCorpusIsClean(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files, err := writeCorpus(t.Context(), dir, 60)
	if err != nil {
		t.Fatal(err)
	}
	report, err := validate.Files(context.Background(), []string{dir})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Findings) != 1 || report.Findings[0].ID != "unused-parameter" || report.Templates != len(files) {
		t.Errorf("%d files, %s: %v", len(files), report.Summary(), report.Findings)
	}
}
