package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	smithy "github.com/aws/smithy-go"
	"github.com/spf13/cobra"

	"ouro/ci"
	"ouro/cloud"
	"ouro/pipeline"
)

type healthOptions struct {
	io         IO
	target     targetFlags
	builds     bool // what CI builds need, too
	config     string
	serverType string
	connection bool
	secrets    []string
	json       bool
}

func newHealth(s IO, builds bool) *cobra.Command {
	o := &healthOptions{io: s, builds: builds}
	c := &cobra.Command{
		Use:   "health",
		Short: "Look whether all that ouro needs is there",
		Long: `Looks at this machine, the endpoint, who we are there, the secrets that are
needed, and the quotas that matter, and says of each failure what to do. Nothing
is changed. The exit code is 1 if something fails.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context()) },
	}
	o.target.add(c)
	flags := c.Flags()
	flags.StringArrayVar(&o.secrets, "secret", nil, "NAME or NAME:KEY,KEY of a secret that has to be in Secrets Manager; repeatable")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
	if builds {
		c.Short = "Look whether all that CI builds need is there"
		flags.StringVar(&o.serverType, "server-type", "GITHUB", "who has the repository: CodeBuild needs credentials of it")
		flags.BoolVar(&o.connection, "connection", false, "the repository is read by a connection of its own: no credentials are needed")
		flags.StringVar(&o.config, "config-file", "", "the repository's configuration (default "+ci.ConfigFile+", if it is there)")
	}
	return c
}

func (o *healthOptions) run(ctx context.Context) (err error) {
	secrets := make([]ci.Secret, len(o.secrets))
	for i, text := range o.secrets {
		if secrets[i], err = ci.ParseSecret(text); err != nil {
			return usageError{err}
		}
	}
	o.serverType = strings.ToUpper(o.serverType)
	if err := ci.CheckParameters(ci.CredentialsTemplate, map[string]string{"ServerType": o.serverType}); err != nil {
		return usageError{err}
	}
	checks := []ci.Check{ci.Platform(), ci.Git(ctx)}
	config := &ci.Config{}
	if o.builds {
		var c ci.Check
		if config, c = o.configuration(); c.Detail != "" {
			checks = append(checks, c)
		}
		if name := config.Build.RegistrySecret; name != "" {
			secrets = append(secrets, ci.RegistrySecret(name))
		}
	}
	at, err := o.endpoint(ctx, secrets, config)
	if err != nil {
		return err
	}
	checks = append(checks, at...)
	if o.json {
		err = printJSON(o.io, checks)
	} else {
		o.print(checks)
	}
	if err == nil && !ci.Sound(checks) {
		err = exitError(1)
	}
	return err
}

func (o *healthOptions) configuration() (*ci.Config, ci.Check) {
	config, err := ci.ReadConfig(".", o.config)
	if err != nil {
		return &ci.Config{}, ci.Check{Name: "configuration", Outcome: ci.Failed, Detail: err.Error(), Fix: "ouro ci buildspec --schema prints what it may say"}
	}
	if config.File == "" {
		return config, ci.Check{}
	}
	return config, ci.Check{Name: "configuration", Outcome: ci.OK, Detail: config.File}
}

// endpoint looks at the endpoint, and at what has to be there.
func (o *healthOptions) endpoint(ctx context.Context, secrets []ci.Secret, config *ci.Config) (checks []ci.Check, err error) {
	state := firstOf(o.target.state, pipeline.StateDir)
	running := cloud.Running(ctx, state)
	if at := firstOf(o.target.endpoint, o.io.Env("AWS_ENDPOINT_URL")); !o.target.aws && (at == "" || at == running) {
		c := local(state, running)
		checks = append(checks, c)
		if c.Outcome == ci.Failed {
			return checks, nil
		}
	}
	o.target.there = true // looking makes no cloud
	t, err := o.target.open(ctx, o.io, ".")
	if err != nil {
		return append(checks, o.closed(err, secrets)...), ctx.Err()
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	clients := pipeline.NewClients(t.Config)
	checks = append(checks, ci.Check{Name: "region", Outcome: ci.OK, Detail: t.Config.Region})
	who, err := pipeline.Identify(ctx, clients)
	if err != nil {
		return append(checks, o.unknown(t, err)), ctx.Err()
	}
	checks = append(checks, ci.Check{Name: "endpoint", Outcome: ci.OK, Detail: firstOf(t.URL, "AWS")},
		ci.Check{Name: "credentials", Outcome: ci.OK, Detail: who.ARN + ", account " + who.Account})
	for _, s := range secrets {
		checks = append(checks, s.Check(ctx, clients.Secrets))
	}
	quotas := ci.Quotas{API: servicequotas.NewFromConfig(t.Config), Stacks: clients.Stacks, Foreign: t.URL != "", Region: t.Config.Region}
	if o.builds {
		if !o.connection {
			checks = append(checks, ci.SourceCredentials(ctx, clients.Builds, o.serverType))
		}
		quotas.Compute = firstOf(config.Build.ComputeType, ci.StandardCompute)
	}
	return append(checks, quotas.Check(ctx)...), ctx.Err()
}

// local looks at the local cloud's port and state; running is its address, if
// it runs.
func local(state, running string) ci.Check {
	c := ci.Check{Name: "local cloud", Outcome: ci.OK}
	if running != "" {
		c.Detail = "runs at " + running + ", state in " + state
		return c
	}
	info, err := os.Stat(state)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.Detail = "has not run here yet"
	case err != nil || !info.IsDir():
		c.Outcome, c.Detail, c.Fix = ci.Failed, state+" is no directory that can be used", "move it away, or give another directory with --state"
		return c
	default:
		c.Detail = "does not run, state in " + state
	}
	l, err := net.Listen("tcp", cloud.DefaultAddress)
	if err != nil {
		c.Outcome, c.Detail = ci.Warning, c.Detail+"; "+cloud.DefaultAddress+" is taken by another process"
		c.Fix = "nothing, if another port will do; else end what listens there"
		return c
	}
	if err := l.Close(); err != nil {
		c.Outcome, c.Detail = ci.Warning, c.Detail+"; "+err.Error()
	}
	return c
}

// closed is what there is to say where the endpoint could not be opened.
func (o *healthOptions) closed(err error, secrets []ci.Secret) []ci.Check {
	var access *accessError
	var usage usageError
	switch {
	case errors.As(err, &access):
		return []ci.Check{{Name: "credentials", Outcome: ci.Failed, Detail: err.Error(), Fix: hint(err)}}
	case errors.As(err, &usage):
		return []ci.Check{{Name: "region and endpoint", Outcome: ci.Failed, Detail: err.Error(), Fix: "give --region and --endpoint-url, or set AWS_REGION and AWS_ENDPOINT_URL"}}
	case !errors.Is(err, errNoPipeline):
		return []ci.Check{{Name: "endpoint", Outcome: ci.Failed, Detail: err.Error(), Fix: hint(err)}}
	}
	// A local cloud that has never run is as it should be, and has nothing.
	var checks []ci.Check
	for _, s := range secrets {
		checks = append(checks, ci.Check{Name: "secret " + s.Name, Outcome: ci.Failed, Detail: "the local cloud has not run here yet", Fix: "ouro local, and then " + s.Create()})
	}
	if o.builds && !o.connection {
		checks = append(checks, ci.Check{Name: "source credentials", Outcome: ci.Failed, Detail: "the local cloud has not run here yet", Fix: "ouro credentials deploy --server-type " + o.serverType})
	}
	return checks
}

// unknown is the check for an endpoint that does not say who we are.
func (o *healthOptions) unknown(t *target, err error) ci.Check {
	var api smithy.APIError
	if errors.As(err, &api) {
		c := ci.Check{Name: "credentials", Outcome: ci.Failed, Detail: api.ErrorCode() + ": " + api.ErrorMessage()}
		if slices.Contains(refused, api.ErrorCode()) {
			c.Fix = hint(&accessError{err})
		} else {
			c.Fix = "see whether the endpoint is AWS's, or has STS"
		}
		return c
	}
	return ci.Check{Name: "endpoint", Outcome: ci.Failed, Detail: err.Error(), Fix: firstOf(hint(err), "see whether "+firstOf(t.URL, "AWS")+" can be reached from here")}
}

func (o *healthOptions) print(checks []ci.Check) {
	p := paint(o.io.Color && o.io.Terminal)
	marks := map[string]string{ci.OK: p.green("✓"), ci.Warning: p.amber("!"), ci.Failed: p.red("✗"), ci.Skipped: p.dim("–")}
	for _, c := range checks {
		fmt.Fprintf(o.io.Out, "%s %s: %s\n", marks[c.Outcome], p.bold(c.Name), c.Detail)
		if c.Fix != "" {
			fmt.Fprintf(o.io.Out, "    fix: %s\n", c.Fix)
		}
	}
}
