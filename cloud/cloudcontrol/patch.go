package cloudcontrol

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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

// maxPatch bounds how many values the copies of a patch may make: copies of
// copies grow fast.
const maxPatch = 100_000

// patch applies operations in their order, all or none. The document stays as
// it was.
func patch(doc any, ops []operation) (any, error) {
	budget := maxPatch
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
		return edit(doc, op.Path, addAt(v))
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

func size(v any) int {
	n := 1
	switch v := v.(type) {
	case map[string]any:
		for _, one := range v {
			n += size(one)
		}
	case []any:
		for _, one := range v {
			n += size(one)
		}
	}
	return n
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

// A change makes another container of one, at a key.
type change func(container any, key string) (any, error)

// edit makes another document with a change at the pointer. What lies on the
// way is copied, the rest shared.
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
	if list, ok := doc.([]any); ok {
		list = slices.Clone(list)
		i, err := position(path[0], len(list)-1)
		if err == nil {
			list[i] = inner
		}
		return list, err
	}
	m := maps.Clone(doc.(map[string]any))
	m[path[0]] = inner
	return m, nil
}

func addAt(v any) change {
	return func(container any, key string) (any, error) {
		switch c := container.(type) {
		case map[string]any:
			m := maps.Clone(c)
			m[key] = v
			return m, nil
		case []any:
			if key == "-" {
				return append(slices.Clone(c), v), nil
			}
			i, err := position(key, len(c))
			if err != nil {
				return nil, err
			}
			return slices.Insert(slices.Clone(c), i, v), nil
		}
		return nil, errors.New("there is nothing to add to")
	}
}

func removeAt(container any, key string) (any, error) {
	if _, err := child(container, key); err != nil {
		return nil, err
	}
	if list, ok := container.([]any); ok {
		i, err := position(key, len(list)-1)
		if err != nil {
			return nil, err
		}
		return slices.Delete(slices.Clone(list), i, i+1), nil
	}
	m := maps.Clone(container.(map[string]any))
	delete(m, key)
	return m, nil
}
