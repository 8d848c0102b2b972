package codebuild

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"ouro/regex"
)

const (
	// maxLine is where a line is cut, in bytes; CloudWatch Logs takes events
	// of 256 KB.
	maxLine = 200 << 10
	// drainTime is how long the log is read on after the build's last process
	// should be gone, in case one of them got away with the pipe.
	drainTime = 500 * time.Millisecond
)

// buildLog takes what a build says. The commands of the build and CodeBuild's
// own lines go through one pipe, which keeps their order. A nil buildLog takes
// nothing.
type buildLog struct {
	now    func() time.Time
	in     *os.File // where commands and say write to
	out    *os.File
	sink   func(line string, at time.Time) // masked, with its newline
	finish func()                          // after the last line
	secret atomic.Pointer[strings.Replacer]
	done   chan struct{}
}

// ownLine goes before CodeBuild's own lines, so that they begin on a line of
// their own even when a command's last line has no end. It is not shown.
const ownLine = "\x1eouro\x1e"

// startLog begins to read what is written to the log's in.
func startLog(now func() time.Time, sink func(line string, at time.Time), finish func()) (*buildLog, error) {
	out, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making the pipe of a build's log: %w", err)
	}
	l := &buildLog{now: now, in: in, out: out, sink: sink, finish: finish, done: make(chan struct{})}
	go l.read()
	return l, nil
}

// say writes a line of CodeBuild's own.
func (l *buildLog) say(format string, args ...any) {
	if l == nil {
		return
	}
	stamp := l.now().Format("2006/01/02 15:04:05.000000")
	// The pipe breaks only when close has been called.
	_, _ = io.WriteString(l.in, ownLine+"[Container] "+stamp+" "+fmt.Sprintf(format, args...)+"\n")
}

// hide has the values replaced by *** from here on.
func (l *buildLog) hide(values []string) {
	var pairs []string
	// Longer ones first: a value may be part of another.
	slices.SortStableFunc(values, func(a, b string) int { return len(b) - len(a) })
	for _, v := range values {
		for _, part := range strings.Split(v, "\n") {
			if part = strings.TrimSpace(part); part != "" {
				pairs = append(pairs, part, "***")
			}
		}
	}
	l.secret.Store(strings.NewReplacer(pairs...))
}

// keyID is the form of AWS's access key ids, which CodeBuild hides wherever
// they come from.
var keyID = regex.New(`\b(AKIA|ASIA)[A-Z0-9]{16}\b`)

// mask hides secrets in a text that is shown.
func (l *buildLog) mask(text string) string {
	if l == nil {
		return text
	}
	if secret := l.secret.Load(); secret != nil {
		text = secret.Replace(text)
	}
	if strings.Contains(text, "AKIA") || strings.Contains(text, "ASIA") {
		text = keyID().ReplaceAllString(text, "***")
	}
	return text
}

func (l *buildLog) read() {
	defer close(l.done)
	defer l.finish()
	in := bufio.NewReaderSize(l.out, 64<<10)
	var line []byte
	for {
		piece, err := in.ReadSlice('\n')
		line = append(line, piece...)
		if len(line) > 0 && (err != bufio.ErrBufferFull || len(line) >= maxLine) {
			l.pass(line)
			line = line[:0]
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

// pass hands over a line, or the part of a long one.
func (l *buildLog) pass(line []byte) {
	if before, own, ok := bytes.Cut(line, []byte(ownLine)); ok {
		if len(before) > 0 {
			l.emit(append(slices.Clip(before), '\n'))
		}
		line = own
	}
	for len(line) > maxLine {
		l.emit(line[:maxLine])
		line = line[maxLine:]
	}
	l.emit(line)
}

func (l *buildLog) emit(line []byte) {
	l.sink(l.mask(string(bytes.ToValidUTF8(line, []byte("\uFFFD")))), l.now())
}

// close ends the log when the build's processes are gone, and waits until
// every line is where it belongs.
func (l *buildLog) close() {
	if l == nil {
		return
	}
	_ = l.in.Close()
	_ = l.out.SetReadDeadline(time.Now().Add(drainTime))
	<-l.done
	_ = l.out.Close()
}
