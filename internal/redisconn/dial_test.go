package redisconn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"overnight/internal/daemon"
)

// dials remembers whom it dialled.
type dials struct {
	pool *x509.CertPool
	mu   sync.Mutex
	to   map[string]int // connections by address
}

func (d *dials) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	if d.to == nil {
		d.to = map[string]int{}
	}
	d.to[addr]++
	d.mu.Unlock()
	t := tls.Dialer{Config: &tls.Config{RootCAs: d.pool, ServerName: host, MinVersion: tls.VersionTLS12}}
	return t.DialContext(ctx, network, addr)
}

func (d *dials) count(addr string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.to[addr]
}

// A server, the node that a cluster names and the master that a Sentinel names
// are reached through Dial, and the Sentinel is too.
func TestDial(t *testing.T) {
	t.Parallel()
	cert, key, pool := certificate(t, t.TempDir())
	withTLS := func(port string) []string {
		return []string{"--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert, "--tls-auth-clients", "no"}
	}
	port := func() string {
		p, err := daemon.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(p)
	}
	one, node, watch := port(), port(), port()
	start(t, withTLS(one)...)
	r := start(t, append(withTLS(node), "--cluster-enabled", "yes", "--tls-cluster", "yes", "--cluster-announce-ip", "127.0.0.1")...)
	if err := connect(t, "redis://"+r.Addr, Options{}).ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	startSentinel(t, one, append(withTLS(watch), "--tls-replication", "yes"))
	for _, tt := range []struct {
		url   string
		ports []string
	}{
		{"rediss://127.0.0.1:" + one, []string{one}},
		{"rediss+cluster://127.0.0.1:" + node, []string{node}},
		{"rediss+sentinel://127.0.0.1:" + watch + "/mymaster", []string{watch, one}},
	} {
		d := &dials{pool: pool}
		rdb := connect(t, tt.url, Options{Dial: d.dial})
		eventually(t, tt.url, func() error { return setGet(t.Context(), rdb) })
		for _, p := range tt.ports {
			if d.count("127.0.0.1:"+p) == 0 {
				t.Errorf("%s: no connection to port %s by Dial, only to %v", tt.url, p, d.to)
			}
		}
		if len(d.to) != len(tt.ports) {
			t.Errorf("%s: Dial was asked for %v, want the ports %v", tt.url, d.to, tt.ports)
		}
		stranger := connect(t, tt.url, Options{Dial: (&dials{pool: x509.NewCertPool()}).dial})
		if err := setGet(t.Context(), stranger); err == nil {
			t.Errorf("%s: no error with an authority that is not the server's", tt.url)
		}
	}
	// Without TLS it has no say.
	d := &dials{pool: pool}
	if err := setGet(t.Context(), connect(t, "redis://"+start(t).Addr, Options{Dial: d.dial})); err != nil || len(d.to) > 0 {
		t.Errorf("redis://: %v, Dial was asked for %v", err, d.to)
	}
}

// startSentinel starts one that watches the master at a port of 127.0.0.1.
func startSentinel(t *testing.T, master string, args []string) {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "sentinel.conf")
	text := fmt.Sprintf("bind 127.0.0.1\nport 0\ndir %s\nsentinel monitor mymaster 127.0.0.1 %s 1\n", dir, master)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := daemon.Start(filepath.Join(dir, "log"), nil, "redis-server", append([]string{conf, "--sentinel"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	if err := daemon.WaitPort("127.0.0.1:"+args[1], 10*time.Second); err != nil {
		t.Fatal(err)
	}
}

// A dial that hangs ends by itself, also where nobody's context would end it.
func TestDialIsBounded(t *testing.T) {
	t.Parallel()
	hang := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	_, err := within(time.Millisecond, hang)(context.WithoutCancel(t.Context()), "tcp", "")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want %v", err, context.DeadlineExceeded)
	}
	if within(time.Millisecond, nil) != nil {
		t.Error("no dialer became one")
	}
}
