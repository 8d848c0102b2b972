package buildspec

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"ouro/regex"
)

// Phase is a list of commands that succeed or fail together.
type Phase struct {
	Name            string // one of PhaseNames
	RunAs           string // overrides Spec.RunAs
	OnFailure       OnFailure
	RuntimeVersions []Variable // language and version; of the install phase only
	Commands        []Command
	Finally         []Command // run after Commands, whether these failed or not
	Pos             Pos
}

// Command is one command line, or several.
type Command struct {
	Text string
	Pos  Pos
}

// OnFailure says what happens when a phase fails.
type OnFailure struct {
	Action  string         // ABORT, CONTINUE or RETRY; empty: what CodeBuild does by itself
	Retries int            // of RETRY
	Pattern *regexp.Regexp // of RETRY: which error messages are worth a retry; nil: all
}

// defaultRetries is how often RETRY retries when it says no number.
const defaultRetries = 3

func (r *reader) phases(s *Spec, n *yaml.Node) error {
	s.phasesSeen = true
	err := r.entries(n, "phases", func(k, v *yaml.Node) error {
		if !slices.Contains(PhaseNames[:], k.Value) {
			return r.errorf(k, "Invalid buildspec phase name: Found %s. Expecting: BUILD,INSTALL,POST_BUILD,PRE_BUILD", strings.ToUpper(k.Value))
		}
		p := Phase{Name: k.Value, Pos: r.pos(k)}
		if !isNull(v) {
			if err := r.phase(&p, v); err != nil {
				return err
			}
		}
		s.Phases = append(s.Phases, p)
		return nil
	})
	slices.SortStableFunc(s.Phases, func(a, b Phase) int {
		return slices.Index(PhaseNames[:], a.Name) - slices.Index(PhaseNames[:], b.Name)
	})
	return err
}

func (r *reader) phase(p *Phase, n *yaml.Node) error {
	return r.fields(n, "phase "+p.Name, fields{
		"run-as":           r.text(&p.RunAs),
		"on-failure":       func(k, n *yaml.Node) error { return r.onFailure(&p.OnFailure, n) },
		"runtime-versions": r.variables(&p.RuntimeVersions),
		"commands":         r.commands(&p.Commands),
		"finally":          r.commands(&p.Finally),
		"steps": func(k, n *yaml.Node) error {
			return r.errorf(k, "steps of GitHub Actions are not run by buildspecs here")
		},
	})
}

func (r *reader) commands(to *[]Command) field {
	return func(k, n *yaml.Node) error {
		return r.each(n, k.Value, func(name string, item *yaml.Node) error {
			text, err := r.scalar(item, name)
			if err != nil || isNull(item) {
				return err
			}
			*to = append(*to, Command{Text: text, Pos: r.pos(item)})
			return nil
		})
	}
}

var retryForm = regex.New(`^RETRY(?:-(\d+))?(?:-(.+))?$`)

// onFailure reads ABORT, CONTINUE, RETRY, RETRY-count, RETRY-regex and
// RETRY-count-regex.
func (r *reader) onFailure(to *OnFailure, n *yaml.Node) error {
	value, err := r.scalar(n, "on-failure")
	if err != nil {
		return err
	}
	if value == "ABORT" || value == "CONTINUE" {
		to.Action = value
		return nil
	}
	m := retryForm().FindStringSubmatch(value)
	if m == nil {
		return r.errorf(n, "Invalid on-failure: found %s at line %d, expecting one of: ABORT, CONTINUE, RETRY, RETRY-count, RETRY-regex, RETRY-count-regex", value, n.Line)
	}
	to.Action, to.Retries = "RETRY", defaultRetries
	if m[1] != "" {
		if to.Retries, err = strconv.Atoi(m[1]); err != nil || to.Retries > 100 {
			return r.errorf(n, "Invalid on-failure: the count of %s at line %d must be between 0 and 100", value, n.Line)
		}
	}
	if m[2] != "" {
		if to.Pattern, err = regexp.Compile(m[2]); err != nil {
			return r.errorf(n, "Invalid on-failure: %s at line %d is no regular expression: %v", m[2], n.Line, err)
		}
	}
	return nil
}
