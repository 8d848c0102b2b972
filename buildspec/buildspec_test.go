package buildspec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ouro/buildspec"
)

// Each file of testdata/errors is a buildspec and, below a line, what is
// wrong with it.
func TestErrors(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/errors/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			spec, want, ok := strings.Cut(string(body), "-- error --\n")
			if !ok {
				t.Fatal("the case has no line -- error --")
			}
			if _, err = buildspec.Parse("buildspec.yml", []byte(spec)); err == nil {
				t.Fatalf("read without an error, want %s", want)
			}
			if diff := cmp.Diff(strings.TrimSpace(want), err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFull(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile("testdata/full.yml")
	if err != nil {
		t.Fatal(err)
	}
	spec, err := buildspec.Parse("full.yml", body)
	if err != nil {
		t.Fatal(err)
	}
	if p := spec.Phase("install").OnFailure.Pattern; p == nil || p.String() != "timeout.*" {
		t.Errorf("pattern of RETRY: %v", p)
	}
	spec.Phase("install").OnFailure.Pattern = nil
	want := &buildspec.Spec{
		File: "full.yml", Version: "0.2", RunAs: "root",
		Env: buildspec.Env{
			Shell:               "bash",
			Variables:           []buildspec.Variable{{Name: "VERSION", Value: "1.10"}, {Name: "COUNT", Value: "007"}, {Name: "EMPTY"}, {Name: "FLAG", Value: "yes"}},
			ParameterStore:      []buildspec.Variable{{Name: "TOKEN", Value: "/site/token"}},
			SecretsManager:      []buildspec.Variable{{Name: "PASSWORD", Value: "db:password:AWSCURRENT"}},
			Exported:            []string{"VERSION"},
			GitCredentialHelper: true,
		},
		Proxy: buildspec.Proxy{UploadArtifacts: true},
		Phases: []buildspec.Phase{
			{
				Name: "install", OnFailure: buildspec.OnFailure{Action: "RETRY", Retries: 2},
				RuntimeVersions: []buildspec.Variable{{Name: "nodejs", Value: "20"}},
				Commands:        []buildspec.Command{{Text: "npm ci"}}, Finally: []buildspec.Command{{Text: "echo done"}},
			},
			{Name: "build", RunAs: "builder", OnFailure: buildspec.OnFailure{Action: "ABORT"}, Commands: []buildspec.Command{{Text: "npm ci"}}},
			{Name: "post_build", Commands: []buildspec.Command{{Text: "true"}}},
		},
		Reports: []buildspec.Report{{Group: "unit", Files: []string{"out/*.xml"}, FileFormat: "JUNITXML"}},
		Artifacts: &buildspec.Artifacts{
			Files: []string{"**/*"}, Name: "site-$(date +%Y)", BaseDirectory: "dist*",
			ExcludePaths: []string{"node_modules/**"}, EnableSymlinks: true,
			Secondary: []buildspec.SecondaryArtifacts{{Identifier: "docs", Artifacts: buildspec.Artifacts{Files: []string{"docs/*"}, Name: "docs"}}},
		},
		Cache: &buildspec.Cache{Paths: []string{"node_modules/**/*"}},
	}
	options := []cmp.Option{cmpopts.IgnoreTypes(buildspec.Pos{}), cmpopts.IgnoreUnexported(buildspec.Spec{})}
	if diff := cmp.Diff(want, spec, options...); diff != "" {
		t.Error(diff)
	}
}

func TestBatch(t *testing.T) {
	t.Parallel()
	spec, err := buildspec.Parse("b.json", []byte(`{"version": "0.2", "batch": {"fast-fail": false, "build-matrix": {
		"static": {"env": {"privileged-mode": true}},
		"dynamic": {"buildspec": ["a.yml", "b.yml"], "env": {"variables": {"GO": [1.25, 1.26]}}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	want := &buildspec.Batch{Matrix: &buildspec.Matrix{
		Static: buildspec.BatchEnv{PrivilegedMode: &yes}, Buildspecs: []string{"a.yml", "b.yml"},
		Variables: []buildspec.Choice{{Name: "GO", Values: []string{"1.25", "1.26"}}},
	}}
	if diff := cmp.Diff(want, spec.Batch, cmpopts.IgnoreTypes(buildspec.Pos{})); diff != "" {
		t.Error(diff)
	}
}
