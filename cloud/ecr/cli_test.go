package ecr_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ouro/cloud/cloudtest/tool"
)

// TestCLI drives the service with the AWS CLI as it is.
func TestCLI(t *testing.T) {
	t.Parallel()
	tool.Find(t, "aws")
	w, dir := newWorld(t), t.TempDir()
	host := strings.TrimPrefix(w.URL, "http://")
	if err := os.WriteFile(filepath.Join(dir, "life.json"), []byte(*rules(tagged("v", 5))), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"create-repository --repository-name shop --query repository.repositoryUri", host + "/shop"},
		{"put-lifecycle-policy --repository-name none --lifecycle-policy-text file://life.json", "An error occurred (RepositoryNotFoundException) when calling the PutLifecyclePolicy operation: The repository with name 'none' does not exist in the registry with id '000000000000'"},
	} {
		if got := w.cli(dir, c.args); !strings.Contains(got, c.want) {
			t.Errorf("aws ecr %s\nsays %s\nwant %s", c.args, got, c.want)
		}
	}
	// The password is one that the registry takes.
	password := w.cli(dir, "get-login-password")
	if status, _, text := w.call("GET", strings.Replace(w.URL, "http://", "http://AWS:"+strings.NewReplacer("/", "%2F", "+", "%2B").Replace(password)+"@", 1)+"/v2/shop/tags/list", ""); status != 200 || !strings.Contains(text, `"tags":[]`) {
		t.Errorf("with the password: %d %s", status, text)
	}
}

func (w *world) cli(dir, args string) string {
	cmd := exec.CommandContext(w.t.Context(), "aws", append([]string{"ecr", "--output", "text"}, strings.Split(args, " ")...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+w.URL, "AWS_ACCESS_KEY_ID=000000000000", "AWS_SECRET_ACCESS_KEY=x", "AWS_DEFAULT_REGION=us-east-1", "AWS_MAX_ATTEMPTS=1")
	out, _ := cmd.CombinedOutput() // errors are told by what it says
	return strings.TrimSpace(string(out))
}
