package sam

import (
	_ "embed"
	"sync"

	"ouro/regex"
	"ouro/template"
)

//go:embed connectors.yaml
var connectorsYAML []byte

// connectors is what connectors allow; the file says how to read it.
var connectors = sync.OnceValue(func() *node { return embedded("connectors.yaml", connectorsYAML) })

// embedded is a YAML file of the program.
func embedded(name string, body []byte) *node {
	t, err := template.Parse(name, body)
	if err != nil {
		panic(err) // the file is part of the program
	}
	return t.Root
}

// endpoint is one side of a connector.
type endpoint struct {
	id     string // "" when the side is described, not named
	typ    string // of CloudFormation, not of SAM
	values map[string]*node
	role   *node // Ref of the role that the resource acts with
}

// value is Arn, Name, ResourceId, Qualifier or QueueUrl; nil when not known.
func (e *endpoint) value(name string) *node { return e.values[name] }

// connectedTypes are what SAM's types turn into.
var connectedTypes = map[string]string{
	prefix + "Function":     "AWS::Lambda::Function",
	prefix + "StateMachine": "AWS::StepFunctions::StateMachine",
	prefix + "Api":          "AWS::ApiGateway::RestApi",
	prefix + "HttpApi":      "AWS::ApiGatewayV2::Api",
	prefix + "SimpleTable":  "AWS::DynamoDB::Table",
}

// connectable are the types that connectors know: what each value of theirs
// is ("" stands for Ref, "*" for itself, a word for an attribute), and the
// property with their role.
var connectable = map[string]struct {
	values map[string]string
	role   string
}{
	"AWS::Lambda::Function":            {map[string]string{"Arn": "Arn"}, "Role"},
	"AWS::StepFunctions::StateMachine": {map[string]string{"Arn": "", "Name": "Name"}, "RoleArn"},
	"AWS::AppSync::GraphQLApi":         {map[string]string{"Arn": "", "ResourceId": "ApiId"}, ""},
	"AWS::AppSync::DataSource":         {map[string]string{"Arn": ""}, "ServiceRoleArn"},
	"AWS::Events::Rule":                {map[string]string{"Arn": "Arn"}, "Targets"},
	"AWS::SQS::Queue":                  {map[string]string{"Arn": "Arn", "QueueUrl": ""}, ""},
	"AWS::SNS::Topic":                  {map[string]string{"Arn": ""}, ""},
	"AWS::DynamoDB::Table":             {map[string]string{"Arn": "Arn"}, ""},
	"AWS::S3::Bucket":                  {map[string]string{"Arn": "Arn"}, ""},
	"AWS::Location::PlaceIndex":        {map[string]string{"Arn": "Arn"}, ""},
	"AWS::ApiGatewayV2::Api":           {map[string]string{"Arn": "Arn", "ResourceId": "", "Qualifier": "*"}, ""},
	"AWS::ApiGateway::RestApi":         {map[string]string{"Arn": "Arn", "ResourceId": "", "Qualifier": "*"}, ""},
	"AWS::Events::EventBus":            {map[string]string{"Arn": "Arn"}, ""},
}

// connected is the side of a connector that n describes or names, other being
// the opposite side; or why it is none.
func (c *context) connected(n, other *node) (e *endpoint, why string) {
	rest := 0
	for key := range entries(n) {
		if key != "Id" && key != "Qualifier" {
			rest++
		}
	}
	if has(n, "Id") == (rest > 0) {
		return nil, "Must provide 'Id' (with optional 'Qualifier') or a supported combination of other properties."
	}
	id := get(n, "Id")
	if !truthy(id) {
		return described(n)
	}
	if !isString(id) {
		return nil, "'Id' is missing or not a string."
	}
	r := c.find(id.Text)
	switch {
	case r == nil || len(r.node.Keys) == 0:
		return nil, "Unable to find resource with logical ID '" + id.Text + "'."
	case r.typ == "":
		return nil, "'Type' is missing or not a string."
	}
	p := at(n.Pos)
	e = &endpoint{id: r.id, typ: r.typ, values: map[string]*node{}}
	known := connectable[r.typ]
	for name, attribute := range known.values {
		switch attribute {
		case "":
			e.values[name] = p.ref(r.id)
		case "*":
			e.values[name] = p.text("*")
		default:
			e.values[name] = p.getAtt(r.id, attribute)
		}
	}
	if q := n.Get("Qualifier"); q != nil {
		e.values["Qualifier"] = q
	}
	role := get(r.props, known.role)
	if known.role == "Targets" {
		role = targetRole(role, other)
	}
	if id := referredID(role); id != "" {
		e.role = p.ref(id)
	}
	return e, ""
}

// described is a side of a connector that is not in the template.
func described(n *node) (e *endpoint, why string) {
	typ := get(n, "Type")
	if !truthy(typ) || !isString(typ) {
		return nil, "'Type' is missing or not a string."
	}
	e = &endpoint{typ: typ.Text, values: map[string]*node{}, role: get(n, "RoleName")}
	if t := connectedTypes[typ.Text]; t != "" {
		e.typ = t
	}
	for _, name := range []string{"Arn", "QueueUrl", "ResourceId", "Name", "Qualifier"} {
		if v := get(n, name); v != nil {
			e.values[name] = v
		}
	}
	return e, ""
}

// targetRole is the role of the target of a rule that is the connector's other
// side.
func targetRole(targets, other *node) *node {
	id, arn := get(other, "Id"), get(other, "Arn")
	for _, t := range itemsOf(targets) {
		to := get(t, "Arn")
		if refers := referredID(to); refers != "" && refers == id.Scalar() || truthy(arn) && sortedJSON(arn) == sortedJSON(to) {
			return get(t, "RoleArn")
		}
	}
	return nil
}

// filler fills what connectors allow with the two sides.
type filler struct {
	p                   at
	source, destination *endpoint
	missing             string // the first value that is needed and not known
}

var (
	connectorVariable = regex.New(`\$\{(Source|Destination)(Arn|ResourceId|Name|Qualifier)\}`)
	anyVariable       = regex.New(`\$\{.+\}`)
)

func (f *filler) fill(n *node) *node {
	switch {
	case isList(n):
		out := f.p.list()
		for _, item := range n.Items {
			out.Items = append(out.Items, f.fill(item))
		}
		return out
	case isMap(n):
		out := f.p.obj()
		if has(n, "Action") {
			set(out, "Effect", f.p.text("Allow"))
		}
		for key, v := range entries(n) {
			set(out, key, f.fill(v))
		}
		return out
	case isString(n):
		return f.text(n.Text)
	}
	return n
}

func (f *filler) text(text string) *node {
	text = shortARN().ReplaceAllString(text, longARN)
	variables := f.p.obj()
	for _, m := range connectorVariable().FindAllStringSubmatch(text, -1) {
		side := f.source
		if m[1] == "Destination" {
			side = f.destination
		}
		v := side.value(m[2])
		if v == nil {
			if f.missing == "" {
				f.missing = m[1] + "." + m[2]
			}
			return f.p.text("")
		}
		if m[0] == text {
			return clone(v)
		}
		set(variables, m[1]+m[2], clone(v))
	}
	switch {
	case len(variables.Keys) > 0:
		return f.p.obj("Fn::Sub", f.p.list(text, variables))
	case anyVariable().MatchString(text):
		return f.p.sub(text)
	}
	return f.p.text(text)
}
