// Package buildspec reads and checks CodeBuild's build specifications, version
// 0.1 and 0.2, YAML or JSON, batch specifications included
// (https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html).
// It is pure: it turns bytes into a Spec and runs nothing.
//
// It is strict where CodeBuild is silent: a key that nobody reads is an error,
// because it is a misspelt one in almost every case. Scalars that YAML would
// take for numbers or booleans stay text as written, so that "VERSION: 1.10"
// is not 1.1.
package buildspec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"ouro/regex"
	"ouro/template"
)

// MaxSize bounds a buildspec, in bytes.
const MaxSize = 1 << 20

// Pos is a place in a file.
type Pos = template.Pos

// Spec is one buildspec.
type Spec struct {
	File       string // as given to Parse
	Version    string // "0.1" or "0.2"
	RunAs      string // the user that all commands run as; empty: the build's own
	Env        Env
	Proxy      Proxy
	Phases     []Phase // those present, in the order in which they run
	Reports    []Report
	Artifacts  *Artifacts // nil when the section is absent
	Cache      *Cache     // nil when the section is absent
	Batch      *Batch     // nil when the section is absent
	phasesSeen bool
}

// PhaseNames are the phases that a buildspec may have, in order.
var PhaseNames = [...]string{"install", "pre_build", "build", "post_build"}

// Phase is the phase called name, or nil.
func (s *Spec) Phase(name string) *Phase {
	for i := range s.Phases {
		if s.Phases[i].Name == name {
			return &s.Phases[i]
		}
	}
	return nil
}

// Proxy says which of CodeBuild's own transfers use the explicit proxy.
type Proxy struct {
	UploadArtifacts bool
	Logs            bool
}

// Error is what is wrong with a buildspec, and where. A build shows Message
// after the status code YAML_FILE_ERROR.
type Error struct {
	Pos     Pos
	Message string
}

func (e *Error) Error() string { return e.Pos.String() + ": " + e.Message }

// Parse reads a buildspec. file is used for positions only. The error is
// always an *Error.
func Parse(file string, body []byte) (*Spec, error) {
	r := &reader{file: file}
	if len(body) > MaxSize {
		return nil, r.errorf(nil, "a buildspec has at most %d bytes, this has %d", MaxSize, len(body))
	}
	decoder := yaml.NewDecoder(bytes.NewReader(body))
	var document yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) || err == nil && len(document.Content) == 0 {
		return nil, r.errorf(nil, "the buildspec is empty")
	} else if err != nil {
		return nil, r.syntax(err)
	}
	spec := &Spec{File: file}
	if err := r.spec(spec, document.Content[0]); err != nil {
		return nil, err
	}
	return spec, nil
}

func (r *reader) spec(s *Spec, root *yaml.Node) error {
	if err := r.kind(root, "buildspec", yaml.MappingNode); err != nil {
		return err
	}
	if lookup(root, "version") == nil {
		// CodeBuild's own words for a buildspec without a version.
		return r.errorf(root, "wrong number of container tags, expected 1: the key version is missing")
	}
	err := r.fields(root, "the buildspec", fields{
		"version":   r.oneOf(&s.Version, "0.1", "0.2"),
		"run-as":    r.text(&s.RunAs),
		"env":       func(k, n *yaml.Node) error { return r.env(&s.Env, n) },
		"proxy":     func(k, n *yaml.Node) error { return r.proxy(&s.Proxy, n) },
		"phases":    func(k, n *yaml.Node) error { return r.phases(s, n) },
		"reports":   func(k, n *yaml.Node) error { return r.reports(&s.Reports, n) },
		"artifacts": func(k, n *yaml.Node) error { s.Artifacts = &Artifacts{}; return r.artifacts(s.Artifacts, n, true) },
		"cache":     func(k, n *yaml.Node) error { s.Cache = &Cache{}; return r.cache(s.Cache, n) },
		"batch":     func(k, n *yaml.Node) error { s.Batch = &Batch{}; return r.batch(s.Batch, n) },
	})
	if err != nil {
		return err
	}
	if !s.phasesSeen && s.Batch == nil {
		return r.errorf(root, "the buildspec has neither phases nor batch")
	}
	return nil
}

func (r *reader) proxy(p *Proxy, n *yaml.Node) error {
	return r.fields(n, "proxy", fields{
		"upload-artifacts": r.truth(&p.UploadArtifacts),
		"logs":             r.truth(&p.Logs),
	})
}

var syntaxLine = regex.New(`^yaml: (?:unmarshal errors:\s*)?line (\d+): `)

// syntax gives the YAML library's complaint CodeBuild's form, with the line at
// the end.
func (r *reader) syntax(err error) error {
	text := err.Error()
	line := 1
	if m := syntaxLine().FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	text = strings.TrimPrefix(text, "yaml: ")
	return &Error{Pos: Pos{File: r.file, Line: line, Column: 1}, Message: fmt.Sprintf("%s at line %d", text, line)}
}
