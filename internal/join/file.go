// Package join lets workers on other machines join a coordinator: the coordinator
// keeps an identity and writes a join file, and a worker that has the file can
// connect. Start with Make and Read.
//
// A join file is a secret: whoever has it may take jobs, and report results. It
// may not issue jobs, and learns nothing that a worker is not told. It pins the
// coordinator's certificate, which stands for no other server, and names the keys
// whose jobs a worker runs.
package join

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
)

// ServerName is what the certificate of every coordinator is made out to, whatever
// its address: it is believed because it is the one in the join file.
const ServerName = "overnight"

// Inbox is the prefix of the subjects where workers that joined receive answers.
const Inbox = "_INBOX_worker"

const (
	fileVersion  = 1
	maxFileBytes = 64 << 10
	maxAddresses = 16
	maxTrusted   = 16
)

// File is what a worker needs to join. It prints without its secret.
type File struct {
	Addresses []string            // HOST:PORT of the coordinator, in any order
	Trusted   []ed25519.PublicKey // whose jobs are run; none: no job's

	certificate string // PEM
	seed        string // of the workers' nkey
}

// wireFile is a join file on disk.
type wireFile struct {
	Version     int      `json:"version"`
	Addresses   []string `json:"addresses"`
	Certificate string   `json:"certificate"`
	NKeySeed    string   `json:"nkey_seed"`
	Trusted     [][]byte `json:"trusted"`
}

// anew is what to do about a join file that can't be used.
const anew = "copy the file that `overnight run --listen` wrote anew, as it is"

// Write writes the file, whole or not at all, for nobody else to read.
func (f File) Write(path string) error {
	if err := f.check(); err != nil {
		return fmt.Errorf("write join file %s: %w", path, err)
	}
	w := wireFile{Version: fileVersion, Addresses: f.Addresses, Certificate: f.certificate, NKeySeed: f.seed, Trusted: [][]byte{}}
	for _, k := range f.Trusted {
		w.Trusted = append(w.Trusted, k)
	}
	b, err := json.MarshalIndent(w, "", "  ")
	if err != nil {
		return err
	}
	if err := replace(path, append(b, '\n')); err != nil {
		return fmt.Errorf("write join file %s: %w", path, err)
	}
	return nil
}

// Read reads a join file. It refuses one that others than its owner may read, one
// of another version, and whatever else Write would not write.
func Read(path string) (File, error) {
	b, err := readPrivate(path)
	if err != nil {
		return File{}, fmt.Errorf("join file: %w", err)
	}
	f, err := Decode(b)
	if err != nil {
		return File{}, fmt.Errorf("join file %s: %w: %s", path, err, anew)
	}
	return f, nil
}

// Decode reads the contents of a join file.
func Decode(b []byte) (File, error) {
	var v struct {
		Version int `json:"version"`
	}
	if len(b) > maxFileBytes {
		return File{}, fmt.Errorf("it has more than %d bytes", maxFileBytes)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return File{}, errors.New("it is no join file, or was cut off")
	}
	if v.Version != fileVersion {
		return File{}, fmt.Errorf("it is of version %d, and this build reads version %d: use the same build on both machines", v.Version, fileVersion)
	}
	var w wireFile
	if err := decode(b, &w); err != nil {
		return File{}, err
	}
	f := File{Addresses: w.Addresses, certificate: w.Certificate, seed: w.NKeySeed}
	for _, k := range w.Trusted {
		f.Trusted = append(f.Trusted, k)
	}
	return f, f.check()
}

// decode reads JSON that holds v's fields and nothing else. Its errors repeat
// nothing of b.
func decode(b []byte, v any) error {
	if len(b) > maxFileBytes {
		return fmt.Errorf("it has more than %d bytes", maxFileBytes)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return errors.New("it was altered or cut off: it does not hold what it should")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something stands behind its end")
	}
	return nil
}

// check tells what in f can't stand in a join file.
func (f File) check() error {
	if len(f.Addresses) == 0 || len(f.Addresses) > maxAddresses {
		return fmt.Errorf("it has %d addresses: 1 to %d are possible", len(f.Addresses), maxAddresses)
	}
	for _, a := range f.Addresses {
		if err := checkAddress(a); err != nil {
			return err
		}
	}
	if len(f.Trusted) > maxTrusted {
		return fmt.Errorf("it trusts %d keys: at most %d are possible", len(f.Trusted), maxTrusted)
	}
	for _, k := range f.Trusted {
		if len(k) != ed25519.PublicKeySize {
			return fmt.Errorf("a trusted key has %d bytes: an Ed25519 key has %d", len(k), ed25519.PublicKeySize)
		}
	}
	if _, err := f.roots(); err != nil {
		return err
	}
	_, err := userKey(f.seed)
	return err
}

func checkAddress(a string) error {
	host, port, err := net.SplitHostPort(a)
	if n, perr := strconv.ParseUint(port, 10, 16); err != nil || host == "" || len(host) > 253 || perr != nil || n == 0 ||
		strings.ContainsFunc(host, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune("@/?#,\"\\", c) }) {
		return fmt.Errorf("address %q is not HOST:PORT", a)
	}
	return nil
}

// roots returns the pool that holds the coordinator's certificate alone.
func (f File) roots() (*x509.CertPool, error) {
	block, rest := pem.Decode([]byte(f.certificate))
	if block == nil || block.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("it does not hold one certificate")
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil || c.VerifyHostname(ServerName) != nil {
		return nil, errors.New("its certificate is damaged, or not a coordinator's")
	}
	pool := x509.NewCertPool()
	pool.AddCert(c)
	return pool, nil
}

// Dial returns where to connect, as internal/natsconn takes it, and with what: the
// coordinator is known by its certificate, and the worker by its key.
func (f File) Dial() (address string, more []nats.Option, err error) {
	roots, err := f.roots()
	if err != nil {
		return "", nil, err
	}
	key, err := userKey(f.seed)
	if err != nil {
		return "", nil, err
	}
	public, err := key.PublicKey()
	if err != nil {
		return "", nil, err
	}
	return "tls://" + strings.Join(f.Addresses, ","), []nats.Option{
		nats.Secure(&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, ServerName: ServerName}),
		nats.TLSHandshakeFirst(),
		nats.Nkey(public, key.Sign),
		nats.CustomInboxPrefix(Inbox),
		nats.IgnoreDiscoveredServers(),
	}, nil
}

// Format implements fmt.Formatter for every verb: addresses and nothing else.
func (f File) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "join file for %q", f.Addresses) }
