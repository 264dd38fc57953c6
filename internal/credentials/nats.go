package credentials

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// NATS is how to connect to NATS servers. What its files hold counts at each new
// connection, and a connection that was refused is tried again, since the files
// may be about to change.
type NATS struct {
	options []nats.Option
	key     *watched[nkeys.KeyPair] // of OVERNIGHT_NATS_NKEY_FILE, or nil
}

// NATS reads one of
//
//	OVERNIGHT_NATS_NKEY_FILE   the seed of a user's nkey
//	OVERNIGHT_NATS_CREDS_FILE  a JWT and its seed, as nsc writes them
//	OVERNIGHT_NATS_USER        with OVERNIGHT_NATS_PASSWORD or OVERNIGHT_NATS_PASSWORD_FILE
//
// or none of them. t may be nil.
func (e Env) NATS(t *TLS) (*NATS, error) {
	nkey, creds, user := e.get("OVERNIGHT_NATS_NKEY_FILE"), e.get("OVERNIGHT_NATS_CREDS_FILE"), e.get("OVERNIGHT_NATS_USER")
	password, err := e.Secret("OVERNIGHT_NATS_PASSWORD")
	if err != nil {
		return nil, err
	}
	given := 0
	for _, v := range []string{nkey, creds, user} {
		if v != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return nil, errors.New("set one of OVERNIGHT_NATS_NKEY_FILE, OVERNIGHT_NATS_CREDS_FILE and OVERNIGHT_NATS_USER")
	case (user == "") != (password == nil):
		return nil, errors.New("OVERNIGHT_NATS_USER and OVERNIGHT_NATS_PASSWORD (or OVERNIGHT_NATS_PASSWORD_FILE) go together: set both or neither")
	}
	n := &NATS{}
	if given > 0 {
		n.options = append(n.options, nats.IgnoreAuthErrorAbort())
	}
	if t != nil {
		n.options = append(n.options, nats.ClientTLSConfig(
			func() (tls.Certificate, error) { return t.Certificate(), nil },
			func() (*x509.CertPool, error) { return t.Roots(), nil },
		))
	}
	switch {
	case nkey != "":
		n.key, err = watch(e.log(), "OVERNIGHT_NATS_NKEY_FILE", []file{{nkey, secret}}, func(c [][]byte) (nkeys.KeyPair, error) { return userKey(c[0]) })
	case creds != "":
		var who nats.Option
		who, err = e.natsCreds(creds)
		n.options = append(n.options, who)
	case user != "":
		n.options = append(n.options, nats.UserInfoHandler(func() (string, string) { return user, password.Reveal() }))
	}
	if err != nil {
		return nil, err
	}
	return n, nil
}

// Connect connects to url with these credentials.
func (n *NATS) Connect(url string, more ...nats.Option) (*nats.Conn, error) {
	if n.key == nil {
		return nats.Connect(url, append(n.options[:len(n.options):len(n.options)], more...)...)
	}
	public, err := n.key.get().PublicKey()
	if err != nil {
		return nil, errors.New("the nkey has no public half")
	}
	d := &nkeyDialer{key: n.key}
	d.Timeout = nats.DefaultTimeout
	sign := func(nonce []byte) ([]byte, error) { return n.key.get().Sign(nonce) }
	options := append(n.options[:len(n.options):len(n.options)], nats.Nkey(public, sign), nats.SetCustomDialer(d))
	conn, err := nats.Connect(url, append(options, more...)...)
	d.conn.Store(conn)
	return conn, err
}

// nkeyDialer names the nkey of the moment when its connection dials again:
// nats.go asks for signatures anew, but keeps the public key it began with.
type nkeyDialer struct {
	net.Dialer
	key  *watched[nkeys.KeyPair]
	conn atomic.Pointer[nats.Conn]
}

// Dial is called with the connection's lock held, by the goroutine that reads
// Opts.Nkey next.
func (d *nkeyDialer) Dial(network, addr string) (net.Conn, error) {
	if conn := d.conn.Load(); conn != nil {
		if public, err := d.key.get().PublicKey(); err == nil {
			conn.Opts.Nkey = public
		}
	}
	return d.Dialer.Dial(network, addr)
}

// userKey reads a seed, which may stand among lines of comment, as nk writes it.
func userKey(b []byte) (nkeys.KeyPair, error) {
	key, err := nkeys.ParseDecoratedUserNKey(b)
	if err != nil {
		return nil, errors.New("no seed of a user's nkey in it: it is a line that begins with SU")
	}
	return key, nil
}

// login is what a creds file holds.
type login struct {
	jwt string
	key nkeys.KeyPair
}

func (e Env) natsCreds(path string) (nats.Option, error) {
	w, err := watch(e.log(), "OVERNIGHT_NATS_CREDS_FILE", []file{{path, secret}}, func(c [][]byte) (login, error) {
		jwt, err := nkeys.ParseDecoratedJWT(c[0])
		if err != nil || !bytes.Contains(c[0], []byte("BEGIN NATS USER JWT")) {
			return login{}, errors.New("no user JWT in it: nsc writes such files")
		}
		key, err := userKey(c[0])
		return login{jwt, key}, err
	})
	if err != nil {
		return nil, err
	}
	return nats.UserJWT(
		func() (string, error) { return w.get().jwt, nil },
		func(nonce []byte) ([]byte, error) { return w.get().key.Sign(nonce) },
	), nil
}
