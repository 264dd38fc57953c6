package credentials

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

func newKey(t *testing.T) (public, seed string) {
	t.Helper()
	k, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, err = k.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	b, err := k.Seed()
	if err != nil {
		t.Fatal(err)
	}
	return public, string(b)
}

// TestNATSRotation changes the nkey, and the password, of a connection that
// stands: the server throws it out, and it comes back with the new one.
func TestNATSRotation(t *testing.T) {
	t.Parallel()
	first, firstSeed := newKey(t)
	second, secondSeed := newKey(t)
	for name, c := range map[string]struct {
		vars     string // with FILE for the path
		old, new string // contents of the file
		opts     func(n int) *server.Options
	}{
		"nkey": {"OVERNIGHT_NATS_NKEY_FILE=FILE", firstSeed, secondSeed, func(n int) *server.Options {
			return &server.Options{Nkeys: []*server.NkeyUser{{Nkey: []string{first, second}[n]}}}
		}},
		"password": {"OVERNIGHT_NATS_PASSWORD_FILE=FILE OVERNIGHT_NATS_USER=work", "one", "two", func(n int) *server.Options {
			return &server.Options{Users: []*server.User{{Username: "work", Password: []string{"one", "two"}[n]}}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, filepath.Join(t.TempDir(), "secret"), c.old, 0o600)
			e, logs := env(strings.Fields(strings.Replace(c.vars, "=FILE", "="+path, 1))...)
			n, err := e.NATS(nil)
			if err != nil {
				t.Fatal(err)
			}
			o := c.opts(0)
			o.Host, o.Port, o.NoSigs, o.NoLog = "127.0.0.1", server.RANDOM_PORT, true, true
			s, err := server.NewServer(o)
			if err != nil {
				t.Fatal(err)
			}
			s.Start()
			defer s.Shutdown()
			if !s.ReadyForConnections(10 * time.Second) {
				t.Fatal("the server does not start")
			}
			back := make(chan struct{}, 1)
			nc, err := n.Connect(s.ClientURL(), nats.ReconnectWait(10*time.Millisecond), nats.MaxReconnects(-1),
				nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}),
				nats.ReconnectHandler(func(*nats.Conn) { back <- struct{}{} }))
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			if err := nc.Flush(); err != nil {
				t.Fatal(err)
			}
			o = c.opts(1)
			o.Host, o.NoSigs, o.NoLog = "127.0.0.1", true, true
			o.Port = s.Addr().(*net.TCPAddr).Port
			write(t, path, c.new, 0o600)
			if err := s.ReloadOptions(o); err != nil {
				t.Fatal(err)
			}
			select {
			case <-back:
			case <-time.After(20 * time.Second):
				t.Fatalf("did not come back: %v", nc.LastError())
			}
			if err := nc.Flush(); err != nil {
				t.Error(err)
			}
			quiet(t, logs, firstSeed, secondSeed)
		})
	}
}

func TestNATSVariables(t *testing.T) {
	t.Parallel()
	_, seed := newKey(t)
	path := write(t, filepath.Join(t.TempDir(), "seed"), "# comment\n"+seed+"\n", 0o600)
	bad := write(t, filepath.Join(t.TempDir(), "bad"), "SU"+password, 0o600)
	for vars, want := range map[string]string{
		"":                                 "",
		"OVERNIGHT_NATS_NKEY_FILE=" + path: "",
		"OVERNIGHT_NATS_NKEY_FILE=" + bad:  "no seed",
		"OVERNIGHT_NATS_CREDS_FILE=" + bad: "no user JWT",
		"OVERNIGHT_NATS_USER=x":            "go together",
		"OVERNIGHT_NATS_PASSWORD=x":        "go together",
		"OVERNIGHT_NATS_NKEY_FILE=" + path + " OVERNIGHT_NATS_CREDS_FILE=" + path: "set one of",
	} {
		e, _ := env(strings.Fields(vars)...)
		_, err := e.NATS(nil)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", vars, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "SU"+password) {
			t.Errorf("%s: the error holds the secret: %v", vars, err)
		}
	}
}
