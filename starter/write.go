package starter

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Write writes files below dir, and gives the names of those that were not
// there already. If one is there with another content, nothing is written.
func Write(dir string, files []File) (written []string, err error) {
	var missing []File
	var differ []string
	for _, f := range files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		there, err := os.ReadFile(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, f)
		case err != nil:
			return nil, fmt.Errorf("making the project: %w", err)
		case !bytes.Equal(there, f.Body):
			differ = append(differ, strconv.Quote(name))
		}
	}
	if len(differ) > 0 {
		return nil, fmt.Errorf("making the project: there already, with other content: %s", strings.Join(differ, ", "))
	}
	for _, f := range missing {
		if err := write(filepath.Join(dir, filepath.FromSlash(f.Name)), f.Body); err != nil {
			return written, fmt.Errorf("making the project: %w", err)
		}
		written = append(written, f.Name)
	}
	return written, nil
}

// write makes a file that is not there; one that came in between is left alone.
func write(name string, body []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	return errors.Join(err, f.Close())
}
