package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"ouro/ci"
)

// The table of the parts that run fits the terminal, the builds that wait
// below those that do not.
func TestBatchTable(t *testing.T) {
	t.Parallel()
	b := &ci.Batch{ID: "demo-CI:1", Project: "demo-CI", Parts: []ci.Part{{Identifier: "done", Build: "d", Status: "SUCCEEDED"}, {Identifier: "later"}}}
	for i := range 20 {
		part := ci.Part{Identifier: fmt.Sprintf("part_%d_%s", i, strings.Repeat("x", 60)), Build: fmt.Sprint(i), Status: "IN_PROGRESS", Phase: "QUEUED", Log: "https://logs.example.com/1"}
		if i >= 18 {
			part.Phase = "BUILD"
		}
		b.Parts = append(b.Parts, part)
	}
	for height, want := range map[int]int{3: 2, 10: 7, 50: 13} {
		var out bytes.Buffer
		n := newNarrator(IO{Err: &out, Color: true, Width: 60, Height: height})
		newBatchDrawer(n).draw(b)
		rows := n.rows()
		if len(rows) != want || !strings.Contains(rows[0], "part_18_") || !strings.Contains(rows[len(rows)-1], fmt.Sprintf("… and %d more", 21-want)) {
			t.Errorf("with %d lines: %q", height, rows)
		}
		for _, row := range rows {
			if ansi.StringWidth(row) > 60 {
				t.Errorf("too wide: %q", row)
			}
		}
		if n.now != "demo-CI: 1 of 22 parts done, 2 running, 18 queued" || !strings.Contains(out.String(), "done") {
			t.Errorf("%q, %q", n.now, out.String())
		}
		n.Close()
	}
}
