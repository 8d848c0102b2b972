package image

import (
	"errors"
	"fmt"
	"strings"
)

// words splits a line as Dockerfiles do: at blanks outside quotes, with
// variables in the place of $NAME and ${NAME}, except in single quotes. There
// is at least one word, or an error.
func (b *builder) words(line string) ([]string, error) {
	x := &lexer{text: line, lookup: b.lookup}
	for x.at < len(x.text) && x.err == nil {
		x.next()
	}
	x.end()
	switch {
	case x.err != nil:
		return nil, x.err
	case len(x.words) == 0:
		return nil, fmt.Errorf("%q says nothing", line)
	}
	return x.words, nil
}

// lookup is the value of a variable: of ENV, which comes first, or of ARG.
func (b *builder) lookup(name string) string {
	for _, e := range b.config.Env {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return b.args[name]
}

// lexer is a line that is being split.
type lexer struct {
	text   string
	at     int
	lookup func(string) string
	word   strings.Builder
	open   bool // there is a word, if an empty one
	quoted bool // between double quotes
	words  []string
	err    error
}

// next takes in one character, or what it begins.
func (x *lexer) next() {
	c := x.text[x.at]
	x.at++
	switch {
	case c == '\\' && x.at < len(x.text):
		x.escape()
	case c == '"':
		x.quoted, x.open = !x.quoted, true
	case c == '\'' && !x.quoted:
		end := strings.IndexByte(x.text[x.at:], '\'')
		if end < 0 {
			x.err = errors.New("a quote has no end")
			return
		}
		x.put(x.text[x.at : x.at+end])
		x.at += end + 1
	case c == '$':
		x.variable()
	case (c == ' ' || c == '\t') && !x.quoted:
		x.end()
	default:
		x.put(string(c))
	}
}

// escape takes in the character after a backslash. Between quotes a backslash
// stands for itself, except before what has a meaning there.
func (x *lexer) escape() {
	c := x.text[x.at]
	if x.quoted && c != '"' && c != '\\' && c != '$' {
		x.put(`\`)
	}
	x.put(string(c))
	x.at++
}

func (x *lexer) put(text string) {
	x.word.WriteString(text)
	x.open = true
}

func (x *lexer) end() {
	if x.quoted && x.at >= len(x.text) {
		x.err = errors.New("a quote has no end")
	}
	if x.open {
		x.words = append(x.words, x.word.String())
	}
	x.word.Reset()
	x.open = false
}

func isName(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// variable takes in $NAME, ${NAME}, ${NAME:-other} or ${NAME:+other}.
func (x *lexer) variable() {
	rest := x.text[x.at:]
	if !strings.HasPrefix(rest, "{") {
		n := 0
		for n < len(rest) && isName(rest[n]) {
			n++
		}
		if n == 0 {
			x.put("$")
			return
		}
		x.at += n
		x.put(x.lookup(rest[:n]))
		return
	}
	inside, _, ok := strings.Cut(rest[1:], "}")
	if !ok {
		x.err = fmt.Errorf("%q has no end", "$"+rest)
		return
	}
	x.at += len(inside) + 2
	name, other, _ := strings.Cut(inside, ":")
	value := x.lookup(name)
	switch {
	case name == "" || strings.ContainsFunc(name, func(r rune) bool { return r > 127 || !isName(byte(r)) }) || other != "" && other[0] != '-' && other[0] != '+':
		x.err = fmt.Errorf("the variable ${%s} is not understood", inside)
	case strings.HasPrefix(other, "-") && value == "":
		x.put(other[1:])
	case strings.HasPrefix(other, "+") && value != "":
		x.put(other[1:])
	case strings.HasPrefix(other, "+"):
		x.put("")
	default:
		x.put(value)
	}
}
