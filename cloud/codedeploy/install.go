package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// inside is where a path of the instance lies in its root folder.
func inside(file string) string {
	return filepath.FromSlash(strings.TrimPrefix(path.Clean("/"+file), "/"))
}

// install removes what the revision before has put onto the instance, and
// copies the new one's files.
func (a *agent) install(ctx context.Context) error {
	spec, err := readAppspec(a.archive(a.deployment.id()))
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(a.root)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := a.removeFormer(root); err != nil {
		return err
	}
	archive, err := os.OpenRoot(a.archive(a.deployment.id()))
	if err != nil {
		return err
	}
	defer archive.Close()
	in := &installation{to: root, from: archive, behavior: a.deployment.Info.FileExistsBehavior}
	if spec.Behavior != "" {
		in.behavior = types.FileExistsBehavior(spec.Behavior) // it goes before the deployment's
	}
	for _, f := range spec.Files {
		if err := in.plan(ctx, f); err != nil {
			return err
		}
	}
	// What is about to be there is written down first, so that the next
	// installation removes it whatever happens now.
	var lines strings.Builder
	for _, c := range in.copies {
		lines.WriteString("/" + filepath.ToSlash(c.to) + "\n")
	}
	if err := os.WriteFile(a.instructions(cleanup), []byte(lines.String()), 0o644); err != nil {
		return err
	}
	for _, c := range in.copies {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := in.copy(c); err != nil {
			return fmt.Errorf("copying to /%s: %w", filepath.ToSlash(c.to), err)
		}
	}
	return a.permit(root, in.copies, spec.Permissions)
}

// removeFormer removes what the cleanup file lists, folders if they are empty.
func (a *agent) removeFormer(root *os.Root) error {
	text, err := os.ReadFile(a.instructions(cleanup))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	slices.Reverse(lines) // what lies in a folder comes before it
	for _, line := range lines {
		at := inside(line)
		if at == "" {
			continue
		}
		info, err := root.Lstat(at)
		if err != nil {
			continue // somebody else has removed it
		}
		if err := root.Remove(at); err != nil && !info.IsDir() { // a folder may hold files of others
			return fmt.Errorf("removing /%s of the revision before: %w", filepath.ToSlash(at), err)
		}
	}
	return nil
}

// installation copies files from a revision to an instance.
type installation struct {
	to, from *os.Root
	behavior types.FileExistsBehavior
	copies   []copied
	planned  map[string]bool
}

// copied is a file that is copied, or a folder that is made.
type copied struct {
	from, to string
	folder   bool
}

func (in *installation) add(c copied) {
	if in.planned == nil {
		in.planned = map[string]bool{}
	}
	if !in.planned[c.to] {
		in.planned[c.to] = true
		in.copies = append(in.copies, c)
	}
}

// plan plans the copies of one entry of the specification's files.
func (in *installation) plan(ctx context.Context, f specFile) error {
	source, destination := inside(f.Source), inside(f.Destination)
	if source == "" {
		source = "."
	}
	info, err := in.from.Stat(source)
	if err != nil {
		return fmt.Errorf("the AppSpec file's source %s: %w", f.Source, err)
	}
	if err := in.planFolders(destination); err != nil {
		return err
	}
	if !info.IsDir() {
		return in.planFile(source, filepath.Join(destination, filepath.Base(source)))
	}
	return fs.WalkDir(in.from.FS(), filepath.ToSlash(source), func(at string, e fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, context.Cause(ctx))
		}
		rel, err := filepath.Rel(source, filepath.FromSlash(at))
		if err != nil {
			return err
		}
		to := filepath.Join(destination, rel)
		if e.IsDir() {
			return in.planFolders(to)
		}
		return in.planFile(filepath.FromSlash(at), to)
	})
}

// planFolders plans the folders down to dir that are not there.
func (in *installation) planFolders(dir string) error {
	if dir == "." || dir == "" || in.planned[dir] {
		return nil
	}
	if err := in.planFolders(filepath.Dir(dir)); err != nil {
		return err
	}
	info, err := in.to.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		in.add(copied{to: dir, folder: true})
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("the deployment failed because a specified file already exists at this location: /%s", filepath.ToSlash(dir))
	}
	return nil
}

func (in *installation) planFile(from, to string) error {
	if in.planned[to] {
		return fmt.Errorf("the AppSpec file copies two files to /%s", filepath.ToSlash(to))
	}
	_, err := in.to.Lstat(to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case in.behavior == types.FileExistsBehaviorRetain:
		return nil
	case in.behavior != types.FileExistsBehaviorOverwrite:
		return fmt.Errorf("the deployment failed because a specified file already exists at this location: /%s", filepath.ToSlash(to))
	}
	in.add(copied{from: from, to: to})
	return nil
}

func (in *installation) copy(c copied) error {
	if c.folder {
		err := in.to.Mkdir(c.to, 0o755)
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
	info, err := in.from.Lstat(c.from)
	if err != nil {
		return err
	}
	if err := in.to.Remove(c.to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		link, err := in.from.Readlink(c.from)
		if err != nil {
			return err
		}
		return in.to.Symlink(link, c.to)
	}
	source, err := in.from.Open(c.from)
	if err != nil {
		return err
	}
	defer source.Close()
	file, err := in.to.OpenFile(c.to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(file, source)
	return errors.Join(err, file.Chmod(info.Mode().Perm()), file.Close())
}
