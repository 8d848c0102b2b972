package template

import "strings"

const (
	subShape = "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string"
	subNames = "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons"
)

// subParts takes Fn::Sub's string apart and hands over its pieces in order:
// literal text (which may come in several pieces) and the names in ${name}. It
// is false when a name has characters that names do not have. ${!x} is the
// literal ${x}; a ${ without } is literal.
func subParts(s string, literal, name func(string)) bool {
	for {
		open := strings.Index(s, "${")
		end := -1
		if open >= 0 {
			end = strings.IndexByte(s[open:], '}')
		}
		if end < 0 {
			literal(s)
			return true
		}
		inside := s[open+2 : open+end]
		variable := strings.Trim(inside, " ") // ${ name } is taken too
		switch {
		case strings.HasPrefix(inside, "!"):
			literal(s[:open+2])
			literal(s[open+3 : open+end+1])
		case subName(variable):
			literal(s[:open])
			name(variable)
		default:
			return false
		}
		s = s[open+end+1:]
	}
}

func ignore(string) {}

func subName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '.' || c == ':') {
			return false
		}
	}
	return name != ""
}

// subForm gives the string and, in the second form, the map of values.
func subForm(arg *Node) (text, values *Node, ok bool) {
	switch {
	case arg == nil:
	case arg.Kind == String:
		return arg, nil, true
	case arg.Kind == List && len(arg.Items) == 2 && arg.Items[0].Kind == String && arg.Items[1].Kind == Map:
		return arg.Items[0], arg.Items[1], true
	case arg.Kind == List && len(arg.Items) == 1 && arg.Items[0].Kind == String:
		return arg.Items[0], nil, true
	}
	return nil, nil, false
}

func subArgs(arg *Node) string {
	text, _, ok := subForm(arg)
	if !ok {
		return subShape
	}
	if !subParts(text.Text, ignore, ignore) {
		return subNames
	}
	return ""
}

func evalSub(e *evaluator, arg *Node) (any, error) {
	text, values, _ := subForm(arg)
	var out strings.Builder
	var failure error
	value := values.finder()
	subParts(text.Text, func(literal string) { out.WriteString(literal) }, func(name string) {
		if failure != nil {
			return
		}
		v, err := e.variable(text, value(name), name)
		s, ok := scalarText(v)
		if err == nil && !ok {
			err = evalError(text, "Template error: variable %s in Fn::Sub expression does not resolve to a string", name)
		}
		if err == nil {
			err = e.spend(text, 0, len(s))
		}
		failure = err
		out.WriteString(s)
	})
	if failure != nil {
		return nil, failure
	}
	return out.String(), nil
}

// variable is what ${name} stands for: its value in the map, a name as in Ref,
// or resource.attribute as in Fn::GetAtt.
func (e *evaluator) variable(at, value *Node, name string) (any, error) {
	if value != nil {
		return e.value(value)
	}
	if id, attribute, ok := strings.Cut(name, "."); ok {
		return e.getAtt(at, id, attribute)
	}
	return e.ref(at, name)
}
