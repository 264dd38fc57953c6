package credentials

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"

	"go.uber.org/zap"
)

// TLS is how this process proves to servers who it is, and which servers it
// believes. Certificates, keys and authorities are read again when their files
// change; connections that stand are left alone. A nil TLS stands for the
// system's authorities and no certificate of our own.
type TLS struct {
	roots *watched[*x509.CertPool]   // nil: the system's
	pair  *watched[*tls.Certificate] // nil: none
}

// TLS reads OVERNIGHT_TLS_CA_FILE (the authorities that servers' certificates
// must come from, in place of the system's), OVERNIGHT_TLS_CERT_FILE and
// OVERNIGHT_TLS_KEY_FILE (our own certificate), all in PEM form. It returns nil
// where none is set.
func (e Env) TLS() (*TLS, error) {
	ca, cert, key := e.get("OVERNIGHT_TLS_CA_FILE"), e.get("OVERNIGHT_TLS_CERT_FILE"), e.get("OVERNIGHT_TLS_KEY_FILE")
	switch {
	case ca == "" && cert == "" && key == "":
		return nil, nil
	case (cert == "") != (key == ""):
		return nil, errors.New("OVERNIGHT_TLS_CERT_FILE and OVERNIGHT_TLS_KEY_FILE go together: set both or neither")
	}
	t := &TLS{}
	var err error
	if ca != "" {
		t.roots, err = watch(e.log(), "OVERNIGHT_TLS_CA_FILE", []file{{ca, public}}, parseRoots)
	}
	if cert != "" && err == nil {
		t.pair, err = watchPair(e.log(), "OVERNIGHT_TLS_CERT_FILE and OVERNIGHT_TLS_KEY_FILE", cert, key)
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

func parseRoots(c [][]byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(c[0]) {
		return nil, errors.New("no certificate in PEM form in it")
	}
	return pool, nil
}

func watchPair(log *zap.Logger, what, cert, key string) (*watched[*tls.Certificate], error) {
	return watch(log, what, []file{{cert, public}, {key, secret}}, func(c [][]byte) (*tls.Certificate, error) {
		pair, err := tls.X509KeyPair(c[0], c[1])
		return &pair, err
	})
}

// Roots returns the authorities as they are now; nil for the system's.
func (t *TLS) Roots() *x509.CertPool {
	if t == nil || t.roots == nil {
		return nil
	}
	return t.roots.get()
}

// Certificate returns our own certificate as it is now; an empty one where there
// is none.
func (t *TLS) Certificate() tls.Certificate {
	if t == nil || t.pair == nil {
		return tls.Certificate{}
	}
	return *t.pair.get()
}

// Config returns a configuration for connections to host, "" for whatever host a
// library dials. It may be kept: each handshake asks for the certificates and
// authorities of that moment. With "" and OVERNIGHT_TLS_CA_FILE the library must
// dial by name: a handshake doesn't say which IP address was meant, so such a
// server is refused. Dial has no such limit.
func (t *TLS) Config(host string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	if t == nil {
		return c
	}
	if t.pair != nil {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return t.pair.get(), nil }
	}
	if t.roots != nil {
		// The standard verification would keep to the authorities of today, so it is
		// done in VerifyConnection, which is called for resumed sessions too.
		c.InsecureSkipVerify = true
		c.VerifyConnection = func(s tls.ConnectionState) error { return t.verify(s, host) }
	}
	return c
}

// verify is what crypto/tls does by itself, with the authorities of now.
func (t *TLS) verify(s tls.ConnectionState, host string) error {
	if host == "" {
		host = s.ServerName // "" where an IP address was dialled
	}
	if host == "" {
		return errors.New("the server was dialled by an IP address, which can't be verified here: use its name")
	}
	if len(s.PeerCertificates) == 0 {
		return errors.New("the server showed no certificate")
	}
	between := x509.NewCertPool()
	for _, c := range s.PeerCertificates[1:] {
		between.AddCert(c)
	}
	_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: host, Roots: t.roots.get(), Intermediates: between})
	return err
}

// Dial connects to addr with TLS: the Dialer of go-redis, for clusters whose
// nodes are known by IP address.
func (t *TLS) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("address %q: write HOST:PORT", addr)
	}
	d := tls.Dialer{Config: t.Config(host)}
	return d.DialContext(ctx, network, addr)
}

// ServerTLS returns the configuration of a server with a certificate and its key
// in PEM form, which are read again when their files change.
func (e Env) ServerTLS(cert, key string) (*tls.Config, error) {
	if cert == "" || key == "" {
		return nil, errors.New("a certificate and its key go together: give both files")
	}
	pair, err := watchPair(e.log(), "certificate of the server", cert, key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.get(), nil },
	}, nil
}
