// Package natsconn connects to a NATS server or cluster and stays connected.
// Start with Connect; Redact makes an address fit for messages.
//
// An address never holds a secret: one that does is refused. Who connects is said
// by Options.Dial, or by Options.More. A connection that is lost, or that the
// server refuses because keys are about to change, is tried again for ever; what
// happens to it is logged when it begins and when it ends.
package natsconn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// Options configure a connection.
type Options struct {
	// Name is what the server shows of the connection. Defaults to "overnight".
	Name string
	// Dial connects with credentials: the Connect of an internal/credentials.NATS.
	// Defaults to nats.Connect, without any.
	Dial func(url string, more ...nats.Option) (*nats.Conn, error)
	// More are further options, credentials among them.
	More []nats.Option
	// Wait is for how long Connect tries again while nobody answers. Defaults to
	// trying once.
	Wait time.Duration
	// Log receives what happens to the connection. Defaults to dropping it.
	Log *zap.Logger
}

const (
	dialTimeout  = 3 * time.Second // of one server, handshakes included
	pingInterval = 10 * time.Second
	maxPings     = 2 // without an answer: a cut cable is noticed within 30 s
	firstPause   = 50 * time.Millisecond
	longestPause = 2 * time.Second // between two attempts
)

// Connect connects to one of the servers of an address, in one of the Forms.
func Connect(ctx context.Context, addr string, o Options) (*nats.Conn, error) {
	a, err := parse(addr)
	if err != nil {
		return nil, err
	}
	if o.Name == "" {
		o.Name = "overnight"
	}
	if o.Dial == nil {
		o.Dial = nats.Connect
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	report := &reporter{log: o.Log, servers: a.url()}
	opts := append([]nats.Option{
		nats.Name(o.Name), nats.Timeout(dialTimeout),
		nats.PingInterval(pingInterval), nats.MaxPingsOutstanding(maxPings),
		nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort(), nats.CustomReconnectDelay(pauseAfter),
	}, report.options()...)
	opts = append(opts, o.More...)
	start := time.Now()
	for n := 1; ; n++ {
		nc, err := o.Dial(a.url(), opts...)
		if err == nil {
			return nc, nil
		}
		err = fmt.Errorf("connect to %s: %w%s", a.url(), err, hint(err))
		if !passing(err) || time.Since(start) >= o.Wait {
			return nil, err
		}
		if report.fresh(err.Error()) {
			o.Log.Warn("NATS does not answer yet", zap.Error(err))
		}
		wait := time.NewTimer(pauseAfter(n))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return nil, errors.Join(ctx.Err(), err)
		}
	}
}

// pauseAfter returns how long to wait after the n-th vain round through the
// servers: longer and longer, and not all clients at the same moment.
func pauseAfter(n int) time.Duration {
	d := min(longestPause, firstPause<<min(n, 10))
	return d/2 + rand.N(d/2)
}

// passing tells whether another attempt may do better.
func passing(err error) bool {
	var unknown *tls.CertificateVerificationError
	return !errors.Is(err, nats.ErrAuthorization) && !errors.As(err, &unknown) &&
		!errors.Is(err, nats.ErrSecureConnRequired) && !errors.Is(err, nats.ErrSecureConnWanted)
}

// hint returns what to do about an error, or "".
func hint(err error) string {
	var unknown *tls.CertificateVerificationError
	switch {
	case errors.Is(err, nats.ErrAuthorization):
		return ": the server does not know these credentials: " + noSecrets
	case errors.As(err, &unknown):
		return ": the server's certificate is not trusted: give the authority that signed it as OVERNIGHT_TLS_CA_FILE"
	case errors.Is(err, nats.ErrSecureConnRequired), errors.Is(err, nats.ErrSecureConnWanted):
		return ": server and address don't agree on TLS: write tls:// for a server with TLS, nats:// for one without"
	case errors.Is(err, nats.ErrNoServers):
		return ": nobody listens there: check host and port, and that the server runs"
	}
	return ""
}
