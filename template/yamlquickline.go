package template

import "strings"

// longestKey is shorter than what YAML takes, so that no key is near the limit.
const longestKey = 512

// isKey tells whether a key and its colon stand at at.
func (q *quickReader) isKey(at int) bool {
	if at >= q.end {
		return false
	}
	after := at
	switch q.text[at] {
	case '"', '\'':
		_, after = q.quoted(at)
		after = q.spaces(after)
	case '!', '&', '*', '{', '[', '|', '>':
		return false
	default:
		after = q.plain(at, false)
	}
	return after < q.end && q.text[after] == ':' && (after+1 == q.end || q.text[after+1] == ' ')
}

// key reads the key at at; after is behind its colon.
func (q *quickReader) key(at int) (key *Node, after int) {
	pos := q.pos(at)
	text := ""
	if c := q.text[at]; c == '"' || c == '\'' {
		text, after = q.quoted(at)
		after = q.spaces(after)
	} else {
		after = q.plain(at, false)
		text = strings.TrimRight(q.text[at:after], " ")
	}
	if after-at > longestKey || text == "<<" {
		q.giveUp()
	}
	return q.node(String, text, pos), after + 1
}

// tag reads a short form's tag.
func (q *quickReader) tag(at int) (name string, after int) {
	after = at + 1
	for after < q.end && (q.text[after] >= 'A' && q.text[after] <= 'Z' || q.text[after] >= 'a' && q.text[after] <= 'z' || q.text[after] >= '0' && q.text[after] <= '9') {
		after++
	}
	name, ok := shortForms[q.text[at:after]]
	if !ok || after < q.end && q.text[after] != ' ' {
		q.giveUp()
	}
	return name, after
}

// plain finds the end of the scalar without quotes that begins at at: a colon
// or comma that ends it, a comment, or the end of the line.
func (q *quickReader) plain(at int, flow bool) int {
	first := q.text[at]
	if strings.IndexByte("?:,[]{}#&*!|>'\"%@`", first) >= 0 {
		q.giveUp()
	}
	if first == '-' && (at+1 >= q.end || strings.IndexByte(" ,[]{}:?", q.text[at+1]) >= 0) {
		q.giveUp()
	}
	for i := at; i < q.end; i++ {
		switch q.text[i] {
		case ':':
			if i+1 == q.end || q.text[i+1] == ' ' {
				return i
			}
			if flow && strings.IndexByte(",[]{}", q.text[i+1]) >= 0 {
				q.giveUp()
			}
		case '#':
			if q.text[i-1] == ' ' {
				if flow {
					q.giveUp()
				}
				return i - 1
			}
		case ',', ']', '}', '[', '{', '?':
			if flow {
				if q.text[i] == '?' || q.text[i] == '[' || q.text[i] == '{' {
					q.giveUp()
				}
				return i
			}
		}
	}
	return q.end
}

// quoted reads a text in quotes that ends on the line.
func (q *quickReader) quoted(at int) (text string, after int) {
	line := q.text[at+1 : q.end]
	if q.text[at] == '\'' {
		return q.single(line, at+1)
	}
	end := strings.IndexByte(line, '"')
	if end < 0 {
		q.giveUp()
	}
	escape := strings.IndexByte(line[:end], '\\')
	if escape < 0 {
		return line[:end], at + 1 + end + 1
	}
	var out strings.Builder
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '"':
			return out.String(), at + 1 + i + 1
		case '\\':
			const letters, meanings = `"\/nt`, "\"\\/\n\t"
			i++
			if i == len(line) || strings.IndexByte(letters, line[i]) < 0 {
				q.giveUp()
			}
			out.WriteByte(meanings[strings.IndexByte(letters, line[i])])
		default:
			out.WriteByte(line[i])
		}
	}
	q.giveUp()
	return "", 0
}

func (q *quickReader) single(line string, from int) (text string, after int) {
	for i := 0; i < len(line); i++ {
		if line[i] != '\'' {
			continue
		}
		if i+1 < len(line) && line[i+1] == '\'' {
			i++
			continue
		}
		return strings.ReplaceAll(line[:i], "''", "'"), from + i + 1
	}
	q.giveUp()
	return "", 0
}

// flow reads a collection in brackets or braces that ends on the line.
func (q *quickReader) flow(at int) (n *Node, after int) {
	q.enter()
	kind, end := List, byte(']')
	if q.text[at] == '{' {
		kind, end = Map, '}'
	}
	n = q.node(kind, "", q.pos(at))
	base := len(q.stack)
	at = q.spaces(at + 1)
	if at < q.end && q.text[at] == end {
		q.depth--
		return n, at + 1
	}
	for {
		if kind == Map {
			if at >= q.end || !q.isFlowKey(at) {
				q.giveUp()
			}
			key, next := q.key(at)
			q.stack = append(q.stack, key)
			at = q.spaces(next)
		}
		value, next := q.flowValue(at)
		if kind == Map && q.stack[len(q.stack)-1].Text == "Fn::GetAtt" {
			value = q.arena.splitGetAtt(value)
		}
		q.stack = append(q.stack, value)
		if at = q.spaces(next); at >= q.end || q.text[at] != ',' && q.text[at] != end {
			q.giveUp()
		}
		if q.text[at] == end {
			break
		}
		at = q.spaces(at + 1)
	}
	if kind == Map {
		q.members(n, base)
	} else {
		n.Items = q.arena.list(q.stack[base:])
		q.stack = q.stack[:base]
	}
	q.depth--
	return n, at + 1
}

// isFlowKey tells whether a key stands at at whose end in a flow map is its
// end elsewhere.
func (q *quickReader) isFlowKey(at int) bool {
	if c := q.text[at]; c != '"' && c != '\'' {
		if after := q.plain(at, true); after >= q.end || q.text[after] != ':' {
			return false
		}
	}
	return q.isKey(at)
}

func (q *quickReader) flowValue(at int) (n *Node, after int) {
	if at >= q.end {
		q.giveUp()
	}
	pos := q.pos(at)
	if q.text[at] == '!' {
		name, next := q.tag(at)
		if next = q.spaces(next); next >= q.end || q.text[next] == '!' {
			q.giveUp()
		}
		arg, after := q.flowItem(next, true)
		arg.Pos = pos
		return q.arena.call(name, arg), after
	}
	return q.flowItem(at, false)
}

func (q *quickReader) flowItem(at int, tagged bool) (n *Node, after int) {
	pos := q.pos(at)
	switch q.text[at] {
	case '{', '[':
		return q.flow(at)
	case '"', '\'':
		text, after := q.quoted(at)
		return q.node(String, text, pos), after
	}
	after = q.plain(at, true)
	if after >= q.end || q.text[after] == ':' {
		q.giveUp()
	}
	return q.scalar(strings.TrimRight(q.text[at:after], " "), pos, tagged), after
}

// blockScalar reads a literal (|) or folded (>) text from its head at at, and
// goes to the line after it.
func (q *quickReader) blockScalar(at, column int) string {
	folded, chomp := q.text[at] == '>', byte(0)
	if at++; at < q.end && (q.text[at] == '-' || q.text[at] == '+') {
		chomp = q.text[at]
		at++
	}
	if !q.rest(at) {
		q.giveUp()
	}
	var out strings.Builder
	indent, breaks := -1, 0 // of the text; line breaks that wait for more text
	next := q.end + 1
	for ; next <= len(q.text); q.line++ {
		end := len(q.text)
		if n := strings.IndexByte(q.text[next:], '\n'); n >= 0 {
			end = next + n
		}
		line := q.text[next:end]
		spaces := len(line) - len(strings.TrimLeft(line, " "))
		switch {
		case indent < 0 && spaces == len(line):
			if spaces > column {
				q.giveUp() // may be text
			}
		case indent < 0:
			if indent = spaces; indent <= column {
				q.giveUp() // no text
			}
		}
		if indent >= 0 && spaces < indent && spaces < len(line) {
			break
		}
		if indent < 0 || spaces == len(line) && spaces <= indent {
			breaks++
		} else {
			q.blockLine(&out, line[indent:], folded, breaks)
			breaks = 1
		}
		if next, q.end = end+1, end; end == len(q.text) {
			breaks-- // the last line does not end in a break
			q.line++
			break
		}
	}
	if out.Len() == 0 {
		q.giveUp()
	}
	q.advance()
	switch {
	case chomp == '+':
		out.WriteString(strings.Repeat("\n", breaks))
	case chomp == 0 && breaks > 0:
		out.WriteByte('\n')
	}
	return out.String()
}

// blockLine adds a line after the given number of line breaks. Folding makes
// one break a space and takes one from several; lines that begin with a space
// are beyond us there.
func (q *quickReader) blockLine(out *strings.Builder, line string, folded bool, breaks int) {
	if folded {
		if line[0] == ' ' {
			q.giveUp()
		}
		if out.Len() > 0 {
			if breaks == 1 {
				out.WriteByte(' ')
			}
			breaks--
		}
	}
	out.WriteString(strings.Repeat("\n", breaks))
	out.WriteString(line)
}
