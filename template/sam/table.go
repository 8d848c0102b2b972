package sam

// keyTypes are the types of a table's key as SimpleTable calls them.
var keyTypes = map[string]string{"String": "S", "Number": "N", "Binary": "B"}

// translateTable makes a DynamoDB table of a SimpleTable.
func translateTable(c *context, r *resource) {
	p := r.pos()
	name, typ := p.text("id"), "S"
	if key := r.get("PrimaryKey"); truthy(key) {
		name = get(key, "Name")
		switch given := get(key, "Type"); {
		case name == nil:
			c.invalid(key, r.id, "Property 'PrimaryKey.Name' is required.")
			return
		case given == nil:
			c.invalid(key, r.id, "Property 'PrimaryKey.Type' is required.")
			return
		case keyTypes[given.Text] == "":
			c.invalid(given, r.id, "Invalid 'Type' \"%s\".", given.Text)
			return
		default:
			typ = keyTypes[given.Text]
		}
	}
	props := p.obj(
		"AttributeDefinitions", p.list(p.obj("AttributeName", name, "AttributeType", typ)),
		"KeySchema", p.list(p.obj("AttributeName", clone(name), "KeyType", "HASH")))
	copyTrue(props, r, "PointInTimeRecoverySpecification", "ProvisionedThroughput", "SSESpecification", "TableName")
	if !has(props, "ProvisionedThroughput") {
		set(props, "BillingMode", p.text("PAY_PER_REQUEST"))
	}
	if tags := r.get("Tags"); truthy(tags) {
		set(props, "Tags", p.node(tagList(tags)))
	}
	c.addMain(r, r.id, "AWS::DynamoDB::Table", props)
}

// copyTrue copies those of the resource's properties that are something.
func copyTrue(to *node, r *resource, names ...string) {
	for _, name := range names {
		if v := r.get(name); truthy(v) {
			set(to, name, clone(v))
		}
	}
}

// copySet copies those of the resource's properties that are there, be they
// empty.
func copySet(to *node, r *resource, names ...string) {
	for _, name := range names {
		if v := r.get(name); v != nil {
			set(to, name, clone(v))
		}
	}
}
