package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"ouro/layer"
	"ouro/pipeline"
)

type layerUpOptions struct {
	layerWork
	layerFlags
	binary       string
	on           string // architecture of the functions
	accounts     []string
	organization string
	keep         int
	branch       string
	leave        bool
	base         bool
}

func newLayerUp(s IO) *cobra.Command {
	o := &layerUpOptions{layerWork: layerWork{io: s}}
	c := &cobra.Command{
		Use:   "up [NAME]",
		Short: "Bring a layer up, from nothing if need be, and follow it",
		Long: `Makes what is missing, in the right order: the bucket, the roles and the
functions that all layers share, the layer's repository with its first commit,
its build project and its pipeline. Then it pushes the source to the repository,
if --from names it, and follows the pipeline until the version is published.

A second layer costs this command once more. For a layer that is there, what no
flag says stays as it was. The functions are this very program: on another
system than Linux one is built for it, or given by --function-binary. Anywhere
but on the project's local cloud, what would change in each stack is shown
first, and nothing is made without consent.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if o.base != (len(args) == 0) {
				return usageError{errors.New("ouro layer up takes the name of a layer, or --base for what all layers share")}
			}
			if o.base {
				return o.run(c.Context(), "", nil)
			}
			if err := oneLayer(c, args); err != nil {
				return err
			}
			return o.run(c.Context(), args[0], unsaid(c))
		},
	}
	o.target.add(c)
	o.add(c)
	flags := c.Flags()
	flags.StringVar(&o.binary, "function-binary", "", "the ouro that the functions are, if this one is for another system")
	flags.StringVar(&o.on, "function-architecture", "", "what the functions and the builds run on, x86_64 or arm64 (default this machine's)")
	flags.StringSliceVar(&o.accounts, "account", nil, "account that may use the layer; repeatable")
	flags.StringVar(&o.organization, "organization", "", "organization whose accounts may use the layer")
	flags.IntVar(&o.keep, "keep", 0, "how many versions are kept besides those that functions use (default 10)")
	flags.StringVar(&o.branch, "branch", "", "branch whose pushes publish versions (default main)")
	flags.BoolVar(&o.base, "base", false, "make what all layers share, and no layer")
	flags.BoolVar(&o.leave, "no-follow", false, "exit when the stack is there and the source is pushed")
	flags.BoolVarP(&o.yes, "yes", "y", false, "change what has to be changed, do not ask")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
	return c
}

// saidBy are the parameters of a layer's pipeline, and the flags that say them.
var saidBy = map[string]string{
	"Runtimes": "runtime", "Architectures": "architecture", "LayerDescription": "description", "License": "license", "SourcePath": "from",
	"SourceBranch": "branch", "Accounts": "account", "OrganizationId": "organization", "KeepVersions": "keep",
}

// unsaid are the parameters that no flag says. A layer that is there keeps them.
func unsaid(c *cobra.Command) []string {
	var names []string
	for name, flag := range saidBy {
		if !c.Flags().Changed(flag) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (o *layerUpOptions) run(ctx context.Context, name string, unsaid []string) (err error) {
	var p *layer.Pipeline
	dir := ""
	if !o.base {
		if p, dir, err = o.pipeline(name); err != nil {
			return err
		}
		p.Accounts, p.Organization, p.Keep, p.Branch, p.Unsaid = set(o.accounts), o.organization, o.keep, o.branch, unsaid
		if err := p.Check(); err != nil {
			return usageError{err}
		}
	}
	program, err := layer.FindProgram(ctx, o.binary, o.on)
	if err != nil {
		return err
	}
	s, err := o.open(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	up := s.up(o.io)
	up.Program, up.NoFollow = program, o.leave
	if err := up.Base(ctx); err != nil || o.base {
		return err
	}
	outcome, work, err := up.Layer(ctx, p, dir)
	if err != nil {
		return err
	}
	return o.report(ctx, s, name, outcome, work)
}

// layerResult is what --json prints.
type layerResult struct {
	Layer     string            `json:"layer"`
	Pipeline  string            `json:"pipeline"`
	Execution string            `json:"execution,omitempty"`
	Status    string            `json:"status,omitempty"`
	Reason    string            `json:"reason,omitempty"`
	Remote    string            `json:"remote"`
	Newest    *layer.Published  `json:"newest,omitempty"`
	Versions  []layer.Published `json:"-"`
	tail      []string
}

func (o *layerUpOptions) report(ctx context.Context, s *layerSession, name string, outcome *pipeline.Outcome, up *pipeline.Up) error {
	r := layerResult{Layer: name, Pipeline: up.Pipeline, Remote: up.Remote}
	if outcome != nil {
		r.Execution, r.Status = outcome.ID, string(outcome.Status)
		if a := outcome.Failed(); a != nil {
			r.Reason = a.Stage + " › " + a.Name + ": " + a.Reason
			var err error
			if r.tail, err = pipeline.LogTail(ctx, up.Clients, *a, logTail); err != nil {
				return err
			}
		}
	}
	versions, err := layer.Versions(ctx, s.clients, name)
	if err != nil {
		return err
	}
	if len(versions) > 0 {
		r.Newest = &versions[0]
	}
	s.clearNow()
	if o.json {
		if err := printJSON(o.io, r); err != nil {
			return err
		}
		return failed(outcome)
	}
	w, p := o.io.Out, paint(o.io.Color && o.io.Terminal)
	if r.Status != "" {
		fmt.Fprintf(w, "\n%s %s: %s\n", p.bold("Pipeline"), r.Pipeline, p.status(r.Status))
	}
	if r.Reason != "" {
		fmt.Fprintln(w, "  "+p.red(r.Reason))
	}
	p.quote(w, r.tail)
	if r.Newest != nil {
		fmt.Fprintf(w, "%s  %s\n", p.bold("Newest"), r.Newest.ARN)
		fmt.Fprintf(w, "  %s\n", layer.LatestParameter(name))
	}
	fmt.Fprintf(w, "%s  %s\n", p.bold("Remote"), r.Remote)
	return failed(outcome)
}
