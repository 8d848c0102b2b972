// Package policy reads IAM's policy documents: the JSON in which identities,
// roles' trust and resources say who may do what. It reads and checks the form;
// what a statement means for a request is asked of [Statement.AllowsAction],
// [Principals.Match] and [Condition.Holds].
package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Document is a policy.
type Document struct {
	Version    string
	ID         string
	Statements []Statement
}

// Statement is one rule of a policy.
type Statement struct {
	SID           string
	Effect        string // Allow or Deny
	Principals    *Principals
	NotPrincipals *Principals
	Actions       []string
	NotActions    []string
	Resources     []string
	NotResources  []string
	Conditions    []Condition
}

// Condition is one test of a statement: Operator over the values of Key.
type Condition struct {
	Operator string
	Key      string
	Values   []string
}

// Principals is whom a statement is about.
type Principals struct {
	Anyone bool                // "*"
	ByType map[string][]string // by AWS, Service, Federated, CanonicalUser
}

// texts is a string, or a list of strings.
type texts []string

func (t *texts) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*t = texts{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(b, &many); err != nil {
		return errors.New("expected a string or a list of strings")
	}
	*t = many
	return nil
}

// scalars are the values of a condition: strings, but also numbers and
// booleans, alone or in a list.
type scalars []string

func (s *scalars) UnmarshalJSON(b []byte) error {
	var list []json.RawMessage
	if json.Unmarshal(b, &list) != nil {
		list = []json.RawMessage{b}
	}
	for _, raw := range list {
		var v any
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			return err
		}
		switch v := v.(type) {
		case string:
			*s = append(*s, v)
		case bool, json.Number:
			*s = append(*s, fmt.Sprint(v))
		default:
			return errors.New("expected strings, numbers or booleans")
		}
	}
	return nil
}

// UnmarshalJSON reads "*" or lists by type.
func (p *Principals) UnmarshalJSON(b []byte) error {
	var all string
	if json.Unmarshal(b, &all) == nil {
		if all != "*" {
			return fmt.Errorf("principal %q is not *", all)
		}
		p.Anyone = true
		return nil
	}
	var byType map[string]texts
	if err := json.Unmarshal(b, &byType); err != nil {
		return err
	}
	p.ByType = make(map[string][]string, len(byType))
	for kind, names := range byType {
		switch kind {
		case "AWS", "Service", "Federated", "CanonicalUser":
		default:
			return fmt.Errorf("unknown type of principal %q", kind)
		}
		p.ByType[kind] = names
	}
	return nil
}

// UnmarshalJSON reads a statement and refuses members that none has.
func (s *Statement) UnmarshalJSON(b []byte) error {
	var raw struct {
		Sid, Effect             string
		Principal, NotPrincipal *Principals
		Action, NotAction       texts
		Resource, NotResource   texts
		Condition               map[string]map[string]scalars
	}
	if err := decode(b, &raw); err != nil {
		return err
	}
	*s = Statement{
		SID: raw.Sid, Effect: raw.Effect, Principals: raw.Principal, NotPrincipals: raw.NotPrincipal,
		Actions: raw.Action, NotActions: raw.NotAction, Resources: raw.Resource, NotResources: raw.NotResource,
	}
	for operator, keys := range raw.Condition {
		for key, values := range keys {
			s.Conditions = append(s.Conditions, Condition{Operator: operator, Key: key, Values: values})
		}
	}
	return nil
}

// UnmarshalJSON reads a document; Statement may be one statement or a list.
func (d *Document) UnmarshalJSON(b []byte) error {
	var raw struct {
		Version   string
		ID        string `json:"Id"`
		Statement json.RawMessage
	}
	if err := decode(b, &raw); err != nil {
		return err
	}
	d.Version, d.ID = raw.Version, raw.ID
	if len(raw.Statement) == 0 {
		return errors.New("no statement")
	}
	if raw.Statement[0] == '[' {
		return json.Unmarshal(raw.Statement, &d.Statements)
	}
	d.Statements = make([]Statement, 1)
	return json.Unmarshal(raw.Statement, &d.Statements[0])
}

func decode(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// Parse reads a document. Its form is checked, its sense is not: see Check.
func Parse(document string) (*Document, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(document)))
	var doc Document
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("reading policy document: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("reading policy document: more follows after its end")
	}
	return &doc, nil
}
