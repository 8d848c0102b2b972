package sam

import (
	"slices"
	"strings"

	"ouro/template"
)

// corsNames are what Cors of a REST API may say.
var corsNames = []string{"AllowMethods", "AllowHeaders", "AllowOrigin", "MaxAge", "AllowCredentials"}

// addCors answers preflight requests on all paths of a REST API.
func (a *restAPI) addCors() {
	rules := a.corsRules()
	if rules == nil {
		return
	}
	a.edit(func(d *definition) error {
		done := map[string]bool{}
		for path := range d.paths.members() {
			// API Gateway takes /path and /path/ for one resource.
			name := strings.TrimRight(path.text, "/")
			if path.text == "/" {
				name = "/"
			}
			if done[name] {
				continue
			}
			done[name] = true
			if err := d.addCors(path.text, rules); err != nil {
				return err
			}
		}
		return nil
	})
}

// corsRules are what Cors says, as a map, once it is checked; nil when there
// are none, or when they are wrong.
func (a *restAPI) corsRules() *value {
	cors := fromNode(a.get("Cors"))
	if !cors.isTrue() {
		return nil
	}
	wrong := func(format string, args ...any) { a.invalid(a.get("Cors"), a.id, format, args...) }
	if !a.body.isTrue() {
		wrong("Cors works only with inline Swagger specified in 'DefinitionBody' property.")
		return nil
	}
	rules := cors
	switch {
	case cors.isText() || isFunction(a.get("Cors")):
		rules = plainOf("AllowOrigin", cors)
	case !cors.isMap():
		wrong("Invalid value for 'Cors' property")
		return nil
	}
	for key := range rules.members() {
		if !slices.Contains(corsNames, key.text) {
			wrong("Invalid key '%s' for 'Cors' property.", key.text)
			return nil
		}
	}
	if !isRestDefinition(a.body) {
		wrong("Unable to add Cors configuration because 'DefinitionBody' does not contain a valid Swagger definition.")
		return nil
	}
	if !rules.has("AllowOrigin") {
		rules = rules.copyMap()
		rules.set("AllowOrigin", lit("'*'"))
	}
	credentials := rules.get("AllowCredentials")
	if credentials.isBool() && credentials.isTrue() && rules.get("AllowOrigin").scalar() == "'*'" {
		wrong("Unable to add Cors configuration because 'AllowCredentials' can not be true when 'AllowOrigin' is \"'*'\" or not set")
		return nil
	}
	if !rules.get("AllowOrigin").isTrue() {
		wrong("Structure of the SAM template is invalid. Invalid input. Value for AllowedOrigins is required")
		return nil
	}
	return rules
}

// addCors adds OPTIONS to a path that does not have it.
func (d *definition) addCors(path string, rules *value) error {
	items, err := d.items(path)
	if err != nil {
		return err
	}
	methods := rules.get("AllowMethods")
	for _, item := range items {
		if item.has("options") {
			continue
		}
		if !methods.isTrue() {
			methods = lit("'" + allowedMethods(item) + "'")
		}
		item.set("options", preflight(rules, methods))
	}
	return nil
}

// allowedMethods are the methods of a path item, OPTIONS among them.
func allowedMethods(item *value) string {
	if item.has(extAnyMethod) {
		return "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"
	}
	methods := []string{"OPTIONS"}
	for key := range item.members() {
		methods = append(methods, strings.ToUpper(key.text))
	}
	slices.Sort(methods)
	return strings.Join(slices.Compact(methods), ",")
}

// preflight is the operation that answers OPTIONS.
func preflight(rules, methods *value) *value {
	parameters, headers := newDict(), newDict()
	header := func(name, typ string, v *value) {
		parameters.set("method.response.header.Access-Control-"+name, v)
		headers.set("Access-Control-"+name, plainOf("type", lit(typ)))
	}
	header("Allow-Origin", "string", rules.get("AllowOrigin"))
	if v := rules.get("AllowHeaders"); v.isTrue() {
		header("Allow-Headers", "string", v)
	}
	header("Allow-Methods", "string", methods)
	if v := rules.get("MaxAge"); !v.isNull() {
		header("Max-Age", "integer", v)
	}
	if v := rules.get("AllowCredentials"); v.isBool() && v.isTrue() {
		header("Allow-Credentials", "string", lit("'true'"))
	}
	reply := dictOf("statusCode", lit("200"), "responseParameters", parameters, "responseTemplates", plainOf("application/json", lit("{}\n")))
	return dictOf(
		"summary", lit("CORS support"),
		"consumes", listValue(lit("application/json")),
		"produces", listValue(lit("application/json")),
		extIntegration, dictOf(
			"type", lit("mock"),
			"requestTemplates", plainOf("application/json", lit("{\n  \"statusCode\" : 200\n}\n")),
			"responses", dictOf("default", reply)),
		"responses", dictOf("200", dictOf("description", lit("Default response for CORS method"), "headers", headers)))
}

// httpCorsNames are what CorsConfiguration of an HTTP API may say, and how its
// definition says it.
var httpCorsNames = [][2]string{
	{"AllowMethods", "allowMethods"}, {"AllowHeaders", "allowHeaders"}, {"AllowOrigins", "allowOrigins"},
	{"MaxAge", "maxAge"}, {"ExposeHeaders", "exposeHeaders"}, {"AllowCredentials", "allowCredentials"},
}

// addCors makes an HTTP API answer preflight requests.
func (a *httpAPI) addCors() {
	n := a.resolve(a.get("CorsConfiguration"))
	cors := fromNode(n)
	if !cors.isTrue() {
		return
	}
	wrong := func(format string, args ...any) { a.invalid(n, a.id, format, args...) }
	if !a.body.isTrue() {
		wrong("Cors works only with inline OpenApi specified in 'DefinitionBody' property.")
		return
	}
	rules := cors
	switch {
	case cors.isBool():
		rules = plainOf("AllowOrigins", listValue(lit("*")))
	case isFunction(n):
		rules = plainOf("AllowOrigins", cors)
	case !cors.isMap():
		wrong("Invalid value for 'Cors' property.")
		return
	}
	for key := range rules.members() {
		if !slices.ContainsFunc(httpCorsNames, func(n [2]string) bool { return n[0] == key.text }) {
			wrong("Invalid key '%s' for 'Cors' property.", key.text)
			return
		}
	}
	if !isHTTPDefinition(a.body) {
		wrong("Unable to add Cors configuration because 'DefinitionBody' does not contain a valid OpenApi definition.")
		return
	}
	credentials := rules.get("AllowCredentials")
	if credentials.isBool() && credentials.isTrue() && equal(rules.get("AllowOrigins"), listValue(lit("*"))) {
		wrong("Unable to add Cors configuration because 'AllowCredentials' can not be true when 'AllowOrigin' is \"'*'\" or not set.")
		return
	}
	a.edit(func(d *definition) error { return d.addHTTPCors(rules) })
}

// addHTTPCors sets the rules of an HTTP API for requests from other origins.
func (d *definition) addHTTPCors(rules *value) error {
	all := d.doc.get(extCors)
	if all == nil {
		all = newDict()
	}
	if !all.isMap() {
		return notDict(extCors)
	}
	origins := rules.get("AllowOrigins")
	if origins.isMap() && origins.len() == 1 {
		all.update(renameCors(origins))
		d.doc.set(extCors, all)
		return nil
	}
	for _, name := range httpCorsNames {
		v := rules.get(name[0])
		given := v.isTrue()
		switch name[0] {
		case "MaxAge":
			given = !v.isNull()
		case "AllowCredentials":
			given = v.isBool() && v.isTrue()
		}
		if given {
			all.set(name[1], v)
		}
	}
	d.doc.set(extCors, all)
	return nil
}

// renameCors writes the names of cors rules as definitions do, wherever they
// are in an intrinsic function.
func renameCors(v *value) *value {
	rename := func(s string) string {
		for _, name := range httpCorsNames {
			s = strings.ReplaceAll(s, name[0], name[1])
		}
		return s
	}
	out := v.clone()
	switch {
	case out.isMap():
		out.dict = &dict{}
		for k, member := range v.members() {
			out.setKey(&value{kind: template.String, text: rename(k.text), pos: k.pos}, renameCors(member))
		}
	case out.isText():
		out.text = rename(out.text)
	}
	for i, item := range out.items {
		out.items[i] = renameCors(item)
	}
	return out
}
