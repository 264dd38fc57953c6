package join

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nkeys"

	"overnight/internal/natsserver"
)

const (
	identityName    = "identity.json"
	identityVersion = 1
	life            = 10 * 365 * 24 * time.Hour // of a certificate
	early           = 365 * 24 * time.Hour      // it is valid before it was made, for clocks that are behind
)

// Identity is what a coordinator shows to workers, and what it knows them by.
type Identity struct {
	certificate tls.Certificate
	pem         string // the certificate
	worker      nkeys.KeyPair
	seed        string // of worker
}

// identityFile is an identity on disk.
type identityFile struct {
	Version     int    `json:"version"`
	Certificate string `json:"certificate"` // PEM
	Key         string `json:"key"`         // PEM
	WorkerSeed  string `json:"worker_seed"`
}

// Make returns the identity that is kept in dir, and makes one at the first call.
// With the same folder join files stay valid when a coordinator starts again, at
// other addresses too. To shut out those who have a join file, delete dir.
func Make(dir string) (*Identity, error) {
	path := filepath.Join(dir, identityName)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make identity: %w", err)
	}
	b, err := readPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		if b, err = newIdentity(time.Now()); err == nil {
			err = create(path, b)
		}
		if errors.Is(err, fs.ErrExist) { // another process was faster
			b, err = readPrivate(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("identity of the coordinator: %w", err)
	}
	id, err := parseIdentity(b, time.Now())
	if err != nil {
		return nil, fmt.Errorf("identity of the coordinator in %s: %w: delete the file for a new one, and copy the new join file to the workers", path, err)
	}
	return id, nil
}

// newIdentity returns a new identity in its form on disk.
func newIdentity(now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: ServerName},
		DNSNames:     []string{ServerName}, // and no address: those may change
		NotBefore:    now.Add(-early),
		NotAfter:     now.Add(life),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},

		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	worker, err := nkeys.CreateUser()
	if err != nil {
		return nil, err
	}
	seed, err := worker.Seed()
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(identityFile{
		Version:     identityVersion,
		Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		Key:         string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})),
		WorkerSeed:  string(seed),
	}, "", "  ")
}

func parseIdentity(b []byte, now time.Time) (*Identity, error) {
	var f identityFile
	if err := decode(b, &f); err != nil {
		return nil, err
	}
	if f.Version != identityVersion {
		return nil, fmt.Errorf("it is of version %d, and this build reads version %d", f.Version, identityVersion)
	}
	pair, err := tls.X509KeyPair([]byte(f.Certificate), []byte(f.Key))
	if err != nil {
		return nil, errors.New("certificate and key don't fit together, or are none")
	}
	if pair.Leaf.NotAfter.Before(now) {
		return nil, fmt.Errorf("its certificate ended on %s", pair.Leaf.NotAfter.Format(time.DateOnly))
	}
	worker, err := userKey(f.WorkerSeed)
	if err != nil {
		return nil, err
	}
	return &Identity{certificate: pair, pem: f.Certificate, worker: worker, seed: f.WorkerSeed}, nil
}

// userKey reads the seed of a user's nkey.
func userKey(seed string) (nkeys.KeyPair, error) {
	key, err := nkeys.FromSeed([]byte(seed))
	if err != nil {
		return nil, errors.New("it holds no seed of an nkey")
	}
	public, err := key.PublicKey()
	if err != nil || !nkeys.IsValidPublicUserKey(public) {
		return nil, errors.New("its nkey is not a user's")
	}
	return key, nil
}

// File returns the join file for workers that reach the coordinator at one of the
// addresses, HOST:PORT each, and believe jobs that one of the keys has signed.
func (id *Identity) File(addresses []string, trusted []ed25519.PublicKey) (File, error) {
	f := File{Addresses: addresses, Trusted: trusted, certificate: id.pem, seed: id.seed}
	if err := f.check(); err != nil {
		return File{}, fmt.Errorf("make join file: %w", err)
	}
	return f, nil
}

// Server returns what the coordinator's server is opened with: its certificate,
// and the workers as a user that may publish to the subjects and nowhere else.
func (id *Identity) Server(publish []string) (*tls.Config, []natsserver.User, error) {
	public, err := id.worker.PublicKey()
	if err != nil {
		return nil, nil, err
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{id.certificate}}
	return conf, []natsserver.User{{NKey: public, Publish: publish, Inbox: Inbox}}, nil
}
