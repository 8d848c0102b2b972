package publish

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"ouro/library"
	"ouro/template"
)

// This program as the code of functions: the whole of a property that takes code,
// or, where a template is given bucket and key by parameters, one of its parts.
const programPath = "function"

// programPlace are the texts that stand for the program's zip anywhere.
var programPlace = map[string]*use{
	library.Scheme + programPath + "/bucket": {form: zipped, shape: shape{bucket: "only"}},
	library.Scheme + programPath + "/key":    {form: zipped, shape: shape{key: "only"}},
}

// programText tells whether n stands for the program, and what becomes of it.
func (f *finder) programText(n *template.Node, u *use) (*use, bool) {
	name, ours := strings.CutPrefix(n.Text, library.Scheme+programPath)
	switch part := programPlace[n.Text]; {
	case !ours || name != "" && name[0] != '/':
		return nil, false
	case part != nil:
		return part, true
	case name == "" && u != nil && u.form == zipped && !u.template:
		return u, true
	}
	f.refuse(n.Pos, "this program is code for a function as ouro://function, or its place as ouro://function/bucket and ouro://function/key", n.Text)
	return nil, false
}

// errNoProgram tells that a tree was read without the program.
var errNoProgram = errors.New("templates need this program as the code of functions, and it was not asked for")

// readProgram fills f with the program's zip. Without one it stays empty, for
// those who only look at the tree.
func (l *loader) readProgram(ctx context.Context, f *file) {
	f.members = []member{}
	if l.program == nil {
		return
	}
	name, err := l.program(ctx)
	if err != nil {
		f.failure = err
		return
	}
	info, err := os.Stat(name)
	if err != nil {
		f.failure = err
		return
	}
	l.archiveOf(f, []member{{name: "bootstrap", path: name, program: true, size: info.Size()}})
}

// copyProgram reads a member that is the program, wherever that lies.
func (m *member) copyProgram(to io.Writer) (n int64, err error) {
	in, err := os.Open(m.path)
	if err != nil {
		return 0, err
	}
	defer in.Close() //nolint:errcheck // only read from
	return io.Copy(to, io.LimitReader(in, m.size+1))
}
