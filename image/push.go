package image

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"ouro/regex"
)

// ecrHost is a registry's address on AWS.
var ecrHost = regex.New(`^([0-9]{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.`)

// Registries reach the registries that images come from and go to. ECR's they
// reach by the SDK's configuration: the registry is where its authorization
// token says, which on the local cloud is not where an address of AWS's leads.
// For all others, Docker's configuration has the passwords.
type Registries struct {
	Config aws.Config
	tokens map[string]*token // by host
}

// token is how to get at a registry.
type token struct {
	host     string
	insecure bool
	auth     authn.Authenticator
}

// at finds out how to get at the registry of a reference; nil for one that is
// not ECR's.
func (r *Registries) at(ctx context.Context, host string) (*token, error) {
	if t, ok := r.tokens[host]; ok {
		return t, nil
	}
	cfg, in := r.Config, &ecr.GetAuthorizationTokenInput{}
	onAWS := ecrHost().FindStringSubmatch(host)
	if onAWS != nil {
		cfg.Region = onAWS[2]
		//lint:ignore SA1019 which registry is meant, the local cloud takes from it
		in.RegistryIds = []string{onAWS[1]}
	}
	t, err := authorize(ctx, ecr.NewFromConfig(cfg), in)
	switch {
	case onAWS != nil && err != nil:
		return nil, fmt.Errorf("logging in to %s: %w", host, err)
	case onAWS == nil && (err != nil || t.host != host):
		t = nil // somebody else's
	}
	if r.tokens == nil {
		r.tokens = map[string]*token{}
	}
	r.tokens[host] = t
	return t, nil
}

func authorize(ctx context.Context, client *ecr.Client, in *ecr.GetAuthorizationTokenInput) (*token, error) {
	out, err := client.GetAuthorizationToken(ctx, in)
	if err != nil {
		return nil, err
	}
	if len(out.AuthorizationData) == 0 {
		return nil, errors.New("ECR gave no authorization")
	}
	data := out.AuthorizationData[0]
	at, err := url.Parse(aws.ToString(data.ProxyEndpoint))
	if err != nil {
		return nil, fmt.Errorf("reading where the registry is: %w", err)
	}
	text, err := base64.StdEncoding.DecodeString(aws.ToString(data.AuthorizationToken))
	user, password, ok := strings.Cut(string(text), ":")
	if err != nil || !ok {
		return nil, errors.New("the authorization that ECR gave is not understood")
	}
	return &token{at.Host, at.Scheme == "http", authn.FromConfig(authn.AuthConfig{Username: user, Password: password})}, nil
}

// reach gives the reference under which, and the options with which, a
// registry is called.
func (r *Registries) reach(ctx context.Context, ref name.Reference) (name.Reference, []remote.Option, error) {
	options := []remote.Option{remote.WithContext(ctx), remote.WithUserAgent("ouro")}
	t, err := r.at(ctx, ref.Context().RegistryStr())
	if err != nil {
		return nil, nil, err
	}
	if t == nil {
		return ref, append(options, remote.WithAuthFromKeychain(authn.DefaultKeychain)), nil
	}
	var how []name.Option
	if t.insecure {
		how = append(how, name.Insecure)
	}
	registry, err := name.NewRegistry(t.host, how...)
	if err != nil {
		return nil, nil, fmt.Errorf("reading where the registry is: %w", err)
	}
	repository := registry.Repo(ref.Context().RepositoryStr())
	options = append(options, remote.WithAuth(t.auth))
	if digest, ok := ref.(name.Digest); ok {
		return repository.Digest(digest.DigestStr()), options, nil
	}
	return repository.Tag(ref.Identifier()), options, nil
}

// Get gets an image, of an index the one for the platform.
func (r *Registries) Get(ctx context.Context, ref name.Reference, platform v1.Platform) (v1.Image, error) {
	at, options, err := r.reach(ctx, ref)
	if err != nil {
		return nil, err
	}
	return remote.Image(at, append(options, remote.WithPlatform(platform))...)
}

// Push pushes an image under a tag, REGISTRY/NAME:TAG, and gives the reference
// that will always be this image, REGISTRY/NAME@DIGEST. A tag that is this
// image's already is left alone, so that it may be one that does not move.
func (r *Registries) Push(ctx context.Context, tag string, img v1.Image) (string, error) {
	ref, err := name.NewTag(tag)
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(tag, ref.RegistryStr()+"/") {
		return "", fmt.Errorf("%q names no registry: it is not of the form REGISTRY/NAME:TAG", tag)
	}
	digest, err := img.Digest()
	if err != nil {
		return "", fmt.Errorf("packing the image: %w", err)
	}
	at, options, err := r.reach(ctx, ref)
	if err != nil {
		return "", err
	}
	if there, err := remote.Head(at, options...); err != nil || there.Digest != digest {
		if err := remote.Write(at, img, options...); err != nil {
			return "", fmt.Errorf("pushing %s: %w", tag, err)
		}
	}
	return ref.Context().Digest(digest.String()).String(), nil
}
