package validate

import (
	"maps"
	"slices"
	"strings"

	"ouro/template"
)

// uploads are the properties of SAM's types that hold a path in the source,
// which sam build, sam package or ouro publish replaces before AWS sees the
// template. Functions may leave theirs out: it is the template's folder then.
var uploads = map[string][]string{
	"AWS::Serverless::Api":          {"DefinitionUri"},
	"AWS::Serverless::Application":  {"Location"},
	"AWS::Serverless::Function":     {"CodeUri", "ImageUri"},
	"AWS::Serverless::GraphQLApi":   {"SchemaUri"},
	"AWS::Serverless::HttpApi":      {"DefinitionUri"},
	"AWS::Serverless::LayerVersion": {"ContentUri"},
	"AWS::Serverless::StateMachine": {"DefinitionUri"},
}

const uploaded = "s3://bucket/key"

// afterPackaging is a template with the paths replaced, as SAM's transform
// expects it.
func afterPackaging(root *template.Node) *template.Node {
	root = replace(root, "Globals", func(globals *template.Node) *template.Node {
		for i, k := range globals.Keys {
			properties := uploads["AWS::Serverless::"+k.Text]
			globals = replace(globals, globals.Keys[i].Text, func(n *template.Node) *template.Node { return upload(n, properties) })
		}
		return globals
	})
	functions := root.Get("Globals").Get("Function")
	return replace(root, "Resources", func(resources *template.Node) *template.Node {
		out := *resources
		out.Items = slices.Clone(resources.Items)
		for i, r := range out.Items {
			kind := r.Get("Type").Scalar()
			properties, ok := uploads[kind]
			if !ok {
				continue
			}
			out.Items[i] = replace(r, "Properties", func(n *template.Node) *template.Node {
				if n = upload(n, properties); kind == "AWS::Serverless::Function" {
					n = withCode(n, functions)
				}
				return n
			})
		}
		return &out
	})
}

// replace is map n with another value under a key; n itself without the key.
func replace(n *template.Node, key string, change func(*template.Node) *template.Node) *template.Node {
	if n == nil || n.Kind != template.Map {
		return n
	}
	at := slices.IndexFunc(n.Keys, func(k *template.Node) bool { return k.Text == key })
	if at < 0 || n.Items[at].Kind != template.Map {
		return n
	}
	out := *n
	out.Items = slices.Clone(n.Items)
	out.Items[at] = change(n.Items[at])
	return &out
}

// upload puts a URL in the place of paths and of functions that make one up.
func upload(n *template.Node, properties []string) *template.Node {
	if n.Kind != template.Map {
		return n
	}
	out := *n
	out.Items = slices.Clone(n.Items)
	for i, k := range n.Keys {
		v := n.Items[i]
		name, _ := v.Function()
		local := v.Kind == template.String && !strings.HasPrefix(v.Text, "s3://") || name != "" || k.Text == "Location"
		if slices.Contains(properties, k.Text) && local {
			out.Items[i] = &template.Node{Kind: template.String, Text: uploaded, Pos: v.Pos}
		}
	}
	return &out
}

// withCode gives a function without code the code that building will.
func withCode(n, globals *template.Node) *template.Node {
	key := "CodeUri"
	if n.Get("PackageType").Scalar() == "Image" || n.Get("PackageType") == nil && globals.Get("PackageType").Scalar() == "Image" {
		key = "ImageUri"
	}
	if n.Get(key) != nil || n.Get("InlineCode") != nil || globals.Get(key) != nil {
		return n
	}
	out := *n
	out.Keys = append(slices.Clone(n.Keys), &template.Node{Kind: template.String, Text: key, Pos: n.Pos})
	out.Items = append(slices.Clone(n.Items), &template.Node{Kind: template.String, Text: uploaded, Pos: n.Pos})
	return &out
}

// published are the parameters with values for those that version functions:
// SAM must know them, and each deployment gives them.
func published(root *template.Node, parameters map[string]any) map[string]any {
	out := maps.Clone(parameters)
	note := func(n *template.Node) {
		for _, key := range []string{"AutoPublishAlias", "AutoPublishCodeSha256"} {
			if name, arg := n.Get(key).Function(); name == "Ref" && out[arg.Text] == nil {
				out[arg.Text] = "value"
			}
		}
	}
	note(root.Get("Globals").Get("Function"))
	if resources := root.Get("Resources"); resources != nil {
		for _, r := range resources.Items {
			note(r.Get("Properties"))
		}
	}
	return out
}
