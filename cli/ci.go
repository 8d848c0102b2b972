package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ouro/ci"
)

func newCI(s IO) *cobra.Command {
	c := &cobra.Command{
		Use:   "ci",
		Short: "Set up and run builds of each push, as batches",
		Long: `Sets up builds of a repository at each push to some of its branches: a CodeBuild
batch with a part for every directory below some roots. ouro credentials deploy
comes first, once for an account and region.`,
		Args: noVerb,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newBuildStack(s, ci.CI, true), newBuildStack(s, ci.CI, false), newBuildspec(s, ci.CI), newStart(s, ci.CI), newHealth(s, true))
	return c
}

// noVerb refuses what is no subcommand of a group.
func noVerb(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usageError{fmt.Errorf("%s has no command %q; %s --help names all", c.CommandPath(), args[0], c.CommandPath())}
}

// buildStackOptions are those of the stack with a build project.
type buildStackOptions struct {
	stackWork
	purpose    ci.Purpose
	project    string
	url        string
	sourceType string
	connection string
	branches   string
	config     string
	secrets    []string
	deploys    bool
}

func newBuildStack(s IO, purpose ci.Purpose, deploys bool) *cobra.Command {
	o := &buildStackOptions{stackWork: stackWork{io: s, template: purpose.Template}, purpose: purpose, deploys: deploys}
	c := o.verb(deploys, "the "+purpose.Name+" builds")
	c.RunE = func(c *cobra.Command, _ []string) error { return o.run(c.Context()) }
	flags := c.Flags()
	flags.StringVar(&o.project, "project", "", "name of the project; the build project is called PROJECT-"+purpose.Name)
	flags.StringVar(&o.url, "project-url", "", "clone URL of the repository, such as https://github.com/OWNER/REPOSITORY")
	flags.StringVar(&o.sourceType, "source-type", "", "who has the repository, where its URL does not say so")
	flags.StringVar(&o.connection, "connection", "", "ARN of the connection that reads the repository (default: the credentials of the account)")
	flags.StringArrayVar(&o.secrets, "secret", nil, "secret in Secrets Manager that builds may read; repeatable")
	flags.StringVar(&o.config, "config-file", "", "the repository's configuration (default "+ci.ConfigFile+", if it is there)")
	if purpose.Name == ci.CI.Name {
		flags.StringVar(&o.branches, "branch-pattern", "", "regular expression of the refs whose pushes are built")
	}
	return c
}

func (o *buildStackOptions) run(ctx context.Context) (err error) {
	if err := ci.CheckProject(o.project); err != nil {
		return usageError{err}
	}
	config, err := ci.ReadConfig(".", o.config)
	if err != nil {
		return err
	}
	values, err := o.values(config)
	if err != nil {
		return err
	}
	if values, err = o.merge(values); err != nil {
		return err
	}
	o.name = firstOf(o.name, o.purpose.Stack(o.project))
	w, err := o.session(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if err := o.findSecrets(ctx, w, config, values); err != nil {
		return err
	}
	if !o.deploys {
		return o.validate(ctx, w, values)
	}
	return o.deploy(ctx, w, values)
}

// values are the template's parameters, without the ARNs that AWS knows.
func (o *buildStackOptions) values(config *ci.Config) (map[string]string, error) {
	kind := o.sourceType
	if kind == "" {
		var err error
		if kind, err = ci.SourceType(o.url); err != nil {
			return nil, usageError{err}
		}
	}
	if kind == "CODECOMMIT" && o.purpose.Name == ci.CI.Name {
		return nil, usageError{errors.New("CodeBuild has no webhooks for repositories in CodeCommit: give them a pipeline, or release builds, which somebody starts")}
	}
	values := map[string]string{
		"ProjectName": o.project, "SourceType": kind, "SourceUrl": o.url, "ConnectionArn": o.connection, "BranchPattern": o.branches,
	}
	if minutes := config.Release.Timeout; minutes > 0 && o.purpose.Name == ci.Release.Name {
		values["BatchTimeout"] = fmt.Sprint(minutes)
	}
	return values, nil
}

// findSecrets lets the builds read their secrets, which have to be there.
func (o *buildStackOptions) findSecrets(ctx context.Context, w *session, config *ci.Config, values map[string]string) error {
	secrets := make([]ci.Secret, 0, len(o.secrets)+1)
	if name := config.Build.RegistrySecret; name != "" {
		secrets = append(secrets, ci.RegistrySecret(name))
	}
	for _, text := range o.secrets {
		s, err := ci.ParseSecret(text)
		if err != nil {
			return usageError{err}
		}
		secrets = append(secrets, s)
	}
	var arns []string
	for _, s := range secrets {
		arn, err := s.ARN(ctx, w.clients.Secrets)
		if err != nil {
			return err
		}
		arns = append(arns, arn)
	}
	if len(arns) == 0 {
		return nil
	}
	if values["BuildSecretArns"] != "" {
		return usageError{errors.New("--parameter BuildSecretArns, and secrets that another flag or the configuration names: say it in one place")}
	}
	values["BuildSecretArns"] = joined(arns)
	return nil
}
