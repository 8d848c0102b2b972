package codebuild_test

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	iamapi "github.com/aws/aws-sdk-go-v2/service/iam"
	s3api "github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/cloud/cloudtest/tool"
	"ouro/cloud/codebuild"
	"ouro/cloud/codecommit"
	"ouro/cloud/codeconnections"
	"ouro/cloud/door"
	"ouro/cloud/eventbridge"
	"ouro/cloud/iam"
	"ouro/cloud/logs"
	"ouro/cloud/s3"
	"ouro/cloud/secretsmanager"
	"ouro/cloud/ssm"
	"ouro/cloud/store"
	"ouro/cloud/sts"
)

const roleARN = "arn:aws:iam::000000000000:role/build"

var owner = door.Caller{Account: "000000000000", Region: "us-east-1", ARN: "arn:aws:iam::000000000000:user/ada"}

// testCloud is a door with the services that builds call behind it.
type testCloud struct {
	*door.Door
	builds  *api.Client
	service *codebuild.Service
	store   *store.Store
}

// byCLI runs the AWS CLI's commands for CodeBuild, which print text.
func (c *testCloud) byCLI(t testing.TB) func(args ...string) string {
	t.Helper()
	return tool.NewAWS(t, c.Endpoint(), "codebuild").Run
}

// newCloud opens a cloud on the state in dir, with minutes of 50 ms.
func newCloud(t testing.TB, dir string) *testCloud {
	t.Helper()
	return newCloudWith(t, dir, codebuild.Options{})
}

func newCloudWith(t testing.TB, dir string, o codebuild.Options) *testCloud {
	t.Helper()
	o.Minute, o.Grace, o.Executable = 50*time.Millisecond, 100*time.Millisecond, "/bin/true"
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	d := door.New(door.Options{Store: st, Endpoint: "http://" + server.Listener.Addr().String()})
	repositories, identities, accounts := codecommit.New(d.Host("codecommit")), sts.New(d.Host("sts")), iam.New(d.Host("iam"))
	builds := codebuild.New(d.Host("codebuild"), o)
	hosted := codeconnections.New(d.Host("codeconnections"))
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/v1/repos/"):
			repositories.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, "/git-http/"), strings.HasPrefix(r.URL.Path, "/_codeconnections/"):
			hosted.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, "/_codebuild/"):
			builds.ServeHTTP(w, r)
		default:
			d.ServeHTTP(w, r)
		}
	})
	for name, service := range map[string]any{
		"codeconnections": hosted, "events": eventbridge.New(d.Host("events")),
		"sts": identities, "iam": accounts, "s3": s3.New(d.Host("s3")), "ssm": ssm.New(d.Host("ssm")), "codecommit": repositories,
		"secretsmanager": secretsmanager.New(d.Host("secretsmanager")), "logs": logs.New(d.Host("logs")), "codebuild": builds,
	} {
		if err := d.Register(name, service); err != nil {
			t.Fatal(err)
		}
	}
	d.Identify(identities.Identify)
	d.Identify(accounts.Identify)
	server.Start()
	if err := builds.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.Close()
		server.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	c := &testCloud{Door: d, builds: api.NewFromConfig(d.As(owner)), service: builds, store: st}
	c.makeRole(t)
	return c
}

func (c *testCloud) makeRole(t testing.TB) {
	t.Helper()
	ctx, client := context.Background(), iamapi.NewFromConfig(c.As(owner))
	if _, err := client.GetRole(ctx, &iamapi.GetRoleInput{RoleName: aws.String("build")}); err == nil {
		return
	}
	_, err := client.CreateRole(ctx, &iamapi.CreateRoleInput{RoleName: aws.String("build"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"codebuild.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.PutRolePolicy(ctx, &iamapi.PutRolePolicyInput{RoleName: aws.String("build"), PolicyName: aws.String("all"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
}

// project is a valid project without source and artifacts, that f may change.
func project(name, spec string, f func(*api.CreateProjectInput)) *api.CreateProjectInput {
	in := &api.CreateProjectInput{
		Name:        &name,
		Source:      &types.ProjectSource{Type: types.SourceTypeNoSource, Buildspec: &spec},
		Artifacts:   &types.ProjectArtifacts{Type: types.ArtifactsTypeNoArtifacts},
		Environment: &types.ProjectEnvironment{Type: types.EnvironmentTypeLinuxContainer, ComputeType: types.ComputeTypeBuildGeneral1Small, Image: aws.String("aws/codebuild/standard:7.0")},
		ServiceRole: aws.String(roleARN),
		// Tests that do not wait for a timeout must not meet one.
		TimeoutInMinutes: aws.Int32(2160),
	}
	if f != nil {
		f(in)
	}
	return in
}

func (c *testCloud) create(t testing.TB, in *api.CreateProjectInput) *types.Project {
	t.Helper()
	out, err := c.builds.CreateProject(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out.Project
}

func (c *testCloud) start(t testing.TB, in *api.StartBuildInput) *types.Build {
	t.Helper()
	out, err := c.builds.StartBuild(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out.Build
}

// build runs a build of a project with the buildspec to its end.
func (c *testCloud) build(t testing.TB, name, spec string) *types.Build {
	t.Helper()
	c.create(t, project(name, spec, nil))
	return c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: &name}))
}

func (c *testCloud) get(t testing.TB, id string) *types.Build {
	t.Helper()
	out, err := c.builds.BatchGetBuilds(context.Background(), &api.BatchGetBuildsInput{Ids: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Builds) != 1 {
		t.Fatalf("build %s is not there", id)
	}
	return &out.Builds[0]
}

// until polls a condition; the test fails when it does not come true.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (c *testCloud) wait(t testing.TB, b *types.Build) *types.Build {
	t.Helper()
	until(t, "the build's end", func() bool {
		b = c.get(t, *b.Id)
		return b.BuildComplete
	})
	return b
}

// log is all that the build said.
func (c *testCloud) log(t testing.TB, b *types.Build) string {
	t.Helper()
	out, err := cloudwatchlogs.NewFromConfig(c.As(owner)).GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: b.Logs.GroupName, LogStreamName: b.Logs.StreamName, StartFromHead: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, e := range out.Events {
		text.WriteString(*e.Message)
	}
	return text.String()
}

// phase is how a phase of the build went.
func phase(t testing.TB, b *types.Build, kind types.BuildPhaseType) types.BuildPhase {
	t.Helper()
	at := slices.IndexFunc(b.Phases, func(p types.BuildPhase) bool { return p.PhaseType == kind })
	if at < 0 {
		t.Fatalf("the build has no phase %s, but %s", kind, phases(b))
	}
	return b.Phases[at]
}

// phases is the build's phases and their statuses in one line.
func phases(b *types.Build) string {
	var out []string
	for _, p := range b.Phases {
		out = append(out, strings.TrimSuffix(string(p.PhaseType)+"="+string(p.PhaseStatus), "="))
	}
	return strings.Join(out, " ")
}

func (c *testCloud) bucket(t testing.TB, name string) *s3api.Client {
	t.Helper()
	client := s3api.NewFromConfig(c.As(owner))
	if _, err := client.CreateBucket(t.Context(), &s3api.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	return client
}

func putObject(t testing.TB, client *s3api.Client, bucket, key string, body []byte) {
	t.Helper()
	if _, err := client.PutObject(t.Context(), &s3api.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(body)}); err != nil {
		t.Fatal(err)
	}
}

func getObject(t testing.TB, client *s3api.Client, bucket, key string) []byte {
	t.Helper()
	out, err := client.GetObject(t.Context(), &s3api.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func keys(t testing.TB, client *s3api.Client, bucket string) []string {
	t.Helper()
	out, err := client.ListObjectsV2(t.Context(), &s3api.ListObjectsV2Input{Bucket: &bucket})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, o := range out.Contents {
		all = append(all, *o.Key)
	}
	return all
}

type entry struct {
	name, body string
	mode       uint32
}

func zipped(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate, CreatorVersion: 3 << 8, ExternalAttrs: e.mode << 16}
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, e.body)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func unzipped(t testing.TB, body []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name] = f.Mode().String() + " " + string(text)
	}
	return out
}
