package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ouro/webhook"
)

// gitResult is what --json prints.
type gitResult struct {
	Stack      string `json:"stack"`
	Provider   string `json:"provider"`
	Repository string `json:"repository"`
	Webhook    string `json:"webhook"`
	SecretArn  string `json:"secretArn"`
	Secret     string `json:"secret,omitempty"`
	PublicKey  string `json:"publicKey,omitempty"`
	Bucket     string `json:"bucket"`
	Registered string `json:"registered"`
	ByHand     string `json:"byHand,omitempty"`
}

func (o *gitUpOptions) report(ctx context.Context, w *session, d *webhook.Deployed, registered string) error {
	r := gitResult{
		Stack: d.Stack, Provider: d.Provider.Name, Repository: d.Repository, Webhook: d.URL, SecretArn: d.Secret,
		PublicKey: d.PublicKey, Bucket: d.Bucket, Registered: registered,
	}
	if !slices.Contains([]string{"registered", "registered again"}, registered) {
		r.ByHand = d.Provider.ByHand()
	}
	if o.showSecret {
		var err error
		if r.Secret, err = d.ReadSecret(ctx, w.clients.Secrets); err != nil {
			return err
		}
	}
	w.clearNow()
	if o.json {
		return printJSON(o.io, r)
	}
	p := paint(o.io.Color && o.io.Terminal)
	for _, line := range [][2]string{
		{"Webhook", r.Webhook}, {"Secret", firstOf(r.Secret, "in Secrets Manager, --show-secret prints it: "+r.SecretArn)},
		{"Key", r.PublicKey}, {"Zips", "s3://" + r.Bucket + "/" + strings.Replace(d.Key("BRANCH"), "//", "/", 1)},
		{"Provider", d.Provider.Host + ": " + r.Registered}, {"By hand", r.ByHand},
	} {
		if line[1] != "" {
			fmt.Fprintf(o.io.Out, "%s  %s\n", p.bold(fmt.Sprintf("%-8s", line[0])), line[1])
		}
	}
	return nil
}
