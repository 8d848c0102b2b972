package resource

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bind sets the fields of an SDK input from evaluated properties. Names match
// without regard to case; text becomes numbers and booleans where the SDK
// wants them, an object becomes a JSON document where it wants a string, a
// single value becomes a list of one. Properties in except are left to the
// caller; any other that the input does not have is an error.
func Bind(properties map[string]any, into any, except ...string) error {
	return bindStruct(reflect.ValueOf(into).Elem(), properties, "", except)
}

func bindStruct(dst reflect.Value, src map[string]any, path string, except []string) error {
	for name, value := range src {
		if slices.Contains(except, name) || value == nil {
			continue
		}
		field := fieldNamed(dst, name)
		if !field.IsValid() {
			return Sayf("Encountered unsupported property %s", name)
		}
		if err := bindValue(field, value, path+"/"+name); err != nil {
			return err
		}
	}
	return nil
}

// fieldNamed finds the field of a struct that a property means.
func fieldNamed(dst reflect.Value, name string) reflect.Value {
	t := dst.Type()
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() && f.Name != "ResultMetadata" && strings.EqualFold(f.Name, name) {
			return dst.Field(i)
		}
	}
	return reflect.Value{}
}

var timeType = reflect.TypeFor[time.Time]()

func bindValue(dst reflect.Value, src any, path string) error {
	if src == nil {
		return nil
	}
	if dst.Type() == timeType {
		return bindTime(dst, src, path)
	}
	switch dst.Kind() {
	case reflect.Pointer:
		v := reflect.New(dst.Type().Elem())
		if err := bindValue(v.Elem(), src, path); err != nil {
			return err
		}
		dst.Set(v)
		return nil
	case reflect.Struct:
		m, ok := src.(map[string]any)
		if !ok {
			return wrongType(path, src, "a JSON object")
		}
		return bindStruct(dst, m, path, nil)
	case reflect.Slice:
		return bindSlice(dst, src, path)
	case reflect.Map:
		return bindMap(dst, src, path)
	}
	return bindScalar(dst, src, path)
}

func bindSlice(dst reflect.Value, src any, path string) error {
	if dst.Type().Elem().Kind() == reflect.Uint8 {
		dst.SetBytes([]byte(text(src)))
		return nil
	}
	items, ok := src.([]any)
	if !ok {
		items = []any{src}
	}
	out := reflect.MakeSlice(dst.Type(), len(items), len(items))
	for i, item := range items {
		if err := bindValue(out.Index(i), item, path+"/"+strconv.Itoa(i)); err != nil {
			return err
		}
	}
	dst.Set(out)
	return nil
}

func bindMap(dst reflect.Value, src any, path string) error {
	m, ok := src.(map[string]any)
	if !ok {
		return wrongType(path, src, "a JSON object")
	}
	out := reflect.MakeMapWithSize(dst.Type(), len(m))
	for key, value := range m {
		v := reflect.New(dst.Type().Elem()).Elem()
		if err := bindValue(v, value, path+"/"+key); err != nil {
			return err
		}
		out.SetMapIndex(reflect.ValueOf(key).Convert(dst.Type().Key()), v)
	}
	dst.Set(out)
	return nil
}

func bindScalar(dst reflect.Value, src any, path string) error {
	s := text(src)
	switch dst.Kind() {
	case reflect.String:
		if s == "" && !isScalar(src) {
			s = document(src)
		}
		dst.SetString(s)
	case reflect.Bool:
		b, err := strconv.ParseBool(strings.ToLower(s))
		if err != nil {
			return wrongType(path, src, "a Boolean")
		}
		dst.SetBool(b)
	case reflect.Int32, reflect.Int64, reflect.Int:
		n, err := strconv.ParseInt(s, 10, dst.Type().Bits())
		if err != nil {
			return wrongType(path, src, "an Integer")
		}
		dst.SetInt(n)
	case reflect.Float64, reflect.Float32:
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return wrongType(path, src, "a Number")
		}
		dst.SetFloat(f)
	default:
		return fmt.Errorf("property %s is not supported", path)
	}
	return nil
}

func bindTime(dst reflect.Value, src any, path string) error {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, text(src)); err == nil {
			dst.Set(reflect.ValueOf(t.UTC()))
			return nil
		}
	}
	return wrongType(path, src, "a timestamp")
}

func wrongType(path string, src any, want string) error {
	have := "JSON object"
	switch src.(type) {
	case string:
		have = "String"
	case bool:
		have = "Boolean"
	case json.Number:
		have = "Number"
	case []any:
		have = "List"
	}
	return Sayf("Properties validation failed: #%s: expected %s, found: %s", path, want, have)
}

// Clear gives the fields that former had and properties lacks the value that
// updates take for "none": an SDK update leaves alone what it is not told.
func Clear(into any, former, properties map[string]any, except ...string) {
	dst := reflect.ValueOf(into).Elem()
	for name := range former {
		if _, kept := properties[name]; kept || slices.Contains(except, name) {
			continue
		}
		field := fieldNamed(dst, name)
		if !field.IsValid() {
			continue
		}
		switch field.Kind() {
		case reflect.Pointer:
			field.Set(reflect.New(field.Type().Elem()))
		case reflect.Slice:
			field.Set(reflect.MakeSlice(field.Type(), 0, 0))
		case reflect.Map:
			field.Set(reflect.MakeMap(field.Type()))
		}
	}
}

func isScalar(v any) bool {
	switch v.(type) {
	case string, bool, json.Number:
		return true
	}
	return false
}

// text is a scalar as CloudFormation writes it; empty for anything else.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	}
	return ""
}

// document is a value as JSON text, for policies, patterns and the like.
func document(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil { // evaluated values always encode
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

func texts(v any) []string {
	var out []string
	for _, item := range list(v) {
		out = append(out, text(item))
	}
	return out
}
