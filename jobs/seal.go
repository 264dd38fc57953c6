package jobs

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
)

// Codec turns jobs into the messages of a queue and back. What Open returns was
// sealed by somebody whom it trusts, and not altered since. Messages of a Codec
// are at most MaxJobBytes long.
type Codec interface {
	Seal(Job) ([]byte, error)
	Open([]byte) (Job, error)
}

// Plain trusts whoever can write to the queue: for a queue inside the process.
type Plain struct{}

// Seal is Job.Encode.
func (Plain) Seal(j Job) ([]byte, error) { return j.Encode() }

// Open is DecodeJob.
func (Plain) Open(b []byte) (Job, error) { return DecodeJob(b) }

// Signed seals jobs with an Ed25519 signature (RFC 8032) and opens those that a
// trusted key signed. Both functions are called for each message, so that keys
// can change while the program runs.
//
// A sealed job is, in this order:
//
//	magic      4 bytes: "OVS" and the version, 1
//	key        8 bytes: KeyID of the public key
//	signature  64 bytes, over magic, key and job
//	job        what Job.Encode wrote
type Signed struct {
	Key     func() ed25519.PrivateKey  // nil, or returning nil: Seal refuses
	Trusted func() []ed25519.PublicKey // nil: Open refuses
}

const (
	sealMagic = "OVS\x01"
	sealHead  = len(sealMagic) + 8
	sealSize  = sealHead + ed25519.SignatureSize
)

// ErrUntrusted is wrapped by Signed.Open where nobody trusted sealed the message.
var ErrUntrusted = errors.New("job is not signed by a trusted key")

// KeyID names a public key: the first 8 bytes of its SHA-256.
func KeyID(key ed25519.PublicKey) [8]byte {
	sum := sha256.Sum256(key)
	return [8]byte(sum[:8])
}

// Seal signs a job.
func (s Signed) Seal(j Job) ([]byte, error) {
	var key ed25519.PrivateKey
	if s.Key != nil {
		key = s.Key()
	}
	if len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("seal job %q: there is no signing key", j.ID)
	}
	b, err := j.Encode()
	if err != nil {
		return nil, err
	}
	id := KeyID(key.Public().(ed25519.PublicKey))
	out := make([]byte, 0, sealSize+len(b))
	out = append(append(out, sealMagic...), id[:]...)
	signature := ed25519.Sign(key, append(bytes.Clone(out), b...))
	return append(append(out, signature...), b...), nil
}

// Open verifies a message and returns its job; ErrUntrusted.
func (s Signed) Open(b []byte) (Job, error) {
	if len(b) > MaxJobBytes {
		return Job{}, fmt.Errorf("open job of %d bytes: longer than %d bytes", len(b), MaxJobBytes)
	}
	if len(b) >= len(jobMagic) && string(b[:len(jobMagic)-1]) == jobMagic[:len(jobMagic)-1] {
		return Job{}, fmt.Errorf("%w: it has no signature", ErrUntrusted)
	}
	if len(b) < sealSize || string(b[:len(sealMagic)-1]) != sealMagic[:len(sealMagic)-1] {
		return Job{}, fmt.Errorf("open job of %d bytes: not a job", len(b))
	}
	if v := b[len(sealMagic)-1]; v != sealMagic[len(sealMagic)-1] {
		return Job{}, fmt.Errorf("open job: seal of version %d, but this build reads version %d", v, sealMagic[len(sealMagic)-1])
	}
	id, signature, body := [8]byte(b[len(sealMagic):sealHead]), b[sealHead:sealSize], b[sealSize:]
	var trusted []ed25519.PublicKey
	if s.Trusted != nil {
		trusted = s.Trusted()
	}
	for _, key := range trusted {
		if len(key) != ed25519.PublicKeySize || KeyID(key) != id {
			continue
		}
		if !ed25519.Verify(key, append(bytes.Clone(b[:sealHead]), body...), signature) {
			return Job{}, fmt.Errorf("%w: its signature does not match", ErrUntrusted)
		}
		return DecodeJob(body)
	}
	return Job{}, fmt.Errorf("%w: key %x is not among the %d trusted", ErrUntrusted, id, len(trusted))
}
