package sam

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"ouro/template"
)

// python is v as Python 2.7 prints it, the text that SAM hashes to name a
// deployment: {u'swagger': u'2.0', 'paths': {}}. Texts that the transform made
// have no u before them.
func (v *value) python() string {
	var b strings.Builder
	v.printPython(&b, true)
	return b.String()
}

// printPython prints v; with marks, u stands before texts of the template.
func (v *value) printPython(b *strings.Builder, marks bool) {
	switch {
	case v.isNull():
		b.WriteString("None")
	case v.kind == template.Bool:
		b.WriteString(strings.ToUpper(v.text[:1]) + v.text[1:])
	case v.kind == template.Number:
		b.WriteString(pythonNumber(v.text))
	case v.kind == template.String && v.given && marks:
		b.WriteString("u" + quotePython(v.text, true))
	case v.kind == template.String:
		b.WriteString(quotePython(v.text, false))
	case v.kind == template.List:
		b.WriteByte('[')
		for i, item := range v.items {
			comma(b, i)
			item.printPython(b, marks)
		}
		b.WriteByte(']')
	default:
		b.WriteByte('{')
		i := 0
		for k, member := range v.members() {
			comma(b, i)
			i++
			k.printPython(b, marks)
			b.WriteString(": ")
			member.printPython(b, marks)
		}
		b.WriteByte('}')
	}
}

func comma(b *strings.Builder, i int) {
	if i > 0 {
		b.WriteString(", ")
	}
}

// pythonNumber is a number as Python prints it.
func pythonNumber(text string) string {
	if !strings.ContainsAny(text, ".eEnN") {
		return strings.TrimPrefix(text, "+")
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	plain := strconv.FormatFloat(f, 'f', -1, 64)
	if whole, _, _ := strings.Cut(strings.TrimPrefix(plain, "-"), "."); len(whole) > 16 || f != 0 && f < 1e-4 && f > -1e-4 {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	if !strings.Contains(plain, ".") {
		plain += ".0"
	}
	return plain
}

// quotePython is a text between Python's quotes. Unicode texts of Python 2.7
// show ASCII only, others whatever can be printed.
func quotePython(s string, ascii bool) string {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	var b strings.Builder
	b.WriteByte(quote)
	for _, r := range s {
		switch {
		case r == '\\' || r == rune(quote):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r >= ' ' && r < 0x7f, !ascii && unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte(quote)
	return b.String()
}

// json is v as JSON in Python's default layout, members in their order.
func (v *value) json() string {
	var b strings.Builder
	v.printJSON(&b)
	return asciiJSON(b.String())
}

func (v *value) printJSON(b *strings.Builder) {
	switch {
	case v.isMap():
		b.WriteByte('{')
		i := 0
		for k, member := range v.members() {
			comma(b, i)
			i++
			k.printJSON(b)
			b.WriteString(": ")
			member.printJSON(b)
		}
		b.WriteByte('}')
	case v.isList():
		b.WriteByte('[')
		for i, item := range v.items {
			comma(b, i)
			item.printJSON(b)
		}
		b.WriteByte(']')
	case v.isText():
		b.Write(template.AppendString(nil, v.text))
	case v.isNull():
		b.WriteString("null")
	case v.kind == template.Number:
		b.WriteString(pythonNumber(v.text))
	default:
		b.WriteString(v.text)
	}
}
