package template

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// escaped reads on a string from its first backslash; head is what came before.
func (s *jsonScanner) escaped(head string) string {
	var b strings.Builder
	b.WriteString(head)
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			return b.String()
		case c == '\\':
			s.at++
			b.WriteRune(s.escape())
		case c < ' ':
			s.fail("a string holds a line break or control character; write it as an escape such as \\n")
		default:
			if c >= utf8.RuneSelf && !utf8.RuneStart(c) {
				s.start++
			}
			b.WriteByte(c)
			s.at++
		}
	}
	s.fail("a string does not end")
	return ""
}

// escape reads what follows a backslash.
func (s *jsonScanner) escape() rune {
	const letters, meanings = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	c := s.peek()
	if i := strings.IndexByte(letters, c); i >= 0 {
		s.at++
		return rune(meanings[i])
	}
	if c != 'u' {
		s.fail("unknown escape in a string")
	}
	r := s.hex()
	if !utf16.IsSurrogate(r) {
		return r
	}
	// A character beyond U+FFFF is written as two escapes.
	if strings.HasPrefix(s.text[s.at:], `\u`) {
		mark := s.at
		s.at++
		if pair := utf16.DecodeRune(r, s.hex()); pair != utf8.RuneError {
			return pair
		}
		s.at = mark
	}
	return utf8.RuneError
}

func (s *jsonScanner) hex() rune {
	if s.at+5 > len(s.text) {
		s.fail("four hexadecimal digits are expected after \\u")
	}
	v, err := strconv.ParseUint(s.text[s.at+1:s.at+5], 16, 32)
	if err != nil {
		s.fail("four hexadecimal digits are expected after \\u")
	}
	s.at += 5
	return rune(v)
}
