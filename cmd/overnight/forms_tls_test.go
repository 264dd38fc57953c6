package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"overnight/internal/daemon"
)

// authority is a certificate authority of the test's own, with its files in a
// folder.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	n    int64
}

func newAuthority(t *testing.T, dir string) *authority {
	t.Helper()
	a := &authority{t: t, dir: dir}
	a.cert = &x509.Certificate{
		Subject: pkix.Name{CommonName: "authority of a test"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.key = a.sign("ca", a.cert, nil)
	return a
}

// issue writes NAME.crt and NAME.key, for 127.0.0.1 and nothing else.
func (a *authority) issue(name string) {
	a.t.Helper()
	a.sign(name, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.key)
}

func (a *authority) sign(name string, c *x509.Certificate, by *ecdsa.PrivateKey) *ecdsa.PrivateKey {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	if by == nil {
		by = key
	}
	a.n++
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(a.n), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, &key.PublicKey, by)
	if err != nil {
		a.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{a.file(name + ".crt"): {Type: "CERTIFICATE", Bytes: der}, a.file(name + ".key"): {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return key
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// env is what a process of ours needs to reach servers of this authority, as NAME.
func (a *authority) env(name string) []string {
	return []string{"OVERNIGHT_TLS_CA_FILE=" + a.file("ca.crt"), "OVERNIGHT_TLS_CERT_FILE=" + a.file(name+".crt"), "OVERNIGHT_TLS_KEY_FILE=" + a.file(name+".key")}
}

// client is the same for a client of the test's.
func (a *authority) client(name string) *tls.Config {
	a.t.Helper()
	pair, err := tls.LoadX509KeyPair(a.file(name+".crt"), a.file(name+".key"))
	if err != nil {
		a.t.Fatal(err)
	}
	pem, err := os.ReadFile(a.file("ca.crt"))
	if err != nil {
		a.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
}

// pki makes an authority, and certificates for a server, a coordinator, a worker
// and an admin.
func (f *form) pki() *authority {
	f.t.Helper()
	a := newAuthority(f.t, f.dir)
	for _, name := range []string{"server", "coordinator", "worker", "admin"} {
		a.issue(name)
	}
	return a
}

// users writes the ACL file of deploy/redis with a password for each user, gives
// the coordinator's to run and the worker's to workers, and returns its path.
func (f *form) users() string {
	f.t.Helper()
	if _, err := exec.LookPath("sha256sum"); err != nil {
		f.t.Skip("sha256sum, which deploy/redis/acl.sh uses, is not installed")
	}
	for _, name := range []string{"admin", "coordinator", "worker"} {
		f.write("redis-"+name, name+" password\n")
	}
	acl := filepath.Join(f.dir, "users.acl")
	if out, err := exec.Command("sh", "../../deploy/redis/acl.sh", "../../deploy/redis/users.acl", f.dir, acl).CombinedOutput(); err != nil {
		f.t.Fatalf("acl.sh: %v\n%s", err, out)
	}
	f.run = append(f.run, "OVERNIGHT_REDIS_USERNAME=overnight-coordinator", "OVERNIGHT_REDIS_PASSWORD_FILE="+filepath.Join(f.dir, "redis-coordinator"))
	f.worker = append(f.worker, "OVERNIGHT_REDIS_USERNAME=overnight-worker", "OVERNIGHT_REDIS_PASSWORD_FILE="+filepath.Join(f.dir, "redis-worker"))
	return acl
}

// admin connects to one server as the admin of users.acl.
func (f *form) admin(addr string, conf *tls.Config) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: addr, Username: "overnight-admin", Password: "admin password", TLSConfig: conf})
	f.t.Cleanup(func() { _ = c.Close() })
	return c
}

// nothingDenied asks a server's ACL log.
func (f *form) nothingDenied(admin *redis.Client) {
	f.t.Helper()
	log, err := admin.ACLLog(f.t.Context(), 100).Result()
	if err != nil {
		f.t.Fatal(err)
	}
	for _, e := range log {
		if e.Object != "config|get" { // which doctor tries and does without
			f.t.Errorf("Redis denied user %s: %s %s", e.Username, e.Reason, e.Object)
		}
	}
}

// formTLS is redis.conf of deploy with what stands there as a comment for TLS,
// asking every client for a certificate, and the users of users.acl.
func formTLS(f *form) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		f.t.Skip(daemon.ErrNoRedis)
	}
	a := f.pki()
	port := freePort(f.t)
	b, err := os.ReadFile("../../deploy/redis/redis.conf")
	if err != nil {
		f.t.Fatal(err)
	}
	conf := strings.NewReplacer(
		"\ndir /data\n", "\ndir "+f.dir+"\n", "/run/overnight/users.acl", f.users(),
		"# port 0\n", "port 0\n", "# tls-port 6379\n", "tls-port "+port+"\n",
		"# tls-cert-file /run/secrets/redis.crt\n", "tls-cert-file "+a.file("server.crt")+"\n",
		"# tls-key-file /run/secrets/redis.key\n", "tls-key-file "+a.file("server.key")+"\n",
		"# tls-ca-cert-file /run/secrets/ca.crt\n", "tls-ca-cert-file "+a.file("ca.crt")+"\n",
		"# tls-auth-clients optional\n", "tls-auth-clients yes\n",
	).Replace(string(b))
	f.start("redis", nil, "redis-server", f.write("redis.conf", conf), "--bind", "127.0.0.1")
	f.listens(port)

	f.args = []string{"--cluster", "rediss://127.0.0.1:" + port}
	login := f.run
	f.run, f.worker = append(login[:len(login):len(login)], a.env("coordinator")...), append(f.worker, a.env("worker")...)
	f.begin()
	f.end(serverVersion(f.t, f.admin("127.0.0.1:"+port, a.client("admin"))))
	f.nothingDenied(f.admin("127.0.0.1:"+port, a.client("admin")))

	// Who does not know the authority, or shows no certificate, or is a stranger.
	for name, tt := range map[string]struct {
		env  []string
		want string
	}{
		"the system's authorities": {login, "certificate signed by unknown authority"},
		"no certificate":           {append(login[:len(login):len(login)], a.env("coordinator")[0]), "certificate required"},
		"no password":              {a.env("coordinator"), "NOAUTH"},
	} {
		out, err := f.say(tt.env, "ls")
		if err == nil || !strings.Contains(out, tt.want) {
			f.t.Errorf("%s: %v, want %q in\n%s", name, err, tt.want, out)
		}
	}
}
