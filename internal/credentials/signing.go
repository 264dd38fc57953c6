package credentials

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"path/filepath"

	"go.uber.org/zap"
)

// Names of the files in a folder of keys.
const (
	SigningFile = "signing.key" // the private key that signs jobs, mode 0600
	TrustedFile = "trusted"     // the public keys that may sign them
)

// KeysDir is where the keys are: OVERNIGHT_KEYS, or fallback.
func (e Env) KeysDir(fallback string) string {
	if dir := e.get("OVERNIGHT_KEYS"); dir != "" {
		return dir
	}
	return fallback
}

// LoadSigning returns the key of dir that signs jobs. It is read again when its
// file changes.
func LoadSigning(log *zap.Logger, dir string) (func() ed25519.PrivateKey, error) {
	if log == nil {
		log = zap.NewNop()
	}
	path := filepath.Join(dir, SigningFile)
	w, err := watch(log, "signing key", []file{{path, secret}}, func(c [][]byte) (ed25519.PrivateKey, error) { return parseSigning(c[0]) })
	if err != nil {
		return nil, err
	}
	return w.get, nil
}

// parseSigning reads a private key: its seed of 32 bytes in base64, or PKCS #8 in
// PEM form, as `openssl genpkey -algorithm ed25519` writes it.
func parseSigning(b []byte) (ed25519.PrivateKey, error) {
	errForm := errors.New("no Ed25519 key in it: it is 32 bytes in base64, or PEM as openssl genpkey -algorithm ed25519 writes it")
	if block, rest := pem.Decode(b); block != nil {
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		private, ok := key.(ed25519.PrivateKey)
		if err != nil || !ok || block.Type != "PRIVATE KEY" || len(bytes.TrimSpace(rest)) > 0 {
			return nil, errForm
		}
		return private, nil
	}
	seed, err := base64.StdEncoding.Strict().DecodeString(string(bytes.TrimSpace(b)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, errForm
	}
	return ed25519.NewKeyFromSeed(seed), nil
}
