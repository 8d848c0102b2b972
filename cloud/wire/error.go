package wire

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"sort"
	"strconv"

	smithy "github.com/aws/smithy-go"
)

// Error is a failure as AWS tells it, for the codes that the SDK has no Go
// type for. Services return it, or the SDK's typed errors.
type Error struct {
	Code    string
	Message string
	Status  int               // of HTTP; 0 means what the service's model says, else 400
	Fields  map[string]string // further elements of the error, such as S3's BucketName
	Header  map[string]string // further headers of a REST response, such as X-Amz-Delete-Marker
}

// HTTPStatusCode is Status, as the SDK's errors tell it.
func (e *Error) HTTPStatusCode() int { return e.Status }

func (e *Error) Error() string        { return e.Code + ": " + e.Message }
func (e *Error) ErrorCode() string    { return e.Code }
func (e *Error) ErrorMessage() string { return e.Message }

// ErrorFault tells whose fault it is, by the status.
func (e *Error) ErrorFault() smithy.ErrorFault {
	if e.Status >= 500 {
		return smithy.FaultServer
	}
	return smithy.FaultClient
}

// failure is an error ready to be sent.
type failure struct {
	code, message string
	status        int
	sender        bool
	fields        map[string]string
	header        map[string]string
	typed         reflect.Value // the SDK's error struct, for its further members
}

// blame tells whose fault it is.
func (f failure) blame() string {
	if f.sender {
		return "Sender"
	}
	return "Receiver"
}

func (s *Server) failure(err error) failure {
	var api smithy.APIError
	if !errors.As(err, &api) {
		f := failure{code: "InternalFailure", message: err.Error(), status: http.StatusInternalServerError}
		if s.model.Protocol == "rest-xml" {
			f.code = "InternalError"
		}
		if errors.Is(err, context.Canceled) {
			f.status = 499 // the client went away; nobody reads this
		}
		return f
	}
	f := failure{code: api.ErrorCode(), message: api.ErrorMessage()}
	f.status = s.model.Statuses[s.queryCode(f)]
	f.sender = api.ErrorFault() != smithy.FaultServer
	if own, ok := api.(*Error); ok {
		f.fields, f.header = own.Fields, own.Header
		if own.Status != 0 {
			f.status = own.Status
		}
	} else if v := deref(reflect.ValueOf(api)); v.Kind() == reflect.Struct {
		f.typed = v
	}
	if f.status == 0 {
		f.status = http.StatusBadRequest
		if !f.sender {
			f.status = http.StatusInternalServerError
		}
	}
	return f
}

// queryCode is the failure's code in the query protocol.
func (s *Server) queryCode(f failure) string {
	if code := s.model.Codes[f.code]; code != "" {
		return code
	}
	return f.code
}

func (s *Server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	f := s.failure(err)
	if s.model.Protocol == rpcCBOR { // by which clients still know the errors
		w.Header().Set("X-Amzn-Query-Error", s.queryCode(f)+";"+f.blame())
	}
	switch s.protocol(r) {
	case rpcCBOR:
		s.writeCBORError(w, f)
	case "json", "rest-json":
		s.writeJSONError(w, f)
	case "query":
		s.writeQueryError(w, f)
	default:
		s.writeRESTError(w, r, f)
	}
}

func (s *Server) writeJSONError(w http.ResponseWriter, f failure) {
	b := append([]byte(`{"__type":`), appendJSONString(nil, f.code)...)
	b = append(b, `,"message":`...)
	b = appendJSONString(b, f.message)
	if f.typed.IsValid() {
		for _, fl := range s.plan(f.typed.Type()).fields {
			v := f.typed.Field(fl.index)
			if isEmpty(v) || fl.Name == "message" || fl.Name == "Message" || fl.Name == "errorCodeOverride" || fl.Name == "ErrorCodeOverride" {
				continue
			}
			with, err := s.appendJSON(append(append(append(b, ','), appendJSONString(nil, fl.Name)...), ':'), v)
			if err == nil {
				b = with
			}
		}
	}
	w.Header().Set("X-Amzn-Errortype", f.code)
	s.writeJSON(w, f.status, append(b, '}'))
}

func (s *Server) writeQueryError(w http.ResponseWriter, f failure) {
	x := newXML()
	x.open("ErrorResponse", s.model.Namespace)
	x.open("Error", "")
	x.text("Type", f.blame())
	x.text("Code", s.queryCode(f))
	x.text("Message", f.message)
	x.close("Error")
	x.text("RequestId", w.Header().Get("X-Amzn-Requestid"))
	x.close("ErrorResponse")
	x.send(w, f.status)
}

func (s *Server) writeRESTError(w http.ResponseWriter, r *http.Request, f failure) {
	for name, value := range f.header {
		w.Header().Set(name, value)
	}
	if r.Method == http.MethodHead || f.status == http.StatusNotModified {
		w.Header().Set("Content-Length", "0")
		if f.status == http.StatusNotModified {
			w.Header().Del("Content-Length")
		}
		w.WriteHeader(f.status)
		return
	}
	x := newXML()
	x.open("Error", "")
	x.text("Code", f.code)
	x.text("Message", f.message)
	names := make([]string, 0, len(f.fields))
	for name := range f.fields {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		x.text(name, f.fields[name])
	}
	if f.fields["Resource"] == "" {
		x.text("Resource", r.URL.Path)
	}
	x.text("RequestId", w.Header().Get("X-Amzn-Requestid"))
	x.text("HostId", "ouro")
	x.close("Error")
	x.send(w, f.status)
}

func (x *xmlWriter) send(w http.ResponseWriter, status int) {
	contentType := "text/xml"
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", contentType)
	}
	w.Header().Set("Content-Length", strconv.Itoa(x.b.Len()))
	w.WriteHeader(status)
	w.Write(x.b.Bytes()) //nolint:errcheck // the client is gone: nobody is left to tell
}
