// Package cloudcontrol is AWS Cloud Control API: one way to make, read, change
// and end resources of any type.
//
// Here it is the home of the recorded resources: those of types that no
// service of the local cloud runs. Their properties are checked against
// package spec as AWS checks them against the type's schema, and they get
// identifiers and attributes of the right shape; nothing is behind them. Types
// that run are made through the API of their service, and are refused here
// with AWS's error for types that Cloud Control does not carry.
//
// Every request is done when it is answered: CreateResource answers SUCCESS
// where AWS answers IN_PROGRESS. Properties that hold a secret are not kept.
package cloudcontrol

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/cloud/wire"
	"ouro/spec"
)

// Service is AWS Cloud Control API.
type Service struct {
	host      door.Host
	records   func(typeName string) bool
	resources store.Table[resource] // by type and identifier
	requests  store.Table[request]  // by token
	revisions store.Table[int]      // by type and name: the last one given
}

// New makes the service. records tells of the types of package spec whether
// their resources are kept here.
func New(h door.Host, records func(typeName string) bool) *Service {
	return &Service{
		host: h, records: records,
		resources: store.NewTable[resource](h.Store(), "cloudcontrol", "resource"),
		requests:  store.NewTable[request](h.Store(), "cloudcontrol", "request"),
		revisions: store.NewTable[int](h.Store(), "cloudcontrol", "revision"),
	}
}

// resource is a recorded resource.
type resource struct {
	Type, Identifier string
	Seed             string // what is made up about it depends on this and its properties
	Created          time.Time
	Revision         int `json:",omitempty"` // of types that count them
	Properties       document
	Attributes       document // what only the service sets
}

// document is a JSON object whose numbers stay as they were written.
type document map[string]any

// UnmarshalJSON implements json.Unmarshaler.
func (d *document) UnmarshalJSON(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var m map[string]any
	err := dec.Decode(&m)
	*d = m
	return err
}

// key is the resource's name in the store. Types hold no slash.
func key(typeName, identifier string) string { return typeName + "/" + identifier }

// model is the resource as Cloud Control shows it: properties and attributes
// in one document.
func (r resource) model() (string, error) {
	b, err := json.Marshal(overlay(r.Properties, r.Attributes))
	if err != nil {
		return "", fmt.Errorf("writing the model of %s %q: %w", r.Type, r.Identifier, err)
	}
	return string(b), nil
}

// overlay puts the attributes of objects beside their properties.
func overlay(properties, attributes map[string]any) map[string]any {
	out := make(map[string]any, len(properties)+len(attributes))
	for name, v := range properties {
		out[name] = v
	}
	for name, v := range attributes {
		under, both := out[name].(map[string]any)
		if over, ok := v.(map[string]any); ok && both {
			v = overlay(over, under) // what was given counts
		} else if _, given := out[name]; given {
			continue
		}
		out[name] = v
	}
	return out
}

// find looks a type up for an operation.
func (s *Service) find(typeName *string, action types.Operation) (*spec.Type, error) {
	name := aws.ToString(typeName)
	t, ok := spec.Lookup(name)
	if !ok || t.Transform != "" {
		return nil, &types.TypeNotFoundException{Message: aws.String(fmt.Sprintf("The type '%s' cannot be found.", name))}
	}
	if !s.records(name) {
		return nil, &types.UnsupportedActionException{Message: aws.String(fmt.Sprintf(
			"Resource type %s does not support %s action: on the local cloud it runs, and is reached through the API of its own service", name, action))}
	}
	return t, nil
}

// identify reads an identifier: a string, or a JSON object with the
// properties of the primary identifier.
func identify(t *spec.Type, given *string) (string, error) {
	id := aws.ToString(given)
	if !strings.HasPrefix(id, "{") {
		return id, nil
	}
	var parts document
	if err := json.Unmarshal([]byte(id), &parts); err != nil {
		return "", validation("Identifier %s is not valid", id)
	}
	values := make([]string, len(t.Identifier))
	for i, name := range t.Identifier {
		v, ok := parts[name]
		if !ok {
			return "", validation("Identifier %s is not valid for identifier [%s]", id, "/properties/"+strings.Join(t.Identifier, ", /properties/"))
		}
		values[i] = scalar(v)
	}
	return strings.Join(values, "|"), nil
}

// get reads a resource.
func (s *Service) get(ctx context.Context, t *spec.Type, given *string) (resource, error) {
	id, err := identify(t, given)
	if err != nil {
		return resource{}, err
	}
	r, err := s.resources.Get(ctx, door.CallerFrom(ctx).Scope(), key(t.Name, id))
	if errors.Is(err, store.ErrNotFound) {
		return r, &types.ResourceNotFoundException{Message: aws.String(fmt.Sprintf("Resource of type '%s' with identifier '%s' was not found.", t.Name, id))}
	}
	if err != nil {
		return r, fmt.Errorf("reading %s %q: %w", t.Name, id, err)
	}
	return r, nil
}

func validation(format string, args ...any) error {
	return &wire.Error{Code: "ValidationException", Message: fmt.Sprintf(format, args...), Status: 400}
}

// maxDocument is how many bytes AWS takes of a desired state, a patch or a model.
const maxDocument = 262144

// parse reads a document that a client sent.
func parse(member string, text *string, into any) error {
	switch n := len(aws.ToString(text)); {
	case n == 0:
		return validation("1 validation error detected: Value at '%s' failed to satisfy constraint: Member must not be null", member)
	case n > maxDocument:
		return validation("1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", member, maxDocument)
	}
	dec := json.NewDecoder(strings.NewReader(*text))
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		return validation("Invalid JSON in %s: %v", member, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return validation("Invalid JSON in %s: more follows after its end", member)
	}
	return nil
}

// maxNesting is how deep properties may be nested. What is kept must be
// readable again, and a decoder has a bound of its own.
const maxNesting = 128

// deeper tells whether a value is nested deeper than so many levels.
func deeper(v any, levels int) bool {
	if levels == 0 {
		return true
	}
	switch v := v.(type) {
	case map[string]any:
		for _, one := range v {
			if deeper(one, levels-1) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(one any) bool { return deeper(one, levels-1) })
	}
	return false
}

// scalar is a value as text; empty for lists and objects.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool, json.Number:
		return fmt.Sprint(v)
	}
	return ""
}
