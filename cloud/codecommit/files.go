package codecommit

import (
	"context"
	"errors"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"ouro/cloud/git"
)

// maxFile is the longest file, in bytes, that the API gives or takes; git has
// no such limit.
const maxFile = 6 << 20

// GetBlob gives the content of a blob.
func (s *Service) GetBlob(ctx context.Context, in *codecommit.GetBlobInput) (*codecommit.GetBlobOutput, error) {
	switch id := aws.ToString(in.BlobId); {
	case id == "":
		return nil, &types.BlobIdRequiredException{Message: aws.String("A blob ID is required.")}
	case !git.ValidID(id):
		return nil, &types.InvalidBlobIdException{Message: aws.String("The blob ID " + id + " is not valid.")}
	}
	_, g, err := s.open(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	content, err := blob(ctx, g, *in.BlobId, *in.BlobId)
	if err != nil {
		return nil, err
	}
	return &codecommit.GetBlobOutput{Content: content}, nil
}

// blob reads a blob; what names it in an error.
func blob(ctx context.Context, g *git.Repository, id, what string) ([]byte, error) {
	content, ok, err := g.Blob(ctx, id, maxFile)
	switch {
	case errors.Is(err, git.ErrNoObject):
		return nil, &types.BlobIdDoesNotExistException{Message: aws.String("Blob " + id + " does not exist")}
	case err != nil:
		return nil, err
	case !ok:
		return nil, &types.FileTooLargeException{Message: aws.String(what + " is larger than 6 MB; use git to get it")}
	}
	return content, nil
}

// GetFile gives the content of a file of a commit.
func (s *Service) GetFile(ctx context.Context, in *codecommit.GetFileInput) (*codecommit.GetFileOutput, error) {
	name, err := cleanPath(in.FilePath)
	if err != nil {
		return nil, err
	}
	_, g, err := s.open(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	c, err := resolve(ctx, g, in.CommitSpecifier)
	if err != nil {
		return nil, err
	}
	e, ok, err := g.Entry(ctx, c.Tree, name)
	if err != nil {
		return nil, err
	}
	mode, isFile := modes[e.Mode]
	if !ok || !isFile {
		return nil, noFile(name)
	}
	content, err := blob(ctx, g, e.ID, name)
	if err != nil {
		return nil, err
	}
	return &codecommit.GetFileOutput{
		BlobId: aws.String(e.ID), CommitId: aws.String(c.ID), FilePath: aws.String(name),
		FileContent: content, FileMode: mode, FileSize: e.Size,
	}, nil
}

func noFile(name string) error {
	return &types.FileDoesNotExistException{Message: aws.String("Could not find path " + name)}
}

// cleanFolder gives the path of a folder as git has it; the root is empty.
func cleanFolder(p *string) string { return strings.Trim(aws.ToString(p), "/") }

// GetFolder lists what is in a folder of a commit.
func (s *Service) GetFolder(ctx context.Context, in *codecommit.GetFolderInput) (*codecommit.GetFolderOutput, error) {
	if in.FolderPath == nil {
		return nil, &types.PathRequiredException{Message: aws.String("A folder path is required.")}
	}
	name := cleanFolder(in.FolderPath)
	if name != "" && !git.ValidPath(name) {
		return nil, &types.InvalidPathException{Message: aws.String("The path " + name + " is not valid.")}
	}
	_, g, err := s.open(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	c, err := resolve(ctx, g, in.CommitSpecifier)
	if err != nil {
		return nil, err
	}
	tree, inside, ok, err := g.Folder(ctx, c.Tree, name)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &types.FolderDoesNotExistException{Message: aws.String("Could not find folder " + name)}
	}
	if name == "" {
		tree = c.Tree
	}
	out := &codecommit.GetFolderOutput{
		CommitId: aws.String(c.ID), FolderPath: aws.String(name), TreeId: aws.String(tree),
		Files: []types.File{}, SubFolders: []types.Folder{}, SubModules: []types.SubModule{}, SymbolicLinks: []types.SymbolicLink{},
	}
	for _, e := range inside {
		list(out, e)
	}
	return out, nil
}

// list adds an entry to the list of its kind.
func list(out *codecommit.GetFolderOutput, e git.Entry) {
	absolute, relative, id := aws.String(e.Path), aws.String(path.Base(e.Path)), aws.String(e.ID)
	switch e.Mode {
	case git.ModeFolder:
		out.SubFolders = append(out.SubFolders, types.Folder{AbsolutePath: absolute, RelativePath: relative, TreeId: id})
	case git.ModeSubmodule:
		out.SubModules = append(out.SubModules, types.SubModule{AbsolutePath: absolute, RelativePath: relative, CommitId: id})
	case git.ModeSymlink:
		out.SymbolicLinks = append(out.SymbolicLinks, types.SymbolicLink{
			AbsolutePath: absolute, RelativePath: relative, BlobId: id, FileMode: modes[e.Mode]})
	default:
		out.Files = append(out.Files, types.File{
			AbsolutePath: absolute, RelativePath: relative, BlobId: id, FileMode: modes[e.Mode]})
	}
}
