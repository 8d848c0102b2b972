package sam

// edited is an API whose properties change its definition.
type edited struct {
	*context
	*resource
	body *value // nil when it lies in S3
	open func(*value) (*definition, error)
}

// toEdit is the API r with the definition that events have added to.
func (c *context) toEdit(r *resource, open func(*value) (*definition, error)) edited {
	e := edited{context: c, resource: r, open: open}
	if b := c.bodyOf(r.id); b != nil {
		e.body = b.value
	}
	return e
}

// edit changes the definition.
func (e *edited) edit(change func(*definition) error) {
	d, err := e.open(e.body)
	if err == nil {
		err = change(d)
	}
	if err != nil {
		e.refuse(e.node, "%s", err)
		return
	}
	e.body = d.done()
}

// disableEndpoint says in the definition whether the API's execute-api address
// is off.
func (e *edited) disableEndpoint() {
	off := e.get("DisableExecuteApiEndpoint")
	if off == nil {
		return
	}
	if !e.body.isTrue() {
		e.invalid(off, e.id, "DisableExecuteApiEndpoint works only within 'DefinitionBody' property.")
		return
	}
	e.edit(func(d *definition) error { return d.disableEndpoint(fromNode(off)) })
}
