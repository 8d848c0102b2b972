package template

import (
	"bytes"
	"math/big"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"ouro/regex"
)

// shortForms are the tags that stand for functions
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html).
var shortForms = map[string]string{
	"!Ref": "Ref", "!Condition": "Condition",
	"!And": "Fn::And", "!Base64": "Fn::Base64", "!Cidr": "Fn::Cidr", "!Contains": "Fn::Contains",
	"!EachMemberEquals": "Fn::EachMemberEquals", "!EachMemberIn": "Fn::EachMemberIn",
	"!Equals": "Fn::Equals", "!FindInMap": "Fn::FindInMap", "!GetAtt": "Fn::GetAtt", "!GetAZs": "Fn::GetAZs",
	"!GetStackOutput": "Fn::GetStackOutput",
	"!If":             "Fn::If", "!ImportValue": "Fn::ImportValue", "!Join": "Fn::Join", "!Length": "Fn::Length",
	"!Not": "Fn::Not", "!Or": "Fn::Or", "!RefAll": "Fn::RefAll", "!Select": "Fn::Select", "!Split": "Fn::Split",
	"!Sub": "Fn::Sub", "!ToJsonString": "Fn::ToJsonString", "!Transform": "Fn::Transform",
	"!ValueOf": "Fn::ValueOf", "!ValueOfAll": "Fn::ValueOfAll",
}

// call is a function in its long form: {name: arg}.
func (a *arena) call(name string, arg *Node) *Node {
	if name == "Fn::GetAtt" {
		arg = a.splitGetAtt(arg)
	}
	out := a.node(Map, "", arg.Pos)
	out.Keys = a.list([]*Node{a.node(String, name, arg.Pos)})
	out.Items = a.list([]*Node{arg})
	return out
}

// splitGetAtt makes a.b.c the list [a, b.c], which is the only form that JSON
// templates know.
func (a *arena) splitGetAtt(arg *Node) *Node {
	id, attribute, ok := strings.Cut(arg.Text, ".")
	if arg.Kind != String || !ok {
		return arg
	}
	list := a.node(List, "", arg.Pos)
	list.Items = a.list([]*Node{a.node(String, id, arg.Pos), a.node(String, attribute, arg.Pos)})
	return list
}

// taggedScalar decides what the library's scalar is; ok is false for types
// that templates do not have.
func taggedScalar(n *yaml.Node) (kind Kind, text string, ok bool) {
	if n.Style&yaml.TaggedStyle != 0 && strings.HasPrefix(n.Tag, "!!") {
		switch n.Tag {
		case "!!str":
			return String, n.Value, true
		case "!!null", "!!bool", "!!int", "!!float":
		default:
			return 0, "", false
		}
	} else if n.Style&^yaml.TaggedStyle != 0 {
		return String, n.Value, true
	}
	kind, text = plainScalar(n.Value)
	return kind, text, true
}

// plainScalar decides what a scalar without quotes is by YAML 1.1 as
// CloudFormation takes it: yes, no, on and off are booleans; dates stay text.
// Where YAML 1.1 would change digits that mean something else (account ids
// with a leading zero as octal numbers, 22:80 in base 60) the text stays.
func plainScalar(text string) (Kind, string) {
	if len(text) <= len("false") {
		if word, ok := yamlWords[text]; ok {
			return word.kind, word.text
		}
	}
	if number, ok := yamlNumber(text); ok {
		return Number, number
	}
	return String, text
}

type yamlWord struct {
	kind Kind
	text string
}

var yamlWords = func() map[string]yamlWord {
	words := map[string]yamlWord{"": {Null, ""}, "~": {Null, ""}}
	for word, meaning := range map[string]yamlWord{
		"null": {Null, ""},
		"true": {Bool, "true"}, "yes": {Bool, "true"}, "on": {Bool, "true"},
		"false": {Bool, "false"}, "no": {Bool, "false"}, "off": {Bool, "false"},
	} {
		words[word] = meaning
		words[strings.ToUpper(word)] = meaning
		words[strings.ToUpper(word[:1])+word[1:]] = meaning
	}
	return words
}()

// yamlNumber gives the JSON form of a number.
func yamlNumber(text string) (string, bool) {
	if text == "" || text[0] > '9' {
		return "", false
	}
	number := strings.TrimPrefix(text, "+")
	if numberLength(number) == len(number) && number != "" {
		return number, true
	}
	if strings.HasPrefix(number, "0x") {
		if v, ok := new(big.Int).SetString(number[2:], 16); ok && len(number) <= 18 && number[2] != '-' && number[2] != '+' {
			return v.String(), true
		}
	}
	sign := ""
	if strings.HasPrefix(number, "-") {
		sign, number = "-", number[1:]
	}
	if strings.HasPrefix(number, ".") { // .5
		number = "0" + number
	} else if strings.HasSuffix(number, ".") { // 5.
		number += "0"
	} else {
		return "", false
	}
	return sign + number, len(number) > 2 && numberLength(number) == len(number)
}

var yamlWhere = regex.New(`^yaml: (?:line (\d+): )?(?s:(.*))$`)

// locateYAML finds the place of a syntax error, of which the library tells at
// best the line where the surrounding construct began. The reader goes from
// front to back, so the shortest beginning of the file that fails in the same
// words ends at the mistake.
func locateYAML(file string, body []byte, err error) *Error {
	message := yamlWhere().FindStringSubmatch(err.Error())
	if message == nil {
		return errorAt(Pos{File: file, Line: 1, Column: 1}, "YAML not well-formed: %s", err)
	}
	same := func(length int) bool {
		var n yaml.Node
		err := yaml.Unmarshal(body[:length], &n)
		if err == nil {
			return false
		}
		m := yamlWhere().FindStringSubmatch(err.Error())
		return m != nil && m[2] == message[2]
	}
	low, high := 0, len(body) // fails at high, not at low
	for high-low > 1 {
		if middle := (low + high) / 2; same(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	before := body[:low]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return errorAt(Pos{File: file, Line: line, Column: column}, "YAML not well-formed: %s", message[2])
}
