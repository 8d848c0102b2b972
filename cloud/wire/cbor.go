package wire

import (
	"compress/gzip"
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

	"github.com/aws/smithy-go/encoding/cbor"
	smithytime "github.com/aws/smithy-go/time"
)

// rpcCBOR is the protocol as AWS's models call it. A service that speaks it
// speaks JSON and query too: each client has its own.
const rpcCBOR = "smithy-rpc-v2-cbor"

// protocol is the one that a request is made in.
func (s *Server) protocol(r *http.Request) string {
	switch {
	case s.model.Protocol != rpcCBOR:
		return s.model.Protocol
	case IsRPC(r):
		return rpcCBOR
	case r.Header.Get("X-Amz-Target") != "":
		return "json"
	}
	return "query"
}

// IsRPC tells a request in Smithy's RPC v2 protocol with CBOR.
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
func IsRPC(r *http.Request) bool { return r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor" }

// RPCTarget is what a request in RPC v2 asks for, by the end of its path:
// /service/SERVICE/operation/OPERATION.
func RPCTarget(r *http.Request) (service, operation string) {
	parts := strings.Split(r.URL.Path, "/")
	if n := len(parts); n >= 4 && parts[n-4] == "service" && parts[n-2] == "operation" {
		return parts[n-3], parts[n-1]
	}
	return "", ""
}

// unpacked reads a body that its client compressed, which some do with large
// ones.
func unpacked(r *http.Request) error {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return nil
	}
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		return &Error{Code: "SerializationException", Message: "the body is not in gzip, as its Content-Encoding says: " + err.Error()}
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{z, r.Body}
	return nil
}

func (s *Server) serveCBOR(w http.ResponseWriter, r *http.Request) error {
	_, operation := RPCTarget(r)
	b, err := s.answer(w, r, operation, s.decodeCBOR, s.appendCBOR)
	if err == nil {
		writeCBOR(w, http.StatusOK, b)
	}
	return err
}

func writeCBOR(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the client is gone: nobody is left to tell
}

func (s *Server) decodeCBOR(body []byte, dst reflect.Value) error {
	if len(body) == 0 {
		return nil
	}
	v, err := cbor.Decode(body)
	if err != nil {
		return err
	}
	whole, err := plainCBOR(v)
	if err != nil {
		return err
	}
	if _, ok := whole.(map[string]any); !ok {
		return fmt.Errorf("the input is a %T, not a map", whole)
	}
	return s.assignJSON(dst, whole, "")
}

// plainCBOR is a value as a JSON decoder would give it.
func plainCBOR(v cbor.Value) (any, error) {
	switch v := v.(type) {
	case cbor.Uint:
		return json.Number(strconv.FormatUint(uint64(v), 10)), nil
	case cbor.NegInt:
		return json.Number("-" + strconv.FormatUint(uint64(v), 10)), nil
	case cbor.Float32:
		return plainFloat(float64(v)), nil
	case cbor.Float64:
		return plainFloat(float64(v)), nil
	case cbor.String:
		return string(v), nil
	case cbor.Slice:
		return base64.StdEncoding.EncodeToString(v), nil
	case cbor.Bool:
		return bool(v), nil
	case *cbor.Tag:
		t, err := cbor.AsTime(v)
		if err != nil {
			return nil, fmt.Errorf("a tag of CBOR: %w", err)
		}
		return plainFloat(smithytime.FormatEpochSeconds(t)), nil
	case cbor.List:
		list := make([]any, len(v))
		for i, item := range v {
			var err error
			if list[i], err = plainCBOR(item); err != nil {
				return nil, err
			}
		}
		return list, nil
	case cbor.Map:
		m := make(map[string]any, len(v))
		for name, item := range v {
			var err error
			if m[name], err = plainCBOR(item); err != nil {
				return nil, err
			}
		}
		return m, nil
	}
	return nil, nil // null and undefined
}

// plainFloat is a number, or the name by which JSON documents know one that
// JSON has no number for.
func plainFloat(f float64) any {
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return text
	}
	return json.Number(text)
}

// Heads of CBOR's items whose length is told by their end.
const (
	cborList = 0x9f
	cborMap  = 0xbf
	cborEnd  = 0xff
)

// appendCBOR appends a Go value as the service sends it.
func (s *Server) appendCBOR(b []byte, v reflect.Value) ([]byte, error) {
	v = deref(v)
	if !v.IsValid() {
		return append(b, cbor.Encode(&cbor.Nil{})...), nil
	}
	switch v.Kind() {
	case reflect.String:
		return append(b, cbor.Encode(cbor.String(v.String()))...), nil
	case reflect.Bool:
		return append(b, cbor.Encode(cbor.Bool(v.Bool()))...), nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		if n := v.Int(); n < 0 {
			return append(b, cbor.Encode(cbor.NegInt(-n))...), nil
		}
		return append(b, cbor.Encode(cbor.Uint(v.Int()))...), nil
	case reflect.Float32, reflect.Float64:
		return append(b, cbor.Encode(cbor.Float64(v.Float()))...), nil
	case reflect.Slice:
		if v.Type() == bytesType {
			return append(b, cbor.Encode(cbor.Slice(v.Bytes()))...), nil
		}
		var err error
		b = append(b, cborList)
		for i := range v.Len() {
			if b, err = s.appendCBOR(b, v.Index(i)); err != nil {
				return nil, err
			}
		}
		return append(b, cborEnd), nil
	case reflect.Map:
		keys := v.MapKeys()
		sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
		var err error
		b = append(b, cborMap)
		for _, k := range keys {
			if b, err = s.appendCBOR(append(b, cbor.Encode(cbor.String(k.String()))...), v.MapIndex(k)); err != nil {
				return nil, err
			}
		}
		return append(b, cborEnd), nil
	case reflect.Struct:
		if v.Type() == timeType {
			at := float64(v.Interface().(time.Time).UnixMilli()) / 1e3
			return append(b, cbor.Encode(&cbor.Tag{ID: 1, Value: cbor.Float64(at)})...), nil
		}
		b, err := s.appendCBORFields(append(b, cborMap), v)
		return append(b, cborEnd), err
	}
	return nil, fmt.Errorf("values of %s cannot be sent", v.Type())
}

// appendCBORFields appends the members of a struct that are there.
func (s *Server) appendCBORFields(b []byte, v reflect.Value) ([]byte, error) {
	for _, f := range s.plan(v.Type()).fields {
		value := v.Field(f.index)
		if isEmpty(value) || f.Name == "errorCodeOverride" || f.Name == "ErrorCodeOverride" {
			continue
		}
		var err error
		if b, err = s.appendCBOR(append(b, cbor.Encode(cbor.String(f.Name))...), value); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return b, nil
}

func (s *Server) writeCBORError(w http.ResponseWriter, f failure) {
	text := func(b []byte, t string) []byte { return append(b, cbor.Encode(cbor.String(t))...) }
	b := text(text([]byte{cborMap}, "__type"), "com.amazonaws."+s.name+"#"+f.code)
	fields := b
	if f.typed.IsValid() {
		with, err := s.appendCBORFields(b, f.typed)
		if err == nil {
			fields = with
		}
	}
	if len(fields) == len(b) { // no struct of the SDK's, or an empty one
		fields = text(text(b, "message"), f.message)
	}
	writeCBOR(w, f.status, append(fields, cborEnd))
}
