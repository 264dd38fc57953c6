package natsqueue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"overnight/internal/natsserver"
)

// Open starts a NATS server inside the process and returns the queue on it. The
// server has no socket: its only connection is a pipe in memory. What it carries
// is lost when the process ends.
func Open(ctx context.Context, o Options) (*Queue, error) {
	if o.Patience <= 0 {
		o.Patience = 3 * time.Second
	}
	o = o.withDefaults()
	o.Memory, o.Replicas = true, 1
	s, err := natsserver.Start(natsserver.Options{Dir: o.Dir, Log: o.Log, Memory: 2 * o.MaxBytes})
	if err != nil {
		return nil, fmt.Errorf("start the queue: %w", err)
	}
	nc, err := s.Connect(nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		o.Log.Debug("queue connection", zap.Error(err))
	}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the queue: %w", err), s.Close())
	}
	q, err := New(ctx, nc, o)
	if err != nil {
		nc.Close()
		return nil, errors.Join(fmt.Errorf("start the queue: %w", err), s.Close())
	}
	q.stop = func() error {
		nc.Close()
		return s.Close()
	}
	return q, nil
}
