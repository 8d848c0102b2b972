package template

import (
	"strings"
	"unicode/utf8"
)

// quickReader reads the part of YAML that nearly all templates are written in:
// block maps and lists, scalars on one line, literal blocks, flow collections
// on one line, short forms. It is about ten times as fast as the library,
// which matters when thousands of templates are published. Whatever else it
// meets (anchors, texts over several lines, tabs, mistakes) makes it give up,
// and the library reads the file from the start: it never decides differently
// from the library, which a fuzz test holds it to.
type quickReader struct {
	text  string
	file  string
	ascii bool // columns are bytes
	arena *arena
	stack []*Node
	depth int
	count int

	// The line that is read: the next one that is not blank and no comment.
	line       int
	start, end int // of the line in text, without the line break
	indent     int // spaces at its beginning
	done       bool
}

// unusual is what a quickReader gives up with.
type unusual struct{}

func (q *quickReader) giveUp() { panic(unusual{}) }

// quickYAML reads body, or gives nil when the library must.
func quickYAML(file string, body []byte, a *arena) (root *Node) {
	ascii, ok := plainText(body)
	if !ok {
		return nil
	}
	q := &quickReader{text: string(body), file: file, ascii: ascii, arena: a, end: -1}
	defer func() {
		if r := recover(); r != nil {
			if _, gaveUp := r.(unusual); !gaveUp {
				panic(r)
			}
			root = nil
		}
	}()
	q.advance()
	if !q.done && strings.HasPrefix(q.text[q.start:q.end], "---") {
		if !q.rest(q.start + len("---")) {
			return nil
		}
		q.advance()
	}
	if q.done || q.indent != 0 || q.isMarker() || !q.isKey(q.start) {
		return nil
	}
	root = q.mapping(q.start)
	if !q.done {
		return nil
	}
	return root
}

// plainText tells whether body has only characters that YAML takes as they are
// and that end no line but \n; ascii, whether all are ASCII.
func plainText(body []byte) (ascii, ok bool) {
	ascii = true
	for i := 0; i < len(body); i++ {
		c := body[i]
		if c >= ' ' && c < 0x7f || c == '\n' {
			continue
		}
		if c < utf8.RuneSelf {
			return false, false
		}
		r, size := utf8.DecodeRune(body[i:])
		if r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r >= 0xfffd {
			return false, false
		}
		ascii = false
		i += size - 1
	}
	return ascii, true
}

// advance goes to the next line that says something.
func (q *quickReader) advance() {
	for {
		if q.end >= len(q.text) {
			q.done = true
			return
		}
		q.start = q.end + 1
		q.line++
		if n := strings.IndexByte(q.text[q.start:], '\n'); n >= 0 {
			q.end = q.start + n
		} else {
			q.end = len(q.text)
		}
		at := q.spaces(q.start)
		if at == q.end || q.text[at] == '#' {
			continue
		}
		if q.indent = at - q.start; q.indent == 0 && (q.text[at] == '%' || q.count > 0 && q.isMarker()) {
			q.giveUp()
		}
		return
	}
}

// isMarker tells whether the line begins or ends a document.
func (q *quickReader) isMarker() bool {
	line := q.text[q.start:q.end]
	return strings.HasPrefix(line, "---") || strings.HasPrefix(line, "...")
}

// spaces skips spaces of the line from at.
func (q *quickReader) spaces(at int) int {
	for at < q.end && q.text[at] == ' ' {
		at++
	}
	return at
}

// rest tells whether nothing but spaces and a comment is left of the line.
func (q *quickReader) rest(at int) bool {
	next := q.spaces(at)
	return next >= q.end || q.text[next] == '#' && next > at
}

func (q *quickReader) pos(at int) Pos {
	column := at - q.start
	if !q.ascii {
		column = utf8.RuneCountInString(q.text[q.start:at])
	}
	return Pos{File: q.file, Line: q.line, Column: column + 1}
}

func (q *quickReader) node(kind Kind, text string, pos Pos) *Node {
	if q.count++; q.count > MaxNodes/2 {
		q.giveUp()
	}
	return q.arena.node(kind, text, pos)
}

func (q *quickReader) enter() {
	if q.depth++; q.depth > MaxDepth/2-2 { // short forms nest too
		q.giveUp()
	}
}

// isDash tells whether an item of a list begins at at.
func (q *quickReader) isDash(at int) bool {
	return at < q.end && q.text[at] == '-' && (at+1 >= q.end || q.text[at+1] == ' ')
}

// mapping reads a block map whose first key is at at.
func (q *quickReader) mapping(at int) *Node {
	q.enter()
	column, base := at-q.start, len(q.stack)
	n := q.node(Map, "", q.pos(at))
	for {
		key, after := q.key(at)
		value := q.value(after, column, true)
		if key.Text == "Fn::GetAtt" {
			value = q.arena.splitGetAtt(value)
		}
		q.stack = append(q.stack, key, value)
		if q.done || q.indent < column {
			break
		}
		if at = q.start + column; q.indent > column || !q.isKey(at) {
			q.giveUp()
		}
	}
	q.members(n, base)
	q.depth--
	return n
}

// members gives n the keys and values on the stack from base.
func (q *quickReader) members(n *Node, base int) {
	pairs := q.stack[base:]
	half := len(pairs) / 2
	both := q.arena.list(pairs)
	for i := range half {
		both[i], both[half+i] = pairs[2*i], pairs[2*i+1]
	}
	n.Keys, n.Items = both[:half:half], both[half:]
	q.stack = q.stack[:base]
	if _, second := duplicate(n.Keys); second != nil {
		q.giveUp()
	}
}

// sequence reads a block list whose first dash is at at.
func (q *quickReader) sequence(at int) *Node {
	q.enter()
	column, base := at-q.start, len(q.stack)
	n := q.node(List, "", q.pos(at))
	for {
		q.stack = append(q.stack, q.item(at, column))
		if q.done || q.indent < column {
			break
		}
		if q.indent > column {
			q.giveUp()
		}
		if at = q.start + column; !q.isDash(at) {
			break // the next key of the map that this list is a value of
		}
	}
	n.Items = q.arena.list(q.stack[base:])
	q.stack = q.stack[:base]
	q.depth--
	return n
}

func (q *quickReader) item(at, column int) *Node {
	if q.rest(at + 1) {
		return q.value(at+1, column, false)
	}
	inner := q.spaces(at + 1)
	switch {
	case q.isDash(inner):
		return q.sequence(inner)
	case q.isKey(inner):
		return q.mapping(inner)
	}
	return q.value(at+1, column, false)
}

// value reads what follows a key's colon or a dash. column is that of the map
// or list around it; inMap allows a list whose dashes stand below the key.
func (q *quickReader) value(at, column int, inMap bool) *Node {
	if q.rest(at) {
		return q.below(column, inMap)
	}
	at = q.spaces(at)
	if q.text[at] != '!' {
		return q.inline(at, column, false)
	}
	pos := q.pos(at) // a function stands where its tag does
	name, after := q.tag(at)
	var arg *Node
	if q.rest(after) {
		arg = q.below(column, inMap)
	} else {
		arg = q.inline(q.spaces(after), column, true)
	}
	arg.Pos = pos
	return q.arena.call(name, arg)
}

// below reads a map or list on the lines after a key, dash or tag.
func (q *quickReader) below(column int, inMap bool) *Node {
	q.advance()
	if q.done || q.indent < column {
		q.giveUp() // null
	}
	at := q.start + q.indent
	switch {
	case q.isDash(at) && (q.indent > column || inMap):
		return q.sequence(at)
	case q.indent > column && q.isKey(at):
		return q.mapping(at)
	}
	q.giveUp()
	return nil
}

// inline reads a value that begins on the line at at, and goes to the next
// line. tagged scalars are texts.
func (q *quickReader) inline(at, column int, tagged bool) *Node {
	pos := q.pos(at)
	var n *Node
	after := at
	switch q.text[at] {
	case '|', '>':
		return q.node(String, q.blockScalar(at, column), pos)
	case '{', '[':
		n, after = q.flow(at)
	case '"', '\'':
		var text string
		text, after = q.quoted(at)
		n = q.node(String, text, pos)
	default:
		after = q.plain(at, false)
		n = q.scalar(strings.TrimRight(q.text[at:after], " "), pos, tagged)
	}
	if !q.rest(after) {
		q.giveUp()
	}
	q.advance()
	if !q.done && q.indent > column {
		q.giveUp() // the scalar goes on, or a mistake
	}
	return n
}

func (q *quickReader) scalar(text string, pos Pos, tagged bool) *Node {
	if tagged {
		return q.node(String, text, pos)
	}
	kind, text := plainScalar(text)
	return q.node(kind, text, pos)
}
