package ecr_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ouro/cloud/cloudtest/tool"
)

// TestCLI drives the service with the AWS CLI as it is.
func TestCLI(t *testing.T) {
	t.Parallel()
	w, dir := newWorld(t), t.TempDir()
	aws := tool.NewAWS(t, w.URL, "ecr")
	aws.Dir = dir
	host := strings.TrimPrefix(w.URL, "http://")
	if err := os.WriteFile(filepath.Join(dir, "life.json"), []byte(*rules(tagged("v", 5))), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"create-repository --repository-name shop --query repository.repositoryUri", host + "/shop"},
		{"put-lifecycle-policy --repository-name none --lifecycle-policy-text file://life.json", "An error occurred (RepositoryNotFoundException) when calling the PutLifecyclePolicy operation: The repository with name 'none' does not exist in the registry with id '000000000000'"},
	} {
		if got, _ := aws.Try(strings.Split(c.args, " ")...); !strings.Contains(got, c.want) { // errors are told by what it says
			t.Errorf("aws ecr %s\nsays %s\nwant %s", c.args, got, c.want)
		}
	}
	// The password is one that the registry takes.
	password := aws.Run("get-login-password")
	if status, _, text := w.call("GET", strings.Replace(w.URL, "http://", "http://AWS:"+strings.NewReplacer("/", "%2F", "+", "%2B").Replace(password)+"@", 1)+"/v2/shop/tags/list", ""); status != 200 || !strings.Contains(text, `"tags":[]`) {
		t.Errorf("with the password: %d %s", status, text)
	}
}
