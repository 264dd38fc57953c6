package natsqueue

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// Open starts a NATS server inside the process and returns the queue on it. The
// server has no socket: its only connection is a pipe in memory. What it carries
// is lost when the process ends.
func Open(ctx context.Context, o Options) (*Queue, error) {
	o = o.withDefaults()
	s, stop, err := startServer(o)
	if err != nil {
		return nil, fmt.Errorf("start the queue: %w", err)
	}
	q, err := connect(ctx, s, o, stop)
	if err != nil {
		_ = stop()
		return nil, fmt.Errorf("start the queue: %w", err)
	}
	return q, nil
}

func connect(ctx context.Context, s *server.Server, o Options, stop func() error) (*Queue, error) {
	nc, err := nats.Connect("", nats.InProcessServer(s), nats.Name("overnight"),
		// A process that was stopped for long may find its pipe closed.
		nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			o.Log.Debug("queue connection", zap.Error(err))
		}))
	if err != nil {
		return nil, err
	}
	q, err := newQueue(ctx, nc, o, stop)
	if err != nil {
		nc.Close()
	}
	return q, err
}

// startServer returns a running server and what ends it.
func startServer(o Options) (*server.Server, func() error, error) {
	dir := o.Dir
	remove := func() error { return os.RemoveAll(filepath.Join(dir, server.JetStreamStoreDir)) }
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "overnight-queue-"); err != nil {
			return nil, nil, err
		}
		remove = func() error { return os.RemoveAll(dir) }
	} else if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	s, err := server.NewServer(&server.Options{
		ServerName:         "overnight",
		DontListen:         true,
		NoSigs:             true,
		NoLog:              true,
		JetStream:          true,
		StoreDir:           dir,
		JetStreamMaxMemory: 2 * maxStored,
		JetStreamMaxStore:  1, // byte: everything is in memory

		DisableJetStreamBanner: true,
	})
	if err != nil {
		_ = remove()
		return nil, nil, err
	}
	l := &serverLog{log: o.Log.Named("nats").WithOptions(zap.AddCallerSkip(2))}
	s.SetLoggerV2(l, o.Log.Core().Enabled(zap.DebugLevel), false, false)
	stop := func() error {
		s.Shutdown()
		s.WaitForShutdown()
		return remove()
	}
	s.Start()
	if !s.JetStreamEnabled() || !s.ReadyForConnections(10*time.Second) {
		_ = stop()
		return nil, nil, fmt.Errorf("the NATS server in the process did not start: %s", l.fatal())
	}
	return s, stop, nil
}

// serverLog is a server.Logger. What a server has to say concerns developers, so
// that everything but errors goes to debug level.
type serverLog struct {
	log   *zap.Logger
	cause atomic.Pointer[string]
}

var _ server.Logger = (*serverLog)(nil)

func (l *serverLog) Noticef(format string, v ...any) { l.debug(format, v) }
func (l *serverLog) Warnf(format string, v ...any)   { l.debug(format, v) }
func (l *serverLog) Debugf(format string, v ...any)  { l.debug(format, v) }
func (l *serverLog) Tracef(format string, v ...any)  { l.debug(format, v) }
func (l *serverLog) Errorf(format string, v ...any)  { l.log.Warn(fmt.Sprintf(format, v...)) }

// Fatalf does not end the process: Open returns the cause.
func (l *serverLog) Fatalf(format string, v ...any) {
	s := fmt.Sprintf(format, v...)
	l.cause.Store(&s)
	l.log.Warn(s)
}

func (l *serverLog) debug(format string, v []any) {
	if e := l.log.Check(zap.DebugLevel, ""); e != nil {
		e.Message = fmt.Sprintf(format, v...)
		e.Write()
	}
}

func (l *serverLog) fatal() string {
	if s := l.cause.Load(); s != nil {
		return *s
	}
	return "it gave no reason"
}
