package natsconn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"overnight/internal/daemon"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParse(t *testing.T) {
	t.Parallel()
	tests := map[string]address{
		"nats://h":                          {hosts: []string{"h:4222"}},
		"nats://h:1/":                       {hosts: []string{"h:1"}},
		"nats://b:2,a:1,b:2":                {hosts: []string{"a:1", "b:2"}},
		"nats://a,nats://b:3":               {hosts: []string{"a:4222", "b:3"}},
		"tls://nats.example.org,10.0.0.1:4": {tls: true, hosts: []string{"10.0.0.1:4", "nats.example.org:4222"}},
		"nats://[::1]:9,[::2]":              {hosts: []string{"[::1]:9", "[::2]:4222"}},
	}
	for in, want := range tests {
		got, err := parse(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(address{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", in, d)
		}
	}
	if got, want := (address{tls: true, hosts: []string{"a:1", "b:2"}}).url(), "tls://a:1,tls://b:2"; got != want {
		t.Errorf("url %s, want %s", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"nats://me:hunter2@h:1", `"nats://***@h:1": a user, password or token stands in it`},
		{"nats://hunter2@h", "OVERNIGHT_NATS_NKEY_FILE"},
		{"nats://me:hun@ter2@hunter2@h", `"nats://***@h"`},
		{"me:hunter2@h", "stands in it"},
		{"nats://a,me:hunter2@b", "stands in it"},
		{"nats://h:hunter2", `"nats://***": a port is not a number`},
		{"nats://:hunter2", "a port is not a number"},
		{"nats://h?token=hunter2", `"nats://h?***": a part after ?`},
		{"nats://h#hunter2", "a part after ? or #"},
		{"nats://h/hunter2", "a host is missing or is no name"},
		{"nats://h/hunter2:4", "a host is missing or is no name"},
		{"localhost:4222", "no scheme: write one of\n  nats://HOST"},
		{"hunter2", `"***": it has no scheme`},
		{"http://h", "scheme is not known"},
		{"ws://h", "scheme is not known"},
		{"nats://", "a host is missing"},
		{"nats://a,,b", "a host is missing"},
		{"nats://h:0", "not a number between 1 and 65535"},
		{"nats://::1:4", "[::1]:4222"},
		{"nats://a,tls://b", "different schemes"},
		{"nats://" + strings.Repeat("a", 5000), "more than 4096 bytes"},
	}
	for _, tt := range tests {
		a, err := parse(tt.in)
		if err == nil {
			t.Errorf("%s: parsed as %+v, want an error", tt.in, a)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %q, want %q in it", tt.in, err, tt.want)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the secret is in the error %q", tt.in, err)
		}
	}
}

// Whatever the address is, a password in it is in no message.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"nats://h:1,b", "tls://h", "://", "nats://x@y@z?a=b#c", "nats://[::1]:3"} {
		f.Add(s, "p")
	}
	f.Fuzz(func(t *testing.T, s, password string) {
		a, err := parse(s)
		if err == nil && (len(a.hosts) == 0 || strings.Contains(s, "@")) {
			t.Errorf("%q was parsed as %+v", s, a)
		}
		if err == nil {
			if again, err := parse(a.url()); err != nil || cmp.Diff(a, again, cmp.AllowUnexported(address{})) != "" {
				t.Errorf("%q gave %s, which gave %+v, error %v", s, a.url(), again, err)
			}
		}
		const secret = "S3CRET/S3CRET"
		for _, with := range []string{"nats://:" + password + secret + "@" + s, "nats://u:" + secret + password + "@h," + s, "nats://h?k=" + secret + password} {
			_, err := parse(with)
			if err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("%q: error %v, want one without the secret", with, err)
			}
		}
	})
}

func start(t testing.TB, o server.Options) *server.Server {
	t.Helper()
	o.Host, o.NoLog, o.NoSigs = "127.0.0.1", true, true
	if o.Port == 0 {
		o.Port = server.RANDOM_PORT
	}
	s, err := server.NewServer(&o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server did not start")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s
}

// A connection outlives its server, and says so twice.
func TestReconnects(t *testing.T) {
	t.Parallel()
	port, err := daemon.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	first := start(t, server.Options{Port: port})
	core, logs := observer.New(zap.InfoLevel)
	nc, err := Connect(t.Context(), fmt.Sprintf("nats://127.0.0.1:%d", port), Options{Log: zap.New(core)})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	status := nc.StatusChanged(nats.RECONNECTING, nats.CONNECTED)
	defer nc.RemoveStatusListener(status)
	first.Shutdown()
	first.WaitForShutdown()
	if got := <-status; got != nats.RECONNECTING {
		t.Fatalf("status %v, want %v", got, nats.RECONNECTING)
	}
	start(t, server.Options{Port: port})
	for <-status != nats.CONNECTED {
	}
	if err := nc.FlushTimeout(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); logs.FilterMessage("connected to NATS again").Len() == 0; {
		if time.Now().After(end) {
			t.Fatalf("logged %v", logs.All())
		}
	}
	if n := logs.FilterMessage("connection to NATS lost, it is tried again").Len(); n != 1 {
		t.Errorf("the loss was logged %d times, want once: %v", n, logs.All())
	}
}

func TestConnectSaysWhatToDo(t *testing.T) {
	t.Parallel()
	port, err := daemon.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	guarded := start(t, server.Options{Username: "u", Password: "hunter2"})
	tests := []struct {
		addr string
		o    Options
		is   error
		want string
	}{
		{fmt.Sprintf("nats://127.0.0.1:%d", port), Options{}, nats.ErrNoServers, "nobody listens there"},
		{guarded.ClientURL(), Options{}, nats.ErrAuthorization, "OVERNIGHT_NATS_CREDS_FILE"},
		{guarded.ClientURL(), Options{More: []nats.Option{nats.UserInfo("u", "hunter3")}, Wait: time.Hour}, nats.ErrAuthorization, "does not know these credentials"},
		{"tls://" + guarded.Addr().String(), Options{}, nats.ErrSecureConnWanted, "don't agree on TLS"},
	}
	for _, tt := range tests {
		nc, err := Connect(t.Context(), tt.addr, tt.o)
		if err == nil {
			nc.Close()
			t.Errorf("%s: connected", tt.addr)
			continue
		}
		if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: error %q, want %v with %q", tt.addr, err, tt.is, tt.want)
		}
	}
	nc, err := Connect(t.Context(), guarded.ClientURL(), Options{More: []nats.Option{nats.UserInfo("u", "hunter2")}})
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
}

// Connect waits for a server that comes later, and no longer than its context.
func TestConnectWaits(t *testing.T) {
	t.Parallel()
	port, err := daemon.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprintf("nats://127.0.0.1:%d", port)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := Connect(ctx, addr, Options{Wait: time.Hour}); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, nats.ErrNoServers) {
		t.Errorf("Connect to nobody: %v", err)
	}
	core, logs := observer.New(zap.DebugLevel)
	connected := make(chan error, 1)
	go func() {
		nc, err := Connect(t.Context(), addr, Options{Wait: time.Minute, Log: zap.New(core)})
		if err == nil {
			nc.Close()
		}
		connected <- err
	}()
	for logs.Len() == 0 && t.Context().Err() == nil {
	}
	start(t, server.Options{Port: port})
	if err := <-connected; err != nil {
		t.Error(err)
	}
}

// An error that comes again and again is logged once a minute.
func TestErrorsAreLoggedOnce(t *testing.T) {
	t.Parallel()
	s := start(t, server.Options{Users: []*server.User{{Username: "u", Password: "p", Permissions: &server.Permissions{
		Publish: &server.SubjectPermission{Allow: []string{"good"}}}}}})
	core, logs := observer.New(zap.WarnLevel)
	nc, err := Connect(t.Context(), s.ClientURL(), Options{Log: zap.New(core), More: []nats.Option{nats.UserInfo("u", "p")}})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if err := nc.Publish("bad", nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := nc.Publish("worse", nil); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); logs.Len() < 2 && time.Now().Before(end); {
		if err := nc.FlushTimeout(10 * time.Second); err != nil {
			t.Fatal(err)
		}
	}
	nc.Close()
	if n := logs.Len(); n != 2 {
		t.Errorf("%d lines, want 2: %v", n, logs.All())
	}
}
