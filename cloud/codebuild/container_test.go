package codebuild_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/codebuild"
)

// standIn takes the place of a container engine: it runs what it should run
// in a container on this machine, with the environment that it was given and
// no other, and keeps what it was asked.
const standIn = `#!/bin/sh
dir=$(dirname "$0")
verb=$1
echo "$*" >> "$dir/asked"
shift
case $verb in
version) exit 0 ;;
run)
  while [ $# -gt 0 ]; do case $1 in --name) name=$2; shift ;; nosuch) echo 'Error response from daemon: pull access denied' >&2; exit 125 ;; esac; shift; done
  mkdir "$dir/$name" ;;
rm) for name; do :; done; rmdir "$dir/$name" ;;
exec)
  file=/dev/null; at=/
  while :; do case $1 in --env-file) file=$2 ;; --workdir) at=$2 ;; --user) ;; *) break ;; esac; shift 2; done
  [ -d "$dir/$1" ] || { echo "No such container: $1" >&2; exit 1; }
  shift
  [ "$1" = chown ] && exit 0
  cd "$at" || exit 126
  [ "$file" = /dev/null ] || cp "$file" "$dir/environment"
  exec env -i PATH="/image:/usr/bin:/bin" INSIDE=container $(cat "$file") "$@" ;;
esac
`

func TestContainers(t *testing.T) {
	t.Parallel()
	dir, state := t.TempDir(), t.TempDir()
	engine := filepath.Join(dir, "docker")
	if err := os.WriteFile(engine, []byte(standIn), 0o755); err != nil {
		t.Fatal(err)
	}
	c := newCloudWith(t, state, codebuild.Options{Containers: engine})
	asked := func() string {
		body, _ := os.ReadFile(filepath.Join(dir, "asked"))
		return string(body)
	}
	image := func(name string, privileged bool) func(*api.CreateProjectInput) {
		return func(in *api.CreateProjectInput) {
			in.Environment.Image, in.Environment.PrivilegedMode = &name, &privileged
			in.Environment.EnvironmentVariables = []types.EnvironmentVariable{{Name: aws.String("SECRET"), Value: aws.String("hidden value")}, {Name: aws.String("not-a-name"), Value: aws.String("odd")}}
		}
	}
	t.Run("commands", func(t *testing.T) {
		store := c.bucket(t, "made")
		c.create(t, project("inside", `
version: 0.2
env: {variables: {A: a}, exported-variables: [B]}
phases:
  install: {commands: ['cd /tmp; B="$A b"', 'echo "$INSIDE $SECRET in $(pwd)"; echo ${PATH##*/bin:/image} of image; echo "home $HOME"']}
  build: {run-as: builder, commands: ['echo $INSIDE $B > "$CODEBUILD_SRC_DIR/made"; exit 3'], on-failure: CONTINUE}
  post_build: {commands: ['echo succeeding $CODEBUILD_BUILD_SUCCEEDING']}
artifacts: {files: [made]}
`, func(in *api.CreateProjectInput) {
			image("alpine:3", true)(in)
			in.Artifacts = &types.ProjectArtifacts{Type: types.ArtifactsTypeS3, Location: aws.String("made"), Packaging: types.ArtifactPackagingNone}
		}))
		b := c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: aws.String("inside")}))
		log := c.log(t, b)
		for _, want := range []string{"container hidden value in /tmp\n", ":/usr/bin:/bin of image\n", "home " + c.store.Dir("builds"), "Reason: exit status 3", "succeeding 0\n"} {
			if !strings.Contains(log, want) {
				t.Errorf("the log has no %q:\n%s", want, log)
			}
		}
		if got := string(getObject(t, store, "made", "inside/made")); got != "container a b\n" || *b.ExportedEnvironmentVariables[0].Value != "a b" {
			t.Errorf("made %q, exported %+v", got, b.ExportedEnvironmentVariables)
		}
		name := "ouro-build-" + strings.TrimPrefix(*b.Id, "inside:")
		all := asked()
		for _, want := range []string{
			"run --detach --init --name " + name + " --network host --volume " + filepath.Join(c.store.Dir("builds"), strings.TrimPrefix(*b.Id, "inside:")),
			" --privileged --entrypoint /bin/sh -- alpine:3 -c ", "exec --user 0 " + name + " chown -R -- builder ", " --user builder " + name + " /bin/sh ", "rm --force --volumes " + name,
		} {
			if !strings.Contains(all, want) {
				t.Errorf("the engine was not asked %q:\n%s", want, all)
			}
		}
		if others, err := os.ReadFile(filepath.Join(dir, "environment")); err != nil || string(others) != "not-a-name=odd\nCODEBUILD_BUILD_ARN="+*b.Arn+"\n" {
			t.Errorf("environment %q, %v", others, err)
		}
		if strings.Contains(all, "hidden") || strings.Contains(all, "AWS_") {
			t.Errorf("the environment is on the command line:\n%s", all)
		}
	})
	t.Run("stop", func(t *testing.T) {
		c.create(t, project("stopped", "version: 0.2\nphases:\n  build: {commands: ['echo started; sleep 600']}", image("aws/codebuild/standard:7.0", false)))
		b := c.start(t, &api.StartBuildInput{ProjectName: aws.String("stopped")})
		until(t, "the command", func() bool { return *c.get(t, *b.Id).CurrentPhase == "BUILD" })
		if _, err := c.builds.StopBuild(t.Context(), &api.StopBuildInput{Id: b.Id}); err != nil {
			t.Fatal(err)
		}
		b = c.wait(t, b)
		if !strings.Contains(asked(), "rm --force --volumes ouro-build-"+strings.TrimPrefix(*b.Id, "stopped:")) || b.BuildStatus != types.StatusTypeStopped {
			t.Errorf("status %s, asked\n%s", b.BuildStatus, asked())
		}
		if !strings.Contains(asked(), " -- public.ecr.aws/codebuild/standard:7.0 /bin/sh -c ") || strings.Count(asked(), "--privileged") > 1 {
			t.Errorf("asked\n%s", asked())
		}
	})
	t.Run("no image", func(t *testing.T) {
		c.create(t, project("missing", "version: 0.2\nphases: {}", image("nosuch", false)))
		b := c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: aws.String("missing")}))
		p := phase(t, b, types.BuildPhaseTypeProvisioning)
		const want = "Unable to pull customer's container image. CannotPullContainerError: exit status 125: Error response from daemon: pull access denied"
		if b.BuildStatus != types.StatusTypeFailed || *p.Contexts[0].StatusCode != "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE" || *p.Contexts[0].Message != want {
			t.Errorf("status %s, %s", b.BuildStatus, *p.Contexts[0].Message)
		}
	})
	if left, err := filepath.Glob(filepath.Join(dir, "ouro-build-*")); err != nil || len(left) != 0 {
		t.Errorf("containers that are left: %v, %v", left, err)
	}
}

func TestFindEngine(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if _, err := codebuild.FindEngine(t.Context()); err == nil || err.Error() != "there is no container engine on the PATH, neither of docker, podman" {
		t.Error(err)
	}
	for name, script := range map[string]string{"docker": "#!/bin/sh\necho 'Client:'; echo 'Cannot connect' >&2; exit 1\n", "podman": "#!/bin/sh\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := codebuild.FindEngine(t.Context()); err == nil || !strings.HasSuffix(err.Error(), "does not answer: exit status 1: Cannot connect") {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(dir, "docker")); err != nil {
		t.Fatal(err)
	}
	if got, err := codebuild.FindEngine(t.Context()); err != nil || got != filepath.Join(dir, "podman") {
		t.Errorf("%s, %v", got, err)
	}
}
