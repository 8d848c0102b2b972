package function

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"ouro/gitsource"
)

// registered are the properties of git.key: which public key may read which
// repository, and a token that may say so.
type registered struct {
	Provider      string
	Host          string // of a provider that serves itself
	Authorities   string // certificates in PEM of the provider's own authority
	Repository    string // OWNER/NAME
	TokenSecretID string `json:"TokenSecretId"`
	PublicKey     string
	Title         string
}

// gitKey makes a public key a deploy key of a repository, by the provider's API.
// It can read, and nothing else.
func gitKey(cfg aws.Config) *resource[registered] {
	secrets := secretsmanager.NewFromConfig(cfg)
	return &resource[registered]{
		check: func(p *registered) error {
			_, err := p.registrar()
			if err == nil && len(strings.Fields(p.PublicKey)) < 2 {
				err = fmt.Errorf("%q is no public key of SSH", p.PublicKey)
			}
			return err
		},
		id: func(_ *request, p *registered) string {
			sum := sha256.Sum256([]byte(p.PublicKey))
			return p.Provider + "/" + p.Host + "/" + p.Repository + "/" + hex.EncodeToString(sum[:8])
		},
		put: func(ctx context.Context, _ *request, p, _ *registered) (map[string]string, error) {
			keys, err := p.keys(ctx, secrets)
			if err == nil {
				_, err = keys.AddKey(ctx, p.Repository, p.Title, p.PublicKey)
			}
			return map[string]string{}, err
		},
		remove: func(ctx context.Context, _ *request, p *registered) error {
			keys, err := p.keys(ctx, secrets)
			if err == nil {
				_, err = keys.RemoveKey(ctx, p.Repository, p.PublicKey)
			}
			return err
		},
	}
}

// keys is what registers, with the token.
func (p *registered) keys(ctx context.Context, secrets *secretsmanager.Client) (*gitsource.Registrar, error) {
	r, err := p.registrar()
	if err == nil {
		r.Token, err = tokenIn(secrets, p.TokenSecretID)(ctx)
	}
	return r, err
}

func (p *registered) registrar() (*gitsource.Registrar, error) {
	provider, err := gitsource.NewProvider(p.Provider, p.Host)
	if err != nil {
		return nil, err
	}
	if _, err := provider.Remote(p.Repository); err != nil {
		return nil, err
	}
	client, err := gitsource.NewClient([]byte(p.Authorities))
	if err != nil {
		return nil, err
	}
	return &gitsource.Registrar{Provider: provider, Client: client}, nil
}
