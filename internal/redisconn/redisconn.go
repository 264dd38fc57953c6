// Package redisconn turns the address of a Redis or Valkey server, of Sentinels
// or of a Redis Cluster into a client. Start with New; Redact makes an address
// fit for messages.
//
// An address never holds a secret: one that does is refused. Users and passwords
// come from Options.Credentials, which is asked again for every connection, so
// that they can change while the program runs.
package redisconn

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Credentials returns a user and a password, either of them "" for none. It is
// called for every new connection, from several goroutines at a time.
type Credentials func(ctx context.Context) (user, password string, err error)

type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

// Options configure a client.
type Options struct {
	// Credentials is who the client is to Redis. Defaults to nobody.
	Credentials Credentials
	// SentinelCredentials is who it is to the Sentinels, which have users and
	// passwords of their own. It is called once, by New: go-redis takes no others
	// later. Defaults to nobody.
	SentinelCredentials Credentials
	// TLS is used with the rediss schemes and has no say with the others. Defaults
	// to the system's certificates. What it has as functions (GetClientCertificate,
	// VerifyConnection) is asked anew for every connection.
	TLS *tls.Config
	// Dial connects with TLS, in place of Go's with the configuration TLS, for the
	// rediss schemes alone: servers, Sentinels and a cluster's nodes, some of which
	// are known by IP address only. It returns when the handshake is done. Defaults
	// to none.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Name is what CLIENT LIST shows. Defaults to none.
	Name string
	// PoolSize bounds the connections to each server. Defaults to 32.
	PoolSize int
}

// Times that a client allows. A context with an earlier end wins.
const (
	dialTimeout = 2 * time.Second // with TLS's handshake
	ioTimeout   = 5 * time.Second // of one read or write
	poolTimeout = 5 * time.Second // for a free connection
	retries     = 3               // of a command whose answer was an EOF, LOADING, READONLY, ...
)

// New returns a client for an address; it does not connect. The forms are those
// that Forms lists. Commands whose connection breaks are sent again: what is
// written through this client must be idempotent.
func New(address string, o Options) (redis.UniversalClient, error) {
	a, err := parse(address)
	if err != nil {
		return nil, err
	}
	if o.PoolSize <= 0 {
		o.PoolSize = 32
	}
	var conf *tls.Config
	if a.tls {
		conf = &tls.Config{MinVersion: tls.VersionTLS12}
		if o.TLS != nil {
			conf = o.TLS.Clone()
		}
	}
	o.Dial = within(dialTimeout, o.Dial)
	if !a.tls {
		o.Dial = nil
	}
	switch a.kind {
	case cluster:
		return redis.NewClusterClient(clusterOptions(a, conf, o)), nil
	case sentinel:
		return failover(a, conf, o)
	default:
		return redis.NewClient(serverOptions(a, conf, o)), nil
	}
}

// within bounds the time that a dial takes: go-redis does so for its pools, and not
// for subscriptions.
func within(most time.Duration, dial dialer) dialer {
	if dial == nil {
		return nil
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, most)
		defer cancel()
		return dial(ctx, network, addr)
	}
}

func serverOptions(a address, conf *tls.Config, o Options) *redis.Options {
	return &redis.Options{
		Network: a.network, Addr: a.hosts[0], DB: a.db, TLSConfig: conf, Dialer: o.Dial, ClientName: o.Name,
		CredentialsProviderContext: o.Credentials,
		DialTimeout:                dialTimeout, DialerRetries: 1, ReadTimeout: ioTimeout, WriteTimeout: ioTimeout,
		ContextTimeoutEnabled: true, MaxRetries: retries, PoolSize: o.PoolSize, PoolTimeout: poolTimeout,
		// A command that servers other than Redis Enterprise don't know.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

func clusterOptions(a address, conf *tls.Config, o Options) *redis.ClusterOptions {
	return &redis.ClusterOptions{
		Addrs: a.hosts, TLSConfig: conf, Dialer: o.Dial, ClientName: o.Name,
		CredentialsProviderContext: o.Credentials,
		DialTimeout:                dialTimeout, DialerRetries: 1, ReadTimeout: ioTimeout, WriteTimeout: ioTimeout,
		ContextTimeoutEnabled: true, MaxRetries: retries, PoolSize: o.PoolSize, PoolTimeout: poolTimeout,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

func failover(a address, conf *tls.Config, o Options) (redis.UniversalClient, error) {
	var user, password string
	if o.SentinelCredentials != nil {
		ctx, cancel := context.WithTimeout(context.Background(), ioTimeout)
		defer cancel()
		var err error
		if user, password, err = o.SentinelCredentials(ctx); err != nil {
			return nil, fmt.Errorf("credentials for the Sentinels: %w", err)
		}
	}
	return redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName: a.master, SentinelAddrs: a.hosts, SentinelUsername: user, SentinelPassword: password,
		DB: a.db, TLSConfig: conf, Dialer: o.Dial, ClientName: o.Name,
		CredentialsProviderContext: o.Credentials,
		DialTimeout:                dialTimeout, DialerRetries: 1, ReadTimeout: ioTimeout, WriteTimeout: ioTimeout,
		ContextTimeoutEnabled: true, MaxRetries: retries, PoolSize: o.PoolSize, PoolTimeout: poolTimeout,
	}), nil
}
