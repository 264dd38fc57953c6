package natsserver_test

import (
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
	"go.uber.org/goleak"

	"overnight/internal/join"
	"overnight/internal/natsserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func certificate(t testing.TB) *tls.Config {
	t.Helper()
	id, err := join.Make(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	conf, _, err := id.Server(nil)
	if err != nil {
		t.Fatal(err)
	}
	return conf
}

func TestStart(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{"", "127.0.0.1:0"} {
		dir := t.TempDir()
		s, err := natsserver.Start(natsserver.Options{Dir: dir, Listen: listen, TLS: certificate(t)})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Addr(); (got == "") != (listen == "") {
			t.Errorf("listens on %q, asked for %q", got, listen)
		}
		nc, err := s.Connect()
		if err != nil {
			t.Fatal(err)
		}
		js, err := jetstream.New(nc)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, Storage: jetstream.MemoryStorage}); err != nil {
			t.Errorf("with Listen %q: make a stream: %v", listen, err)
		}
		if _, err := js.Publish(t.Context(), "s", make([]byte, natsserver.MaxPayload-1000)); err != nil {
			t.Errorf("with Listen %q: publish: %v", listen, err)
		}
		if err := nc.Publish("s", make([]byte, natsserver.MaxPayload+1)); !errors.Is(err, nats.ErrMaxPayload) {
			t.Errorf("with Listen %q: publish too much: %v", listen, err)
		}
		nc.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("with Listen %q: %d files are left, error %v", listen, len(left), err)
		}
	}
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	busy, err := natsserver.Start(natsserver.Options{Listen: "127.0.0.1:0", TLS: certificate(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Close() }()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		o    natsserver.Options
		want string
	}{
		{natsserver.Options{Listen: ":4222"}, "nothing is served without TLS"},
		{natsserver.Options{Listen: "4222", TLS: certificate(t)}, "write HOST:PORT or :PORT"},
		{natsserver.Options{Listen: ":x", TLS: certificate(t)}, "not a number"},
		{natsserver.Options{Listen: busy.Addr(), TLS: certificate(t)}, "address already in use"},
		{natsserver.Options{Listen: "127.0.0.1:0", TLS: certificate(t), Users: []natsserver.User{{NKey: "x", Inbox: "i"}}}, "no public user key"},
		{natsserver.Options{Listen: "127.0.0.1:0", TLS: certificate(t), Users: []natsserver.User{{NKey: public}}}, "no inbox"},
		{natsserver.Options{Dir: file}, file},
	}
	for _, tt := range tests {
		s, err := natsserver.Start(tt.o)
		if err == nil {
			_ = s.Close()
			t.Errorf("%+v: started, want an error", tt.o)
		} else if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %q, want %q in it", err, tt.want)
		}
	}
}
