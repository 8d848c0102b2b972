package pipeline

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
)

// madeBy is the tag on what Up itself made, so that Down may delete it. Its
// value is the project's name.
const madeBy = "ouro:project"

// repository is the source's CodeCommit repository as it stands.
type repository struct {
	there bool
	ours  bool // Up made it for this project
}

// findRepository looks up the repository that the source is pushed to, unless
// the template makes it.
func (u *Up) findRepository(ctx context.Context) (r repository, err error) {
	s := u.Facts.Source
	if !s.Pushes() || s.Owned {
		return r, nil
	}
	out, err := u.Clients.Repos.GetRepository(ctx, &codecommit.GetRepositoryInput{RepositoryName: &s.Repository})
	if none := (*cctypes.RepositoryDoesNotExistException)(nil); errors.As(err, &none) {
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("looking up repository %q: %w", s.Repository, err)
	}
	tags, err := u.Clients.Repos.ListTagsForResource(ctx, &codecommit.ListTagsForResourceInput{ResourceArn: out.RepositoryMetadata.Arn})
	if err != nil {
		return r, fmt.Errorf("reading the tags of repository %q: %w", s.Repository, err)
	}
	return repository{there: true, ours: tags.Tags[madeBy] == u.Project.Name}, nil
}

func (u *Up) ensureRepository(ctx context.Context) error {
	name := u.Facts.Source.Repository
	_, err := u.Clients.Repos.CreateRepository(ctx, &codecommit.CreateRepositoryInput{
		RepositoryName: &name, Tags: map[string]string{madeBy: u.Project.Name},
		RepositoryDescription: aws.String("Source of " + u.Project.StackName()),
	})
	if exists := (*cctypes.RepositoryNameExistsException)(nil); err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("creating repository %q: %w", name, err)
	}
	return nil
}

// remote is where the source is pushed to.
func (u *Up) remote(ctx context.Context) (Remote, error) {
	name := u.Facts.Source.Repository
	out, err := u.Clients.Repos.GetRepository(ctx, &codecommit.GetRepositoryInput{RepositoryName: &name})
	if err != nil {
		return Remote{}, fmt.Errorf("looking up repository %q: %w", name, err)
	}
	r := Remote{URL: aws.ToString(out.RepositoryMetadata.CloneUrlHttp)}
	options := u.Clients.Repos.Options()
	if r.Env, err = gitCredentials(ctx, options.Credentials, options.Region, r.URL, time.Now()); err != nil {
		return Remote{}, fmt.Errorf("signing for repository %q: %w", name, err)
	}
	return r, nil
}

func (u *Up) push(ctx context.Context) (changed bool, err error) {
	remote, err := u.remote(ctx)
	if err != nil {
		return false, err
	}
	u.Remote = remote.URL
	pushed, err := Push(ctx, u.Project.Dir, u.State, remote, u.Facts.Source.Branch)
	u.Commit = pushed.Commit
	return pushed.Changed, err
}

// gitCredentials is the environment in which git signs in to CodeCommit: the
// user name is the access key, with the session's token behind it, the password
// is a signature of the repository's path, as the AWS CLI's credential helper
// makes it. Git gets both from the environment, where no other user reads them.
// Other remotes take no credentials, or have git find them.
func gitCredentials(ctx context.Context, provider aws.CredentialsProvider, region, remote string, now time.Time) ([]string, error) {
	u, err := url.Parse(remote)
	if err != nil || u.Scheme != "https" || !strings.HasPrefix(u.Hostname(), "git-codecommit.") {
		return nil, err
	}
	c, err := provider.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	user := c.AccessKeyID
	if c.SessionToken != "" {
		user += "%" + c.SessionToken
	}
	return []string{
		"OURO_GIT_USER=" + user, "OURO_GIT_PASSWORD=" + gitPassword(c.SecretAccessKey, region, u, now),
		"GIT_CONFIG_COUNT=2",
		"GIT_CONFIG_KEY_0=credential.helper", "GIT_CONFIG_VALUE_0=", // none of the user's
		"GIT_CONFIG_KEY_1=credential.https://" + u.Host + ".helper", // for no host that it may be sent on to
		`GIT_CONFIG_VALUE_1=!f() { test "$1" = get && printf 'username=%s\npassword=%s\n' "$OURO_GIT_USER" "$OURO_GIT_PASSWORD"; }; f`,
	}, nil
}

// gitPassword signs the pseudo-method GIT on a repository, by Signature
// Version 4 with the time's Z left out of what is signed.
func gitPassword(secretKey, region string, repo *url.URL, now time.Time) string {
	sum := func(text string) string { h := sha256.Sum256([]byte(text)); return hex.EncodeToString(h[:]) }
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	at := now.UTC().Format("20060102T150405")
	scope := []string{at[:8], region, "codecommit", "aws4_request"}
	request := fmt.Sprintf("GIT\n%s\n\nhost:%s\n\nhost\n", repo.Path, repo.Hostname())
	key := []byte("AWS4" + secretKey)
	for _, part := range scope {
		key = mac(key, part)
	}
	signed := mac(key, strings.Join([]string{"AWS4-HMAC-SHA256", at, strings.Join(scope, "/"), sum(request)}, "\n"))
	return at + "Z" + hex.EncodeToString(signed)
}
