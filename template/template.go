// Package template holds a CloudFormation template as a value: it reads YAML
// and JSON with the position of every part, checks the structure, evaluates
// the intrinsic functions, and writes canonical JSON. It is pure: no AWS, no
// disk, no clock. What it cannot know by itself (the value of a resource, an
// export, a secret) its caller gives through Env.
//
// Messages that begin with "Template format error" or "Template error", and
// those about parameters, are CloudFormation's own, because its clients match
// on them.
package template

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds on what Parse takes. CloudFormation itself stops at 1 MB
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html);
// a source file may be larger than what is sent in the end, as comments and
// indentation fall away.
const (
	MaxSize  = 4 << 20 // bytes of a file
	MaxDepth = 128     // levels of nesting
	MaxNodes = 500_000 // values in a file, with aliases expanded
)

// Pos is a place in a file. Line and Column count from 1, columns in
// characters.
type Pos struct {
	File         string
	Line, Column int
}

// String is file:line:column, the form that editors and terminals follow.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// Error is a file that cannot be read as a template.
type Error struct {
	Pos     Pos
	Message string
}

func (e *Error) Error() string { return e.Pos.String() + ": " + e.Message }

func errorAt(pos Pos, format string, args ...any) *Error {
	return &Error{Pos: pos, Message: fmt.Sprintf(format, args...)}
}

// Template is one template file. It does not change after Parse and may be
// used by several goroutines at once.
type Template struct {
	Root *Node  // always a Map
	File string // the name given to Parse

	// extended is set on what AWS::LanguageExtensions made: members whose
	// condition is false may still hold its functions.
	extended bool
}

// Reader reads templates one after the other into the same memory, which saves
// most of the work when there are thousands. The zero Reader is ready.
type Reader struct {
	arena *arena
}

// Parse is the function Parse, except that the template and its nodes are
// valid only until the next call; texts, positions and problems stay.
func (r *Reader) Parse(file string, body []byte) (*Template, error) {
	if r.arena == nil {
		r.arena = newArena(16 << 10)
	}
	r.arena.reset()
	return parse(file, body, r.arena)
}

// Parse reads a template. A file whose name ends in .json, or whose content
// begins with a brace, is JSON; everything else is YAML 1.1 as CloudFormation
// takes it, with the short forms of functions made long. file is used for
// positions only. The error is always an *Error.
func Parse(file string, body []byte) (*Template, error) {
	return parse(file, body, newArena(len(body)))
}

func parse(file string, body []byte, a *arena) (*Template, error) {
	root, err := parseNode(file, body, a)
	if err != nil {
		return nil, err
	}
	if root.Kind != Map {
		return nil, errorAt(root.Pos, "a template is a map of sections, this is a %s", root.Kind)
	}
	return &Template{Root: root, File: file}, nil
}

func parseNode(file string, body []byte, a *arena) (*Node, *Error) {
	start := Pos{File: file, Line: 1, Column: 1}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if len(body) > MaxSize {
		return nil, errorAt(start, "the file has %d bytes, at most %d are read", len(body), MaxSize)
	}
	if !utf8.Valid(body) {
		return nil, invalidUTF8(file, body)
	}
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if len(trimmed) == 0 {
		return nil, errorAt(start, "the file is empty")
	}
	named := strings.HasSuffix(file, ".json")
	if !named && trimmed[0] != '{' {
		return parseYAML(file, body, a)
	}
	if trimmed[0] != '{' {
		// AWS never learns the name of a file, and reads YAML in a .json too.
		if fromYAML, err := parseYAML(file, body, a); err == nil && fromYAML.Kind == Map {
			return fromYAML, nil
		}
	}
	root, err := parseJSON(file, body, a)
	if err != nil && !named {
		// A brace may also open a YAML flow mapping.
		if fromYAML, yamlErr := parseYAML(file, body, a); yamlErr == nil {
			return fromYAML, nil
		}
	}
	return root, err
}

func invalidUTF8(file string, body []byte) *Error {
	pos := Pos{File: file, Line: 1, Column: 1}
	for len(body) > 0 {
		r, size := utf8.DecodeRune(body)
		if r == utf8.RuneError && size == 1 {
			break
		}
		pos.Column++
		if r == '\n' {
			pos.Line, pos.Column = pos.Line+1, 1
		}
		body = body[size:]
	}
	return errorAt(pos, "the text is not valid UTF-8")
}
