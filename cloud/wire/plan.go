package wire

import (
	"io"
	"reflect"
	"strings"
	"time"
)

// plan is how the fields of one Go struct travel, worked out once.
type plan struct {
	fields  []field
	byName  map[string]int // lower-case wire name → index into fields
	payload int            // index into fields of the body, or -1
}

type field struct {
	Member
	index int // in the struct
	typ   reflect.Type
}

var (
	timeType   = reflect.TypeFor[time.Time]()
	bytesType  = reflect.TypeFor[[]byte]()
	readerType = reflect.TypeFor[io.Reader]()
	closerType = reflect.TypeFor[io.ReadCloser]()
)

func (s *Server) plan(t reflect.Type) *plan {
	if p, ok := s.plans.Load(t); ok {
		return p.(*plan)
	}
	p := newPlan(s.model, t)
	s.plans.Store(t, p)
	return p
}

func newPlan(m *Model, t reflect.Type) *plan {
	p := &plan{byName: map[string]int{}, payload: -1}
	payload := m.Shapes[t.Name()].Payload
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() || f.Name == "ResultMetadata" {
			continue
		}
		b := m.member(t.Name(), f.Name)
		if f.Name == "ExpiresString" { // the SDK's second view of S3's Expires header
			b.In, b.Name = "header", "Expires"
		}
		if payload != "" && strings.EqualFold(f.Name, payload) { // some models begin members in lower case
			p.payload = len(p.fields)
		}
		if b.In == "" {
			p.byName[strings.ToLower(b.Name)] = len(p.fields)
		}
		p.fields = append(p.fields, field{b, i, f.Type})
	}
	return p
}

// isEmpty tells whether a field has no value to send: nil, or the empty
// string of an enumeration.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0
	}
	return false
}

// deref follows pointers to what they point to.
func deref(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	return v
}

// settable allocates through pointers until a value can be set.
func settable(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	return v
}
