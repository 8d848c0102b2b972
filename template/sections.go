package template

import "strings"

// Parameter is a declaration in the Parameters section. Bounds are as
// written, "" when there is none.
type Parameter struct {
	Name, Type, Description string
	// Default is nil for a parameter that must be given a value.
	Default                                  *string
	AllowedValues                            []string
	AllowedPattern, ConstraintDescription    string
	MinLength, MaxLength, MinValue, MaxValue string
	// NoEcho parameters are secrets: AWS shows asterisks for their values.
	NoEcho bool
	Pos    Pos

	pattern matcher // AllowedPattern, once it was needed
}

// Resource is a member of the Resources section. Nodes are nil when the
// attribute is not there; Properties holds functions not yet evaluated.
type Resource struct {
	LogicalID, Type, Condition string
	DependsOn                  []string
	Properties, Metadata       *Node
	// DeletionPolicy and UpdateReplacePolicy: their Scalar is Delete, Retain,
	// RetainExceptOnCreate or Snapshot.
	DeletionPolicy, UpdateReplacePolicy *Node
	CreationPolicy, UpdatePolicy        *Node
	Node                                *Node // the whole declaration
	Pos                                 Pos   // of the logical id
}

// Output is a member of the Outputs section.
type Output struct {
	Name, Description, Condition string
	Value                        *Node
	// Export is the value of Export's Name, nil when nothing is exported.
	Export *Node
	Pos    Pos
}

// Parameters are the declared parameters in source order.
func (t *Template) Parameters() []Parameter {
	section := t.Root.Get("Parameters")
	if section == nil || section.Kind != Map {
		return nil
	}
	out := make([]Parameter, len(section.Keys))
	for i, k := range section.Keys {
		out[i] = parameter(k, section.Items[i])
	}
	return out
}

func parameter(name, n *Node) Parameter {
	text := func(key string) string { return n.Get(key).Scalar() }
	p := Parameter{
		Name: name.Text, Pos: name.Pos, Type: text("Type"), Description: text("Description"),
		AllowedPattern: text("AllowedPattern"), ConstraintDescription: text("ConstraintDescription"),
		MinLength: text("MinLength"), MaxLength: text("MaxLength"),
		MinValue: text("MinValue"), MaxValue: text("MaxValue"),
		NoEcho: strings.EqualFold(text("NoEcho"), "true"),
	}
	if d := n.Get("Default"); d.IsScalar() {
		text := d.Text
		p.Default = &text
	}
	if values := n.Get("AllowedValues"); values != nil {
		for _, v := range values.Items {
			p.AllowedValues = append(p.AllowedValues, v.Text)
		}
	}
	return p
}

// Parameter is the declaration of that name, and whether there is one.
func (t *Template) Parameter(name string) (Parameter, bool) {
	section := t.Root.Get("Parameters")
	if section == nil || section.Kind != Map {
		return Parameter{}, false
	}
	for i, k := range section.Keys {
		if k.Text == name {
			return parameter(k, section.Items[i]), true
		}
	}
	return Parameter{}, false
}

// Resources are the declared resources in source order.
func (t *Template) Resources() []Resource {
	section := t.Root.Get("Resources")
	if section == nil || section.Kind != Map {
		return nil
	}
	out := make([]Resource, len(section.Keys))
	for i, k := range section.Keys {
		out[i] = resource(k, section.Items[i])
	}
	return out
}

func resource(id, n *Node) Resource {
	return Resource{
		LogicalID: id.Text, Pos: id.Pos, Node: n,
		Type: n.Get("Type").Scalar(), Condition: n.Get("Condition").Scalar(),
		DependsOn:  dependsOn(n.Get("DependsOn")),
		Properties: n.Get("Properties"), Metadata: n.Get("Metadata"),
		DeletionPolicy: n.Get("DeletionPolicy"), UpdateReplacePolicy: n.Get("UpdateReplacePolicy"),
		CreationPolicy: n.Get("CreationPolicy"), UpdatePolicy: n.Get("UpdatePolicy"),
	}
}

func dependsOn(n *Node) []string {
	switch {
	case n.IsScalar():
		return []string{n.Text}
	case n != nil && n.Kind == List:
		out := make([]string, len(n.Items))
		for i, item := range n.Items {
			out[i] = item.Text
		}
		return out
	}
	return nil
}

// Resource is the declaration of that logical id, and whether there is one.
func (t *Template) Resource(logicalID string) (Resource, bool) {
	section := t.Root.Get("Resources")
	if section == nil || section.Kind != Map {
		return Resource{}, false
	}
	for i, k := range section.Keys {
		if k.Text == logicalID {
			return resource(k, section.Items[i]), true
		}
	}
	return Resource{}, false
}

// Outputs are the declared outputs in source order.
func (t *Template) Outputs() []Output {
	section := t.Root.Get("Outputs")
	if section == nil || section.Kind != Map {
		return nil
	}
	out := make([]Output, len(section.Keys))
	for i, k := range section.Keys {
		n := section.Items[i]
		out[i] = Output{
			Name: k.Text, Pos: k.Pos, Value: n.Get("Value"), Export: n.Get("Export").Get("Name"),
			Description: n.Get("Description").Scalar(), Condition: n.Get("Condition").Scalar(),
		}
	}
	return out
}

// Description is the template's Description.
func (t *Template) Description() string { return t.Root.Get("Description").Scalar() }

// Transforms are the macros that the template declares, such as
// AWS::Serverless-2016-10-31, in order.
func (t *Template) Transforms() []string {
	n := t.Root.Get("Transform")
	if n == nil || n.Kind == Null {
		return nil
	}
	items := []*Node{n}
	if n.Kind == List {
		items = n.Items
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		if name := item.Get("Name"); name != nil {
			item = name
		}
		out = append(out, item.Text)
	}
	return out
}
