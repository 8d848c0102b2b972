package template

import (
	"slices"
	"strings"
)

// Severity tells whether CloudFormation refuses a template for a problem.
type Severity uint8

// Error stops a deployment; Warning is worth a look.
const (
	SeverityError Severity = iota
	SeverityWarning
)

// String is "error" or "warning".
func (s Severity) String() string {
	if s == SeverityWarning {
		return "warning"
	}
	return "error"
}

// Problem is something wrong in the structure of a template.
type Problem struct {
	Pos      Pos
	ID       string // the rule: unresolved-reference, unknown-section, …
	Message  string
	Severity Severity

	// How CloudFormation says it. A text with [] in it stands for all
	// problems of that text, whose names go between the brackets.
	aws  string
	name string
}

// String is the problem as a line of its own: file:line:column: message.
func (p Problem) String() string { return p.Pos.String() + ": " + p.Message }

// FormatError is a template that CloudFormation refuses.
type FormatError struct {
	Message  string // in CloudFormation's words
	Problems []Problem
}

func (e *FormatError) Error() string { return e.Message }

// Validate is Check as CloudFormation answers: nil, or a *FormatError with the
// sentence that it refuses the template with. CloudFormation tells of one kind
// of mistake at a time, with all names that have it.
func (t *Template) Validate() error {
	problems := t.Check()
	at := slices.IndexFunc(problems, func(p Problem) bool { return p.Severity == SeverityError })
	if at < 0 {
		return nil
	}
	first := problems[at]
	message := first.aws
	if before, after, ok := strings.Cut(first.aws, "[]"); ok {
		var names []string
		for _, p := range problems {
			if p.aws == first.aws && !slices.Contains(names, p.name) {
				names = append(names, p.name)
			}
		}
		message = before + "[" + strings.Join(names, ", ") + "]" + after
	}
	if message == "" {
		message = "Template error: " + first.Message
	}
	return &FormatError{Message: message, Problems: problems}
}
