package wire

import (
	"fmt"
	"net/http"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"
)

func (s *Server) serveQuery(w http.ResponseWriter, r *http.Request) error {
	if r.Form == nil {
		r.Body = http.MaxBytesReader(w, r.Body, s.maxDocument())
		if err := r.ParseForm(); err != nil {
			return &Error{Code: "MalformedQueryString", Message: err.Error()}
		}
	}
	name := r.Form.Get("Action")
	op, ok := s.operations[name]
	if !ok {
		return &Error{Code: "InvalidAction", Message: fmt.Sprintf("Could not find operation %s for version %s", name, s.model.Version)}
	}
	in := reflect.New(op.in)
	if err := s.assignForm(in.Elem(), formTree(r.Form), ""); err != nil {
		return &Error{Code: "MalformedInput", Message: err.Error()}
	}
	out, err := op.call(r.Context(), in)
	if err != nil {
		return err
	}
	x := newXML()
	x.open(name+"Response", s.model.Namespace)
	x.open(name+"Result", "") // SDKs insist on it even where it is empty
	if err := s.writeXMLFields(x, out); err != nil {
		return fmt.Errorf("encoding the answer of %s: %w", name, err)
	}
	x.close(name + "Result")
	x.open("ResponseMetadata", "")
	x.text("RequestId", w.Header().Get("X-Amzn-Requestid"))
	x.close("ResponseMetadata")
	x.close(name + "Response")
	x.send(w, http.StatusOK)
	return nil
}

// formNode is a form's values as a tree: Tags.member.1.Key=a is the value of
// the node Key below 1 below member below Tags.
type formNode struct {
	value    string
	children map[string]*formNode
}

func formTree(form map[string][]string) *formNode {
	root := &formNode{}
	for name, values := range form {
		n := root
		for part := range strings.SplitSeq(name, ".") {
			if n.children == nil {
				n.children = map[string]*formNode{}
			}
			next := n.children[part]
			if next == nil {
				next = &formNode{}
				n.children[part] = next
			}
			n = next
		}
		if len(values) > 0 {
			n.value = values[0]
		}
	}
	return root
}

// numbered gives the children 1, 2, … in order.
func (n *formNode) numbered() ([]*formNode, error) {
	if n == nil {
		return nil, nil
	}
	numbers := make([]int, 0, len(n.children))
	for name := range n.children {
		i, err := strconv.Atoi(name)
		if err != nil {
			return nil, fmt.Errorf("%q is no position in a list", name)
		}
		numbers = append(numbers, i)
	}
	sort.Ints(numbers)
	list := make([]*formNode, len(numbers))
	for i, number := range numbers {
		list[i] = n.children[strconv.Itoa(number)]
	}
	return list, nil
}

func (s *Server) assignForm(dst reflect.Value, n *formNode, path string) error {
	dst = settable(dst)
	switch {
	case dst.Type() == timeType:
		t, err := time.Parse(time.RFC3339, n.value)
		if err != nil {
			return fmt.Errorf("%s: %q is no time", path, n.value)
		}
		dst.Set(reflect.ValueOf(t.UTC()))
		return nil
	case dst.Kind() == reflect.Slice && dst.Type() != bytesType:
		items, err := n.children["member"].numbered()
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		dst.Set(reflect.MakeSlice(dst.Type(), len(items), len(items)))
		for i, item := range items {
			if err := s.assignForm(dst.Index(i), item, path+".member."+strconv.Itoa(i+1)); err != nil {
				return err
			}
		}
		return nil
	case dst.Kind() == reflect.Map:
		return s.assignFormMap(dst, n, path)
	case dst.Kind() == reflect.Struct:
		p := s.plan(dst.Type())
		for name, child := range n.children {
			if i, ok := p.byName[strings.ToLower(name)]; ok {
				if err := s.assignForm(dst.Field(p.fields[i].index), child, strings.TrimPrefix(path+"."+name, ".")); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return assignScalar(dst, n.value, path)
}

func (s *Server) assignFormMap(dst reflect.Value, n *formNode, path string) error {
	entries, err := n.children["entry"].numbered()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	dst.Set(reflect.MakeMapWithSize(dst.Type(), len(entries)))
	for _, e := range entries {
		key, value := e.children["key"], e.children["value"]
		if key == nil { // as SNS calls them in its message attributes
			key, value = e.children["Name"], e.children["Value"]
		}
		if key == nil || value == nil {
			return fmt.Errorf("%s: an entry without key or value", path)
		}
		v := reflect.New(dst.Type().Elem()).Elem()
		if err := s.assignForm(v, value, path+"."+key.value); err != nil {
			return err
		}
		dst.SetMapIndex(reflect.ValueOf(key.value).Convert(dst.Type().Key()), v)
	}
	return nil
}

// assignScalar sets a string, number, boolean or blob from its text.
func assignScalar(dst reflect.Value, text, path string) error {
	var err error
	switch dst.Kind() {
	case reflect.String:
		dst.SetString(text)
	case reflect.Bool:
		var v bool
		if v, err = strconv.ParseBool(strings.ToLower(text)); err == nil {
			dst.SetBool(v)
		}
	case reflect.Int, reflect.Int32, reflect.Int64:
		var v int64
		if v, err = strconv.ParseInt(text, 10, dst.Type().Bits()); err == nil {
			dst.SetInt(v)
		}
	case reflect.Float32, reflect.Float64:
		var v float64
		if v, err = strconv.ParseFloat(text, 64); err == nil {
			dst.SetFloat(v)
		}
	default:
		return assignText(dst, text, func() error { return fmt.Errorf("%s cannot be %q", path, text) })
	}
	if err != nil {
		return fmt.Errorf("%s: %q is no %s", path, text, dst.Kind())
	}
	return nil
}
