package ci_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ouro/buildspec"
	"ouro/ci"
)

// repository makes files; a name that ends in a slash is a directory.
func repository(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(file, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// written are the buildspecs that a repository should have, by their names.
func written(t *testing.T, b ci.Buildspecs) map[string]*buildspec.Spec {
	t.Helper()
	files, err := b.Files()
	if err != nil {
		t.Fatal(err)
	}
	specs := map[string]*buildspec.Spec{}
	for _, f := range files {
		if specs[f.Path], err = buildspec.Parse(f.Path, f.Body); err != nil {
			t.Fatal(err)
		}
	}
	return specs
}

func TestBuildspecs(t *testing.T) {
	t.Parallel()
	dir := repository(t, map[string]string{
		"flavors/b.2/Dockerfile": "", "flavors/a-1/Dockerfile": "", "flavors/.hidden/x": "", "flavors/README.md": "", "more/'q\" #/x": "",
	})
	roots := []string{"flavors/", "more", "./flavors"}
	for _, kind := range []string{"graph", "list", "matrix"} {
		b := ci.Buildspecs{Purpose: ci.CI, Dir: dir, Roots: roots, Kind: kind, Config: &ci.Config{}}
		if kind == "matrix" {
			b.Roots = roots[:1]
		}
		batch := written(t, b)["codebuild/ci/buildspec.yml"].Batch
		var got []string
		for _, part := range append(batch.Graph, batch.List...) {
			got = append(got, fmt.Sprint(part.Identifier, " ", part.Buildspec, " ", part.Env.ComputeType, " ", *part.Env.PrivilegedMode))
			for _, v := range part.Env.Variables {
				got[len(got)-1] += " " + v.Name + "=" + v.Value
			}
		}
		common := " codebuild/ci/build.yml BUILD_GENERAL1_MEDIUM true FLAVOR="
		want := []string{"build__q___" + common + "'q\" # FLAVOR_ROOT=more", "build_a_1" + common + "a-1 FLAVOR_ROOT=flavors", "build_b_2" + common + "b.2 FLAVOR_ROOT=flavors"}
		if kind == "matrix" {
			want = nil
			values := fmt.Sprint(batch.Matrix.Variables, batch.Matrix.Buildspecs, batch.Matrix.ComputeTypes)
			if values != "[{FLAVOR_ROOT [flavors]} {FLAVOR [a-1 b.2]}] [codebuild/ci/build.yml] [BUILD_GENERAL1_MEDIUM]" {
				t.Errorf("matrix %s", values)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
	}
}

func TestConfigurationReachesTheBuilds(t *testing.T) {
	t.Parallel()
	dir := repository(t, map[string]string{"flavors/a/": "", "doc's/": "", "ci.json": `{"build": {"roots": ["flavors"], "kind": "list", "fast_fail": true, "compute_type": "BUILD_GENERAL1_LARGE",
		"privileged": false, "base_branch": "develop", "ignore": {"paths": ["doc's"]}, "registry_secret": "Dockerhub"}, "release": {"timeout_in_minutes": 90}}`})
	config, err := ci.ReadConfig(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	specs := written(t, ci.Buildspecs{Purpose: ci.CI, Dir: dir, Config: config})
	batch, entry := specs["codebuild/ci/buildspec.yml"].Batch, specs["codebuild/ci/build.yml"]
	if part := batch.List[0]; !batch.FastFail || part.Env.ComputeType != "BUILD_GENERAL1_LARGE" || *part.Env.PrivilegedMode {
		t.Errorf("batch %+v", batch)
	}
	if got := fmt.Sprint(entry.Env.SecretsManager); !strings.Contains(got, "Dockerhub:AccessToken") || !entry.Env.GitCredentialHelper {
		t.Errorf("environment %+v", entry.Env)
	}
	if text := entry.Phase("build").Commands[0].Text; !strings.Contains(text, `BASE='develop'`) || !strings.Contains(text, `':(exclude)doc'\''s'`) {
		t.Errorf("command %s", text)
	}
	release := written(t, ci.Buildspecs{Purpose: ci.Release, Dir: dir, Config: config})["codebuild/release/build.yml"]
	if v := release.Env.Variables; len(v) != 2 || v[0].Name != "RELEASE_ID" || v[1].Value != "--dry-run" || config.Release.Timeout != 90 {
		t.Errorf("release %v, %+v", v, config.Release)
	}
}

func TestStale(t *testing.T) {
	t.Parallel()
	dir := repository(t, map[string]string{"flavors/a/": ""})
	b := ci.Buildspecs{Purpose: ci.CI, Dir: dir, Roots: []string{"flavors"}, Config: &ci.Config{}}
	check := func(want ...string) {
		t.Helper()
		files, err := b.Files()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ci.Stale(dir, files)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
		written, err := ci.Write(dir, files)
		if diff := cmp.Diff(want, written); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
	check("codebuild/ci/build.yml", "codebuild/ci/buildspec.yml")
	check()
	if err := os.Mkdir(filepath.Join(dir, "flavors", "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	check("codebuild/ci/buildspec.yml")
	template, err := b.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Begin(); err != nil {
		t.Errorf("the same again: %v", err)
	}
	file := filepath.Join(dir, filepath.FromSlash(template.Path))
	if err := os.WriteFile(file, []byte("version: 0.2\nphases: {build: {commands: [make]}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	check("codebuild/ci/build.yml")
	if _, err := b.Begin(); err == nil {
		t.Error("a template that was changed is overwritten")
	}
}

// Each case is a repository, its roots, and what is wrong with it.
func TestRefusals(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		files map[string]string
		roots []string
		kind  string
		want  string
	}{
		"no roots":    {nil, nil, "", "no roots: name the directories"},
		"outside":     {nil, []string{"../x"}, "", `the root "../x" is not inside the repository`},
		"not there":   {nil, []string{"x"}, "", "looking for directories to build"},
		"nothing":     {map[string]string{"x/": ""}, []string{"x"}, "", "there is no directory to build in x"},
		"collision":   {map[string]string{"x/a-b/": "", "x/a_b/": ""}, []string{"x"}, "", `the directories "x/a-b" and "x/a_b" would both be part build_a_b`},
		"two roots":   {map[string]string{"x/a/": "", "y/a/": ""}, []string{"x", "y"}, "", `"x/a" and "y/a" would both be part`},
		"too long":    {map[string]string{"x/" + strings.Repeat("n", 122) + "/": ""}, []string{"x"}, "", "CodeBuild takes at most 127 characters"},
		"controls":    {map[string]string{"x/a\nb/": ""}, []string{"x"}, "", "control characters"},
		"kind":        {map[string]string{"x/a/": ""}, []string{"x"}, "fanout", `there is no kind "fanout" of batch; there are graph, list, matrix`},
		"wide matrix": {map[string]string{"x/a/": "", "y/b/": ""}, []string{"x", "y"}, "matrix", "with several roots write a graph or a list"},
		"bad hole":    {map[string]string{"x/a/": "", "codebuild/ci/build.template.yml": "{{.Nothing}}"}, []string{"x"}, "", "Nothing"},
		"bad result":  {map[string]string{"x/a/": "", "codebuild/ci/build.template.yml": "version: 0.2\nphase: 1\n"}, []string{"x"}, "", "what would be written is no buildspec: codebuild/ci/build.yml:4"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := ci.Buildspecs{Purpose: ci.CI, Dir: repository(t, test.files), Roots: test.roots, Kind: test.kind, Config: &ci.Config{}}
			if _, err := b.Files(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

func TestConfigRefusals(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ body, want string }{
		"no JSON": {"{", "ci.json: no JSON"},
		"all at once": {`{"build": {"kind": "tree", "roots": [3]}, "x": 1}`, `ci.json: /: unexpected additional properties ["x"]
ci.json: /build/kind: enum: tree does not equal any of: [graph list matrix]
ci.json: /build/roots/0: type: 3 has type "integer", want "string"`},
		"control":       {`{"build": {"roots": ["a\u0001"]}}`, "/build/roots/0: "},
		"ignored":       {`{"build": {"ignore": {"paths": ["gone"]}}}`, `the path "gone" is to be ignored, and is not there`},
		"long releases": {`{"release": {"timeout_in_minutes": 2161}}`, "/release/timeout_in_minutes: 2161 is not from 5 to 2160"},
	}
	for name, test := range cases {
		if _, err := ci.ReadConfig(repository(t, map[string]string{"ci.json": test.body}), ""); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %s", name, err, test.want)
		}
	}
	if _, err := ci.ReadConfig(t.TempDir(), "named.json"); err == nil {
		t.Error("a configuration that is named need not be there")
	}
}

func BenchmarkBuildspecs(b *testing.B) {
	files := map[string]string{}
	for i := range 1000 {
		files[fmt.Sprintf("flavors/flavor-%d/Dockerfile", i)] = ""
	}
	specs := ci.Buildspecs{Purpose: ci.CI, Dir: repository(b, files), Roots: []string{"flavors"}, Config: &ci.Config{}}
	for b.Loop() {
		written, err := specs.Files()
		if err == nil {
			_, err = ci.Stale(specs.Dir, written)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
