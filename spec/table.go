package spec

import (
	"cmp"
	_ "embed"
	"sync"
)

// table is what the program in gen writes. It has four sections: strings,
// values, objects and types, each a list of records. It begins with the places
// of the sections. A section is the number of its records, the ends of all of
// them counted from where the first begins, and the records. These numbers
// have four bytes, the low one first; those in records are varints, and stand
// for the record of that number in another section:
//
//	value     kind, then of a List or Map the element's value; of an Object the
//	          object; of a Union the number of values and the values; of a
//	          String or Integer the number of allowed values and their strings
//	object    its properties, by name
//	property  name, value, flags
//	type      name, flags, tag property, ARN, transform, the lists of the
//	          identifier, of what Ref answers if it is something else, and of
//	          the properties; the attributes: name, value. Types lie by name.
//
// A list is the number of its members and the members. String 0 is the
// version of the source.
//
//go:embed table.bin
var table string

// The sections of the table.
const (
	Strings = iota
	Values
	Objects
	Types
	Sections // how many there are
)

// Flags of a property; its Replacement stands above them.
const (
	FlagRequired = 1 << iota
	FlagDeprecated
	FlagReplace // the lowest bit of the Replacement
)

// Flags of a type; its TagStyle stands above them.
const (
	FlagStateful = 1 << iota
	FlagTag      // the lowest bit of the TagStyle
)

var (
	types   sync.Map // name → *Type
	objects sync.Map // number → []Property
)

// Version is that of the package that the table was made from.
func Version() string { return text(0) }

// Lookup finds a type. What it points to is shared and must not be changed.
func Lookup(name string) (*Type, bool) {
	if t, ok := types.Load(name); ok {
		return t.(*Type), true
	}
	low, high := 0, count(Types)
	for low < high {
		mid := (low + high) / 2
		r := reader(record(Types, mid))
		switch c := cmp.Compare(r.text(), name); {
		case c == 0:
			t, _ := types.LoadOrStore(name, readType(record(Types, mid)))
			return t.(*Type), true
		case c < 0:
			low = mid + 1
		default:
			high = mid
		}
	}
	return nil, false
}

// Names are those of all types, sorted.
func Names() []string {
	names := make([]string, count(Types))
	for i := range names {
		r := reader(record(Types, i))
		names[i] = r.text()
	}
	return names
}

func readType(r reader) *Type {
	t := &Type{Name: r.text()}
	flags := r.number()
	t.Stateful, t.TagStyle = flags&FlagStateful != 0, TagStyle(flags/FlagTag)
	t.TagProperty, t.ARN, t.Transform = r.text(), r.text(), r.text()
	t.Identifier, t.Ref = r.texts(), r.texts()
	if t.Ref == nil {
		t.Ref = t.Identifier
	}
	t.Properties = r.properties()
	t.Attributes = make([]Attribute, r.number())
	for i := range t.Attributes {
		t.Attributes[i] = Attribute{Name: r.text(), Value: r.value()}
	}
	return t
}

func readObject(number int) []Property {
	if o, ok := objects.Load(number); ok {
		return o.([]Property)
	}
	r := reader(record(Objects, number))
	o, _ := objects.LoadOrStore(number, r.properties())
	return o.([]Property)
}

// reader is what is left of a record.
type reader string

func (r *reader) number() int {
	n := 0
	for shift := 0; ; shift += 7 {
		b := (*r)[0]
		*r = (*r)[1:]
		n |= int(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
}

func (r *reader) text() string { return text(r.number()) }

func (r *reader) texts() []string {
	var list []string
	for n := r.number(); n > 0; n-- {
		list = append(list, r.text())
	}
	return list
}

func (r *reader) properties() []Property {
	list := make([]Property, r.number())
	for i := range list {
		p := &list[i]
		p.Name, p.Value = r.text(), r.value()
		flags := r.number()
		p.Required, p.Deprecated = flags&FlagRequired != 0, flags&FlagDeprecated != 0
		p.Replace = Replacement(flags / FlagReplace)
	}
	return list
}

func (r *reader) value() Value { return readValue(record(Values, r.number())) }

func readValue(r reader) Value {
	v := Value{Kind: Kind(r.number())}
	switch v.Kind {
	case List, Map:
		element := r.value()
		v.Element = &element
	case Object:
		v.object = r.number()
	case Union:
		v.Any = make([]Value, r.number())
		for i := range v.Any {
			v.Any[i] = r.value()
		}
	case String, Integer:
		v.Allowed = r.texts()
	}
	return v
}

func text(number int) string { return string(record(Strings, number)) }

func count(section int) int { return long(long(4 * section)) }

func record(section, number int) reader {
	at := long(4 * section)
	ends, start := at+4, 0
	first := ends + 4*long(at)
	if number > 0 {
		start = long(ends + 4*(number-1))
	}
	return reader(table[first+start : first+long(ends+4*number)])
}

func long(at int) int {
	return int(table[at]) | int(table[at+1])<<8 | int(table[at+2])<<16 | int(table[at+3])<<24
}
