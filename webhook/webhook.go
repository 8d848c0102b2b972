// Package webhook keeps the stacks that take webhooks of git providers: it finds
// what there is of a repository's, keeps the provider's token, tells the logs,
// and takes everything down. The stacks are of the library's templates
// git/zip.yaml and git/pull.yaml; it works on any endpoint, through SDK clients.
package webhook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"ouro/gitsource"
	"ouro/pipeline"
	"ouro/regex"
	"ouro/stack"
)

// Methods are the ways to a commit, and the templates of their stacks.
var Methods = map[string]string{"zip": "git/zip.yaml", "pull": "git/pull.yaml"}

// The stack with the bucket that all functions' code lies in, and its template.
const (
	CodeStack    = "ouro-git-Code"
	CodeTemplate = "git/code.yaml"
)

// Tag is on all stacks of webhooks; it says whose webhook it is.
const Tag = "ouro:git"

// Tokens are the parameters of the templates that take the ARN of a secret with
// the provider's token.
var Tokens = []string{"TokenSecretArn", "KeyTokenSecretArn", "HttpsTokenSecretArn"}

// Hook is the webhook of a repository.
type Hook struct {
	Provider   gitsource.Provider
	Repository string // OWNER/NAME
	Stack      string
}

// stackPattern leaves room for what the template's functions are called.
var stackPattern = regex.New(`^[A-Za-z][A-Za-z0-9-]{0,54}$`)

// longest is what a name may have that is put into a tag.
const longest = 200

// New is the webhook of a repository; the stack has a name of its own unless it
// is given one.
func New(provider, host, repository, stackName string) (*Hook, error) {
	p, err := gitsource.NewProvider(provider, host)
	if err != nil {
		return nil, err
	}
	if _, _, err := p.Repository(repository); err != nil {
		return nil, err
	}
	if stackName == "" {
		stackName = StackName(repository)
	}
	switch {
	case !stackPattern().MatchString(stackName):
		return nil, fmt.Errorf("the stack cannot be called %q: letters, digits and hyphens, 1 to 55 of them, a letter first", stackName)
	case len(p.Host)+len(repository) > longest:
		return nil, fmt.Errorf("the names of the host and of the repository have more than %d characters together", longest)
	}
	return &Hook{p, repository, stackName}, nil
}

var notInNames = regex.New(`[^A-Za-z0-9]+`)

// StackName is what a repository's stack is called.
func StackName(repository string) string {
	name := "git-" + strings.Trim(notInNames().ReplaceAllString(repository, "-"), "-")
	if len(name) <= 50 {
		return name
	}
	sum := sha256.Sum256([]byte(repository))
	return strings.TrimRight(name[:41], "-") + "-" + hex.EncodeToString(sum[:4])
}

// Tags are the stack's. A tag takes no tilde, which users of Bitbucket have in
// their projects' names, and they have no at sign.
func (h *Hook) Tags() map[string]string {
	return map[string]string{Tag: strings.ReplaceAll(h.Provider.Name+" "+h.Provider.Host+" "+h.Repository, "~", "@")}
}

func hookOf(s *types.Stack) (*Hook, error) {
	for _, t := range s.Tags {
		if aws.ToString(t.Key) != Tag {
			continue
		}
		words := strings.Fields(strings.ReplaceAll(aws.ToString(t.Value), "@", "~"))
		if len(words) == 3 {
			return New(words[0], words[1], words[2], aws.ToString(s.StackName))
		}
	}
	return nil, fmt.Errorf("the stack %q is of no webhook", aws.ToString(s.StackName))
}

// Deployed is a webhook's stack as it stands.
type Deployed struct {
	*Hook
	Status     types.StackStatus
	Parameters map[string]string
	URL        string // that deliveries are sent to
	Secret     string // ARN of the one with the webhook's secret
	Bucket     string
	State      string // the other bucket
	PublicKey  string // of the key that reads the repository, if there is one
	HookLog    string
	WorkerLog  string
}

// Find gives what there is in the stack of that name; nil if it is not there.
func Find(ctx context.Context, c *pipeline.Clients, name string) (*Deployed, error) {
	s, err := stack.Describe(ctx, c.Stacks, name)
	if err != nil || s == nil {
		return nil, err
	}
	h, err := hookOf(s)
	if err != nil {
		return nil, err
	}
	d := &Deployed{Hook: h, Status: s.StackStatus, Parameters: parametersOf(s)}
	into := map[string]*string{
		"WebhookUrl": &d.URL, "SecretArn": &d.Secret, "Bucket": &d.Bucket, "StateBucket": &d.State,
		"PublicKey": &d.PublicKey, "HookLog": &d.HookLog, "WorkerLog": &d.WorkerLog,
	}
	for _, o := range s.Outputs {
		if to := into[aws.ToString(o.OutputKey)]; to != nil {
			*to = aws.ToString(o.OutputValue)
		}
	}
	return d, nil
}

func parametersOf(s *types.Stack) map[string]string {
	out := make(map[string]string, len(s.Parameters))
	for _, p := range s.Parameters {
		out[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
	}
	return out
}

// Pulls tells whether the stack is of git/pull.yaml.
func (d *Deployed) Pulls() bool {
	_, ok := d.Parameters["Protocol"]
	return ok
}

// TokenARN is the secret with the token that the stack uses; empty for none.
func (d *Deployed) TokenARN() string {
	for _, name := range Tokens {
		if arn := d.Parameters[name]; arn != "" {
			return arn
		}
	}
	return ""
}

// Key is where the zip of a branch is, in the bucket.
func (d *Deployed) Key(branch string) string {
	owner, name, err := d.Provider.Repository(d.Repository)
	if err != nil {
		return "" // which New has ruled out
	}
	return gitsource.Event{Kind: gitsource.Push, Owner: owner, Name: name, Ref: branch}.Key()
}

// ReadSecret is the secret that deliveries are proved by. One that has a text for
// several repositories is none to register with.
func (d *Deployed) ReadSecret(ctx context.Context, api *secretsmanager.Client) (string, error) {
	out, err := api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &d.Secret})
	if err != nil {
		return "", fmt.Errorf("reading the webhook's secret: %w", err)
	}
	text := aws.ToString(out.SecretString)
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		return "", errors.New("the webhook's secret has a text for each of several repositories")
	}
	return text, nil
}
