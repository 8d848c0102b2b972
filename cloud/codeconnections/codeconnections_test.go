package codeconnections_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codeconnections"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"ouro/cloud/codeconnections"
	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/cloud/wire"
)

// events stands in for EventBridge: it takes down what it is sent.
type events struct {
	got      chan codeconnections.StateChange
	requests chan codeconnections.PullRequest
}

func (e *events) PutEvents(_ context.Context, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
	for _, entry := range in.Entries {
		if *entry.DetailType == codeconnections.PullRequestType {
			var p codeconnections.PullRequest
			if err := json.Unmarshal([]byte(*entry.Detail), &p); err != nil {
				return nil, err
			}
			e.requests <- p
			continue
		}
		if *entry.Source != "aws.codeconnections" || *entry.DetailType != codeconnections.DetailType {
			return nil, fmt.Errorf("event of %s: %s", *entry.Source, *entry.DetailType)
		}
		var change codeconnections.StateChange
		if err := json.Unmarshal([]byte(*entry.Detail), &change); err != nil {
			return nil, err
		}
		e.got <- change
	}
	return &eventbridge.PutEventsOutput{}, nil
}

// next waits for the next event.
func (e *events) next(t *testing.T) codeconnections.StateChange {
	t.Helper()
	select {
	case c := <-e.got:
		return c
	case <-time.After(time.Minute):
		t.Fatal("no event came within 30 seconds")
		return codeconnections.StateChange{}
	}
}

// bucket stands in for S3: it gives what is put to a channel.
type bucket struct{ put chan []byte }

func (b *bucket) PutObject(_ context.Context, in *s3.PutObjectInput) (*s3.PutObjectOutput, error) {
	body, err := io.ReadAll(in.Body)
	b.put <- body
	return &s3.PutObjectOutput{ETag: aws.String(`"1"`)}, err
}

// cloud is CodeConnections behind a door that listens.
type cloud struct {
	door   *door.Door
	url    string
	client *sdk.Client
	events *events
	bucket *bucket
}

var root = door.Caller{Account: "000000000000", Region: "us-east-1"}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewUnstartedServer(nil)
	c := &cloud{
		url:    "http://" + web.Listener.Addr().String(),
		events: &events{make(chan codeconnections.StateChange, 100), make(chan codeconnections.PullRequest, 10)},
		bucket: &bucket{make(chan []byte, 10)},
	}
	c.door = door.New(door.Options{Store: st, Endpoint: c.url})
	service := codeconnections.New(c.door.Host("codeconnections"))
	for name, impl := range map[string]any{"codeconnections": service, "events": c.events, "s3": c.bucket} {
		if err := c.door.Register(name, impl); err != nil {
			t.Fatal(err)
		}
	}
	c.client = sdk.NewFromConfig(c.door.As(root))
	mux := http.NewServeMux()
	mux.Handle("/", c.door)
	for _, path := range service.Paths() {
		mux.Handle(path, service)
	}
	web.Config.Handler = mux
	web.Start()
	t.Cleanup(func() {
		web.Close()
		c.door.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// connect makes a connection to GitHub and gives its ARN.
func (c *cloud) connect(t *testing.T) string {
	t.Helper()
	out, err := c.client.CreateConnection(t.Context(), &sdk.CreateConnectionInput{
		ConnectionName: aws.String("hub"), ProviderType: types.ProviderTypeGithub,
		Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.ConnectionArn
}

func (c *cloud) remote(arn, repository string) string {
	return c.url + "/git-http/000000000000/us-east-1/" + arn[strings.LastIndex(arn, "/")+1:] + "/" + repository + ".git"
}

// internal calls an operation that the SDK does not have.
func (c *cloud) internal(t *testing.T, operation string, in map[string]string, out any) error {
	t.Helper()
	return wire.CallJSON(t.Context(), c.door.As(root), "codeconnections", "CodeConnections_20231201."+operation, in, out)
}

func tryGit(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com", "GIT_AUTHOR_DATE=1700000000 +0100",
		"GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.com", "GIT_COMMITTER_DATE=1700000000 +0100")
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func gitIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := tryGit(dir, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func commit(t *testing.T, dir, name string) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
		t.Fatal(err)
	}
	gitIn(t, dir, "add", "--all")
	gitIn(t, dir, "commit", "--quiet", "-m", "add "+name)
	return gitIn(t, dir, "rev-parse", "HEAD")
}

func newWork(t *testing.T) string {
	dir := t.TempDir()
	gitIn(t, dir, "init", "--quiet", "-b", "main")
	return dir
}

func TestFirstPushMakesTheRepository(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	arn := c.connect(t)
	const repository = "group/sub/site"
	remote, dir := c.remote(arn, repository), newWork(t)
	if out, err := tryGit(dir, "ls-remote", remote); err == nil {
		t.Errorf("a repository before its first push: %s", out)
	}
	one := commit(t, dir, "a.txt")
	gitIn(t, dir, "push", "--quiet", remote, "main")
	gitIn(t, dir, "checkout", "--quiet", "-b", "side")
	two := commit(t, dir, "b.txt")
	gitIn(t, dir, "push", "--quiet", remote, "side", "side:refs/tags/v1")
	gitIn(t, dir, "checkout", "--quiet", "--orphan", "lone")
	three := commit(t, dir, "c.txt")
	gitIn(t, dir, "push", "--quiet", remote, "lone", ":side")
	gitIn(t, dir, "tag", "-a", "-m", "two", "v2", two)
	gitIn(t, dir, "push", "--quiet", remote, "v2")
	messages := map[string]string{one: "add a.txt", two: "add b.txt", three: "add c.txt"}
	for _, want := range []codeconnections.StateChange{
		{ReferenceType: "branch", ReferenceName: "main", CommitID: one, ChangedFiles: []string{"a.txt"}},
		{ReferenceType: "branch", ReferenceName: "side", CommitID: two, ChangedFiles: []string{"b.txt"}},
		{ReferenceType: "tag", ReferenceName: "v1", CommitID: two},
		// No commit in common with main: the files cannot be told.
		{ReferenceType: "branch", ReferenceName: "lone", CommitID: three, ChangedFilesTruncated: true},
		{ReferenceType: "branch", ReferenceName: "side", OldCommitID: two},
		{ReferenceType: "tag", ReferenceName: "v2", CommitID: two}, // not the annotated tag's own id
	} {
		want.ConnectionARN, want.FullRepositoryID, want.ProviderType = arn, repository, types.ProviderTypeGithub
		if message := messages[want.CommitID]; message != "" {
			want.CommitMessage, want.AuthorName, want.AuthorEmail, want.Sender = message, "Ann", "ann@example.com", "Ann"
			want.AuthorDate = "2023-11-14T22:13:20Z"
			want.AddedFiles = want.ChangedFiles
		}
		if got := c.events.next(t); !reflect.DeepEqual(got, want) {
			t.Errorf("event %+v\nwant  %+v", got, want)
		}
	}
}

func TestSourceOperations(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	arn, dir := c.connect(t), newWork(t)
	id := commit(t, dir, "a.txt")
	gitIn(t, dir, "push", "--quiet", c.remote(arn, "ann/site"), "main")
	old := strings.Replace(arn, "codeconnections", "codestar-connections", 1)
	in := map[string]string{"ConnectionArn": old, "FullRepositoryId": "ann/site", "BranchName": "main"}
	var branch codeconnections.GetBranchOutput
	if err := c.internal(t, "GetBranch", in, &branch); err != nil {
		t.Fatal(err)
	}
	want := codeconnections.GetBranchOutput{
		AuthorDate: aws.String("2023-11-14T22:13:20Z"), AuthorDisplayName: aws.String("Ann"),
		AuthorEmail: aws.String("ann@example.com"), AuthorId: aws.String("ann@example.com"),
		CommitterDate: aws.String("2023-11-14T22:13:20Z"),
		BranchName:    aws.String("main"), CommitId: aws.String(id), CommitMessage: aws.String("add a.txt"),
		ProviderType: types.ProviderTypeGithub, CloneUrl: aws.String(c.remote(arn, "ann/site")),
	}
	if !reflect.DeepEqual(branch, want) {
		got, _ := json.Marshal(branch)
		t.Errorf("branch %s", got)
	}
	in["BranchName"] = "none"
	err := c.internal(t, "GetBranch", in, &branch)
	var failed *wire.Error
	if !errors.As(err, &failed) || failed.Message != "[GitHub] No Branch [none] found for FullRepositoryName [ann/site]" {
		t.Errorf("a branch that is not there: %v", err)
	}
	in["CommitId"] = "main"
	if err := c.internal(t, "GetCommit", in, &branch); err != nil || *branch.CommitId != id {
		t.Errorf("commit %+v, %v", branch, err)
	}
	in["CommitId"] = strings.Repeat("0", 40)
	if err := c.internal(t, "GetCommit", in, &branch); code(err) != "ResourceNotFoundException" {
		t.Errorf("a commit that is not there: %v", err)
	}
	var list codeconnections.ListRepositoriesOutput
	if err := c.internal(t, "ListRepositories", in, &list); err != nil || !slices.Equal(list.FullRepositoryIds, []string{"ann/site"}) {
		t.Errorf("repositories %q, %v", list.FullRepositoryIds, err)
	}
	var out codeconnections.StartUploadArchiveToS3Output
	err = c.internal(t, "StartUploadArchiveToS3", map[string]string{
		"ConnectionArn": arn, "FullRepositoryId": "ann/site", "CommitId": id, "Bucket": "artifacts", "Key": "1.zip"}, &out)
	if err != nil || aws.ToString(out.CommitId) != id {
		t.Fatalf("upload %+v, %v", out, err)
	}
	body := <-c.bucket.put
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil || len(z.File) != 1 || z.File[0].Name != "a.txt" {
		t.Errorf("archive %+v, %v", z, err)
	}
}

func TestConnectionsAndHosts(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	ctx := t.Context()
	arn := c.connect(t)
	host, err := c.client.CreateHost(ctx, &sdk.CreateHostInput{
		Name: aws.String("own"), ProviderEndpoint: aws.String("https://git.example.com"), ProviderType: types.ProviderTypeGithubEnterpriseServer})
	if err != nil {
		t.Fatal(err)
	}
	behind, err := c.client.CreateConnection(ctx, &sdk.CreateConnectionInput{ConnectionName: aws.String("own"), HostArn: host.HostArn})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.client.GetConnection(ctx, &sdk.GetConnectionInput{ConnectionArn: behind.ConnectionArn})
	if err != nil || got.Connection.ConnectionStatus != types.ConnectionStatusAvailable ||
		got.Connection.ProviderType != types.ProviderTypeGithubEnterpriseServer || *got.Connection.HostArn != *host.HostArn {
		t.Errorf("connection %+v, %v", got, err)
	}
	if _, err := c.client.DeleteHost(ctx, &sdk.DeleteHostInput{HostArn: host.HostArn}); code(err) != "ResourceUnavailableException" {
		t.Errorf("deleting a host in use: %v", err)
	}
	names := map[string]bool{}
	pages := sdk.NewListConnectionsPaginator(c.client, &sdk.ListConnectionsInput{MaxResults: 1})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range page.Connections {
			names[*one.ConnectionName] = true
		}
	}
	if len(names) != 2 {
		t.Errorf("connections %v", names)
	}
	if _, err := c.client.TagResource(ctx, &sdk.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}}}); err != nil {
		t.Error(err)
	}
	if _, err := c.client.UntagResource(ctx, &sdk.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"a"}}); err != nil {
		t.Error(err)
	}
	tags, err := c.client.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceArn: &arn})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Key != "b" {
		t.Errorf("tags %+v, %v", tags, err)
	}
	dir := newWork(t)
	commit(t, dir, "a.txt")
	gitIn(t, dir, "push", "--quiet", c.remote(arn, "ann/site"), "main")
	if _, err := c.client.DeleteConnection(ctx, &sdk.DeleteConnectionInput{ConnectionArn: &arn}); err != nil {
		t.Fatal(err)
	}
	if out, err := tryGit(dir, "ls-remote", c.remote(arn, "ann/site")); err == nil {
		t.Errorf("a repository without its connection: %s", out)
	}
	if _, err := c.client.GetConnection(ctx, &sdk.GetConnectionInput{ConnectionArn: &arn}); code(err) != "ResourceNotFoundException" {
		t.Errorf("a deleted connection: %v", err)
	}
	_, err = c.client.CreateConnection(ctx, &sdk.CreateConnectionInput{ConnectionName: aws.String("x"), ProviderType: "SourceForge"})
	if code(err) != "ValidationException" {
		t.Errorf("an unknown provider: %v", err)
	}
}

// code is the code of an API error.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}
