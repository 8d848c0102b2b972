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
	"time"
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
	for waited := time.Duration(0); ; waited += lockPause {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		pid := readPID(f)
		switch {
		case !errors.Is(err, syscall.EWOULDBLOCK):
			return nil, errors.Join(fmt.Errorf("locking state directory %q: %w", dir, err), f.Close())
		case waited >= lockPatience || !dead(pid):
			return nil, errors.Join(&InUseError{Dir: dir, PID: pid}, f.Close())
		}
		time.Sleep(lockPause)
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

// A process that was killed while it started another leaves its lock to that
// one, until it runs its program: so long the lock of a dead process is waited for.
const (
	lockPause    = 5 * time.Millisecond
	lockPatience = 2 * time.Second
)

// dead tells whether there is no process of that id.
func dead(pid int) bool { return pid > 0 && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

func readPID(f *os.File) int {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 32))
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
