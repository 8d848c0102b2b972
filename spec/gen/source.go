package main

import (
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// source is the part of the specification that the table keeps.
type source struct {
	version string
	types   []*resource         // sorted by name
	objects map[string]*objects // by $id
}

type resource struct {
	Name       string               `json:"cloudFormationType"`
	Transform  string               `json:"cloudFormationTransform"`
	Identifier []string             `json:"primaryIdentifier"`
	Ref        []string             `json:"cfnRefIdentifier"`
	Properties map[string]*property `json:"properties"`
	Attributes map[string]*property `json:"attributes"`
	ARN        string               `json:"arnTemplate"`
	Stateful   bool                 `json:"isStateful"`
	Tags       struct {
		Property string `json:"tagPropertyName"`
		Variant  string `json:"variant"`
	} `json:"tagInformation"`
	AlsoReplace [][]string `json:"additionalReplacementProperties"`
}

type objects struct {
	ID         string               `json:"$id"`
	Properties map[string]*property `json:"properties"`
}

type property struct {
	Type       *typ   `json:"type"`
	Previous   []*typ `json:"previousTypes"`
	Required   bool   `json:"required"`
	Replace    string `json:"causesReplacement"`
	Deprecated string `json:"deprecated"`
}

// typ is a type as the source writes it.
type typ struct {
	Type      string            `json:"type"`
	Element   *typ              `json:"element"`
	Types     []*typ            `json:"types"`
	Allowed   []json.RawMessage `json:"allowedValues"`
	Reference struct {
		ID string `json:"$ref"`
	} `json:"reference"`
}

func read(dir string) (*source, error) {
	var about struct{ Version string }
	b, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, &about); err != nil {
		return nil, fmt.Errorf("reading package.json: %w", err)
	}
	f, err := os.Open(filepath.Join(dir, "db.json.gz"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.Name(), err)
	}
	var db struct {
		Schema struct {
			Resource       struct{ Entities []*resource }
			TypeDefinition struct{ Entities []*objects }
		}
	}
	if err := json.NewDecoder(z).Decode(&db); err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.Name(), err)
	}
	src := &source{version: about.Version, types: db.Schema.Resource.Entities, objects: map[string]*objects{}}
	for _, o := range db.Schema.TypeDefinition.Entities {
		src.objects[o.ID] = o
		ignore(o.Properties)
	}
	for _, t := range src.types {
		ignore(t.Properties)
		ignore(t.Attributes)
	}
	return src, nil
}

// ignore drops what the source says not to emit at all.
func ignore(properties map[string]*property) {
	for name, p := range properties {
		if p.Deprecated == "IGNORE" {
			delete(properties, name)
		}
	}
}

func (s *source) sort() {
	slices.SortFunc(s.types, func(a, b *resource) int { return cmp.Compare(a.Name, b.Name) })
}

func (s *source) find(name string) (*resource, error) {
	for _, t := range s.types {
		if t.Name == name {
			return t, nil
		}
	}
	return nil, fmt.Errorf("the source has no type %s", name)
}
