package codebuild_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	smapi "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"ouro/cloud/codebuild"
)

// provider is a host of git repositories that asks for a user and a password.
// It has ada/app.git.
func provider(t *testing.T, user, password string) string {
	t.Helper()
	root := t.TempDir()
	bare := filepath.Join(root, "ada", "app.git")
	work := t.TempDir()
	for _, args := range [][]string{
		{"init", "-q", "-b", "main", work}, {"-C", work, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "one"},
		{"clone", "-q", "--bare", work, bare}, {"-C", bare, "update-server-info"},
	} {
		if said, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, said)
		}
	}
	files := http.FileServer(http.Dir(root))
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, _ := r.BasicAuth(); u != user || p != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/ada/app.git"
}

// A build signs in to the provider with the account's credentials for it, or
// with those that the source names; git's helper gives them to its commands,
// and the log does not show them.
func TestSignIn(t *testing.T) {
	t.Parallel()
	c := newCloudWith(t, t.TempDir(), codebuild.Options{Environ: []string{"PATH=" + os.Getenv("PATH")}})
	secret, err := smapi.NewFromConfig(c.As(owner)).CreateSecret(t.Context(), &smapi.CreateSecretInput{Name: aws.String("lab"),
		SecretString: aws.String(`{"ServerType":"GITLAB","AuthType":"PERSONAL_ACCESS_TOKEN","Token":"t0ken-gl"}`)})
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []api.ImportSourceCredentialsInput{
		{ServerType: types.ServerTypeGithubEnterprise, AuthType: types.AuthTypePersonalAccessToken, Token: aws.String("t0ken-gh")},
		{ServerType: types.ServerTypeBitbucket, AuthType: types.AuthTypeBasicAuth, Username: aws.String("ada"), Token: aws.String("t0ken-bb")},
	} {
		if _, err := c.builds.ImportSourceCredentials(t.Context(), &in); err != nil {
			t.Fatal(err)
		}
	}
	for name, d := range map[string]struct {
		kind           types.SourceType
		user, password string
		auth           *types.SourceAuth
		want           types.StatusType
	}{
		"enterprise": {types.SourceTypeGithubEnterprise, "x-access-token", "t0ken-gh", nil, types.StatusTypeSucceeded},
		"bucket":     {types.SourceTypeBitbucket, "ada", "t0ken-bb", nil, types.StatusTypeSucceeded},
		"lab":        {types.SourceTypeGitlab, "oauth2", "t0ken-gl", &types.SourceAuth{Type: types.SourceAuthTypeSecretsManager, Resource: secret.ARN}, types.StatusTypeSucceeded},
		"stranger":   {types.SourceTypeGithubEnterprise, "x-access-token", "another", nil, types.StatusTypeFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.create(t, project(name, "version: 0.2\nenv: {git-credential-helper: yes}\nphases:\n  build: {commands: ['git log --format=%s; env', 'git -c http.sslVerify=false ls-remote origin main']}", func(in *api.CreateProjectInput) {
				in.Source.Type, in.Source.Location, in.Source.Auth, in.Source.InsecureSsl = d.kind, aws.String(provider(t, d.user, d.password)), d.auth, aws.Bool(true)
			}))
			b := c.wait(t, c.start(t, &api.StartBuildInput{ProjectName: &name}))
			log := c.log(t, b)
			if b.BuildStatus != d.want || strings.Contains(log, "t0ken") || d.want == types.StatusTypeSucceeded && (!strings.Contains(log, "\none\n") || !strings.Contains(log, "\trefs/heads/main\n")) {
				t.Errorf("status %s\n%s", b.BuildStatus, log)
			}
		})
	}
}

// Source credentials that are refused, and a part of the sentence.
func TestRefusedCredentials(t *testing.T) {
	t.Parallel()
	c := newCloud(t, t.TempDir())
	for _, d := range []struct {
		server   types.ServerType
		auth     types.AuthType
		token    string
		username *string
		want     string
	}{
		{types.ServerTypeGithub, types.AuthTypeOauth, "x", nil, "must be created using the console"},
		{types.ServerTypeGithub, types.AuthTypeBasicAuth, "x", aws.String("ada"), "BASIC_AUTH is not supported for server type GITHUB"},
		{types.ServerTypeBitbucket, types.AuthTypeBasicAuth, "x", nil, "Username is required"},
		{types.ServerTypeGithub, types.AuthTypePersonalAccessToken, "x", aws.String("ada"), "Username is not valid"},
		{types.ServerTypeGithub, types.AuthTypeCodeconnections, "x", nil, "the ARN of a connection"},
		{types.ServerTypeGitlab, types.AuthTypeSecretsManager, "x", nil, "the ARN of a secret"},
		{"SVN", types.AuthTypePersonalAccessToken, "x", nil, "Invalid server type"},
	} {
		_, err := c.builds.ImportSourceCredentials(t.Context(), &api.ImportSourceCredentialsInput{ServerType: d.server, AuthType: d.auth, Token: &d.token, Username: d.username})
		if err == nil || !strings.Contains(err.Error(), d.want) {
			t.Errorf("%s %s: %v, want %s", d.server, d.auth, err, d.want)
		}
	}
}
