// Package spec knows what CloudFormation's resource types take, what they
// return, and what cannot change without a replacement. It is a table, boiled
// down from the npm package @aws-cdk/aws-service-spec and embedded; docs/spec.md
// says how it is refreshed. Nothing is read before the first Lookup, and then
// only the type that is asked for.
package spec

import (
	"cmp"
	"slices"
)

//go:generate go run ./gen -source $AWS_SERVICE_SPEC -out table.bin

// Type is what is known of a resource type.
type Type struct {
	Name       string
	Properties []Property  // sorted by name
	Attributes []Attribute // what Fn::GetAtt answers, sorted by name
	// Identifier are the properties or attributes that name a resource in
	// Cloud Control, in order; Ref those that Ref answers with, the same ones
	// where the source says nothing else. A slash leads into an object. Types
	// without a place of their own for it have "Id", or none at all.
	Identifier []string
	Ref        []string
	// TagProperty takes tags, in the form of TagStyle; "" for types without.
	TagProperty string
	TagStyle    TagStyle
	// ARN is the pattern of the ARN, such as
	// arn:${Partition}:ec2:${Region}:${Account}:subnet/${SubnetId}; "" if unknown.
	ARN string
	// Transform is the macro without which the type does not exist, such as
	// AWS::Serverless-2016-10-31; "" for CloudFormation's own types.
	Transform string
	// Stateful types hold data that goes with the resource.
	Stateful bool
}

// TagStyle is the form in which a type takes tags.
type TagStyle uint8

// The forms: a list of Key and Value, the same with PropagateAtLaunch, a map.
const (
	TagList TagStyle = iota
	TagListASG
	TagMap
)

// Replacement tells whether a change means a new resource.
type Replacement uint8

// AWS's three answers.
const (
	ReplaceNever Replacement = iota
	ReplaceMaybe
	ReplaceAlways
)

// Property is a property of a type or of an object in it.
type Property struct {
	Name       string
	Value      Value
	Required   bool
	Replace    Replacement
	Deprecated bool
}

// Attribute is an answer of Fn::GetAtt; Name has dots where the value lies
// deeper. The name "*" stands for any: custom resources answer what their
// provider returns.
type Attribute struct {
	Name  string
	Value Value
}

// Kind is the shape of a value.
type Kind uint8

// The shapes. A Union is any of several; JSON is anything.
const (
	String Kind = iota
	Number
	Integer
	Boolean
	Timestamp
	JSON
	List
	Map
	Object
	Union
)

// Value is what a property may hold.
type Value struct {
	Kind    Kind
	Element *Value   // of a List or Map
	Any     []Value  // of a Union
	Allowed []string // the values that a String or Integer may have; nil for all

	object int // of an Object: where its properties are in the table
}

// Properties are those of an Object, sorted by name; nil for other values.
// Objects may hold themselves, so they are read only when asked for.
func (v Value) Properties() []Property {
	if v.Kind != Object {
		return nil
	}
	return readObject(v.object)
}

// Find returns the property of that name, or nil.
func Find(properties []Property, name string) *Property {
	i, ok := slices.BinarySearchFunc(properties, name, func(p Property, name string) int { return cmp.Compare(p.Name, name) })
	if !ok {
		return nil
	}
	return &properties[i]
}
