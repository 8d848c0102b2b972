package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// files gathers coverage by path, in the order of first mention.
type files struct {
	all   []File
	at    map[string]int
	wrong error
}

func (f *files) file(name string) *File {
	if f.at == nil {
		f.at = map[string]int{}
	}
	at, ok := f.at[name]
	switch {
	case ok:
	case len(name) > maxPath:
		f.wrong = fmt.Errorf("the path of a source file has more than %d bytes", maxPath)
		return &File{}
	case len(f.all) == maxFiles:
		f.wrong = fmt.Errorf("there are more than %d source files", maxFiles)
		return &File{}
	default:
		at = len(f.all)
		f.at[name] = at
		f.all = append(f.all, File{Path: name})
	}
	return &f.all[at]
}

func (f *files) result() (Result, error) {
	if f.wrong != nil {
		return Result{}, f.wrong
	}
	return Result{Files: f.all}, nil
}

// clover reads Clover's XML: lines of the kinds stmt and cond, the latter with
// the times that each branch was taken.
func clover(root *element) (Result, error) {
	var out files
	root.walk(func(_, e *element) {
		if e.name != "file" {
			return
		}
		f := out.file(e.attr("path", "name"))
		for _, l := range e.children {
			if l.name != "line" {
				continue
			}
			if l.attr("type") == "cond" {
				f.branch(count(l.attr("truecount")) > 0)
				f.branch(count(l.attr("falsecount")) > 0)
				continue
			}
			f.line(count(l.attr("count")) > 0)
		}
	})
	return out.result()
}

func (f *File) line(covered bool) {
	if covered {
		f.LinesCovered++
	} else {
		f.LinesMissed++
	}
}

func (f *File) branch(covered bool) {
	if covered {
		f.BranchesCovered++
	} else {
		f.BranchesMissed++
	}
}

// cobertura reads Cobertura's XML. A line stands both below its method and
// below its class: only the latter counts.
func cobertura(root *element) (Result, error) {
	var out files
	root.walk(func(_, class *element) {
		lines := class.child("lines")
		if class.name != "class" || lines == nil {
			return
		}
		f := out.file(class.attr("filename"))
		for _, l := range lines.children {
			f.line(count(l.attr("hits")) > 0)
			if l.attr("branch") == "true" {
				covered, all := fraction(l.attr("condition-coverage"))
				f.BranchesCovered += covered
				f.BranchesMissed += all - covered
			}
		}
	})
	return out.result()
}

// fraction reads "50% (1/2)".
func fraction(text string) (covered, all int) {
	_, text, _ = strings.Cut(text, "(")
	text, _, _ = strings.Cut(text, ")")
	first, second, _ := strings.Cut(text, "/")
	covered, all = count(first), count(second)
	return min(covered, all), all
}

// jacoco reads JaCoCo's XML: each source file has counters.
func jacoco(root *element) (Result, error) {
	var out files
	root.walk(func(above, e *element) {
		if e.name != "sourcefile" {
			return
		}
		f := out.file(path.Join(cut(above.attr("name"), maxPath+1), e.attr("name")))
		for _, c := range e.children {
			missed, covered := count(c.attr("missed")), count(c.attr("covered"))
			switch {
			case c.name != "counter":
			case c.attr("type") == "LINE":
				f.LinesMissed, f.LinesCovered = f.LinesMissed+missed, f.LinesCovered+covered
			case c.attr("type") == "BRANCH":
				f.BranchesMissed, f.BranchesCovered = f.BranchesMissed+missed, f.BranchesCovered+covered
			}
		}
	})
	return out.result()
}

// simpleCov reads SimpleCov's coverage.json, whose lines are numbers, null for
// what is no code, or "ignored". .resultset.json has the same below the name
// of a command.
func simpleCov(r io.Reader) (Result, error) {
	var body map[string]json.RawMessage
	if err := decodeOne(r, &body); err != nil {
		return Result{}, err
	}
	var out files
	sections := []json.RawMessage{body["coverage"]}
	if body["coverage"] == nil {
		sections = sections[:0]
		for _, name := range slices.Sorted(maps.Keys(body)) {
			var run struct{ Coverage json.RawMessage }
			if json.Unmarshal(body[name], &run) == nil && run.Coverage != nil {
				sections = append(sections, run.Coverage)
			}
		}
	}
	if len(sections) == 0 {
		return Result{}, errors.New("it has no coverage")
	}
	for _, s := range sections {
		if err := out.simpleCov(s); err != nil {
			return Result{}, err
		}
	}
	return out.result()
}

// simpleCov takes files with their lines, or with an object that has lines
// and branches.
func (f *files) simpleCov(section json.RawMessage) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(section, &all); err != nil {
		return fmt.Errorf("reading the coverage: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		var detail struct {
			Lines    []hits          `json:"lines"`
			Branches json.RawMessage `json:"branches"`
		}
		if err := json.Unmarshal(all[name], &detail.Lines); err != nil {
			if err := json.Unmarshal(all[name], &detail); err != nil {
				return fmt.Errorf("reading the coverage of %s: %w", name, err)
			}
		}
		file := f.file(name)
		for _, l := range detail.Lines {
			if l >= 0 {
				file.line(l > 0)
			}
		}
		for _, taken := range branches(detail.Branches) {
			file.branch(taken > 0)
		}
	}
	return nil
}

// hits is how often a line ran, less than 0 for one that is no code or is
// ignored.
type hits int8

func (h *hits) UnmarshalJSON(text []byte) error {
	n, err := strconv.ParseFloat(string(text), 64)
	switch {
	case err != nil:
		*h = -1
	case n > 0:
		*h = 1
	default:
		*h = 0
	}
	return nil
}

// branches are the times that each branch was taken: a list of objects with
// a coverage in coverage.json, conditions with their branches in
// .resultset.json.
func branches(section json.RawMessage) (taken []float64) {
	var list []struct{ Coverage float64 }
	if json.Unmarshal(section, &list) == nil {
		for _, b := range list {
			taken = append(taken, b.Coverage)
		}
		return taken
	}
	var conditions map[string]map[string]float64
	if json.Unmarshal(section, &conditions) == nil {
		for _, c := range conditions {
			for _, n := range c {
				taken = append(taken, n)
			}
		}
	}
	return taken
}
