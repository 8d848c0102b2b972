package template

import (
	"fmt"
	"slices"
	"strings"
)

// Limits of a template
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
const (
	maxAttributes  = 200 // of a mapping
	maxDescription = 1024
	maxParameter   = 4096 // bytes of a value
	maxName        = 255  // of parameters, mappings, resources, outputs
)

// mostMembers is how many members a section may have. AWS names none for
// Conditions, Rules and Hooks; they are bounded by the size of a template.
var mostMembers = map[string]int{"Mappings": 200, "Outputs": 200, "Parameters": 200, "Resources": 500}

const languageExtensions = "AWS::LanguageExtensions"

var sections = []string{
	"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings",
	"Conditions", "Transform", "Hooks", "Resources", "Outputs",
}

// Check finds what is wrong in the structure, in the order of CloudFormation's
// own checks: unknown sections and attributes, functions with the wrong
// arguments, references to nothing, cycles. It knows nothing of resource types
// and their properties.
func (t *Template) Check() []Problem {
	c := &checker{
		t: t, parameters: t.Root.Get("Parameters"), resources: t.Root.Get("Resources"),
		conditions: t.Root.Get("Conditions"), mappings: t.Root.Get("Mappings"), extended: t.extended,
	}
	for _, name := range t.Transforms() {
		if name == languageExtensions {
			c.extended = true
		} else {
			c.macros = true
		}
	}
	c.scan(t.Root)
	c.names()
	c.gatherLoops()
	c.sections()
	c.checkTransform()
	c.checkParameters()
	c.checkRules()
	c.checkMappings()
	c.checkConditions()
	c.checkResources()
	c.checkOutputs()
	c.checkHooks()
	if c.dynamic {
		c.checkDynamic()
	}
	c.checkCycles()
	return c.problems
}

// scan looks once through everything for what other checks depend on.
func (c *checker) scan(n *Node) {
	for i, item := range n.Items {
		switch {
		case n.Kind == Map && n.Keys[i].Text == "Fn::Transform":
			c.macros = true
			c.scan(item)
		case item.Kind >= List:
			c.scan(item)
		case len(item.Text) > len(dynamicOpen) && !c.dynamic:
			c.dynamic = strings.Contains(item.Text, dynamicOpen)
		}
	}
}

// checker is one run of Check.
type checker struct {
	t                                           *Template
	parameters, resources, conditions, mappings *Node
	// macros rewrite the template before CloudFormation looks at it, so what
	// seems to be missing may come from them.
	macros   bool
	extended bool                      // AWS::LanguageExtensions is declared
	index    map[*Node]map[string]bool // the names of large sections
	scope    []string                  // identifiers of the loops around the walk
	maybe    bool                      // the walk is in something that may not be made
	dynamic  bool                      // there are dynamic references
	// What loops make.
	madeResources, madeConditions []pattern
	problems                      []Problem
	path                          []string // where the walk is, for messages that tell it
	block                         string   // the section that the walk is in
}

// problem notes a mistake; aws is CloudFormation's sentence for it.
func (c *checker) problem(pos Pos, id, name, aws, format string, args ...any) {
	c.problems = append(c.problems, Problem{Pos: pos, ID: id, Message: fmt.Sprintf(format, args...), aws: aws, name: name})
}

// missing notes something that is referred to and not there: only a warning
// when macros may bring it.
func (c *checker) missing(pos Pos, id, name, aws, format string, args ...any) {
	c.problem(pos, id, name, aws, format, args...)
	if c.macros {
		c.problems[len(c.problems)-1].Severity = SeverityWarning
	}
}

// names finds names that mean two things, after those of large sections were
// made quick to find.
func (c *checker) names() {
	for _, section := range []*Node{c.parameters, c.resources, c.conditions, c.mappings} {
		if section == nil || len(section.Keys) < 20 {
			continue
		}
		set := make(map[string]bool, len(section.Keys))
		for _, k := range section.Keys {
			set[k.Text] = true
		}
		if c.index == nil {
			c.index = map[*Node]map[string]bool{}
		}
		c.index[section] = set
	}
	if c.parameters == nil || c.parameters.Kind != Map {
		return
	}
	for _, k := range c.parameters.Keys {
		if c.has(c.resources, k.Text) {
			c.problem(k.Pos, "duplicate-name", k.Text, "Template error: all resources and parameters must have unique names. Common name(s):[]",
				"%q names both a parameter and a resource", k.Text)
		}
	}
}

// has tells whether a section has a member of that name.
func (c *checker) has(section *Node, name string) bool {
	if set, ok := c.index[section]; ok {
		return set[name]
	}
	return section.Get(name) != nil
}

// isKnown tells whether Ref can name it.
func (c *checker) isKnown(name string) bool {
	return c.isParameter(name) || c.isResource(name)
}

func (c *checker) isParameter(name string) bool {
	_, pseudo := pseudoParameters[name]
	return pseudo || c.has(c.parameters, name)
}

// isResource tells whether there is such a resource, or a loop makes one.
func (c *checker) isResource(id string) bool {
	return c.has(c.resources, id) || c.extended && (c.open(id) || anyMatch(c.madeResources, id))
}

func (c *checker) sections() {
	for i, k := range c.t.Root.Keys {
		n := c.t.Root.Items[i]
		switch {
		case !slices.Contains(sections, k.Text):
			if !c.macros && k.Text != "Fn::Transform" { // which may stand anywhere
				c.problem(k.Pos, "unknown-section", k.Text, "Invalid template property or properties []",
					"unknown section %q; the sections are %s", k.Text, strings.Join(sections, ", "))
			}
		case n.Kind == Null:
			c.null(n, "/"+k.Text)
		case k.Text == "AWSTemplateFormatVersion":
			if n.Text != "2010-09-09" {
				c.problem(n.Pos, "format-version", "", "Template format error: unsupported value for AWSTemplateFormatVersion.",
					"AWSTemplateFormatVersion is 2010-09-09, not %q", n.Text)
			}
		case k.Text == "Description":
			if n.Kind != String {
				c.problem(n.Pos, "description", "", "Template format error: [/Description] must be a string", "Description must be a string, this is a %s", n.Kind)
			} else if len(n.Text) > maxDescription {
				c.problem(n.Pos, "description", "", "Template format error: 'Description' length is greater than 1024.", "Description has %d bytes, at most %d are allowed", len(n.Text), maxDescription)
			}
		case k.Text != "Transform" && n.Kind != Map:
			c.problem(n.Pos, "section-shape", "", "Template format error: "+k.Text+" section must be a map.", "%s must be a map, this is a %s", k.Text, n.Kind)
		}
	}
	if c.resources == nil || c.resources.Kind == Map && len(c.resources.Keys) == 0 {
		c.missing(c.t.Root.Pos, "no-resources", "", "Template format error: At least one Resources member must be defined.", "the template declares no resources")
	}
}

// null notes a null; where properties begin, CloudFormation writes Type into
// the path.
func (c *checker) null(n *Node, path string) {
	parts := strings.Split(path, "/")
	if len(parts) > 3 && parts[1] == "Resources" && parts[3] == "Properties" {
		parts[3] = "Type"
	}
	c.problem(n.Pos, "null", "", "["+strings.Join(parts, "/")+"] 'null' values are not allowed in templates", "%s is null, which templates must not hold", strings.TrimPrefix(path, "/"))
}

// memberCheck checks a member of a section. It is given the checker instead of
// holding it, which saves an allocation for each section of each template.
type memberCheck func(c *checker, k, n *Node)

// members walks the map of a section: its size, and the names of its members.
func (c *checker) members(section *Node, block string, each memberCheck) {
	if section == nil || section.Kind != Map {
		return
	}
	c.block = block
	if most, ok := mostMembers[block]; ok && len(section.Keys) > most {
		c.problem(section.Pos, "too-many", "", fmt.Sprintf("Template format error: Number of %s, %d, is greater than maximum allowed, %d", strings.ToLower(block), len(section.Keys), most),
			"%d %s, at most %d are allowed", len(section.Keys), strings.ToLower(block), most)
	}
	for i, k := range section.Keys {
		c.member(block, k, section.Items[i], each)
	}
}

// member looks at one member of a section.
func (c *checker) member(block string, k, n *Node, each memberCheck) {
	name := k.Text
	if len(c.scope) > 0 {
		if p := patternOf(name); p != nil {
			name = strings.Join(p, "x") // for what the loop fills in
		}
	}
	switch {
	case strings.HasPrefix(name, loopPrefix) && slices.Contains(extendedSections, block):
		c.path = append(c.path[:0], "", block, name)
		c.loop(k, n, func(c *checker, k, n *Node) { c.member(block, k, n, each) })
	case name == "Fn::Transform":
	case strings.HasPrefix(name, "Fn::"):
		c.missing(k.Pos, "unsupported-function", name, "", "%s cannot be used in %s", name, block)
	case len(name) > maxName:
		c.problem(k.Pos, "name", name, "Template format error: "+strings.TrimSuffix(block, "s")+" name "+name+" is longer than 255 characters.",
			"a name in %s has %d characters, at most %d are allowed", block, len(name), maxName)
	case !alphanumeric(name) && !(looseNames[block] && alphanumeric(looseLetters.Replace(name))):
		c.problem(k.Pos, "name", name, "Template format error: "+strings.TrimSuffix(block, "s")+" name "+name+" is non alphanumeric.",
			"the name %q in %s may hold letters and digits only", name, block)
	case n.Kind == Null:
		c.null(n, "/"+block+"/"+name)
	default:
		each(c, k, n)
	}
}

// looseNames are the sections whose names may hold some more characters than
// letters and digits.
var (
	looseNames   = map[string]bool{"Conditions": true, "Rules": true}
	looseLetters = strings.NewReplacer("_", "0", "&", "0")
)

func alphanumeric(name string) bool {
	for i := range len(name) {
		if c := name[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			return false
		}
	}
	return name != ""
}

// attributes checks the keys of a declaration.
func (c *checker) attributes(k, n *Node, allowed []string, aws string) bool {
	if n.Kind != Map {
		c.problem(n.Pos, "member-shape", k.Text, "Template format error: Any "+c.block+" member must be an object.", "%s in %s must be a map, this is a %s", k.Text, c.block, n.Kind)
		return false
	}
	for _, key := range n.Keys {
		if !slices.Contains(allowed, key.Text) && !c.macros {
			c.problem(key.Pos, "unknown-attribute", key.Text, strings.ReplaceAll(aws, "%", key.Text),
				"%s in %s has an unknown attribute %q; the attributes are %s", k.Text, c.block, key.Text, strings.Join(allowed, ", "))
		}
	}
	return true
}
