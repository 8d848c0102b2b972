package publish

import (
	"strings"

	"ouro/template"
)

// image refuses a resource whose code is an image that is only on this
// machine, or is yet to be built, and tells whether its code is an image at all.
func (f *finder) image(resource *template.Node) bool {
	properties := resource.Get("Properties")
	uri := properties.Get("ImageUri")
	if resource.Get("Type").Scalar() == "AWS::Lambda::Function" {
		if uri = properties.Get("Code"); uri != nil && uri.Kind == template.Map && uri.Get("ImageUri") != nil {
			uri = uri.Get("ImageUri")
		} else if properties.Get("PackageType").Scalar() != "Image" {
			return false
		}
	} else if uri == nil && properties.Get("PackageType").Scalar() != "Image" {
		return false
	}
	const fault = "an image is built and pushed in the build stage, which hands its address in a registry to the template; this one is local"
	switch dockerfile := resource.Get("Metadata").Get("Dockerfile"); {
	case uri == nil && dockerfile.Scalar() != "":
		f.refuse(dockerfile.Pos, fault, dockerfile.Text)
	case uri == nil:
		f.refuse(resource.Pos, "a function of the package type Image needs the address of its image", "ImageUri")
	case uri.Kind == template.String && !inRegistry(uri.Text):
		f.refuse(uri.Pos, fault, uri.Text)
	}
	return true
}

// inRegistry tells whether an image's name begins with a registry's host, or
// comes from elsewhere in the end.
func inRegistry(name string) bool {
	host, _, ok := strings.Cut(name, "/")
	return strings.HasPrefix(name, "{{") || ok && !strings.HasPrefix(host, ".") && strings.ContainsAny(host, ".:")
}

// checkLoop refuses paths that a loop puts together, as nobody has them on disk.
func (f *finder) checkLoop(properties *template.Node, uses []*use) {
	for _, u := range uses {
		n := properties.Get(u.path[0])
		if n != nil && f.uses[n] == u && (strings.Contains(n.Text, "${") || strings.Contains(n.Text, "&{")) {
			delete(f.uses, n)
			f.refuse(n.Pos, "a loop's variable cannot be part of a path; write a resource for each", n.Text)
		}
	}
}
