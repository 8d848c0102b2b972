package main

import (
	"fmt"
	"maps"
	"strings"
)

// complete adds to the source what CloudFormation documents, or is known to
// answer, and the source does not have.
func (s *source) complete() error {
	s.objects[tagID] = &objects{ID: tagID, Properties: parse("Key!:string Value!:string")}
	for name, properties := range more {
		s.types = append(s.types, &resource{Name: name, Identifier: []string{"Id"}, Properties: parse(properties)})
	}
	for _, t := range s.types {
		if err := s.alsoReplace(t); err != nil {
			return err
		}
	}
	for _, add := range []func() error{s.serverless, s.correct, s.loosen, s.answers, s.refs} {
		if err := add(); err != nil {
			return err
		}
	}
	return nil
}

// more are types that the source does not have. The CDK writes the first into
// every template; CloudFormation takes it and makes nothing.
var more = map[string]string{
	"AWS::CDK::Metadata": "Analytics",
}

// refs sets what Ref answers for types of which the source has only Cloud
// Control's identifier.
func (s *source) refs() error {
	for name, ref := range refs {
		t, err := s.find(name)
		if err != nil {
			return err
		}
		t.Ref = []string{ref}
	}
	return nil
}

// refs are from the "Return values" of the types' pages in the CloudFormation
// User Guide.
var refs = map[string]string{
	"AWS::EC2::SecurityGroup": "GroupId",
}

// corrections are properties that the source lacks, or has otherwise than the
// type's page.
var corrections = map[string]string{
	"AWS::CloudFormation::Stack": "TemplateURL!:string",
	"AWS::Route53::RecordSet":    "GeoProximityLocation",
}

func (s *source) correct() error {
	for name, properties := range corrections {
		t, err := s.find(name)
		if err != nil {
			return err
		}
		maps.Copy(t.Properties, parse(properties))
	}
	return nil
}

func (s *source) loosen() error {
	s.objects[looseTagID] = &objects{ID: looseTagID, Properties: parse("Key:string Value:string")}
	for _, name := range strings.Fields(looseTags) {
		t, err := s.find(name)
		if err != nil {
			return err
		}
		for _, p := range t.Properties {
			if p.Type.Type == "array" && p.Type.Element.Type == tagID {
				p.Type = &typ{Type: "array", Element: reference(looseTagID)}
			}
		}
	}
	return nil
}

// answers adds attributes.
func (s *source) answers() error {
	for name, list := range answers {
		t, err := s.find(name)
		if err != nil {
			return err
		}
		maps.Copy(t.Attributes, parse(list))
	}
	for _, name := range strings.Fields(answersID) {
		if err := s.answer(name, parse("Id:string")); err != nil {
			return err
		}
	}
	for _, name := range strings.Fields(answersAll) {
		t, err := s.find(name)
		if err != nil {
			return err
		}
		if err := s.answer(name, t.Properties); err != nil {
			return err
		}
	}
	return nil
}

// answer adds the attributes that the type does not have.
func (s *source) answer(name string, attributes map[string]*property) error {
	t, err := s.find(name)
	if err != nil {
		return err
	}
	for attribute, p := range attributes {
		if t.Attributes[attribute] == nil {
			t.Attributes[attribute] = p
		}
	}
	return nil
}

// alsoReplace marks the paths that the source names beside the properties.
// Objects on the way are copied: others use them too.
func (s *source) alsoReplace(t *resource) error {
	for i, path := range t.AlsoReplace {
		p := t.Properties[path[0]]
		if p == nil {
			continue // the way to it begins deeper, under a property that replaces as a whole
		}
		if err := s.mark(p, path[1:], fmt.Sprintf("%s %d", t.Name, i)); err != nil {
			return fmt.Errorf("path %s of %s: %w", strings.Join(path, "/"), t.Name, err)
		}
	}
	return nil
}

func (s *source) mark(p *property, path []string, id string) error {
	if len(path) == 0 {
		p.Replace = "yes"
		return nil
	}
	at := &p.Type
	if path[0] == "*" {
		if p.Type.Element == nil {
			return fmt.Errorf("no list at %s", path[0])
		}
		copied := *p.Type
		p.Type = &copied
		at, path = &p.Type.Element, path[1:]
	}
	ref := (*at).Reference.ID
	if (*at).Type == tagID {
		ref = tagID
	}
	from := s.objects[ref]
	if from == nil || from.Properties[path[0]] == nil {
		return fmt.Errorf("no property %s", path[0])
	}
	to := &objects{ID: id, Properties: map[string]*property{}}
	for name, p := range from.Properties {
		copied := *p
		to.Properties[name] = &copied
	}
	s.objects[id] = to
	*at = reference(id)
	return s.mark(to.Properties[path[0]], path[1:], id+"/"+path[0])
}

func reference(id string) *typ {
	t := &typ{Type: "ref"}
	t.Reference.ID = id
	return t
}

// parse reads "Name Name! Name:kind": properties that take anything unless
// they say what; an exclamation mark makes them required.
func parse(list string) map[string]*property {
	out := map[string]*property{}
	for _, word := range strings.Fields(list) {
		name, kind, _ := strings.Cut(word, ":")
		name, required := strings.CutSuffix(name, "!")
		if kind == "" {
			kind = "json"
		}
		t := &typ{Type: kind}
		if kind == "array" || kind == "map" {
			t.Element = &typ{Type: "string"}
		}
		out[name] = &property{Type: t, Required: required}
	}
	return out
}
