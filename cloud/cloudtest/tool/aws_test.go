package tool_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"ouro/cloud/cloudtest/tool"
)

// TestRunAWS: what the AWS CLI prints, where, and how it ends is told, and it is
// told where it is.
func TestRunAWS(t *testing.T) {
	t.Parallel()
	tool.Find(t, "aws")
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/config", []byte("[default]\nregion = eu-west-3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "AWS_CONFIG_FILE="+dir+"/config", "AWS_DEFAULT_REGION=", "AWS_REGION=")
	for want, args := range map[string][]string{
		"0 eu-west-3\n|": {"configure", "get", "region"},
		"1 |":            {"configure", "get", "output"},
		"2 |usage: ":     {"configure", "get"},
	} {
		stdout, stderr, code, err := tool.RunAWS(t.Context(), dir, env, args...)
		if got := fmt.Sprintf("%d %s|%s", code, stdout, strings.TrimSpace(stderr)); err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("aws %s: %q, %v; want %q", args, got, err, want)
		}
	}
}
