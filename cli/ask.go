package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"
)

// asker asks the person at the terminal. Questions go where narration goes.
type asker struct {
	paint
	in    *os.File
	lines *bufio.Reader
	out   io.Writer
}

// asker is who can be asked; nil if nobody sits there.
func (s IO) asker() *asker {
	in, ok := s.In.(*os.File)
	if !ok || !s.ErrTerminal || !term.IsTerminal(int(in.Fd())) {
		return nil
	}
	return &asker{paint: paint(s.Color), in: in, lines: bufio.NewReader(in), out: s.Err}
}

// ask is the answer to a question, or, for an empty one, the default. It asks
// again until accept finds nothing wrong.
func (a *asker) ask(ctx context.Context, question, standard string, accept func(string) error) (string, error) {
	prompt := a.bold(question)
	if standard != "" {
		prompt += a.dim(" [" + standard + "]")
	}
	for {
		fmt.Fprint(a.out, prompt+": ")
		text, err := a.read(ctx, func() (string, error) { return a.lines.ReadString('\n') })
		if err != nil {
			return "", err
		}
		text = firstOf(strings.TrimSpace(text), standard)
		if accept == nil {
			return text, nil
		}
		if err = accept(text); err == nil {
			return text, nil
		}
		fmt.Fprintln(a.out, a.red("  "+err.Error()))
	}
}

// yes tells whether the answer to a question is yes; the default is no.
func (a *asker) yes(ctx context.Context, question string) (bool, error) {
	fmt.Fprint(a.out, a.bold(question)+" [y/N] ")
	text, err := a.read(ctx, func() (string, error) { return a.lines.ReadString('\n') })
	if errors.Is(err, errNoAnswer) {
		return false, nil
	}
	return slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(text))), err
}

// secret is an answer that the terminal does not show.
func (a *asker) secret(ctx context.Context, question string) (string, error) {
	fd := int(a.in.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("hiding what is typed: %w", err)
	}
	fmt.Fprint(a.out, a.bold(question)+": ")
	text, err := a.read(ctx, func() (string, error) {
		b, err := term.ReadPassword(fd)
		return string(b) + "\n", err
	})
	fmt.Fprintln(a.out)
	if ctx.Err() != nil {
		// ReadPassword still waits, and would restore the terminal only then.
		err = errors.Join(err, term.Restore(fd, before))
	}
	return strings.TrimSpace(text), err
}

// errNoAnswer tells that the input ended before an answer came.
var errNoAnswer = errors.New("the question was not answered")

// read reads one line, and gives up when ctx ends, which a read does not.
func (a *asker) read(ctx context.Context, line func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		text, err := line()
		got <- answer{text, err}
	}()
	select {
	case r := <-got:
		if errors.Is(r.err, io.EOF) {
			fmt.Fprintln(a.out)
			return "", errNoAnswer
		}
		return r.text, r.err
	case <-ctx.Done():
		fmt.Fprintln(a.out)
		return "", ctx.Err()
	}
}
