package sam

import (
	"ouro/regex"
	"ouro/template"
)

// translateApplication makes a nested stack of an application: of a template
// somewhere else, or of an application of the Serverless Application
// Repository.
func translateApplication(c *context, r *resource) {
	location := r.get("Location")
	if location == nil {
		c.invalid(r.node, r.id, "Resource is missing the required [Location] property.")
		return
	}
	p := r.pos()
	props := p.obj()
	copySet(props, r, "Parameters", "NotificationARNs", "TimeoutInMinutes")
	tags := c.tags(r, "lambda:createdBy", r.get("Tags"))
	if isMap(location) {
		id, version := c.known(location.Get("ApplicationId")), c.known(location.Get("SemanticVersion"))
		if location = c.repositoryTemplate(r, location, id, version); c.failed {
			return
		}
		own := tagList(p.obj("serverlessrepo:applicationId", clone(id), "serverlessrepo:semanticVersion", clone(version)))
		tags.Items = append(append(tags.Items[:1:1], own...), tags.Items[1:]...)
	}
	set(props, "TemplateURL", location)
	set(props, "Tags", tags)
	m := c.add(r, r.id, "AWS::CloudFormation::Stack", props)
	if on := r.node.Get("DependsOn"); on != nil {
		set(m.attributes, "DependsOn", clone(on))
	}
}

var ssmReference = regex.New(`{{resolve:ssm:[a-zA-Z0-9_.\-/]+(:\d+)?}}`)

// repositoryTemplate is where the template of a repository's application lies.
func (c *context) repositoryTemplate(r *resource, location, id, version *node) *node {
	wrong := func(format string, args ...any) *node {
		c.invalid(location, r.id, format, args...)
		return nil
	}
	const unresolved = "Property '%s' cannot be resolved. Only FindInMap and Ref intrinsic functions are supported."
	switch {
	case !has(location, "ApplicationId"):
		return wrong("Resource is missing the required [ApplicationId] property.")
	case !has(location, "SemanticVersion"):
		return wrong("Resource is missing the required [SemanticVersion] property.")
	case id.Kind == template.Null:
		return wrong("Property 'ApplicationId' is required.")
	case isMap(id):
		return wrong(unresolved, "ApplicationId")
	case !truthy(version):
		return wrong("Property 'SemanticVersion' cannot be blank.")
	case isMap(version):
		return wrong(unresolved, "SemanticVersion")
	case !isString(id):
		return wrong("Property 'Location.ApplicationId' should be a string.")
	case !isString(version):
		return wrong("Property 'Location.SemanticVersion' should be a string.")
	case ssmReference().MatchString(id.Text):
		return wrong("Serverless Application Repostiory does not support dynamic reference in 'ApplicationId' property.")
	case c.options.Application == nil:
		return wrong("Application %s is in the Serverless Application Repository, which cannot be asked here.", id.Text)
	}
	url, err := c.options.Application(id.Text, version.Text)
	if err != nil {
		return wrong("%s", err)
	}
	return r.pos().text(url)
}
