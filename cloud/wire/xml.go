package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"
)

// xmlWriter writes a document as AWS does: no white space, elements in the
// order of the Go fields.
type xmlWriter struct{ b bytes.Buffer }

func newXML() *xmlWriter {
	x := new(xmlWriter)
	x.b.WriteString(xml.Header)
	return x
}

func (x *xmlWriter) open(name, namespace string) {
	x.b.WriteByte('<')
	x.b.WriteString(name)
	if namespace != "" {
		x.b.WriteString(` xmlns="`)
		x.escape(namespace)
		x.b.WriteByte('"')
	}
	x.b.WriteByte('>')
}

func (x *xmlWriter) close(name string) {
	x.b.WriteString("</")
	x.b.WriteString(name)
	x.b.WriteByte('>')
}

func (x *xmlWriter) text(name, value string) {
	x.open(name, "")
	x.escape(value)
	x.close(name)
}

func (x *xmlWriter) escape(s string) {
	if isPlain(s) {
		x.b.WriteString(s)
		return
	}
	xml.EscapeText(&x.b, []byte(s)) //nolint:errcheck // a buffer takes everything
}

// isPlain tells of a text that is the same in XML, as most are.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || strings.IndexByte(`<>&"'`, c) >= 0 {
			return false
		}
	}
	return true
}

func (s *Server) writeXMLFields(x *xmlWriter, v reflect.Value) error {
	for _, f := range s.plan(v.Type()).fields {
		value := v.Field(f.index)
		if f.In != "" || f.Attribute || isEmpty(value) {
			continue
		}
		if err := s.writeXML(x, f.Member, deref(value)); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

// writeXML writes one member.
func (s *Server) writeXML(x *xmlWriter, m Member, v reflect.Value) error {
	if !v.IsValid() {
		return nil
	}
	switch {
	case v.Kind() == reflect.Slice && v.Type() != bytesType:
		return s.writeXMLList(x, m, v)
	case v.Kind() == reflect.Map:
		return s.writeXMLMap(x, m, v)
	case v.Kind() == reflect.Struct && v.Type() != timeType:
		s.openStruct(x, m, v)
		if err := s.writeXMLFields(x, v); err != nil {
			return err
		}
		x.close(m.Name)
		return nil
	}
	text, err := scalarText(v, m.Time, "iso8601")
	if err != nil {
		return err
	}
	x.text(m.Name, text)
	return nil
}

// openStruct opens an element with the attributes that its struct asks for,
// such as xsi:type of S3's Grantee.
func (s *Server) openStruct(x *xmlWriter, m Member, v reflect.Value) {
	x.b.WriteByte('<')
	x.b.WriteString(m.Name)
	for _, f := range s.plan(v.Type()).fields {
		value := v.Field(f.index)
		if !f.Attribute || isEmpty(value) {
			continue
		}
		if prefix, _, ok := strings.Cut(f.Name, ":"); ok && m.Namespace != "" {
			x.b.WriteString(" xmlns:" + prefix + `="` + m.Namespace + `"`)
		}
		x.b.WriteString(" " + f.Name + `="`)
		x.escape(deref(value).String())
		x.b.WriteByte('"')
	}
	x.b.WriteByte('>')
}

func (s *Server) writeXMLList(x *xmlWriter, m Member, v reflect.Value) error {
	item := Member{Name: m.Item}
	if item.Name == "" {
		item.Name = "member"
	}
	if m.Flat {
		item.Name = m.Name
	} else {
		x.open(m.Name, "")
	}
	for i := range v.Len() {
		if err := s.writeXML(x, item, deref(v.Index(i))); err != nil {
			return err
		}
	}
	if !m.Flat {
		x.close(m.Name)
	}
	return nil
}

func (s *Server) writeXMLMap(x *xmlWriter, m Member, v reflect.Value) error {
	keys := v.MapKeys()
	sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
	x.open(m.Name, "")
	for _, k := range keys {
		x.open("entry", "")
		x.text("key", k.String())
		if err := s.writeXML(x, Member{Name: "value"}, deref(v.MapIndex(k))); err != nil {
			return err
		}
		x.close("entry")
	}
	x.close(m.Name)
	return nil
}

const iso8601 = "2006-01-02T15:04:05.000Z"

// scalarText is a scalar as text; format is how times are written, or def.
func scalarText(v reflect.Value, format, def string) (string, error) {
	switch v.Kind() {
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), nil
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64), nil
	case reflect.Slice:
		return base64.StdEncoding.EncodeToString(v.Bytes()), nil
	}
	t, ok := v.Interface().(time.Time)
	if !ok {
		return "", fmt.Errorf("values of %s cannot be sent as text", v.Type())
	}
	if format == "" {
		format = def
	}
	switch format {
	case "rfc822":
		return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"), nil
	case "unixTimestamp":
		return strconv.FormatInt(t.Unix(), 10), nil
	}
	return t.UTC().Format(iso8601), nil
}

// element is a parsed XML element; namespaces are dropped, attributes keep
// their local names.
type element struct {
	name     string
	attrs    []xml.Attr
	text     string
	children []*element
}

const maxXMLDepth = 64

var errXML = errors.New("the XML is not well-formed")

// parseXML reads one document.
func parseXML(r io.Reader) (*element, error) {
	d := xml.NewDecoder(r)
	var stack []*element
	for {
		token, err := d.Token()
		if err != nil {
			return nil, errXML
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(stack) == maxXMLDepth {
				return nil, errXML
			}
			e := &element{name: t.Name.Local, attrs: t.Attr}
			if len(stack) > 0 {
				parent := stack[len(stack)-1]
				parent.children = append(parent.children, e)
			}
			stack = append(stack, e)
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].text += string(t)
			}
		case xml.EndElement:
			if len(stack) == 1 {
				return stack[0], nil
			}
			stack = stack[:len(stack)-1]
		case xml.Directive:
			return nil, errXML // no document types: nothing to expand
		}
	}
}

// assignXML sets dst to what element e says; m tells how lists are wrapped.
func (s *Server) assignXML(dst reflect.Value, m Member, e *element) error {
	if dst.Kind() == reflect.Slice && dst.Type() != bytesType {
		items := e.children
		if m.Flat {
			items = []*element{e}
		}
		for _, item := range items {
			v := reflect.New(dst.Type().Elem()).Elem()
			if err := s.assignXML(v, Member{}, item); err != nil {
				return err
			}
			dst.Set(reflect.Append(dst, v))
		}
		return nil
	}
	dst = settable(dst)
	switch {
	case dst.Type() == timeType:
		t, err := time.Parse(time.RFC3339, strings.TrimSpace(e.text))
		if err != nil {
			return fmt.Errorf("%s: %q is no time", e.name, e.text)
		}
		dst.Set(reflect.ValueOf(t.UTC()))
		return nil
	case dst.Kind() == reflect.Struct:
		return s.assignXMLStruct(dst, e)
	case dst.Kind() == reflect.String:
		dst.SetString(e.text)
		return nil
	}
	return assignScalar(dst, strings.TrimSpace(e.text), e.name)
}

func (s *Server) assignXMLStruct(dst reflect.Value, e *element) error {
	p := s.plan(dst.Type())
	for _, f := range p.fields {
		if !f.Attribute {
			continue
		}
		_, local, _ := strings.Cut(f.Name, ":")
		for _, a := range e.attrs {
			if a.Name.Local == local {
				settable(dst.Field(f.index)).SetString(a.Value)
			}
		}
	}
	for _, child := range e.children {
		if i, ok := p.byName[strings.ToLower(child.name)]; ok {
			f := p.fields[i]
			if err := s.assignXML(dst.Field(f.index), f.Member, child); err != nil {
				return err
			}
		}
	}
	return nil
}
