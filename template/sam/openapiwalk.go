package sam

import (
	"slices"
	"strings"

	"ouro/template"
)

// eachContent is what v stands for: both sides of an Fn::If, without those
// that are AWS::NoValue, or v itself.
func eachContent(v *value) ([]*value, error) {
	choice := v.get("Fn::If")
	if choice == nil {
		return []*value{v}, nil
	}
	if !choice.isList() {
		return nil, mistakef("Value of Fn::If must be a list.")
	}
	var out []*value
	for i, side := range choice.items {
		if i > 0 && side.get("Ref").scalar() != "AWS::NoValue" {
			out = append(out, side)
		}
	}
	return out, nil
}

// items are the path items under a path: several when a condition decides.
func (d *definition) items(path string) ([]*value, error) {
	items, err := eachContent(d.paths.get(path))
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		if !item.isMap() {
			return nil, mistakef("Value of '%s' path must be a dictionary according to Swagger spec.", path)
		}
	}
	return items, nil
}

// operations are the definitions under method of a path item.
func operations(method *value, path, name string) ([]*value, error) {
	all, err := eachContent(method)
	if err != nil {
		return nil, err
	}
	for _, op := range all {
		if !op.isMap() {
			return nil, mistakef("Definition of method '%s' for path '%s' should be a map.", name, path)
		}
	}
	return all, nil
}

// methodKey is a method as the key of a path item.
func methodKey(method *value) *value {
	name := strings.ToLower(method.scalar())
	if name == "any" {
		return lit(extAnyMethod)
	}
	return &value{kind: template.String, text: name, given: method.given, pos: method.pos}
}

// at visits the integrated operations of one method of a path.
func (d *definition) at(path, method *value, visit func(op *value) error) error {
	items, err := d.items(path.text)
	if err != nil {
		return err
	}
	key := methodKey(method).text
	for _, item := range items {
		ops, err := operations(item.get(key), path.text, method.text)
		if err != nil {
			return err
		}
		for _, op := range ops {
			if op.get(extIntegration).isTrue() {
				if err := visit(op); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// notMethods are the members of a path item that are no methods.
var notMethods = []string{"summary", "description", "parameters"}

// each visits the integrated operations of all methods of a path.
func (d *definition) each(path string, visit func(method string, op *value) error) error {
	items, err := d.items(path)
	if err != nil {
		return err
	}
	for _, item := range items {
		for key, method := range item.members() {
			if slices.Contains(notMethods, key.text) {
				continue
			}
			ops, err := operations(method, path, key.text)
			if err != nil {
				return err
			}
			for _, op := range ops {
				if !op.get(extIntegration).isTrue() {
					continue
				}
				if err := visit(methodKey(key).text, op); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// hasIntegration tells whether a method of a path is integrated already, in
// every case that conditions distinguish.
func (d *definition) hasIntegration(path, method *value) (bool, error) {
	if !d.paths.has(path.text) {
		return false, nil
	}
	items, err := d.items(path.text)
	if err != nil {
		return false, err
	}
	key := methodKey(method).text
	for _, item := range items {
		m := item.get(key)
		if !m.isMap() {
			return false, nil
		}
		ops, err := operations(m, path.text, key)
		if err != nil {
			return false, err
		}
		if !slices.ContainsFunc(ops, func(op *value) bool { return op.get(extIntegration).isTrue() }) {
			return false, nil
		}
	}
	return true, nil
}
