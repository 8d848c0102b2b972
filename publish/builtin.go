package publish

import (
	"fmt"

	"ouro/library"
)

// readLibrary fills f from the library. Its templates are checked when the
// program is built, so that they are not checked again.
func (l *loader) readLibrary(f *file) {
	t, err := library.Open(f.source.path)
	if err != nil {
		f.failure = fmt.Errorf("cannot be read: %w", err)
		return
	}
	d := l.desks.Get().(*desk)
	defer l.desks.Put(d)
	f.size = int64(len(t.Body))
	parsed, err := d.reader.Parse(f.path, t.Body) // with positions that name the file as it is shown
	if err != nil {
		f.failure = err
		return
	}
	f.keep(parsed, d)
}
