package template

import (
	"strconv"
	"strings"
)

func unresolvedIn(block string) string {
	return "Template format error: Unresolved resource dependencies [] in the " + block + " block of the template"
}

const resourcesInConditions = "Template format error: Unresolved dependencies []. Cannot reference resources in the Conditions block of the template"

// walk checks a value and everything in it.
func (c *checker) walk(n *Node) {
	switch n.Kind {
	case Null:
		c.null(n, strings.Join(c.path, "/"))
	case List:
		for i, item := range n.Items {
			if item.Kind >= List || item.Kind == Null {
				c.path = append(c.path, strconv.Itoa(i))
				c.walk(item)
				c.path = c.path[:len(c.path)-1]
			}
		}
	case Map:
		if name, arg := n.Function(); name != "" && !strings.HasPrefix(name, loopPrefix) {
			c.function(n, name, arg)
			return
		}
		for i, item := range n.Items {
			if item.Kind >= List || item.Kind == Null {
				c.path = append(c.path, n.Keys[i].Text)
				c.property(n.Keys[i], item)
				c.path = c.path[:len(c.path)-1]
			}
		}
	}
}

// property checks a member of a map, which may be a loop over such members.
func (c *checker) property(k, n *Node) {
	switch {
	case !strings.HasPrefix(k.Text, loopPrefix):
		c.walk(n)
	case c.block == "Resources":
		c.loop(k, n, (*checker).property)
	default:
		c.missing(k.Pos, "unsupported-function", k.Text, "", "%s cannot be used here", k.Text)
	}
}

// unchecked functions are those of macros, whose arguments are their own.
var unchecked = map[string]bool{"Fn::Transform": true}

func (c *checker) function(n *Node, name string, arg *Node) {
	f, ok := functions[name]
	switch {
	case unchecked[name] || !ok && c.macros || arg.Get("Fn::Transform") != nil:
		return
	case !ok:
		c.problem(n.Pos, "unknown-function", name, "Template error: "+name+" is not a function that can be evaluated", "unknown function %s", name)
		return
	case f.condition && c.block != "Conditions":
		c.problem(n.Pos, "misplaced-function", name, "Template error: "+name+" cannot be partially collapsed", "%s belongs into Conditions", name)
		return
	case c.block == "Conditions" && notInConditions[name]:
		c.problem(n.Pos, "misplaced-function", name, "Template error: Cannot use "+name+" in Conditions.", "%s cannot be used in Conditions", name)
		return
	}
	if message := c.shape(f, name, arg); message != "" {
		c.problem(arg.Pos, "arguments", name, message, "%s", trimAWS(message))
		return
	}
	if !c.extended && !c.macros && (name == "Fn::Length" || name == "Fn::ToJsonString" || name == "Fn::FindInMap" && len(arg.Items) == 4) {
		c.problem(n.Pos, "unknown-function", name, "", "%s is a language extension: the template must declare Transform: %s", name, languageExtensions)
	}
	c.placed(name, arg)
	c.constant(n, name, arg)
	c.path = append(c.path, name)
	c.inside(name, arg)
	c.path = c.path[:len(c.path)-1]
}

// notInConditions are functions whose value is not known when conditions are
// evaluated.
var notInConditions = map[string]bool{"Fn::ImportValue": true, "Fn::GetStackOutput": true}

// shape holds a function's argument against its form. Under
// AWS::LanguageExtensions names may be functions too.
func (c *checker) shape(f function, name string, arg *Node) string {
	message := f.args(arg)
	if message == "" || !c.extended {
		return message
	}
	inner, _ := arg.Function()
	if name == "Ref" && inner != "" || name == "Fn::GetAtt" && arg.Kind == List && len(arg.Items) == 2 {
		return ""
	}
	return message
}

// inside checks what a function refers to, and what is in its argument.
func (c *checker) inside(name string, arg *Node) {
	switch name {
	case "Ref":
		if arg.Kind >= List {
			c.walk(arg)
			return
		}
		c.reference(arg, arg.Text, "Ref to")
	case "Fn::GetAtt":
		c.getAtt(arg)
	case "Fn::Sub":
		c.sub(arg)
	case "Fn::FindInMap":
		c.findInMap(arg)
		c.walk(arg)
	case "Fn::If":
		c.conditionName(arg.Items[0])
		was := c.maybe
		c.maybe = true
		c.walk(arg)
		c.maybe = was
	case "Fn::And", "Fn::Or", "Fn::Not":
		for _, item := range arg.Items {
			c.boolean(item)
		}
	case "Fn::ImportValue":
		c.imported(arg)
		c.walk(arg)
	default:
		c.walk(arg)
	}
}

func trimAWS(message string) string {
	_, rest, ok := strings.Cut(message, "error: ")
	if !ok {
		return message
	}
	return rest
}

// reference checks a name that stands for a parameter or resource.
func (c *checker) reference(at *Node, name, what string) {
	if c.block == "Conditions" {
		if !c.isParameter(name) && !c.open(name) {
			c.problem(at.Pos, "unresolved-reference", name, resourcesInConditions, "%s %q: a condition knows only parameters, and there is none of that name", what, name)
		}
		return
	}
	if !c.isKnown(name) {
		c.missing(at.Pos, "unresolved-reference", name, unresolvedIn(c.block), "%s %q: the template has no parameter or resource of that name", what, name)
	}
}

func (c *checker) attribute(at *Node, id, what string) {
	switch {
	case c.block == "Conditions":
		c.problem(at.Pos, "unresolved-reference", id, resourcesInConditions, "%s %q: a condition cannot use attributes of resources", what, id)
	case !c.isResource(id):
		c.missing(at.Pos, "unresolved-attribute", id, "Template error: instance of Fn::GetAtt references undefined resource "+id,
			"%s %q: the template has no resource of that name", what, id)
	}
}

func (c *checker) getAtt(arg *Node) {
	id, attribute, ok := getAttParts(arg)
	if !ok { // under AWS::LanguageExtensions
		c.walk(arg)
		return
	}
	c.attribute(arg, id, "Fn::GetAtt of")
	c.walk(attribute)
}

func (c *checker) sub(arg *Node) {
	text, values, _ := subForm(arg)
	value := values.finder()
	subParts(text.Text, ignore, func(name string) {
		if value(name) == nil {
			c.variable(text, name)
		}
	})
	if values != nil {
		for i, v := range values.Items {
			c.path = append(c.path, values.Keys[i].Text)
			c.place(v, subValue, "Fn::Sub", subShape)
			c.walk(v)
			c.path = c.path[:len(c.path)-1]
		}
	}
}

// variable checks ${name} in Fn::Sub.
func (c *checker) variable(text *Node, name string) {
	id, _, dotted := strings.Cut(name, ".")
	switch {
	case !dotted:
		c.reference(text, name, "Fn::Sub of")
	case c.block == "Conditions":
		c.attribute(text, id, "${"+name+"} in Fn::Sub:")
	case !c.isResource(id):
		c.missing(text.Pos, "unresolved-reference", id, unresolvedIn(c.block), "${%s} in Fn::Sub: the template has no resource %q", name, id)
	}
}

func (c *checker) findInMap(arg *Node) {
	name := arg.Items[0]
	if name.Kind != String || c.has(c.mappings, name.Text) || len(arg.Items) == 4 || c.open(name.Text) {
		return
	}
	c.missing(name.Pos, "unresolved-mapping", name.Text, "Template error: Mapping named '"+name.Text+"' is not present in the 'Mappings' section of template.",
		"Fn::FindInMap of %q: the template has no mapping of that name", name.Text)
}

// conditionName checks the name of a condition.
func (c *checker) conditionName(n *Node) {
	if name, _ := n.Function(); name != "" && c.extended {
		c.walk(n)
		return
	}
	if n.Kind == String && (c.has(c.conditions, n.Text) || c.extended && (c.open(n.Text) || anyMatch(c.madeConditions, n.Text))) {
		return
	}
	c.missing(n.Pos, "unresolved-condition", n.Text, "Template format error: Unresolved condition dependency "+n.Text+" in the "+c.block+" block of the template",
		"condition %q is not declared", n.Text)
}

// boolean checks what stands where a condition is wanted.
func (c *checker) boolean(n *Node) {
	if n.Kind == Map && len(n.Keys) == 1 && n.Keys[0].Text == "Condition" {
		c.conditionName(n.Items[0])
		return
	}
	name, arg := n.Function()
	if !functions[name].condition {
		c.problem(n.Pos, "condition-shape", "", onlyBoolean, "a condition is one of Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition")
		return
	}
	c.function(n, name, arg)
}
