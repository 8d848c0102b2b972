package codebuild_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/google/go-cmp/cmp"
)

func TestSuccess(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	store := c.bucket(t, "store")
	putObject(t, store, "store", "in/source.zip", zipped(t,
		entry{"run.sh", "#!/bin/sh\nmkdir -p out/deep; echo made > out/deep/made.txt; cp run.sh out\n", 0o755},
		entry{"buildspec.yml", `
version: 0.2
env:
  variables: {GREETING: hello}
  exported-variables: [RESULT, NOSUCH]
phases:
  build:
    commands:
      - ./run.sh
      - export RESULT="$GREETING $CODEBUILD_BUILD_NUMBER"
artifacts:
  base-directory: out
  files: ['**/*']
`, 0o644}))
	made := c.create(t, project("site", "", func(in *api.CreateProjectInput) {
		in.Source = &types.ProjectSource{Type: types.SourceTypeS3, Location: aws.String("store/in/source.zip")}
		in.Artifacts = &types.ProjectArtifacts{Type: types.ArtifactsTypeS3, Location: aws.String("store"), Path: aws.String("out"), Name: aws.String("site.zip"), Packaging: types.ArtifactPackagingZip}
	}))
	b := c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: made.Name}))

	const want = "SUBMITTED=SUCCEEDED QUEUED=SUCCEEDED PROVISIONING=SUCCEEDED DOWNLOAD_SOURCE=SUCCEEDED INSTALL=SUCCEEDED PRE_BUILD=SUCCEEDED " +
		"BUILD=SUCCEEDED POST_BUILD=SUCCEEDED UPLOAD_ARTIFACTS=SUCCEEDED FINALIZING=SUCCEEDED COMPLETED"
	if got := phases(b); got != want || b.BuildStatus != types.StatusTypeSucceeded {
		t.Errorf("status %s, phases\n%s, want\n%s\n%s", b.BuildStatus, got, want, c.log(t, b))
	}
	if diff := cmp.Diff(map[string]string{
		"deep/made.txt": "-rw-r--r-- made\n",
		"run.sh":        "-rwxr-xr-x #!/bin/sh\nmkdir -p out/deep; echo made > out/deep/made.txt; cp run.sh out\n",
	}, unzipped(t, getObject(t, store, "store", "out/site.zip"))); diff != "" {
		t.Error(diff)
	}
	if len(b.ExportedEnvironmentVariables) != 1 || *b.ExportedEnvironmentVariables[0].Value != "hello 1" {
		t.Errorf("exported %+v", b.ExportedEnvironmentVariables)
	}
	if *b.Initiator != "ada" || *b.BuildNumber != 1 || *b.Artifacts.Location != "arn:aws:s3:::store/out/site.zip" || len(*b.Artifacts.Sha256sum) != 64 {
		t.Errorf("initiator %s, number %d, artifacts %+v", *b.Initiator, *b.BuildNumber, *b.Artifacts)
	}
	if log := c.log(t, b); !regexp.MustCompile(`(?m)^\[Container\] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} Running command ./run.sh$`).MatchString(log) {
		t.Errorf("log:\n%s", log)
	}
	if *b.Logs.GroupName != "/aws/codebuild/site" || !strings.HasSuffix(*b.Id, *b.Logs.StreamName) {
		t.Errorf("logs %s %s", *b.Logs.GroupName, *b.Logs.StreamName)
	}
	until(t, "the build's folder to be gone", func() bool {
		left, err := os.ReadDir(c.store.Dir("builds"))
		return err == nil && len(left) == 0
	})
}

// Each case is a buildspec and what its build looks like in the end.
func TestCommands(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	const head = "version: 0.2\nphases:\n"
	cases := map[string]struct {
		spec   string
		status types.StatusType
		phases string // a part of them
		log    string // what the commands say, without CodeBuild's own lines
		why    string // the message of the phase that failed
	}{
		"state": {
			spec:   head + "  install: {commands: ['cd /tmp; A=1', 'pwd; sh -c \"echo $A\"; set -e; export B=\"it''s $A\"']}\n  build: {commands: ['pwd; echo $B; false; echo here', 'unset B', 'echo ${B-gone}']}",
			status: "SUCCEEDED", phases: "INSTALL=SUCCEEDED", log: "/tmp\n1\n/tmp\nit's 1\nhere\ngone\n",
		},
		"failure": {
			spec:   head + "  build: {commands: ['echo a', 'exit 3', 'echo b'], finally: ['echo finally']}\n  post_build: {commands: ['echo succeeding $CODEBUILD_BUILD_SUCCEEDING']}",
			status: "FAILED", phases: "BUILD=FAILED POST_BUILD=SUCCEEDED UPLOAD_ARTIFACTS=SUCCEEDED FINALIZING=SUCCEEDED COMPLETED",
			log: "a\nfinally\nsucceeding 0\n", why: "COMMAND_EXECUTION_ERROR: Error while executing command: exit 3. Reason: exit status 3",
		},
		"early failure": {
			spec:   head + "  pre_build: {commands: ['false']}\n  build: {commands: ['echo b']}",
			status: "FAILED", phases: "PRE_BUILD=FAILED FINALIZING=SUCCEEDED COMPLETED",
			why: "COMMAND_EXECUTION_ERROR: Error while executing command: false. Reason: exit status 1",
		},
		"continue": {
			spec:   head + "  install: {on-failure: CONTINUE, commands: ['false']}\n  build: {on-failure: ABORT, commands: ['echo b; nosuch', '']}\n  post_build: {commands: ['echo post']}",
			status: "FAILED", phases: "INSTALL=FAILED PRE_BUILD=SUCCEEDED BUILD=FAILED FINALIZING=SUCCEEDED COMPLETED", log: "b\nSCRIPT: 4: nosuch: not found\n",
			why: "COMMAND_EXECUTION_ERROR: Error while executing command: false. Reason: exit status 1",
		},
		"version 0.1": {
			spec:   "version: 0.1\nphases:\n  build: {commands: ['cd /; A=1', 'echo [$A]']}",
			status: "SUCCEEDED", phases: "BUILD=SUCCEEDED", log: "[]\n",
		},
		"bash": {
			spec:   "version: 0.2\nenv: {shell: bash}\nphases:\n  build: {commands: ['A=(x y); echo ${A[1]}', 'if [[ x == x ]]; then echo same; fi']}",
			status: "SUCCEEDED", phases: "BUILD=SUCCEEDED", log: "y\nsame\n",
		},
		"buildspec": {
			spec:   "version: 0.2\nphases: {biuld: {}}",
			status: "FAILED", phases: "DOWNLOAD_SOURCE=FAILED FINALIZING=SUCCEEDED COMPLETED",
			why: "YAML_FILE_ERROR: buildspec.yml:2:10: Invalid buildspec phase name: Found BIULD. Expecting: BUILD,INSTALL,POST_BUILD,PRE_BUILD",
		},
		"killed leader": {
			spec:   head + "  install: {commands: ['kill -9 0']}\n  build: {commands: ['echo b']}",
			status: "FAILED", phases: "INSTALL=FAILED FINALIZING=SUCCEEDED", why: "COMMAND_EXECUTION_ERROR: Error while executing command: kill -9 0. Reason: signal: killed",
		},
		"here document and no newline": {
			spec:   head + "  build:\n    commands:\n      - |\n        cat <<X\n        two\n        X\n      - printf tail",
			status: "SUCCEEDED", phases: "BUILD=SUCCEEDED", log: "two\nX\ntwo\ntail\n",
		},
	}
	container := regexp.MustCompile(`(?m)\[Container\].*\n(^.* (does|did) not .*\n)?`)
	script := regexp.MustCompile(`/\S+/script.sh`)
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := c.build(t, strings.ReplaceAll("p-"+strings.ReplaceAll(name, ".", ""), " ", "-"), want.spec)
			log := c.log(t, b)
			if b.BuildStatus != want.status || !strings.Contains(phases(b), want.phases) {
				t.Errorf("status %s, want %s, phases %s\n%s", b.BuildStatus, want.status, phases(b), log)
			}
			said := script.ReplaceAllString(container.ReplaceAllString(log, ""), "SCRIPT")
			if diff := cmp.Diff(want.log, said); diff != "" {
				t.Errorf("%s\n%s", diff, log)
			}
			for _, p := range b.Phases {
				if p.PhaseStatus == types.StatusTypeFailed && want.why != "" {
					if got := *p.Contexts[0].StatusCode + ": " + *p.Contexts[0].Message; got != want.why {
						t.Errorf("message %q, want %q", got, want.why)
					}
					break
				}
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	c.create(t, project("env", "version: 0.2\nenv:\n  variables: {A: spec, B: spec, C: spec, CODEBUILD_CI: 'no', MULTI: \"x'y\\nz\"}\nphases:\n  build: {commands: [env -0 | tr '\\n\\0' '|\\n' | sort]}", func(in *api.CreateProjectInput) {
		in.Environment.EnvironmentVariables = []types.EnvironmentVariable{{Name: aws.String("B"), Value: aws.String("project")}, {Name: aws.String("C"), Value: aws.String("project")}}
	}))
	b := c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: aws.String("env"), EnvironmentVariablesOverride: []types.EnvironmentVariable{{Name: aws.String("C"), Value: aws.String("request")}}}))
	log := c.log(t, b)
	for _, want := range []string{
		"A=spec", "B=project", "C=request", "MULTI=x'y|z", "CODEBUILD_CI=true", "AWS_REGION=us-east-1", "AWS_ENDPOINT_URL=" + c.Endpoint(),
		"CODEBUILD_BUILD_ID=" + *b.Id, "CODEBUILD_BUILD_ARN=" + *b.Arn, "CODEBUILD_INITIATOR=ada", "CODEBUILD_LOG_PATH=" + *b.Logs.StreamName, "CODEBUILD_BUILD_SUCCEEDING=1",
		"AWS_SECRET_ACCESS_KEY=***",
	} {
		if !strings.Contains(log, "\n"+want+"\n") {
			t.Errorf("the environment has no %s:\n%s", want, log)
		}
	}
	for _, line := range strings.Split(log, "\n") {
		if strings.HasPrefix(line, "HOME=") && !strings.HasPrefix(line, "HOME="+c.store.Dir("builds")) {
			t.Error(line)
		}
	}
}

func TestInitiatorOfPipeline(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	store := c.bucket(t, "pipe")
	putObject(t, store, "pipe", "p/src/a", zipped(t, entry{"buildspec.yml", "version: 0.2\nphases:\n  build:\n    commands: ['echo from $CODEBUILD_INITIATOR at $CODEBUILD_RESOLVED_SOURCE_VERSION', 'cat $CODEBUILD_SRC_DIR_Two/two.txt > one.txt', 'cp one.txt deep']\nartifacts:\n  files: [one.txt]\n  secondary-artifacts:\n    More: {files: [deep]}\n", 0o644}))
	putObject(t, store, "pipe", "p/two/b", zipped(t, entry{"two.txt", "second", 0o644}))
	c.create(t, project("piped", "", func(in *api.CreateProjectInput) {
		in.Source, in.Artifacts = &types.ProjectSource{Type: types.SourceTypeCodepipeline}, &types.ProjectArtifacts{Type: types.ArtifactsTypeCodepipeline}
	}))
	if _, err := c.builds.StartBuild(t.Context(), &api.StartBuildInput{ProjectName: aws.String("piped")}); err == nil || !strings.Contains(err.Error(), "InvalidInputException") {
		t.Errorf("starting a pipeline's project without a source: %v", err)
	}
	caller := owner
	caller.ARN = "arn:aws:sts::000000000000:assumed-role/pipeline/codepipeline-site"
	out := func(name, id string) types.ProjectArtifacts {
		return types.ProjectArtifacts{Type: types.ArtifactsTypeS3, Location: aws.String("pipe"), Path: aws.String("p/out"), Name: &name, Packaging: types.ArtifactPackagingZip,
			NamespaceType: types.ArtifactNamespaceNone, OverrideArtifactName: aws.Bool(false), ArtifactIdentifier: aws.String(id)}
	}
	first := out("o1", "")
	first.ArtifactIdentifier = nil
	started, err := api.NewFromConfig(c.As(caller)).StartBuild(t.Context(), &api.StartBuildInput{
		ProjectName: aws.String("piped"), SourceTypeOverride: types.SourceTypeS3, SourceLocationOverride: aws.String("pipe/p/src/a"), SourceVersion: aws.String("c0ffee"),
		SecondarySourcesOverride: []types.ProjectSource{{Type: types.SourceTypeS3, Location: aws.String("pipe/p/two/b"), SourceIdentifier: aws.String("Two")}},
		ArtifactsOverride:        &first, SecondaryArtifactsOverride: []types.ProjectArtifacts{out("o2", "More")},
	})
	if err != nil {
		t.Fatal(err)
	}
	b := c.wait(t, started.Build)
	if log := c.log(t, b); b.BuildStatus != types.StatusTypeSucceeded || !strings.Contains(log, "\nfrom codepipeline/site at c0ffee\n") {
		t.Fatalf("status %s\n%s", b.BuildStatus, log)
	}
	if b.Source.Type != types.SourceTypeCodepipeline || *b.SourceVersion != "arn:aws:s3:::pipe/p/src/a" {
		body, _ := json.Marshal(b)
		t.Errorf("%s", body)
	}
	if got := unzipped(t, getObject(t, store, "pipe", "p/out/o2"))["deep"]; got != "-rw-r--r-- second" {
		t.Errorf("secondary artifact: %q, objects %v", got, keys(t, store, "pipe"))
	}
}
