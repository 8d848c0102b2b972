package resource_test

import (
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ouro/cloud/cloudformation/resource"
)

var update = flag.Bool("update", false, "write the page anew")

// TestPage keeps docs/resource-types.md true to the table of types.
func TestPage(t *testing.T) {
	t.Parallel()
	const file = "../../../docs/resource-types.md"
	var b strings.Builder
	b.WriteString("# Resource types on the local cloud\n\n" +
		"CloudFormation on the local cloud *runs* the types of this table: it makes the real thing, through the API of its service.\n" +
		"Every other type of AWS is *recorded*: it gets an identifier and attributes of the right shape, and nothing behind them.\n\n" +
		"`go test ./cloud/cloudformation/resource -update` writes this page from the table of types.\n\n" +
		"| type | |\n|---|---|\n")
	names := append(slices.Collect(maps.Keys(resource.NewTable())), "AWS::CloudFormation::Stack") // which is the engine's own
	slices.Sort(names)
	for _, name := range names {
		b.WriteString("| `" + name + "` | runs |\n")
	}
	for _, name := range slices.Sorted(maps.Keys(resource.Refused())) {
		b.WriteString("| `" + name + "` | refused: " + resource.Refused()[name] + " |\n")
	}
	b.WriteString("| `Custom::…` | refused: custom resources are not supported yet |\n| every other `AWS::…` | recorded |\n")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.String(), string(got)); diff != "" {
		t.Errorf("%s is not what -update would write (-want +got):\n%s", file, diff)
	}
}
