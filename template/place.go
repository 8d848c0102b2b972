package template

import "slices"

// place is what may stand somewhere inside a function. A nil list lets every
// function stand there.
type place struct {
	value []string // functions in the place itself
	items []string // functions among the members of a list in that place
}

// places are the places inside a function.
type places struct {
	// args are those of its argument list in order, the last one for the rest
	// too. For a function with a single argument it is that argument's.
	args []place
	// extended are those under AWS::LanguageExtensions, where they differ.
	extended []place
	single   bool
	shape    string // CloudFormation's complaint
}

var (
	nothing  = []string{}
	anything = place{}
	written  = place{value: nothing, items: nothing} // out in the template

	// inText is what a text may be put together of.
	inText = []string{
		"Ref", "Fn::Base64", "Fn::Cidr", "Fn::FindInMap", "Fn::GetAtt", "Fn::GetAZs", "Fn::GetStackOutput", "Fn::If", "Fn::ImportValue",
		"Fn::Join", "Fn::Length", "Fn::Select", "Fn::Split", "Fn::Sub", "Fn::ToJsonString",
	}
	asText   = except(inText, "Fn::Cidr", "Fn::GetAZs", "Fn::Split")
	asList   = []string{"Ref", "Fn::Cidr", "Fn::FindInMap", "Fn::GetAtt", "Fn::GetAZs", "Fn::If", "Fn::Select", "Fn::Split"}
	asName   = []string{"Ref", "Fn::Base64", "Fn::FindInMap", "Fn::If", "Fn::Join", "Fn::Select", "Fn::Sub", "Fn::ToJsonString"}
	asMapKey = append(slices.Clone(asName), "Fn::Length", "Fn::Split")
	inCidr   = []string{"Ref", "Fn::FindInMap", "Fn::GetAtt", "Fn::GetStackOutput", "Fn::If", "Fn::ImportValue", "Fn::Select", "Fn::Sub"}
	inEquals = []string{"Ref", "Fn::FindInMap", "Fn::Join", "Fn::Length", "Fn::Select", "Fn::Split", "Fn::Sub", "Fn::ToJsonString"}
	asKey    = []string{"Ref", "Fn::FindInMap"}
)

func except(list []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(names, s) })
}

// nesting says which functions may stand inside which. It is the union of what
// AWS's page of each function lists as supported functions
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html)
// and of what is known to work besides. A function that is not named takes all.
var nesting = map[string]places{
	"Ref":             {single: true, shape: refShape, args: []place{written}, extended: []place{{value: asName, items: nothing}}},
	"Fn::GetAtt":      {shape: getAttShape, args: []place{written, {value: []string{"Ref"}}}, extended: []place{{value: asName}}},
	"Fn::Join":        {shape: joinShape, args: []place{written, {value: asList, items: inText}}},
	"Fn::Split":       {shape: splitShape, args: []place{written, {value: inText, items: nothing}}},
	"Fn::Select":      {shape: selectShape, args: []place{{value: asText}, {value: asList}}},
	"Fn::Base64":      {single: true, shape: base64Shape, args: []place{{value: asText}}},
	"Fn::Cidr":        {shape: cidrShape, args: []place{{value: inCidr}}},
	"Fn::FindInMap":   {shape: mapShape, args: []place{{value: asKey}, {value: asKey}, {value: asKey}, anything}, extended: []place{{value: asMapKey}, {value: asMapKey}, {value: asMapKey}, anything}},
	"Fn::ImportValue": {single: true, shape: importShape, args: []place{{value: asName}}},
	"Fn::GetAZs":      {single: true, shape: azsShape, args: []place{{value: []string{"Ref"}}}},
	"Fn::Length":      {single: true, shape: lengthShape, args: []place{{value: asList, items: inText}}},
	"Fn::Equals":      {shape: equalsShape, args: []place{{value: inEquals}}},
}

// subValue is the place of a value in Fn::Sub's map.
var subValue = place{value: inText, items: nothing}

// placed checks what stands directly inside a function.
func (c *checker) placed(name string, arg *Node) {
	p, ok := nesting[name]
	if !ok || arg.Kind < List {
		return
	}
	list := p.args
	if c.extended && p.extended != nil {
		list = p.extended
	}
	if p.single {
		c.place(arg, list[0], name, p.shape)
		return
	}
	for i, item := range arg.Items {
		if item.Kind >= List {
			c.place(item, list[min(i, len(list)-1)], name, p.shape)
		}
	}
}

// place checks that n may stand in a place of the function outer.
func (c *checker) place(n *Node, p place, outer, shape string) {
	if name, _ := n.Function(); name != "" {
		c.stands(n, name, p.value, outer, shape)
		return
	}
	if n.Kind != List {
		return
	}
	for _, item := range n.Items {
		if name, _ := item.Function(); name != "" {
			c.stands(item, name, p.items, outer, shape)
		}
	}
}

// stands notes a function that is not among the allowed ones, unless it cannot
// stand there for another reason, which is noted by itself.
func (c *checker) stands(n *Node, name string, allowed []string, outer, shape string) {
	f, known := functions[name]
	switch {
	case !known || allowed == nil || slices.Contains(allowed, name):
	case c.block == "Conditions" && (notInConditions[name] || name == "Fn::GetAtt"), c.block != "Conditions" && f.condition:
	case outer == "Fn::ImportValue" && c.dependent(n) != nil:
	default:
		c.missing(n.Pos, "misplaced-function", name, shape, "%s cannot be used in this place of %s", name, outer)
	}
}
