package runner

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	maxTail = 4 * 1024
	maxLine = 256 * 1024

	// Lines are given on together, after a moment: an invocation does not wait
	// for its log, as on AWS, and short ones share a call of the sink.
	heldFor  = 50 * time.Millisecond
	heldSize = 256 * 1024
)

// stream is the log stream of an execution environment.
type stream struct {
	fn   Function
	name string
	sink func(Function, string, []Line)

	giving sync.Mutex // held by who calls the sink, so that lines keep their order

	mu    sync.Mutex
	tail  []byte
	held  []Line
	size  int
	timer *time.Timer // gives on what is held
}

func newStream(sink func(Function, string, []Line), fn Function) *stream {
	number := make([]byte, 16)
	_, _ = rand.Read(number)
	name := fmt.Sprintf("%s/[%s]%s", time.Now().UTC().Format("2006/01/02"), fn.Version, hex.EncodeToString(number))
	return &stream{fn: fn, name: name, sink: sink}
}

// forget begins the tail anew, for the next invocation.
func (s *stream) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tail = nil
}

func (s *stream) write(texts ...string) {
	if len(texts) == 0 {
		return
	}
	s.mu.Lock()
	now := time.Now()
	for _, text := range texts {
		s.held = append(s.held, Line{Time: now, Text: text})
		s.size += len(text)
		s.tail = append(append(s.tail, text...), '\n')
	}
	if extra := len(s.tail) - maxTail; extra > 0 {
		s.tail = bytes.Clone(s.tail[extra:])
	}
	full := s.size > heldSize
	if !full && s.timer == nil {
		s.timer = time.AfterFunc(heldFor, s.deliver)
	}
	s.mu.Unlock()
	if full {
		s.deliver()
	}
}

// deliver gives on what is held. Who writes meanwhile does not wait for it.
func (s *stream) deliver() {
	s.giving.Lock()
	defer s.giving.Unlock()
	s.mu.Lock()
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	lines := s.held
	s.held, s.size = nil, 0
	s.mu.Unlock()
	if len(lines) > 0 {
		s.sink(s.fn, s.name, lines)
	}
}

// output is what a process writes, on its way into a stream.
type output struct {
	stream         *stream
	reader, writer *os.File
	lines          bool // a carriage return stands for a line break inside an event
	mark           []byte
	seen           chan struct{}
	over           chan struct{}

	mu     sync.Mutex // one flush at a time
	closed bool
}

// open makes a pipe into the stream.
func (s *stream) open() (*output, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	secret := make([]byte, 16)
	_, _ = rand.Read(secret)
	o := &output{
		stream: s, reader: reader, writer: writer, lines: !strings.HasPrefix(s.fn.Runtime, "provided"),
		mark: []byte("\x00" + hex.EncodeToString(secret)), seen: make(chan struct{}), over: make(chan struct{}),
	}
	go o.read()
	return o, nil
}

// flush waits until everything that has been written until now is in the
// stream: it sends a mark after it, that only this pipe knows.
func (o *output) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flushLocked()
}

func (o *output) flushLocked() {
	if o.closed {
		return // what was written is in
	}
	if _, err := o.writer.Write(append(bytes.Clone(o.mark), '\n')); err == nil {
		<-o.seen
	}
}

// close flushes and ends the reading, whoever may still hold the other end.
func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	o.flushLocked()
	o.closed = true
	_ = o.reader.Close()
	_ = o.writer.Close()
	<-o.over
}

func (o *output) read() {
	defer close(o.over)
	chunk := make([]byte, 32*1024)
	var pending []byte
	for {
		n, err := o.reader.Read(chunk)
		if err != nil {
			return
		}
		pending = o.split(append(pending, chunk[:n]...))
	}
}

// split writes the lines of the text and returns what is left.
func (o *output) split(text []byte) []byte {
	var lines []string
	add := func(line []byte) {
		if o.lines {
			line = bytes.ReplaceAll(line, []byte("\r"), []byte("\n"))
		}
		lines = append(lines, strings.ToValidUTF8(strings.TrimRight(string(line), "\n"), "\uFFFD"))
	}
	for {
		at := bytes.IndexByte(text, '\n')
		if at < 0 && len(text) > maxLine+len(o.mark) {
			add(text[:maxLine])
			text = text[maxLine:]
			continue
		}
		if at < 0 {
			break
		}
		line := text[:at]
		text = text[at+1:]
		rest, marked := bytes.CutSuffix(line, o.mark)
		for ; len(rest) > maxLine; rest = rest[maxLine:] {
			add(rest[:maxLine])
		}
		if !marked || len(rest) > 0 {
			add(rest)
		}
		if marked {
			o.stream.write(lines...)
			lines = nil
			o.seen <- struct{}{}
		}
	}
	o.stream.write(lines...)
	return bytes.Clone(text)
}
