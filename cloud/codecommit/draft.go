package codecommit

import (
	"context"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"ouro/cloud/git"
)

// draft is the tree of a commit in the making.
type draft struct {
	before  map[string]git.Entry // the parent's files, by path
	after   map[string]git.Entry
	content map[string][]byte // of files whose blob is new
	touched map[string]bool   // paths that the request named for a change
}

func newDraft(ctx context.Context, g *git.Repository, parent git.Commit) (*draft, error) {
	d := &draft{before: map[string]git.Entry{}, content: map[string][]byte{}, touched: map[string]bool{}}
	if parent.Tree != "" {
		files, err := g.Files(ctx, parent.Tree)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			d.before[f.Path] = f
		}
	}
	d.after = maps.Clone(d.before)
	return d, nil
}

// apply makes the changes that a request asks for: deletions first, so that a
// folder can take the place of a file.
func (d *draft) apply(in *codecommit.CreateCommitInput) error {
	for _, f := range in.DeleteFiles {
		if err := d.remove(f.FilePath, in.KeepEmptyFolders); err != nil {
			return err
		}
	}
	for _, f := range in.PutFiles {
		if f.SourceFile != nil && f.SourceFile.IsMove {
			if err := d.remove(f.SourceFile.FilePath, in.KeepEmptyFolders); err != nil {
				return err
			}
		}
	}
	for _, f := range in.PutFiles {
		if err := d.put(f); err != nil {
			return err
		}
	}
	for _, f := range in.SetFileModes {
		if err := d.setMode(f); err != nil {
			return err
		}
	}
	return nil
}

// touch takes note that the request changes a path; it may do so once.
func (d *draft) touch(p *string) (string, error) {
	name, err := cleanPath(p)
	if err != nil {
		return "", err
	}
	if d.touched[name] {
		return "", &types.PutFileEntryConflictException{Message: aws.String("The path " + name + " is changed more than once in one commit.")}
	}
	d.touched[name] = true
	return name, nil
}

func (d *draft) remove(p *string, keepFolder bool) error {
	name, err := d.touch(p)
	if err != nil {
		return err
	}
	if e, ok := d.after[name]; !ok || e.Mode == git.ModeSubmodule {
		return noFile(name)
	}
	delete(d.after, name)
	if folder := path.Dir(name); keepFolder && folder != "." && !d.hasFolder(folder) {
		d.write(folder+"/.gitkeep", git.ModeFile, []byte{})
	}
	return nil
}

func (d *draft) write(name, mode string, content []byte) {
	d.after[name] = git.Entry{Path: name, Mode: mode, ID: git.BlobID(content)}
	d.content[name] = content
}

// hasFolder tells whether anything lies in a folder.
func (d *draft) hasFolder(folder string) bool {
	for name := range d.after {
		if strings.HasPrefix(name, folder+"/") {
			return true
		}
	}
	return false
}

func (d *draft) put(f types.PutFileEntry) error {
	switch {
	case f.SourceFile != nil && f.FileContent != nil:
		return &types.FileContentAndSourceFileSpecifiedException{Message: aws.String("A file entry takes a content or a source file, not both.")}
	case f.SourceFile == nil && f.FileContent == nil:
		return &types.SourceFileOrContentRequiredException{Message: aws.String("A file entry needs a content or a source file.")}
	case len(f.FileContent) > maxFile:
		return &types.FileContentSizeLimitExceededException{Message: aws.String("The file " + aws.ToString(f.FilePath) + " is larger than 6 MB; use git to push it.")}
	}
	name, err := d.touch(f.FilePath)
	if err != nil {
		return err
	}
	if err := d.fits(name); err != nil {
		return err
	}
	mode, err := gitMode(f.FileMode)
	if err != nil {
		return err
	}
	if f.SourceFile == nil {
		d.write(name, mode, f.FileContent)
		return nil
	}
	source, err := cleanPath(f.SourceFile.FilePath)
	if err != nil {
		return err
	}
	e, ok := d.before[source]
	if !ok || e.Mode == git.ModeSubmodule {
		return noFile(source)
	}
	if f.FileMode == "" {
		mode = e.Mode
	}
	d.after[name] = git.Entry{Path: name, Mode: mode, ID: e.ID}
	return nil
}

// fits tells whether a file can be at name, beside the other files.
func (d *draft) fits(name string) error {
	if d.after[name].Mode == git.ModeSubmodule {
		return &types.FilePathConflictsWithSubmodulePathException{Message: aws.String("The path " + name + " is that of a submodule.")}
	}
	if d.hasFolder(name) {
		return &types.FileNameConflictsWithDirectoryNameException{Message: aws.String("The path " + name + " is that of a folder.")}
	}
	for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
		if _, ok := d.after[folder]; ok {
			return &types.DirectoryNameConflictsWithFileNameException{Message: aws.String("The path " + folder + " is that of a file.")}
		}
	}
	return nil
}

func (d *draft) setMode(f types.SetFileModeEntry) error {
	if f.FileMode == "" {
		return &types.FileModeRequiredException{Message: aws.String("A file mode is required.")}
	}
	name, err := d.touch(f.FilePath)
	if err != nil {
		return err
	}
	e, ok := d.after[name]
	if !ok || e.Mode == git.ModeSubmodule {
		return noFile(name)
	}
	if e.Mode, err = gitMode(f.FileMode); err != nil {
		return err
	}
	d.after[name] = e
	return nil
}

// edits are what makes after out of before, by path.
func (d *draft) edits() (edits []git.Edit, added, updated, deleted []types.FileMetadata) {
	all := maps.Clone(d.before)
	maps.Copy(all, d.after)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		was, existed := d.before[name]
		is, exists := d.after[name]
		switch {
		case !exists:
			edits = append(edits, git.Edit{Path: name})
			deleted = append(deleted, metadata(was))
			continue
		case !existed:
			added = append(added, metadata(is))
		case was.ID == is.ID && was.Mode == is.Mode:
			continue
		default:
			updated = append(updated, metadata(is))
		}
		edit := git.Edit{Path: name, Mode: is.Mode, Blob: is.ID}
		if content, ok := d.content[name]; ok {
			edit.Content, edit.Blob = content, ""
		}
		edits = append(edits, edit)
	}
	return edits, added, updated, deleted
}

func metadata(e git.Entry) types.FileMetadata {
	return types.FileMetadata{AbsolutePath: aws.String(e.Path), BlobId: aws.String(e.ID), FileMode: modes[e.Mode]}
}
