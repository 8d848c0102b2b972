package cli

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ouro/library"
	"ouro/pipeline"
)

func newMeta(s IO) *cobra.Command {
	c := &cobra.Command{
		Use:   "meta",
		Short: "A pipeline that keeps another pipeline's stack up to date",
		Long: `A meta pipeline wraps a pipeline: when that one's template changes in the source
that the two share, the meta pipeline updates its stack. It is the library's
template pipeline/meta.yaml, which can be nested, too, as TemplateURL:
ouro://pipeline/meta.yaml.`,
		Args: noVerb,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newMetaUp(s), newMetaDown(s))
	return c
}

type metaUpOptions struct {
	upOptions
	stack, project, template   string
	source, repository, branch string
	connection, bucket, key    string
	secret                     string
	overrides, settings        []string
}

func newMetaUp(s IO) *cobra.Command {
	o := &metaUpOptions{upOptions: upOptions{io: s}}
	c := &cobra.Command{
		Use:   "up --stack NAME --source KIND [DIR]",
		Short: "Wrap a pipeline, new or there already, and follow the first update",
		Long: `Creates or updates the meta pipeline's stack, NAME-Meta, which creates the
wrapped pipeline's stack NAME, or takes it over if it is there: its parameters
keep their values then. DIR holds the source, with the wrapped pipeline's
template; it is pushed if it is in CodeCommit.

Anywhere but on the project's local cloud, what would change is shown first, and
nothing is made without consent. A GitHub token is asked for unless its secret
exists, and kept in Secrets Manager. --parameter NAME=@token@ hands a reference
to it to the wrapped stack.`,
		Args: oneDir,
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = dirOf(args)
			return o.run(c.Context())
		},
	}
	o.target.add(c)
	flags := c.Flags()
	flags.StringVar(&o.stack, "stack", "", "the wrapped pipeline's stack")
	flags.StringVar(&o.project, "project", "", "what the names of all that it makes begin with (default --stack in lower case, without -pipeline)")
	flags.StringVar(&o.template, "template", "pipeline.yaml", "path in the source of the wrapped pipeline's template")
	flags.StringVar(&o.config, "config", "", "path in the source of the template's configuration")
	flags.StringVar(&o.source, "source", "", "where the source is: codecommit, connection, github or s3")
	flags.StringVar(&o.repository, "repository", "", "the repository, as OWNER/NAME but for codecommit")
	flags.StringVar(&o.branch, "branch", "main", "the branch")
	flags.StringVar(&o.connection, "connection", "", "ARN of the connection, for the source connection")
	flags.StringVar(&o.bucket, "bucket", "", "the bucket, for the source s3")
	flags.StringVar(&o.key, "key", "", "the zip's key, for the source s3")
	flags.StringVar(&o.secret, "secret", "", "the secret that holds the token, for the source github (default PROJECT-source)")
	flags.StringVar(&o.inputs.tokenFile, "token-file", "", "file that holds the source token, - for standard input")
	flags.StringArrayVar(&o.overrides, "parameter", nil, "NAME=VALUE of the wrapped stack, over its configuration; repeatable")
	flags.StringArrayVar(&o.settings, "set", nil, "NAME=VALUE of another parameter of pipeline/meta.yaml; repeatable")
	flags.BoolVarP(&o.yes, "yes", "y", false, "change what has to be changed, do not ask")
	flags.BoolVar(&o.wait, "wait", false, "exit when the execution has ended, even on a terminal")
	flags.BoolVar(&o.leave, "no-follow", false, "exit when the stack is there and the source is pushed")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
	return c
}

func (o *metaUpOptions) run(ctx context.Context) (err error) {
	o.target.asker = o.io.asker()
	meta, err := o.meta()
	if err != nil {
		return err
	}
	project, err := meta.Project()
	if err != nil {
		return err
	}
	w, err := o.target.sessionOf(ctx, o.io, project)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	w.introduce()
	consent := consent{session: w, asker: o.target.asker, yes: o.yes}
	if err := consent.possible(); err != nil {
		return err
	}
	kept, err := meta.Adopt(ctx, w.clients)
	if err != nil {
		return err
	}
	if len(kept) > 0 {
		w.whole(fmt.Sprintf("Stack %s keeps its %s.", meta.Wrapped, strings.Join(kept, ", ")))
	}
	if w.project, err = meta.Project(); err != nil {
		return err
	}
	up, err := o.ready(ctx, w, consent)
	if err != nil {
		return err
	}
	return o.carry(ctx, w, up)
}

// metaSources are the sources by their names on the command line, with the
// flags that each needs.
var metaSources = map[string]struct {
	provider string
	needs    []string
	owned    bool // the repository is named with its owner
}{
	"codecommit": {"CodeCommit", []string{"repository"}, false},
	"connection": {"Connection", []string{"repository", "connection"}, true},
	"github":     {"GitHub", []string{"repository"}, true},
	"s3":         {"S3", []string{"bucket", "key"}, false},
}

// meta is what the flags say.
func (o *metaUpOptions) meta() (*pipeline.Meta, error) {
	source, ok := metaSources[o.source]
	given := map[string]string{"repository": o.repository, "connection": o.connection, "bucket": o.bucket, "key": o.key}
	switch {
	case o.stack == "":
		return nil, usageError{errors.New("which pipeline is wrapped? --stack names its stack")}
	case !ok:
		return nil, usageError{fmt.Errorf("--source %q is none of codecommit, connection, github and s3", o.source)}
	}
	for _, flag := range source.needs {
		if given[flag] == "" {
			return nil, usageError{fmt.Errorf("--source %s needs --%s", o.source, flag)}
		}
	}
	if owner, name := path.Split(o.repository); source.owned && (owner == "" || name == "") {
		return nil, usageError{fmt.Errorf("--source %s needs --repository OWNER/NAME, not %q", o.source, o.repository)}
	}
	body, err := library.Open("pipeline/meta.yaml")
	if err != nil {
		return nil, err
	}
	m := &pipeline.Meta{Dir: o.dir, Body: body.Body, Wrapped: o.stack}
	if m.Parameters, err = pairs("--set", o.settings); err != nil {
		return nil, err
	}
	for name := range m.Parameters {
		if _, ok := body.Parsed.Parameter(name); !ok {
			return nil, usageError{fmt.Errorf("--set: pipeline/meta.yaml has no parameter %s", name)}
		}
	}
	if m.Overrides, err = pairs("--parameter", o.overrides); err != nil {
		return nil, err
	}
	o.fill(m.Parameters, source.provider)
	return m, nil
}

// fill sets the parameters of the template that have flags of their own.
func (o *metaUpOptions) fill(p map[string]string, provider string) {
	p["ProjectName"] = firstOf(o.project, strings.TrimSuffix(strings.ToLower(o.stack), "-pipeline"))
	p["TemplatePath"], p["TemplateConfigurationPath"] = o.template, o.config
	p["SourceProvider"], p["SourceRepository"], p["SourceBranch"] = provider, o.repository, o.branch
	switch o.source {
	case "s3":
		p["SourceRepository"], p["SourceBranch"] = o.bucket, o.key
		return
	case "codecommit":
		return
	case "connection":
		p["ConnectionArn"] = o.connection
	case "github":
		p["SourceTokenSecret"] = firstOf(o.secret, p["ProjectName"]+"-source")
	}
	p["SourceOwner"], p["SourceRepository"] = path.Split(o.repository)
	p["SourceOwner"] = strings.TrimSuffix(p["SourceOwner"], "/")
}

// pairs reads texts of the form NAME=VALUE.
func pairs(flag string, texts []string) (map[string]string, error) {
	out := map[string]string{}
	for _, text := range texts {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, usageError{fmt.Errorf("%s %q is not NAME=VALUE", flag, text)}
		}
		out[name] = value
	}
	return out, nil
}

type metaDownOptions struct {
	io      IO
	target  targetFlags
	stack   string
	wrapped bool
	yes     bool
	dir     string
}

func newMetaDown(s IO) *cobra.Command {
	o := &metaDownOptions{io: s}
	c := &cobra.Command{
		Use:   "down --stack NAME [DIR]",
		Short: "Delete a meta pipeline, and with --wrapped the pipeline it wraps",
		Long: `Deletes the meta pipeline's stack, NAME-Meta, with the contents of its bucket.
The wrapped pipeline's stack NAME stays as it is, with the role that updates it,
and can be wrapped anew. With --wrapped it is deleted first, and the role with
it; the stacks that it deployed must be gone by then. Repositories, connections
and secrets of the source stay.`,
		Args: oneDir,
		RunE: func(c *cobra.Command, args []string) error {
			o.dir = dirOf(args)
			return o.run(c.Context())
		},
	}
	o.target.add(c)
	c.Flags().StringVar(&o.stack, "stack", "", "the wrapped pipeline's stack")
	c.Flags().BoolVar(&o.wrapped, "wrapped", false, "delete the wrapped pipeline's stack, too")
	c.Flags().BoolVarP(&o.yes, "yes", "y", false, "delete, do not ask")
	return c
}

func (o *metaDownOptions) run(ctx context.Context) (err error) {
	if o.stack == "" {
		return usageError{errors.New("which pipeline is wrapped? --stack names its stack")}
	}
	body, err := library.Open("pipeline/meta.yaml")
	if err != nil {
		return err
	}
	project, err := (&pipeline.Meta{Dir: o.dir, Body: body.Body, Wrapped: o.stack, Parameters: map[string]string{}}).Project()
	if err != nil {
		return err
	}
	o.target.asker = o.io.asker()
	w, err := o.target.sessionOf(ctx, o.io, project)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	consent := consent{session: w, asker: o.target.asker, yes: o.yes}
	if !w.target.own {
		w.introduce()
	}
	if err := consent.possible(); err != nil {
		return err
	}
	up := w.up(pipeline.Facts{})
	doomed, err := up.MetaTeardown(ctx, o.stack, o.wrapped)
	if err != nil {
		return err
	}
	return consent.delete(ctx, o.io.Out, doomed.Empty(), func() { (&downOptions{io: o.io}).show(&doomed.Teardown) },
		func(ctx context.Context) ([]string, error) { return up.MetaDown(ctx, doomed) },
		func() []string { return slices.Sorted(slices.Values(doomed.Left)) })
}
