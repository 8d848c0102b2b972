package codebuild_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
)

// Root runs commands as other users; nobody else does.
func TestRunAs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := newCloud(t, dir)
	const spec = `
version: 0.2
run-as: nobody
phases:
  install: {run-as: %, commands: ['echo install $(id -un); echo i > made', 'A=kept']}
  build: {commands: ['echo build $(id -un) $A $(cat made); echo b > made', 'echo err > /dev/stderr', 'cd /; false']}
  post_build: {run-as: %, commands: ['echo post $(id -un) $(pwd) $(cat "$CODEBUILD_SRC_DIR/made")']}
artifacts: {files: [made]}
`
	me := os.Getenv("USER")
	if os.Getuid() == 0 {
		me = "root"
	}
	run := func(name string) (*types.Build, string) {
		b := c.build(t, name, strings.ReplaceAll(spec, "%", me))
		return b, c.log(t, b)
	}
	if os.Getuid() != 0 {
		if b, log := run("refused"); b.BuildStatus != types.StatusTypeFailed || !strings.Contains(log, "run-as nobody: only root can run commands as another user") {
			t.Error(log)
		}
		return
	}
	if b, log := run("closed"); b.BuildStatus != types.StatusTypeFailed || !strings.Contains(log, "run-as nobody: the user cannot reach the build's folder, because "+filepath.Dir(dir)+" is closed to others") {
		t.Error(log)
	}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	_, log := run("open")
	for _, want := range []string{"install root\n", "build nobody kept i\n", "\nerr\n", "post root / b\n"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %q:\n%s", want, log)
		}
	}
}

// What is there is told beside what the buildspec wants.
func TestRuntimeVersions(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	b := c.build(t, "runtimes", "version: 0.2\nproxy: {logs: yes}\nphases:\n  install:\n    runtime-versions: {golang: latest, cobol: 60, dotnet: 1.0}\n    commands: [true]")
	log := c.log(t, b)
	for _, want := range []string{"Runtime golang latest: ", "Runtime cobol 60: it is not known how to tell its version", "Runtime dotnet 1.0: ", "proxy: logs and artifacts"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %q:\n%s", want, log)
		}
	}
}
