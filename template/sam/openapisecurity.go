package sam

import (
	"slices"
	"strings"
)

// The name of IAM as an authorizer, and of no authorizer at all.
const (
	iamAuthorizer = "AWS_IAM"
	noAuthorizer  = "NONE"
)

// Names of the security schemes for API keys. The second is no scheme: it
// marks a method that needs no key although the API asks for one.
const (
	keyScheme   = "api_key"
	noKeyScheme = "api_key_false"
)

// addSchemes adds security schemes.
func (d *definition) addSchemes(schemes *value) error {
	if !d.schemes.isMap() {
		return mistakef("securityDefinitions must be a dictionary.")
	}
	for name, scheme := range schemes.members() {
		d.schemes.setKey(name, scheme)
	}
	return nil
}

// addScheme adds a security scheme unless there is one of that name.
func (d *definition) addScheme(name string, scheme *value) error {
	if !d.schemes.isMap() {
		return mistakef("securityDefinitions must be a dictionary.")
	}
	if !d.schemes.has(name) {
		d.schemes.update(dictOf(name, scheme))
	}
	return nil
}

// addIAMScheme adds the scheme of requests that are signed for IAM.
func (d *definition) addIAMScheme() error {
	return d.addScheme(iamAuthorizer, dictOf(extAuthType, lit("awsSigv4"), "type", lit("apiKey"), "name", lit("Authorization"), "in", lit("header")))
}

// addKeyScheme adds the scheme of requests with an API key.
func (d *definition) addKeyScheme() error {
	return d.addScheme(keyScheme, dictOf("type", lit("apiKey"), "name", lit("x-api-key"), "in", lit("header")))
}

// security is the list of what a method demands.
func security(op *value, path, method string) ([]*value, error) {
	list := op.get("security")
	if list == nil {
		return nil, nil
	}
	if !list.isList() {
		return nil, mistakef("Type of security for path %s method %s must be a list", path, method)
	}
	for _, item := range list.items {
		if !item.isMap() {
			return nil, mistakef("%s in Security for path %s method %s is not a valid dictionary.", said(item), path, method)
		}
	}
	return list.items, nil
}

// said is a value as SAM's messages show it.
func said(v *value) string {
	if v.isText() {
		return v.text
	}
	var b strings.Builder
	v.printPython(&b, false)
	return b.String()
}

// setSecurity sets what a method demands.
func (d *definition) setSecurity(op *value, list []*value) error {
	if len(list) == 0 {
		return nil
	}
	op.set("security", listValue(list...))
	if !d.http && list[0].has(iamAuthorizer) {
		return d.addIAMScheme()
	}
	return nil
}

// split divides demands into those that name one of the schemes, and others.
func split(list []*value, schemes map[string]bool) (ours, others []*value) {
	for _, item := range list {
		into := &others
		for key := range item.members() {
			if schemes[key.text] {
				into = &ours
			}
		}
		*into = append(*into, item)
	}
	return ours, others
}

// without is list less the first item that has the key, and whether there was one.
func without(list []*value, key string) ([]*value, bool) {
	at := slices.IndexFunc(list, func(item *value) bool { return item.has(key) })
	if at < 0 {
		return list, false
	}
	return slices.Delete(slices.Clone(list), at, at+1), true
}

// setDefaultAuthorizer makes the methods of a path demand an authorizer, but
// those that have one or want none. preflight says whether OPTIONS does too.
func (d *definition) setDefaultAuthorizer(path string, authorizer, scopes *value, known map[string]bool, preflight bool) error {
	return d.each(path, func(method string, op *value) error {
		if method == "options" && !preflight {
			return nil
		}
		list, err := security(op, path, method)
		if err != nil {
			return err
		}
		ours, others := split(list, known)
		others, none := without(others, noAuthorizer)
		switch {
		case none:
			ours = nil
		case len(ours) == 0:
			demand := newDict()
			demand.setKey(authorizer, scopes)
			ours = []*value{demand}
		}
		return d.setSecurity(op, slices.Concat(others, ours))
	})
}

// setDefaultKey makes the methods of a path demand an API key, but those that
// say they do not. preflight says whether OPTIONS does too.
func (d *definition) setDefaultKey(path string, preflight bool) error {
	return d.each(path, func(method string, op *value) error {
		list, err := security(op, path, method)
		if err != nil {
			return err
		}
		ours, others := split(list, map[string]bool{keyScheme: true, noKeyScheme: true})
		after := others
		if _, none := without(ours, noKeyScheme); !none && (method != "options" || preflight) {
			after = append(slices.Clone(others), dictOf(keyScheme, listValue()))
		}
		if !equal(listValue(after...), listValue(list...)) {
			op.set("security", listValue(after...))
		}
		return nil
	})
}

// setAuthorizer makes one method demand an authorizer.
func (d *definition) setAuthorizer(path, method, authorizer, scopes *value) error {
	return d.at(path, method, func(op *value) error {
		list, err := securityList(op, path, method)
		if err != nil {
			return err
		}
		demand := newDict()
		demand.setKey(authorizer, scopes)
		return d.setSecurity(op, append(slices.Clone(list), demand))
	})
}

// setKey makes one method demand an API key, or not demand it.
func (d *definition) setKey(path, method *value, required bool) error {
	return d.at(path, method, func(op *value) error {
		scheme := noKeyScheme
		if required {
			scheme = keyScheme
			if err := d.addKeyScheme(); err != nil {
				return err
			}
		}
		list, err := securityList(op, path, method)
		if err != nil {
			return err
		}
		op.set("security", listValue(append(slices.Clone(list), dictOf(scheme, listValue()))...))
		return nil
	})
}

// securityList is security without a look at the items.
func securityList(op, path, method *value) ([]*value, error) {
	list := op.get("security")
	if list != nil && !list.isList() {
		return nil, mistakef("Type of security for path %s method %s must be a list", path.text, method.text)
	}
	if list == nil {
		return nil, nil
	}
	return list.items, nil
}

// setDefaultHTTPAuthorizer makes the methods of an HTTP API's path demand an
// authorizer, but those that demand something.
func (d *definition) setDefaultHTTPAuthorizer(path string, authorizer, scopes *value) error {
	items, err := d.items(path)
	if err != nil {
		return err
	}
	for _, item := range items {
		for key, method := range item.members() {
			name := methodKey(key).text
			if name == "parameters" || name == "options" {
				continue
			}
			if !item.has(name) {
				return mistakef("Could not find %s in %s within DefinitionBody.", name, path)
			}
			ops, err := operations(method, path, key.text)
			if err != nil {
				return err
			}
			for _, op := range ops {
				if op.get(extIntegration).isTrue() && !op.get("security").isTrue() {
					demand := newDict()
					demand.setKey(authorizer, scopes)
					op.set("security", listValue(demand))
				}
			}
		}
	}
	return nil
}
