package main

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"

	"ouro/spec"
)

// writer lays the sections of the table out; package spec tells their form.
type writer struct {
	src      *source
	class    classes
	text     func(string) int
	sections [spec.Sections][][]byte
	values   map[string]int
	objects  map[int]int // class → number
	waiting  []string    // objects with a number that are not written yet
}

// boil writes the table. Strings are numbered by how often they stand in it,
// so that the frequent ones take a byte; counting them is a first run.
func boil(src *source) []byte {
	src.sort()
	class, uses := classify(src), map[string]int{}
	newWriter(src, class, func(s string) int { uses[s]++; return 0 }).write()

	delete(uses, src.version)
	byUse := slices.SortedFunc(maps.Keys(uses), func(a, b string) int {
		return cmp.Or(cmp.Compare(uses[b], uses[a]), cmp.Compare(a, b))
	})
	number := map[string]int{}
	w := newWriter(src, class, func(s string) int { return number[s] })
	for i, s := range append([]string{src.version}, byUse...) {
		number[s] = i
		w.sections[spec.Strings] = append(w.sections[spec.Strings], []byte(s))
	}
	w.write()
	return w.bytes()
}

func newWriter(src *source, class classes, text func(string) int) *writer {
	return &writer{src: src, class: class, text: text, values: map[string]int{}, objects: map[int]int{}}
}

func (w *writer) write() {
	for _, t := range w.src.types {
		w.sections[spec.Types] = append(w.sections[spec.Types], w.resource(t))
	}
	for len(w.waiting) > 0 {
		id := w.waiting[0]
		w.waiting = w.waiting[1:]
		w.sections[spec.Objects] = append(w.sections[spec.Objects], w.properties(nil, w.src.objects[id].Properties))
	}
}

var tagStyles = map[string]spec.TagStyle{"": spec.TagList, "standard": spec.TagList, "asg": spec.TagListASG, "map": spec.TagMap}

func (w *writer) resource(t *resource) []byte {
	flags := int(tagStyles[t.Tags.Variant]) * spec.FlagTag
	if t.Stateful {
		flags |= spec.FlagStateful
	}
	b := w.string(nil, t.Name)
	b = number(b, flags)
	b = w.string(b, t.Tags.Property)
	b = w.string(b, t.ARN)
	b = w.string(b, t.Transform)
	b = w.strings(b, t.Identifier)
	if slices.Equal(t.Ref, t.Identifier) {
		b = w.strings(b, nil)
	} else {
		b = w.strings(b, t.Ref)
	}
	b = w.properties(b, t.Properties)
	b = number(b, len(t.Attributes))
	for _, name := range slices.Sorted(maps.Keys(t.Attributes)) {
		b = w.string(b, name)
		b = number(b, w.value(t.Attributes[name].value()))
	}
	return b
}

func (w *writer) properties(b []byte, all map[string]*property) []byte {
	b = number(b, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		p := all[name]
		b = w.string(b, name)
		b = number(b, w.value(p.value()))
		b = number(b, p.flags())
	}
	return b
}

// value gives the number of a value and writes it if it is new.
func (w *writer) value(v *value) int {
	if v.kind == spec.Union {
		if v.any = w.class.choices(v); len(v.any) == 1 {
			return w.value(v.any[0])
		}
	}
	key := w.class.value(v)
	if n, ok := w.values[key]; ok {
		return n
	}
	b := number(nil, int(v.kind))
	switch v.kind {
	case spec.List, spec.Map:
		b = number(b, w.value(v.element))
	case spec.Object:
		b = number(b, w.object(v.object))
	case spec.Union:
		b = number(b, len(v.any))
		for _, one := range v.any {
			b = number(b, w.value(one))
		}
	case spec.String, spec.Integer:
		b = w.strings(b, v.allowed)
	}
	n := len(w.sections[spec.Values])
	w.sections[spec.Values] = append(w.sections[spec.Values], b)
	w.values[key] = n
	return n
}

func (w *writer) object(id string) int {
	class := w.class[id]
	n, ok := w.objects[class]
	if !ok {
		n = len(w.objects)
		w.objects[class] = n
		w.waiting = append(w.waiting, id)
	}
	return n
}

func (w *writer) string(b []byte, s string) []byte { return number(b, w.text(s)) }

func (w *writer) strings(b []byte, list []string) []byte {
	b = number(b, len(list))
	for _, s := range list {
		b = w.string(b, s)
	}
	return b
}

func number(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)) }

func long(b []byte, n int) []byte { return binary.LittleEndian.AppendUint32(b, uint32(n)) }

func (w *writer) bytes() []byte {
	var head, body []byte
	for _, records := range w.sections {
		head = long(head, 4*spec.Sections+len(body))
		body = long(body, len(records))
		end := 0
		for _, r := range records {
			end += len(r)
			body = long(body, end)
		}
		for _, r := range records {
			body = append(body, r...)
		}
	}
	return append(head, body...)
}
