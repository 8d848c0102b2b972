package executeapi

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxDocument bounds OpenAPI documents, in bytes.
const maxDocument = 6 << 20

// Document is an OpenAPI document, or a part of one.
type Document map[string]any

// ReadDocument reads an OpenAPI 3 or Swagger 2 document, as JSON or YAML.
func ReadDocument(text []byte) (Document, error) {
	if len(text) > maxDocument {
		return nil, fmt.Errorf("the document has more than %d bytes", maxDocument)
	}
	var d Document
	if err := yaml.Unmarshal(text, &d); err != nil { // JSON is YAML
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	// SAM writes the version of Swagger as a number.
	if v := d.Text("swagger"); !strings.HasPrefix(d.Text("openapi"), "3.") && v != "2.0" && v != "2" {
		return nil, errors.New("the document is neither OpenAPI 3 nor Swagger 2.0")
	}
	return d, nil
}

// Part is a member that is an object; empty if there is none.
func (d Document) Part(name string) Document { return object(d[name]) }

func object(v any) Document {
	switch m := v.(type) {
	case Document:
		return m
	case map[string]any:
		return m
	}
	return Document{}
}

// Text is a member that is a scalar, as text.
func (d Document) Text(name string) string {
	switch v := d[name].(type) {
	case nil, map[string]any, []any, Document:
		return ""
	default:
		return fmt.Sprint(v)
	}
}

// Texts is a member that is a list of texts, or one text.
func (d Document) Texts(name string) []string {
	list, ok := d[name].([]any)
	if !ok {
		if s := d.Text(name); s != "" {
			return []string{s}
		}
		return nil
	}
	out := []string{}
	for _, v := range list {
		out = append(out, fmt.Sprint(v))
	}
	return out
}

// Parts is a member that is a list of objects.
func (d Document) Parts(name string) []Document {
	list, _ := d[name].([]any)
	var out []Document
	for _, v := range list {
		out = append(out, object(v))
	}
	return out
}

// Names are the members' names, sorted.
func (d Document) Names() []string { return slices.Sorted(maps.Keys(d)) }

const anyMethod = "x-amazon-apigateway-any-method"

// Operation is one method of one path of a document.
type Operation struct {
	Path, Method string // ANY for any
	Document
}

// Operations are the methods of all paths, sorted.
func (d Document) Operations() []Operation {
	methods := []string{"delete", "get", "head", "options", "patch", "post", "put", anyMethod}
	var out []Operation
	for _, path := range d.Part("paths").Names() {
		item := d.Part("paths").Part(path)
		for _, method := range methods {
			if _, ok := item[method]; !ok {
				continue
			}
			name := strings.ToUpper(method)
			if method == anyMethod {
				name = "ANY"
			}
			out = append(out, Operation{path, name, item.Part(method)})
		}
	}
	return out
}

// Integration is what an operation is to do.
func (o Operation) Integration() Document { return o.Part("x-amazon-apigateway-integration") }

// Security is the name of the scheme that an operation asks for; the document's
// if it says none.
func (d Document) Security(o Operation) string {
	list := o.Parts("security")
	if _, own := o.Document["security"]; !own {
		list = d.Parts("security")
	}
	for _, s := range list {
		for _, name := range s.Names() {
			return name
		}
	}
	return ""
}

// Schemes are the security schemes.
func (d Document) Schemes() Document {
	if s := d.Part("components").Part("securitySchemes"); len(s) > 0 {
		return s
	}
	return d.Part("securityDefinitions")
}

// Tags are the tags for the API, which the document's tags hold.
func (d Document) Tags() map[string]string {
	out := map[string]string{}
	for _, t := range d.Parts("tags") {
		if value, ok := t["x-amazon-apigateway-tag-value"]; ok {
			out[t.Text("name")] = fmt.Sprint(value)
		}
	}
	return out
}
