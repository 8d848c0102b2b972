// Package tool finds the programs that tests hold ouro against.
package tool

import (
	"os"
	"os/exec"
	"testing"
)

// Find gives the path of a program, which must run with the arguments of try, if
// there are any. Where it is missing the test ends: it is skipped, unless
// OURO_REQUIRE_TOOLS asks for all tools.
func Find(t testing.TB, name string, try ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil && len(try) > 0 {
		err = exec.CommandContext(t.Context(), path, try...).Run()
	}
	switch {
	case err == nil:
	case os.Getenv("OURO_REQUIRE_TOOLS") != "":
		t.Fatalf("%s is not installed, and OURO_REQUIRE_TOOLS asks for it: %v", name, err)
	default:
		t.Skipf("%s is not installed: %v", name, err)
	}
	return path
}
