package gitsource

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// Secrets are the secrets of webhooks, as one secret of Secrets Manager has
// them: a text for every repository, or a JSON object from repositories to
// texts, whose names may end in a star ({"team/*": "…", "*": "…"}). What was
// current before the last rotation is valid as well.
type Secrets struct {
	API *secretsmanager.Client
	ID  string // name or ARN

	mu    sync.Mutex
	known []secret
	asked time.Time
}

// secret proves deliveries of the repositories that the pattern covers.
type secret struct{ pattern, text string }

// minSecret is how short a secret may be: less is guessed.
const minSecret = 16

// How long what was read counts, and how long at least where a delivery is not
// proved by it: it may be by a secret that is newer.
const (
	fresh    = time.Minute
	freshest = 5 * time.Second
)

var stages = []string{"AWSCURRENT", "AWSPREVIOUS"}

// get gives the secrets, not older than that.
func (s *Secrets) get(ctx context.Context, now time.Time, age time.Duration) ([]secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known != nil && now.Sub(s.asked) < age {
		return s.known, nil
	}
	known := []secret{}
	for _, stage := range stages {
		out, err := s.API.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &s.ID, VersionStage: &stage})
		if none := (*types.ResourceNotFoundException)(nil); errors.As(err, &none) && stage != stages[0] {
			continue // it was never rotated
		}
		if err != nil {
			return nil, fmt.Errorf("reading the webhook's secret: %w", err)
		}
		read, err := readSecrets(aws.ToString(out.SecretString))
		if err != nil {
			return nil, fmt.Errorf("the webhook's secret, %s: %w", stage, err)
		}
		known = append(known, read...)
	}
	s.known, s.asked = known, now
	return known, nil
}

func readSecrets(text string) ([]secret, error) {
	of := map[string]string{"*": text}
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		of = map[string]string{}
		if err := json.Unmarshal([]byte(text), &of); err != nil {
			return nil, errors.New("it is no JSON object of texts")
		}
	}
	var secrets []secret
	for pattern, text := range of {
		if len(text) < minSecret {
			return nil, fmt.Errorf("what it has for %q is shorter than %d characters", pattern, minSecret)
		}
		secrets = append(secrets, secret{pattern, text})
	}
	return secrets, nil
}

// covers tells whether the secret is one of the repository's.
func (s secret) covers(e Event) bool {
	if e.Name == "" {
		return true // a ping of a whole organization, or nothing of use
	}
	if s.pattern == "*" {
		return true
	}
	if owner, ok := strings.CutSuffix(s.pattern, "/*"); ok {
		return strings.HasPrefix(e.Repository(), owner+"/")
	}
	ok, err := path.Match(s.pattern, e.Repository())
	return err == nil && ok
}

// proving are the secrets that prove the delivery. All are tried, so that how
// long it takes tells nothing.
func (k kindOf) proving(secrets []secret, header func(string) string, body []byte) []secret {
	var proving []secret
	for _, s := range secrets {
		if k.proves(s.text, header, body) {
			proving = append(proving, s)
		}
	}
	return proving
}

func (k kindOf) proves(secret string, header func(string) string, body []byte) bool {
	if signature := first(header, k.signatures); signature != "" {
		given, err := hex.DecodeString(strings.TrimPrefix(signature, "sha256="))
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		return err == nil && hmac.Equal(given, mac.Sum(nil))
	}
	token := first(header, k.tokens)
	given, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(secret))
	return token != "" && hmac.Equal(given[:], want[:])
}

// signed tells whether the proof is of the body, and not only of who sends it.
func (k kindOf) signed(header func(string) string) bool { return first(header, k.signatures) != "" }
