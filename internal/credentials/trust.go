package credentials

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.uber.org/zap"
)

// maxTrusted bounds the keys of a trusted file.
const maxTrusted = 256

// LoadTrusted returns the public keys that may sign jobs, from a text file with
// one key a line:
//
//	ed25519 BASE64 COMMENT
//
// Empty lines and those that begin with # are comments. Several keys are trusted
// at once, so that a new one can be handed out before it is used. The file is
// read again when it changes; one without a key, but with a comment, trusts
// nobody.
func LoadTrusted(log *zap.Logger, path string) (func() []ed25519.PublicKey, error) {
	f, err := Watch(log, "trusted keys", path, ParseTrusted)
	if err != nil {
		return nil, err
	}
	return f.Get, nil
}

// ParseTrusted reads the text of a trusted file and refuses all of it where a
// line is wrong. A key that stands there twice counts once.
func ParseTrusted(text []byte) ([]ed25519.PublicKey, error) {
	var keys []ed25519.PublicKey
	n := 0
	for row := range strings.Lines(string(text)) {
		n++
		words := strings.Fields(row)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if len(words) < 2 || words[0] != "ed25519" || !utf8.ValidString(row) {
			return nil, fmt.Errorf("line %d is no key: write ed25519, the public key in base64 and a comment", n)
		}
		key, err := base64.StdEncoding.Strict().DecodeString(words[1])
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("line %d: the key is not %d bytes in base64", n, ed25519.PublicKeySize)
		}
		if slices.ContainsFunc(keys, func(k ed25519.PublicKey) bool { return bytes.Equal(k, key) }) {
			continue
		}
		if keys = append(keys, key); len(keys) > maxTrusted {
			return nil, fmt.Errorf("more than %d keys", maxTrusted)
		}
	}
	if n == 0 {
		return nil, errors.New("it is empty")
	}
	return keys, nil
}

// TrustedLine is the line of a trusted file for a key.
func TrustedLine(key ed25519.PublicKey, comment string) string {
	comment = strings.Join(strings.Fields(comment), " ")
	return strings.TrimSpace("ed25519 "+base64.StdEncoding.EncodeToString(key)+" "+comment) + "\n"
}
