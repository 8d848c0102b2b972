package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/charmbracelet/x/ansi"

	"ouro/pipeline"
	"ouro/regex"
)

// paint is how text is coloured: SGR codes, or none.
type paint bool

func (p paint) with(code, text string) string {
	if !p || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p paint) bold(s string) string  { return p.with("1", s) }
func (p paint) dim(s string) string   { return p.with("2", s) }
func (p paint) red(s string) string   { return p.with("31", s) }
func (p paint) green(s string) string { return p.with("32", s) }
func (p paint) amber(s string) string { return p.with("33", s) }

// status colours one of AWS's status words by how it ends.
func (p paint) status(s string) string {
	switch {
	case strings.Contains(s, "FAILED") || strings.Contains(s, "ROLLBACK") || s == "Failed" || s == "FAULT" || s == "TIMED_OUT":
		return p.red(s)
	case strings.HasSuffix(s, "_COMPLETE") || strings.EqualFold(s, "Succeeded"):
		return p.green(s)
	case strings.HasSuffix(s, "IN_PROGRESS") || s == "InProgress":
		return p.dim(s)
	}
	return p.amber(s)
}

// quote prints the lines of somebody else's text.
func (p paint) quote(w io.Writer, lines []string) {
	for _, line := range lines {
		fmt.Fprintln(w, p.dim("  │ ")+line)
	}
}

// narrator tells on standard error what happens. On a terminal its last line
// says what is happening now.
type narrator struct {
	paint
	w      io.Writer
	raw    io.Writer // the same, for what tame would take out
	width  int
	height int
	live   bool // draw a last line

	approve string // the command that approves

	mu    sync.Mutex
	now   string // what is happening; empty for nothing
	since time.Time
	rows  func() []string // drawn below the last line, each tame and within the width; nil for none
	drawn int             // lines
	stage string
	stop  chan struct{}
	done  sync.WaitGroup
}

var _ pipeline.Observer = (*narrator)(nil)

func newNarrator(s IO) *narrator {
	n := &narrator{approve: "ouro approve", paint: paint(s.Color), w: s.Err, raw: s.Err, width: s.Width, height: s.Height, live: s.ErrTerminal, stop: make(chan struct{})}
	if t, ok := s.Err.(tamed); ok {
		n.raw = t.terminal
	}
	if n.live {
		n.done.Add(1)
		go n.animate()
	}
	return n
}

// Close takes the last line away.
func (n *narrator) Close() {
	close(n.stop)
	n.done.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.clear()
}

// clearNow ends the last line, for something else to be printed.
func (n *narrator) clearNow() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now, n.rows = "", nil
	n.clear()
}

const frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"

func (n *narrator) animate() {
	defer n.done.Done()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	glyphs := []rune(frames)
	for i := 0; ; i++ {
		select {
		case <-n.stop:
			return
		case <-tick.C:
		}
		n.mu.Lock()
		if n.now != "" {
			line := fmt.Sprintf("%c %s  %s", glyphs[i%len(glyphs)], n.now, duration(time.Since(n.since)))
			n.clear()
			fmt.Fprint(n.w, n.dim(ansi.Truncate(line, n.width-1, "…")))
			n.drawn = 1
			if n.rows != nil {
				below := n.rows()
				for _, row := range below {
					fmt.Fprint(n.raw, "\r\n"+row)
				}
				n.drawn += len(below)
			}
		}
		n.mu.Unlock()
	}
}

func (n *narrator) clear() {
	if n.drawn > 0 {
		fmt.Fprint(n.raw, strings.Repeat("\r\x1b[K\x1b[A", n.drawn-1)+"\r\x1b[K")
		n.drawn = 0
	}
}

// line writes one line above the last one; what is too long for a terminal
// is cut.
func (n *narrator) line(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.clear()
	text = tame(text)
	if n.live {
		text = ansi.Truncate(text, n.width, "…")
	}
	fmt.Fprintln(n.w, text)
}

// whole writes a text that must be read in full, however long it is.
func (n *narrator) whole(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.clear()
	fmt.Fprintln(n.w, tame(text))
}

func (n *narrator) doing(what string) { n.doingSince(what, time.Now()) }

// doingSince is doing for what has begun before.
func (n *narrator) doingSince(what string, since time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now, n.since = tame(what), since
}

// Step tells what begins.
func (n *narrator) Step(text string) {
	n.line(n.bold(text))
	n.doing(text)
}

// StackEvent tells an event of a stack: one line for each resource that is
// done, none for its beginning.
func (n *narrator) StackEvent(e cfntypes.StackEvent) {
	status, id := string(e.ResourceStatus), aws.ToString(e.LogicalResourceId)
	if strings.HasSuffix(status, "_IN_PROGRESS") && aws.ToString(e.PhysicalResourceId) != aws.ToString(e.StackId) {
		n.doing(aws.ToString(e.StackName) + " › " + id)
		return
	}
	n.line(fmt.Sprintf("  %s  %s  %s", padRight(n.status(status), 30), id, n.dim(aws.ToString(e.ResourceType))))
	if reason := aws.ToString(e.ResourceStatusReason); strings.HasSuffix(status, "_FAILED") && reason != "" {
		n.line("    " + n.red(reason))
	}
}

// Execution tells which execution is followed.
func (n *narrator) Execution(name, id string) {
	n.stage = ""
	n.line(n.bold("Execution " + id))
	n.doing(name)
}

// Action tells that an action started or ended.
func (n *narrator) Action(a pipeline.Action) {
	if a.Stage != n.stage {
		n.stage = a.Stage
		n.line("  " + a.Stage)
	}
	if a.Status == types.ActionExecutionStatusInProgress {
		if a.Provider == "Manual" {
			n.line(fmt.Sprintf("    %s %s waits for approval: %s --stage %s", n.amber("?"), a.Name, n.approve, a.Stage))
		}
		n.doing(a.Stage + " › " + a.Name)
		return
	}
	mark := n.amber("–")
	switch a.Status {
	case types.ActionExecutionStatusSucceeded:
		mark = n.green("✓")
	case types.ActionExecutionStatusFailed:
		mark = n.red("✗")
	}
	text := fmt.Sprintf("    %s %s %s", mark, padRight(a.Name, 20), padRight(duration(a.Updated.Sub(a.Started)), 7))
	if a.Status == types.ActionExecutionStatusAbandoned {
		text += n.amber("abandoned: the pipeline changed")
	} else if s := firstLine(a.Summary); s != "" && a.Reason == "" {
		text += n.dim(s)
	}
	n.line(strings.TrimRight(text, " "))
	if a.Reason != "" {
		n.line("      " + n.red(a.Reason))
	}
	for _, f := range a.Failures {
		n.line("      " + n.red(f.Stack+" › "+f.LogicalID+": "+f.Reason))
	}
}

// agentLine is how the lines of CodeBuild's agent begin.
var agentLine = regex.New(`^\[Container\] \S+ \S+ `)

// Log tells a line of a build's log: what the commands print as it is, what
// the agent says of them dimmed and without its clock.
func (n *narrator) Log(_ pipeline.Action, line string) {
	prefix := agentLine().FindString(line)
	if prefix == "" {
		n.line(n.dim("      │ ") + line)
		return
	}
	said := strings.TrimSpace(line[len(prefix):])
	if said == "Phase context status code:  Message:" {
		return // it says nothing
	}
	n.line(n.dim("      │ " + said))
}

// duration is a time span as people read it: 0.2s, 12s, 3m05s.
func duration(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
}

func padRight(s string, width int) string {
	if n := width - ansi.StringWidth(s); n > 0 {
		return s + strings.Repeat(" ", n)
	}
	return s
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
