package chaos

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// needTmpfs tells why no small file system can be made.
func needTmpfs() string {
	if os.Geteuid() != 0 {
		return "needs root, to mount a small tmpfs"
	}
	dir, err := os.MkdirTemp("", "overnight-tmpfs-")
	if err != nil {
		return err.Error()
	}
	err = mount(dir)
	if err == nil {
		err = unmount(dir)
	}
	if err = errors.Join(err, os.Remove(dir)); err != nil {
		return "needs the right to mount: " + err.Error()
	}
	return ""
}

// mount makes a small file system at a folder.
func mount(dir string) error {
	if err := syscall.Mount("overnight", dir, "tmpfs", 0, "size=192m"); err != nil {
		return fmt.Errorf("mount a tmpfs at %s: %w", dir, err)
	}
	return nil
}

func unmount(dir string) error { return syscall.Unmount(dir, syscall.MNT_DETACH) }
