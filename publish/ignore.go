package publish

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// maxIgnore bounds a .gitignore file, in bytes.
const maxIgnore = 1 << 20

// maxTried bounds the time that .gitignore files take: a pattern is held against
// a path in steps of about the product of their lengths. 200,000 files fit with
// some four kilobytes of patterns.
const maxTried = 1 << 35

// rule is a line of a .gitignore file; see https://git-scm.com/docs/gitignore.
type rule struct {
	base     string // directory of the file
	pattern  string // as doublestar has it
	anywhere bool   // held against the last part of a path alone
	negated  bool
	onlyDirs bool
}

// rulesAbove are the rules that the .gitignore files above a directory have for
// what is in it. If they leave out the directory itself, a build made it to be
// published: then they have none.
func (l *loader) rulesAbove(dir string) ([]rule, error) {
	if dir == "." {
		return nil, nil
	}
	var rules []rule
	parts := strings.Split(dir, "/")
	for i := range parts {
		more, err := readRules(l.root, path.Join(append([]string{"."}, parts[:i]...)...))
		if err != nil {
			return nil, err
		}
		rules = append(rules, more...)
		if decide(rules, path.Join(parts[:i+1]...), true) {
			return nil, nil
		}
	}
	return rules, nil
}

// readRules reads the .gitignore of dir; none is no error. Git follows no link
// there.
func readRules(root *os.Root, dir string) ([]rule, error) {
	name := path.Join(dir, ".gitignore")
	info, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil, nil
	}
	var text []byte
	if err == nil && info.Size() > maxIgnore {
		err = fmt.Errorf("it has more than %d bytes", maxIgnore)
	}
	if err == nil {
		text, err = root.ReadFile(name)
	}
	if err != nil {
		return nil, notZipped(name, readFailure(err))
	}
	var rules []rule
	for line := range bytes.Lines(bytes.TrimPrefix(text, []byte("\uFEFF"))) {
		if r, ok := parseRule(dir, strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")); ok {
			rules = append(rules, r)
		}
	}
	return rules, nil
}

// excludeRules are the rules that were given beside those of files.
func excludeRules(patterns []string) ([]rule, error) {
	var rules []rule
	for _, p := range patterns {
		r, ok := parseRule(".", p)
		if !ok || !doublestar.ValidatePattern(r.pattern) {
			return nil, fmt.Errorf("exclude %q: this is no pattern", p)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// parseRule reads a line; ok is false for one without a pattern.
func parseRule(base, line string) (r rule, ok bool) {
	r.base = base
	line = trimSpaces(line)
	if strings.HasPrefix(line, "#") {
		return r, false
	}
	line, r.negated = strings.CutPrefix(line, "!")
	line, r.onlyDirs = strings.CutSuffix(line, "/")
	line, rooted := strings.CutPrefix(line, "/")
	if line == "" {
		return r, false
	}
	r.anywhere = !rooted && !strings.Contains(line, "/")
	r.pattern = withoutBraces(line)
	if strings.HasSuffix(r.pattern, "/**") {
		r.pattern += "/*" // what is inside, not the directory itself
	}
	return r, true
}

// trimSpaces takes away the spaces at the end that no backslash keeps.
func trimSpaces(line string) string {
	short := strings.TrimRight(line, " ")
	slashes := len(short) - len(strings.TrimRight(short, `\`))
	if slashes%2 == 1 && len(short) < len(line) {
		return short + " "
	}
	return short
}

// withoutBraces makes braces stand for themselves, which have a meaning in
// doublestar and none in a .gitignore.
func withoutBraces(pattern string) string {
	var out strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern):
			out.WriteByte(c)
			i++
		case c == '{' || c == '}':
			out.WriteByte('\\')
		}
		out.WriteByte(pattern[i])
	}
	return out.String()
}

// effort bounds the steps that holding rules against the entries of dir takes.
func effort(rules []rule, dir string, entries []fs.DirEntry) int {
	patterns, paths := 0, 0
	for _, r := range rules {
		patterns += len(r.pattern)
	}
	for _, e := range entries {
		paths += len(dir) + 1 + len(e.Name())
	}
	return patterns * paths
}

// decide tells whether rules leave name out: the last that fits has the say.
func decide(rules []rule, name string, isDir bool) bool {
	for i := len(rules) - 1; i >= 0; i-- {
		if rules[i].fits(name, isDir) {
			return !rules[i].negated
		}
	}
	return false
}

func (r *rule) fits(name string, isDir bool) bool {
	switch {
	case r.onlyDirs && !isDir:
		return false
	case r.anywhere:
		name = path.Base(name)
	case r.base != ".":
		name = strings.TrimPrefix(name, r.base+"/")
	}
	ok, err := doublestar.Match(r.pattern, name)
	return ok && err == nil
}
