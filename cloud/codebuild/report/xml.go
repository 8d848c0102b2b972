package report

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// element is an element of an XML document, without its namespace.
type element struct {
	name     string
	attrs    []xml.Attr
	text     []byte
	children []*element
}

// attr is the value of the first of the attributes that is there, or "".
func (e *element) attr(names ...string) string {
	for _, name := range names {
		for _, a := range e.attrs {
			if a.Name.Local == name {
				return a.Value
			}
		}
	}
	return ""
}

// child is the first child of that name; nil for none.
func (e *element) child(name string) *element {
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// at is the text at a path of children, or "".
func (e *element) at(path ...string) string {
	for _, name := range path {
		if e = e.child(name); e == nil {
			return ""
		}
	}
	return string(e.text)
}

// walk calls f for e and everything below it, with the element above.
func (e *element) walk(f func(above, e *element)) {
	for _, c := range e.children {
		f(e, c)
		c.walk(f)
	}
}

// tree builds elements as a decoder meets them.
type tree struct {
	stack    []*element
	elements int
}

// readXML reads a document whose root has one of the names.
func readXML(r io.Reader, roots []string) (*element, error) {
	d := xml.NewDecoder(r)
	d.CharsetReader = latin
	t := &tree{stack: []*element{{}}}
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = t.take(token, roots)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(t.stack) > 1 {
		return nil, fmt.Errorf("the element <%s> does not end", t.stack[len(t.stack)-1].name)
	}
	if len(t.stack[0].children) != 1 {
		return nil, errors.New("it is no XML document")
	}
	return t.stack[0].children[0], nil
}

func (t *tree) take(token xml.Token, roots []string) error {
	top := t.stack[len(t.stack)-1]
	switch token := token.(type) {
	case xml.StartElement:
		e := &element{name: token.Name.Local, attrs: slices.Clone(token.Attr)}
		if len(t.stack) == 1 && !slices.Contains(roots, e.name) {
			return fmt.Errorf("expected element type <%s> but have <%s>", roots[0], e.name)
		}
		if len(t.stack) > maxDepth {
			return fmt.Errorf("elements are nested more than %d deep", maxDepth)
		}
		if len(token.Attr) > maxAttributes {
			return fmt.Errorf("the element <%s> has more than %d attributes", e.name, maxAttributes)
		}
		if t.elements += 1 + len(token.Attr); t.elements > maxElements {
			return errElements
		}
		top.children = append(top.children, e)
		t.stack = append(t.stack, e)
	case xml.EndElement:
		if len(t.stack) == 1 || top.name != token.Name.Local {
			return fmt.Errorf("the element <%s> ends where it has not begun", token.Name.Local)
		}
		t.stack = t.stack[:len(t.stack)-1]
	case xml.CharData:
		// Longer texts are outputs, which nobody asks for.
		if len(top.text) < 4*MaxMessage {
			top.text = append(top.text, token...)
		}
	}
	return nil
}

// latin reads the single-byte charsets that old tools write, and leaves
// others to be told of.
func latin(charset string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(charset) {
	case "us-ascii", "ascii":
		return r, nil
	case "iso-8859-1", "latin1", "windows-1252":
		return &latinReader{r: r}, nil
	}
	return nil, fmt.Errorf("the charset %s is not read", charset)
}

type latinReader struct {
	r    io.Reader
	rest []byte
}

func (l *latinReader) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		raw := make([]byte, 4096)
		n, err := l.r.Read(raw)
		for _, c := range raw[:n] {
			l.rest = append(l.rest, string(rune(c))...)
		}
		if n == 0 {
			return 0, err
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}
