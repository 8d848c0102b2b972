package pipeline

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
)

// TestGitCredentials: the signature is the one that the AWS CLI's credential
// helper makes of the same key at the same second; git finds both parts.
func TestGitCredentials(t *testing.T) {
	t.Parallel()
	const password = "20261121T101112Z60fbfcd25d3fd06d4ed88c0f924044cd195d3e523f32281752f075cf0114ac76"
	now := time.Date(2026, 11, 21, 10, 11, 12, 0, time.UTC)
	for _, test := range []struct{ remote, token, user, password string }{
		{"https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/site", "", "AKIDEXAMPLE", password},
		{"https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/site", "session", "AKIDEXAMPLE%session", password},
		{"http://127.0.0.1:4566/v1/repos/site", "", "", ""},
		{"/some/where.git", "", "", ""},
	} {
		keys := credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", test.token)
		env, err := gitCredentials(t.Context(), keys, "eu-west-1", test.remote, now)
		if err != nil {
			t.Fatal(err)
		}
		if test.user == "" {
			if len(env) > 0 {
				t.Errorf("%s: %d variables", test.remote, len(env))
			}
			continue
		}
		if slices.ContainsFunc(env, func(v string) bool { return strings.Contains(v, "wJalr") }) {
			t.Errorf("%s: the secret key is in the environment", test.remote)
		}
		fill := exec.CommandContext(t.Context(), "git", "credential", "fill")
		fill.Env = append(env, "PATH=/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0")
		fill.Stdin = strings.NewReader("url=" + test.remote + "\n\n")
		out, err := fill.Output()
		if err != nil {
			t.Fatalf("git credential fill: %v", err)
		}
		other := exec.CommandContext(t.Context(), "git", "credential", "fill")
		other.Env, other.Stdin = fill.Env, strings.NewReader("url=https://example.com/v1/repos/site\n\n")
		if out, err := other.Output(); err == nil {
			t.Errorf("%s: git signs in to another host with %q", test.remote, out)
		}
		for _, want := range []string{"username=" + test.user, "password=" + test.password} {
			if !slices.Contains(strings.Split(string(out), "\n"), want) {
				t.Errorf("%s: git did not find %q", test.remote, want)
			}
		}
	}
}

func TestReadSource(t *testing.T) {
	t.Parallel()
	const reference = "{{resolve:secretsmanager:github:SecretString:token}}"
	for _, test := range []struct {
		provider      string
		configuration map[string]string
		want          Source
		how           string
	}{
		{"CodeCommit", map[string]string{"RepositoryName": "site", "BranchName": "main"},
			Source{Provider: "CodeCommit", Repository: "site", Branch: "main"}, "push to branch main of site"},
		{"CodeStarSourceConnection", map[string]string{"FullRepositoryId": "a/b/site", "BranchName": "main", "ConnectionArn": "arn"},
			Source{Provider: "CodeStarSourceConnection", Repository: "a/b/site", Branch: "main", Connection: "arn"}, "push to branch main of a/b/site"},
		{"GitHub", map[string]string{"Owner": "octo", "Repo": "site", "Branch": "main", "OAuthToken": reference},
			Source{Provider: "GitHub", Repository: "octo/site", Branch: "main", Secret: "github"}, "push to branch main of https://github.com/octo/site"},
		{"GitHub", map[string]string{"Owner": "octo", "Repo": "site", "Branch": "main", "OAuthToken": "{{resolve:secretsmanager:github:SecretString:other}}"},
			Source{Provider: "GitHub", Repository: "octo/site", Branch: "main"}, "push to branch main of https://github.com/octo/site"},
		{"GitHub", map[string]string{"Owner": "octo", "Repo": "site", "Branch": "main", "OAuthToken": "{{resolve:secretsmanager:" + unknown + "Token:SecretString:token}}"},
			Source{Provider: "GitHub", Repository: "octo/site", Branch: "main"}, "push to branch main of https://github.com/octo/site"},
		{"S3", map[string]string{"S3Bucket": "sources", "S3ObjectKey": "site.zip"},
			Source{Provider: "S3", Repository: "sources", Branch: "site.zip"}, "put the project as a zip to s3://sources/site.zip"},
	} {
		got := readSource(test.provider, func(key string) string { return test.configuration[key] })
		if got != test.want || got.How() != test.how {
			t.Errorf("%s: %+v, %q", test.provider, got, got.How())
		}
	}
}
