package publish

import (
	"strconv"
	"strings"

	"ouro/template"
)

// Problem is something wrong in a file of the tree.
type Problem struct {
	template.Problem
	// Chain are the references that lead from the entrypoint to the file, in
	// order; empty for the entrypoint itself.
	Chain []template.Pos
}

// String is the problem as a line: position, message, and the chain of
// references if there is one.
func (p Problem) String() string {
	line := p.Problem.String()
	if len(p.Chain) == 0 {
		return line
	}
	return line + " (referred to by " + chain(p.Chain) + ")"
}

func chain(positions []template.Pos) string {
	texts := make([]string, len(positions))
	for i, pos := range positions {
		texts[i] = pos.String()
	}
	return strings.Join(texts, " -> ")
}

// Error holds all problems that keep a tree from being published.
type Error struct {
	Problems []Problem
}

// Error lists the problems, one a line.
func (e *Error) Error() string {
	if len(e.Problems) == 1 {
		return e.Problems[0].String()
	}
	lines := make([]string, 0, len(e.Problems)+1)
	lines = append(lines, strconv.Itoa(len(e.Problems))+" problems:")
	for _, p := range e.Problems {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}
