package cloudcontrol

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// operation is one of a JSON patch (RFC 6902).
type operation struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	From  string          `json:"from"`
	Value json.RawMessage `json:"value"`
}

// patch applies operations in their order, all or none. The document stays as
// it was: a copy is changed. Copies of copies grow fast, so that together they
// may have no more bytes than a document.
func patch(doc any, ops []operation) (any, error) {
	doc = cloned(doc)
	budget := maxDocument
	for _, op := range ops {
		apply, ok := operations[op.Op]
		if !ok {
			return nil, fmt.Errorf("unknown operation %q", op.Op)
		}
		var err error
		if doc, err = apply(doc, op, &budget); err != nil {
			return nil, fmt.Errorf("%s %s: %w", op.Op, op.Path, err)
		}
	}
	return doc, nil
}

var operations = map[string]func(doc any, op operation, budget *int) (any, error){
	"add": func(doc any, op operation, _ *int) (any, error) {
		v, err := op.value()
		if err != nil || op.Path == "" {
			return v, err
		}
		return edit(doc, op.Path, addAt(v))
	},
	"remove": func(doc any, op operation, _ *int) (any, error) { return edit(doc, op.Path, removeAt) },
	"replace": func(doc any, op operation, _ *int) (any, error) {
		v, err := op.value()
		if err != nil || op.Path == "" {
			return v, err
		}
		if doc, err = edit(doc, op.Path, removeAt); err != nil {
			return nil, err
		}
		return edit(doc, op.Path, addAt(v))
	},
	"move": func(doc any, op operation, _ *int) (any, error) {
		v, err := lookup(doc, op.From)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(op.Path, op.From+"/") {
			return nil, fmt.Errorf("cannot move %s into itself", op.From)
		}
		if doc, err = edit(doc, op.From, removeAt); err != nil {
			return nil, err
		}
		return edit(doc, op.Path, addAt(v))
	},
	"copy": func(doc any, op operation, budget *int) (any, error) {
		v, err := lookup(doc, op.From)
		if err != nil {
			return nil, err
		}
		if *budget -= size(v); *budget < 0 {
			return nil, errors.New("the copies grow too large")
		}
		return edit(doc, op.Path, addAt(cloned(v)))
	},
	"test": func(doc any, op operation, _ *int) (any, error) {
		want, err := op.value()
		if err != nil {
			return nil, err
		}
		got, err := lookup(doc, op.Path)
		if err == nil && !reflect.DeepEqual(got, want) {
			err = errors.New("the value there is another one")
		}
		return doc, err
	},
}

func (op operation) value() (any, error) {
	if op.Value == nil {
		return nil, errors.New("no value is given")
	}
	dec := json.NewDecoder(strings.NewReader(string(op.Value)))
	dec.UseNumber()
	var v any
	err := dec.Decode(&v)
	return v, err
}

// size is about how many bytes a value has as JSON, at most so many.
func size(v any) int {
	n := 1
	switch v := v.(type) {
	case map[string]any:
		for name, one := range v {
			n += len(name) + size(one)
		}
	case []any:
		for _, one := range v {
			n += size(one)
		}
	default:
		n += len(scalar(v))
	}
	return n
}

// cloned is a copy that shares no container with v.
func cloned(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, one := range v {
			out[name] = cloned(one)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			out[i] = cloned(one)
		}
		return out
	}
	return v
}

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// steps splits a JSON pointer (RFC 6901).
func steps(pointer string) ([]string, error) {
	if pointer == "" {
		return nil, nil
	}
	if pointer[0] != '/' {
		return nil, fmt.Errorf("%q is not a JSON pointer", pointer)
	}
	parts := strings.Split(pointer[1:], "/")
	for i := range parts {
		parts[i] = unescape.Replace(parts[i])
	}
	return parts, nil
}

func lookup(doc any, pointer string) (any, error) {
	path, err := steps(pointer)
	if err != nil {
		return nil, err
	}
	for _, key := range path {
		if doc, err = child(doc, key); err != nil {
			return nil, err
		}
	}
	return doc, nil
}

func child(doc any, key string) (any, error) {
	switch d := doc.(type) {
	case map[string]any:
		if v, ok := d[key]; ok {
			return v, nil
		}
	case []any:
		if i, err := position(key, len(d)-1); err == nil {
			return d[i], nil
		}
	}
	return nil, fmt.Errorf("there is nothing at %q", key)
}

// position reads a list's index, at most last.
func position(key string, last int) (int, error) {
	i, err := strconv.Atoi(key)
	if err != nil || i < 0 || i > last || strconv.Itoa(i) != key {
		return 0, fmt.Errorf("there is no position %q", key)
	}
	return i, nil
}

// A change changes a container at a key, and gives what takes its place: a list
// that grows may have to move.
type change func(container any, key string) (any, error)

// edit changes the document at the pointer.
func edit(doc any, pointer string, do change) (any, error) {
	path, err := steps(pointer)
	if err != nil {
		return nil, err
	}
	return editAt(doc, path, do)
}

func editAt(doc any, path []string, do change) (any, error) {
	if len(path) == 0 {
		return nil, errors.New("this would be the whole document")
	}
	if len(path) == 1 {
		return do(doc, path[0])
	}
	inner, err := child(doc, path[0])
	if err != nil {
		return nil, err
	}
	if inner, err = editAt(inner, path[1:], do); err != nil {
		return nil, err
	}
	switch d := doc.(type) {
	case []any:
		i, err := position(path[0], len(d)-1)
		if err != nil {
			return nil, err
		}
		d[i] = inner
	case map[string]any:
		d[path[0]] = inner
	}
	return doc, nil
}

func addAt(v any) change {
	return func(container any, key string) (any, error) {
		switch c := container.(type) {
		case map[string]any:
			c[key] = v
			return c, nil
		case []any:
			if key == "-" {
				return append(c, v), nil
			}
			i, err := position(key, len(c))
			if err != nil {
				return nil, err
			}
			return slices.Insert(c, i, v), nil
		}
		return nil, errors.New("there is nothing to add to")
	}
}

func removeAt(container any, key string) (any, error) {
	if _, err := child(container, key); err != nil {
		return nil, err
	}
	switch c := container.(type) {
	case []any:
		i, err := position(key, len(c)-1)
		if err != nil {
			return nil, err
		}
		return slices.Delete(c, i, i+1), nil
	case map[string]any:
		delete(c, key)
	}
	return container, nil
}
