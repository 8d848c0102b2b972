package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ouro/publish"
)

func TestGeneratedTreesArePublishable(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 50, 120} {
		one, two := t.TempDir(), t.TempDir()
		for _, dir := range []string{one, two} {
			if err := writeTemplates(dir, n); err != nil {
				t.Fatal(err)
			}
		}
		files, size := 0, int64(0)
		err := filepath.WalkDir(one, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			name, _ := filepath.Rel(one, path)
			a, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			b, err := os.ReadFile(filepath.Join(two, name))
			if !bytes.Equal(a, b) {
				t.Errorf("%s differs between two runs", name)
			}
			files, size = files+1, size+int64(len(a))
			return err
		})
		if err != nil || files != n+1 {
			t.Errorf("%d files for %d templates: %v", files, n, err)
		}
		if n == 120 && (size/int64(files) < 1500 || size/int64(files) > 3000) {
			t.Errorf("%d bytes a template", size/int64(files))
		}
		if _, err := publish.Load(t.Context(), one, "site.yaml", publish.Options{}); err != nil {
			t.Errorf("%d templates: %v", n, err)
		}
	}
}

func TestArtifactIsPublishable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := writeArtifact(dir, 3<<20); err != nil {
		t.Fatal(err)
	}
	tree, err := publish.Load(t.Context(), dir, "site.yaml", publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := tree.Plan(publish.Location{Region: "eu-west-1", Bucket: "bucket"})
	if err != nil || len(plan.Objects) != 1 || plan.Objects[0].Size < 3<<20 {
		t.Errorf("%d objects: %v", len(plan.Objects), err)
	}
}

func TestPeakIsThatOfTheProcess(t *testing.T) {
	t.Parallel()
	if n := statusSize([]byte("Name:\tx\nVmPeak:\t  900 kB\nVmHWM:\t    1536 kB\n"), "VmHWM:"); n != 3<<19 {
		t.Errorf("read %d", n)
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("this system has no /proc")
	}
	n, err := process{args: []string{"sleep", "0.1"}}.peak(t.Context())
	if err != nil || n < 1<<16 || n > 16<<20 {
		t.Errorf("%d bytes: %v", n, err)
	}
}

func TestStackTemplatesFit(t *testing.T) {
	t.Parallel()
	const limit = 51200 // bytes of a template in a request
	for _, body := range []string{flat("second", maxResources, "2"), rootBody("http://127.0.0.1:65535/templates/leaf.json", 200), linkBody("url")} {
		if len(body) > limit || !json.Valid([]byte(body)) {
			t.Errorf("%d bytes: %.200s", len(body), body)
		}
	}
}

func TestTablesAreAligned(t *testing.T) {
	t.Parallel()
	table := &table{left: 1, head: []string{"what", "time", "times"}}
	table.add("a", seconds(median([]time.Duration{3e9, 1e9, 2e9, 4e9})), times(2e9, 1e8))
	table.add("longer", seconds(12345678), times(3e9, 2e9))
	var b bytes.Buffer
	table.print(&b)
	want := "what       time  times\na        2.00 s   20 ×\nlonger  0.012 s  1.5 ×\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}
