package codedeploy

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// permit gives what was copied the owners and modes of the specification's
// permissions. What the local cloud cannot do, because it is not root or has
// no lists of access control, is told in the deployment's log.
// https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-permissions.html
func (a *agent) permit(root *os.Root, copies []copied, permissions []specPermission) error {
	for _, p := range permissions {
		if p.Object == "" {
			return fmt.Errorf("an entry of the AppSpec file's permissions has no object")
		}
		mode, err := p.mode()
		if err != nil {
			return err
		}
		uid, gid, note, err := p.owners()
		if err != nil {
			return err
		}
		if len(p.ACLs) > 0 || p.Context != nil {
			note = strings.TrimSpace(note + " acls and context are not applied by the local cloud")
		}
		if note != "" {
			a.log("permissions of " + p.Object + ": " + note)
		}
		for _, c := range copies {
			if !p.covers(c) {
				continue
			}
			if mode != nil {
				if err := root.Chmod(c.to, *mode); err != nil {
					return fmt.Errorf("the mode of /%s: %w", filepath.ToSlash(c.to), err)
				}
			}
			if uid >= 0 || gid >= 0 {
				if err := root.Lchown(c.to, uid, gid); err != nil {
					return fmt.Errorf("the owner of /%s: %w", filepath.ToSlash(c.to), err)
				}
			}
		}
	}
	return nil
}

// covers tells whether the permission is for what was copied.
func (p specPermission) covers(c copied) bool {
	object, at := inside(p.Object), c.to
	kind := "file"
	if c.folder {
		kind = "directory"
	}
	if len(p.Type) > 0 && !slices.Contains(p.Type, kind) {
		return false
	}
	if at == object {
		return true
	}
	rel, ok := strings.CutPrefix(at, object+string(filepath.Separator))
	if object == "" {
		rel, ok = at, true
	}
	if !ok {
		return false
	}
	matches := func(pattern string) bool {
		if pattern == "" || pattern == "**" {
			return true
		}
		ok, err := path.Match(pattern, filepath.Base(rel))
		return err == nil && ok && !strings.ContainsRune(rel, filepath.Separator)
	}
	return matches(p.Pattern) && !slices.ContainsFunc(p.Except, func(e string) bool { return matches(e) })
}

func (p specPermission) mode() (*fs.FileMode, error) {
	if p.Mode.Value == "" {
		return nil, nil
	}
	n, err := strconv.ParseUint(p.Mode.Value, 8, 32)
	if err != nil || n > 0o7777 {
		return nil, fmt.Errorf("the mode %q of %s in the AppSpec file is not one of one to four octal digits", p.Mode.Value, p.Object)
	}
	mode := fs.FileMode(n & 0o777)
	for bit, special := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if n&bit != 0 {
			mode |= special
		}
	}
	return &mode, nil
}

// owners are the ids of the owner and the group, -1 for those that stay.
func (p specPermission) owners() (uid, gid int, note string, err error) {
	uid, gid = -1, -1
	if p.Owner == "" && p.Group == "" {
		return uid, gid, "", nil
	}
	if os.Geteuid() != 0 {
		return uid, gid, "owner and group are not changed, because the local cloud is not root's", nil
	}
	if p.Owner != "" {
		u, err := user.Lookup(p.Owner)
		if err != nil {
			return uid, gid, "", fmt.Errorf("the owner of %s in the AppSpec file: %w", p.Object, err)
		}
		if uid, err = strconv.Atoi(u.Uid); err != nil {
			return -1, -1, "", err
		}
	}
	if p.Group != "" {
		g, err := user.LookupGroup(p.Group)
		if err != nil {
			return uid, gid, "", fmt.Errorf("the group of %s in the AppSpec file: %w", p.Object, err)
		}
		if gid, err = strconv.Atoi(g.Gid); err != nil {
			return -1, -1, "", err
		}
	}
	return uid, gid, "", nil
}
