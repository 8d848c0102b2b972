package resource

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func repositoryKind() *Kind {
	return &Kind{
		Type: "AWS::CodeCommit::Repository", NameProperty: "RepositoryName", Naming: &Naming{Max: 100},
		Create: createRepository, Update: updateRepository,
		Delete: func(ctx context.Context, r *Request) error {
			_, err := Client(r.Clients, codecommit.NewFromConfig).DeleteRepository(ctx, &codecommit.DeleteRepositoryInput{RepositoryName: aws.String(repositoryName(r))})
			return gone(err)
		},
	}
}

// repositoryName is what the repository is called now; its physical id is a UUID.
func repositoryName(r *Request) string {
	if name := text(r.Attributes["Name"]); name != "" {
		return name
	}
	return r.Name
}

func createRepository(ctx context.Context, r *Request) (Result, error) {
	in := &codecommit.CreateRepositoryInput{}
	if err := Bind(r.Properties, in, "Code", "Triggers", "Tags"); err != nil {
		return Result{}, err
	}
	in.RepositoryName, in.Tags = &r.Name, r.allTags()
	client := Client(r.Clients, codecommit.NewFromConfig)
	if _, err := client.CreateRepository(ctx, in); err != nil && !(r.Retry && IsExists(err)) {
		return Result{}, err
	}
	r.Physical = r.Name // until its id is known
	if r.Properties["Code"] != nil {
		if err := firstCommit(ctx, client, r); err != nil {
			return Result{}, err
		}
	}
	if err := putTriggers(ctx, client, r); err != nil {
		return Result{}, err
	}
	return repositoryResult(ctx, client, r.Name)
}

func updateRepository(ctx context.Context, r *Request) (Result, error) {
	if err := Bind(r.Properties, &codecommit.CreateRepositoryInput{}, "Code", "Triggers", "Tags"); err != nil {
		return Result{}, err
	}
	client := Client(r.Clients, codecommit.NewFromConfig)
	name := repositoryName(r)
	if wanted := r.Text("RepositoryName"); wanted != name {
		if _, err := client.UpdateRepositoryName(ctx, &codecommit.UpdateRepositoryNameInput{OldName: &name, NewName: &wanted}); err != nil {
			return Result{}, err
		}
		name = wanted
	}
	if d := r.Text("RepositoryDescription"); d != text(r.Former["RepositoryDescription"]) {
		if _, err := client.UpdateRepositoryDescription(ctx, &codecommit.UpdateRepositoryDescriptionInput{RepositoryName: &name, RepositoryDescription: &d}); err != nil {
			return Result{}, err
		}
	}
	if err := putTriggers(ctx, client, r); err != nil {
		return Result{}, err
	}
	arn := r.ARN("codecommit", name)
	set, drop := r.tagChanges()
	if len(drop) > 0 {
		if _, err := client.UntagResource(ctx, &codecommit.UntagResourceInput{ResourceArn: &arn, TagKeys: drop}); err != nil {
			return Result{}, err
		}
	}
	if len(set) > 0 {
		if _, err := client.TagResource(ctx, &codecommit.TagResourceInput{ResourceArn: &arn, Tags: set}); err != nil {
			return Result{}, err
		}
	}
	return repositoryResult(ctx, client, name)
}

func putTriggers(ctx context.Context, client *codecommit.Client, r *Request) error {
	if document(r.Properties["Triggers"]) == document(r.Former["Triggers"]) {
		return nil
	}
	in := &codecommit.PutRepositoryTriggersInput{Triggers: []types.RepositoryTrigger{}}
	if err := Bind(map[string]any{"Triggers": r.Properties["Triggers"]}, in); err != nil {
		return err
	}
	in.RepositoryName = aws.String(repositoryName(r))
	_, err := client.PutRepositoryTriggers(ctx, in)
	return err
}

func repositoryResult(ctx context.Context, client *codecommit.Client, name string) (Result, error) {
	out, err := client.GetRepository(ctx, &codecommit.GetRepositoryInput{RepositoryName: &name})
	if err != nil {
		return Result{}, err
	}
	m := out.RepositoryMetadata
	return Result{Physical: aws.ToString(m.RepositoryId), Attributes: map[string]any{
		"Arn": aws.ToString(m.Arn), "Name": aws.ToString(m.RepositoryName), "KmsKeyId": aws.ToString(m.KmsKeyId),
		"CloneUrlHttp": aws.ToString(m.CloneUrlHttp), "CloneUrlSsh": aws.ToString(m.CloneUrlSsh)}}, nil
}

const (
	// filesPerCommit is how many files CodeCommit takes in one commit.
	filesPerCommit = 100
	// maxCode bounds the archive that a repository may begin with, packed and unpacked.
	maxCode = 20 << 20
)

// firstCommit fills a new repository from the zip that the template names.
func firstCommit(ctx context.Context, client *codecommit.Client, r *Request) error {
	code := object(r.Properties["Code"])
	branch := text(code["BranchName"])
	if branch == "" {
		branch = "main"
	}
	if r.Retry {
		if _, err := client.GetBranch(ctx, &codecommit.GetBranchInput{RepositoryName: &r.Name, BranchName: &branch}); err == nil {
			return nil
		}
	}
	files, err := codeFiles(ctx, r, object(code["S3"]))
	if err != nil {
		return err
	}
	var parent *string
	for len(files) > 0 {
		n := min(filesPerCommit, len(files))
		out, err := client.CreateCommit(ctx, &codecommit.CreateCommitInput{RepositoryName: &r.Name, BranchName: &branch, ParentCommitId: parent,
			PutFiles: files[:n], CommitMessage: aws.String("Initial commit by CloudFormation"), AuthorName: aws.String("AWS CloudFormation")})
		if err != nil {
			return err
		}
		parent, files = out.CommitId, files[n:]
	}
	return nil
}

func codeFiles(ctx context.Context, r *Request, at map[string]any) ([]types.PutFileEntry, error) {
	in := &s3.GetObjectInput{Bucket: aws.String(text(at["Bucket"])), Key: aws.String(text(at["Key"]))}
	if v := text(at["ObjectVersion"]); v != "" {
		in.VersionId = &v
	}
	out, err := Client(r.Clients, s3.NewFromConfig).GetObject(ctx, in)
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	body, err := io.ReadAll(io.LimitReader(out.Body, maxCode+1))
	if err != nil {
		return nil, fmt.Errorf("reading the code from s3://%s/%s: %w", *in.Bucket, *in.Key, err)
	}
	archive, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil || len(body) > maxCode {
		return nil, fmt.Errorf("s3://%s/%s is no zip archive of at most %d bytes", *in.Bucket, *in.Key, maxCode)
	}
	var files []types.PutFileEntry
	room := int64(maxCode)
	for _, f := range archive.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		content, err := unzip(f, room)
		if err != nil {
			return nil, err
		}
		room -= int64(len(content))
		entry := types.PutFileEntry{FilePath: aws.String(f.Name), FileContent: content}
		if f.Mode()&0o100 != 0 {
			entry.FileMode = types.FileModeTypeEnumExecutable
		}
		files = append(files, entry)
	}
	return files, nil
}

func unzip(f *zip.File, room int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("unpacking %q: %w", f.Name, err)
	}
	defer r.Close()
	content, err := io.ReadAll(io.LimitReader(r, room+1))
	if err == nil && int64(len(content)) > room {
		err = fmt.Errorf("the archive holds more than %d bytes", maxCode)
	}
	if err != nil {
		return nil, fmt.Errorf("unpacking %q: %w", f.Name, err)
	}
	return content, nil
}
