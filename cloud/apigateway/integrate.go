package apigateway

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"go.yaml.in/yaml/v3"

	"ouro/cloud/executeapi"
	"ouro/regex"
)

const plainJSON = "application/json"

// errMedia says that an integration takes no such bodies.
var errMedia = errors.New("the integration has no template for the request's media type")

// integrate has the integration answer.
func (c *call) integrate(ctx context.Context, i *types.Integration) (executeapi.Answer, error) {
	uri := executeapi.Substitute(aws.ToString(i.Uri), c.stage.Variables)
	switch i.Type {
	case types.IntegrationTypeMock:
		return c.mock(i)
	case types.IntegrationTypeHttpProxy:
		x, parameters := c.forwarded(i)
		return executeapi.Forward(ctx, x, aws.ToString(i.HttpMethod), uri, parameters)
	}
	payload, err := executeapi.Invoke(ctx, c.service.host, c.Scope, uri, credentials(i), c.event())
	if err != nil {
		return executeapi.Answer{}, err
	}
	a, err := executeapi.FromFunction(payload, executeapi.FormREST, plainJSON)
	// The function's base64 is only taken for such where the caller's Accept asks
	// for a type that the API calls binary.
	if err == nil && a.Binary && !c.isBinary(firstOf(c.Request.Header.Get("Accept"))) {
		a.Body = []byte(base64.StdEncoding.EncodeToString(a.Body))
	}
	return a, err
}

// credentials is the role of an integration. The one of the caller, which
// arn:aws:iam::*:user/* means, has no call without a signature.
func credentials(i *types.Integration) string {
	if role := aws.ToString(i.Credentials); strings.Contains(role, ":role/") {
		return role
	}
	return ""
}

func firstOf(accept string) string {
	first, _, _ := strings.Cut(accept, ",")
	media, _, err := mime.ParseMediaType(first)
	if err != nil {
		return ""
	}
	return media
}

// isBinary tells whether the API calls a media type binary.
func (c *call) isBinary(media string) bool {
	return slices.ContainsFunc(c.config.Binary, func(b string) bool {
		return b == "*/*" || media != "" && (strings.EqualFold(b, media) || strings.HasSuffix(b, "/*") && strings.HasPrefix(media, strings.TrimSuffix(b, "*")))
	})
}

// forwarded is the call as a server gets it: with the headers and parameters
// that are mapped.
func (c *call) forwarded(i *types.Integration) (*executeapi.Exchange, map[string]string) {
	x, r := *c.Exchange, c.Request.Clone(c.Request.Context())
	query, parameters := r.URL.Query(), map[string]string{}
	for _, to := range slices.Sorted(maps.Keys(i.RequestParameters)) {
		kind, name, _ := strings.Cut(strings.TrimPrefix(to, "integration.request."), ".")
		value := c.mapped(i.RequestParameters[to])
		if value == "" {
			continue
		}
		switch kind {
		case "path":
			parameters[name] = value
		case "querystring":
			query.Set(name, value)
			r.URL.RawQuery = query.Encode()
		case "header":
			r.Header.Set(name, oneLine(value))
		}
	}
	x.Request = r
	return &x, parameters
}

// mapped is the value of a mapping expression.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/request-response-data-mappings.html
func (c *call) mapped(from string) string {
	if text, ok := strings.CutPrefix(from, "'"); ok {
		return strings.TrimSuffix(text, "'")
	}
	lists := func(all map[string][]string, name string) string { return strings.Join(all[name], ",") }
	kinds := []struct {
		prefix string
		value  func(name string) string
	}{
		{"method.request.path.", func(name string) string { return c.parameters[name] }},
		{"method.request.querystring.", func(name string) string { return c.query().Get(name) }},
		{"method.request.multivaluequerystring.", func(name string) string { return lists(c.query(), name) }},
		{"method.request.header.", c.Request.Header.Get},
		{"method.request.multivalueheader.", func(name string) string { return lists(c.Request.Header, http.CanonicalHeaderKey(name)) }},
		{"stageVariables.", func(name string) string { return c.stage.Variables[name] }},
		{"context.", func(name string) string { return c.variable(name, executeapi.Answer{}) }},
	}
	for _, k := range kinds {
		if name, ok := strings.CutPrefix(from, k.prefix); ok {
			return k.value(name)
		}
	}
	return ""
}

// mock answers without asking anybody: the request's template says the status
// to look for, and the integration response for it is the answer.
func (c *call) mock(i *types.Integration) (executeapi.Answer, error) {
	text, err := c.mockRequest(i)
	if err != nil {
		return executeapi.Answer{}, err
	}
	var said struct {
		StatusCode int `yaml:"statusCode"`
	}
	if err := yaml.Unmarshal([]byte(text), &said); err != nil || said.StatusCode == 0 { // which also takes names without quotes, as AWS
		return executeapi.Answer{}, errors.New("the request's template names no statusCode")
	}
	r, ok := pickResponse(i.IntegrationResponses, strconv.Itoa(said.StatusCode))
	if !ok {
		return executeapi.Answer{}, fmt.Errorf("no integration response is for the status %d", said.StatusCode)
	}
	a := executeapi.Answer{Header: http.Header{"Content-Type": {plainJSON}}}
	if a.Status, err = strconv.Atoi(*r.StatusCode); err != nil {
		return a, fmt.Errorf("read the status of an integration response: %w", err)
	}
	if media, text, ok := pickTemplate(r.ResponseTemplates, c.Request.Header.Get("Accept")); ok {
		a.Header.Set("Content-Type", media)
		a.Body = []byte(c.render(text, a))
	}
	for name, from := range r.ResponseParameters {
		a.Header.Set(strings.TrimPrefix(name, "method.response.header."), oneLine(c.mapped(from)))
	}
	return a, nil
}

// mockRequest is what the template for the request's media type says; without
// one the body, where that may pass through.
func (c *call) mockRequest(i *types.Integration) (string, error) {
	media := plainJSON
	if m, _, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type")); err == nil {
		media = m
	}
	if text, ok := i.RequestTemplates[media]; ok {
		return c.render(text, executeapi.Answer{}), nil
	}
	behaviour := aws.ToString(i.PassthroughBehavior)
	if behaviour == "NEVER" || behaviour == "WHEN_NO_TEMPLATES" && len(i.RequestTemplates) > 0 {
		return "", errMedia
	}
	return string(c.Body), nil
}

// pickResponse is the integration response whose pattern fits a status; else
// the one without a pattern.
func pickResponse(all map[string]types.IntegrationResponse, status string) (types.IntegrationResponse, bool) {
	var standard types.IntegrationResponse
	found := false
	for _, code := range slices.Sorted(maps.Keys(all)) {
		r := all[code]
		pattern := aws.ToString(r.SelectionPattern)
		if pattern == "" {
			standard, found = r, true
			continue
		}
		fits, err := regex.Java(pattern)
		if err != nil {
			continue // which was refused when it was set
		}
		if ok, err := fits(status); err == nil && ok {
			return r, true
		}
	}
	return standard, found
}

// pickTemplate is the template for what a caller accepts; else the one for
// JSON, or the first.
func pickTemplate(templates map[string]string, accept string) (media, text string, ok bool) {
	order := []string{plainJSON}
	for _, a := range strings.Split(accept, ",") {
		order = append([]string{firstOf(a)}, order...)
	}
	for _, media := range append(order, slices.Sorted(maps.Keys(templates))...) {
		if text, ok := templates[media]; ok {
			return media, text, true
		}
	}
	return "", "", false
}

var variable = regex.New(`\$(context|stageVariables)\.([A-Za-z0-9_.]*[A-Za-z0-9_])|\$\{(context|stageVariables)\.([A-Za-z0-9_.]+)\}`)

// render fills the variables of a template.
func (c *call) render(text string, a executeapi.Answer) string {
	return variable().ReplaceAllStringFunc(text, func(found string) string {
		parts := variable().FindStringSubmatch(found)
		kind, name := parts[1]+parts[3], parts[2]+parts[4]
		if kind == "stageVariables" {
			return c.stage.Variables[name]
		}
		return c.variable(name, a)
	})
}
