package credentials

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"

	"go.uber.org/zap"
)

// maxFile bounds every file that is read here.
const maxFile = 64 << 10

// care is who else may do what with a file.
type care int

const (
	secret care = iota // others must not read it; that its group may is logged
	public             // others must not write it: it says whom we trust
)

// read returns a file's content. Its errors name the file, and what to do.
func read(log *zap.Logger, path string, c care) ([]byte, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, plain(path, err)
	} else if !info.Mode().IsRegular() { // opening a pipe could wait for ever
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, plain(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, plain(path, err)
	}
	if err := permitted(log, path, info.Mode(), c); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, plain(path, err)
	case len(b) > maxFile:
		return nil, fmt.Errorf("%s is longer than %d bytes", path, maxFile)
	case len(b) == 0:
		return nil, fmt.Errorf("%s is empty", path)
	}
	return b, nil
}

// permitted refuses files that others may read or write, by care.
func permitted(log *zap.Logger, path string, mode fs.FileMode, c care) error {
	if runtime.GOOS == "windows" {
		return nil // its modes say nothing
	}
	switch {
	case c == secret && mode&0o007 != 0:
		return fmt.Errorf("%s holds a secret and is open to everybody (mode %04o): chmod 600 %s", path, mode.Perm(), path)
	case mode&0o002 != 0:
		return fmt.Errorf("%s can be written by everybody (mode %04o): chmod 644 %s", path, mode.Perm(), path)
	case c == secret && mode&0o070 != 0:
		log.Warn("secret open to its group", zap.String("file", path), zap.String("mode", fmt.Sprintf("%04o", mode.Perm())))
	}
	return nil
}

// plain is an error of the file system, once with its path.
func plain(path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// line returns a file's content without one newline at its end.
func line(b []byte) (string, error) {
	b = bytes.TrimSuffix(b, []byte("\n"))
	b = bytes.TrimSuffix(b, []byte("\r"))
	if len(b) == 0 {
		return "", errors.New("it holds no more than a newline")
	}
	return string(b), nil
}
