package codebuild_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/cloudtest/tool"
)

// forkingBatch has a build that runs processes of all kinds until it is
// stopped, and one that follows it.
func forkingBatch(dir string) string {
	return forking(dir) + "\nbatch: {build-graph: [{identifier: busy}, {identifier: next, depend-on: [busy]}]}\n"
}

func TestBatchStop(t *testing.T) {
	t.Parallel()
	c, dir := newCloud(t, t.TempDir()), t.TempDir()
	c.create(t, project("stopped", forkingBatch(dir), batching(nil)))
	b := c.startBatch(t, &api.StartBuildBatchInput{ProjectName: aws.String("stopped")})
	started := pids(t, dir)
	held, err := c.builds.DeleteBuildBatch(t.Context(), &api.DeleteBuildBatchInput{Id: b.Id})
	if err != nil || *held.StatusCode != "BATCH_IN_PROGRESS" || len(held.BuildsNotDeleted) != 2 {
		t.Errorf("deleting a batch in progress: %+v, %v", held, err)
	}
	if _, err := c.builds.StopBuildBatch(t.Context(), &api.StopBuildBatchInput{Id: b.Arn}); err != nil {
		t.Fatal(err)
	}
	b = c.waitBatch(t, b)
	if b.BuildBatchStatus != types.StatusTypeStopped || !strings.HasSuffix(batchPhases(b), "IN_PROGRESS=STOPPED STOPPED") || groups(b) != "busy=STOPPED next=STOPPED" {
		t.Errorf("status %s, phases %s, groups %s", b.BuildBatchStatus, batchPhases(b), groups(b))
	}
	untilGone(t, started)
	if again, err := c.builds.StopBuildBatch(t.Context(), &api.StopBuildBatchInput{Id: b.Id}); err != nil || !again.BuildBatch.Complete {
		t.Errorf("stopping again: %v", err)
	}
}

// TestBatchCrash kills a process with a batch in progress: the build that it
// ran is lost, which the batch ignores, and the next one is still to come.
func TestBatchCrash(t *testing.T) {
	state := os.Getenv(crashState)
	if state != "" { // the process that will be killed
		c := newCloud(t, state)
		spec := strings.Replace(forkingBatch(filepath.Dir(state)), "{identifier: busy}", "{identifier: busy, ignore-failure: true}", 1)
		spec = strings.Replace(spec, "depend-on: [busy]}", "depend-on: [busy], buildspec: \"version: 0.2\\nphases: {}\"}", 1)
		c.create(t, project("crash", spec, batching(nil)))
		c.startBatch(t, &api.StartBuildBatchInput{ProjectName: aws.String("crash")})
		<-t.Context().Done()
		return
	}
	t.Parallel()
	state, started := killed(t)
	c := newCloud(t, state)
	ids, err := c.builds.ListBuildBatches(t.Context(), &api.ListBuildBatchesInput{})
	if err != nil || len(ids.Ids) != 1 {
		t.Fatalf("batches %v, %v", ids, err)
	}
	b := c.waitBatch(t, c.getBatch(t, ids.Ids[0]))
	if batchPhases(b) != passed || groups(b) != "busy=FAULT next=SUCCEEDED" {
		t.Errorf("phases %s, groups %s, %s", batchPhases(b), groups(b), lastWords(b))
	}
	untilGone(t, started)
}

// making is a batch whose builds a and b make a file of their own, one that
// is the same, and a secondary artifact.
const making = `
version: 0.2
batch: {build-list: [{identifier: a}, {identifier: b}]}
phases: {build: {commands: ['echo same > same; echo $CODEBUILD_BATCH_BUILD_IDENTIFIER > $CODEBUILD_BATCH_BUILD_IDENTIFIER.txt']}}
artifacts:
  files: [same, '*.txt']
  secondary-artifacts: {more: {files: ['*.txt']}}
`

func TestBatchArtifacts(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	to := func(bucket string, packaging types.ArtifactPackaging, id *string) types.ProjectArtifacts {
		return types.ProjectArtifacts{Type: types.ArtifactsTypeS3, Location: &bucket, Path: aws.String("out"), Name: aws.String("x"), Packaging: packaging, ArtifactIdentifier: id}
	}
	for name, x := range map[string]struct {
		packaging types.ArtifactPackaging
		combine   bool
		want      string
	}{
		"apart":         {types.ArtifactPackagingZip, false, "out/a/x out/b/x"},
		"zips-combined": {types.ArtifactPackagingZip, true, "out/a/x out/b/x out/x"},
		"combined":      {types.ArtifactPackagingNone, true, "out/x/a.txt out/x/b.txt out/x/same"},
	} {
		t.Run(name, func(t *testing.T) {
			client := c.bucket(t, name)
			b := c.batch(t, name, making, func(in *api.CreateProjectInput) {
				a := to(name, x.packaging, nil)
				in.Artifacts = &a
				in.BuildBatchConfig.CombineArtifacts = &x.combine
			})
			if got := strings.Join(keys(t, client, name), " "); got != x.want || batchPhases(b) != passed {
				t.Fatalf("objects %s, phases %s, %s", got, batchPhases(b), lastWords(b))
			}
			if name != "zips-combined" {
				return
			}
			if files := sortedNames(unzipped(t, getObject(t, client, name, "out/x"))); !slices.Equal(files, []string{"a.txt", "b.txt", "same"}) {
				t.Errorf("combined files %v", files)
			}
			if got := aws.ToString(b.Artifacts.Location); got != "arn:aws:s3:::zips-combined/out/x" || b.Artifacts.Sha256sum == nil {
				t.Errorf("artifacts of the batch: %+v", b.Artifacts)
			}
			if a := b.BuildGroups[1].CurrentBuildSummary.PrimaryArtifact; *a.Location != "arn:aws:s3:::zips-combined/out/a/x" || a.Type != "s3" {
				t.Errorf("artifact of a build: %+v", a)
			}
		})
	}

	t.Run("conflict", func(t *testing.T) {
		c.bucket(t, "conflict")
		b := c.batch(t, "conflict", strings.Replace(making, "echo same", "echo $CODEBUILD_BUILD_ID", 1), func(in *api.CreateProjectInput) {
			a := to("conflict", types.ArtifactPackagingZip, nil)
			in.Artifacts, in.BuildBatchConfig.CombineArtifacts = &a, aws.Bool(true)
		})
		if b.BuildBatchStatus != types.StatusTypeFailed || lastWords(b) != "CLIENT_ERROR: Combining artifacts: two builds have different files of the name same" {
			t.Errorf("phases %s, %s", batchPhases(b), lastWords(b))
		}
	})

	// As CodePipeline starts a batch: source and artifacts lie in S3.
	t.Run("pipeline", func(t *testing.T) {
		client := c.bucket(t, "pipeline")
		putObject(t, client, "pipeline", "in", zipped(t, entry{"buildspec.yml", making, 0o644}))
		c.create(t, project("fed", "", batching(func(in *api.CreateProjectInput) {
			in.Source = &types.ProjectSource{Type: types.SourceTypeCodepipeline}
			in.Artifacts = &types.ProjectArtifacts{Type: types.ArtifactsTypeCodepipeline}
		})))
		in := &api.StartBuildBatchInput{
			ProjectName: aws.String("fed"), SourceTypeOverride: types.SourceTypeS3, SourceLocationOverride: aws.String("pipeline/in"), SourceVersion: aws.String("revision"),
			ArtifactsOverride: &types.ProjectArtifacts{Type: types.ArtifactsTypeNoArtifacts},
		}
		for _, id := range []string{"a", "b", "b_more"} {
			a := to("pipeline", types.ArtifactPackagingZip, aws.String(id))
			a.Name = aws.String("key-of-" + id)
			in.SecondaryArtifactsOverride = append(in.SecondaryArtifactsOverride, a)
		}
		b := c.waitBatch(t, c.startBatch(t, in))
		if got := strings.Join(keys(t, client, "pipeline"), " "); got != "in out/key-of-a out/key-of-b out/key-of-b_more" || batchPhases(b) != passed {
			t.Fatalf("objects %s, phases %s, %s", got, batchPhases(b), lastWords(b))
		}
		if got := unzipped(t, getObject(t, client, "pipeline", "out/key-of-b_more")); len(got) != 1 || !strings.HasSuffix(got["b.txt"], " b\n") {
			t.Errorf("the secondary artifact: %v", got)
		}
		if b.Source.Type != types.SourceTypeCodepipeline || *b.ResolvedSourceVersion != "revision" {
			t.Errorf("source %+v, version %s", b.Source, aws.ToString(b.ResolvedSourceVersion))
		}
	})
}

func sortedNames(files map[string]string) []string {
	var out []string
	for name := range files {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// TestBatchCommandLine starts a batch with the AWS CLI.
func TestBatchCommandLine(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	c.create(t, project("cli", "version: 0.2\nbatch: {build-list: [{identifier: a}]}\nphases: {build: {commands: ['test \"$V\" = w']}}", batching(nil)))
	cli := tool.NewAWS(t, c.Endpoint(), "codebuild", "--output", "json")
	run := func(to any, arguments ...string) {
		t.Helper()
		if out := cli.Run(arguments...); json.Unmarshal([]byte(out), to) != nil {
			t.Fatalf("aws codebuild %s says %s", strings.Join(arguments, " "), out)
		}
	}
	type shown struct{ ID, CurrentPhase, BuildBatchStatus string }
	var started struct{ BuildBatch shown }
	run(&started, "start-build-batch", "--project-name", "cli", "--environment-variables-override", "name=V,value=w")
	if started.BuildBatch.CurrentPhase != "SUBMITTED" || started.BuildBatch.BuildBatchStatus != "IN_PROGRESS" {
		t.Errorf("started: %+v", started)
	}
	c.waitBatch(t, c.getBatch(t, started.BuildBatch.ID))
	var got struct{ BuildBatches []shown }
	run(&got, "batch-get-build-batches", "--ids", started.BuildBatch.ID)
	if len(got.BuildBatches) != 1 || got.BuildBatches[0].BuildBatchStatus != "SUCCEEDED" {
		t.Errorf("described: %+v", got)
	}
	var list struct{ IDs []string }
	run(&list, "list-build-batches-for-project", "--project-name", "cli", "--filter", "status=SUCCEEDED")
	if !slices.Equal(list.IDs, []string{started.BuildBatch.ID}) {
		t.Errorf("listed: %v", list)
	}
}
