//go:build unix

package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// InUseError says that a process has the state directory open.
type InUseError struct {
	Dir string
	PID int // 0 if the process did not say
}

func (e *InUseError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("state directory %q is in use by another process", e.Dir)
	}
	return fmt.Sprintf("state directory %q is in use by process %d", e.Dir, e.PID)
}

// lockDir takes the directory for this process. The lock is the kernel's and
// ends with the process, however it ends; the file stays and holds the pid for
// whoever comes too late.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking state directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &InUseError{Dir: dir, PID: readPID(f)}
		}
		return nil, fmt.Errorf("locking state directory %q: %w", dir, err)
	}
	if err := writePID(f); err != nil {
		return nil, errors.Join(fmt.Errorf("locking state directory %q: %w", dir, err), f.Close())
	}
	return f, nil
}

// unlockDir gives the directory back. Closing the file alone would not do: a
// process that is just being started may hold a copy of it until it runs its
// program, and with that the lock.
func unlockDir(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}

func readPID(f *os.File) int {
	b, err := io.ReadAll(io.LimitReader(f, 32))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	return pid
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}
