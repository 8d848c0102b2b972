package validate

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"ouro/template"
)

// Formats are the names that Write takes.
var Formats = []string{"text", "json", "sarif"}

// Write writes the report in one of Formats. Colour is for terminals, and only
// in text.
func (r *Report) Write(w io.Writer, format string, color bool) error {
	switch format {
	case "json":
		return writeJSON(w, r.json())
	case "sarif":
		return writeJSON(w, r.sarif())
	}
	return r.text(w, color)
}

// text is a line for each finding, in the form that editors and terminals
// follow: file:line:column: severity: what (id).
func (r *Report) text(w io.Writer, color bool) error {
	out := bufio.NewWriter(w)
	for _, f := range r.Findings {
		severity := f.Severity.String()
		if color {
			severity = colors[f.Severity] + severity + "\x1b[0m"
		}
		fmt.Fprintf(out, "%s: %s: %s (%s)\n", f.Pos, severity, f.Message, f.ID)
	}
	return out.Flush()
}

var colors = map[template.Severity]string{template.SeverityError: "\x1b[31m", template.SeverityWarning: "\x1b[33m"}

// Summary is the report in one line: what was looked at, and what came of it.
func (r *Report) Summary() string {
	errors, warnings := r.Count()
	outcome := "no problems"
	switch {
	case errors > 0:
		outcome = many(errors, "error") + ", " + many(warnings, "warning")
	case warnings > 0:
		outcome = many(warnings, "warning")
	}
	return many(r.Templates, "template") + ", " + many(r.Configurations, "configuration") + ": " + outcome
}

func many(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// The JSON form is for programs: members are only ever added.
type jsonReport struct {
	Templates      int           `json:"templates"`
	Configurations int           `json:"configurations"`
	Errors         int           `json:"errors"`
	Warnings       int           `json:"warnings"`
	Findings       []jsonFinding `json:"findings"`
}

type jsonFinding struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Severity string `json:"severity"`
	ID       string `json:"id"`
	Message  string `json:"message"`
}

func (r *Report) json() jsonReport {
	out := jsonReport{Templates: r.Templates, Configurations: r.Configurations, Findings: make([]jsonFinding, len(r.Findings))}
	out.Errors, out.Warnings = r.Count()
	for i, f := range r.Findings {
		out.Findings[i] = jsonFinding{
			File: f.Pos.File, Line: f.Pos.Line, Column: f.Pos.Column, Severity: f.Severity.String(), ID: f.ID, Message: f.Message,
		}
	}
	return out
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
