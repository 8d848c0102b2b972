package sam

import "ouro/template"

// Tags that the transform and the application repository keep for themselves.
var reservedTags = []string{"lambda:createdBy", "serverlessrepo:applicationId", "serverlessrepo:semanticVersion"}

// tagList is a map of tags as the list of Key and Value that most resources
// take.
func tagList(tags *node) []*node {
	var out []*node
	for key, v := range entries(tags) {
		p := at(v.Pos)
		if v.Kind == template.Null {
			v = p.text("")
		}
		out = append(out, p.obj("Key", key, "Value", v))
	}
	return out
}

// tags is the list of a resource's tags, SAM's own first (createdBy says it:
// "lambda:createdBy", "httpapi:createdBy", …). Reserved keys are refused.
func (c *context) tags(r *resource, createdBy string, tags *node) *node {
	for _, key := range append([]string{createdBy}, reservedTags...) {
		if has(tags, key) {
			c.invalid(tags, r.id, "%s is a reserved Tag key name and cannot be set on your resource. Please change the tag key in the input.", key)
		}
	}
	list := tagList(r.pos().obj(createdBy, "SAM"))
	return r.pos().node(append(list, tagList(tags)...))
}

// propagate gives tags to whatever the resource in hand turned into and
// changed, in place of the tags that were there: SAM does not add to them.
func (c *context) propagate(r *resource, tags *node) {
	if !truthy(tags) || !c.copies(tags, len(c.made)+len(c.changed)) {
		return
	}
	for _, m := range c.made {
		if taggable[m.typ] && m.props != nil {
			set(m.props, "Tags", r.pos().node(tagList(clone(tags))))
		}
	}
	for _, props := range c.changed {
		set(props, "Tags", r.pos().node(tagList(clone(tags))))
	}
}

// taggable are the generated types that take their maker's tags.
var taggable = map[string]bool{
	"AWS::SQS::Queue": true, "AWS::IAM::Role": true, "AWS::Lambda::Function": true, "AWS::IoT::TopicRule": true, "AWS::SNS::Topic": true,
	"AWS::ApiGateway::RestApi": true, "AWS::ApiGateway::Stage": true, "AWS::ApiGateway::DomainName": true,
	"AWS::ApiGateway::DomainNameV2": true, "AWS::ApiGateway::UsagePlan": true, "AWS::ApiGateway::ApiKey": true,
	"AWS::ApiGateway::DomainNameAccessAssociation": true, "AWS::AppSync::GraphQLApi": true, "AWS::Lambda::CapacityProvider": true,
	"AWS::CloudFormation::Stack": true, "AWS::DynamoDB::Table": true, "AWS::StepFunctions::StateMachine": true,
}
