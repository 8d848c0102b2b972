package git

import "strings"

// ValidID tells whether id has the form of a full object id.
func ValidID(id string) bool {
	if len(id) != 40 {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// ValidRef tells whether ref can be the full name of a reference, by the rules
// of git check-ref-format (https://git-scm.com/docs/git-check-ref-format).
// A valid name is safe to use as a path below the repository.
func ValidRef(ref string) bool {
	if !strings.HasPrefix(ref, "refs/") || strings.HasSuffix(ref, ".") ||
		strings.Contains(ref, "..") || strings.Contains(ref, "@{") {
		return false
	}
	for i := range len(ref) {
		if c := ref[i]; c <= ' ' || c == 0x7f || strings.IndexByte(`~^:?*[\`, c) >= 0 {
			return false
		}
	}
	parts := strings.Split(ref, "/")
	for _, part := range parts {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	return len(parts) > 2
}

// ValidBranch tells whether name can be the name of a branch.
func ValidBranch(name string) bool {
	return !strings.HasPrefix(name, "-") && name != "HEAD" && ValidRef(Branches+name)
}

// ValidPath tells whether path can be the path of a file in a commit: relative,
// with slashes, without empty parts, "." and "..", and nothing that git keeps
// for itself.
func ValidPath(path string) bool {
	if path == "" || strings.ContainsRune(path, 0) {
		return false
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." || strings.EqualFold(part, ".git") {
			return false
		}
	}
	return true
}
