package template

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// ParseFragment reads a part of a template, as AWS::Include inserts it: JSON,
// or YAML with functions in their long form only
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-include.html).
// The error is always an *Error.
func ParseFragment(file string, body []byte) (*Node, error) {
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		if err := noShortForms(file, body); err != nil {
			return nil, err
		}
	}
	n, err := parseNode(file, body, newArena(len(body)))
	if err != nil {
		return nil, err
	}
	return n, nil
}

func noShortForms(file string, body []byte) error {
	var document yaml.Node
	if len(body) > MaxSize || yaml.Unmarshal(body, &document) != nil {
		return nil // the parser says what is wrong
	}
	if at := shortForm(&document); at != nil {
		return errorAt(Pos{File: file, Line: at.Line, Column: at.Column}, "the short form %s is not taken in a snippet, write %s", at.Tag, shortForms[at.Tag])
	}
	return nil
}

// shortForm finds the first node with a function's tag. An alias is not
// followed, as its anchor stands elsewhere in the same text.
func shortForm(n *yaml.Node) *yaml.Node {
	if _, ok := shortForms[n.Tag]; ok {
		return n
	}
	for _, c := range n.Content {
		if at := shortForm(c); at != nil {
			return at
		}
	}
	return nil
}

// bounded refuses what could not have been read from a file: values come from
// macros too. It counts the values.
func bounded(n *Node) (count int, err error) {
	var walk func(n *Node, depth int) error
	walk = func(n *Node, depth int) error {
		if count++; count > MaxNodes {
			return fmt.Errorf("the result has more than %d values", MaxNodes)
		}
		if depth > MaxDepth {
			return errors.New("the result is nested too deep")
		}
		if slices.Contains(n.Items, nil) || n.Kind == Map && len(n.Keys) != len(n.Items) {
			return errors.New("the result is malformed")
		}
		if first, second := duplicate(n.Keys); second != nil {
			return fmt.Errorf("the result has the key %q twice", first.Text)
		}
		for _, item := range n.Items {
			if err := walk(item, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	err = walk(n, 1)
	return count, err
}

// plain is n as written, with functions as the maps that they are.
func plain(n *Node) any {
	switch n.Kind {
	case String:
		return n.Text
	case Number:
		return json.Number(n.Text)
	case Bool:
		return n.Text == "true"
	case List:
		out := make([]any, len(n.Items))
		for i, item := range n.Items {
			out[i] = plain(item)
		}
		return out
	case Map:
		out := make(map[string]any, len(n.Keys))
		for i, k := range n.Keys {
			out[k.Text] = plain(n.Items[i])
		}
		return out
	}
	return nil
}

// fromValue makes a node of an evaluated value; all parts of it carry pos.
func fromValue(pos Pos, v any) *Node {
	n := &Node{Pos: pos}
	switch v := v.(type) {
	case map[string]any:
		n.Kind = Map
		for _, k := range slices.Sorted(maps.Keys(v)) {
			n.Keys = append(n.Keys, &Node{Kind: String, Text: validText(k), Pos: pos})
			n.Items = append(n.Items, fromValue(pos, v[k]))
		}
	case []any:
		n.Kind = List
		for _, item := range v {
			n.Items = append(n.Items, fromValue(pos, item))
		}
	case string:
		n.Kind, n.Text = String, validText(v)
	case json.Number:
		n.Kind, n.Text = Number, string(v)
	case bool:
		n.Kind, n.Text = Bool, strconv.FormatBool(v)
	}
	return n
}
