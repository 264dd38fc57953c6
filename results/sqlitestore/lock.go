package sqlitestore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// lockName is the file that a coordinator locks. It stays when the lock is
// released.
const lockName = "lock"

// Holder is who holds the lock of a store's folder.
type Holder struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Since   time.Time `json:"since"`
	Command string    `json:"command"`
}

// LockedError says that another process holds the lock.
type LockedError struct {
	Dir    string
	Holder Holder // zero where it has not said yet
}

func (e *LockedError) Error() string {
	h := e.Holder
	if h.PID == 0 {
		return fmt.Sprintf("another process has just locked %s: wait for it, or name another folder with --store", e.Dir)
	}
	return fmt.Sprintf("%s is in use by process %d on %s since %s (%s): wait for it, stop it (kill %d), or name another folder with --store",
		e.Dir, h.PID, h.Host, h.Since.Local().Format("2006-01-02 15:04:05"), h.Command, h.PID)
}

// Lock takes the lock of a store's folder, which it creates, for a coordinator:
// one at a time works on a folder. The kernel releases it when the process ends,
// however that happens. Readers, and those who give orders, don't need it. Where
// another process holds it, the error is a *LockedError.
func Lock(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create the store's folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		locked := &LockedError{Dir: dir}
		if b, err := io.ReadAll(io.LimitReader(f, 64<<10)); err == nil && json.Unmarshal(b, &locked.Holder) != nil {
			locked.Holder = Holder{}
		}
		return nil, errors.Join(locked, f.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w; use a file system that has locks", dir, err), f.Close())
	}
	if err := sign(f); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), f.Close())
	}
	return func() {
		_ = f.Truncate(0) // only the lock itself counts
		_ = f.Close()
	}, nil
}

// sign writes who holds the lock into its file.
func sign(f *os.File) error {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	b, err := json.Marshal(Holder{PID: os.Getpid(), Host: host, Since: time.Now(), Command: strings.Join(os.Args, " ")})
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(b, 0)
	return err
}
