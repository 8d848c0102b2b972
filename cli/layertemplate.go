package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"ouro/layer"
	"ouro/library"
	"ouro/template"
)

type layerTemplateOptions struct {
	io           IO
	yaml, json   bool
	built        string
	bucket, key  string
	accounts     []string
	organization string
}

func newLayerTemplate(s IO) *cobra.Command {
	o := &layerTemplateOptions{io: s}
	c := &cobra.Command{
		Use:   "template artifacts|roles|functions|pipeline|version",
		Short: "Print a template that layers are made with",
		Long: `Prints one of the CloudFormation templates that ouro layer up deploys, in that
order: artifacts (the bucket), roles, functions, pipeline; or the one that the
pipeline deploys, version, for what ouro layer build made. Each can be deployed by
itself; docs/layers.md tells with which parameters.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{errors.New("ouro layer template takes one of artifacts, roles, functions, pipeline and version")}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return o.run(args[0]) },
	}
	flags := c.Flags()
	flags.BoolVar(&o.yaml, "yaml", false, "print YAML (default for all but version)")
	flags.BoolVar(&o.json, "json", false, "print JSON (default for version)")
	flags.StringVar(&o.built, "built", "out", "for version: directory with what ouro layer build made")
	flags.StringVar(&o.bucket, "bucket", "", "for version: bucket of the layer's zip")
	flags.StringVar(&o.key, "key", "", "for version: key of the layer's zip (default by content, as the pipeline has it)")
	flags.StringSliceVar(&o.accounts, "account", nil, "for version: account that may use it; repeatable")
	flags.StringVar(&o.organization, "organization", "", "for version: organization whose accounts may use it")
	return c
}

func (o *layerTemplateOptions) run(kind string) error {
	if o.yaml && o.json {
		return usageError{errors.New("--yaml and --json are two ways of writing: give one")}
	}
	if kind == "version" {
		return o.version()
	}
	t, err := library.Open("layer/" + kind + ".yaml")
	if err != nil {
		return usageError{fmt.Errorf("there is no template %q of layers: there are artifacts, roles, functions, pipeline and version", kind)}
	}
	body := t.Body
	if o.json {
		if body, err = indented(template.Canonical(t.Parsed.Root)); err != nil {
			return err
		}
	}
	_, err = o.io.Out.Write(body)
	return err
}

// version is the template for what was built.
func (o *layerTemplateOptions) version() error {
	if o.bucket == "" {
		return usageError{errors.New("which bucket is the layer's zip in? --bucket names it")}
	}
	text, err := os.ReadFile(filepath.Join(o.built, layer.ManifestFile))
	if err != nil {
		return fmt.Errorf("reading what was built: %w", err)
	}
	m, err := layer.ReadManifest(text)
	if err != nil {
		return err
	}
	v := layer.Version{Manifest: m, Bucket: o.bucket, Key: firstOf(o.key, layer.ContentKey(m.Layer, m.Content)), Accounts: set(o.accounts), Organization: o.organization}
	body, err := v.Template()
	if err != nil {
		return err
	}
	if o.yaml {
		var doc any
		if err := yaml.Unmarshal(body, &doc); err != nil {
			return err
		}
		if body, err = yaml.Marshal(doc); err != nil {
			return err
		}
	} else {
		body = append(body, '\n')
	}
	_, err = o.io.Out.Write(body)
	return err
}

func indented(body []byte) ([]byte, error) {
	var doc any
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, err
	}
	body, err := json.MarshalIndent(doc, "", "  ")
	return append(body, '\n'), err
}
