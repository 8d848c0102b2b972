package executeapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Answer is what a call gets.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Binary bool // the function gave the body as base64
}

// Write sends the answer.
func (a Answer) Write(w http.ResponseWriter) {
	for name, values := range a.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(a.Status)
	w.Write(a.Body) //nolint:errcheck // the client is gone: nobody is left to tell
}

// ErrMalformed says that a function's answer has not the form that API Gateway
// wants of it.
var ErrMalformed = errors.New("the function's answer is malformed")

// proxied is the form of a function's answer.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
type proxied struct {
	StatusCode        json.RawMessage  `json:"statusCode"`
	Headers           map[string]any   `json:"headers"`
	MultiValueHeaders map[string][]any `json:"multiValueHeaders"`
	Cookies           []string         `json:"cookies"`
	Body              json.RawMessage  `json:"body"`
	IsBase64Encoded   bool             `json:"isBase64Encoded"`
}

// Form is what may be in a function's answer.
type Form int

const (
	// Form1 needs a status code.
	Form1 Form = iota
	// Form2 takes whatever JSON there is without one as the body.
	Form2
	// FormREST needs nothing, a status code neither, and takes no other members
	// than those that it knows.
	FormREST
)

// FromFunction reads a function's answer. mediaType is that of bodies of which
// the function says none.
func FromFunction(payload []byte, form Form, mediaType string) (Answer, error) {
	var p proxied
	d := json.NewDecoder(bytes.NewReader(payload))
	if form == FormREST {
		d.DisallowUnknownFields()
	}
	err := d.Decode(&p)
	if form == Form2 && (err != nil || len(p.StatusCode) == 0) {
		return inferred(payload)
	}
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if form == FormREST && len(p.StatusCode) == 0 {
		p.StatusCode = json.RawMessage("200")
	}
	a := Answer{Header: http.Header{}, Binary: p.IsBase64Encoded}
	if a.Status, err = strconv.Atoi(strings.Trim(string(p.StatusCode), `"`)); err != nil || a.Status < 200 || a.Status > 599 {
		return Answer{}, fmt.Errorf("%w: its statusCode is %q", ErrMalformed, p.StatusCode)
	}
	for name, value := range p.Headers {
		a.Header.Set(name, headerText(value))
	}
	for name, values := range p.MultiValueHeaders {
		a.Header.Del(name)
		for _, v := range values {
			a.Header.Add(name, headerText(v))
		}
	}
	for _, c := range p.Cookies {
		a.Header.Add("Set-Cookie", c)
	}
	if a.Body, err = bodyOf(p); err != nil {
		return Answer{}, err
	}
	if a.Header.Get("Content-Type") == "" {
		a.Header.Set("Content-Type", mediaType)
	}
	for _, own := range []string{"Content-Length", "Connection", "Transfer-Encoding"} {
		a.Header.Del(own) // which belong to the connection
	}
	return a, nil
}

// inferred is the answer for a function that says no status: 200, and all that
// it said as JSON.
func inferred(payload []byte) (Answer, error) {
	if !json.Valid(payload) {
		return Answer{}, fmt.Errorf("%w: it is no JSON", ErrMalformed)
	}
	body := payload
	var text string
	if json.Unmarshal(payload, &text) == nil && string(payload) != "null" {
		body = []byte(text)
	}
	return Answer{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: body}, nil
}

func bodyOf(p proxied) ([]byte, error) {
	if len(p.Body) == 0 || string(p.Body) == "null" {
		return nil, nil
	}
	var text string
	if err := json.Unmarshal(p.Body, &text); err != nil {
		return nil, fmt.Errorf("%w: its body is no string", ErrMalformed)
	}
	if !p.IsBase64Encoded {
		return []byte(text), nil
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: its body is no base64", ErrMalformed)
	}
	return b, nil
}

// headerText is a header's value, which functions also give as a number or a
// truth value. Line breaks would begin another header.
func headerText(v any) string {
	s, ok := v.(string)
	if !ok {
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		s = string(b)
	}
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(s)
}
