package redisconn

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"overnight/internal/daemon"
)

func start(t *testing.T, conf ...string) *daemon.Redis {
	t.Helper()
	r, err := daemon.StartRedis(t.TempDir(), conf...)
	if errors.Is(err, daemon.ErrNoRedis) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Kill)
	return r
}

func connect(t *testing.T, address string, o Options) redis.UniversalClient {
	t.Helper()
	rdb, err := New(address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// eventually tries until it works.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	end := time.Now().Add(20 * time.Second)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %v", what, err)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// setGet writes and reads a key.
func setGet(ctx context.Context, rdb redis.UniversalClient) error {
	if err := rdb.Set(ctx, "k", "v", 0).Err(); err != nil {
		return err
	}
	got, err := rdb.Get(ctx, "k").Result()
	if err == nil && got != "v" {
		err = fmt.Errorf("got %q, want %q", got, "v")
	}
	return err
}

// A password that changes is asked for with the next connection.
func TestCredentialsRotate(t *testing.T) {
	t.Parallel()
	r := start(t, "--requirepass", "first")
	var password atomic.Value
	password.Store("first")
	rdb := connect(t, "redis://"+r.Addr+"/1", Options{Name: "rotating", Credentials: func(context.Context) (string, string, error) {
		return "", password.Load().(string), nil
	}})
	if err := setGet(t.Context(), rdb); err != nil {
		t.Fatal(err)
	}
	if list := rdb.ClientList(t.Context()).Val(); !strings.Contains(list, "name=rotating") || !strings.Contains(list, "db=1") {
		t.Errorf("CLIENT LIST shows %q, want name=rotating and db=1", list)
	}
	if err := rdb.ConfigSet(t.Context(), "requirepass", "second").Err(); err != nil {
		t.Fatal(err)
	}
	password.Store("second")
	_ = rdb.Do(t.Context(), "client", "kill", "skipme", "no", "type", "normal").Err()
	if err := setGet(t.Context(), rdb); err != nil {
		t.Errorf("with the new password: %v", err)
	}
	wrong := connect(t, "redis://"+r.Addr, Options{Credentials: func(context.Context) (string, string, error) { return "", "hunter2", nil }})
	if err := setGet(t.Context(), wrong); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("with a wrong password: %v, want an error without it", err)
	}
	failing := connect(t, "redis://"+r.Addr, Options{Credentials: func(context.Context) (string, string, error) {
		return "", "", errors.New("no such file")
	}})
	if err := setGet(t.Context(), failing); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("without credentials: %v, want why", err)
	}
}

func TestUnixSocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	start(t, "--unixsocket", path)
	if err := setGet(t.Context(), connect(t, "unix://"+path+"?db=2", Options{})); err != nil {
		t.Error(err)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key, pool := certificate(t, dir)
	port, err := daemon.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	start(t, "--tls-port", fmt.Sprint(port), "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert, "--tls-auth-clients", "no")
	address := fmt.Sprintf("rediss://127.0.0.1:%d", port)
	if err := setGet(t.Context(), connect(t, address, Options{TLS: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}})); err != nil {
		t.Error(err)
	}
	var unknown *tls.CertificateVerificationError
	if err := setGet(t.Context(), connect(t, address, Options{})); !errors.As(err, &unknown) {
		t.Errorf("with a certificate that the system does not know: %v, want %T", err, unknown)
	}
}

// certificate writes a certificate for 127.0.0.1 and its key.
func certificate(t *testing.T, dir string) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	return cert, key, pool
}

// One Sentinel with a password of its own names a master with another.
func TestSentinel(t *testing.T) {
	t.Parallel()
	r := start(t, "--requirepass", "data")
	_, port, err := net.SplitHostPort(r.Addr)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "sentinel.conf")
	own, err := daemon.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("bind 127.0.0.1\nport %d\ndir %s\nrequirepass watch\nsentinel monitor mymaster 127.0.0.1 %s 1\nsentinel auth-pass mymaster data\n", own, dir, port)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := daemon.Start(filepath.Join(dir, "log"), nil, "redis-server", conf, "--sentinel")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	at := fmt.Sprintf("127.0.0.1:%d", own)
	if err := daemon.WaitPort(at, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	say := func(password string) Credentials {
		return func(context.Context) (string, string, error) { return "", password, nil }
	}
	rdb := connect(t, "redis+sentinel://"+at+"/mymaster?db=1", Options{Credentials: say("data"), SentinelCredentials: say("watch")})
	eventually(t, "through a Sentinel", func() error { return setGet(t.Context(), rdb) })
	if err := setGet(t.Context(), connect(t, "redis+sentinel://"+at+"/mymaster", Options{Credentials: say("data")})); err == nil {
		t.Error("without the Sentinel's password: no error")
	}
}

func TestCluster(t *testing.T) {
	t.Parallel()
	r := start(t, "--cluster-enabled", "yes")
	one := connect(t, "redis://"+r.Addr, Options{})
	if err := one.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	rdb := connect(t, "redis+cluster://"+r.Addr, Options{})
	eventually(t, "in a cluster", func() error { return setGet(t.Context(), rdb) })
	if _, ok := rdb.(*redis.ClusterClient); !ok {
		t.Errorf("the client is a %T, want a %T", rdb, &redis.ClusterClient{})
	}
}

// A server that is away is an error within the time that the context allows.
func TestServerAway(t *testing.T) {
	t.Parallel()
	port, err := daemon.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	rdb := connect(t, fmt.Sprintf("redis://127.0.0.1:%d", port), Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := setGet(ctx, rdb); err == nil || ctx.Err() != nil {
		t.Errorf("error %v after the context's %v, want one before", err, ctx.Err())
	}
}
