package main

import "golang.org/x/sys/unix"

// freeBytes returns what is free for users on the file system of dir.
func freeBytes(dir string) (uint64, error) {
	free, _, err := diskBytes(dir)
	return free, err
}

// diskBytes returns what is free for users on the file system of dir, and how
// much there is.
func diskBytes(dir string) (free, all uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}
	return s.Bavail * uint64(s.Bsize), s.Blocks * uint64(s.Bsize), nil
}
