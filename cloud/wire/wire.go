// Package wire speaks AWS's protocols: it turns requests into calls of Go
// methods with the SDK client's own signatures, and their results and errors
// into responses.
//
// A service is any Go value. Each of its exported methods of the form
//
//	func (s *Service) StartBuild(context.Context, *codebuild.StartBuildInput) (*codebuild.StartBuildOutput, error)
//
// is an operation; wire finds them by reflection and needs nothing else but a
// small table of names (see [Model]). Protocols: awsQuery, awsJson 1.0 and 1.1,
// RPC v2 with CBOR, restXml, restJson. Signatures are the door's business, not wire's.
package wire

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"sort"
	"strings"
	"sync"
)

// maxDocument bounds a request that is a document (JSON, form or XML), in
// bytes: a CodeCommit commit of 20 MB fits, in base64. Bodies that are payloads,
// such as objects, stream and have no bound
// here.
const maxDocument = 32 << 20

// documents are the services that take others: a function of 50 MB in base64,
// and what describes it; the data of metrics, whose values are small and many.
var documents = map[string]int64{"lambda": 70167211, "cloudwatch": 1 << 20}

// maxDocument bounds this service's documents.
func (s *Server) maxDocument() int64 {
	if n := documents[s.name]; n > 0 {
		return n
	}
	return maxDocument
}

// Server answers the requests for one service.
type Server struct {
	name       string
	model      *Model
	operations map[string]operation
	routes     []route
	plans      sync.Map // reflect.Type → *plan
}

// operation is a method of the service.
type operation struct {
	method  reflect.Value
	in, out reflect.Type // structs
	streams bool         // it has an event stream besides, see Stream
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

// New makes a server for impl, which speaks as the service that AWS's models
// call name.
func New(name string, impl any) (*Server, error) {
	model, err := LoadModel(name)
	if err != nil {
		return nil, err
	}
	s := &Server{name: name, model: model, operations: map[string]operation{}}
	v := reflect.ValueOf(impl)
	for i := range v.NumMethod() {
		method := v.Method(i)
		t := method.Type()
		streams := t.NumOut() == 3 && t.Out(1) == streamType
		if t.NumIn() != 2 || t.NumOut() != 2 && !streams || t.In(0) != contextType || t.Out(t.NumOut()-1) != errorType ||
			!isStructPointer(t.In(1)) || !isStructPointer(t.Out(0)) {
			continue
		}
		s.operations[v.Type().Method(i).Name] = operation{method, t.In(1).Elem(), t.Out(0).Elem(), streams}
	}
	if len(s.operations) == 0 {
		return nil, fmt.Errorf("%T has no operations of %q", impl, name)
	}
	s.routes, err = routes(model)
	return s, err
}

func isStructPointer(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct
}

// Model is the table of names that the server goes by.
func (s *Server) Model() *Model { return s.model }

// Operations are the names of the operations that the service has, sorted.
func (s *Server) Operations() []string {
	names := make([]string, 0, len(s.operations))
	for name := range s.operations {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// ServeHTTP answers one request. The context of r carries the caller; the
// response header X-Amzn-Requestid, if it is set, is the request's id.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var err error
	if s.model.Protocol == rpcCBOR {
		err = unpacked(r)
	}
	switch protocol := s.protocol(r); {
	case err != nil:
	case protocol == "json":
		err = s.serveJSON(w, r)
	case protocol == "query":
		err = s.serveQuery(w, r)
	case protocol == rpcCBOR:
		err = s.serveCBOR(w, r)
	default:
		err = s.serveREST(w, r)
	}
	if err != nil {
		s.writeError(w, r, err)
	}
}

// call runs the operation on a decoded input.
func (op operation) call(ctx context.Context, in reflect.Value) (reflect.Value, error) {
	out, _, err := op.open(ctx, in)
	return out, err
}

// open is call, with the event stream of an operation that has one.
func (op operation) open(ctx context.Context, in reflect.Value) (reflect.Value, Stream, error) {
	out := op.method.Call([]reflect.Value{reflect.ValueOf(ctx), in})
	if err, _ := out[len(out)-1].Interface().(error); err != nil {
		return reflect.Value{}, nil, err
	}
	var stream Stream
	if op.streams {
		stream, _ = out[1].Interface().(Stream)
	}
	if out[0].IsNil() {
		return reflect.New(op.out).Elem(), stream, nil
	}
	return out[0].Elem(), stream, nil
}

// OperationName tells which operation of the service r asks for, for logs;
// empty when it cannot be told cheaply.
func (s *Server) OperationName(r *http.Request) string {
	switch s.protocol(r) {
	case "json":
		return targetOperation(r)
	case rpcCBOR:
		_, name := RPCTarget(r)
		return name
	case "query":
		return r.Form.Get("Action")
	}
	name, _, _ := s.route(r)
	return name
}

func targetOperation(r *http.Request) string {
	target := r.Header.Get("X-Amz-Target")
	return target[strings.LastIndexByte(target, '.')+1:]
}
