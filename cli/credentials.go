package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ouro/ci"
)

type credentialsOptions struct {
	stackWork
	serverType string
	secret     string
	userKey    string
	tokenKey   string
	connection string
	deploys    bool
}

func newCredentials(s IO) *cobra.Command {
	c := &cobra.Command{
		Use:   "credentials",
		Short: "Set up how CodeBuild reads the repositories of a provider",
		Long: `Sets up CodeBuild's credentials for the repositories of a provider: one for each
kind of server in an account and region, by a token that stays in Secrets
Manager, or by a connection.`,
		Args: noVerb,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newCredentialsVerb(s, true), newCredentialsVerb(s, false))
	return c
}

func newCredentialsVerb(s IO, deploys bool) *cobra.Command {
	o := &credentialsOptions{stackWork: stackWork{io: s, template: ci.CredentialsTemplate}, deploys: deploys}
	c := o.verb(deploys, "the credentials")
	c.RunE = func(c *cobra.Command, _ []string) error { return o.run(c.Context()) }
	flags := c.Flags()
	flags.StringVar(&o.serverType, "server-type", "GITHUB", "who has the repositories: GITHUB, GITHUB_ENTERPRISE, BITBUCKET, GITLAB or GITLAB_SELF_MANAGED")
	flags.StringVar(&o.secret, "secret", "", "secret in Secrets Manager with the token, as JSON")
	flags.StringVar(&o.tokenKey, "token-key", "token", "key of the token in the secret")
	flags.StringVar(&o.userKey, "user-key", "", "key of the user in the secret, for Bitbucket's passwords")
	flags.StringVar(&o.connection, "connection", "", "ARN of a connection, instead of a secret")
	return c
}

func (o *credentialsOptions) run(ctx context.Context) (err error) {
	values, err := o.values()
	if err != nil {
		return err
	}
	if values, err = o.merge(values); err != nil {
		return err
	}
	o.name = firstOf(o.name, ci.CredentialsStack(o.serverType))
	w, err := o.session(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if o.secret != "" {
		secret := ci.Secret{Name: o.secret, Keys: []string{o.tokenKey}}
		if o.userKey != "" {
			secret.Keys = append(secret.Keys, o.userKey)
		}
		if _, err := secret.ARN(ctx, w.clients.Secrets); err != nil {
			return err
		}
	}
	if !o.deploys {
		return o.validate(ctx, w, values)
	}
	return o.deploy(ctx, w, values)
}

// values are the template's parameters.
func (o *credentialsOptions) values() (map[string]string, error) {
	values := map[string]string{"ServerType": strings.ToUpper(o.serverType)}
	switch {
	case (o.secret == "") == (o.connection == ""):
		return nil, usageError{errors.New("the token is either in a secret or replaced by a connection: give --secret or --connection")}
	case o.connection != "":
		values["AuthType"], values["ConnectionArn"] = "CODECONNECTIONS", o.connection
		return values, nil
	case o.userKey != "" && values["ServerType"] != "BITBUCKET":
		return nil, usageError{fmt.Errorf("--user-key: CodeBuild takes a user for BITBUCKET only, not for %s, whose token says whose it is", o.serverType)}
	case o.userKey != "":
		values["AuthType"], values["UserKey"] = "BASIC_AUTH", o.userKey
	default:
		values["AuthType"] = "PERSONAL_ACCESS_TOKEN"
	}
	values["SecretName"], values["TokenKey"] = o.secret, o.tokenKey
	return values, nil
}
