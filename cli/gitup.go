package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"ouro/ci"
	"ouro/gitsource"
	"ouro/layer"
	"ouro/pipeline"
	"ouro/webhook"
)

type gitUpOptions struct {
	gitWork
	provider, host, method          string
	authorities, key                string
	branches, tags, paths, networks []string
	forget, retain                  bool
	binary, on                      string
	showSecret, noRegister          bool
	said                            func(flag string) bool
}

func newGitUp(s IO) *cobra.Command {
	o := &gitUpOptions{gitWork: gitWork{stackWork: stackWork{io: s, template: webhook.Methods["zip"]}}}
	c := o.verb(true, "the webhook")
	c.Use, c.Short = "up --provider P --repo OWNER/NAME", "Bring the webhook of a repository up, and register it"
	c.Long = `Makes the stack that takes a repository's webhook: an HTTP API, the functions
behind it, which are this very program, and the bucket that the commits go to.
With a token it registers the webhook at the provider, once, and lets the
functions read the repository with it; without, it prints what to enter there.

What no flag says stays as it was. Anywhere but on the project's local cloud,
what would change in each stack is shown first, and nothing is made without
consent.`
	c.RunE = func(c *cobra.Command, _ []string) error {
		o.said = c.Flags().Changed
		return o.run(c.Context())
	}
	o.addToken(c)
	flags := c.Flags()
	flags.StringVar(&o.repository, "repo", "", "the repository, as OWNER/NAME")
	flags.StringVar(&o.provider, "provider", "", "who has it: "+strings.Join(gitsource.Providers(), ", "))
	flags.StringVar(&o.host, "host", "", "host of a provider that serves itself, such as git.example.com")
	flags.StringVar(&o.authorities, "authorities", "", "file with the certificates of the provider's own authority, in PEM")
	flags.StringVar(&o.method, "method", "", "how commits are fetched: zip, the provider's archive, or pull, over SSH (default zip, where there are archives)")
	flags.StringSliceVar(&o.branches, "branch", nil, "pattern of branches that are fetched; repeatable (default all)")
	flags.StringSliceVar(&o.tags, "tag", nil, "pattern of tags that are fetched; repeatable (default none)")
	flags.StringSliceVar(&o.paths, "path", nil, "pattern of paths, one of which a push has to change; repeatable (default all)")
	flags.StringSliceVar(&o.networks, "network", nil, "range of addresses that deliveries may come from; repeatable (default all)")
	flags.BoolVar(&o.forget, "no-keep-token", false, "the token registers the webhook, and is not kept: the functions do without, as for a public repository")
	flags.StringVar(&o.key, "kms-key", "", "ARN of the key of KMS that the buckets are encrypted with (default S3's own encryption)")
	flags.BoolVar(&o.retain, "retain", false, "the buckets stay when the stack is deleted")
	flags.BoolVar(&o.noRegister, "no-register", false, "do not register the webhook at the provider")
	flags.BoolVar(&o.showSecret, "show-secret", false, "print the webhook's secret")
	flags.StringVar(&o.binary, "function-binary", "", "the ouro that the functions are, if this one is for another system")
	flags.StringVar(&o.on, "function-architecture", "", "what the functions run on, x86_64 or arm64 (default this machine's)")
	return c
}

func (o *gitUpOptions) run(ctx context.Context) (err error) {
	if o.repository == "" || o.provider == "" {
		return usageError{errors.New("which repository, and who has it? --repo and --provider name them")}
	}
	h, err := webhook.New(o.provider, o.host, o.repository, o.name)
	if err != nil {
		return usageError{err}
	}
	if err := o.choose(h.Provider); err != nil {
		return usageError{err}
	}
	program, err := layer.FindProgram(ctx, o.binary, o.on)
	if err != nil {
		return err
	}
	w, err := o.session(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if err := (consent{session: w, asker: o.target.asker, yes: o.yes}).possible(); err != nil {
		return err
	}
	before, err := o.before(ctx, w, h)
	if err != nil {
		return err
	}
	token, arn, err := o.token(ctx, w, before)
	if err != nil {
		return err
	}
	values, err := o.values(h, before, program)
	if err != nil {
		return err
	}
	d, err := o.make(ctx, w, h, program, values, token, arn)
	if err != nil {
		return err
	}
	registered, err := o.register(ctx, w, d, token)
	if err != nil {
		return err
	}
	return o.report(ctx, w, d, registered)
}

// choose checks the method; without archives there is only one.
func (o *gitUpOptions) choose(p gitsource.Provider) error {
	switch {
	case o.method == "" && !p.Archives():
		o.method = "pull"
	case o.method == "zip" && !p.Archives():
		return fmt.Errorf("the provider %s has no archives: its repositories are pulled, with --method pull", p.Name)
	case o.method != "" && webhook.Methods[o.method] == "":
		return fmt.Errorf("--method %q is neither zip nor pull", o.method)
	}
	return nil
}

// make makes what is missing, in order: the functions' code, the token's secret,
// the stack.
func (o *gitUpOptions) make(ctx context.Context, w *session, h *webhook.Hook, program *layer.Program, values map[string]string, token, arn string) (*webhook.Deployed, error) {
	var err error
	if values["CodeBucket"], err = o.code(ctx, w, program, values["KmsKeyArn"]); err != nil {
		return nil, err
	}
	if o.body, err = webhook.Template(ctx, w.clients, values["CodeBucket"], o.template); err != nil {
		return nil, err
	}
	if token != "" && !o.forget {
		if arn == "" {
			if arn, err = o.keep(ctx, w, h, token); err != nil {
				return nil, err
			}
		}
		o.useToken(values, arn)
	}
	o.name, o.stackWork.tags = h.Stack, h.Tags()
	if err := o.change(ctx, w, values); err != nil {
		return nil, err
	}
	return webhook.Find(ctx, w.clients, h.Stack)
}

// useToken gives the stack the token's secret for what it needs a token for: the
// archives, its key, or pulls over HTTPS.
func (o *gitUpOptions) useToken(values map[string]string, arn string) {
	switch {
	case ci.Takes(o.template, "TokenSecretArn"):
		values["TokenSecretArn"] = arn
	case values["Protocol"] == "https":
		values["HttpsTokenSecretArn"] = arn
	default:
		values["KeyTokenSecretArn"], values["Repository"] = arn, o.repository
	}
}

// keep keeps the token for the functions, if there is consent.
func (o *gitUpOptions) keep(ctx context.Context, w *session, h *webhook.Hook, token string) (arn string, err error) {
	ok, err := consent{session: w, asker: o.target.asker, yes: o.yes}.ask(ctx, func() {
		fmt.Fprintf(o.io.Err, "The token is kept in the secret %s, for the functions. With --no-keep-token they do without.\n", h.TokenSecret())
	}, "Go ahead")
	if err == nil && !ok {
		err = pipeline.ErrDeclined
	}
	if err != nil {
		return "", err
	}
	w.Step("Secret " + h.TokenSecret())
	return h.KeepToken(ctx, w.clients.Secrets, token)
}

// before is what there is already; nil for nothing. It is of this repository.
func (o *gitUpOptions) before(ctx context.Context, w *session, h *webhook.Hook) (*webhook.Deployed, error) {
	before, err := webhook.Find(ctx, w.clients, h.Stack)
	if err != nil || before == nil {
		return nil, err
	}
	if before.Repository != h.Repository || before.Provider != h.Provider {
		return nil, fmt.Errorf("the stack %q is of %s at %s: name another with --stack", h.Stack, before.Repository, before.Provider.Host)
	}
	return before, nil
}

// values are the template's parameters: what flags say, and else what the stack
// has.
func (o *gitUpOptions) values(h *webhook.Hook, before *webhook.Deployed, program *layer.Program) (map[string]string, error) {
	if o.method == "" {
		o.method = "zip"
		if before != nil && before.Pulls() {
			o.method = "pull"
		}
	}
	o.template = webhook.Methods[o.method]
	pem, err := o.pem()
	if err != nil {
		return nil, err
	}
	// The provider in the cloud has a host of its own, which the stack need not say.
	values := map[string]string{
		"Provider": h.Provider.Name, "Host": o.host, "CodeKey": program.Key, "Architecture": program.Architecture,
		"CodeBucket": "not-known-yet", // all others are checked before it is made
	}
	flagged := map[string]struct{ flag, value string }{
		"Branches": {"branch", joined(o.branches)}, "Tags": {"tag", joined(o.tags)}, "Paths": {"path", joined(o.paths)},
		"Networks": {"network", joined(o.networks)}, "Authorities": {"authorities", pem},
		"RetainBuckets": {"retain", fmt.Sprint(o.retain)}, "KmsKeyArn": {"kms-key", o.key},
	}
	for _, name := range append([]string{"Repository"}, webhook.Tokens...) {
		flagged[name] = struct{ flag, value string }{"no-keep-token", ""}
	}
	said := map[string]bool{"Provider": true, "Host": true, "CodeBucket": true, "CodeKey": true, "Architecture": true}
	for name, f := range flagged {
		if o.said(f.flag) && ci.Takes(o.template, name) {
			said[name], values[name] = true, f.value
		}
	}
	given, err := (&upInputs{parameters: o.parameters}).given()
	if err != nil {
		return nil, err
	}
	if before != nil {
		for name, value := range before.Parameters {
			if _, now := given[name]; !now && !said[name] && ci.Takes(o.template, name) {
				values[name] = value
			}
		}
	}
	return o.merge(values)
}

func (o *gitUpOptions) pem() (string, error) {
	if o.authorities == "" {
		return "", nil
	}
	b, err := os.ReadFile(o.authorities)
	if err != nil {
		return "", fmt.Errorf("reading the provider's authorities: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// code puts this program into the bucket where the functions find it. All webhooks
// share the bucket: it has the key that one of them was given last.
func (o *gitUpOptions) code(ctx context.Context, w *session, program *layer.Program, key string) (bucket string, err error) {
	work := o.stackWork
	work.template, work.name = webhook.CodeTemplate, webhook.CodeStack
	values, err := webhook.CodeParameters(ctx, w.clients)
	if err != nil {
		return "", err
	}
	if key != "" {
		values["KmsKeyArn"] = key
	}
	if err := work.change(ctx, w, values); err != nil {
		return "", err
	}
	if bucket, err = webhook.CodeBucket(ctx, w.clients); err != nil {
		return "", err
	}
	return bucket, program.Upload(ctx, w.clients.Buckets, bucket, w)
}

// register tells the provider of the webhook and of the key, and says what came
// of it.
func (o *gitUpOptions) register(ctx context.Context, w *session, d *webhook.Deployed, token string) (string, error) {
	if o.noRegister {
		return "not registered", nil
	}
	r, err := o.registrar(d.Provider, d.Parameters["Authorities"], token)
	switch {
	case err != nil:
		return "", err
	case !d.Provider.Registers():
		return "not registered: there is no API for that", nil
	case r == nil:
		return "not registered: there is no token, --token-from gives one", nil
	case !reaches(d.Provider, d.URL):
		return "not registered: it cannot reach the local cloud, ouro git send takes its place", nil
	}
	w.doing("registering the webhook at " + d.Provider.Host)
	secret, err := d.ReadSecret(ctx, w.clients.Secrets)
	if err != nil {
		return "", err
	}
	created, err := r.Register(ctx, d.Repository, d.URL, secret)
	if err == nil && d.PublicKey != "" {
		_, err = r.AddKey(ctx, d.Repository, d.Stack, d.PublicKey)
	}
	return map[bool]string{true: "registered", false: "registered again"}[created], err
}
