package publish

import (
	"errors"
	"slices"
	"strconv"

	"ouro/template"
)

// visit is how far the walk over a file is.
type visit uint8

const (
	unseen visit = iota
	open
	done
)

// walker goes through the files that were read, depth first in source order,
// so that problems and files come in the same order on every machine.
type walker struct {
	files    map[source]*file
	state    map[*file]visit
	chain    []template.Pos
	sources  []source // files of the chain, for cycles
	order    []*file
	problems []Problem
}

// enter visits f and everything below it that was not visited yet.
func (w *walker) enter(f *file) {
	w.state[f] = open
	f.chain = slices.Clone(w.chain)
	w.sources = append(w.sources, f.source)
	if f.failure != nil {
		w.problem(template.Pos{File: f.path}, "missing-file", quoted(f.path)+" "+f.failure.Error())
	}
	if len(w.sources) == 1 && f.notOne != nil {
		w.notTemplate(template.Pos{File: f.path}, f)
	}
	for _, p := range f.problems {
		w.add(p)
	}
	for _, r := range f.refs {
		w.follow(r)
	}
	w.sources = w.sources[:len(w.sources)-1]
	w.order = append(w.order, f)
	w.state[f] = done
}

func (w *walker) follow(r reference) {
	if r.fault != "" {
		w.problem(r.pos, "reference", r.fault+": "+quoted(r.text))
		return
	}
	if len(w.sources) > maxDepth {
		w.problem(r.pos, "nesting", "templates refer to templates more than "+strconv.Itoa(maxDepth)+" deep")
		return
	}
	f := w.files[r.target]
	f.from = append(f.from, r.pos)
	switch {
	case f.failure != nil:
		w.problem(r.pos, "missing-file", quoted(f.path)+" "+f.failure.Error())
		return
	case w.state[f] == open:
		w.cycle(r)
		return
	case r.template && !f.isTemplate:
		w.chain = append(w.chain, r.pos)
		w.notTemplate(r.pos, f)
		w.chain = w.chain[:len(w.chain)-1]
		return
	}
	if w.state[f] == unseen {
		w.chain = append(w.chain, r.pos)
		w.enter(f)
		w.chain = w.chain[:len(w.chain)-1]
	}
}

func (w *walker) notTemplate(at template.Pos, f *file) {
	var bad *template.Error
	if errors.As(f.notOne, &bad) {
		w.problem(bad.Pos, "not-template", bad.Message)
		return
	}
	w.problem(at, "not-template", quoted(f.path)+" "+f.notOne.Error())
}

// cycle reports a reference to a file that is being visited, with the files
// and positions on the way round.
func (w *walker) cycle(r reference) {
	from := 0
	for i, s := range w.sources {
		if s == r.target {
			from = i
		}
	}
	round := ""
	for i, s := range w.sources[from:] {
		pos := r.pos
		if from+i < len(w.chain) {
			pos = w.chain[from+i]
		}
		round += s.shown() + " (line " + lineOf(pos) + ") -> "
	}
	w.problem(r.pos, "cycle", "files refer to each other in a circle: "+round+r.target.shown())
}

func (w *walker) problem(pos template.Pos, id, message string) {
	w.add(template.Problem{Pos: pos, ID: id, Message: message})
}

func (w *walker) add(p template.Problem) {
	w.problems = append(w.problems, Problem{Problem: p, Chain: append([]template.Pos(nil), w.chain...)})
}
