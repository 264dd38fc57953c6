package credentials

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// MakeSigning makes sure that dir holds a signing key, and that its public key is
// among the trusted ones of dir. It makes what is missing and leaves the rest as
// it is; comment goes behind a key that it adds. Several processes may call it at
// once, and any of them may be killed: the files are whole at every moment. Where
// both are there it writes nothing, so that the folder may be read-only.
func MakeSigning(dir, comment string) error {
	if made(dir) {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	unlock, err := lock(filepath.Join(dir, ".lock"))
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	defer unlock()
	key, err := signingKey(filepath.Join(dir, SigningFile))
	if err != nil {
		return fmt.Errorf("signing key: %w", err)
	}
	if err := pin(filepath.Join(dir, TrustedFile), key.Public().(ed25519.PublicKey), comment); err != nil {
		return fmt.Errorf("trusted keys: %w", err)
	}
	return nil
}

// made tells whether there is nothing to do.
func made(dir string) bool {
	b, err := read(zap.NewNop(), filepath.Join(dir, SigningFile), secret)
	if err != nil {
		return false
	}
	text, err := read(zap.NewNop(), filepath.Join(dir, TrustedFile), public)
	if err != nil {
		return false
	}
	key, err := parseSigning(b)
	if err != nil {
		return false
	}
	trusted, err := ParseTrusted(text)
	return err == nil && slices.ContainsFunc(trusted, func(k ed25519.PublicKey) bool { return k.Equal(key.Public()) })
}

// signingKey reads the key, or makes one.
func signingKey(path string) (ed25519.PrivateKey, error) {
	b, err := read(zap.NewNop(), path, secret)
	if err == nil {
		key, err := parseSigning(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return key, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err // a key that can't be read is no reason to replace it
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	text := base64.StdEncoding.EncodeToString(key.Seed()) + "\n"
	return key, replace(path, []byte(text), 0o600)
}

// pin adds key to the trusted ones.
func pin(path string, key ed25519.PublicKey, comment string) error {
	text, err := read(zap.NewNop(), path, public)
	var trusted []ed25519.PublicKey
	switch {
	case errors.Is(err, fs.ErrNotExist):
		text = []byte("# Keys that may sign jobs: ed25519 BASE64 COMMENT\n")
	case err != nil:
		return err
	default:
		if trusted, err = ParseTrusted(text); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if slices.ContainsFunc(trusted, func(k ed25519.PublicKey) bool { return k.Equal(key) }) {
		return nil
	}
	if n := len(text); n > 0 && text[n-1] != '\n' {
		text = append(text, '\n')
	}
	return replace(path, append(text, TrustedLine(key, comment)...), 0o644)
}

// replace writes a file whole or not at all.
func replace(path string, b []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // which is gone where all went well
	_, err = f.Write(b)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// lock waits for the only lock on a file. It ends with the process at the latest.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return func() { _ = f.Close() }, nil // which unlocks it
}
