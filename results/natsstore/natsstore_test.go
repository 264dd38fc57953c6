package natsstore

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"overnight/results"
	"overnight/results/sqlitestore"
	"overnight/results/storetest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// natsServer starts a NATS server that listens on a port of its own where listen
// is true, and takes messages of payload bytes.
func natsServer(t testing.TB, listen bool, payload int32) *server.Server {
	t.Helper()
	o := &server.Options{ServerName: "test", DontListen: !listen, Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, MaxPayload: payload}
	return startNATS(t, o)
}

func startNATS(t testing.TB, o *server.Options) *server.Server {
	t.Helper()
	ns, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() {
		ns.Shutdown()
		ns.WaitForShutdown()
	})
	if !ns.ReadyForConnections(30 * time.Second) {
		t.Fatal("the NATS server did not start")
	}
	return ns
}

// dial connects to a server: over TCP where it listens.
func dial(t testing.TB, ns *server.Server, more ...nats.Option) *nats.Conn {
	t.Helper()
	url := ""
	more = append(more, nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if ns.Addr() != nil {
		url = ns.ClientURL()
	} else {
		more = append(more, nats.InProcessServer(ns))
	}
	nc, err := nats.Connect(url, more...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func openSQLite(t testing.TB) *sqlitestore.Store {
	t.Helper()
	s, err := sqlitestore.Open(context.Background(), t.TempDir(), sqlitestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// serve serves a store until the test ends.
func serve(t testing.TB, nc *nats.Conn, store results.Store, o Options) *Server {
	t.Helper()
	s, err := Serve(context.Background(), nc, store, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func client(t testing.TB, nc *nats.Conn, o Options) *Store {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s, err := New(ctx, nc, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestStore: a store reached over NATS keeps every promise of the one that is
// served, in the process and over TCP.
func TestStore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		listen  bool
		options Options
	}{
		{name: "process"},
		{name: "tcp", listen: true, options: Options{Namespace: "over.tcp"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) results.Store {
				ns := natsServer(t, c.listen, 0)
				serve(t, dial(t, ns), openSQLite(t), c.options)
				return client(t, dial(t, ns), c.options)
			})
		})
	}
}
