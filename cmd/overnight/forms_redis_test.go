package main

import (
	"os/exec"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"
)

// formSocket is a server that is reached by its Unix socket.
func formSocket(f *form) {
	socket := filepath.Join(f.dir, "redis.sock")
	addr := startRedis(f.t, "--unixsocket", socket)
	f.args = []string{"--cluster", "unix://" + socket}
	f.begin()
	f.end(serverVersion(f.t, f.client(addr)))
}

// formValkey is a Valkey server.
func formValkey(f *form) {
	if _, err := exec.LookPath("valkey-server"); err != nil {
		f.t.Skip("valkey-server is not installed: in Debian 12 it is in bookworm-backports")
	}
	port := freePort(f.t)
	f.start("valkey", nil, "valkey-server", "--bind", "127.0.0.1", "--port", port, "--dir", f.dir, "--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction")
	f.listens(port)
	f.args = []string{"--cluster", "redis://127.0.0.1:" + port}
	f.begin()
	f.end(serverVersion(f.t, f.client("127.0.0.1:"+port)))
}

// client connects to one server without a password.
func (f *form) client(addr string) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: addr, DialTimeout: time.Second})
	f.t.Cleanup(func() { _ = c.Close() })
	return c
}
