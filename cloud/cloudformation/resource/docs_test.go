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
	"ouro/spec"
)

var update = flag.Bool("update", false, "write the page anew")

// page says of every type of package spec what happens to its resources.
func page() string {
	kinds, refused := resource.NewTable(), resource.Refused()
	var runs, others []string
	recorded := map[string][]string{} // by service
	for _, name := range spec.Names() {
		t, _ := spec.Lookup(name)
		service, last := name[:strings.LastIndex(name, "::")], name[strings.LastIndex(name, "::")+2:]
		switch {
		case t.Transform != "":
			others = append(others, "| `"+name+"` | becomes other types by the transform `"+t.Transform+"` |\n")
		case refused[name] != "":
			others = append(others, "| `"+name+"` | refused: "+refused[name]+" |\n")
		case kinds.Records(name):
			recorded[service] = append(recorded[service], last)
		default:
			runs = append(runs, "| `"+name+"` |\n")
		}
	}
	var b strings.Builder
	b.WriteString("# Resource types on the local cloud\n\n" +
		"Of each of CloudFormation's types, what the local cloud does with its resources. " +
		"`go test ./cloud/cloudformation/resource -run Page -update` writes this page\nfrom the table of types and the [resource specification](spec.md).\n\n" +
		"## Types that run\n\nCloudFormation makes the real thing, through the API of its service.\n\n" +
		"| type |\n|---|\n| `Custom::…` |\n" + strings.Join(runs, "") +
		"\n## Types of their own\n\n| type | |\n|---|---|\n" + strings.Join(others, "") +
		"\n## Recorded types\n\nTheir properties are checked, they get identifiers and attributes of the right shape, are updated and replaced by AWS's rules,\n" +
		"and show in Cloud Control (`aws cloudcontrol get-resource`, `list-resources`). Nothing is behind them.\n\n" +
		"| service | types |\n|---|---|\n")
	for _, service := range slices.Sorted(maps.Keys(recorded)) {
		b.WriteString("| `" + service + "` | " + strings.Join(recorded[service], ", ") + " |\n")
	}
	return b.String()
}

// TestPage keeps docs/resource-types.md true to the table of types.
func TestPage(t *testing.T) {
	t.Parallel()
	const file = "../../../docs/resource-types.md"
	want := page()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is not what -update would write (-want +got):\n%s", file, diff)
	}
}
