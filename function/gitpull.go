package function

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"ouro/gitsource/pull"
	"ouro/pipeline"
)

func newPuller(s source) (fetcher, error) {
	p := &pull.Puller{
		Provider: s.provider, Client: s.client, Token: s.token, SSHHost: os.Getenv("GIT_SSH_HOST"), Stall: pull.DefaultStall,
		Dir: filepath.Join(os.TempDir(), "ouro-git"), Packs: &pull.Packs{API: pipeline.NewBuckets(s.cfg), Bucket: os.Getenv("GIT_STATE_BUCKET")},
		Limits: pull.DefaultLimits, Log: logger(),
	}
	if id := os.Getenv("GIT_KEY"); id != "" {
		p.Key = keyIn(secretsmanager.NewFromConfig(s.cfg), id)
	}
	if text := os.Getenv("GIT_DISK"); text != "" {
		mb, err := strconv.ParseInt(text, 10, 64)
		if err != nil || mb < 1 {
			return nil, fmt.Errorf("GIT_DISK is %q, and no number of MB", text)
		}
		p.Limits.Disk = mb << 20 / 5 * 4 // indexes and what is half unpacked take the rest
	}
	var err error
	if p.HostKeys, err = pull.ReadHostKeys(os.Getenv("GIT_HOST_KEYS")); err != nil {
		return nil, err
	}
	if p.Submodules, err = pull.ChoiceOf(os.Getenv("GIT_SUBMODULES")); err != nil {
		return nil, fmt.Errorf("GIT_SUBMODULES: %w", err)
	}
	if p.LFS, err = pull.ChoiceOf(os.Getenv("GIT_LFS")); err != nil {
		return nil, fmt.Errorf("GIT_LFS: %w", err)
	}
	return p, nil
}

// keyIn reads the private key whenever it is needed: nothing keeps it.
func keyIn(api *secretsmanager.Client, id string) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		out, err := api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
		if err != nil {
			return nil, fmt.Errorf("reading the private key: %w", err)
		}
		return []byte(aws.ToString(out.SecretString)), nil
	}
}
