package cli

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/charmbracelet/x/ansi"

	"ouro/ci"
)

// batchDrawer tells how a batch goes on: a line for each part that has ended,
// and, on a terminal, a table of those that run below.
type batchDrawer struct {
	*narrator
	ended map[string]bool // parts that were told of, by build
}

func newBatchDrawer(n *narrator) *batchDrawer {
	return &batchDrawer{narrator: n, ended: map[string]bool{}}
}

// maxRows is how many running parts are shown at a time, if the terminal has
// the lines.
const maxRows = 12

func (d *batchDrawer) draw(b *ci.Batch) {
	width := widest(b.Parts)
	var running, queued []ci.Part
	ended := 0
	for _, part := range b.Parts {
		switch {
		case part.Ended():
			ended++
			if key := part.Identifier + " " + part.Build; !d.ended[key] {
				d.ended[key] = true
				d.end(part, width)
			}
		case part.Build == "":
		case slices.Contains(waiting, part.Phase):
			queued = append(queued, part)
		default:
			running = append(running, part)
		}
	}
	text := fmt.Sprintf("%s: %d of %d parts done, %d running", b.Project, ended, len(b.Parts), len(running))
	if len(queued) > 0 {
		text += fmt.Sprintf(", %d queued", len(queued))
	}
	now := time.Now()
	d.doingSince(text, now.Add(-b.Duration))
	d.below(slices.Concat(running, queued), width, now)
}

// waiting are the phases of builds that do not run yet.
var waiting = []string{"", string(types.BuildPhaseTypeSubmitted), string(types.BuildPhaseTypeQueued)}

// end tells that a part has ended.
func (d *batchDrawer) end(part ci.Part, width int) {
	mark := d.amber("–")
	switch part.Status {
	case string(types.StatusTypeSucceeded):
		mark = d.green("✓")
	case string(types.StatusTypeFailed), string(types.StatusTypeFault), string(types.StatusTypeTimedOut):
		mark = d.red("✗")
	}
	d.linked("  "+mark+" "+partColumns(d.paint, part, width), part.Log)
	if part.Reason != "" {
		note := part.Reason
		if part.Ignored {
			note += " (ignored)"
		}
		d.line("      " + d.red(note))
	}
}

// below has the running parts drawn below the last line, with their clocks
// going on.
func (d *batchDrawer) below(running []ci.Part, width int, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	most := min(maxRows, max(1, d.height-4)) // the lines above, and the one that counts the rest
	d.rows = func() []string {
		var rows []string
		for i, part := range running {
			if i == most {
				return append(rows, d.dim(fmt.Sprintf("    … and %d more", len(running)-i)))
			}
			part.Duration += time.Since(at)
			rows = append(rows, d.withLink("    "+partColumns(d.paint, part, width), part.Log))
		}
		return rows
	}
}

// partColumns are a part's identifier, what it does now or how it ended, and
// how long that took.
func partColumns(p paint, part ci.Part, width int) string {
	state := part.Status
	switch {
	case state == "":
		state = p.dim("waits")
	case part.Ended():
		state = p.status(state)
	default:
		state = p.dim(part.Phase)
	}
	name := padRight(ansi.Truncate(part.Identifier, width, "…"), width+2)
	if part.Attempt > 1 {
		state += fmt.Sprintf(" (%d)", part.Attempt)
	}
	return name + padRight(state, 20) + padRight(duration(part.Duration), 8)
}

// linked writes a line that ends in a link: on a terminal the word log, which
// leads there, else the address in full.
func (n *narrator) linked(text, link string) {
	if !n.live {
		n.line(strings.TrimRight(text+link, " "))
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.clear()
	fmt.Fprintln(n.raw, n.withLink(text, link))
}

// withLink is a line within the width that ends in a link to somewhere, for
// terminals (https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda).
func (n *narrator) withLink(text, link string) string {
	text = ansi.Truncate(tame(text), n.width-5, "…")
	if u, err := url.Parse(link); !bool(n.paint) || link == "" || err != nil || u.Host == "" || strings.ContainsFunc(link, unicode.IsControl) {
		return strings.TrimRight(text, " ")
	}
	return text + ansi.SetHyperlink(link) + "log" + ansi.ResetHyperlink()
}
