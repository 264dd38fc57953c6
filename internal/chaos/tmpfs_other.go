//go:build !linux

package chaos

import "errors"

func needTmpfs() string { return "needs Linux, to mount a small tmpfs" }

func mount(string) error { return errors.ErrUnsupported }

func unmount(string) error { return errors.ErrUnsupported }
