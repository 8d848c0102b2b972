package template

import (
	"strings"
	"unicode/utf8"
)

// jsonScanner reads JSON (RFC 8259) into nodes with positions. The standard
// library's decoder keeps no positions and forgets the order of keys.
type jsonScanner struct {
	text  string // the whole file; the texts of nodes are parts of it
	file  string
	at    int
	line  int
	start int // what column 1 of the line is in bytes, moved on by the continuation bytes of UTF-8
	depth int
	count int
	arena *arena
	stack []*Node // members of the lists and maps that are open
}

func parseJSON(file string, body []byte, a *arena) (root *Node, failure *Error) {
	s := &jsonScanner{text: string(body), file: file, line: 1, arena: a}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			root, failure = nil, e
		}
	}()
	s.space()
	root = s.value()
	s.space()
	if s.at < len(s.text) {
		s.fail("text after the end of the template")
	}
	return root, nil
}

// fail ends the scan: the recursion is deep and errors are rare, so it is left
// by a panic that does not leave parseJSON.
func (s *jsonScanner) fail(message string) {
	panic(&Error{Pos: s.pos(s.at), Message: "JSON not well-formed: " + message})
}

func (s *jsonScanner) pos(at int) Pos {
	return Pos{File: s.file, Line: s.line, Column: at - s.start + 1}
}

func (s *jsonScanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r':
			s.at++
		case '\n':
			s.at++
			s.line++
			s.start = s.at
		default:
			return
		}
	}
}

func (s *jsonScanner) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

func (s *jsonScanner) value() *Node {
	if s.count++; s.count > MaxNodes {
		s.fail("more values than are read from one file")
	}
	pos := s.pos(s.at)
	switch c := s.peek(); {
	case c == '{':
		return s.object(pos)
	case c == '[':
		return s.array(pos)
	case c == '"':
		return s.arena.node(String, s.str(), pos)
	case c == '-' || c >= '0' && c <= '9':
		return s.arena.node(Number, s.number(), pos)
	}
	for _, word := range jsonWords {
		if strings.HasPrefix(s.text[s.at:], word.text) {
			s.at += len(word.text)
			if word.kind == Null {
				return s.arena.node(Null, "", pos)
			}
			return s.arena.node(word.kind, word.text, pos)
		}
	}
	if s.at >= len(s.text) {
		s.fail("a value is expected, the file ends here")
	}
	s.fail("a value is expected here")
	return nil
}

var jsonWords = [...]struct {
	text string
	kind Kind
}{{"true", Bool}, {"false", Bool}, {"null", Null}}

func (s *jsonScanner) enter() {
	if s.depth++; s.depth > MaxDepth {
		s.fail("nested too deep")
	}
	s.at++
}

// more reads what follows a member: a comma (true) or the end (false). A comma
// may stand before the end, as CloudFormation takes it.
func (s *jsonScanner) more(end byte) bool {
	s.space()
	comma := s.peek() == ','
	if comma {
		s.at++
		s.space()
	}
	switch {
	case s.peek() == end:
		s.at++
		s.depth--
		return false
	case comma:
		return true
	}
	s.fail("a comma or " + string(end) + " is expected here")
	return false
}

func (s *jsonScanner) array(pos Pos) *Node {
	s.enter()
	n, base := s.arena.node(List, "", pos), len(s.stack)
	s.space()
	if s.peek() == ']' {
		s.at++
		s.depth--
		return n
	}
	for {
		s.stack = append(s.stack, s.value())
		if !s.more(']') {
			break
		}
	}
	n.Items = s.arena.list(s.stack[base:])
	s.stack = s.stack[:base]
	return n
}

func (s *jsonScanner) object(pos Pos) *Node {
	s.enter()
	n, base := s.arena.node(Map, "", pos), len(s.stack)
	s.space()
	if s.peek() == '}' {
		s.at++
		s.depth--
		return n
	}
	for {
		s.stack = append(s.stack, s.key())
		s.space()
		s.stack = append(s.stack, s.value())
		if !s.more('}') {
			break
		}
	}
	// The stack holds key, value, key, value …
	members := s.stack[base:]
	half := len(members) / 2
	both := s.arena.list(members)
	for i := range half {
		both[i], both[half+i] = members[2*i], members[2*i+1]
	}
	n.Keys, n.Items = both[:half:half], both[half:]
	s.stack = s.stack[:base]
	if first, second := duplicate(n.Keys); second != nil {
		panic(errorAt(second.Pos, "duplicate key %q, first given at line %d", second.Text, first.Pos.Line))
	}
	return n
}

func (s *jsonScanner) key() *Node {
	if s.peek() != '"' {
		s.fail("a key in double quotes is expected here")
	}
	pos := s.pos(s.at)
	k := s.arena.node(String, s.str(), pos)
	s.space()
	if s.peek() != ':' {
		s.fail("a colon is expected here")
	}
	s.at++
	return k
}

func (s *jsonScanner) number() string {
	length := numberLength(s.text[s.at:])
	if length == 0 {
		s.fail("not a number")
	}
	from := s.at
	s.at += length
	return s.text[from:s.at]
}

// numberLength is the length of the JSON number that text begins with, 0 when
// it begins with none, or when digits follow that would change it (01).
func numberLength(text string) int {
	i := 0
	digits := func() bool {
		from := i
		for i < len(text) && text[i] >= '0' && text[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(text) && text[i] == '-' {
		i++
	}
	switch {
	case i < len(text) && text[i] == '0':
		if i++; i < len(text) && text[i] >= '0' && text[i] <= '9' {
			return 0
		}
	case !digits():
		return 0
	}
	if i < len(text) && text[i] == '.' {
		if i++; !digits() {
			return 0
		}
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		if i++; i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		if !digits() {
			return 0
		}
	}
	return i
}

// str reads a string in double quotes; without escapes it is a part of the file.
func (s *jsonScanner) str() string {
	s.at++
	from, wide := s.at, 0
	for i := s.at; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			s.at = i + 1
			s.start += wide
			return s.text[from:i]
		case c == '\\':
			s.at = i
			s.start += wide
			return s.escaped(s.text[from:i])
		case c < ' ':
			s.at = i
			s.start += wide
			s.fail("a string holds a line break or control character; write it as an escape such as \\n")
		case c >= utf8.RuneSelf && !utf8.RuneStart(c):
			wide++
		}
	}
	s.at--
	s.fail("a string that begins here does not end")
	return ""
}
