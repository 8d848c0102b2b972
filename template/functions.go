package template

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
)

// function is an intrinsic function. args checks the shape of its argument
// before anything is evaluated and gives CloudFormation's complaint, or "".
type function struct {
	args func(arg *Node) string
	eval func(e *evaluator, arg *Node) (any, error)
	// condition functions are allowed in Conditions and as the first argument
	// of others of their kind.
	condition bool
}

const (
	refShape    = "Template error: every Ref object must have a single String value."
	getAttShape = "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute"
	joinShape   = "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
	splitShape  = "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split."
	selectShape = "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
	selectIndex = "Template error: Fn::Select requires a list argument with a valid index value as its first element"
	base64Shape = "Template error: every Fn::Base64 object must have a String-typed value."
	importShape = "Template error: the attribute in Fn::ImportValue must be a string or a function that returns a string"
	mapShape    = "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value"
	cidrShape   = "Template error: every Fn::Cidr object requires two or three parameters, (1) an IP block, (2) a count of blocks and (3) the number of subnet bits"
	stackShape  = "Template error: every Fn::GetStackOutput object requires a StackName and an OutputName, and may have a Region and a RoleArn"
	azsShape    = "Template error: Fn::GetAZs must have a string value: the name of a region, or an empty string"
	lengthShape = "Template error: every Fn::Length object requires a list or a function that returns a list"
	jsonShape   = "Template error: every Fn::ToJsonString object requires a map or a list"
)

// functions are what Eval knows. An evaluator carries the table with it,
// because evaluating one function leads to others.
var functions = map[string]function{
	"Ref":                {args: wantString(refShape), eval: evalRef},
	"Fn::GetAtt":         {args: getAttArgs, eval: evalGetAtt},
	"Fn::Sub":            {args: subArgs, eval: evalSub},
	"Fn::Join":           {args: wantList(2, 2, joinShape), eval: evalJoin},
	"Fn::Select":         {args: wantList(2, 2, selectShape), eval: evalSelect},
	"Fn::Split":          {args: wantList(2, 2, splitShape), eval: evalSplit},
	"Fn::Base64":         {args: wantText(base64Shape), eval: evalBase64},
	"Fn::FindInMap":      {args: findInMapArgs, eval: evalFindInMap},
	"Fn::ImportValue":    {args: wantText(importShape), eval: evalImport},
	"Fn::Cidr":           {args: wantList(2, 3, cidrShape), eval: evalCidr},
	"Fn::GetAZs":         {args: wantText(azsShape), eval: evalGetAZs},
	"Fn::GetStackOutput": {args: stackOutputArgs, eval: evalStackOutput},
	"Fn::Length":         {args: wantCollection(lengthShape), eval: evalLength},
	"Fn::ToJsonString":   {args: wantCollection(jsonShape), eval: evalToJSON},
	"Fn::If":             {args: ifArgs, eval: evalIf},
	"Fn::Equals":         {args: wantList(2, 2, equalsShape), eval: evalEquals, condition: true},
	"Fn::And":            {args: wantList(2, 10, andShape), eval: evalAnd, condition: true},
	"Fn::Or":             {args: wantList(2, 10, orShape), eval: evalOr, condition: true},
	"Fn::Not":            {args: wantList(1, 1, notShape), eval: evalNot, condition: true},
}

func wantString(message string) func(*Node) string {
	return func(arg *Node) string {
		if arg == nil || arg.Kind != String {
			return message
		}
		return ""
	}
}

// wantText takes a scalar or a function.
func wantText(message string) func(*Node) string {
	return func(arg *Node) string {
		if name, _ := arg.Function(); name != "" || arg.IsScalar() {
			return ""
		}
		return message
	}
}

func wantCollection(message string) func(*Node) string {
	return func(arg *Node) string {
		if arg == nil || arg.Kind != List && arg.Kind != Map {
			return message
		}
		return ""
	}
}

func wantList(from, to int, message string) func(*Node) string {
	return func(arg *Node) string {
		if arg == nil || arg.Kind != List || len(arg.Items) < from || len(arg.Items) > to {
			return message
		}
		return ""
	}
}

func evalRef(e *evaluator, arg *Node) (any, error) {
	return e.ref(arg, arg.Text)
}

// getAttParts takes both forms of the argument apart. The attribute may be a
// function.
func getAttParts(arg *Node) (id string, attribute *Node, ok bool) {
	switch {
	case arg == nil:
	case arg.Kind == String:
		id, rest, found := strings.Cut(arg.Text, ".")
		return id, &Node{Kind: String, Text: rest, Pos: arg.Pos}, found && id != "" && rest != ""
	case arg.Kind == List && len(arg.Items) == 2 && arg.Items[0].Kind == String:
		id, attribute = arg.Items[0].Text, arg.Items[1]
		name, _ := attribute.Function()
		return id, attribute, id != "" && (name == "Ref" || attribute.IsScalar() && attribute.Text != "")
	}
	return "", nil, false
}

func getAttArgs(arg *Node) string {
	if _, _, ok := getAttParts(arg); !ok {
		if arg != nil && arg.Kind == String {
			return "Template error: if specifying one argument to Fn::GetAtt, that argument must be a non-empty string in format <LogicalId>.<Attribute>"
		}
		return getAttShape
	}
	return ""
}

func evalGetAtt(e *evaluator, arg *Node) (any, error) {
	id, attribute, _ := getAttParts(arg)
	name, err := e.text(attribute, getAttShape)
	if err != nil {
		return nil, err
	}
	return e.getAtt(arg, id, name)
}

func evalJoin(e *evaluator, arg *Node) (any, error) {
	delimiter, err := e.text(arg.Items[0], joinShape)
	if err != nil {
		return nil, err
	}
	v, err := e.value(arg.Items[1])
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok {
		if later(v) {
			return KnownAfterApply, nil
		}
		return nil, evalError(arg, "%s", joinShape)
	}
	texts := make([]string, len(list))
	for i, item := range list {
		if texts[i], ok = scalarText(item); !ok {
			return nil, evalError(arg, "%s", joinShape)
		}
	}
	size := len(delimiter) * len(texts)
	for _, text := range texts {
		size += len(text)
	}
	if err := e.spend(arg, 0, size); err != nil {
		return nil, err
	}
	return strings.Join(texts, delimiter), nil
}

func evalSelect(e *evaluator, arg *Node) (any, error) {
	text, err := e.text(arg.Items[0], selectIndex)
	if err != nil {
		return nil, err
	}
	index, err := strconv.Atoi(text)
	if err != nil {
		return nil, evalError(arg, "%s", selectIndex)
	}
	v, err := e.value(arg.Items[1])
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if later(v) && (!ok || index >= len(list)) {
		return KnownAfterApply, nil
	}
	if !ok {
		return nil, evalError(arg, "%s", selectShape)
	}
	if index < 0 || index >= len(list) {
		return nil, evalError(arg, "Template error: Fn::Select cannot select nonexistent value at index %d", index)
	}
	return list[index], nil
}

func evalSplit(e *evaluator, arg *Node) (any, error) {
	delimiter, err := e.text(arg.Items[0], splitShape)
	if err != nil {
		return nil, err
	}
	if delimiter == "" {
		return nil, evalError(arg, "%s", splitShape)
	}
	source, err := e.text(arg.Items[1], splitShape)
	if err != nil {
		return nil, err
	}
	if err := e.spend(arg, strings.Count(source, delimiter), 0); err != nil {
		return nil, err
	}
	if strings.Contains(KnownAfterApply, delimiter) && later(source) {
		return KnownAfterApply, nil // and not the halves of what stands for it
	}
	return anyList(strings.Split(source, delimiter)), nil
}

func evalBase64(e *evaluator, arg *Node) (any, error) {
	text, err := e.text(arg, base64Shape)
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.EncodeToString([]byte(text)), e.spend(arg, 0, len(text)*2)
}

// evalLength and evalToJSON belong to AWS::LanguageExtensions.
func evalLength(e *evaluator, arg *Node) (any, error) {
	v, err := e.value(arg)
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok {
		return nil, evalError(arg, "%s", lengthShape)
	}
	return json.Number(strconv.Itoa(len(list))), nil
}

func evalToJSON(e *evaluator, arg *Node) (any, error) {
	v, err := e.value(arg)
	if err != nil {
		return nil, err
	}
	if _, none := v.(noValue); none {
		return nil, evalError(arg, "%s", jsonShape)
	}
	out := string(Canonical(fromValue(arg.Pos, v)))
	return out, e.spend(arg, 0, len(out))
}
