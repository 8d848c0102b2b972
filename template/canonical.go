package template

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"
)

// Canonical is n as JSON in the one form that its hash is taken over: keys
// sorted by bytes, no space, numbers as written, no escapes beyond those that
// JSON demands. Two sources that mean the same give the same bytes.
func Canonical(n *Node) []byte {
	out, _ := AppendCanonical(make([]byte, 0, 1024), n, nil)
	return out
}

// Hole is a string that was left out of canonical JSON: a value, with its
// quotes, belongs at out[At:].
type Hole struct {
	At   int
	Node *Node
}

// AppendCanonical appends n's canonical form to out without those string
// values (keys excepted) that leave picks; each becomes a hole to be filled
// later. Holes come in the order of the output. A nil leave leaves none out.
func AppendCanonical(out []byte, n *Node, leave func(n *Node) bool) ([]byte, []Hole) {
	w := canonicalWriter{out: out, leave: leave}
	w.node(n)
	return w.out, w.holes
}

// AppendString writes s as canonical JSON writes strings: what fills a hole.
func AppendString(out []byte, s string) []byte { return appendString(out, validText(s)) }

// Hash is the SHA-256 of b in hexadecimal.
func Hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

type canonicalWriter struct {
	out   []byte
	holes []Hole
	leave func(*Node) bool
	// source keeps the keys of maps in the order of the source.
	source bool
}

func (w *canonicalWriter) node(n *Node) {
	switch {
	case n == nil || n.Kind == Null:
		w.out = append(w.out, "null"...)
	case n.Kind == Map:
		w.object(n)
	case n.Kind == List:
		w.out = append(w.out, '[')
		for i, item := range n.Items {
			if i > 0 {
				w.out = append(w.out, ',')
			}
			w.node(item)
		}
		w.out = append(w.out, ']')
	case n.Kind == String:
		if w.leave != nil && w.leave(n) {
			w.holes = append(w.holes, Hole{At: len(w.out), Node: n})
			return
		}
		w.out = appendString(w.out, n.Text)
	default:
		w.out = append(w.out, n.Text...)
	}
}

func (w *canonicalWriter) object(n *Node) {
	var room [32]int
	order := room[:0]
	sorted := true
	for i, k := range n.Keys {
		order = append(order, i)
		sorted = sorted && (i == 0 || n.Keys[i-1].Text < k.Text)
	}
	if !sorted && !w.source {
		slices.SortFunc(order, func(a, b int) int { return strings.Compare(n.Keys[a].Text, n.Keys[b].Text) })
	}
	w.out = append(w.out, '{')
	for i, at := range order {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.out = appendString(w.out, n.Keys[at].Text)
		w.out = append(w.out, ':')
		w.node(n.Items[at])
	}
	w.out = append(w.out, '}')
}

// appendString writes s in double quotes.
func appendString(out []byte, s string) []byte {
	out = append(out, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		out = append(out, s[from:i]...)
		out = appendEscape(out, c)
		from = i + 1
	}
	out = append(out, s[from:]...)
	return append(out, '"')
}

func appendEscape(out []byte, c byte) []byte {
	const letters, meanings = `"\bfnrt`, "\"\\\b\f\n\r\t"
	if i := strings.IndexByte(meanings, c); i >= 0 {
		return append(out, '\\', letters[i])
	}
	const digits = "0123456789abcdef"
	return append(out, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
}

// validText makes s fit for JSON, which is UTF-8.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
