package sam

// embeddedConnectors makes resources of the attribute Connectors of others.
func embeddedConnectors(c *context) {
	for _, source := range c.ids() {
		n := c.resources.Get(source)
		connectors := n.Get("Connectors")
		if connectors == nil {
			continue
		}
		remove(n, "Connectors")
		c.failed = false
		if !isMap(connectors) {
			c.invalid(connectors, source, "Attribute '%s.Connectors' should be a map.", source)
		}
		for name, connector := range entries(connectors) {
			c.failed = false
			c.embeddedConnector(source, name, connector)
		}
	}
	c.failed = false
}

func (c *context) embeddedConnector(source, name string, n *node) {
	id := source + name
	p := at(n.Pos)
	if !isMap(n) {
		c.invalid(n, id, "%s.%s should be a map.", source, id)
		return
	}
	props := get(n, "Properties")
	if !isMap(props) {
		c.invalid(n, source, "Attribute 'Connectors.%s.Properties' should be a map.", name)
		return
	}
	from := p.obj("Id", source)
	if more := get(props, "SourceReference"); more != nil {
		switch {
		case !isMap(more):
			c.invalid(more, source, "Property 'Connectors.%s.Properties.SourceReference' should be a map.", name)
			return
		case has(more, "Id"):
			c.invalid(more, name, "'Id' shouldn't be defined in 'SourceReference'.")
			return
		}
		for key, v := range entries(more) {
			set(from, key, v)
		}
		remove(props, "SourceReference")
	}
	set(props, "Source", from)
	if c.resources.Get(id) != nil {
		c.taken(n, source, id, connectorType)
		return
	}
	set(n, "Type", p.text(connectorType))
	r := &resource{id: id, typ: connectorType, node: n, props: props}
	if c.checkProperties(r, connectorKind.properties); !c.failed {
		set(c.resources, id, n)
	}
}
