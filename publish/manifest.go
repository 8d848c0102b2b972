package publish

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Manifest is a plan for programs: what became of each file. Members are only
// ever added.
type Manifest struct {
	Bucket     string          `json:"bucket"`
	Region     string          `json:"region"`
	Endpoint   string          `json:"endpoint,omitempty"` // none for AWS
	Entrypoint ManifestEntry   `json:"entrypoint"`
	Files      []ManifestEntry `json:"files"` // sorted by path
}

// ManifestEntry is one file.
type ManifestEntry struct {
	File       string     `json:"file"` // from the project's root
	Kind       Kind       `json:"kind"`
	Size       int64      `json:"size"` // of an archive, of all that it holds
	SHA256     string     `json:"sha256"`
	Key        string     `json:"key"`
	URL        string     `json:"url"`
	ReferredBy []Referrer `json:"referredBy"`
}

// Referrer is a place that refers to a file.
type Referrer struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// Manifest of the plan.
func (p *Plan) Manifest() Manifest {
	m := Manifest{
		Bucket: p.Location.Bucket, Region: p.Location.Region, Endpoint: p.Location.Endpoint,
		Entrypoint: entryOf(p.Entrypoint), Files: make([]ManifestEntry, len(p.Objects)),
	}
	for i, o := range p.Objects {
		m.Files[i] = entryOf(o)
	}
	slices.SortFunc(m.Files, func(a, b ManifestEntry) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Kind, b.Kind))
	})
	return m
}

func entryOf(o Object) ManifestEntry {
	e := ManifestEntry{
		File: o.Path, Kind: o.Kind, Size: o.Size, SHA256: o.SHA256, Key: o.Key, URL: o.URL, ReferredBy: make([]Referrer, len(o.From)),
	}
	for i, pos := range o.From {
		e.ReferredBy[i] = Referrer{File: pos.File, Line: pos.Line, Column: pos.Column}
	}
	return e
}

// Write writes the manifest as JSON.
func (m Manifest) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(m); err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	return nil
}
