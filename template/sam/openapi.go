package sam

import (
	"fmt"

	"ouro/regex"
	"ouro/template"
)

// Words of API Gateway's extensions to OpenAPI
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html).
const (
	extIntegration       = "x-amazon-apigateway-integration"
	extAnyMethod         = "x-amazon-apigateway-any-method"
	extBinaryMediaTypes  = "x-amazon-apigateway-binary-media-types"
	extGatewayResponses  = "x-amazon-apigateway-gateway-responses"
	extPolicy            = "x-amazon-apigateway-policy"
	extRequestValidators = "x-amazon-apigateway-request-validators"
	extRequestValidator  = "x-amazon-apigateway-request-validator"
	extEndpointConfig    = "x-amazon-apigateway-endpoint-configuration"
	extAuthorizer        = "x-amazon-apigateway-authorizer"
	extAuthType          = "x-amazon-apigateway-authtype"
	extTagValue          = "x-amazon-apigateway-tag-value"
	extCors              = "x-amazon-apigateway-cors"
)

// definition is an API's definition being edited: Swagger 2.0 or OpenAPI 3 of
// a REST API, or OpenAPI 3 of an HTTP API. It edits a copy of the
// former, and done gives another, because copies change the order of members
// (see memberOrder).
type definition struct {
	http  bool
	doc   *value
	paths *value

	schemes   *value          // securityDefinitions, or components.securitySchemes of an HTTP API
	responses *value          // extGatewayResponses
	policy    *value          // extPolicy
	stated    map[string]bool // what the policy's statements mean; nil when not known
	models    *value          // definitions
	tags      *value
	info      *value
}

// mistake is what is wrong with a definition, a sentence of SAM's.
type mistake string

func (m mistake) Error() string { return string(m) }

func mistakef(format string, args ...any) error { return mistake(fmt.Sprintf(format, args...)) }

// notDict says that a member of a definition is no map.
func notDict(name string) error {
	return mistakef("Value of '%s' must be a dictionary according to Swagger spec.", name)
}

var openAPI3 = regex.New(`^3(\.\d)(\.\d)?$`)

// isOpenAPI3 tells whether v is a version number of OpenAPI 3.
func isOpenAPI3(v *value) bool { return v != nil && openAPI3().MatchString(versionText(v)) }

// versionText is a version as Python prints it: 3.0 may be a number.
func versionText(v *value) string {
	if v.kind == template.Number {
		return pythonNumber(v.text)
	}
	return v.text
}

// isRestDefinition tells whether body can be edited as a REST API's definition.
func isRestDefinition(body *value) bool {
	return body.get("paths").isMap() && (body.get("swagger").isTrue() || body.get("openapi").isTrue() && isOpenAPI3(body.get("openapi")))
}

// isHTTPDefinition is the same for HTTP APIs.
func isHTTPDefinition(body *value) bool {
	return body.get("paths").isMap() && body.get("openapi").isTrue() && isOpenAPI3(body.get("openapi"))
}

// orDict is v if it is something, else a new map.
func orDict(v *value) *value {
	if v.isTrue() {
		return v
	}
	return newDict()
}

// editRest opens a REST API's definition.
func editRest(body *value) (*definition, error) {
	if !isRestDefinition(body) {
		return nil, mistakef("Invalid Swagger document or the Swagger document is not explicitly defined in 'DefinitionBody'.")
	}
	if n := body.get("paths").len(); n > maxPaths {
		return nil, mistakef("The definition has %d paths, at most %d are taken.", n, maxPaths)
	}
	doc := body.clone()
	d := &definition{
		doc: doc, paths: doc.get("paths"),
		schemes: orDict(doc.get("securityDefinitions")), responses: orDict(doc.get(extGatewayResponses)),
		policy: orDict(doc.get(extPolicy)), models: orDict(doc.get("definitions")),
	}
	for _, name := range []string{extGatewayResponses, extPolicy, "definitions"} {
		if v := doc.get(name); v.isTrue() && !v.isMap() {
			return nil, notDict(name)
		}
	}
	for path := range d.paths.members() {
		if _, err := d.items(path.text); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// editHTTP opens an HTTP API's definition. It edits body itself: nothing is
// named after the hash of such a definition.
func editHTTP(body *value) (*definition, error) {
	if !isHTTPDefinition(body) {
		return nil, mistakef("Invalid OpenApi document. Invalid values or missing keys for 'openapi' or 'paths' in 'DefinitionBody'.")
	}
	doc := body
	if components := doc.get("components"); !components.isNull() && !components.isMap() {
		return nil, mistakef("Invalid OpenApi document: The value of 'components' should be a map")
	}
	d := &definition{
		http: true, doc: doc, paths: doc.get("paths"),
		schemes: orDict(doc.get("components").get("securitySchemes")),
		info:    orDict(doc.get("info")),
		tags:    doc.get("tags"),
	}
	if !d.tags.isTrue() {
		d.tags = listValue()
	}
	return d, nil
}

// done is the edited definition.
func (d *definition) done() *value {
	put := func(key string, v *value) {
		if v.isTrue() {
			d.doc.set(key, v)
		}
	}
	if !d.http {
		put("securityDefinitions", d.schemes)
		put(extGatewayResponses, d.responses)
		put("definitions", d.models)
		return d.doc.clone()
	}
	put("tags", d.tags)
	if d.schemes.isTrue() {
		if !d.doc.get("components").isTrue() {
			d.doc.set("components", newDict())
		}
		d.doc.get("components").set("securitySchemes", d.schemes)
	}
	put("info", d.info)
	return d.doc
}

// addPath adds a method to a path, both if needed.
func (d *definition) addPath(path, method *value) error {
	d.paths.member(path, newDict)
	items, err := d.items(path.text)
	if err != nil {
		return err
	}
	for _, item := range items {
		item.member(methodKey(method), newDict)
	}
	return nil
}

// integrate adds a route: write fills in its operation. When there is a
// condition, the operation exists only where it holds.
func (d *definition) integrate(path, method, condition *value, write func(op *value)) error {
	if err := d.addPath(path, method); err != nil {
		return err
	}
	items, err := d.items(path.text)
	if err != nil {
		return err
	}
	key := methodKey(method)
	for _, item := range items {
		op := item.get(key.text)
		if !op.isMap() {
			op = newDict()
			item.set(key.text, op)
		}
		write(op)
		if condition.isTrue() {
			item.set(key.text, conditional(condition, op))
		}
	}
	return nil
}

// conditional is {"Fn::If": [condition, v, AWS::NoValue]}.
func conditional(condition, v *value) *value {
	return plainOf("Fn::If", listValue(condition, v, plainOf("Ref", lit("AWS::NoValue"))))
}
