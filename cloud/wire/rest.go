package wire

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
)

func (s *Server) serveREST(w http.ResponseWriter, r *http.Request) error {
	name, labels, known := s.route(r)
	op, ok := s.operations[name]
	switch {
	case !known:
		return &Error{Code: "MethodNotAllowed", Message: "The specified method is not allowed against this resource.", Status: http.StatusMethodNotAllowed}
	case !ok:
		return &Error{Code: "NotImplemented", Message: fmt.Sprintf("the local cloud does not have the operation %s of %s", name, s.name), Status: http.StatusNotImplemented}
	}
	in := reflect.New(op.in)
	body, err := openBody(r)
	if err != nil {
		return err
	}
	if err := s.bindRequest(in.Elem(), r, labels, body); err != nil {
		return err
	}
	out, stream, err := op.open(r.Context(), in)
	if err != nil {
		return err
	}
	if stream != nil {
		return s.sendStream(w, out, stream)
	}
	return s.sendREST(w, r, name, out)
}

// bindRequest fills an input from path, query, header and body.
func (s *Server) bindRequest(in reflect.Value, r *http.Request, labels map[string]string, body io.Reader) error {
	p := s.plan(in.Type())
	query := r.URL.Query()
	for _, f := range p.fields {
		dst := in.Field(f.index)
		var err error
		switch f.In {
		case "uri":
			err = bindText(dst, f, labels[f.Name])
		case "querystring":
			if values, ok := query[f.Name]; ok {
				err = bindValues(dst, f, values)
			}
		case "header":
			if values := r.Header.Values(f.Name); len(values) > 0 {
				err = bindValues(dst, f, values)
			} else if f.Name == "Content-Length" && r.ContentLength >= 0 {
				err = bindText(dst, f, strconv.FormatInt(r.ContentLength, 10))
			}
		case "headers":
			bindPrefix(dst, f.Name, r.Header)
		}
		if err != nil {
			return &Error{Code: "InvalidArgument", Message: err.Error(), Fields: map[string]string{"ArgumentName": f.Name}}
		}
	}
	if p.payload >= 0 {
		f := p.fields[p.payload]
		return s.bindPayload(in.Field(f.index), f, body)
	}
	if s.model.Protocol == "rest-json" {
		return s.bindDocument(in, body)
	}
	return nil
}

func bindValues(dst reflect.Value, f field, values []string) error {
	if dst.Kind() != reflect.Slice {
		return bindText(dst, f, values[0])
	}
	if f.In == "header" { // a list in one header: a,b
		values = strings.Split(strings.Join(values, ","), ",")
	}
	for _, value := range values {
		v := reflect.New(dst.Type().Elem()).Elem()
		if err := bindText(v, f, strings.TrimSpace(value)); err != nil {
			return err
		}
		dst.Set(reflect.Append(dst, v))
	}
	return nil
}

func bindText(dst reflect.Value, f field, text string) error {
	dst = settable(dst)
	if dst.Type() != timeType {
		return assignScalar(dst, text, f.Name)
	}
	for _, layout := range []string{http.TimeFormat, time.RFC3339, time.RFC850, time.ANSIC} {
		if t, err := time.Parse(layout, text); err == nil {
			dst.Set(reflect.ValueOf(t.UTC()))
			return nil
		}
	}
	return nil // an unreadable date is no condition, says RFC 9110
}

func bindPrefix(dst reflect.Value, prefix string, header http.Header) {
	for name, values := range header {
		if len(name) <= len(prefix) || !strings.EqualFold(name[:len(prefix)], prefix) {
			continue
		}
		if dst.IsNil() {
			dst.Set(reflect.MakeMap(dst.Type()))
		}
		dst.SetMapIndex(reflect.ValueOf(strings.ToLower(name[len(prefix):])), reflect.ValueOf(strings.Join(values, ",")))
	}
}

func (s *Server) bindPayload(dst reflect.Value, f field, body io.Reader) error {
	if f.typ == readerType || f.typ == closerType {
		dst.Set(reflect.ValueOf(io.NopCloser(body)).Convert(f.typ))
		if f.typ == readerType {
			dst.Set(reflect.ValueOf(body))
		}
		return nil
	}
	b, err := s.readDocument(body)
	if err != nil {
		return err
	}
	switch {
	case f.typ == bytesType:
		dst.SetBytes(b)
		return nil
	case len(bytes.TrimSpace(b)) == 0:
		return nil
	case settableKind(f.typ) != reflect.Struct:
		settable(dst).SetString(string(b))
		return nil
	case s.model.Protocol == "rest-json":
		return s.bindJSON(dst, b)
	}
	root, err := parseXML(bytes.NewReader(b))
	if err == nil {
		err = s.assignXML(dst, f.Member, root)
	}
	if err != nil {
		return &Error{Code: "MalformedXML", Message: "The XML you provided was not well-formed or did not validate against our published schema"}
	}
	return nil
}

func (s *Server) readDocument(body io.Reader) ([]byte, error) {
	most := s.maxDocument()
	b, err := io.ReadAll(io.LimitReader(body, most+1))
	switch {
	case err != nil || int64(len(b)) <= most:
		return b, err
	case s.model.Protocol == "rest-json":
		return nil, &Error{Code: "RequestEntityTooLargeException", Status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf("Request must be smaller than %d bytes", most)}
	}
	return nil, &Error{Code: "MaxMessageLengthExceeded", Message: "Your request was too big."}
}

// bindDocument fills the members of an input that travel in a JSON body.
func (s *Server) bindDocument(in reflect.Value, body io.Reader) error {
	b, err := s.readDocument(body)
	if err != nil {
		return err
	}
	return s.bindJSON(in, b)
}

func (s *Server) bindJSON(dst reflect.Value, b []byte) error {
	if err := s.decodeJSON(b, dst); err != nil {
		return &Error{Code: "SerializationException", Message: err.Error()}
	}
	return nil
}

func settableKind(t reflect.Type) reflect.Kind {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind()
}

// sendREST writes an output: members to the header, the payload or the rest
// to the body.
func (s *Server) sendREST(w http.ResponseWriter, r *http.Request, name string, out reflect.Value) error {
	p := s.plan(out.Type())
	status := s.model.Operations[name].Status
	if status == 0 {
		status = http.StatusOK
	}
	document := false
	for _, f := range p.fields {
		value := out.Field(f.index)
		if f.In == "" {
			document = document || p.payload < 0
			continue
		}
		if isEmpty(value) {
			continue
		}
		if f.In == "statusCode" {
			if n := deref(value).Int(); n != 0 {
				status = int(n)
			}
			continue
		}
		if err := setHeader(w.Header(), f, value); err != nil {
			return err
		}
		if f.Name == "Content-Range" {
			status = http.StatusPartialContent
		}
	}
	switch {
	case p.payload >= 0:
		f := p.fields[p.payload]
		return s.sendPayload(w, status, f, out.Field(f.index))
	case document && s.model.Protocol == "rest-json":
		b, err := s.appendJSON(nil, out)
		if err != nil {
			return fmt.Errorf("encoding the answer of %s: %w", name, err)
		}
		s.writeJSON(w, status, b)
		return nil
	case document && r.Method != http.MethodHead:
		x := newXML()
		if err := s.writeRoot(x, rootName(name), out); err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/xml")
		x.send(w, status)
		return nil
	}
	if status != http.StatusNoContent && w.Header().Get("Content-Length") == "" {
		w.Header().Set("Content-Length", "0")
	}
	w.WriteHeader(status)
	return nil
}

func setHeader(h http.Header, f field, value reflect.Value) error {
	if f.In == "headers" {
		for _, k := range value.MapKeys() {
			// As they were sent, since some clients show these names as they come.
			h[strings.ToLower(f.Name+k.String())] = []string{value.MapIndex(k).String()}
		}
		return nil
	}
	v := deref(value)
	if v.Kind() == reflect.Slice && v.Type() != bytesType {
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = v.Index(i).String()
		}
		h.Set(f.Name, strings.Join(parts, ","))
		return nil
	}
	text, err := scalarText(v, f.Time, "rfc822")
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	h.Set(f.Name, text)
	return nil
}

func (s *Server) sendPayload(w http.ResponseWriter, status int, f field, value reflect.Value) error {
	if f.typ == closerType {
		w.WriteHeader(status)
		body, _ := value.Interface().(io.ReadCloser)
		if body == nil {
			return nil
		}
		defer body.Close()
		io.Copy(w, body) //nolint:errcheck // the status is out: a short body tells the client
		return nil
	}
	if isEmpty(value) {
		w.WriteHeader(status)
		return nil
	}
	v := deref(value)
	switch {
	case v.Kind() == reflect.String:
		w.Header().Set("Content-Length", strconv.Itoa(v.Len()))
		w.WriteHeader(status)
		io.WriteString(w, v.String()) //nolint:errcheck // the client is gone
		return nil
	case v.Type() == bytesType:
		w.Header().Set("Content-Length", strconv.Itoa(v.Len()))
		w.WriteHeader(status)
		w.Write(v.Bytes()) //nolint:errcheck // the client is gone
		return nil
	case s.model.Protocol == "rest-json":
		b, err := s.appendJSON(nil, v)
		if err == nil {
			s.writeJSON(w, status, b)
		}
		return err
	}
	x := newXML()
	name := f.Name
	if v.Kind() == reflect.Struct {
		name = v.Type().Name()
	}
	if err := s.writeRoot(x, name, v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/xml")
	x.send(w, status)
	return nil
}

func (s *Server) writeRoot(x *xmlWriter, name string, v reflect.Value) error {
	x.open(name, s3Namespace)
	if name == "LocationConstraint" { // GetBucketLocation answers with bare text
		x.escape(deref(v.FieldByName("LocationConstraint")).String())
	} else if err := s.writeXMLFields(x, v); err != nil {
		return err
	}
	x.close(name)
	return nil
}

const s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// rootName is the root element of an operation's answer; S3's model leaves
// them out, since its clients skip them.
func rootName(operation string) string {
	names := map[string]string{
		"ListObjects": "ListBucketResult", "ListObjectsV2": "ListBucketResult", "ListObjectVersions": "ListVersionsResult",
		"ListBuckets": "ListAllMyBucketsResult", "DeleteObjects": "DeleteResult", "GetBucketLocation": "LocationConstraint",
		"CreateMultipartUpload": "InitiateMultipartUploadResult", "GetBucketAcl": "AccessControlPolicy", "GetObjectAcl": "AccessControlPolicy",
		"GetBucketTagging": "Tagging", "GetObjectTagging": "Tagging", "GetBucketCors": "CORSConfiguration",
		"GetBucketAccelerateConfiguration": "AccelerateConfiguration", "GetBucketLogging": "BucketLoggingStatus",
		"GetBucketRequestPayment": "RequestPaymentConfiguration", "GetObjectAttributes": "GetObjectAttributesResponse",
		"GetBucketNotificationConfiguration": "NotificationConfiguration", "GetBucketVersioning": "VersioningConfiguration",
		"GetBucketLifecycleConfiguration": "LifecycleConfiguration", "GetBucketWebsite": "WebsiteConfiguration",
	}
	if name, ok := names[operation]; ok {
		return name
	}
	return operation + "Result"
}
