package pipeline_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"ouro/cloud/cloudtest"
	"ouro/pipeline"
	"ouro/stack"
)

// TestLarge: a template larger than CloudFormation takes as it is, a bucket
// with more versions than S3 lists or deletes at once, and one that stays.
func TestLarge(t *testing.T) {
	t.Parallel()
	c := cloudtest.Start(t, t.TempDir(), self(t))
	dir := copySite(t)
	file := filepath.Join(dir, "pipeline.yaml")
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	body = bytes.Replace(body, []byte("\nResources:\n"), []byte(`
Resources:
  Kept:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
`), 1)
	body = append(body, bytes.Repeat([]byte("# a template may be this large only in a bucket\n"), 1200)...)
	if err := os.WriteFile(file, body, 0o644); err != nil {
		t.Fatal(err)
	}
	up, out := bringUp(t, c, dir)
	if out.Status != types.PipelineExecutionStatusSucceeded {
		t.Fatalf("the execution: %s: %+v", out.Status, out.Failed())
	}
	if n := countBuckets(t, up); n != 2 {
		t.Errorf("%d buckets, want the pipeline's two alone", n)
	}

	found, err := up.Teardown(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Buckets) != 1 || found.Repository != "site" || found.Secret != "" || len(found.Left) != 0 {
		t.Fatalf("to tear down: %+v", found)
	}
	var puts errgroup.Group
	puts.SetLimit(16)
	for i := range 1100 {
		puts.Go(func() error {
			_, err := up.Clients.Buckets.PutObject(t.Context(), &s3.PutObjectInput{
				Bucket: &found.Buckets[0], Key: aws.String(fmt.Sprint("object/", i%7)), Body: strings.NewReader(fmt.Sprint(i)),
			})
			return err
		})
	}
	if err := puts.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := up.Down(t.Context(), found); err != nil {
		t.Fatal(err)
	}
	if n := countBuckets(t, up); n != 1 {
		t.Errorf("%d buckets are left, want the retained one", n)
	}
	if s, err := stack.Describe(t.Context(), up.Clients.Stacks, up.Project.StackName()); err != nil || s != nil {
		t.Errorf("the stack after its deletion: %v, %v", s, err)
	}
	if found, err = up.Teardown(t.Context()); err != nil || !found.Empty() {
		t.Errorf("to tear down after that: %+v, %v", found, err)
	}
}

func countBuckets(t *testing.T, up *pipeline.Up) int {
	t.Helper()
	out, err := up.Clients.Buckets.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Buckets)
}

func TestFindBinary(t *testing.T) {
	t.Parallel()
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no program"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, file, platform, want string }{
		{"no program", text, "linux-amd64", `"` + text + `", is none for Linux: `},
		{"nothing", text + "s", "linux-amd64", "no such file"},
		{"another machine's", "/bin/sh", map[string]string{"amd64": "linux-arm64", "arm64": "linux-amd64"}[runtime.GOARCH], `"/bin/sh", is for EM_`},
		{"another program", "/bin/sh", "linux-" + runtime.GOARCH, `"/bin/sh", is not ouro`},
	} {
		if _, err := pipeline.FindBinary(t.Context(), test.file, test.platform); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	one, err := pipeline.FindBinary(t.Context(), "", "linux-"+runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	same, err := pipeline.FindBinary(t.Context(), one.File, "linux-"+runtime.GOARCH)
	if err != nil || same.Key != one.Key || !strings.HasPrefix(one.Key, "_ouro/linux-"+runtime.GOARCH+"/") || one.Size == 0 {
		t.Errorf("%+v and %+v, %v", one, same, err)
	}
}
