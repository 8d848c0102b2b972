package sam

import (
	"strconv"
	"strings"
)

// addFunction routes a method of a REST API's path to a Lambda function.
func (d *definition) addFunction(path, method, condition, uri, credentials *value, stream bool) error {
	return d.integrateURI(path, method, condition, "aws_proxy", uri, func(op, integration *value) {
		if stream {
			integration.set("responseTransferMode", lit("STREAM"))
		}
		if credentials != nil {
			integration.set("credentials", credentials)
		}
		op.member(lit("responses"), newDict)
	})
}

// addStateMachine routes a method of a REST API's path to Step Functions.
func (d *definition) addStateMachine(path, method, condition, uri, credentials, templates *value) error {
	return d.integrateURI(path, method, condition, "aws", uri, func(op, integration *value) {
		integration.set("responses", dictOf("200", dictOf("statusCode", lit("200")), "400", dictOf("statusCode", lit("400"))))
		integration.set("credentials", credentials)
		op.member(lit("responses"), func() *value {
			return dictOf("200", dictOf("description", lit("OK")), "400", dictOf("description", lit("Bad Request")))
		})
		integration.update(plainOf("requestTemplates", templates))
	})
}

// integrateURI makes a method call a URI; fill adds what its kind needs.
func (d *definition) integrateURI(path, method, condition *value, kind string, uri *value, fill func(op, integration *value)) error {
	if condition.isTrue() {
		uri = conditional(condition, uri)
	}
	return d.integrate(path, method, condition, func(op *value) {
		integration := dictOf("type", lit(kind), "httpMethod", lit("POST"), "uri", uri)
		op.set(extIntegration, integration)
		fill(op, integration)
	})
}

// Names of the route that an HTTP API sends everything to that no other takes.
const defaultPath = "$default"

// addHTTPFunction routes a method of an HTTP API's path to a Lambda function.
func (d *definition) addHTTPFunction(path, method, condition, uri *value) error {
	if there, err := d.hasIntegration(path, method); there || err != nil {
		return err
	}
	if condition.isTrue() {
		uri = conditional(condition, uri)
	}
	return d.integrate(path, method, condition, func(op *value) {
		op.set(extIntegration, dictOf("type", lit("aws_proxy"), "httpMethod", lit("POST"), "payloadFormatVersion", lit("2.0"), "uri", uri))
		if path.text == defaultPath && methodKey(method).text == extAnyMethod {
			op.set("isDefaultRoute", boolValue(true))
		}
		op.member(lit("responses"), newDict)
	})
}

// setIntegration sets a member of the integration of a method.
func (d *definition) setIntegration(path, method *value, key string, v *value) error {
	return d.at(path, method, func(op *value) error {
		integration := op.get(extIntegration)
		if !integration.isMap() {
			return notDict(extIntegration)
		}
		integration.set(key, v)
		return nil
	})
}

// addPathParameters declares the parameters in a path, /users/{id}.
func (d *definition) addPathParameters(path, method *value, names []string) error {
	return d.at(path, method, func(op *value) error {
		parameters := op.get("parameters")
		if !parameters.isList() {
			parameters = listValue()
			op.set("parameters", parameters)
		}
		have := byName(parameters.items)
		for _, name := range names {
			p := have[name]
			if p == nil {
				p = dictOf("name", givenText(name))
				have[name] = p
				parameters.items = append(parameters.items, p)
			}
			p.set("in", lit("path"))
			p.set("required", boolValue(true))
		}
		return nil
	})
}

// byName are objects by what they have under "name"; of several with one name,
// the first.
func byName(items []*value) map[string]*value {
	out := make(map[string]*value, len(items))
	for _, item := range items {
		if name := item.get("name").scalar(); item.isMap() && out[name] == nil {
			out[name] = item
		}
	}
	return out
}

// addRequestModel demands that a method's body follows a model.
func (d *definition) addRequestModel(path, method *value, name string, required *value) error {
	name = strings.ToLower(name)
	nameValue := givenText(name)
	return d.at(path, method, func(op *value) error {
		switch {
		case !d.doc.get("swagger").isNull():
			parameter := dictOf("in", lit("body"), "name", nameValue, "schema", plainOf("$ref", lit("#/definitions/"+name)))
			if !required.isNull() {
				parameter.set("required", required)
			}
			appendParameter(op, parameter)
		case isOpenAPI3(d.doc.get("openapi")):
			body := plainOf("content", plainOf("application/json", plainOf("schema", plainOf("$ref", lit("#/components/schemas/"+name)))))
			if !required.isNull() {
				body.set("required", required)
			}
			op.set("requestBody", body)
		}
		return nil
	})
}

func appendParameter(op, parameter *value) {
	parameters := op.get("parameters")
	if !parameters.isList() {
		parameters = listValue()
	}
	parameters.items = append(parameters.items, parameter)
	op.set("parameters", parameters)
}

// addValidator makes API Gateway check a method's body, parameters, or both.
func (d *definition) addValidator(path, method *value, body, parameters bool) error {
	name := "no-validation"
	switch {
	case body && parameters:
		name = "body-and-params"
	case body:
		name = "body-only"
	case parameters:
		name = "params-only"
	}
	if !d.doc.get(extRequestValidators).isTrue() {
		d.doc.set(extRequestValidators, newDict())
	}
	if validators := d.doc.get(extRequestValidators); !validators.get(name).isTrue() {
		validators.update(dictOf(name, dictOf("validateRequestBody", boolValue(body), "validateRequestParameters", boolValue(parameters))))
	}
	return d.at(path, method, func(op *value) error {
		op.update(dictOf(extRequestValidator, lit(name)))
		return nil
	})
}

// requestParameter is an item of an event's RequestParameters.
type requestParameter struct {
	name              *value // method.request.querystring.page
	required, caching *value
}

// addRequestParameters declares parameters of a method's requests.
func (d *definition) addRequestParameters(path, method *value, parameters []requestParameter) error {
	return d.at(path, method, func(op *value) error {
		for _, p := range parameters {
			place, name, _ := strings.Cut(strings.ReplaceAll(p.name.text, "method.request.", ""), ".")
			in := givenText(place)
			if place == "querystring" {
				in = lit("query")
			}
			appendParameter(op, dictOf("in", in, "name", givenText(name), "required", p.required, "type", lit("string")))
			if p.caching.isTrue() {
				integration := op.get(extIntegration)
				if !integration.isMap() {
					return notDict(extIntegration)
				}
				keys := integration.get("cacheKeyParameters")
				if !keys.isList() {
					keys = listValue()
				}
				keys.items = append(keys.items, p.name)
				integration.set("cacheKeyParameters", keys)
			}
		}
		if !op.has("parameters") {
			op.set("parameters", listValue())
		}
		return nil
	})
}

// addModels adds schemas under their names in lower case.
func (d *definition) addModels(models *value) error {
	for name, schema := range models.members() {
		if !schema.get("type").isTrue() {
			return mistakef("'Models' schema is missing 'type'.")
		}
		key := *name
		key.text = strings.ToLower(key.text)
		d.models.setKey(&key, schema)
	}
	return nil
}

// addBinaryMediaTypes sets the types of bodies that are bytes.
func (d *definition) addBinaryMediaTypes(types *value) {
	d.doc.set(extBinaryMediaTypes, unescapeSlash(types))
}

// unescapeSlash replaces ~1 by / in all texts, as media types write it where
// they are keys of JSON pointers.
func unescapeSlash(v *value) *value {
	out := v.clone()
	switch {
	case out.isText():
		out.text = strings.ReplaceAll(out.text, "~1", "/")
	case out.isList():
		for i, item := range out.items {
			out.items[i] = unescapeSlash(item)
		}
	case out.isMap():
		out.dict = &dict{}
		for k, member := range v.members() {
			out.setKey(unescapeSlash(k), unescapeSlash(member))
		}
	}
	return out
}

// disableEndpoint says whether the execute-api address of the API is off.
func (d *definition) disableEndpoint(off *value) error {
	if !d.http && !isOpenAPI3(d.doc.get("openapi")) {
		return setEndpoint(d.doc, off, "Invalid OpenAPI definition: %s.")
	}
	servers := d.doc.get("servers")
	if servers == nil {
		servers = listValue(newDict())
	}
	for i, server := range servers.items {
		if d.http && !server.isMap() {
			return mistakef("Value of 'servers' item must be a dictionary according to Swagger spec.")
		}
		if err := setEndpoint(server, off, "Invalid OpenAPI definition of 'servers["+strconv.Itoa(i)+"]': %s."); err != nil {
			return err
		}
	}
	d.doc.set("servers", servers)
	return nil
}

func setEndpoint(in, off *value, complaint string) error {
	if !in.isMap() {
		return mistakef(complaint, "It should be a map")
	}
	config := in.member(lit(extEndpointConfig), newPlain)
	if !config.isMap() {
		return mistakef(complaint, "The value of '"+extEndpointConfig+"' should be a map")
	}
	config.set("disableExecuteApiEndpoint", off)
	return nil
}
