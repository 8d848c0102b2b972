package cli

import (
	"io"
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"ouro/regex"
)

// colours is a sequence that only sets how text looks.
var colours = regex.New(`^\x1b\[[0-9;:]*m$`)

// tamed is a terminal that gets tame texts only. Each write is a text of its
// own.
type tamed struct{ terminal io.Writer }

func (t tamed) Write(p []byte) (int, error) {
	if _, err := io.WriteString(t.terminal, tame(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// tame is a text that cannot do more to a terminal than fill and colour its
// lines: what AWS and builds say may come from anybody who can push.
func tame(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
		return text
	}
	var b strings.Builder
	for state := byte(ansi.NormalState); text != ""; {
		seq, width, n, next := ansi.DecodeSequence(text, state, nil)
		if width > 0 || seq == "\n" || seq == "\t" || colours().MatchString(seq) {
			b.WriteString(seq)
		}
		text, state = text[n:], next
	}
	return b.String()
}
