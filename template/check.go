package template

import (
	"fmt"
	"slices"
	"strings"
)

// Limits of a template
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
const (
	maxResources   = 500
	maxMembers     = 200 // of Parameters, Mappings and Outputs
	maxDescription = 1024
)

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
		conditions: t.Root.Get("Conditions"), mappings: t.Root.Get("Mappings"),
	}
	for _, name := range t.Transforms() {
		if name == languageExtensions {
			c.extended = true
		} else {
			c.macros = true
		}
	}
	c.names()
	c.sections()
	c.checkParameters()
	c.checkRules()
	c.checkMappings()
	c.checkConditions()
	c.checkResources()
	c.checkOutputs()
	c.checkCycles()
	return c.problems
}

// checker is one run of Check.
type checker struct {
	t                                           *Template
	parameters, resources, conditions, mappings *Node
	// macros rewrite the template before CloudFormation looks at it, so what
	// seems to be missing may come from them.
	macros   bool
	extended bool            // AWS::LanguageExtensions is declared
	known    map[string]bool // parameters and resources, when they are many
	problems []Problem
	path     []string // where the walk is, for messages that tell it
	block    string   // the section that the walk is in
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

// names finds names that mean two things, and makes those of large templates
// quick to find.
func (c *checker) names() {
	if c.parameters != nil && c.parameters.Kind == Map && c.resources != nil {
		for _, k := range c.parameters.Keys {
			if c.resources.Get(k.Text) != nil {
				c.problem(k.Pos, "duplicate-name", k.Text, "Template error: all resources and parameters must have unique names. Common name(s):[]",
					"%q names both a parameter and a resource", k.Text)
			}
		}
	}
	if c.resources == nil || len(c.resources.Keys) < 20 {
		return
	}
	c.known = make(map[string]bool, len(c.resources.Keys))
	for _, section := range []*Node{c.parameters, c.resources} {
		if section != nil {
			for _, k := range section.Keys {
				c.known[k.Text] = true
			}
		}
	}
}

func (c *checker) isKnown(name string) bool {
	if _, pseudo := pseudoParameters[name]; pseudo {
		return true
	}
	if c.known != nil {
		return c.known[name]
	}
	return c.parameters.Get(name) != nil || c.resources.Get(name) != nil
}

func (c *checker) sections() {
	for i, k := range c.t.Root.Keys {
		n := c.t.Root.Items[i]
		switch {
		case !slices.Contains(sections, k.Text):
			if !c.macros && k.Text != "Fn::Transform" {
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

// members walks the map of a section: its size, and the names of its members.
func (c *checker) members(section *Node, block string, most int, each func(k, n *Node)) {
	if section == nil || section.Kind != Map {
		return
	}
	c.block = block
	if len(section.Keys) > most {
		c.problem(section.Pos, "too-many", "", fmt.Sprintf("Template format error: Number of %s, %d, is greater than maximum allowed, %d", strings.ToLower(block), len(section.Keys), most),
			"%d %s, at most %d are allowed", len(section.Keys), strings.ToLower(block), most)
	}
	for i, k := range section.Keys {
		n := section.Items[i]
		switch {
		case strings.HasPrefix(k.Text, "Fn::"): // Fn::ForEach::…, Fn::Transform: a macro's business
			if !c.macros {
				c.problem(k.Pos, "unsupported-function", k.Text, "", "%s in %s is not supported", k.Text, block)
			}
		case !alphanumeric(k.Text):
			c.problem(k.Pos, "name", k.Text, "Template format error: "+strings.TrimSuffix(block, "s")+" name "+k.Text+" is non alphanumeric.",
				"the name %q in %s may hold letters and digits only", k.Text, block)
		case n.Kind == Null:
			c.null(n, "/"+block+"/"+k.Text)
		default:
			each(k, n)
		}
	}
}

func alphanumeric(name string) bool {
	for i := range len(name) {
		if c := name[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			return false
		}
	}
	return name != "" && len(name) <= 255
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
