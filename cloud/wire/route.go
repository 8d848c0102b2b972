package wire

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// route is where one operation lives, ready to compare.
type route struct {
	operation string
	method    string
	segments  []string   // {Bucket}, {Key+} or literal
	query     url.Values // that must be there; with a value, that value
	required  []Member   // query and header members that must be there
}

func routes(m *Model) ([]route, error) {
	var list []route
	for _, name := range slices.Sorted(maps.Keys(m.Operations)) { // of two that fit alike, always the same is taken
		op := m.Operations[name]
		path, query, _ := strings.Cut(op.URI, "?")
		values, err := url.ParseQuery(query)
		if err != nil {
			return nil, fmt.Errorf("the URI of %s: %w", name, err)
		}
		values.Del("x-id")
		rt := route{operation: name, method: op.Method, query: values, segments: strings.Split(strings.Trim(path, "/"), "/")}
		for _, b := range m.Shapes[name+"Input"].Members {
			if b.Required {
				rt.required = append(rt.required, b)
			}
		}
		list = append(list, rt)
	}
	return list, nil
}

// route finds the operation that r is for: the one which asks for the most of
// what r has. Operations that the service lacks take part, so that a request
// for one is not mistaken for another.
func (s *Server) route(r *http.Request) (name string, labels map[string]string, ok bool) {
	query := r.URL.Query()
	path := r.URL.EscapedPath()
	best := -1
	for i := range s.routes {
		rt := &s.routes[i]
		if rt.method != r.Method || !rt.demandsMet(r, query) {
			continue
		}
		score := 2 * (len(rt.query) + len(rt.required))
		if _, have := s.operations[rt.operation]; have {
			score++
		}
		if score <= best {
			continue
		}
		if l, match := matchPath(rt.segments, path); match {
			best, name, labels = score, rt.operation, l
		}
	}
	return name, labels, best >= 0
}

func (rt *route) demandsMet(r *http.Request, query url.Values) bool {
	for name, values := range rt.query {
		got, ok := query[name]
		if !ok || values[0] != "" && got[0] != values[0] {
			return false
		}
	}
	for _, b := range rt.required {
		if b.In == "querystring" && !query.Has(b.Name) || b.In == "header" && r.Header.Get(b.Name) == "" {
			return false
		}
	}
	return true
}

func matchPath(segments []string, path string) (map[string]string, bool) {
	path = strings.TrimPrefix(path, "/")
	labels := map[string]string{}
	for i, seg := range segments {
		part, rest, more := strings.Cut(path, "/")
		label := strings.HasPrefix(seg, "{")
		switch {
		case strings.HasSuffix(seg, "+}"):
			part, rest, more = path, "", false
		case seg == "":
			return labels, path == ""
		case !label && part != seg:
			return nil, false
		}
		if label {
			text, err := url.PathUnescape(part)
			if part == "" || err != nil {
				return nil, false
			}
			labels[strings.Trim(seg, "{+}")] = text
		}
		if path = rest; i == len(segments)-1 {
			return labels, !more || rest == ""
		}
		if !more {
			return nil, false
		}
	}
	return labels, true
}
