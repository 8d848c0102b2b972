package sam

import "slices"

var s3EventProperties = []property{
	{name: "Bucket", shape: aString, required: true},
	{name: "Events", shape: either(aString, listOf(aString)), required: true, literal: true},
	{name: "Filter", shape: mapOf(aString)},
}

// checkS3Event demands that the bucket is in the template, because its
// notifications are a property of its.
func checkS3Event(c *context, e *event) {
	ref := get(e.props, "Bucket").Get("Ref")
	switch {
	case ref != nil && !isString(ref):
		c.badEvent(e, "'Ref' value in S3 events is not a valid string.")
	case ref == nil || c.find(ref.Text) == nil:
		c.badEvent(e, "S3 events must reference an S3 bucket in the same template.")
	}
}

// translateS3Event makes the bucket notify the function. S3 asks whether it
// may when it takes the configuration, so the bucket waits for the permission.
func translateS3Event(c *context, e *event) {
	p := e.pos()
	bucket := c.find(get(e.props, "Bucket").Get("Ref").Text)
	permission := c.permission(e, e.id, "", "s3.amazonaws.com", "SourceAccount", p.ref("AWS::AccountId"))
	condition := permission.attributes.Get("Condition")
	if condition == nil {
		c.bucketDepends(e, bucket, permission.id)
	} else {
		c.bucketRefers(bucket, permission.id, condition)
	}
	if c.failed {
		return
	}
	notifications := c.bucketNotifications(bucket)
	for _, name := range textsOf(get(e.props, "Events")) {
		n := p.obj("Event", name, "Function", clone(e.calls.arn), "Filter", e.get("Filter"))
		if condition != nil {
			n = p.choose(condition.Scalar(), n, p.noValue())
		}
		if notifications != nil && !slices.ContainsFunc(notifications.Items, func(old *node) bool { return sortedJSON(old) == sortedJSON(n) }) {
			notifications.Items = append(notifications.Items, n)
		}
	}
	c.changed = append(c.changed, bucket.node.Get("Properties"))
	c.demandType(bucket, "AWS::S3::Bucket")
}

// demandType refuses a resource of the template that an event changes and that
// is of another type than it must be.
func (c *context) demandType(r *resource, typ string) {
	switch given := r.node.Get("Type"); {
	case given == nil:
		c.invalid(r.node, r.id, "Resource dict missing key 'Type'.")
	case given.Scalar() != typ:
		c.invalid(given, r.id, "Resource has incorrect Type; expected '%s', got '%s'", typ, shown(given))
	}
}

// textsOf are the nodes of a list, or the one string.
func textsOf(n *node) []*node {
	if isString(n) {
		return []*node{n}
	}
	return itemsOf(n)
}

func (c *context) bucketDepends(e *event, bucket *resource, id string) {
	p := e.pos()
	on := bucket.node.Get("DependsOn")
	out := p.list()
	switch {
	case on == nil:
	case isString(on) || isList(on):
		out.Items = slices.Clone(textsOf(on))
	default:
		c.invalid(on, e.id, "Invalid type for field 'DependsOn'. Expected a string or list of strings.")
		return
	}
	for _, item := range out.Items {
		if !isString(item) {
			c.invalid(item, e.id, "Invalid type for field 'DependsOn'. Expected a string or list of strings.")
			return
		}
	}
	if !slices.ContainsFunc(out.Items, func(n *node) bool { return n.Text == id }) {
		out.Items = append(out.Items, p.text(id))
	}
	set(bucket.node, "DependsOn", out)
}

// bucketRefers makes the bucket wait for a permission that exists under a
// condition: DependsOn cannot say that, a tag with a reference can.
func (c *context) bucketRefers(bucket *resource, id string, condition *node) {
	p := at(bucket.node.Pos)
	props := within(bucket.node, "Properties")
	tags := get(props, "Tags")
	switch {
	case tags == nil:
		tags = p.list()
	case !isList(tags):
		c.invalid(tags, bucket.id, "Property 'Tags' should be a list.")
		return
	}
	tag := p.obj("Key", "sam:ConditionalDependsOn:"+id, "Value", p.choose(condition.Scalar(), p.ref(id), "no dependency"))
	set(props, "Tags", p.node(append(slices.Clone(tags.Items), tag)))
}

// bucketNotifications is the list of the bucket's notifications to functions.
func (c *context) bucketNotifications(bucket *resource) *node {
	props := within(bucket.node, "Properties")
	if !isMap(props) {
		c.invalid(props, bucket.id, "Properties should be a map.")
		return nil
	}
	config := within(props, "NotificationConfiguration")
	if !isMap(config) {
		c.invalid(config, bucket.id, "Property 'NotificationConfiguration' should be a map.")
		return nil
	}
	if get(config, "LambdaConfigurations") == nil {
		set(config, "LambdaConfigurations", at(config.Pos).list())
	}
	list := config.Get("LambdaConfigurations")
	if !isList(list) {
		c.invalid(list, bucket.id, "Invalid type for LambdaConfigurations. Must be a list.")
		return nil
	}
	return list
}
