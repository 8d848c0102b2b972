package validate

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ouro/regex"
	"ouro/template"
)

type kind uint8

const (
	isOther kind = iota
	isTemplate
	isConfiguration
)

// file is one file of a run.
type file struct {
	path     string // as the user would write it
	named    bool   // the user did
	kind     kind
	findings []Finding
	told     int // of them, by add

	facts  facts          // of a template
	config *configuration // of what may be one
}

// check reads the file, finds out what it is, and checks what can be checked
// without the other files.
func (f *file) check(ctx context.Context, reader *template.Reader) {
	body, err := readBounded(f.path)
	if err != nil {
		f.add(template.Pos{File: f.path}, "unreadable", "the file cannot be read: "+reason(err).Error())
		return
	}
	if !f.named && !candidate(f.path, body) {
		return
	}
	t, err := reader.Parse(f.path, body)
	var broken *template.Error
	switch {
	case errors.As(err, &broken):
		if f.named || claims(body) {
			f.kind = isTemplate
			f.add(broken.Pos, "syntax", broken.Message)
		}
	case looksLikeTemplate(t):
		f.kind = isTemplate
		f.facts = factsOf(t)
		f.findings = append(f.findings, checkTemplate(ctx, t)...)
	case looksLikeConfiguration(t):
		f.config = readConfiguration(t)
	case f.named:
		f.add(t.Root.Pos, "no-template", "the file is neither a template nor a template configuration")
	}
}

// full tells that enough is said of how the file fits the others.
func (f *file) full() bool { return f.told >= maxFindings }

func (f *file) add(pos template.Pos, id, message string) {
	if f.full() {
		return
	}
	f.told++
	f.findings = append(f.findings, Finding{Pos: pos, ID: id, Severity: severityOf(id), Message: message})
}

// readBounded reads no more than a template may have, and the byte that tells
// that it has more.
func readBounded(path string) ([]byte, error) {
	info, err := readable(path)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	body := make([]byte, min(info.Size(), template.MaxSize)+1)
	n, err := io.ReadFull(f, body)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return body[:n], err
}

// readable finds a regular file: opening a pipe would wait for its writer.
func readable(path string) (os.FileInfo, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	return info, err
}

// candidate tells whether it is worth the effort to parse the file. Most YAML
// and JSON in the world are no templates.
func candidate(path string, body []byte) bool {
	return bytes.Contains(body, []byte("Resources")) || claims(body) ||
		filepath.Ext(path) == ".json" && bytes.Contains(body, []byte(`"Parameters"`))
}

// claims tells whether a text says of itself that it is a template, so that
// it is worth telling when it cannot be read.
func claims(body []byte) bool {
	return bytes.Contains(body, []byte("AWSTemplateFormatVersion")) ||
		bytes.Contains(body, []byte("AWS::")) && resourcesSection().Match(body)
}

var resourcesSection = regex.New(`(?m)^(?:Resources[ \t]*:|\{?[ \t]*"Resources"[ \t]*:)`)

// looksLikeTemplate: a template has a format version, or a transform of AWS,
// or resources with types.
func looksLikeTemplate(t *template.Template) bool {
	if t.Root.Get("AWSTemplateFormatVersion").IsScalar() {
		return true
	}
	if slices.ContainsFunc(t.Transforms(), func(name string) bool { return strings.HasPrefix(name, "AWS::") }) {
		return true
	}
	resources := t.Root.Get("Resources")
	if resources == nil || resources.Kind != template.Map {
		return false
	}
	return slices.ContainsFunc(resources.Items, func(r *template.Node) bool { return strings.Contains(r.Get("Type").Scalar(), "::") })
}
