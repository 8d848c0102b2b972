package starter_test

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ouro/library"
	"ouro/starter"
	"ouro/template"
	"ouro/validate"
)

var update = flag.Bool("update", false, "write the example")

// example is the project in examples/site.
var example = starter.Answers{
	Name: "site", Provider: "CodeCommit", Repository: "site", Branch: "main", Environments: "dev", Site: starter.App,
}

// TestExample: the example is such a project, but for its README.
func TestExample(t *testing.T) {
	t.Parallel()
	const dir = "../examples/site"
	files := slices.DeleteFunc(project(t, example), func(f starter.File) bool { return f.Name == "README.md" })
	for _, f := range files {
		name := filepath.Join(dir, f.Name)
		if *update {
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, f.Body, 0o644)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		there, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(f.Body), string(there)); diff != "" {
			t.Errorf("%s (-want +got; go test ./starter -update writes it):\n%s", name, diff)
		}
	}
}

func project(t *testing.T, a starter.Answers) []starter.File {
	t.Helper()
	files, err := starter.Project(a)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// projects are answers of every kind.
var projects = map[string]starter.Answers{
	"codecommit": {Name: "site", Provider: "CodeCommit", Repository: "site", Branch: "main", Environments: "dev,prod", Site: starter.Empty},
	"connection": {
		Name: "site", Provider: "Connection", Repository: "site", Branch: "main", Environments: "dev", Site: starter.App, Owner: "octo",
		ConnectionArn: "arn:aws:codeconnections:us-east-1:000000000000:connection/11111111-2222-3333-4444-555555555555",
	},
	"github": {
		Name: "site", Provider: "GitHub", Repository: "site", Branch: "main", Environments: "a1,b2,c3,d4,e5", Site: starter.App, Owner: "octo",
		TokenSecret: "site/github",
	},
	"s3": {Name: "site", Provider: "S3", Repository: "sources", Branch: "source.zip", Environments: "prod,dev", Site: starter.Empty},
}

// TestNoFindings: a new project is without a fault, and its pipeline takes its
// parameters.
func TestNoFindings(t *testing.T) {
	t.Parallel()
	for name, a := range projects {
		dir := t.TempDir()
		files := project(t, a)
		if _, err := starter.Write(dir, files); err != nil {
			t.Fatal(err)
		}
		report, err := validate.Files(t.Context(), []string{dir})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range report.Findings {
			t.Errorf("%s: %s: %s (%s)", name, f.Pos, f.Message, f.ID)
		}
		checkPipeline(t, name, files)
		for _, f := range files {
			if f.Name == "README.md" && strings.Count(string(f.Body), "\n") != 10 {
				t.Errorf("%s: the README has not ten lines:\n%s", name, f.Body)
			}
		}
	}
}

// checkPipeline checks the pipeline's parameters by the rules of its template.
func checkPipeline(t *testing.T, name string, files []starter.File) {
	t.Helper()
	pipeline, err := library.Open("pipeline/pipeline.yaml")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(files, func(f starter.File) bool {
		return strings.HasPrefix(f.Name, "pipeline.") && strings.HasSuffix(f.Name, ".json")
	})
	config, err := template.ParseFragment(files[i].Name, files[i].Body)
	if err != nil {
		t.Fatal(err)
	}
	given, parameters := map[string]string{}, config.Get("Parameters")
	for i, key := range parameters.Keys {
		given[key.Text] = parameters.Items[i].Text
	}
	values, err := pipeline.Parsed.ResolveParameters(given, nil)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := pipeline.Parsed.CheckRules(&template.Env{Parameters: values}); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func TestWriteLeavesFilesAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := project(t, projects["codecommit"])
	written, err := starter.Write(dir, files)
	if err != nil || len(written) != len(files) {
		t.Fatalf("wrote %d of %d files, %v", len(written), len(files), err)
	}
	if written, err = starter.Write(dir, files); err != nil || len(written) != 0 {
		t.Errorf("the second time wrote %v, %v", written, err)
	}
	mine := filepath.Join(dir, "site.yaml")
	if err := errors.Join(os.WriteFile(mine, []byte("mine"), 0o644), os.Remove(filepath.Join(dir, "README.md"))); err != nil {
		t.Fatal(err)
	}
	if _, err = starter.Write(dir, files); err == nil || !strings.HasSuffix(err.Error(), strconv.Quote(mine)) {
		t.Errorf("a file that differs: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "README.md")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was written: %v", err)
	}
}

func TestNameFor(t *testing.T) {
	t.Parallel()
	for folder, want := range map[string]string{
		"My Site": "my-site", "site_2": "site-2", "2nd": "site", "/": "site", "": "site", "---": "site", "ünder": "nder",
		strings.Repeat("long-", 8): "long-long-long-long-long-long-l",
	} {
		if got := starter.NameFor(folder); got != want {
			t.Errorf("%q: %q, want %q", folder, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ flag, answer, want string }{
		{"name", "site", ""},
		{"name", "Site", "lower-case letters, digits and hyphens"},
		{"name", "", "an answer is needed"},
		{"provider", "Subversion", `there is no "Subversion"; there are CodeCommit, Connection, GitHub, S3`},
		{"connection-arn", "arn:aws:s3:::b", "must match pattern"},
		{"repository", "a b", "must match pattern"},
		{"environments", "dev", ""},
		{"environments", "dev,qa,prod", ""},
		{"environments", "dev,,prod", "an environment has no name"},
		{"environments", "dev,dev", `the environment "dev" comes twice`},
		{"environments", "dev, prod", ""},
		{"environments", "Dev", `the environment "Dev"`},
		{"environments", "e1,e2,e3,e4,e5,e6", "6 environments are too many; a pipeline has at most 5"},
		{"site", "blog", `there is no "blog"; there are empty, app`},
	} {
		i := slices.IndexFunc(starter.Questions(), func(q starter.Question) bool { return q.Flag == c.flag })
		err := starter.Questions()[i].Check(c.answer)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("--%s %q: %v", c.flag, c.answer, err)
		}
	}
}
