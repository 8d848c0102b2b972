package template

import "slices"

// checkTransform checks the Transform section.
func (c *checker) checkTransform() {
	n := c.t.Root.Get("Transform")
	if n == nil || n.Kind == Null {
		return
	}
	items := []*Node{n}
	if n.Kind == List {
		items = n.Items
	}
	for _, item := range items {
		name, params := item, (*Node)(nil)
		if item.Kind == Map {
			name, params = item.Get("Name"), item.Get("Parameters")
		}
		if name == nil || name.Kind != String || name.Text == "" || params != nil && params.Kind != Map {
			c.problem(item.Pos, "transform", "", transformShape, "a transform is a name, or a map of Name and Parameters")
		}
	}
	// The order that AWS's page of the transform demands.
	declared := c.t.Transforms()
	serverless, language := slices.Index(declared, serverlessTransform), slices.Index(declared, languageExtensions)
	if serverless >= 0 && language > serverless {
		c.warn(n.Pos, "transform", languageExtensions, "%s must come before %s", languageExtensions, serverlessTransform)
	}
}

const (
	serverlessTransform = "AWS::Serverless-2016-10-31"
	blueGreenTransform  = "AWS::CodeDeployBlueGreen"
	blueGreenHook       = "AWS::CodeDeploy::BlueGreen"
)

// checkHooks checks the Hooks section, which tells how ECS services are
// replaced by CodeDeploy
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/blue-green.html).
func (c *checker) checkHooks() {
	c.members(c.t.Root.Get("Hooks"), "Hooks", func(c *checker, k, n *Node) {
		if !c.attributes(k, n, []string{"Type", "Properties"}, "Invalid template hook property '%'") {
			return
		}
		c.path = append(c.path[:0], "", "Hooks", k.Text)
		if kind := n.Get("Type").Scalar(); kind != blueGreenHook {
			c.problem(k.Pos, "hook-type", k.Text, "Template format error: Unrecognized hook types: ["+kind+"]", "hook %q has the Type %q, the only one is %s", k.Text, kind, blueGreenHook)
		}
		if properties := n.Get("Properties"); properties == nil || properties.Kind != Map {
			c.problem(k.Pos, "hook-shape", k.Text, "", "hook %q has no map of Properties", k.Text)
		} else {
			c.walk(properties)
		}
	})
}
