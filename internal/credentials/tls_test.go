package credentials

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return &authority{c, key, encode("CERTIFICATE", der)}
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// issue returns a certificate and its key for localhost and 127.0.0.1.
func (a *authority) issue(t *testing.T, name string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, &k.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", secret)
}

// soon makes the next get look at the files, as if a second had passed.
func (w *watched[T]) soon() { w.looked.Store(-int64(time.Hour)) }

// TestTLS changes the server's certificate, the client's, and both authorities,
// while one server and one client configuration stand.
func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	one, two := newAuthority(t, "one"), newAuthority(t, "two")
	serverPair := func(a *authority, name string) {
		cert, key := a.issue(t, name)
		write(t, file("server.crt"), cert, 0o644)
		write(t, file("server.key"), key, 0o600)
	}
	clientPair := func(name string) {
		cert, key := one.issue(t, name)
		write(t, file("client.crt"), cert, 0o644)
		write(t, file("client.key"), key, 0o600)
	}
	serverPair(one, "server 1")
	clientPair("client 1")
	write(t, file("ca.crt"), one.pem, 0o644)

	e, _ := env("OVERNIGHT_TLS_CA_FILE="+file("ca.crt"), "OVERNIGHT_TLS_CERT_FILE="+file("client.crt"), "OVERNIGHT_TLS_KEY_FILE="+file("client.key"))
	tc, err := e.TLS()
	if err != nil {
		t.Fatal(err)
	}
	pair, err := watchPair(e.log(), "server", file("server.crt"), file("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(one.cert)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	s.Listener = tls.NewListener(s.Listener, &tls.Config{
		MinVersion: tls.VersionTLS12, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.get(), nil },
	})
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that are to fail
	s.Start()
	defer s.Close()
	addr := s.Listener.Addr().String()
	kept := tc.Config("localhost")
	nameless := tc.Config("")

	// ask returns whom the server saw and whom the client saw, or the error.
	ask := func(dial func() (net.Conn, error)) string {
		conn, err := dial()
		if err != nil {
			return "error: " + err.Error()
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n"); err != nil {
			return "error: " + err.Error()
		}
		b, err := io.ReadAll(conn)
		if err != nil {
			return "error: " + err.Error()
		}
		_, body, _ := bytes.Cut(b, []byte("\r\n\r\n"))
		return string(body) + ", " + conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	byConfig := func() (net.Conn, error) { return tls.Dial("tcp", addr, kept) }
	byAddress := func() (net.Conn, error) { return tc.Dial(t.Context(), "tcp", addr) }
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"as it began", func() {}, "client 1, server 1"},
		{"other client certificate", func() { clientPair("client 2") }, "client 2, server 1"},
		{"key that does not match", func() { _, key := one.issue(t, "x"); write(t, file("client.key"), key, 0o600) }, "client 2, server 1"},
		{"other server certificate", func() { clientPair("client 3"); serverPair(one, "server 2") }, "client 3, server 2"},
		{"server of an unknown authority", func() { serverPair(two, "server 3") }, "error: "},
		{"authorities garbage", func() { write(t, file("ca.crt"), "nothing", 0o644) }, "error: "},
		{"both authorities", func() { write(t, file("ca.crt"), one.pem+two.pem, 0o644) }, "client 3, server 3"},
		{"the new authority", func() { write(t, file("ca.crt"), two.pem, 0o644) }, "client 3, server 3"},
		{"the old authority", func() { write(t, file("ca.crt"), one.pem, 0o644) }, "error: "},
	} {
		step.do()
		tc.roots.soon()
		tc.pair.soon()
		pair.soon()
		for how, dial := range map[string]func() (net.Conn, error){"kept configuration": byConfig, "by address": byAddress} {
			if got := ask(dial); got != step.want && (step.want != "error: " || !strings.Contains(got, "unknown authority")) {
				t.Errorf("%s, %s: got %q, want %q", step.name, how, got, step.want)
			}
		}
	}
	if got := ask(func() (net.Conn, error) { return tls.Dial("tcp", addr, nameless) }); !strings.Contains(got, "use its name") {
		t.Errorf("dialled by address without a name: got %q, want it refused", got)
	}
	wrong := tc.Config("elsewhere")
	write(t, file("ca.crt"), two.pem, 0o644)
	tc.roots.soon()
	if got := ask(func() (net.Conn, error) { return tls.Dial("tcp", addr, wrong) }); !strings.Contains(got, "not elsewhere") {
		t.Errorf("a server of another name: got %q, want it refused", got)
	}
}

func TestTLSVariables(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := newAuthority(t, "a").issue(t, "x")
	c, k := write(t, filepath.Join(dir, "c"), cert, 0o644), write(t, filepath.Join(dir, "k"), key, 0o600)
	for vars, want := range map[string]string{
		"":                             "",
		"OVERNIGHT_TLS_CERT_FILE=" + c: "go together",
		"OVERNIGHT_TLS_KEY_FILE=" + k:  "go together",
		"OVERNIGHT_TLS_CERT_FILE=" + c + " OVERNIGHT_TLS_KEY_FILE=" + k: "",
		"OVERNIGHT_TLS_CERT_FILE=" + k + " OVERNIGHT_TLS_KEY_FILE=" + c: "open to everybody",
		"OVERNIGHT_TLS_CA_FILE=" + k:                                    "no certificate in PEM form",
		"OVERNIGHT_TLS_CA_FILE=" + dir + "/none":                        "no such file",
	} {
		e, _ := env(strings.Fields(vars)...)
		tc, err := e.TLS()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", vars, err, want)
		}
		if vars == "" && (tc != nil || tc.Config("h").InsecureSkipVerify || tc.Roots() != nil) {
			t.Error("nothing set: want the standard verification")
		}
	}
	e, _ := env()
	if _, err := e.ServerTLS(c, ""); err == nil {
		t.Error("a certificate without its key was accepted")
	}
	conf, err := e.ServerTLS(c, k)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := conf.GetCertificate(nil); err != nil || got.Leaf.Subject.CommonName != "x" {
		t.Errorf("got %v %v", got, err)
	}
}
