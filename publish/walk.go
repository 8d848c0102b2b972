package publish

import (
	"errors"

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
	files    map[string]*file
	state    map[*file]visit
	chain    []template.Pos
	names    []string // files of the chain, for cycles
	order    []*file
	problems []Problem
}

// enter visits f and everything below it that was not visited yet.
func (w *walker) enter(f *file) {
	w.state[f] = open
	w.names = append(w.names, f.path)
	if f.failure != nil {
		w.problem(template.Pos{File: f.path}, "missing-file", quoted(f.path)+" "+f.failure.Error())
	}
	if len(w.names) == 1 && f.notOne != nil {
		w.notTemplate(template.Pos{File: f.path}, f)
	}
	for _, p := range f.problems {
		w.add(p)
	}
	for _, r := range f.refs {
		w.follow(r)
	}
	w.names = w.names[:len(w.names)-1]
	w.order = append(w.order, f)
	w.state[f] = done
}

func (w *walker) follow(r reference) {
	if r.fault != "" {
		w.problem(r.pos, "reference", r.fault+": "+quoted(r.text))
		return
	}
	f := w.files[r.target]
	switch {
	case f.failure != nil:
		w.problem(r.pos, "missing-file", quoted(r.target)+" "+f.failure.Error())
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
	for i, name := range w.names {
		if name == r.target {
			from = i
		}
	}
	round := ""
	for i, name := range w.names[from:] {
		pos := r.pos
		if from+i < len(w.chain) {
			pos = w.chain[from+i]
		}
		round += name + " (line " + lineOf(pos) + ") -> "
	}
	w.problem(r.pos, "cycle", "files refer to each other in a circle: "+round+r.target)
}

func (w *walker) problem(pos template.Pos, id, message string) {
	w.add(template.Problem{Pos: pos, ID: id, Message: message})
}

func (w *walker) add(p template.Problem) {
	w.problems = append(w.problems, Problem{Problem: p, Chain: append([]template.Pos(nil), w.chain...)})
}
