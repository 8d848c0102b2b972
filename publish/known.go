package publish

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
)

// maxKnown is how many results are kept: half a megabyte of them, which is read
// in a millisecond.
const maxKnown = 1 << 15

// Known remembers in a file what was looked at and found without fault, so that
// nothing is looked at twice. What had a fault is not remembered: it is told
// again each time. A lost or broken file costs time and nothing else. Several
// goroutines may use it, and several processes the file: the last to save wins.
// The nil Known remembers nothing.
type Known struct {
	name    string
	program string

	mu      sync.Mutex
	place   map[fingerprint]int // in the file; 0 for what was asked about since
	changed bool
}

// fingerprint is the half of a SHA-256 that stands for one result.
type fingerprint [16]byte

// OpenKnown reads what the file remembers. What another build of the program
// found counts for nothing, since it may have had other rules.
func OpenKnown(name string) *Known {
	body, err := readAtMost(name, maxKnown*len(fingerprint{}))
	if err != nil {
		body = nil
	}
	k := &Known{name: name, program: program(), place: make(map[fingerprint]int, len(body)/len(fingerprint{}))}
	for part := range slices.Chunk(body, len(fingerprint{})) {
		if len(part) == len(fingerprint{}) {
			k.place[fingerprint(part)] = len(k.place) + 1
		}
	}
	return k
}

func readAtMost(name string, n int) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	return io.ReadAll(io.LimitReader(f, int64(n)))
}

// program tells this build of the program from others. Reproducible builds may
// have one size and one time: those have a version.
func program() string {
	exe, err := os.Executable()
	if err != nil {
		return ""
	}
	info, err := os.Stat(exe)
	if err != nil {
		return ""
	}
	version := ""
	if build, ok := debug.ReadBuildInfo(); ok {
		version = build.Main.Version
	}
	return fmt.Sprint(info.Size(), info.ModTime().UnixNano(), version)
}

// once calls look unless it is known that it finds nothing in body; words tell
// one way of looking from another. look answers whether it found something.
func (k *Known) once(body []byte, look func() bool, words ...string) {
	if k == nil {
		look()
		return
	}
	sum := sha256.Sum256(body)
	sum = sha256.Sum256([]byte(k.program + "\x00" + strings.Join(words, "\x00") + "\x00" + string(sum[:])))
	f := fingerprint(sum[:len(fingerprint{})])
	k.mu.Lock()
	_, ok := k.place[f]
	if ok {
		k.place[f] = 0
	}
	k.mu.Unlock()
	if ok || look() {
		return
	}
	k.mu.Lock()
	k.place[f], k.changed = 0, true
	k.mu.Unlock()
}

// Save writes the file, with what was used last in front; what does not fit is
// forgotten. The file is never seen half written.
func (k *Known) Save() error {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.changed {
		return nil
	}
	order := make([]fingerprint, 0, len(k.place))
	for f := range k.place {
		order = append(order, f)
	}
	slices.SortFunc(order, func(a, b fingerprint) int {
		return cmp.Or(cmp.Compare(k.place[a], k.place[b]), bytes.Compare(a[:], b[:]))
	})
	var body []byte
	for _, f := range order[:min(len(order), maxKnown)] {
		body = append(body, f[:]...)
	}
	if err := writeCache(k.name, body); err != nil {
		return fmt.Errorf("remembering what was checked: %w", err)
	}
	k.changed = false
	return nil
}

// writeCache replaces a file of what is remembered; nobody sees half of it.
func writeCache(name string, body []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone already when all went well
	_, err = f.Write(body)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
