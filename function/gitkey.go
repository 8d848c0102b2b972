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
			_, err := p.keys(secrets)
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
			keys, err := p.keys(secrets)
			if err == nil {
				err = keys.Add(ctx, p.Title, p.PublicKey)
			}
			if err != nil {
				return nil, fmt.Errorf("registering the deploy key of %s: %w", p.Repository, err)
			}
			return map[string]string{}, nil
		},
		remove: func(ctx context.Context, _ *request, p *registered) error {
			keys, err := p.keys(secrets)
			if err == nil {
				err = keys.Remove(ctx, p.PublicKey)
			}
			if err != nil {
				return fmt.Errorf("taking back the deploy key of %s: %w", p.Repository, err)
			}
			return nil
		},
	}
}

func (p *registered) keys(secrets *secretsmanager.Client) (*gitsource.DeployKeys, error) {
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
	return &gitsource.DeployKeys{Provider: provider, Repository: p.Repository, Token: tokenIn(secrets, p.TokenSecretID), Client: client}, nil
}
