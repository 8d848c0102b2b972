package publish

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// GraphFormats are the names that WriteGraph takes.
var GraphFormats = []string{"dot", "mermaid"}

// WriteGraph draws which files refer to which: in the language of Graphviz
// (https://graphviz.org/doc/info/lang.html) or of Mermaid
// (https://mermaid.js.org/syntax/flowchart.html). An edge says on which lines.
func (t *Tree) WriteGraph(w io.Writer, format string) error {
	out := bufio.NewWriter(w)
	if format == "dot" {
		t.graph().dot(out)
	} else {
		t.graph().mermaid(out)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the graph: %w", err)
	}
	return nil
}

// graph is a tree with its files numbered: the entrypoint first, then by path.
type graph struct {
	nodes []*file
	edges []edge
}

type edge struct {
	from, to int
	lines    []int
}

func (t *Tree) graph() graph {
	last := len(t.files) - 1
	g := graph{nodes: append([]*file{t.files[last]}, t.files[:last]...)}
	slices.SortFunc(g.nodes[1:], func(a, b *file) int {
		return cmp.Or(strings.Compare(a.path, b.path), cmp.Compare(a.kind(), b.kind()))
	})
	numbers := map[string]int{}
	for i, f := range g.nodes {
		if f.isTemplate {
			numbers[f.path] = i
		}
	}
	for to, f := range g.nodes {
		for _, pos := range f.from { // sorted by file
			from, n := numbers[pos.File], len(g.edges)
			if n == 0 || g.edges[n-1].from != from || g.edges[n-1].to != to {
				g.edges = append(g.edges, edge{from: from, to: to})
				n++
			}
			g.edges[n-1].lines = append(g.edges[n-1].lines, pos.Line)
		}
	}
	slices.SortFunc(g.edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	return g
}

// maxLines is how many lines an edge names.
const maxLines = 4

func (e edge) label() string {
	texts := make([]string, len(e.lines))
	for i, line := range e.lines {
		texts[i] = strconv.Itoa(line)
	}
	switch {
	case len(texts) == 1:
		return "line " + texts[0]
	case len(texts) > maxLines:
		texts = append(texts[:maxLines], "…")
	}
	return "lines " + strings.Join(texts, ", ")
}

func (g graph) dot(w io.Writer) {
	shapes := map[Kind]string{KindTemplate: "box", KindFile: "note", KindArchive: "folder"}
	fmt.Fprintln(w, "digraph references {\n  rankdir=LR;")
	for i, f := range g.nodes {
		style := ""
		if i == 0 {
			style = ", style=bold"
		}
		fmt.Fprintf(w, "  n%d [label=%s, shape=%s%s];\n", i, dotText(f.path), shapes[f.kind()], style)
	}
	for _, e := range g.edges {
		fmt.Fprintf(w, "  n%d -> n%d [label=%s];\n", e.from, e.to, dotText(e.label()))
	}
	fmt.Fprintln(w, "}")
}

// dotText is a label: a backslash begins an escape there, such as \N for the
// node's name.
func dotText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

func (g graph) mermaid(w io.Writer) {
	shapes := map[Kind][2]string{KindTemplate: {"[", "]"}, KindFile: {"([", "])"}, KindArchive: {"[(", ")]"}}
	fmt.Fprintln(w, "flowchart LR")
	for i, f := range g.nodes {
		shape := shapes[f.kind()]
		fmt.Fprintf(w, "  n%d%s%s%s\n", i, shape[0], mermaidText(f.path), shape[1])
	}
	for _, e := range g.edges {
		fmt.Fprintf(w, "  n%d -->|%s| n%d\n", e.from, mermaidText(e.label()), e.to)
	}
}

// mermaidText is a label: what means something to Mermaid or to the HTML that it
// makes is written as #CODE;.
func mermaidText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		if strings.ContainsRune("\"#&<>\\`*_", r) || unicode.IsControl(r) {
			fmt.Fprintf(&b, "#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
