package codecommit_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/smithy-go"

	"ouro/cloud/codecommit"
	"ouro/cloud/door"
	"ouro/cloud/wire"
)

func TestPushReachesTheAPIAndEventBridge(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir(), newEvents())
	url := c.create(t, "site")
	if want := c.url + "/v1/repos/site"; url != want {
		t.Errorf("clone URL %s, want %s", url, want)
	}
	dir := clone(t, strings.Replace(url, "http://", "http://user:secret@", 1))
	one := push(t, dir, "a.txt", "1")
	two := push(t, dir, "a.txt", "2")
	gitIn(t, dir, "push", "--quiet", "origin", "main:refs/tags/v1")
	meta, err := c.client().GetRepository(t.Context(), &sdk.GetRepositoryInput{RepositoryName: aws.String("site")})
	if err != nil || aws.ToString(meta.RepositoryMetadata.DefaultBranch) != "main" {
		t.Fatalf("repository %+v, %v", meta, err)
	}
	base := map[string]string{
		"repositoryName": "site", "repositoryId": *meta.RepositoryMetadata.RepositoryId,
		"callerUserArn": "arn:aws:iam::000000000000:root",
	}
	for _, want := range []map[string]string{
		{"event": "referenceCreated", "referenceType": "branch", "referenceName": "main", "referenceFullName": "refs/heads/main", "commitId": one},
		{"event": "referenceUpdated", "referenceType": "branch", "referenceName": "main", "referenceFullName": "refs/heads/main", "commitId": two, "oldCommitId": one},
		{"event": "referenceCreated", "referenceType": "tag", "referenceName": "v1", "referenceFullName": "refs/tags/v1", "commitId": two},
	} {
		maps.Copy(want, base)
		if got := c.next(t); !maps.Equal(got, want) {
			t.Errorf("event %v\nwant  %v", got, want)
		}
	}
	branch, err := c.client().GetBranch(t.Context(), &sdk.GetBranchInput{RepositoryName: aws.String("site"), BranchName: aws.String("main")})
	if err != nil || *branch.Branch.CommitId != two {
		t.Errorf("branch %+v, %v", branch, err)
	}
}

func TestEveryAccountAndRegionHasItsURL(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir(), newEvents())
	c.create(t, "site")
	other := sdk.NewFromConfig(c.door.As(door.Caller{Account: "111111111111", Region: "eu-west-1"}))
	out, err := other.CreateRepository(t.Context(), &sdk.CreateRepositoryInput{RepositoryName: aws.String("site")})
	if err != nil {
		t.Fatal(err)
	}
	if want := c.url + "/git-codecommit/eu-west-1/111111111111/v1/repos/site"; *out.RepositoryMetadata.CloneUrlHttp != want {
		t.Errorf("clone URL %s, want %s", *out.RepositoryMetadata.CloneUrlHttp, want)
	}
	id := push(t, clone(t, *out.RepositoryMetadata.CloneUrlHttp), "a.txt", "1")
	in := &sdk.GetBranchInput{RepositoryName: aws.String("site"), BranchName: aws.String("main")}
	if got, err := other.GetBranch(t.Context(), in); err != nil || *got.Branch.CommitId != id {
		t.Errorf("branch %+v, %v", got, err)
	}
	if _, err := c.client().GetBranch(t.Context(), in); code(err) != "BranchDoesNotExistException" {
		t.Errorf("the other account's repository: %v", err)
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

func TestErrors(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir(), newEvents())
	c.create(t, "site")
	client, ctx := c.client(), t.Context()
	site, none := aws.String("site"), aws.String("none")
	id := aws.String(strings.Repeat("a", 40))
	for name, call := range map[string]func() error{
		"RepositoryNameExistsException": func() error {
			_, err := client.CreateRepository(ctx, &sdk.CreateRepositoryInput{RepositoryName: site})
			return err
		},
		"InvalidRepositoryNameException": func() error {
			_, err := client.CreateRepository(ctx, &sdk.CreateRepositoryInput{RepositoryName: aws.String("a/b")})
			return err
		},
		"RepositoryDoesNotExistException": func() error {
			_, err := client.GetRepository(ctx, &sdk.GetRepositoryInput{RepositoryName: none})
			if err != nil && !strings.HasSuffix(err.Error(), "none does not exist") {
				t.Errorf("message: %v", err)
			}
			return err
		},
		"BranchDoesNotExistException": func() error {
			_, err := client.GetBranch(ctx, &sdk.GetBranchInput{RepositoryName: site, BranchName: none})
			return err
		},
		"InvalidBranchNameException": func() error {
			_, err := client.GetBranch(ctx, &sdk.GetBranchInput{RepositoryName: site, BranchName: aws.String("a..b")})
			return err
		},
		"CommitIdDoesNotExistException": func() error {
			_, err := client.GetCommit(ctx, &sdk.GetCommitInput{RepositoryName: site, CommitId: id})
			return err
		},
		"CommitDoesNotExistException": func() error {
			_, err := client.GetFile(ctx, &sdk.GetFileInput{RepositoryName: site, FilePath: aws.String("a")})
			return err
		},
		"BlobIdDoesNotExistException": func() error {
			_, err := client.GetBlob(ctx, &sdk.GetBlobInput{RepositoryName: site, BlobId: id})
			return err
		},
	} {
		if got := code(call()); got != name {
			t.Errorf("got %s, want %s", got, name)
		}
	}
}

func TestCommitsByTheAPI(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir(), newEvents())
	dir := clone(t, c.create(t, "site"))
	client, ctx := c.client(), t.Context()
	site, main := aws.String("site"), aws.String("main")
	first, err := client.CreateCommit(ctx, &sdk.CreateCommitInput{
		RepositoryName: site, BranchName: main, CommitMessage: aws.String("first"), AuthorName: aws.String("Ann"), Email: aws.String("ann@example.com"),
		PutFiles: []types.PutFileEntry{
			{FilePath: aws.String("a/b.txt"), FileContent: []byte("hello")},
			{FilePath: aws.String("run.sh"), FileContent: []byte("#!/bin/sh\n"), FileMode: types.FileModeTypeEnumExecutable},
			{FilePath: aws.String("link"), FileContent: []byte("run.sh"), FileMode: types.FileModeTypeEnumSymlink},
		},
	})
	if err != nil || len(first.FilesAdded) != 3 {
		t.Fatalf("first commit %+v, %v", first, err)
	}
	if e := c.next(t); e["event"] != "referenceCreated" || e["commitId"] != *first.CommitId {
		t.Errorf("event %v", e)
	}
	put := &sdk.PutFileInput{RepositoryName: site, BranchName: main, FilePath: aws.String("/a/b.txt"), FileContent: []byte("bye")}
	if _, err := client.PutFile(ctx, put); code(err) != "ParentCommitIdRequiredException" {
		t.Errorf("without a parent: %v", err)
	}
	put.ParentCommitId = first.CommitId
	second, err := client.PutFile(ctx, put)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.PutFile(ctx, put); code(err) != "ParentCommitIdOutdatedException" {
		t.Errorf("with an old parent: %v", err)
	}
	third, err := client.CreateCommit(ctx, &sdk.CreateCommitInput{
		RepositoryName: site, BranchName: main, ParentCommitId: second.CommitId, KeepEmptyFolders: true,
		PutFiles:     []types.PutFileEntry{{FilePath: aws.String("c"), SourceFile: &types.SourceFileSpecifier{FilePath: aws.String("a/b.txt"), IsMove: true}}},
		SetFileModes: []types.SetFileModeEntry{{FilePath: aws.String("run.sh"), FileMode: types.FileModeTypeEnumNormal}},
	})
	if err != nil || len(third.FilesAdded) != 2 || len(third.FilesUpdated) != 1 || len(third.FilesDeleted) != 1 {
		t.Fatalf("third commit %+v, %v", third, err)
	}
	gitIn(t, dir, "pull", "--quiet", "origin", "main")
	got := gitIn(t, dir, "log", "--reverse", "--format=%an <%ae> %s", "--raw", "--no-abbrev")
	if !strings.Contains(got, "Ann <ann@example.com> first") || gitIn(t, dir, "ls-files", "-s", "run.sh")[:6] != "100644" {
		t.Errorf("git sees\n%s", got)
	}
	if files := gitIn(t, dir, "ls-files"); files != "a/.gitkeep\nc\nlink\nrun.sh" {
		t.Errorf("files %q", files)
	}
	deleted, err := client.DeleteFile(ctx, &sdk.DeleteFileInput{RepositoryName: site, BranchName: main, ParentCommitId: third.CommitId, FilePath: aws.String("c")})
	if err != nil || aws.ToString(deleted.BlobId) != *second.BlobId {
		t.Errorf("deleted %+v, %v", deleted, err)
	}
	for name, entry := range map[string]types.PutFileEntry{
		"FileNameConflictsWithDirectoryNameException": {FilePath: aws.String("a"), FileContent: []byte("x")},
		"DirectoryNameConflictsWithFileNameException": {FilePath: aws.String("link/x"), FileContent: []byte("x")},
		"InvalidPathException":                        {FilePath: aws.String("../x"), FileContent: []byte("x")},
		"SourceFileOrContentRequiredException":        {FilePath: aws.String("x")},
		"NoChangeException":                           {FilePath: aws.String("link"), FileContent: []byte("run.sh"), FileMode: types.FileModeTypeEnumSymlink},
	} {
		_, err := client.CreateCommit(ctx, &sdk.CreateCommitInput{
			RepositoryName: site, BranchName: main, ParentCommitId: deleted.CommitId, PutFiles: []types.PutFileEntry{entry}})
		if code(err) != name {
			t.Errorf("got %v, want %s", err, name)
		}
	}
}

func TestReadingByTheAPI(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir(), newEvents())
	dir := clone(t, c.create(t, "site"))
	one := push(t, dir, "a.txt", "1")
	gitIn(t, dir, "rm", "--quiet", "a.txt")
	two := push(t, dir, "-r", "2")
	client, ctx := c.client(), t.Context()
	site := aws.String("site")
	commit, err := client.GetCommit(ctx, &sdk.GetCommitInput{RepositoryName: site, CommitId: aws.String(two)})
	if err != nil || *commit.Commit.Message != "change -r\n" || commit.Commit.Parents[0] != one || *commit.Commit.Author.Name != "Ann" {
		t.Errorf("commit %+v, %v", commit, err)
	}
	file, err := client.GetFile(ctx, &sdk.GetFileInput{RepositoryName: site, FilePath: aws.String("-r"), CommitSpecifier: aws.String("refs/heads/main")})
	if err != nil || string(file.FileContent) != "2" || file.FileSize != 1 {
		t.Errorf("file %+v, %v", file, err)
	}
	folder, err := client.GetFolder(ctx, &sdk.GetFolderInput{RepositoryName: site, FolderPath: aws.String("/"), CommitSpecifier: aws.String(one)})
	if err != nil || len(folder.Files) != 1 || *folder.Files[0].AbsolutePath != "a.txt" {
		t.Errorf("folder %+v, %v", folder, err)
	}
	in := &sdk.GetDifferencesInput{RepositoryName: site, BeforeCommitSpecifier: aws.String(one), AfterCommitSpecifier: aws.String("main"), MaxResults: aws.Int32(1)}
	var kinds []string
	pages := sdk.NewGetDifferencesPaginator(client, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page.Differences {
			kinds = append(kinds, string(d.ChangeType))
		}
	}
	if fmt.Sprint(kinds) != "[A D]" {
		t.Errorf("differences %v", kinds)
	}
}

func TestRepositoryAndBranchLife(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir(), newEvents())
	dir := clone(t, c.create(t, "site"))
	id := push(t, dir, "a.txt", "1")
	client, ctx := c.client(), t.Context()
	site, home, side := aws.String("site"), aws.String("home"), aws.String("side")
	if _, err := client.CreateBranch(ctx, &sdk.CreateBranchInput{RepositoryName: site, BranchName: side, CommitId: aws.String(id)}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteBranch(ctx, &sdk.DeleteBranchInput{RepositoryName: site, BranchName: aws.String("main")}); code(err) != "DefaultBranchCannotBeDeletedException" {
		t.Errorf("deleting the default branch: %v", err)
	}
	if _, err := client.UpdateDefaultBranch(ctx, &sdk.UpdateDefaultBranchInput{RepositoryName: site, DefaultBranchName: side}); err != nil {
		t.Error(err)
	}
	if _, err := client.DeleteBranch(ctx, &sdk.DeleteBranchInput{RepositoryName: site, BranchName: aws.String("main")}); err != nil {
		t.Error(err)
	}
	if _, err := client.UpdateRepositoryName(ctx, &sdk.UpdateRepositoryNameInput{OldName: site, NewName: home}); err != nil {
		t.Fatal(err)
	}
	arn := aws.String("arn:aws:codecommit:us-east-1:000000000000:home")
	if _, err := client.TagResource(ctx, &sdk.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"a": "1", "b": "2"}}); err != nil {
		t.Error(err)
	}
	if _, err := client.UntagResource(ctx, &sdk.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}}); err != nil {
		t.Error(err)
	}
	if tags, err := client.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceArn: arn}); err != nil || !maps.Equal(tags.Tags, map[string]string{"b": "2"}) {
		t.Errorf("tags %v, %v", tags, err)
	}
	batch, err := client.BatchGetRepositories(ctx, &sdk.BatchGetRepositoriesInput{RepositoryNames: []string{"home", "site"}})
	if err != nil || len(batch.Repositories) != 1 || *batch.Repositories[0].DefaultBranch != "side" || fmt.Sprint(batch.RepositoriesNotFound) != "[site]" {
		t.Errorf("repositories %+v, %v", batch, err)
	}
	gitIn(t, "", "clone", "--quiet", *batch.Repositories[0].CloneUrlHttp, dir+"2")
	if _, err := client.DeleteRepository(ctx, &sdk.DeleteRepositoryInput{RepositoryName: home}); err != nil {
		t.Error(err)
	}
	list, err := client.ListRepositories(ctx, &sdk.ListRepositoriesInput{})
	if err != nil || len(list.Repositories) != 0 {
		t.Errorf("repositories left: %+v, %v", list, err)
	}
}

func TestUploadArchive(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir(), newEvents())
	dir := clone(t, c.create(t, "site"))
	id := push(t, dir, "a.txt", "hello")
	role := door.Caller{Account: "000000000000", Region: "us-east-1", ARN: "arn:aws:sts::000000000000:assumed-role/pipeline/1"}
	var out codecommit.UploadArchiveOutput
	err := wire.CallJSON(t.Context(), c.door.As(role), "codecommit", "CodeCommit_20150413.UploadArchive",
		map[string]string{"repositoryName": "site", "commitSpecifier": id, "bucket": "artifacts", "key": "site/source/1.zip"}, &out)
	if err != nil || aws.ToString(out.CommitId) != id || aws.ToString(out.VersionId) != "v1" {
		t.Fatalf("%+v, %v", out, err)
	}
	body := c.bucket.objects["artifacts/site/source/1.zip"]
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil || len(z.File) != 1 || z.File[0].Name != "a.txt" {
		t.Errorf("archive %+v, %v", z, err)
	}
	if got := c.bucket.callers["artifacts/site/source/1.zip"]; got != role.ARN {
		t.Errorf("uploaded by %s, want the pipeline's role", got)
	}
}

// TestEventsOutliveTheProcess lets the cloud end with an event that could not
// be sent: the next one sends it.
func TestEventsOutliveTheProcess(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	deaf := newEvents()
	deaf.deaf = true
	c := newCloud(t, state, deaf)
	id := push(t, clone(t, c.create(t, "site")), "a.txt", "1")
	c.close()
	c = newCloud(t, state, newEvents())
	if e := c.next(t); e["event"] != "referenceCreated" || e["commitId"] != id || e["referenceName"] != "main" {
		t.Errorf("event %v", e)
	}
}

// BenchmarkPushToArchive is the way of a push through git, the event and the
// upload of its archive.
func BenchmarkPushToArchive(b *testing.B) {
	c := newCloud(b, b.TempDir(), newEvents())
	dir := clone(b, c.create(b, "site"))
	push(b, dir, "a.txt", "0")
	c.next(b)
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		gitIn(b, dir, "commit", "--quiet", "--allow-empty", "-m", fmt.Sprint(i))
		b.StartTimer()
		gitIn(b, dir, "push", "--quiet", "origin", "main")
		e := c.next(b)
		var out codecommit.UploadArchiveOutput
		err := wire.CallJSON(b.Context(), c.door.As(root), "codecommit", "CodeCommit_20150413.UploadArchive",
			map[string]string{"repositoryName": "site", "commitSpecifier": e["commitId"], "bucket": "a", "key": "k"}, &out)
		if err != nil {
			b.Fatal(err)
		}
	}
}
