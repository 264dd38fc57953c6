// Package natsserver runs a NATS server with JetStream inside the process, for
// jobs that need not outlive it. Start with Start and Server.Connect.
//
// Without Options.Listen the server has no socket: its connections are pipes in
// memory. With it, other machines reach the server over TLS alone, each as one of
// Options.Users and with no more than that user's rights. The process itself
// connects with a key that is made anew by each Start, is never written anywhere
// and is refused on a socket.
//
// Users have an account of their own, which holds nothing: what they may publish
// to is imported from the account of the process. So whatever subject a user names
// for the answer to a request, the answer stays among the users: it can't make the
// server, or the process, publish where the user may not.
package natsserver

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"go.uber.org/zap"
)

// MaxPayload bounds a message, in bytes: a batch of records must fit.
const MaxPayload = 8 << 20

// Options configure a Server.
type Options struct {
	// Dir is a folder for housekeeping, made if missing; no message is written
	// there. Defaults to a new temporary folder that Close removes.
	Dir string
	// Log receives errors, and at debug level all else that the server logs.
	// Defaults to dropping it.
	Log *zap.Logger
	// Memory is how many bytes streams may reserve. Defaults to 1 GiB.
	Memory int64
	// Listen is where other machines reach the server, as HOST:PORT: without a
	// host on all addresses, with port 0 on a free port. Defaults to no socket.
	Listen string
	// TLS is what the socket is served with; required with Listen. Clients begin
	// with the handshake, before the server has said anything.
	TLS *tls.Config
	// Users are who may connect to the socket. Defaults to nobody.
	Users []User
}

// User is a key with what its holder may do on the socket, and nothing more.
type User struct {
	NKey    string   // public, "U..."
	Publish []string // subjects, which may hold wildcards
	// Inbox is the prefix below which the user may subscribe, and receives answers:
	// the user connects with nats.CustomInboxPrefix.
	Inbox string
}

// Server is a running server.
type Server struct {
	s    *server.Server
	key  nkeys.KeyPair // of the process
	stop func() error
}

// Start returns a server that accepts connections.
func Start(o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Memory <= 0 {
		o.Memory = 1 << 30
	}
	opts := &server.Options{
		ServerName:         "overnight",
		DontListen:         true,
		NoSigs:             true,
		NoLog:              true,
		MaxPayload:         MaxPayload,
		JetStream:          true,
		JetStreamMaxMemory: o.Memory,
		JetStreamMaxStore:  1, // byte: everything is in memory

		DisableJetStreamBanner: true,
	}
	s := &Server{}
	if o.Listen != "" {
		var err error
		if s.key, err = listen(opts, o); err != nil {
			return nil, err
		}
	}
	remove, err := folder(opts, o.Dir)
	if err != nil {
		return nil, err
	}
	if err := s.start(opts, o, remove); err != nil {
		return nil, err
	}
	return s, nil
}

// folder sets where the server keeps house, and returns what clears it away.
func folder(opts *server.Options, dir string) (remove func() error, err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp("", "overnight-queue-"); err != nil {
			return nil, err
		}
		opts.StoreDir = dir
		return func() error { return os.RemoveAll(dir) }, nil
	}
	opts.StoreDir = dir
	return func() error { return os.RemoveAll(filepath.Join(dir, server.JetStreamStoreDir)) }, os.MkdirAll(dir, 0o700)
}

// listen opens the server to o.Users, and returns the key of the process itself.
func listen(opts *server.Options, o Options) (nkeys.KeyPair, error) {
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w: write HOST:PORT or :PORT", o.Listen, err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: the port is not a number between 0 and 65535", o.Listen)
	}
	if o.TLS == nil {
		return nil, fmt.Errorf("listen on %q: there is no TLS configuration, and nothing is served without TLS", o.Listen)
	}
	opts.DontListen, opts.Host, opts.Port = false, host, int(n)
	if n == 0 {
		opts.Port = server.RANDOM_PORT
	}
	opts.TLS, opts.TLSConfig, opts.TLSHandshakeFirst = true, o.TLS, true
	opts.Cluster.NoAdvertise = true          // of addresses that only this machine knows itself by
	opts.TLSTimeout, opts.AuthTimeout = 5, 5 // seconds
	// A peer whose cable was cut is noticed within 30 s.
	opts.PingInterval, opts.MaxPingsOut = 10*time.Second, 2

	key, err := nkeys.CreateUser()
	if err != nil {
		return nil, err
	}
	public, err := key.PublicKey()
	if err != nil {
		return nil, err
	}
	opts.Nkeys = append(opts.Nkeys, &server.NkeyUser{
		Nkey:                   public,
		AllowedConnectionTypes: map[string]struct{}{jwt.ConnectionTypeInProcess: {}},
	})
	account := server.NewAccount(usersAccount)
	opts.Accounts = append(opts.Accounts, account)
	for _, u := range o.Users {
		if !nkeys.IsValidPublicUserKey(u.NKey) || u.Inbox == "" {
			return nil, errors.New("a user of the NATS server has no public user key, or no inbox")
		}
		opts.Nkeys = append(opts.Nkeys, &server.NkeyUser{
			Nkey:    u.NKey,
			Account: account,
			Permissions: &server.Permissions{
				Publish:   &server.SubjectPermission{Allow: u.Publish},
				Subscribe: &server.SubjectPermission{Allow: []string{u.Inbox + ".>"}},
			},
			AllowedConnectionTypes: map[string]struct{}{jwt.ConnectionTypeStandard: {}},
		})
	}
	return key, nil
}

// start runs the server until s.stop.
func (s *Server) start(opts *server.Options, o Options, remove func() error) error {
	var err error
	if s.s, err = server.NewServer(opts); err != nil {
		return errors.Join(fmt.Errorf("NATS server in the process: %w", err), remove())
	}
	l := &lines{log: o.Log.Named("nats").WithOptions(zap.AddCallerSkip(2))}
	s.s.SetLoggerV2(l, o.Log.Core().Enabled(zap.DebugLevel), false, false)
	s.stop = func() error {
		s.s.Shutdown()
		s.s.WaitForShutdown()
		return remove()
	}
	s.s.Start()
	ready := s.s.JetStreamEnabled()
	for end := time.Now().Add(10 * time.Second); ready && !s.s.ReadyForConnections(50*time.Millisecond); {
		ready = l.cause.Load() == nil && time.Now().Before(end)
	}
	if !ready {
		return errors.Join(fmt.Errorf("the NATS server in the process did not start: %s", l.fatal()), s.stop())
	}
	if err := s.share(o); err != nil {
		return errors.Join(fmt.Errorf("NATS server in the process: %w", err), s.stop())
	}
	return nil
}

// Connect returns a connection inside the process, with all rights.
func (s *Server) Connect(opts ...nats.Option) (*nats.Conn, error) {
	all := []nats.Option{
		nats.InProcessServer(s.s), nats.Name("overnight"),
		// A process that was stopped for long may find its pipe closed.
		nats.MaxReconnects(-1), nats.ReconnectWait(20 * time.Millisecond), nats.IgnoreAuthErrorAbort(),
	}
	if s.key != nil {
		public, err := s.key.PublicKey()
		if err != nil {
			return nil, err
		}
		all = append(all, nats.Nkey(public, s.key.Sign))
	}
	return nats.Connect("", append(all, opts...)...)
}

// Addr returns where the server listens, as HOST:PORT, or "".
func (s *Server) Addr() string {
	if a := s.s.Addr(); a != nil {
		return a.String()
	}
	return ""
}

// Close ends the server, its connections and all that it stores.
func (s *Server) Close() error { return s.stop() }
