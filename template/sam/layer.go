package sam

import (
	"slices"
	"strings"
)

// layerKind is AWS::Serverless::LayerVersion.
var layerKind = kind{properties: layerProperties, translate: translateLayer, turn: 3}

var layerProperties = []property{
	{name: "LayerName", shape: textOrMap},
	{name: "Description", shape: aString},
	{name: "PublishLambdaVersion", shape: aBool},
	{name: "ContentUri", shape: textOrMap, required: true},
	{name: "CompatibleArchitectures", shape: listOf(textOrMap)},
	{name: "CompatibleRuntimes", shape: listOf(textOrMap)},
	{name: "LicenseInfo", shape: aString},
	{name: "RetentionPolicy", shape: aString},
}

// translateLayer makes a layer version. Its logical id changes with its
// properties, so that the version before can stay where it is.
func translateLayer(c *context, r *resource) {
	p := r.pos()
	props := clone(r.props)
	for _, name := range []string{"LayerName", "LicenseInfo", "Description", "RetentionPolicy"} {
		v := get(props, name)
		if !truthy(v) {
			continue
		}
		if v = c.resolve(v); !isString(v) && !isMap(v) {
			c.invalid(v, r.id, "Could not resolve parameter for '%s' or parameter is not a String.", name)
		}
		set(props, name, v)
	}
	retention := c.retention(r, get(props, "RetentionPolicy"))
	id := r.id + hashOf(p.obj(r.id, c.layerSource(r, props)))
	c.renamed[r.id] = id

	out := p.obj("LayerName", get(props, "LayerName"), "Description", get(props, "Description"))
	if !truthy(out.Get("LayerName")) {
		set(out, "LayerName", p.text(r.id))
	}
	renamed := *r
	renamed.id = id
	if content := c.s3Location(&renamed, get(props, "ContentUri"), "ContentUri", "S3Bucket", "S3Key", "S3ObjectVersion"); content != nil {
		set(out, "Content", content)
	}
	c.checkArchitectures(&renamed, get(props, "CompatibleArchitectures"))
	for _, name := range []string{"CompatibleArchitectures", "CompatibleRuntimes", "LicenseInfo"} {
		if v := get(props, name); v != nil {
			set(out, name, v)
		}
	}
	m := c.addBare(r, id, "AWS::Lambda::LayerVersion", out)
	m.attributes = r.attributes("DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy")
	if retention != "" {
		set(m.attributes, "DeletionPolicy", p.text(retention))
	} else if !has(m.attributes, "DeletionPolicy") {
		set(m.attributes, "DeletionPolicy", p.text("Retain"))
	}
}

// layerSource is what the logical id's hash is taken of: the resource as it is
// written, without the attributes that say nothing of the layer.
func (c *context) layerSource(r *resource, props *node) *node {
	out := r.pos().obj("Type", r.typ)
	for key, v := range entries(r.attributes("DependsOn", "UpdatePolicy", "Condition")) {
		set(out, key, v)
	}
	set(out, "Properties", withoutNulls(props))
	return out
}

// withoutNulls is a map without the keys that have no value.
func withoutNulls(n *node) *node {
	out := at(n.Pos).obj()
	for key := range entries(n) {
		if v := get(n, key); v != nil {
			set(out, key, v)
		}
	}
	return out
}

// retention is the DeletionPolicy that RetentionPolicy means, "" when it is
// not set.
func (c *context) retention(r *resource, v *node) string {
	options := []string{"Retain", "Delete"}
	switch {
	case isFunction(v):
		c.invalid(v, r.id, "'RetentionPolicy' does not accept intrinsic functions, please use one of the following options: %s", quoted(options))
		return ""
	case v == nil:
		return ""
	case !isString(v):
		c.invalid(v, r.id, "Invalid 'RetentionPolicy' type, please use one of the following options: %s", quoted(options))
		return ""
	}
	i := slices.IndexFunc(options, func(o string) bool { return strings.EqualFold(o, v.Text) })
	if i < 0 {
		c.invalid(v, r.id, "'RetentionPolicy' must be one of the following options: %s.", quoted(options))
		return ""
	}
	return options[i]
}

// checkArchitectures refuses processors that Lambda does not have.
func (c *context) checkArchitectures(r *resource, list *node) {
	for _, a := range itemsOf(list) {
		if !isFunction(a) && a.Text != "x86_64" && a.Text != "arm64" {
			c.invalid(a, r.id, "CompatibleArchitectures needs to be a list of 'x86_64' or 'arm64'")
		}
	}
}
