package pipeline_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"ouro/pipeline"
)

// TestSnapshot: the same files make the same zip, wherever and whenever.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	var sums []string
	for range 2 {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "a"), []byte("1"), 0o644); err != nil {
			t.Fatal(err)
		}
		var zip bytes.Buffer
		sum, err := pipeline.Snapshot(t.Context(), dir, filepath.Join(t.TempDir(), "state"), &zip)
		if err != nil || zip.Len() == 0 {
			t.Fatalf("%d bytes: %v", zip.Len(), err)
		}
		sums = append(sums, sum)
	}
	if sums[0] != sums[1] {
		t.Errorf("they are %v", sums)
	}
}
