package sam

import (
	"net/url"
	"strings"

	"ouro/regex"
)

// code is the property Code of the function, from whichever property says
// where its code is.
func (c *context) code(r *resource) *node {
	p := r.pos()
	inline, uri, image := r.get("InlineCode"), r.get("CodeUri"), r.get("ImageUri")
	var code *node
	packageType := r.get("PackageType")
	switch kind := packageType.Scalar(); {
	case truthy(packageType) && kind != "Zip" && kind != "Image":
		c.invalid(packageType, r.id, "invalid 'PackageType' : %s", shown(packageType))
		return nil
	case kind == "Image" && image == nil:
		c.invalid(r.node, r.id, "'ImageUri' must be set.")
		return nil
	case kind == "Image" && !truthy(image):
		c.invalid(image, r.id, "'ImageUri' requires that a image hosted at a registry be specified.")
		return nil
	case kind == "Image":
		return p.obj("ImageUri", clone(image))
	case inline != nil:
		code = p.obj("ZipFile", clone(inline))
	case uri != nil:
		code = c.s3Location(r, uri, "CodeUri", "S3Bucket", "S3Key", "S3ObjectVersion")
	default:
		c.invalid(r.node, r.id, "Only one of 'InlineCode' or 'CodeUri' can be set.")
	}
	if key := r.get("SourceKMSKeyArn"); truthy(key) && code != nil {
		set(code, "SourceKMSKeyArn", clone(key))
	}
	return code
}

// checkPackage refuses properties that the function's package type does not
// have.
func (c *context) checkPackage(r *resource) {
	has := func(name string) bool { return truthy(r.get(name)) }
	if r.get("PackageType").Scalar() == "Image" {
		if has("Handler") || has("Runtime") || has("Layers") {
			c.invalid(r.node, r.id, "Runtime, Handler, Layers cannot be present when PackageType is of type `Image`")
		}
		return
	}
	if !has("Runtime") || !has("Handler") {
		c.invalid(r.node, r.id, "Runtime and Handler needs to be present when PackageType is of type `Zip`")
	}
	if has("ImageConfig") {
		c.invalid(r.get("ImageConfig"), r.id, "ImageUri or ImageConfig cannot be present when PackageType is of type `Zip`")
	}
}

// secretWithSlash is a dynamic reference that would be taken apart as a URL.
var secretWithSlash = regex.New(`\{\{resolve:(ssm|ssm-secure|secretsmanager):[a-zA-Z0-9_.\-/]+(:\d+)?\}\}`)

// s3Location is where an object lies, from a map of Bucket, Key and Version or
// from an s3:// address, under the names that the generated resource has for
// the three.
func (c *context) s3Location(r *resource, uri *node, property, bucket, key, version string) *node {
	p := at(uri.Pos)
	switch {
	case isMap(uri):
		if !truthy(get(uri, "Bucket")) || !truthy(get(uri, "Key")) {
			c.invalid(uri, r.id, "'%s' requires Bucket and Key properties to be specified.", property)
			return nil
		}
		return p.obj(bucket, clone(get(uri, "Bucket")), key, clone(get(uri, "Key")), version, clone(uri.Get("Version")))
	case !isString(uri):
		c.invalid(uri, r.id, "'%s' must be of type dict or string.", property)
		return nil
	}
	if m := secretWithSlash().FindString(uri.Text); strings.Contains(m, "/") {
		c.invalid(uri, r.id, "Unsupported dynamic reference detected in '%s'. Please consider using alternative 'FunctionCode' object format.", property)
		return nil
	}
	host, path, query := splitS3(uri.Text)
	if host == "" {
		c.invalid(uri, r.id, "'%s' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter.", property)
		return nil
	}
	out := p.obj(bucket, host, key, path)
	if v := query["versionId"]; len(v) == 1 && v[0] != "" {
		set(out, version, p.text(v[0]))
	}
	return out
}

// splitS3 takes s3://bucket/key?query apart; the bucket is empty when it is
// not of that form. The parts stay as they are written.
func splitS3(uri string) (bucket, key string, query url.Values) {
	rest, ok := strings.CutPrefix(uri, "s3://")
	if !ok {
		return "", "", nil
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, q, _ := strings.Cut(rest, "?")
	bucket, key, ok = strings.Cut(rest, "/")
	if !ok || strings.ContainsAny(bucket, "[]") {
		return "", "", nil
	}
	query, _ = url.ParseQuery(q)
	return bucket, strings.TrimLeft(key, "/"), query
}
