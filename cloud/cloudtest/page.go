package cloudtest

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Operations are the rows of a page's table: each operation of client's API,
// and how much of it service has. It is complete, unless a map of remarks, by
// its word, says otherwise of it: {"limited": {"StartBuild": "no fleets"}}.
func Operations(t testing.TB, service, client reflect.Type, remarks map[string]map[string]string) string {
	t.Helper()
	var b strings.Builder
	operations := map[string]bool{}
	for i := range client.NumMethod() {
		m := client.Method(i)
		if m.Type.NumIn() != 4 { // receiver, context, input, options
			continue
		}
		how := "complete"
		if _, here := service.MethodByName(m.Name); !here {
			how = "not there"
		}
		for word, said := range remarks {
			if text, ok := said[m.Name]; ok {
				if how != "complete" {
					t.Errorf("%s is %s, and %s", m.Name, how, word)
				}
				how = word + ": " + text
			}
		}
		operations[m.Name] = true
		b.WriteString("| `" + m.Name + "` | " + how + " |\n")
	}
	for word, said := range remarks {
		for name := range said {
			if !operations[name] {
				t.Errorf("%s is %s, and no operation", name, word)
			}
		}
	}
	return b.String()
}

// Page fails the test if the file is not text, or, with update, writes it.
func Page(t testing.TB, file, text string, update bool) {
	t.Helper()
	if update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text, string(got)); diff != "" {
		t.Errorf("%s is not what -update would write (-want +got):\n%s", file, diff)
	}
}
