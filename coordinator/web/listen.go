package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"overnight/internal/credentials"
)

// Address is where the API is to be reached, and what protects it.
type Address struct {
	Addr      string // host:port; port 0 for any that is free
	Tokens    string // file; see LoadTokens
	Cert, Key string // files in PEM form
	Insecure  bool   // go without TLS or tokens all the same
	Flag      string // what errors call it. Defaults to --api
}

// Listener is an open address.
type Listener struct {
	net.Listener
	Tokens *Tokens // nil: everybody
}

// Listen opens an address. One that other machines can reach needs TLS and
// tokens, unless Insecure says that something else sees to that.
func Listen(a Address, log *zap.Logger) (*Listener, error) {
	if (a.Cert == "") != (a.Key == "") {
		return nil, errors.New("--tls-cert and --tls-key go together: give both or neither")
	}
	if a.Flag == "" {
		a.Flag = "--api"
	}
	l := &Listener{}
	var conf *tls.Config
	var err error
	if a.Tokens != "" {
		if l.Tokens, err = LoadTokens(log, a.Tokens); err != nil {
			return nil, err
		}
	}
	if a.Cert != "" {
		if conf, err = (credentials.Env{Log: log}).ServerTLS(a.Cert, a.Key); err != nil {
			return nil, err
		}
		conf.NextProtos = []string{"h2", "http/1.1"}
	}
	at, err := net.ResolveTCPAddr("tcp", a.Addr)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w; write HOST:PORT, such as 127.0.0.1:8080", a.Flag, a.Addr, err)
	}
	if err := a.protected(at); err != nil {
		return nil, err
	}
	if l.Listener, err = net.ListenTCP("tcp", at); err != nil {
		return nil, fmt.Errorf("%s %s: %w", a.Flag, a.Addr, err)
	}
	if conf != nil {
		l.Listener = tls.NewListener(l.Listener, conf)
	}
	return l, nil
}

// protected refuses an address that others can reach without what protects it.
func (a Address) protected(at *net.TCPAddr) error {
	if at.IP.IsLoopback() || a.Insecure {
		return nil
	}
	missing := ""
	switch {
	case a.Cert == "" && a.Tokens == "":
		missing = "--tls-cert FILE --tls-key FILE --tokens FILE"
	case a.Cert == "":
		missing = "--tls-cert FILE --tls-key FILE"
	case a.Tokens == "":
		missing = "--tokens FILE"
	default:
		return nil
	}
	return fmt.Errorf("%s %s can be reached from other machines: add %s; or listen on 127.0.0.1; or add --insecure where something else protects it, such as a proxy with TLS", a.Flag, a.Addr, missing)
}

// Times that connections may take.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 60 * time.Second // streams renew theirs
	idleTimeout   = 60 * time.Second
	closeTimeout  = 5 * time.Second
	maxHeader     = 16 << 10
)

// Serve answers requests until ctx ends; then streams end at once, and other
// requests have closeTimeout.
func Serve(ctx context.Context, l net.Listener, h http.Handler, log *zap.Logger) error {
	if log == nil {
		log = zap.NewNop()
	}
	base, cut := context.WithCancel(context.WithValue(context.WithoutCancel(ctx), closingKey{}, ctx.Done()))
	defer cut()
	s := &http.Server{
		Handler: h, BaseContext: func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       stdlog.New(noise{log}, "", 0),
	}
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve %v: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	err := s.Shutdown(closing)
	if err != nil {
		cut()
		err = s.Close()
	}
	<-failed
	if err != nil {
		return fmt.Errorf("close %v: %w", l.Addr(), err)
	}
	return nil
}

// closingKey leads to the channel that is closed when the server is to close.
type closingKey struct{}

// closing is closed when streams should end; nil, which never is, where the
// handler is not served by Serve.
func closing(r *http.Request) <-chan struct{} {
	c, _ := r.Context().Value(closingKey{}).(<-chan struct{})
	return c
}

// noise takes what net/http has to say of strangers: handshakes that failed, and
// the like.
type noise struct{ log *zap.Logger }

func (n noise) Write(b []byte) (int, error) {
	n.log.Debug("connection failed", zap.String("what", strings.TrimSpace(string(b))))
	return len(b), nil
}
