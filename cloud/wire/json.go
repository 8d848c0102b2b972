package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

func (s *Server) serveJSON(w http.ResponseWriter, r *http.Request) error {
	b, err := s.answer(w, r, targetOperation(r), s.decodeJSON, s.appendJSON)
	if err == nil {
		s.writeJSON(w, http.StatusOK, b)
	}
	return err
}

// answer is the document that answers another: that of an operation's input.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, operation string, decode func([]byte, reflect.Value) error, encode func([]byte, reflect.Value) ([]byte, error)) ([]byte, error) {
	op, ok := s.operations[operation]
	if !ok {
		return nil, s.unknown(operation)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.maxDocument()))
	if err != nil {
		return nil, &Error{Code: "RequestEntityTooLargeException", Message: err.Error(), Status: http.StatusRequestEntityTooLarge}
	}
	in := reflect.New(op.in)
	if err := decode(body, in.Elem()); err != nil {
		return nil, &Error{Code: "SerializationException", Message: err.Error()}
	}
	out, err := op.call(r.Context(), in)
	if err != nil {
		return nil, err
	}
	b, err := encode(nil, out)
	if err != nil {
		return nil, fmt.Errorf("encoding the answer of %s: %w", operation, err)
	}
	return b, nil
}

func (s *Server) unknown(operation string) error {
	return &Error{Code: "UnknownOperationException", Message: fmt.Sprintf("the local cloud does not have the operation %s of %s", operation, s.name)}
}

func (s *Server) writeJSON(w http.ResponseWriter, status int, body []byte) {
	contentType := "application/x-amz-json-" + s.model.JSONVersion
	if s.model.Protocol == "rest-json" {
		contentType = "application/json"
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the client is gone: nobody is left to tell
}

func (s *Server) decodeJSON(body []byte, dst reflect.Value) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return err
	}
	return s.assignJSON(dst, v, "")
}

// assignJSON sets dst to a decoded JSON value; path names it in errors.
func (s *Server) assignJSON(dst reflect.Value, v any, path string) error {
	if v == nil {
		return nil
	}
	dst = settable(dst)
	mismatch := func() error {
		return fmt.Errorf("%s cannot be a %T", strings.TrimPrefix(path, "."), v)
	}
	if dst.Type() == timeType {
		t, err := parseJSONTime(v)
		if err != nil {
			return mismatch()
		}
		dst.Set(reflect.ValueOf(t))
		return nil
	}
	switch v := v.(type) {
	case string:
		return assignText(dst, v, mismatch)
	case bool:
		if dst.Kind() != reflect.Bool {
			return mismatch()
		}
		dst.SetBool(v)
	case json.Number:
		return assignNumber(dst, v, mismatch)
	case []any:
		if dst.Kind() != reflect.Slice {
			return mismatch()
		}
		dst.Set(reflect.MakeSlice(dst.Type(), len(v), len(v)))
		for i, item := range v {
			if err := s.assignJSON(dst.Index(i), item, path+"."+strconv.Itoa(i+1)); err != nil {
				return err
			}
		}
	case map[string]any:
		return s.assignObject(dst, v, path, mismatch)
	}
	return nil
}

func assignText(dst reflect.Value, v string, mismatch func() error) error {
	switch {
	case dst.Kind() == reflect.String:
		dst.SetString(v)
	case dst.Type() == bytesType:
		b, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			return mismatch()
		}
		dst.SetBytes(b)
	case dst.Kind() == reflect.Float32 || dst.Kind() == reflect.Float64: // "NaN", "Infinity"
		f, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return mismatch()
		}
		dst.SetFloat(f)
	default:
		return mismatch()
	}
	return nil
}

func assignNumber(dst reflect.Value, v json.Number, mismatch func() error) error {
	switch dst.Kind() {
	case reflect.Int32, reflect.Int64, reflect.Int:
		n, err := v.Int64()
		if err != nil || dst.OverflowInt(n) {
			return mismatch()
		}
		dst.SetInt(n)
	case reflect.Float32, reflect.Float64:
		f, err := v.Float64()
		if err != nil {
			return mismatch()
		}
		dst.SetFloat(f)
	default:
		return mismatch()
	}
	return nil
}

func (s *Server) assignObject(dst reflect.Value, v map[string]any, path string, mismatch func() error) error {
	switch dst.Kind() {
	case reflect.Struct:
		p := s.plan(dst.Type())
		for name, item := range v {
			i, ok := p.byName[strings.ToLower(name)]
			if !ok {
				continue // as AWS, which lets older services take newer clients
			}
			if err := s.assignJSON(dst.Field(p.fields[i].index), item, path+"."+name); err != nil {
				return err
			}
		}
	case reflect.Map:
		dst.Set(reflect.MakeMapWithSize(dst.Type(), len(v)))
		for name, item := range v {
			e := reflect.New(dst.Type().Elem()).Elem()
			if err := s.assignJSON(e, item, path+"."+name); err != nil {
				return err
			}
			dst.SetMapIndex(reflect.ValueOf(name).Convert(dst.Type().Key()), e)
		}
	default:
		return mismatch()
	}
	return nil
}

func parseJSONTime(v any) (time.Time, error) {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		sec, frac := math.Modf(f)
		return time.Unix(int64(sec), int64(math.Round(frac*1e3))*1e6).UTC(), err
	case string:
		return time.Parse(time.RFC3339, v)
	}
	return time.Time{}, fmt.Errorf("%T is no time", v)
}

// appendJSON appends a Go value as the service sends it.
func (s *Server) appendJSON(b []byte, v reflect.Value) ([]byte, error) {
	v = deref(v)
	if !v.IsValid() {
		return append(b, "null"...), nil
	}
	switch v.Kind() {
	case reflect.String:
		return appendJSONString(b, v.String()), nil
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool()), nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10), nil
	case reflect.Float32, reflect.Float64:
		return strconv.AppendFloat(b, v.Float(), 'g', -1, 64), nil
	case reflect.Slice:
		return s.appendJSONList(b, v)
	case reflect.Map:
		return s.appendJSONMap(b, v)
	case reflect.Struct:
		if v.Type() == timeType {
			ms := v.Interface().(time.Time).UnixMilli()
			return strconv.AppendFloat(b, float64(ms)/1e3, 'f', -1, 64), nil
		}
		return s.appendJSONStruct(b, v)
	}
	return nil, fmt.Errorf("values of %s cannot be sent", v.Type())
}

func (s *Server) appendJSONList(b []byte, v reflect.Value) ([]byte, error) {
	if v.Type() == bytesType {
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, v.Bytes())
		return append(b, '"'), nil
	}
	var err error
	b = append(b, '[')
	for i := range v.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = s.appendJSON(b, v.Index(i)); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func (s *Server) appendJSONMap(b []byte, v reflect.Value) ([]byte, error) {
	keys := v.MapKeys()
	sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
	var err error
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendJSONString(b, k.String()), ':')
		if b, err = s.appendJSON(b, v.MapIndex(k)); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func (s *Server) appendJSONStruct(b []byte, v reflect.Value) ([]byte, error) {
	var err error
	b = append(b, '{')
	first := true
	for _, f := range s.plan(v.Type()).fields {
		value := v.Field(f.index)
		if f.In != "" || isEmpty(value) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendJSONString(b, f.Name), ':')
		if f.Time == "iso8601" {
			t := deref(value).Interface().(time.Time)
			b = appendJSONString(b, t.UTC().Format("2006-01-02T15:04:05Z"))
		} else if b, err = s.appendJSON(b, value); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return append(b, '}'), nil
}

// appendJSONString quotes s, the common case without a detour.
func appendJSONString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			var buf bytes.Buffer
			e := json.NewEncoder(&buf)
			e.SetEscapeHTML(false)
			if err := e.Encode(s); err != nil {
				return append(b, `""`...) // strings always encode
			}
			return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
